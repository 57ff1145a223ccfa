"""The whole screen as lines: the header, a line of health for each account, panes, keys.

The one rule: whatever the size, the health of every account that is not well is to be seen. Pure.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any, NamedTuple

from privstream.outputs.layout import Span
from privstream.outputs.live.choices import Choices, Name
from privstream.outputs.live.fills import FILLS, PRICES
from privstream.outputs.live.heads import HELP, Head, footer, header, help_lines
from privstream.outputs.live.holdings import BALANCES, POSITIONS
from privstream.outputs.live.looks import Look
from privstream.outputs.live.messages import message_lines, messages
from privstream.outputs.live.orders import ORDERS
from privstream.outputs.live.pane import Pane, matches
from privstream.outputs.live.picture import Kept, Picture, has_ended
from privstream.outputs.live.table import Cell, Line, cell_width, cut, fit
from privstream.outputs.live.vitals import health_lines
from privstream.outputs.safe_text import safe_text

TABLES: tuple[Pane[Any], ...] = (ORDERS, FILLS, BALANCES, POSITIONS, PRICES)
LEAST = (60, 15)
"""Cells and lines below which it is not drawn whole."""
TWO_COLUMNS = 150
"""Cells from which panes stand side by side."""
TALL = 75
"""Cells below which an order or a fill takes two lines."""
LEFT = (Name.ORDERS, Name.FILLS)
SHARES = {Name.ORDERS: 4, Name.FILLS: 4, Name.BALANCES: 3, Name.POSITIONS: 2, Name.PRICES: 2}
FOCUS_SHARE = 2
LEAST_LINES = 5
"""Of a pane: where not all have so many, those behind the first ones are not seen."""
STEP = 5
"""Lines by which a pane grows, so that its edge does not move with every order."""
HEADED = 3
"""Rows that come before the names of the columns, where there is no room for both."""
TITLES = {pane.name: pane.title for pane in TABLES} | {Name.MESSAGES: "Messages"}


class Screen(NamedTuple):
    """What is to be drawn, and what of it the keys must know."""

    lines: list[Line]
    offsets: dict[Name, int]
    """Where each pane really begins."""
    page: int
    """How many rows of the chosen pane are seen."""


def screen(picture: Picture, choices: Choices, look: Look, head: Head) -> Screen:
    """The lines for a terminal of this size."""
    lines = [header(picture, choices, look, head)]
    room = look.lines - 2 - len(HELP) if choices.is_helping else look.lines // 3
    lines += [cut(line, look.cells) for line in health_lines(picture, look, max(1, room))]
    left = look.lines - len(lines) - 1
    if look.cells < LEAST[0] or look.lines < LEAST[1]:
        return Screen(_too_small(lines, look), {}, 1)
    if choices.is_helping:
        drawn = _Drawn(help_lines()[:left], {}, 1)
    elif look.cells >= TWO_COLUMNS and any(pane not in LEFT for pane in choices.panes):
        drawn = _side_by_side(picture, choices, look, left)
    else:
        drawn = _stacked(picture, choices, look, choices.panes, left)
    blank = [Line(())] * (left - len(drawn.lines))
    foot = footer(
        choices, look, head, [TITLES[pane] for pane in choices.panes if pane not in drawn.offsets]
    )
    return Screen([*lines, *drawn.lines, *blank, foot], drawn.offsets, drawn.page)


def panes_of(picture: Picture) -> tuple[Name, ...]:
    """Those of what is streamed, and of what came all the same."""
    watched = {channel for some in picture.channels.values() for channel in some}
    tables = [pane.name for pane in TABLES if pane.channel in watched or pane.entries(picture)]
    return (*tables, Name.MESSAGES)


def _too_small(lines: list[Line], look: Look) -> list[Line]:
    """A window in which the panes have no room shows the health all the same."""
    why = f"{look.cells}x{look.lines} is too small: at least {LEAST[0]}x{LEAST[1]}"
    return [*lines[: max(1, look.lines - 1)], Line((Span(why, "warning"),))][: look.lines]


# --- panes ----------------------------------------------------------------------------------


class _Place(NamedTuple):
    """Which of a pane's entries are seen."""

    at: int
    seen: int
    total: int
    standing: int
    """Those that have not ended."""


