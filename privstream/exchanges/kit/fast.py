"""What fast readers share. Each stands beside its exchange's general reader, in a file `fast`.

The one rule: a fast reader reads the frames that come most to the letter as the general reader
does, or raises before anything has changed, and the general reader reads the frame.

So it takes only what is as documented: typed structs without unknown keys (their values would
not even be checked for being UTF-8), numbers as their text, no null and no empty text.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any, NoReturn, TypeAlias

import msgspec

from privstream.exchanges.kit import words
from privstream.model import exact
from privstream.model.times import from_micros, from_rfc3339

Text = Annotated[str, msgspec.Meta(min_length=1)]
"""A text that says something; JSON numbers are none."""
ABSENT = ""
"""Stands for a text that is not in the frame, since none in it is empty."""
Number: TypeAlias = Any
"""A JSON number: with a point or an exponent its text in bytes, which nothing else is, or an
integer. Not looked at yet, it may be anything."""
NO_NUMBER = b""
"""Stands for a number that is not in the frame."""
Count = Annotated[int, msgspec.Meta(ge=0)]
"""A number of a frame."""
FIRST_MILLIS, END_OF_MILLIS = 1_230_768_000_000, 4_102_444_800_000
Millis = Annotated[int, msgspec.Meta(ge=FIRST_MILLIS, lt=END_OF_MILLIS)]
"""Milliseconds of a time since 2009, when there was no exchange yet, and before 2100."""
Ignored: TypeAlias = Any
"""It may be anything that is JSON."""


class LeftToGeneral(ValueError):
    """The frame is none that a fast reader knows, or holds something odd."""


LEFT_TO_GENERAL = (ValueError, msgspec.DecodeError, RecursionError)
"""What a fast reader raises: what it finds odd, and what decoders and readers of values do."""


def leave(why: str) -> NoReturn:
    """Leave the frame to the general reader."""
    raise LeftToGeneral(why)


def may_be_blank(frame: bytes) -> bool:
    """Some text of the frame may be nothing but blanks: it begins with one, or with an escape."""
    return (
        # One byte is found ten times quicker than two, by its number yet, and mostly there is none.
        (BLANK in frame and b'" ' in frame)
        or (ESCAPE in frame and b'"\\' in frame)
        or not frame.isascii()
    )


BLANK, ESCAPE, MINUS, POWER, LARGE_POWER = b" \\-eE"
"""Bytes by their numbers."""


@lru_cache(maxsize=1024)
def word(text: str) -> str:
    """A word as events have it."""
    return words.word(text) or leave("there is no word in it")


def decoder(shape: Any) -> Callable[[bytes], Any]:
    """Decodes a frame of this shape."""
    return msgspec.json.Decoder(shape, float_hook=str.encode).decode


# --- times -----------------------------------------------------------------------------

_FULL_LENGTH = len("2026-11-20T11:32:00.123456Z")
_EPOCH = re.compile(r"([0-9]{10})\.([0-9]{1,6})")


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    """The text of a second, up to its decimals: many facts happen within one."""
    return from_micros(seconds * 1_000_000)[:-7]


def from_millis(millis: int) -> str:
    """A time in milliseconds."""
    seconds, rest = divmod(millis, 1000)
    return f"{_second(seconds)}{rest:03}000Z"


@lru_cache(maxsize=64)
def _is_second(text: str) -> bool:
    """It is a second from 2009 to 2099 as times begin, up to the point, `2026-11-20T11:32:00.`."""
    return recent(from_rfc3339(f"{text}000000Z")) is not None


def from_text(text: str) -> str:
    """A time that is a text in UTC; most have our spelling, and many are of the same second."""
    micros = text[20:26]
    if len(text) == _FULL_LENGTH and text[26] == "Z" and micros.isdigit() and micros.isascii():
        return text if _is_second(text[:20]) else leave("an odd time")
    return recent(from_rfc3339(text)) or leave("no time")


def from_epoch(text: str) -> str:
    """A time in seconds with decimals, as text."""
    match = _EPOCH.fullmatch(text)
    if match is None:
        leave("an odd time")
    return recent(f"{_second(int(match[1]))}{match[2]:0<6}Z") or ""


def recent(time: str | None) -> str | None:
    """The time, where it is from 2009 to 2099."""
    return time if time is None or "2009" <= time < "2100" else leave("no time of these years")


# --- amounts ---------------------------------------------------------------------------


def amounts(*numbers: Number) -> list[str]:
    """Amounts as they stand in the frame, "" for what is not in it; one look at all is the quickest."""
    joined = _joined(numbers)
    found = joined.decode().split(" ")
    if POWER in joined or LARGE_POWER in joined:
        return list(map(_written_out, found))
    return found


def unsigned(*numbers: Number) -> list[str]:
    """The same of amounts that are not below zero; a zero is "0"."""
    joined = _joined(numbers)
    if MINUS in joined or POWER in joined or LARGE_POWER in joined:
        found = amounts(*numbers)
        if "-" in "".join(found):
            leave("an amount below zero")
    else:
        found = joined.decode().split(" ")
    return [one if one >= "1" else one and plain(one) for one in found]


def _joined(numbers: tuple[Number, ...]) -> bytes:
    try:
        return b" ".join(numbers)
    except TypeError:
        return b" ".join(map(_spelled, numbers))


def _written_out(amount: str) -> str:
    return exact.amount(exact.Number(amount)) or "" if amount else ""


UNSIGNED = r"([0-9]+(?:\.[0-9]+)?)"
AMOUNT = rf"(-?{UNSIGNED[1:]}"
IF_ANY = "?"
"""Behind one of the two: it may be absent."""


def pattern(*texts: str) -> Callable[[str], "re.Match[str] | None"]:
    """Matches amounts that are texts, joined by blanks: one look at all of them is the quickest."""
    return re.compile(" ".join(texts)).fullmatch


def texts(match: "re.Match[str] | None") -> tuple[Any, ...]:
    """The amounts that were matched; where there is none, one of them is odd."""
    if match is None:
        leave("an amount is odd")
    return match.groups()


def _spelled(number: Number) -> bytes:
    if type(number) is int:
        return str(number).encode()
    if type(number) is not bytes:
        leave("no number")
    return number


def plain(amount: str) -> str:
    """The amount; a zero is "0"."""
    return amount if amount >= "1" or amount.strip("-0.") else "0"


def nonzero(amount: str) -> str | None:
    """The amount; a zero means that there is none."""
    return amount if amount >= "1" or amount.strip("-0.") else None
