"""How long to wait before the next connection attempt: growing, with jitter, within a budget.

Pure: the time is a parameter, the random source is handed in.
"""

from collections import deque
from random import Random

from privstream.model.rest import Now

STABLE = 30.0
"""Only a session that was live for so many seconds proves that all is well again."""
LONGEST = 30.0
FIRST = 0.5
OWN_BUDGET = (120, 600.0)
"""Attempts in seconds that we allow ourselves on any exchange."""

_LAST_DOUBLING = 6


class Backoff:
    """The waits of one account."""

    def __init__(self, connects: tuple[int, float], random: Random) -> None:
        self._budgets = (connects, OWN_BUDGET)
        self._random = random
        self._attempts: deque[float] = deque(maxlen=max(count for count, _ in self._budgets))
        self._failures = 0
        self._live_since: float | None = None

    def attempted(self, now: Now) -> None:
        """A connection is being tried now."""
        self._attempts.append(now.monotonic)

    def live(self, now: Now) -> None:
        """Login and subscriptions were acknowledged."""
        self._live_since = now.monotonic

    def lost(self, now: Now) -> None:
        """The session is over."""
        if self._live_since is not None and now.monotonic - self._live_since >= STABLE:
            self._failures = 0
        self._live_since = None

    def failed(self, now: Now, floor: float = 0.0) -> float:
        """Seconds to wait before the next attempt, after a refused or lost connection."""
        self.lost(now)
        widest = min(LONGEST, FIRST * 2 ** min(self._failures, _LAST_DOUBLING))
        self._failures += 1
        return max(floor + self._random.uniform(0.0, widest), self.room(now))

    def room(self, now: Now) -> float:
        """Seconds until the budget has room for another attempt."""
        return max(self._room(now, count, period) for count, period in self._budgets)

    def _room(self, now: Now, count: int, period: float) -> float:
        if len(self._attempts) < count:
            return 0.0
        return max(0.0, self._attempts[-count] + period - now.monotonic)
