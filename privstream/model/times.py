"""Moments as text: UTC with six decimals, `2026-11-20T11:32:00.123456Z`. Never through a float."""

import re
from datetime import UTC, datetime, timedelta

from privstream.model.exact import Unreadable, amount, kind_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = _EPOCH.replace(tzinfo=None)
_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:[Zz]|\+00:?00)", re.ASCII
)
_FULL_LENGTH = len("2026-11-20T11:32:00.123456Z")
_SECONDS_DIGITS = 6


def from_rfc3339(text: object) -> str | None:
    """The same moment in our spelling; `None` for null and "". Raises ValueError otherwise."""
    if text is None or text == "":
        return None
    if not isinstance(text, str):
        raise Unreadable(f"it is {kind_of(text)}, not a time", text)
    if len(text) == _FULL_LENGTH and text[4:20:3] + text[-1] == "--T::.Z":
        datetime.fromisoformat(text)  # far quicker than the expression; raises ValueError
        return text
    if not (match := _RFC3339.fullmatch(text)):
        raise Unreadable("it is no RFC 3339 time in UTC", text)
    full = f"{match[1]}T{match[2]}.{(match[3] or '')[:6]:0<6}Z"
    datetime.fromisoformat(full)  # a day that no calendar has is none
    return full


def from_epoch_seconds(value: object) -> str | None:
    """From seconds with decimals, as a number or text; zero, null and "" mean there is none."""
    text = amount(value)
    if text is None or text == "0":
        return None
    seconds, _, decimals = text.partition(".")
    return from_micros(int(seconds) * 1_000_000 + int(f"{decimals[:_SECONDS_DIGITS]:0<6}"))


def from_millis(value: object) -> str | None:
    """From milliseconds, as a number or text; zero, null and "" mean there is none."""
    text = amount(value)
    if text is None or text == "0":
        return None
    return from_micros(int(text.partition(".")[0]) * 1000)


def from_nanos(nanos: int) -> str:
    """From nanoseconds since the epoch."""
    return from_micros(nanos // 1000)


def from_micros(micros: int) -> str:
    """From microseconds since the epoch. Raises ValueError beyond the year 9999."""
    try:
        moment = _NAIVE_EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        raise Unreadable("it is no time of this calendar") from None
    return f"{moment.isoformat(timespec='microseconds')}Z"  # far quicker than strftime


def to_nanos(text: str) -> int:
    """Nanoseconds since the epoch of a time in our spelling."""
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000
