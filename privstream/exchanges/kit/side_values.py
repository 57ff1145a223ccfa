"""Reads what an element says besides its identity, so that one odd value costs nothing else.

The one rule: a value that cannot be read is `None`, and is named in a notice that is told
once per kind and key. It says nothing: what was known of an order by then stays. Pure.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias, TypeVar

from privstream.exchanges.base import MALFORMED
from privstream.exchanges.kit.words import word
from privstream.model.exact import Number, Unreadable, amount, encode
from privstream.model.reports import NoticeReport, told_instead

T = TypeVar("T")
Made = TypeVar("Made")
SHOWN = 60  # characters of a value that a notice repeats; all of the element goes with it


class SideValues:
    """The side values of one element; `kind` is what a user calls it: "order", "position"."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._unread: dict[str, str] = {}

    def read(self, key: str, reader: Callable[[Any], T | None], value: object) -> T | None:
        """The value as the reader has it, or `None` where it raises what MALFORMED lists."""
        try:
            return reader(value)
        except MALFORMED:
            self._unread[key] = encode(value).decode()[:SHOWN]
            return None

    @property
    def unread(self) -> frozenset[str]:
        """What could not be read so far."""
        return frozenset(self._unread)

    def notices(
        self, element: Any, sequence: int | None = None, time: str | None = None
    ) -> Iterator[NoticeReport]:
        """A notice of each value that could not be read."""
        instead = told_instead(self._kind)
        for key, shown in self._unread.items():
            yield NoticeReport(
                level="warning",
                code="unrecognised",
                text=f"cannot read {key} of this {self._kind}, {instead}: {shown}",
                once=f"{self._kind}:{key}",
                time=time,
                sequence=sequence,
                element=element,
            )


class KeyedValues(SideValues):
    """The side values of an object, read by their keys."""

    def __init__(self, kind: str, element: Mapping[str, Any]) -> None:
        super().__init__(kind)
        self._element = element

    def of(self, key: str, reader: Callable[[Any], T | None]) -> T | None:
        """The value of a key as the reader has it; unknown where there is none."""
        value = self._element.get(key)
        return None if value is None else self.read(key, reader, value)

    def expected(self, key: str, reader: Callable[[Any], T | None]) -> T | None:
        """The same of a key that is always there: where it is not, that is said too."""
        return self.read(key, needed(reader), self._element.get(key))


# --- readers ---------------------------------------------------------------------------


def needed(reader: Callable[[Any], T | None]) -> Callable[[Any], T]:
    """The same reader, for a value that must be there."""

    def read(value: Any) -> T:
        found = reader(value)
        if found is None:
            raise Unreadable("it is missing")
        return found

    return read


def not_negative(value: object) -> str | None:
    """An amount that has no sign of its own. Raises Unreadable below zero."""
    text = amount(value)
    if text is not None and text[0] == "-":
        raise Unreadable("it is below zero")
    return text


def positive(value: object) -> str | None:
    """An amount that has no sign of its own, where a zero only means that there is none."""
    text = not_negative(value)
    return None if text == "0" else text


def text_of(value: object) -> str | None:
    """A text; "" means that there is none. Raises Unreadable for anything else."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or isinstance(value, Number):
        raise Unreadable("it is no text")
    if value.isspace():
        raise Unreadable("it is blank")
    return value


def word_of(value: object) -> str | None:
    """A word of the exchange's as events have it. Raises Unreadable where a text has none."""
    text = text_of(value)
    found = None if text is None else word(text)
    if found == "":
        raise Unreadable("there is no word in it")
    return found


# --- elements that are nearly always as they should be -------------------------------------

Read: TypeAlias = Callable[[str, Callable[[Any], Any], Any], Any]
"""`read(key, reader, value)`: as `SideValues.read`, or as it is."""


def as_it_is(_key: str, reader: Callable[[Any], T | None], value: Any) -> T | None:
    """The value as the reader has it; raises what the reader does."""
    return reader(value)


def tolerant(
    kind: str, make: Callable[[Read], Made], element: Any, sequence: int | None = None
) -> Iterator[Made | NoticeReport]:
    """What `make` reads of an element, and notices of what it could not read.

    It is read strictly first, which costs nothing, and again only where something is odd.
    """
    try:
        made = make(as_it_is)
    except MALFORMED:
        values = SideValues(kind)
        yield make(values.read)
        yield from values.notices(element, sequence)
    else:
        yield made
