"""A report for a person: a table of days and markets, what it changed, and bars of the volume.

The one rule: no number is cut; where the terminal is narrow whole columns yield, and that is said.
"""

from collections.abc import Callable, Iterator
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal
from typing import NamedTuple

from privstream.model.fill_report import FillReport, Market
from privstream.model.fill_sums import ZERO, FillSums, amounts, plain, quote_of
from privstream.outputs.calendar import Calendar
from privstream.outputs.layout import NARROW, Paint, Span
from privstream.outputs.layout import plain as unpainted
from privstream.outputs.safe_text import safe_text, width, wrapped

BAR, BAR_CELLS, BAR_CELLS_NARROW = "▇", 30, 10
NAME_CELLS = 32
EVERYTHING = "all"
YIELDING = ("maker", "average sell", "average buy", "account", "fees", "volume")
"""Columns in the order in which they yield."""
PERCENT = Decimal("0.1")
_SHORT = Context(prec=10, rounding=ROUND_HALF_EVEN)
"""Digits of an average for the eye; JSON has sixteen."""


class Column(NamedTuple):
    """One column of the table."""

    name: str
    value: Callable[[str, Market, FillSums], str]
    right: bool = True


def lines(
    report: FillReport, calendar: Calendar, cells: int | None, paint: Paint = unpainted
) -> Iterator[str]:
    """What a person is shown, line by line."""
    today = calendar.today()
    since, until = (calendar.shown(moment, today) for moment in (report.since, report.until))
    yield paint(Span(f"fills from {since} to {until}", "strong"))
    if report.days:
        yield from _table(report, cells, paint)
        yield ""
        yield from _changes(report, paint)
        yield from _bars(report, cells)
    else:
        yield "none"
    if report.missing:
        yield ""
        yield paint(Span("INCOMPLETE: what is missing", "alarm"))
        for one in report.missing:
            since, until = (calendar.shown(moment, today) for moment in (one.since, one.until))
            text = f"{safe_text(one.account)}  {since} to {until}  {safe_text(one.why)}"
            first, *others = wrapped(text, None if cells is None else cells - 4)
            yield f"  {first}"
            yield from (f"    {line}" for line in others)


# --- days and markets ------------------------------------------------------------------------


def _average(price: Decimal | None) -> str:
    return "-" if price is None else plain(_SHORT.plus(price))


def _marked(sums: FillSums, number: Decimal) -> str:
    return f"≈{plain(number)}" if sums.estimated else plain(number)


def _share(share: Decimal | None) -> str:
    if share is None:
        return "-"
    return f"{(share * 100).quantize(PERCENT, ROUND_DOWN)}%"


def _fees(sums: FillSums) -> str:
    fees = [
        f"{amount} {safe_text(name, NAME_CELLS)}" for name, amount in amounts(sums.fees).items()
    ]
    unknown = sums.unknown.get("fee", 0)
    return ", ".join([*fees, *([f"{unknown} unknown"] if unknown else [])]) or "0"


COLUMNS = (
    Column("day", lambda day, _, __: day, right=False),
    Column("account", lambda _, market, __: safe_text(market.account, NAME_CELLS), right=False),
    Column("symbol", lambda _, market, __: safe_text(market.symbol, NAME_CELLS), right=False),
    Column("fills", lambda _, __, sums: str(sums.fills)),
    Column("bought", lambda _, __, sums: plain(sums.bought)),
    Column("average buy", lambda _, __, sums: _average(sums.average_buy)),
    Column("sold", lambda _, __, sums: plain(sums.sold)),
    Column("average sell", lambda _, __, sums: _average(sums.average_sell)),
    Column("volume", lambda _, __, sums: _marked(sums, sums.volume)),
    Column("maker", lambda _, __, sums: _share(sums.maker_share)),
    Column("fees", lambda _, __, sums: _fees(sums), right=False),
)


