"""Columns under each other in so many cells: what has no room goes on below, or yields.

The one rule: an amount or an id is never cut, as long as a line can hold it. Pure.
"""

from collections.abc import Sequence
from typing import NamedTuple

from privstream.outputs.layout import Span
from privstream.outputs.safe_text import shorten_id, width

GAP = 2
INDENT = 2
"""Blanks before what goes on below."""
Cell = tuple[Span, ...]
NOTHING: Cell = ()


class Column(NamedTuple):
    """One column of a table."""

    title: str
    right: bool = False
    yields: int = 0
    """What goes first where there is no room: the highest. Zero never goes."""


class Line(NamedTuple):
    """Spans side by side, with a style over all of them."""

    spans: Cell
    style: str = ""


class Fit(NamedTuple):
    """Which columns stand in which line of a row, and how wide each is."""

    lines: tuple[tuple[int, ...], ...]
    widths: tuple[int, ...]

    def row(self, columns: Sequence[Column], cells: Sequence[Cell], style: str = "") -> list[Line]:
        """A row's lines."""
        lines = [self._line(columns, cells, line) for line in self.lines]
        below = [(Span(" " * INDENT), *spans) for spans in lines[1:]]
        return [Line(tuple(spans), style) for spans in (lines[0], *below)]

    def _line(
        self, columns: Sequence[Column], cells: Sequence[Cell], line: tuple[int, ...]
    ) -> list[Span]:
        return [
            span
            for place, at in enumerate(line)
            for span in self._padded(columns[at], cells[at], at, is_first=not place)
        ]

    def _padded(self, column: Column, cell: Cell, at: int, *, is_first: bool) -> list[Span]:
        blank = Span(" " * (self.widths[at] - cell_width(cell)))
        padded = [blank, *cell] if column.right else [*cell, blank]
        return padded if is_first else [Span(" " * GAP), *padded]


def fit(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]], cells: int, *, titled: bool
) -> Fit:
    """How the columns of these rows fit into a line of so many cells."""
    widths = [max((cell_width(row[at]) for row in rows), default=0) for at in range(len(columns))]
    shown = [at for at, wide in enumerate(widths) if wide]
    if titled:
        for at in shown:
            widths[at] = max(widths[at], len(columns[at].title))
    gone: list[int] = []
    while _total(shown, widths) > cells:
        weakest = max(shown, key=lambda at: columns[at].yields, default=None)
        if weakest is None or not columns[weakest].yields:
            break
        shown.remove(weakest)
        gone.append(weakest)
    lines = _flow(shown, widths, cells)
    if len(lines) > 1:  # below there may be room again
        for at in reversed(gone):
            if _total([*lines[-1], at], widths) + INDENT <= cells:
                lines[-1].append(at)
    return Fit(tuple(map(tuple, lines)), tuple(widths))


def _flow(shown: Sequence[int], widths: Sequence[int], cells: int) -> list[list[int]]:
    lines: list[list[int]] = [[]]
    for at in shown:
        room = cells - (INDENT if len(lines) > 1 else 0)
        if lines[-1] and _total([*lines[-1], at], widths) > room:
            lines.append([])
        lines[-1].append(at)
    return lines


def _total(shown: Sequence[int], widths: Sequence[int]) -> int:
    return sum(widths[at] for at in shown) + GAP * max(0, len(shown) - 1)


def cut(line: Line, cells: int) -> Line:
    """The beginning of a line that no terminal of so many cells can hold, and … for the rest."""
    if cell_width(line.spans) <= cells:
        return line
    spans: list[Span] = []
    room = cells - 1
    for span in line.spans:
        if (taken := width(span.text)) > room:
            spans.append(Span(shorten_id(span.text, room + 1), span.style))
            break
        spans.append(span)
        room -= taken
    return Line(tuple(spans), line.style)


def cell_width(cell: Cell) -> int:
    """How many cells of the terminal it takes."""
    return sum(width(span.text) for span in cell)
