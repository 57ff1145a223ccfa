"""Keeps REST calls within an exchange's request budget: a bucket that refills steadily.

Pure: the time is a parameter.
"""

from typing import Protocol

from privstream.model.rest import Now


class Budget(Protocol):
    """What a request is paid from."""

    def take(self, cost: float, now: Now, spare: float = 0.0) -> float:
        """Spend `cost` and return 0; or spend nothing and return the seconds to wait."""

    def close(self, seconds: float, now: Now) -> None:
        """The exchange said "too many": nothing for so long, and no burst afterwards."""


class Pacing:
    """The request budget of one key: `budget` is what may be spent at once, and per second."""

    def __init__(self, budget: tuple[float, float]) -> None:
        self._capacity, self._rate = budget
        self._level = self._capacity
        self._counted_at: float | None = None
        self._closed_until = 0.0

    @property
    def state(self) -> tuple[float, float, float]:
        """What is left, when that was counted, and until when nothing goes out."""
        return self._level, self._counted_at or 0.0, self._closed_until

    def resume(self, level: float, counted_at: float, closed_until: float) -> None:
        """Go on from such a state."""
        self._level = min(level, self._capacity)
        self._counted_at, self._closed_until = counted_at, closed_until

    def take(self, cost: float, now: Now, spare: float = 0.0) -> float:
        """Spend `cost` and return 0; or spend nothing and return the seconds to wait.

        `spare` is the share of the whole that is to be left for others.
        """
        self._refill(now)
        # A call dearer than the whole bucket goes out when the bucket is full.
        missing = min(cost + spare * self._capacity, self._capacity) - self._level
        wait = max(missing / self._rate, self._closed_until - now.monotonic)
        if wait > 0:
            return wait
        self._level -= cost
        return 0.0

    def close(self, seconds: float, now: Now) -> None:
        """The exchange said "too many": nothing for so long, and no burst afterwards."""
        self._refill(now)
        self._level = min(self._level, 0.0)
        self._closed_until = max(self._closed_until, now.monotonic + seconds)

    def _refill(self, now: Now) -> None:
        if self._counted_at is not None:
            grown = (now.monotonic - self._counted_at) * self._rate
            self._level = min(self._capacity, self._level + grown)
        self._counted_at = now.monotonic
