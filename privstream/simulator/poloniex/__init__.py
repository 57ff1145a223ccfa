"""A Poloniex (spot) of one account: signed REST, and its private socket on /ws/private.

Written from Poloniex's documents, its SDK and captured frames, checked 2026-11-20, and
from nothing of our client. Its parts: `words` (names, ids, number texts), `wallets`
(what every balance change is told as), `stream` (pushes), `socket`, `rest`, `history`
and `public`.
"""

from privstream.simulator.poloniex.exchange import SimulatedPoloniex

SIMULATED = SimulatedPoloniex
