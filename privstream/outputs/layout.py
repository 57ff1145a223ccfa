"""Columns of a terminal line: what stands where, and where a long line goes on.

The one rule: an amount is never cut. A line that is too long for the terminal is filled
up with blanks to its edge and goes on below, indented; it stays one line all the same.
"""

from collections.abc import Callable, Collection
from typing import NamedTuple

from privstream.outputs.safe_text import shorten_id, width

WIDE = 120
"""From here on every column is shown and no id is shortened."""
SHORT_ID = 9
SHORTEST_ID = 7


class Span(NamedTuple):
    """A harmless text and the name of its style."""

    text: str
    style: str = ""


class Part(NamedTuple):
    """Spans that stay together, after a gap of so many blanks."""

    spans: tuple[Span, ...]
    gap: int = 2

    @property
    def width(self) -> int:
        return sum(width(span.text) for span in self.spans)


class Numbers(NamedTuple):
    """The columns that orders, trades, balances and positions have in common."""

    subject: Span
    quantity: Span
    price: Span | None
    """`None` where the parts may take its place."""


class Row(NamedTuple):
    """One event, taken apart: every text in it is harmless."""

    time: Span
    account: str
    kind: Span
    side: Span | None
    """`None` where the kind may take its place too."""
    numbers: Numbers | None
    """`None` where words follow the kind."""
    parts: tuple[Part, ...]
    """What must be seen, on whatever terminal."""
    id: str | None = None
    extras: tuple[Part, ...] = ()
    """What is shown where there is room."""
    faded: bool = False


Paint = Callable[[Span], str]


def plain(span: Span) -> str:
    return span.text


_KIND, _SIDE = 5, 4  # "order", "trade" and "sell"
_FIRST_WIDTHS = {"account": 0, "subject": 8, "quantity": 10, "price": 10}
_CAPS = {"account": 32, "subject": 12, "quantity": 16, "price": 14}
_ROOMY = {"subject": 9, "quantity": 12, "price": 11}


class Columns:
    """Lays rows out under each other. Columns grow to what they have seen, within reason."""

    def __init__(self, accounts: Collection[str] = ()) -> None:
        self._widths = dict(_FIRST_WIDTHS)
        self._accounts = frozenset(accounts)
        for account in self._accounts:
            self._grow("account", account)

    def lay_out(self, row: Row, columns: int | None, paint: Paint) -> str:
        """One line without its newline, for a terminal of so many cells; `None` has no edge."""
        wide = columns is None or columns >= WIDE
        line = _Line(columns, _faded(paint) if row.faded else paint)
        line.put(row.time)
        if wide or self._accounts != {row.account}:
            line.put(Span(row.account, "account"), self._grow("account", row.account))
        if row.side is None:
            line.put(row.kind, _KIND + 1 + _SIDE)
        else:
            line.put(row.kind, _KIND)
            line.put(row.side, _SIDE)
        line.indent_here()
        if row.numbers is not None:
            self._put_numbers(line, row.numbers, wide=wide)
        for part in row.parts:
            line.add(part)
        line.add_id(row.id, wide=wide)
        if wide:
            for part in row.extras:
                line.add_where_it_fits(part)
        return line.finished()

    def _put_numbers(self, line: "_Line", numbers: Numbers, *, wide: bool) -> None:
        for name, span in zip(numbers._fields, numbers, strict=True):
            if span is None:
                continue
            least = _ROOMY.get(name, 0) if wide else 0
            cells = max(least, self._grow(name, span.text))
            line.put(span, cells, right=name in {"quantity", "price"})

    def _grow(self, name: str, text: str) -> int:
        cells = min(width(text), _CAPS[name])
        self._widths[name] = max(self._widths[name], cells)
        return self._widths[name]


_FADING = frozenset({"", "account", "time", "subject", "number", "strong"})


def _faded(paint: Paint) -> Paint:
    return lambda span: paint(Span(span.text, "dim") if span.style in _FADING else span)


class _Line:
    """A line as it grows. `used` counts cells over all its rows on the terminal."""

    def __init__(self, columns: int | None, paint: Paint) -> None:
        self._columns = columns
        self._paint = paint
        self._pieces: list[str] = []
        self._owed = 0
        self.used = 0
        self._indent = 0

    def put(self, span: Span, cells: int = 0, *, right: bool = False) -> None:
        """A column; a value that is too long for it pushes the rest to the right."""
        fill = cells - width(span.text)
        if self._indent and 1 + max(cells, cells - fill) > self._room():
            self._next_row()
        elif self.used:
            self._blank(1)
        if right:
            self._blank(fill)
        self._write(span)
        if not right:
            self._blank(fill)

    def indent_here(self) -> None:
        """Where the line goes on below, it starts under the next column."""
        self._indent = self.used + self._owed + 1

    def add(self, part: Part) -> None:
        """A part, on the next row of the terminal if this one has no room."""
        if part.width + part.gap > self._room():
            self._next_row()
        else:
            self._blank(part.gap)
        for span in part.spans:
            self._write(span)

    def add_where_it_fits(self, part: Part) -> None:
        if part.width + part.gap <= self._room():
            self.add(part)

    def add_id(self, text: str | None, *, wide: bool) -> None:
        """An id: whole on a wide terminal, else as much of its end as there is room for."""
        if text is None:
            return
        if not wide and width(text) + 2 > self._room():
            cells = min(SHORT_ID, int(self._room()) - 2)
            if cells < SHORTEST_ID:
                return
            text = shorten_id(text, cells)
        self.add(Part((Span(text, "id"),)))

    def finished(self) -> str:
        return "".join(self._pieces)

    def _room(self) -> float:
        if self._columns is None:
            return float("inf")
        used = self.used + self._owed
        return self._columns - used % self._columns if used % self._columns or not used else 0

    def _next_row(self) -> None:
        self._blank(int(self._room()))
        if self._columns is not None and self._indent < self._columns // 2:
            self._blank(self._indent)

    def _blank(self, cells: int) -> None:
        # Owed, so that no line ends in blanks.
        self._owed += max(0, cells)

    def _write(self, span: Span) -> None:
        if not span.text:
            return
        if self._owed:
            self._pieces.append(" " * self._owed)
            self.used += self._owed
            self._owed = 0
        self._pieces.append(self._paint(span))
        self.used += width(span.text)