def _table(report: FillReport, cells: int | None, paint: Paint) -> Iterator[str]:
    rows = report.by_day()
    totals = [(EVERYTHING, market, sums) for market, sums in report.markets().items()]
    grid = {column.name: [column.value(*row) for row in [*rows, *totals]] for column in COLUMNS}
    if len({market.account for _, market, _ in rows}) == 1:
        del grid["account"]
    left_out = _yield(grid, cells)
    widths = {name: max(map(width, [name, *values])) for name, values in grid.items()}
    yield paint(Span(_row(grid, widths, None), "dim"))
    for at in range(len(rows)):
        yield _row(grid, widths, at)
    if len(rows) > len(totals):
        for at in range(len(rows), len(rows) + len(totals)):
            yield paint(Span(_row(grid, widths, at), "strong"))
    if left_out:
        count = f"{len(left_out)} column{'s' * (len(left_out) != 1)}"
        yield paint(Span(f"no room for {count} more; --json has all", "dim"))


def _yield(grid: dict[str, list[str]], cells: int | None) -> list[str]:
    """Take columns out until a row fits; returns which."""
    left_out: list[str] = []
    for name in YIELDING:
        room = sum(max(map(width, [title, *values])) + 2 for title, values in grid.items()) - 2
        if cells is None or room <= cells:
            break
        if grid.pop(name, None) is not None:
            left_out.append(name)
    return left_out


def _row(grid: dict[str, list[str]], widths: dict[str, int], at: int | None) -> str:
    parts = []
    for column in COLUMNS:
        if column.name in grid:
            text = column.name if at is None else grid[column.name][at]
            blanks = " " * (widths[column.name] - width(text))
            parts.append(blanks + text if column.right else text + blanks)
    return "  ".join(parts).rstrip()


# --- what it changed -------------------------------------------------------------------------


def _changes(report: FillReport, paint: Paint) -> Iterator[str]:
    total = report.total()
    net, fees = amounts(total.net), amounts(total.fees)
    names = sorted({*net, *fees})
    yield paint(Span("by asset, fees taken off", "dim"))
    shown = [safe_text(name, NAME_CELLS) for name in names]
    room = max(map(width, shown), default=0)
    cells = max((len(net.get(name, "0")) + 1 for name in names), default=0)
    for name, text in zip(names, shown, strict=True):
        change = net.get(name, "0")
        signed = change if change.startswith("-") or change == "0" else f"+{change}"
        style = "sell" if change.startswith("-") else "buy"
        fee = f"  fees {fees[name]}" if name in fees else ""
        blanks = " " * (room - width(text) + 2 + cells - len(signed))
        yield f"{text}{blanks}{paint(Span(signed, style))}{fee}"
    for what, count in sorted(total.unknown.items()):
        if count:
            yield f"{count} fill{'s' * (count != 1)} of which the {what} is not known"
    if total.estimated:
        yield f"≈ {total.estimated} of {total.fills} fills are not stated exactly"


# --- bars --------------------------------------------------------------------------------------


def volumes(report: FillReport) -> dict[str, dict[str, Decimal]]:
    """By quote currency and day."""
    found: dict[str, dict[str, Decimal]] = {}
    for day, market, sums in report.by_day():
        quote = quote_of(market.symbol)
        if quote is not None and sums.volume:
            days = found.setdefault(quote, {})
            days[day] = days.get(day, ZERO) + sums.volume
    return dict(sorted(found.items()))


def _bars(report: FillReport, cells: int | None) -> Iterator[str]:
    for quote, days in volumes(report).items():
        if len(days) > 1:
            yield ""
            yield f"volume by day, {safe_text(quote, NAME_CELLS)}"
            yield from _bars_of(
                days, BAR_CELLS if cells is None or cells >= NARROW else BAR_CELLS_NARROW
            )


def _bars_of(days: dict[str, Decimal], room: int) -> Iterator[str]:
    most = max(days.values())
    for day, volume in days.items():
        cells = max(1, int(volume / most * room))
        yield f"{day}  {BAR * cells}{' ' * (room - cells)}  {plain(volume)}"
