"""Follows the numbers that an exchange gives its frames: a number that is missing is a loss."""

from collections.abc import Iterator
from typing import Any, NoReturn

from privstream.exchanges.kit.side_values import SideValues
from privstream.model.exact import Unreadable
from privstream.model.reports import NoticeReport
from privstream.model.session import Reconnect


class Sequence:
    """The numbers of one connection, or of one subscription on it; the first one is the base."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._unnumbered = 0
        """Frames since then whose number could not be read: each has taken one."""
        self.awaited: int | None = None
        """The only number before which nothing is lost, where that is certain."""

    def is_past(self, number: int | None) -> bool:
        """The frame was read already, or comes after its successors: it tells old states."""
        return number is not None and self._last is not None and number <= self._last

    def reached(self, number: int) -> None:
        """Take the next number."""
        self._last, self._unnumbered, self.awaited = number, 0, number + 1

    def follow(self, number: int | None) -> Iterator[Reconnect]:
        """Take a number; anything but the next one means that frames were lost."""
        if number is None:
            self._unnumbered += 1
            self.awaited = None
            return
        last, unnumbered = self._last, self._unnumbered
        self.reached(number)
        if last is None or 0 <= number - last <= 1 + unnumbered:
            return
        lost = f"frames {last + 1} to {number - 1} were lost"
        yield Reconnect("sequence", lost if number > last else f"frame {number} came after {last}")


def number_of(value: object) -> int | None:
    """A frame's number; `None` where it has none that can be read: none is below zero."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return None


def unread(value: object, frame: Any) -> Iterator[NoticeReport]:
    """A notice of what stands where a frame's number should, and is none; nothing where none is."""
    if value is not None:
        values = SideValues("frame")
        values.read("sequence", _refuse, value)
        yield from values.notices(frame)


def _refuse(value: object) -> NoReturn:
    raise Unreadable("no number of a frame", value)
