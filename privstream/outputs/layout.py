"""Columns of a terminal line: what stands where, what yields, and where a long line goes on.

The one rule: an amount is never cut, and no word is broken where a line has room for it. What must
be seen and finds no room goes on below, indented; it stays one line all the same. The rest yields.
"""

from collections.abc import Callable, Collection
from typing import NamedTuple

from privstream.outputs.safe_text import shorten_id, width

WIDE = 120
"""From here on the account is always named, and times have their decimals."""
ROOMY = 100
"""From here on the kind has a column of its own; below, an order's status stands in its place."""
NARROW = 72
"""Below, what it cost yields too, and times have no seconds."""
SHORTEST_ID = 6


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


BLANK = Span("")


class Cells(NamedTuple):
    """The columns that orders, trades, balances and positions have in common."""

    subject: Span
    quantity: Span
    price: Span = BLANK
    cost: Span = BLANK
    state: Span = BLANK


class Row(NamedTuple):
    """One event, taken apart: every text in it is harmless."""

    time: Span
    account: str
    kind: Span
    side: Span | None
    """`None` where the kind may take its place too."""
    cells: Cells | None
    """`None` where words follow the kind."""
    parts: tuple[Part, ...] = ()
    """What must be seen, on whatever terminal."""
    id: str | None = None
    extras: tuple[Part, ...] = ()
    """What is shown where there is room, the most important first."""
    brief: Span | None = None
    """What takes the place of the kind where there is no room for both."""
    faded: bool = False


Paint = Callable[[Span], str]


def plain(span: Span) -> str:
    return span.text


_KIND, _STATE, _SIDE = 5, 8, 4  # "order", "canceled" and "sell"
_TIME, _TIME_WITH_DECIMALS = 8, 12
_SHORT_ACCOUNT = 6
_FIRST = {"subject": 8, "quantity": 10, "price": 8, "cost": 7, "state": _STATE}
_MOST = {"time": 20, "account": 32, "subject": 12, "quantity": 16, "price": 13, "cost": 13}
_MOST_ROOMY = {"subject": 9, "quantity": 14, "price": 11, "cost": 11}
_MOST_AT_80 = {"subject": 9, "quantity": 11, "price": 9, "cost": 9}
_MOST_NARROW = {"subject": 8, "quantity": 10, "price": 9}
_RIGHT = frozenset({"quantity", "price", "cost"})


class Columns:
    """Lays rows out under each other. Columns grow to what they have seen, within reason."""

    def __init__(self, accounts: Collection[str] = ()) -> None:
        self._seen: dict[str, int] = {}
        self._accounts = frozenset(accounts)
        for account in self._accounts:
            self._grow("account", account)

    def see(self, row: Row) -> None:
        """A row that is to be laid out together with others: the columns have room for it."""
        self._grow("time", row.time.text)
        self._grow("account", row.account)
        if row.cells is not None:
            for name, span in zip(row.cells._fields, row.cells, strict=True):
                self._grow(name, span.text)

    def lay_out(self, row: Row, columns: int | None, paint: Paint) -> str:
        """One line without its newline, for a terminal of so many cells; `None` has no edge."""
        cells = columns or WIDE
        line = _Line(columns, _faded(paint) if row.faded else paint)
        least = _TIME if cells < WIDE else _TIME_WITH_DECIMALS
        line.put(row.time, max(least, self._grow("time", row.time.text)))
        if cells >= WIDE or self._accounts != {row.account}:
            self._put_account(line, row.account, cells)
        self._put_kind(line, row, cells)
        line.indent_here()
        if row.cells is not None:
            self._put_cells(line, row.cells, cells)
        line.add_id(row.id, must=cells >= NARROW)
        for part in row.parts:
            line.add(part)
        for part in row.extras:
            line.add_where_it_fits(part)
        return line.finished()

    def _put_kind(self, line: "_Line", row: Row, columns: int) -> None:
        kind, wide = row.kind, _KIND
        if columns < ROOMY:
            kind, wide = row.brief or kind, _STATE
        if row.side is None:
            line.put(kind, wide + 1 + _SIDE)
        else:
            line.put(kind, wide)
            line.put(row.side, _SIDE)

    def _put_cells(self, line: "_Line", cells: Cells, columns: int) -> None:
        for name, span in zip(cells._fields, cells, strict=True):
            if name == "state" and columns < ROOMY:
                continue  # it stands in the place of the kind, or yields
            if name == "cost" and columns < NARROW:
                continue
            room = min(self._grow(name, span.text), _most(columns).get(name, _STATE))
            line.put(span, room, right=name in _RIGHT)

    def _put_account(self, line: "_Line", account: str, columns: int) -> None:
        cells = self._grow("account", account)
        if columns < NARROW and cells > _SHORT_ACCOUNT:
            cells = _SHORT_ACCOUNT
            account = shorten_id(account, cells)
        line.put(Span(account, "account"), cells)

    def _grow(self, name: str, text: str) -> int:
        least = self._seen.get(name, _FIRST.get(name, 0))
        cells = self._seen[name] = max(least, min(width(text), _MOST.get(name, _STATE)))
        return cells


