"""How much an account of each tier may ask: over REST, and with orders on one pair."""

from msgspec import Struct


class Tier(Struct, frozen=True):
    """Counters: how high each may get, and by how much it falls a second."""

    rest_calls: float
    rest_decay: float
    order_calls: int
    order_decay: float


TIERS = {
    "starter": Tier(15.0, 0.33, 60, 1.0),
    "intermediate": Tier(20.0, 0.5, 125, 2.34),
    "pro": Tier(20.0, 1.0, 180, 3.75),
}
"""Written from docs.kraken.com, API Rate Limits and Trading Rate Limits, checked 2026-11-30."""