class _Drawn(NamedTuple):
    lines: list[Line]
    offsets: dict[Name, int]
    page: int


def _side_by_side(picture: Picture, choices: Choices, look: Look, height: int) -> _Drawn:
    left = tuple(pane for pane in choices.panes if pane in LEFT)
    right = tuple(pane for pane in choices.panes if pane not in LEFT)
    if not left:
        return _stacked(picture, choices, look, right, height)
    wide = look.cells * 3 // 5
    one = _stacked(picture, choices, replace(look, cells=wide), left, height)
    other = _stacked(picture, choices, replace(look, cells=look.cells - wide - 3), right, height)
    lines = [
        _beside(first or Line(()), second or Line(()), wide)
        for first, second in zip_longest(one.lines, other.lines)
    ]
    page = one.page if choices.focus in left else other.page
    return _Drawn(lines, one.offsets | other.offsets, page)


def _beside(left: Line, right: Line, wide: int) -> Line:
    blank = Span(" " * max(0, wide - cell_width(left.spans)))
    spans = (*_styled(left), blank, Span(" │ ", "dim"), *_styled(right))
    return Line(spans)


def _styled(line: Line) -> Cell:
    """The spans with the style of the whole line on each."""
    if not line.style:
        return line.spans
    return tuple(Span(span.text, f"{span.style}+{line.style}") for span in line.spans)


def _stacked(
    picture: Picture, choices: Choices, look: Look, panes: Sequence[Name], height: int
) -> _Drawn:
    lines: list[Line] = []
    offsets: dict[Name, int] = {}
    page = 1
    wanted = {pane: _wanted(pane, picture, choices, look) for pane in panes}
    for pane, share in _shared_out(panes, choices.focus, wanted, height).items():
        one = _pane(pane, picture, choices, look, share)
        lines += [cut(line, look.cells) for line in one.lines]
        lines += [Line(())] * (share - len(one.lines))
        offsets |= one.offsets
        page = one.page if pane is choices.focus else page
    return _Drawn(lines, offsets, page)


def _shared_out(
    panes: Sequence[Name], focus: Name, wanted: dict[Name, int], height: int
) -> dict[Name, int]:
    """Lines for each pane, in their order; where there are too few for all, the last have none."""
    least = {pane: min(LEAST_LINES, wanted[pane], height) for pane in panes}
    seen: list[Name] = []
    for pane in sorted(panes, key=lambda pane: pane is not focus):
        if sum(least[one] for one in (*seen, pane)) <= height:
            seen.append(pane)
    lines = {pane: least[pane] for pane in panes if pane in seen}
    weight = {pane: SHARES.get(pane, 2) * (FOCUS_SHARE if pane is focus else 1) for pane in lines}
    left = height - sum(lines.values())
    while left > 0:
        hungry = [pane for pane in lines if lines[pane] < wanted[pane]] or [seen[0]]
        neediest = min(hungry, key=lambda pane: lines[pane] / weight[pane])
        lines[neediest] += 1
        left -= 1
    return lines


