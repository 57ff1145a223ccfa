"""A Zerocap (DMA) of one account: REST under /v2, WebSocket on /v2.

Written from Zerocap's documents and the samples in them, checked 2026-11-20: the
package page of zerocap-api (0.1.7 to 0.1.38) and docs.zerocap.com, and from nothing
of our client. Its parts: `words` (assets, ids, number texts), `keys` (who may come
in), `orders` (orders and fills in both dialects), `prices`, `socket`, `rest`,
`history` and `funds` (what REST lists).
"""

from privstream.simulator.zerocap.exchange import SimulatedZerocap

__all__ = ["SIMULATED", "SimulatedZerocap"]

SIMULATED = SimulatedZerocap
