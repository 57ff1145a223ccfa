"""What the connections of one Kraken account have learnt, and the next ones and REST use.

Tiers
    How often REST may be asked follows the account's tier: a counter of 15 that falls by 0.33 a
    second (starter), 20 and 0.5 (intermediate), 20 and 1 (pro). Which tier it is shows in
    `maxratecount` of a subscription to orders: 60, 125 or 180.

Source
    docs.kraken.com, API Rate Limits and Trading Rate Limits; checked 2026-11-30.
"""

from collections.abc import Callable

from privstream.exchanges.kraken.pairs import Pairs

BUDGETS = {"starter": (15.0, 0.33), "intermediate": (20.0, 0.5), "pro": (20.0, 1.0)}
BY_RATE_COUNT = {60: "starter", 125: "intermediate", 180: "pro"}


def _unheard(_tier: str) -> None:
    pass


class Learnt:
    """Lasts as long as its account. `tell_tier` hears the account's tier as Kraken told it."""

    def __init__(self, tell_tier: Callable[[str], None] = _unheard) -> None:
        self.pairs = Pairs()
        self.spread: set[str] = set()
        """Assets that are in other wallets than the main one."""
        self._tell_tier = tell_tier

    def rate_count(self, most: object) -> None:
        """A subscription was told how many order calls the account has."""
        if isinstance(most, int) and most in BY_RATE_COUNT:
            self._tell_tier(BY_RATE_COUNT[most])