def _wanted(pane: Name, picture: Picture, choices: Choices, look: Look) -> int:
    """Lines that a pane could fill: in steps, so that its edge does not move with every order."""
    count = len(_entries(pane, picture, choices))
    each = 3 if pane is Name.MESSAGES else 2 if pane in LEFT and look.cells < TALL else 1
    needed = 2 + max(1, each * count)
    return needed if needed <= LEAST_LINES else -(-needed // STEP) * STEP


def _entries(pane: Name, picture: Picture, choices: Choices) -> Sequence[Any]:
    wanted = choices.filter.lower()
    if pane is Name.MESSAGES:
        return messages(picture, wanted)
    table = _table(pane)
    entries = table.entries(picture)
    return [one for one in entries if matches(one, table, wanted)] if wanted else entries


def _table(name: Name) -> Pane[Any]:
    return next(pane for pane in TABLES if pane.name is name)


def _pane(pane: Name, picture: Picture, choices: Choices, look: Look, height: int) -> _Drawn:
    entries = _entries(pane, picture, choices)
    room = height - 1
    at = min(choices.offsets.get(pane, 0), max(0, len(entries) - 1))
    body, count = _body(pane, entries[at:], picture, look, room)
    while at and at + count == len(entries):  # at its end a pane is as full as it can be
        more, filled = _body(pane, entries[at - 1 :], picture, look, room)
        if at - 1 + filled < len(entries):
            break
        at, body, count = at - 1, more, filled
    if not entries:
        body = [Line((Span(_nothing(pane, picture, choices), "dim"),))]
    standing = sum(not (isinstance(one, Kept) and has_ended(one.event)) for one in entries)
    place = _Place(at, count, len(entries), standing)
    title = _title(pane, picture, choices, look, place)
    return _Drawn([title, *body], {pane: at}, max(1, count))


def _body(
    pane: Name, entries: Sequence[Any], picture: Picture, look: Look, room: int
) -> tuple[list[Line], int]:
    """The lines of as many entries as have room, and how many that are."""
    if pane is Name.MESSAGES:
        return message_lines(entries[:room], look, room)
    return _rows(_table(pane), entries[:room], picture, look, room)


def _title(pane: Name, picture: Picture, choices: Choices, look: Look, place: _Place) -> Line:
    at, count, total, standing = place
    is_chosen = pane is choices.focus
    number = choices.panes.index(pane) + 1
    spans = [
        Span("▶ " if is_chosen else "─ ", "attention" if is_chosen else "dim"),
        Span(f"{number} {TITLES[pane]}", "strong"),
        Span(f" {standing}" if standing else "", "number"),
    ]
    if lost := _not_up(pane, picture):
        spans += [Span("  "), Span(f"as last told: {', '.join(lost)} not live", "warning")]
    where = f" {at + 1} to {at + count} " if count < total else ""
    where = where if count else f" none of {total} fits " if total else ""
    room = look.cells - cell_width(tuple(spans)) - len(where) - 1
    spans += [Span(" "), Span("─" * max(0, room), "dim"), Span(where, "strong")]
    return Line(tuple(spans))


def _not_up(pane: Name, picture: Picture) -> list[str]:
    """Accounts of which the pane shows what may be so no more."""
    shown = {
        Name.ORDERS: [*picture.orders],
        Name.BALANCES: [*picture.balances],
        Name.POSITIONS: [*picture.positions],
    }.get(pane, [])
    accounts = {account for account, *_ in shown}
    lost = [one.account for one in picture.health.values() if not one.is_up]
    return [safe_text(account) for account in lost if account in accounts]


def _nothing(pane: Name, picture: Picture, choices: Choices) -> str:
    """Why there is nothing: it is never said that nothing stands before anybody could know."""
    if choices.filter:
        return f"nothing contains {safe_text(choices.filter)}"
    if not any(health.was_up for health in picture.health.values()):
        return "not connected yet"
    return "none so far" if pane is not Name.MESSAGES else "nothing was said so far"


def _rows(
    table: Pane[Any], entries: Sequence[Any], picture: Picture, look: Look, room: int
) -> tuple[list[Line], int]:
    rows = [table.row(entry, picture, look) for entry in entries]
    is_headed = room > min(len(rows), HEADED)
    fitted = fit(table.columns, [row.cells for row in rows], look.cells, titled=is_headed)
    drawn = [fitted.row(table.columns, row.cells, row.style) for row in rows]
    titles = [(Span(column.title, "heading"),) for column in table.columns]
    lines = fitted.row(table.columns, titles) if is_headed and rows else []
    if drawn and len(lines) + len(drawn[0]) > room:
        lines = []  # rather a row without the names of its columns than none
    count = 0
    for more in drawn:
        if len(lines) + len(more) > room:
            break
        lines += more
        count += 1
    return lines, count
