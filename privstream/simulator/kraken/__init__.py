"""A Kraken (spot) of one account: REST under /0, WebSocket v2 on /v2 and v1 on /.

Written from Kraken's documents and from captured frames, checked 2026-11-20:
docs.kraken.com/api (spot REST, websocket-v1, websocket-v2), and from nothing of
our client. Its parts: `words` (names, ids, number texts), `rest`, `socket` (what
both WebSocket protocols have in common), `v1`, `v2`.
"""

from privstream.simulator.kraken.exchange import SimulatedKraken

__all__ = ["SIMULATED", "SimulatedKraken"]

SIMULATED = SimulatedKraken
