"""What is to go wrong, on demand or at random: every outgoing frame and answer passes here.

Pure: it only decides. `server.py` does it. Its parts: `grammar` (how faults are
written), `chaos` (random ones), `plan` (which strikes now), `line` (what becomes of
one socket's frames).
"""

from privstream.simulator.faults.chaos import CHAOS_KINDS, chaos
from privstream.simulator.faults.grammar import KINDS, Fault, Kind, When, parse
from privstream.simulator.faults.line import Deed, Drip, Endless, Line, Reset, Torn
from privstream.simulator.faults.plan import Faults, Happened

__all__ = [
    "CHAOS_KINDS",
    "KINDS",
    "Deed",
    "Drip",
    "Endless",
    "Fault",
    "Faults",
    "Happened",
    "Kind",
    "Line",
    "Reset",
    "Torn",
    "When",
    "chaos",
    "parse",
]
