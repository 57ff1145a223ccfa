"""How small things are shown: ages, times, bars, distances, sparks. Pure.

The one rule: where something is not known exactly, it does not look as if it were.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import ROUND_DOWN, Context, Decimal, InvalidOperation
from typing import TypeVar, cast

from privstream.model.events import AnyEvent
from privstream.outputs.layout import Span
from privstream.outputs.live.table import NOTHING, Cell
from privstream.outputs.privacy import MASK, masked
from privstream.outputs.safe_text import MAX_CELLS, safe_text

NAME_CELLS = 64
MINUTE, HOUR, DAY = 60, 3600, 86400
FULL_TIME = len("2026-11-20T11:32:00.123456Z")
SPARKS = "▁▂▃▄▅▆▇█"
STEPS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
"""Seconds of lag from which the next higher spark stands."""
SLOW, LATE = 1.0, 5.0
"""Seconds of lag that are remarkable, and alarming."""
EIGHTHS = " ▏▎▍▌▋▊▉"
HUNDRED = Decimal(100)
MOST = Decimal(100)
"""The greatest ratio that is told in figures."""
_DOWN = Context(prec=28, rounding=ROUND_DOWN)
"""What is nearly all does not become all."""
E = TypeVar("E", bound=AnyEvent)


@dataclass(frozen=True, kw_only=True)
class Look:
    """The moment at which somebody looks, and how."""

    now: datetime
    monotonic: float
    cells: int
    lines: int
    zone: tzinfo | None = None
    """`None`: the computer's own."""
    masks: bool = False
    """Amounts and ids are not to be seen."""
    many: bool = False
    """Accounts, so that each row names its own."""

    def seen(self, event: E) -> E:
        """The event as it may be seen."""
        return cast("E", masked(event)) if self.masks else event

    def at(self, text: str) -> datetime | None:
        """The moment that a time of an event means, if it is one."""
        return datetime.fromisoformat(text) if len(text) == FULL_TIME else None

    def seconds_since(self, text: str) -> float | None:
        """How long ago that was; a clock that is behind ours does not make it negative."""
        moment = self.at(text)
        return None if moment is None else max(0.0, (self.now - moment).total_seconds())


def age(seconds: float) -> str:
    """How long something has been so, in its two largest units at most."""
    if seconds < MINUTE:
        return f"{int(seconds)} s"
    if seconds < HOUR:
        return f"{int(seconds / MINUTE)} min"
    if seconds < DAY:
        return f"{int(seconds / HOUR)} h {int(seconds % HOUR / MINUTE):02d}"
    return f"{int(seconds / DAY)} d"


def clock(text: str, look: Look) -> Span:
    """The time of day of a moment, the day too where it is another one."""
    moment = look.at(text)
    if moment is None:
        return Span(safe_text(text, NAME_CELLS), "time")
    local, today = moment.astimezone(look.zone), look.now.astimezone(look.zone)
    shown = "%H:%M:%S" if local.date() == today.date() else "%m-%d %H:%M"
    return Span(local.strftime(shown), "time")


def name(text: str | None, style: str = "") -> Cell:
    """A word of the exchange; nothing where there is none."""
    return (Span(safe_text(text, MAX_CELLS), style),) if text else NOTHING


def amount(text: str | None, style: str = "number") -> Cell:
    """An amount with the exchange's own digits; - where it is not known."""
    return (Span(safe_text(text), style),) if text is not None else (Span("-", "dim"),)


def signed(text: str | None) -> Cell:
    """A profit or a change; nothing where it is not known."""
    if text is None:
        return NOTHING
    is_loss = text.startswith("-")
    return (
        Span(safe_text(text) if is_loss else f"+{safe_text(text)}", "sell" if is_loss else "buy"),
    )


def share(part: str | None, whole: str | None) -> Decimal | None:
    """How much of it, from 0 to 1; `None` where that is not known."""
    try:
        if part is None or whole is None or not Decimal(whole):
            return None
        return min(max(_DOWN.divide(Decimal(part), Decimal(whole)), Decimal(0)), Decimal(1))
    except InvalidOperation:
        return None


def bar(filled: Decimal | None, cells: int) -> Cell:
    """A bar of so many cells; it is full only where all is filled, and empty where nothing is."""
    if filled is None:
        return (Span("?" * cells, "dim"),)
    eighths = int((filled * cells * 8).to_integral_value(ROUND_DOWN))
    if filled and not eighths:
        eighths = 1
    whole, part = divmod(eighths, 8)
    done = "█" * whole + (EIGHTHS[part] if part else "")
    return (Span(done, "progress"), Span("░" * (cells - len(done)), "dim"))


def percent(ratio: Decimal, *, decimals: int = 0) -> str:
    """A ratio as a percentage, cut and not rounded: 99.9 % is not all."""
    if abs(ratio) >= MOST:
        return f"{'-' if ratio < 0 else ''}>{MOST * HUNDRED}%"
    return str((ratio * HUNDRED).quantize(Decimal(1).scaleb(-decimals), ROUND_DOWN)) + "%"


def distance(price: str | None, market: str | None) -> Decimal | None:
    """How far a price is from the market's, as a ratio of that."""
    try:
        if price is None or market is None or not Decimal(market):
            return None
        return (Decimal(price) - Decimal(market)) / Decimal(market)
    except InvalidOperation:
        return None


def lag(seconds: float) -> Span:
    """How long news took from the exchange's clock to ours."""
    style = "bad" if seconds >= LATE else "warning" if seconds >= SLOW else "number"
    shown = f"{seconds * 1000:.0f} ms" if abs(seconds) < 1 else f"{seconds:.1f} s"
    return Span(shown, style)


def sparks(lags: Iterable[float]) -> Cell:
    """A bar for each; the steps are fixed, so that a height means the same every day."""
    return tuple(
        Span(
            SPARKS[sum(seconds >= step for step in STEPS)],
            "bad" if seconds >= LATE else "progress" if seconds >= SLOW else "good",
        )
        for seconds in lags
    )


def hidden(cell: Cell, look: Look) -> Cell:
    """A cell that would tell how much."""
    return (Span(MASK, "dim"),) if look.masks and cell else cell
