"""An Indodax of one account: token and tapi, the v2 histories, and its Centrifugo on /ws/.

Written from Indodax's documents (official API docs of 2026-04-14) and from frames
of a real Centrifugo 5.2 server, checked 2026-11-20, and from nothing of our client.
Its parts: `words` (names, ids, number texts), `tokens`, `stream` (publications),
`socket` (Centrifugo's client protocol), `rest`, `tapi` and `history` (v2).
"""

from privstream.simulator.indodax.exchange import SimulatedIndodax

SIMULATED = SimulatedIndodax