def _most(columns: int) -> dict[str, int]:
    if columns < ROOMY:
        return _MOST_NARROW if columns < NARROW else _MOST_AT_80
    return _MOST if columns >= WIDE else _MOST_ROOMY


def flowing(text: str, columns: int) -> str:
    """A sentence for a terminal of so many cells: one line, which goes on below between two words."""
    line = _Line(columns, plain)
    for at, word in enumerate(text.split(" ")):
        line.add(Part((Span(word),), min(at, 1)))
    return line.finished()


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
        self._end = -1
        """Where the last column ends, if nothing before was too long for its own."""
        self._indent = 0

    def put(self, span: Span, cells: int, *, right: bool = False) -> None:
        """A column; one that is too long takes what the next ones do not need."""
        start, self._end = self._end + 1, self._end + 1 + cells
        taken = width(span.text)
        if not taken:
            return
        at = max(self.used + bool(self.used), self._end - taken if right else start)
        if self._indent and at + taken > self._edge():
            self._next_row()
            self._end = self.used + self._owed + taken
        else:
            self._owed = at - self.used
        self._write(span)

    def indent_here(self) -> None:
        """Where the line goes on below, it starts under the next column."""
        self._indent = self._end + 1

    def add(self, part: Part) -> None:
        """A part, on the next row of the terminal if this one has no room."""
        self._skip_to_end()
        if part.width + part.gap <= self._room():
            self._owed += part.gap
        else:
            self._next_row()
        for span in part.spans:
            self._write(span)

    def add_where_it_fits(self, part: Part) -> None:
        self._skip_to_end()
        if part.width + part.gap <= self._room():
            self.add(part)

    def add_id(self, text: str | None, *, must: bool) -> None:
        """An id: whole where it fits, else as much of its beginning as there is room for."""
        if text is None:
            return
        self._skip_to_end()
        room = self._room() - 1
        if SHORTEST_ID <= room < width(text):
            text = shorten_id(text, int(room))
        if must or room >= SHORTEST_ID:
            self.add(Part((Span(text, "id"),), 1))

    def finished(self) -> str:
        return "".join(self._pieces)

    def _skip_to_end(self) -> None:
        """What follows the columns stands behind them, also where the last ones are blank."""
        if self._end > self.used + self._owed and self._end <= self._edge():
            self._owed = self._end - self.used
        self._end = -1

    def _edge(self) -> float:
        """Where the row of the terminal ends that is being written."""
        if self._columns is None:
            return float("inf")
        at = self.used + self._owed
        return (max(at - 1, 0) // self._columns + 1) * self._columns

    def _room(self) -> float:
        return self._edge() - self.used - self._owed

    def _next_row(self) -> None:
        if self._columns is None:
            return
        self._owed += int(self._room())
        if self._indent < self._columns // 2:
            self._owed += self._indent
        self._owed = max(self._owed, 1)  # else, copied, two words or numbers would be one

    def _write(self, span: Span) -> None:
        if not span.text:
            return
        if self._owed:  # so that no line ends in blanks
            self._pieces.append(" " * self._owed)
            self.used += self._owed
            self._owed = 0
        self._pieces.append(self._paint(span))
        self.used += width(span.text)
