"""Events for a person: one aligned, coloured line each.

The one rule: Rich only makes colours of our own style names. It is never given an
event's text to interpret, and is loaded only where a line is to be coloured.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date

from privstream.model.events import AnyEvent
from privstream.outputs.base import NotTaken
from privstream.outputs.calendar import Calendar
from privstream.outputs.describe import Describer
from privstream.outputs.descriptor import Patience, write_all
from privstream.outputs.fields import Fields
from privstream.outputs.folding import folded
from privstream.outputs.layout import Columns, Paint, Span, plain
from privstream.outputs.terminal import line_width

# All to be read on a white background as well as on a black one: no word is yellow, or bold in a
# light colour, which many terminals make brighter still.
STYLES = {
    "time": "",
    "account": "cyan",
    "subject": "bold",
    "number": "",
    "strong": "bold",
    "buy": "green",
    "sell": "red",
    "open": "cyan",
    "progress": "magenta",
    "good": "green",
    "ended": "",
    "bad": "bold red",
    "warning": "black on yellow",
    "alarm": "bold white on red",
    "dim": "dim",
    "id": "dim",
    "source": "dim italic",
}


RULE, RULE_CELLS = "─", 60


class Pretty:
    """Writes lines for a person to an open file descriptor, which stays open.

    `accounts` are the ones that are watched: a narrow terminal leaves out the only one.
    """

    def __init__(
        self,
        fd: int,
        *,
        colour: bool = False,
        accounts: Collection[str] = (),
        line_width: Callable[[int], int | None] = line_width,
        patience: Patience | None = None,
        calendar: Calendar | None = None,
        fields: Sequence[str] = (),
    ) -> None:
        self._fd = fd
        self._patience = patience
        self._paint = colours() if colour else plain
        self._columns = Columns(accounts)
        self._line_width = line_width  # asked for each batch: a window may be resized
        self._calendar = calendar or Calendar()
        self._describer = Describer(self._calendar)
        self._day = self._calendar.today()
        """Of the latest event that was shown; a later one begins with a rule."""
        self._is_first = True
        self._fields = Fields(fields, self._describer.moment) if fields else None

    def write(self, events: Sequence[AnyEvent], /) -> None:
        shown = folded(events)
        try:
            write_all(self._fd, self._text(shown).encode(), self._patience)
        except NotTaken as rest:
            if len(shown) == len(events) and self._is_plain(shown, events):
                raise
            # Which of them those lines were is not known any more.
            raise NotTaken(0, is_torn=rest.is_torn) from None

    def lines(self, events: Sequence[AnyEvent]) -> str:
        """What `write` writes, as text."""
        return self._text(folded(events))

    def _text(self, events: Sequence[AnyEvent]) -> str:
        return "".join(f"{line}\n" for line in self._lines(events))

    def _lines(self, events: Sequence[AnyEvent]) -> Iterator[str]:
        cells = self._line_width(self._fd)
        self._describer.look(cells)
        if self._fields is not None:
            for event in events:
                yield from self._rule(event, cells)
                yield self._chosen(self._fields, event, cells)
            return
        rows = [self._describer.describe(event) for event in events]
        for row in rows:
            self._columns.see(row)
        for event, row in zip(events, rows, strict=True):
            yield from self._rule(event, cells)
            yield self._columns.lay_out(row, cells, self._paint)

    def _chosen(self, fields: Fields, event: AnyEvent, cells: int | None) -> str:
        spans = fields.spans(event)
        if spans is None:
            return self._columns.lay_out(self._describer.describe(event), cells, self._paint)
        return "".join(map(self._paint, spans))

    def _rule(self, event: AnyEvent, cells: int | None) -> Iterator[str]:
        """A line between days, and above what begins on another day than today."""
        day = self._calendar.day(event.time or event.received)
        if day is None or event.source == "snapshot":
            return
        is_first, self._is_first = self._is_first, False
        if day > self._day or (is_first and day < self._day):
            self._day = day
            yield self._paint(Span(_named_rule(day, cells), "dim"))

    @staticmethod
    def _is_plain(shown: Sequence[AnyEvent], events: Sequence[AnyEvent]) -> bool:
        return all(one is other for one, other in zip(shown, events, strict=True))

    def close(self) -> None:
        """Nothing is held."""


def _named_rule(day: date, cells: int | None) -> str:
    name = f"{RULE * 2} {day:%a} {day.day} {day:%B %Y} "
    return name + RULE * (min(cells or RULE_CELLS, RULE_CELLS) - len(name))


def colours() -> Paint:
    """Paints spans with the terminal's own sixteen colours."""
    from rich.color import ColorSystem  # noqa: PLC0415 - 20 ms that only a terminal needs
    from rich.style import Style  # noqa: PLC0415

    styles = {name: Style.parse(style) for name, style in STYLES.items() if style}

    def paint(span: Span) -> str:
        style = styles.get(span.style)
        if style is None:
            return span.text
        return style.render(span.text, color_system=ColorSystem.STANDARD)

    return paint
