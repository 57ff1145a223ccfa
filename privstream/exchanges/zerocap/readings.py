"""When balances are to be read, since the stream has none.

The one rule: soon after orders moved, since they move balances, and once in a while.
"""

from privstream.model.rest import Now

SETTLE = 2.0
"""Seconds after the last order event in which balances are read, so that a burst costs one."""
SETTLE_LIMIT = 5.0
"""Seconds after the first one, however many follow."""
REFRESH = 60.0
"""Seconds: deposits and transfers make no order event."""


class Readings:
    """When to read the balances: soon after orders moved, and once in a while."""

    def __init__(self) -> None:
        self._read: float | None = None
        self._first: float | None = None
        self._last = 0.0

    def started(self, now: Now) -> None:
        """From now on; those of the start are read by others."""
        self._read = now.monotonic

    def stirred(self, now: Now) -> None:
        """An order or a fill was told."""
        self._last = now.monotonic
        if self._first is None:
            self._first = now.monotonic

    def is_due(self, now: Now) -> bool:
        """Whether to read them now; then it is taken for done."""
        if self._read is None or not (self._has_settled(now) or self._is_old(now)):
            return False
        self._read, self._first = now.monotonic, None
        return True

    def _has_settled(self, now: Now) -> bool:
        if self._first is None:
            return False
        quiet, waited = now.monotonic - self._last, now.monotonic - self._first
        return quiet >= SETTLE or waited >= SETTLE_LIMIT

    def _is_old(self, now: Now) -> bool:
        return self._read is not None and now.monotonic - self._read >= REFRESH
