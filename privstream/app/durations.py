"""Durations as people type them: `30s`, `5m`, `2h`, `1d`, `1h30m`, or bare seconds."""

import re

from privstream.model.errors import UsageError
from privstream.model.times import from_rfc3339, to_nanos

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", re.ASCII)
_BARE = re.compile(r"\d+(?:\.\d+)?", re.ASCII)


LONGEST = 10 * 365.25 * 86400
"""Seconds: no exchange keeps more of a history, and no clock counts much further."""
SHOWN = 40
"""Characters of a wrong one that are quoted."""


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


def moment(text: str, now_ns: int) -> int:
    """Nanoseconds since the epoch of `2h` (ago) or `2026-11-20T00:00:00Z`. Raises UsageError."""
    if "-" not in text:
        return now_ns - round(seconds(text) * 1e9)
    try:
        stamp = from_rfc3339(text)
        found = 0 if stamp is None else to_nanos(stamp)
    except ValueError:
        hint = "write it like 2h, or 2026-11-20T00:00:00Z (UTC)"
        raise UsageError(f"{_quoted(text)} is no moment", hint) from None
    if found < 0:
        raise UsageError(f"{text} was before any exchange", "write it like 2026-11-20T00:00:00Z")
    if found > now_ns:
        raise UsageError(f"{text} is still to come", "--since reads back what has happened")
    return found
