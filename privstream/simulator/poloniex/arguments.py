"""The arguments of a call: what is known, within which bounds, and how the rest is refused."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from msgspec import Struct

from privstream.model.rest import Now
from privstream.simulator.poloniex.keys import is_count
from privstream.simulator.poloniex.words import millis

Fields: TypeAlias = Mapping[str, str]
WEEK_MS = 7 * 86_400_000
MOST_OPEN, USUAL_PAGE, LARGEST_PAGE = 2000, 100, 100
PAGE = {"from", "direction", "limit"}
SPAN = {"startTime", "endTime"}
INVALID, LIMIT_TOO_LARGE, LIMIT_TOO_SMALL, NO_ID, TOO_LONG = 601, 21344, 21345, 21346, 21355
UNKNOWN_ORDER = 21301


class Call(Struct, frozen=True):
    """A call, the arguments it knows, and how often it may be made in a second."""

    name: str
    answer: Callable[[Fields, Now], object]
    arguments: frozenset[str]
    rate: int


class Wrong(Exception):
    """The call is answered with this code and text."""

    def __init__(self, code: int, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.code, self.status = code, status


def invalid(fields: Fields, name: str) -> Wrong:
    return Wrong(INVALID, f"Invalid {name}: {fields[name]}")


def one_of(fields: Fields, name: str, known: set[str]) -> None:
    if name in fields and fields[name] not in known:
        raise invalid(fields, name)


def several(fields: Fields, name: str, known: Mapping[str, Any] | Sequence[str]) -> set[str]:
    """What a list with commas names; everything where nothing is named."""
    if name not in fields:
        return set(known)
    named = {part.strip() for part in fields[name].split(",")}
    if named - set(known):
        raise invalid(fields, name)
    return named


def count(fields: Fields, name: str) -> int | None:
    text = fields.get(name)
    if text is not None and not is_count(text):
        raise invalid(fields, name)
    return None if text is None else int(text)


def first_id(fields: Fields) -> int | None:
    if "from" in fields and not is_count(fields["from"]):
        raise Wrong(NO_ID, "Order Id must be of type Long")
    return count(fields, "from")


def page_limit(fields: Fields, largest: int) -> int:
    limit = count(fields, "limit")
    if limit is None:
        return USUAL_PAGE
    if limit > largest:
        text = f"Value of limit param is greater than max value of {largest}"
        raise Wrong(LIMIT_TOO_LARGE, text)
    if not limit:
        raise Wrong(LIMIT_TOO_SMALL, "Value of limit param value must be greater than 0")
    return limit


def span(fields: Fields, now: Now) -> tuple[int, int]:
    """From when until when, in milliseconds; one end alone asks for the week beside it."""
    start, end = count(fields, "startTime"), count(fields, "endTime")
    if start is None:
        end = millis(now.wall_ns) if end is None else end
        start = end - WEEK_MS
    elif end is None:
        end = start + WEEK_MS
    if start > end:
        raise invalid(fields, "startTime")
    if end - start > WEEK_MS:
        text = (
            "Interval between startTime and endTime in trade/order history has exceeded 7 day limit"
        )
        raise Wrong(TOO_LONG, text)
    return start, end
