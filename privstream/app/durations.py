"""Durations and moments as people type them: `30s`, `1h30m`, `2w`; `today`, `2026-11-30`, `1795996800`.

The one rule: a day and a time without an offset are those of the person's own clock.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo

from privstream.model.errors import UsageError

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)", re.ASCII)
_BARE = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_EPOCH_TIME = re.compile(r"(\d{10,20})(?:\.(\d{1,9}))?", re.ASCII)
_DATE = re.compile(
    r"(\d{4}-\d\d-\d\d)"
    r"(?:[Tt ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?\s?([Zz]|[+-]\d\d:?\d\d)?)?",
    re.ASCII,
)
_SHORT_DATE = re.compile(r"(20\d\d)([01]\d)([0-3]\d)", re.ASCII)
_DAYS_AGO = {"today": 0, "yesterday": 1}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 10**9
_NANOS_BY_DIGITS = ((11, _SECOND), (14, 10**6), (17, 10**3))
"""What one step of an epoch time is, by its most digits: seconds, milliseconds, microseconds."""

LONGEST = 10 * 365.25 * 86400
"""Seconds: no exchange keeps more of a history, and no clock counts much further."""
SHOWN = 40
"""Characters of a wrong one that are quoted."""
HINT = "write it like 2h, today, 2026-11-20 or 2026-11-20T00:00:00Z"


def seconds(text: str) -> float:
    """The duration in seconds. Raises UsageError for anything else than a positive one."""
    total = float(text) if _BARE.fullmatch(text) else _sum_of_parts(text)
    if not total:
        raise UsageError(f"{_quoted(text)} is no duration", "write it like 30s, 5m, 2h or 1h30m")
    if total > LONGEST:
        raise UsageError(f"{_quoted(text)} is too long", "10 years (3652d) are the most")
    return total


def _quoted(text: str) -> str:
    return repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}…")


def _sum_of_parts(text: str) -> float:
    if _PART.sub("", text):
        return 0.0
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def moment(text: str, now_ns: int, zone: tzinfo | None = None, *, option: str = "--since") -> int:
    """Nanoseconds since the epoch of `2h` (ago), `today`, a date, a time or an epoch time.

    Days and times without an offset are of `zone`, else of this computer's. Raises UsageError.
    """
    found = _moment(text, now_ns, zone)
    if found is None:
        raise UsageError(f"{_quoted(text)} is no moment", HINT)
    if found < 0:
        raise UsageError(f"{text} was before any exchange", "write it like 2026-11-20T00:00:00Z")
    if found > now_ns:
        raise UsageError(f"{text} is still to come", f"{option} takes what has happened")
    return found


def _moment(text: str, now_ns: int, zone: tzinfo | None) -> int | None:
    if text in _DAYS_AGO:
        return _nanos(_midnight(now_ns, zone, _DAYS_AGO[text]))
    if match := _EPOCH_TIME.fullmatch(text):
        return _of_epoch_time(match[1], match[2] or "")
    if match := _DATE.fullmatch(text):
        return _of_date(match, zone)
    if match := _SHORT_DATE.fullmatch(text):  # as seconds that would be half a year and more
        return _moment("-".join(match.groups()), now_ns, zone)
    if _BARE.fullmatch(text) or not _PART.sub("", text):
        return now_ns - round(seconds(text) * _SECOND)
    return None


def _midnight(now_ns: int, zone: tzinfo | None, days_ago: int) -> datetime:
    now = datetime.fromtimestamp(now_ns // _SECOND, UTC).astimezone(zone)
    day = now.replace(hour=0, minute=0, second=0, tzinfo=None) - timedelta(days=days_ago)
    return _in_zone(day, zone)


def _in_zone(naive: datetime, zone: tzinfo | None) -> datetime:
    """Of that day, whatever is saved of its light: today's offset may not be that day's."""
    return naive.astimezone() if zone is None else naive.replace(tzinfo=zone)


def _of_epoch_time(digits: str, decimals: str) -> int:
    for most, step in _NANOS_BY_DIGITS:
        if len(digits) <= most:
            return int(digits) * step + int(f"{decimals:0<9}") * step // _SECOND
    return int(digits)


def _of_date(match: re.Match[str], zone: tzinfo | None) -> int | None:
    day, minutes, whole, decimals, offset = match.groups()
    text = f"{day}T{minutes or '00:00'}:{whole or '00'}"
    try:
        naive = datetime.fromisoformat(text)
        if offset is None:
            moment = _in_zone(naive, zone)
        else:
            moment = datetime.fromisoformat(f"{text}{offset.upper()}")
        return _nanos(moment) + int(f"{decimals or '0':0<9}")
    except (ValueError, OverflowError):  # a day that no calendar has
        return None


def _nanos(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000
