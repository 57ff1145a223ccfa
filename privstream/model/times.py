"""Moments as text: UTC with six decimals, `2026-11-20T11:32:00.123456Z`. Never through a float."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from privstream.model.exact import Unreadable, amount, kind_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = _EPOCH.replace(tzinfo=None)
_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:[Zz]|\+00:?00)", re.ASCII
)
_FULL_LENGTH = len("2026-11-20T11:32:00.123456Z")
_SECONDS_DIGITS = 6
_MICROSECOND = timedelta(microseconds=1)


def from_rfc3339(text: object) -> str | None:
    """The same moment in our spelling; `None` for null and "". Raises ValueError otherwise."""
    if text is None or text == "":
        return None
    if not isinstance(text, str):
        raise Unreadable(f"it is {kind_of(text)}, not a time", text)
    if _is_ours(text):
        datetime.fromisoformat(text)  # far quicker than the expression; raises ValueError
        return text
    if not (match := _RFC3339.fullmatch(text)):
        raise Unreadable("it is no RFC 3339 time in UTC", text)
    full = f"{match[1]}T{match[2]}.{(match[3] or '')[:6]:0<6}Z"
    datetime.fromisoformat(full)  # a day that no calendar has is none
    return full


def _is_ours(text: str) -> bool:
    """It has the form of our spelling, if what stands between are digits."""
    return len(text) == _FULL_LENGTH and text[4:20:3] + text[-1] == "--T::.Z"


def from_epoch_seconds(value: object) -> str | None:
    """From seconds with decimals, as a number or text; zero, null and "" mean there is none."""
    text = amount(value)
    if text is None or text == "0":
        return None
    seconds, _, decimals = text.partition(".")
    return f"{_second(int(seconds))}.{decimals[:_SECONDS_DIGITS]:0<6}Z"


def from_millis(value: object) -> str | None:
    """From milliseconds, as a number or text; zero, null and "" mean there is none."""
    text = amount(value)
    if text is None or text == "0":
        return None
    seconds, millis = divmod(int(text.partition(".")[0]), 1000)
    return f"{_second(seconds)}.{millis:03d}000Z"


def from_nanos(nanos: int) -> str:
    """From nanoseconds since the epoch."""
    return from_micros(nanos // 1000)


def from_micros(micros: int) -> str:
    """From microseconds since the epoch. Raises ValueError beyond the year 9999."""
    seconds, micros = divmod(micros, 1_000_000)
    return f"{_second(seconds)}.{micros:06d}Z"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    """A second as times begin, `2026-11-20T11:32:00`: many events are of the same."""
    try:
        return (_NAIVE_EPOCH + timedelta(seconds=seconds)).isoformat()  # far quicker than strftime
    except OverflowError:
        raise Unreadable("it is no time of this calendar") from None


def to_nanos(text: str) -> int:
    """Nanoseconds since the epoch of a time in our spelling. Raises ValueError for another."""
    if not _is_ours(text):
        raise ValueError(f"it is no time in our spelling: {text!r}")
    moment = datetime.fromisoformat(text)  # twenty times quicker than strptime
    return (moment - _EPOCH) // _MICROSECOND * 1000
