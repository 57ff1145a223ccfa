"""Moments as a person reads them: by his own clock, and with their date where that is not today's."""

from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo

from privstream.outputs.safe_text import safe_text

_FULL_TIME = len("2026-11-20T11:32:00.123456Z")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_TEXT_CELLS = 32
_MOST = len("11:32:00.123")


def _now() -> datetime:
    return datetime.now(UTC)


class Calendar:
    """`zone` is the person's; without, this computer's. `now` says what today is."""

    def __init__(self, zone: tzinfo | None = None, *, now: Callable[[], datetime] = _now) -> None:
        self._zone = zone
        self._now = now

    def today(self) -> date:
        """The day that it is now."""
        return self._now().astimezone(self._zone).date()

    def day(self, text: str) -> date | None:
        """The day of a moment in our spelling; `None` for any other text."""
        moment = self._local(text)
        return None if moment is None else moment.date()

    def shown(self, text: str, today: date, form: str = "%H:%M:%S") -> str:
        """The time of day, with the date where it is another one; decimals are those of today."""
        moment = self._local(text)
        if moment is None:
            return safe_text(text, _TEXT_CELLS)
        if moment.date() == today:
            return moment.strftime(form)[:_MOST]
        date = "%m-%d" if moment.year == today.year else "%Y-%m-%d"
        return moment.strftime(f"{date} {form.removesuffix('.%f')}")

    def time_of_day(self, text: str) -> str:
        """The time of day alone."""
        moment = self._local(text)
        return safe_text(text, _TEXT_CELLS) if moment is None else f"{moment:%H:%M:%S}"

    def _local(self, text: str) -> datetime | None:
        if len(text) != _FULL_TIME:
            return None
        try:
            return datetime.fromisoformat(text).astimezone(self._zone)
        except (ValueError, OverflowError):
            return None


def age(since: str, received: str) -> str:
    """How long ago something was as we heard of it, in at most eight cells: `12m ago`."""
    try:
        passed = datetime.fromisoformat(received) - datetime.fromisoformat(since)
    except (ValueError, TypeError):
        return "-"
    seconds = int(passed.total_seconds())
    if seconds < 1:
        return "now"
    for limit, step, unit in ((_MINUTE, 1, "s"), (_HOUR, _MINUTE, "m"), (_DAY, _HOUR, "h")):
        if seconds < limit:
            return f"{seconds // step}{unit} ago"
    return f"{seconds // _DAY}d ago"
