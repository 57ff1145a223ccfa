"""What the Bitfinex session watches: that channel 0 lives, and that no frame is lost.

The one rule: numbers are read by their position after the payload, never from the end;
a pong proves the socket, only frames of the channel prove the channel.
Source: protocols/bitfinex.md sections 2 and 4 (checked 2026-11-20).
"""

from collections.abc import Iterator
from typing import Any

from privstream.model.rest import Now
from privstream.model.session import Reconnect, Send
from privstream.model.times import from_millis

HEARTBEAT = 15.0  # seconds of silence after which the channel says `hb` (sheet section 2)
SILENCE = 2 * HEARTBEAT
PATIENCE = 10.0  # seconds more, after our ping
MAINTENANCE = 120.0  # the documents say at most about so long (sheet section 2)
PING = '{"event":"ping","cid":1}'

_EARLIEST = 10**12  # milliseconds: a server time, and never a sequence number


class Pulse:
    """Notices a channel on which nothing moves, and a login that is not answered."""

    def __init__(self, login: float) -> None:
        self._login = login
        self._opened: float | None = None
        self._last = 0.0
        self._pinged = False
        self._paused_until = float("-inf")
        self.ready = False

    @property
    def is_live(self) -> bool:
        """A socket is behind it; a replay of bare frames has none."""
        return self._opened is not None

    def opened(self, now: Now) -> None:
        self._opened = self._last = now.monotonic

    def felt(self, now: Now) -> None:
        """A frame of the channel came."""
        self._last = now.monotonic
        self._pinged = False

    def pause(self, now: Now) -> bool:
        """Maintenance begins, and silence is no fault for a while; False where it had begun."""
        news = now.monotonic >= self._paused_until
        self._paused_until = now.monotonic + MAINTENANCE
        return news

    def check(self, now: Now) -> Iterator[Send | Reconnect]:
        if self._opened is None or now.monotonic < self._paused_until:
            return
        cause = "silence" if self._last > self._paused_until else "maintenance"
        silent = now.monotonic - self._last
        if not self.ready and now.monotonic - self._opened > self._login:
            yield Reconnect(cause, f"no answer to the login within {self._login:.0f} s")
        elif silent > SILENCE + PATIENCE:
            yield Reconnect(cause, f"no heartbeat for {SILENCE + PATIENCE:.0f} s")
        elif silent > SILENCE and not self._pinged:
            self._pinged = True
            yield Send(PING)


class Sequence:
    """Follows the numbers of one connection's array frames; the first one is the base."""

    def __init__(self) -> None:
        self._last: int | None = None

    def is_past(self, number: int | None) -> bool:
        """The frame was read already, or comes after its successors: it tells old states."""
        return number is not None and self._last is not None and number <= self._last

    def follow(self, number: int | None) -> Iterator[Reconnect]:
        """Take a number; anything but the next one means that frames were lost."""
        last = self._last
        if number is None or last == number:
            return
        self._last = number
        if last is not None and number != last + 1:
            yield Reconnect("sequence", f"frame {number} came after frame {last}")


def numbers(message: list[Any]) -> tuple[int | None, str | None]:
    """The sequence number and the server's time of an array frame, where it has them."""
    if message[0] != 0 or message[1] == "hb":  # no payload, or no word before it
        return _number(message, 2), _server_time(message, 3)
    # A second number, the account's, stands between them, but not where a request is answered.
    return _number(message, 3), _server_time(message, 4 if _answers_request(message) else 5)


def _answers_request(message: list[Any]) -> bool:
    payload = message[2]
    if message[1] != "n" or not isinstance(payload, list):
        return False
    return any(str(kind).endswith("-req") for kind in payload[1:2])


def _number(message: list[Any], index: int) -> int | None:
    value = message[index] if index < len(message) else None
    return value if type(value) is int and 0 <= value < _EARLIEST else None


def _server_time(message: list[Any], index: int) -> str | None:
    value = message[index] if index < len(message) else None
    return from_millis(value) if type(value) is int and value >= _EARLIEST else None
