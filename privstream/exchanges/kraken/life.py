"""What both Kraken protocols watch: that the socket lives, and that no frame is lost."""

from collections.abc import Iterator

from privstream.model.rest import Now
from privstream.model.session import Reconnect

SILENCE = 10.0
"""Seconds. Heartbeats come about once a second; a socket may acknowledge a subscription
and then never tell anything again (sheet section 2)."""


class Pulse:
    """Notices a socket on which nothing moves, and one that acknowledges nothing."""

    def __init__(self, login: float) -> None:
        self._login = login
        self._opened: float | None = None
        self._last: float | None = None
        self.ready = False

    def opened(self, now: Now) -> None:
        self._opened = self._last = now.monotonic

    def felt(self, now: Now) -> None:
        """A frame came that the exchange sent of itself; an answer to us would prove little."""
        self._last = now.monotonic

    def check(self, now: Now) -> Iterator[Reconnect]:
        if self._opened is None or self._last is None:  # a replay has no clock
            return
        if not self.ready and now.monotonic - self._opened > self._login:
            yield Reconnect("silence", f"no acknowledgement within {self._login:.0f} s")
        elif now.monotonic - self._last > SILENCE:
            yield Reconnect("silence", f"no heartbeat for {SILENCE:.0f} s")


class Sequence:
    """Follows the sequence numbers of one subscription on one connection."""

    def __init__(self) -> None:
        self._last: int | None = None

    def repeated(self, number: int | None) -> bool:
        """The frame was read already: the same number, or one that is behind."""
        return number is not None and self._last is not None and number <= self._last

    def follow(self, number: int | None) -> Iterator[Reconnect]:
        """Take a number; a jump means that frames were lost.

        A frame takes its number also where the number cannot be read, or what is in the frame.
        """
        last = self._last
        if number is None:
            self._last = None if last is None else last + 1
            return
        self._last = number
        if last is not None and number > last + 1:
            yield Reconnect("sequence", f"frames {last + 1} to {number - 1} were lost")


def number_of(value: object) -> int | None:
    """A frame's sequence number; `None` where it has none that can be read."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
