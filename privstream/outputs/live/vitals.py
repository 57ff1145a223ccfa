"""One line for each account: is it well, since when is it quiet, what is missing. Pure.

The one rule: an account that is not well, or has an incomplete gap, is never left out.
"""

from math import isinf

from privstream.outputs.layout import Span
from privstream.outputs.live.health import Health
from privstream.outputs.live.looks import Look, age, lag, name, sparks
from privstream.outputs.live.picture import Picture
from privstream.outputs.live.table import NOTHING, Cell, Column, Line, cell_width, fit
from privstream.outputs.safe_text import MAX_CELLS, safe_text, shorten

SILENT = 30.0
"""Seconds without a sign of life that are remarkable."""
SPARK, WIDE_SPARK = 8, 24
WIDE = 100
SIGNS = {
    "stopped": ("■", "bad"),
    "retrying": ("↻", "warning"),
    "connecting": ("◌", "warning"),
    "catching_up": ("◐", "open"),
    "live": ("●", "good"),
}
SHORT_DETAIL = 30
"""Cells of the reason that are worth being behind the rest, and not below it."""
COLUMNS = (
    Column("account"),
    Column("state"),
    Column("heard", right=True),
    Column("gaps"),
    Column("reconnects", right=True, yields=2),
    Column("lag", right=True, yields=1),
    Column("", yields=3),
)


def health_lines(picture: Picture, look: Look, room: int) -> list[Line]:
    """As many accounts as have room, the worst first where not all have."""
    every, left_out = list(picture.health.values()), []
    if len(every) > room:
        every.sort(key=_is_well)
        every, left_out = every[: room - 1], every[room - 1 :]
    rows = [_cells(health, look) for health in every]
    fitted = fit(COLUMNS, rows, look.cells, titled=False)
    lines: list[Line] = []
    for number, (health, row) in enumerate(zip(every, rows, strict=True), start=1):
        still_to_come = len(every) - number + bool(left_out)
        lines += _with_detail(
            fitted.row(COLUMNS, row), health, look, room - len(lines) - still_to_come
        )
    if left_out:
        lines.append(_others(left_out, look))
    return lines


def _is_well(health: Health) -> tuple[bool, bool]:
    return health.state == "live", not health.incomplete


def _others(left_out: list[Health], look: Look) -> Line:
    bad = [health for health in left_out if not all(_is_well(health))]
    text = (
        f"and {len(left_out)} more, all live"
        if not bad
        else (
            f"and {len(left_out)} more, {len(bad)} of them not well: "
            + ", ".join(safe_text(health.account) for health in bad)
        )
    )
    return Line((Span(shorten(text, look.cells), "alarm" if bad else "dim"),))


def _cells(health: Health, look: Look) -> tuple[Cell, ...]:
    sign, style = SIGNS[health.state]
    return (
        (Span(f"{sign} ", style), *name(health.account, "strong")),
        (Span(health.state.replace("_", " "), style),),
        _heard(health, look),
        _gaps(health),
        (Span(f"{health.reconnects} reconnect{'' if health.reconnects == 1 else 's'}", "number"),),
        (Span("lag ", "dim"), lag(health.lags[-1][1])) if health.lags else NOTHING,
        sparks(worst for _, worst in [*health.lags][-_spark(look) :]),
    )


def _spark(look: Look) -> int:
    return WIDE_SPARK if look.cells >= WIDE else SPARK


def _heard(health: Health, look: Look) -> Cell:
    if health.heard is None:
        return (Span("not heard yet", "dim"),)
    silent = look.monotonic - health.heard
    return (
        Span("heard ", "dim"),
        Span(age(max(0.0, silent)), "warning" if silent > SILENT else "number"),
    )


def _gaps(health: Health) -> Cell:
    still = (Span(f"{health.open_gaps} open", "warning"),) if health.open_gaps else NOTHING
    if not health.gaps:
        return (Span("gap ", "warning"), *still) if still else (Span("no gaps", "dim"),)
    told = _told_gaps(health)
    return (*told, Span(" "), *still) if still else told


def _told_gaps(health: Health) -> Cell:
    count = f"{health.gaps} gap{'' if health.gaps == 1 else 's'}"
    if health.incomplete:
        what = (
            "INCOMPLETE" if health.incomplete == health.gaps else f"{health.incomplete} INCOMPLETE"
        )
        return (Span(f" {count} {what} ", "alarm"),)
    return (Span(f"{count} complete", "warning"),)


def _with_detail(lines: list[Line], health: Health, look: Look, room: int) -> list[Line]:
    """Why it is not well: behind the rest where there is room, else below."""
    detail, style = _detail(health, look), SIGNS[health.state][1]
    if not detail:
        return lines
    left = look.cells - cell_width(lines[-1].spans) - 2
    if left < min(len(detail), SHORT_DETAIL) and len(lines) < room:
        below = shorten(detail, look.cells - 2)
        return [*lines, Line((Span("  "), Span(below, style)))]
    if left < 1:
        return lines
    behind = (*lines[-1].spans, Span("  "), Span(shorten(detail, left), style))
    return [*lines[:-1], Line(behind)]


def _detail(health: Health, look: Look) -> str:
    if health.state == "live":
        return ""
    when = []
    if not isinf(health.retry_at):
        when.append(f"again in {age(max(0.0, health.retry_at - look.monotonic))}")
    if health.attempt is not None and health.attempt > 1:
        when.append(f"attempt {health.attempt}")
    return safe_text(": ".join(filter(None, (", ".join(when), health.detail))), MAX_CELLS)
