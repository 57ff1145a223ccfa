"""What a run comes to: said at its end to whoever watched.

The one rule: it tells of what was shown, and of the gaps above all.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from textwrap import wrap

from privstream.model.events import TYPES, AnyEvent, Gap, Status, Trade
from privstream.model.fill_sums import FillSums, amounts, merged, plain, quote_of
from privstream.outputs.calendar import Calendar
from privstream.outputs.privacy import MASK
from privstream.outputs.safe_text import safe_text, width

_NAME_CELLS = 32
_SHORTEST_SILENCE = 1.0
_MINUTE = 60
_SECOND = len("2026-11-20T11:32:00")
_INDENT = 6


class Summary:
    """Counts what is shown, and says it at the end in a few lines."""

    def __init__(
        self,
        tell: Callable[[str], None],
        calendar: Calendar,
        *,
        cells: Callable[[], int | None] = lambda: None,
        masked: bool = False,
    ) -> None:
        self._tell = tell
        self._cells = cells
        self._calendar = calendar
        self._masked = masked
        self._kinds: Counter[str] = Counter()
        self._fills: dict[str, FillSums] = defaultdict(FillSums)
        self._gaps = self._incomplete = 0
        self._first = self._last = ""
        """When the first event reached us, and the first of the last second in which one did."""
        self._silence, self._silent_until = 0.0, ""

    def take(self, events: Sequence[AnyEvent], /) -> None:
        """These were shown."""
        for event in events:
            if event.received[:_SECOND] != self._last[:_SECOND]:  # seldom, and most come at once
                self._take_time(event.received)
            self._kinds[type(event).__name__.lower()] += 1
            if isinstance(event, Trade):
                self._fills[event.symbol or event.exchange_symbol or "-"].add(event)
            elif isinstance(event, Gap):
                self._gaps += 1
                self._incomplete += not event.complete

    def _take_time(self, received: str) -> None:
        if not self._first:
            self._first = received
        elif (silent := _seconds(self._last, received)) > self._silence:
            self._silence, self._silent_until = silent, received
        self._last = received

    def end(self) -> None:
        """Say it, if there was anything."""
        if sum(self._kinds.values()) > self._kinds[Status.__name__.lower()]:
            cells = self._cells()  # as wide as it is now
            self._tell("\n".join(row for line in self._lines() for row in _rows(line, cells)))

    # --- the lines -------------------------------------------------------------------------

    def _lines(self) -> Iterator[str]:
        counts = ", ".join(
            f"{count} {kind}{'s' * (count != 1)}" for kind in TYPES if (count := self._kinds[kind])
        )
        yield f"privstream: {duration(_seconds(self._first, self._last))}: {counts}"
        yield from self._of_fills()
        fees = amounts(merged(self._fills.values()).fees)
        if fees:
            said = (f"{self._amount(fee)} {safe_text(name)}" for name, fee in fees.items())
            yield f"  fees  {', '.join(said)}"
        if self._gaps:
            yield f"  gaps  {self._gaps}, {self._incomplete or 'none'} of them INCOMPLETE"
        if self._silence >= _SHORTEST_SILENCE:
            until = self._calendar.time_of_day(self._silent_until)
            yield f"  longest silence  {duration(self._silence)}, until {until}"

    def _of_fills(self) -> Iterator[str]:
        names = {symbol: safe_text(symbol, _NAME_CELLS) for symbol in sorted(self._fills)}
        room = max(map(width, names.values()), default=0)
        for symbol, name in names.items():
            sums = self._fills[symbol]
            base = safe_text(symbol.partition("/")[0], _NAME_CELLS)
            quote = safe_text(quote_of(symbol) or "", _NAME_CELLS)
            parts = [f"{sums.fills} fill{'s' * (sums.fills != 1)}"]
            parts += [
                f"{verb} {self._amount(plain(amount))} {base}"
                for verb, amount in (("bought", sums.bought), ("sold", sums.sold))
                if amount
            ]
            doubt = "≈" if sums.estimated else ""
            volume = plain(sums.volume) if sums.volume or not sums.unknown["cost"] else None
            if volume is not None:
                parts.append(f"volume {doubt}{self._amount(volume)} {quote}".rstrip())
            if missing := sums.unknown["cost"] + sums.unknown["quantity"]:
                parts.append(f"without {missing} whose amount is not known")
            yield f"  {name}{' ' * (room - width(name))}  {', '.join(parts)}"

    def _amount(self, text: str) -> str:
        return MASK if self._masked else text


def _rows(line: str, cells: int | None) -> list[str]:
    """On a terminal it goes on below between two words, indented."""
    if cells is None:
        return [line]
    return wrap(
        line,
        cells,
        subsequent_indent=" " * _INDENT,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
        replace_whitespace=False,
    )


def duration(seconds: float) -> str:
    """In two units at most: `42 s`, `13 min 05 s`, `2 h 13 min`, `3 d 4 h`."""
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    if minutes < _MINUTE:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, _MINUTE)
    days, hours_left = divmod(hours, 24)
    return f"{days} d {hours_left} h" if days else f"{hours} h {minutes:02d} min"


def _seconds(since: str, until: str) -> float:
    try:
        passed = datetime.fromisoformat(until) - datetime.fromisoformat(since)
    except (ValueError, TypeError):
        return 0.0
    return max(0.0, passed.total_seconds())
