"""An Indodax of one account: token, tapi, TAPI v2, and its Centrifugo on /ws/.

Written from Indodax's documents (https://github.com/btcid/indodax-official-api-docs)
and from frames of a real Centrifugo 5.2 server, checked 2026-11-30, and from nothing of
our client. Its parts: `words` (names, ids, number texts), `keys` (of both kinds), `tokens`,
`stream` (publications), `socket` (Centrifugo's client protocol), `rest` with `tapi` and
`history` (keys of the older kind), `api` (keys of TAPI v2).
"""

from privstream.simulator.indodax.exchange import SimulatedIndodax

SIMULATED = SimulatedIndodax
