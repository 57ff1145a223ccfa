"""When to ping, when a socket is dead, and when balances are to be read.

The one rule: time comes in as `now`; what was never opened (a replay) never dies.
Source: protocols/zerocap.md section 3, point 4 (checked 2026-11-20).
"""

from collections.abc import Iterator

from privstream.model.rest import Now
from privstream.model.session import Reconnect, Send

LOGIN = 10.0  # seconds until every subscription must be acknowledged
PING = 10.0  # the server hangs up after 30 s without a message of ours
SILENCE = 20.0  # it sends a pong about every 5 s, asked or not
PING_TEXT = '{"type":"message","message":"ping"}'

SETTLE = 2.0
"""Seconds after the last order event in which balances are read, so that a burst costs one."""
SETTLE_LIMIT = 5.0
"""Seconds after the first one, however many follow."""
REFRESH = 60.0
"""Seconds: deposits and transfers make no order event."""


class Pulse:
    """Keeps our side alive, and notices when the other one is not."""

    def __init__(self) -> None:
        self._opened: float | None = None
        self._heard = 0.0
        self._pinged = 0.0

    def opened(self, now: Now) -> None:
        self._opened = self._heard = self._pinged = now.monotonic

    def felt(self, now: Now) -> None:
        """A frame came. The pongs are the server's own, so any frame is life."""
        self._heard = now.monotonic

    def check(self, now: Now, awaited: str | None) -> Iterator[Send | Reconnect]:
        """`awaited` names what the login still lacks."""
        if self._opened is None:
            return
        if awaited is not None and now.monotonic - self._opened > LOGIN:
            yield Reconnect("silence", f"no {awaited} within {LOGIN:.0f} s")
        elif now.monotonic - self._heard > SILENCE:
            yield Reconnect("silence", f"not a word for {SILENCE:.0f} s")
        elif now.monotonic - self._pinged >= PING:
            self._pinged = now.monotonic
            yield Send(PING_TEXT)


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
