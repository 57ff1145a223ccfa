"""A Bitfinex of one account: REST under /v2, the private WebSocket v2 on /ws/2.

Written from Bitfinex's documents (docs.bitfinex.com, ws-auth and rest-auth) and from
captured frames, checked 2026-11-20, and from nothing of our client. Its parts: `words`
(names, ids, number texts), `orders`, `wallets`, `positions` (rows, and the life of the
margin wallet), `tape` (the order in which sockets are told), `keys`, `socket`, `rest`.
"""

from privstream.simulator.bitfinex.exchange import SimulatedBitfinex

__all__ = ["SIMULATED", "SimulatedBitfinex"]

SIMULATED = SimulatedBitfinex
