"""A report as a picture: volume by day, for each quote currency (extra `plot`: matplotlib).

The one rule: a picture is for the eye; its bars are rounded, the table's numbers are not.
"""

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from privstream.model.errors import OutputFailed, UsageError
from privstream.model.fill_report import FillReport
from privstream.outputs.report_table import volumes
from privstream.outputs.safe_text import safe_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DAY = timedelta(days=1)
KINDS = (".png", ".svg")
WIDTH, HEIGHT = 9.0, 3.0
"""Inches: of the picture, and of each of its parts."""


def checked(file: str) -> Path:
    """The path of a picture that can be drawn. Raises UsageError."""
    path = Path(file)
    if path.suffix.lower() not in KINDS:
        raise UsageError(f"--plot draws {' and '.join(KINDS)}", "name the file like report.png")
    try:
        import matplotlib as _  # noqa: F401, ICN001, PLC0415 - only where a picture is wanted
    except ImportError:
        hint = "pip install 'privstream[plot]'; without it the table has bars"
        raise UsageError("--plot needs matplotlib, which is not installed", hint) from None
    return path


def draw(report: FillReport, path: Path) -> None:
    """Write the picture. Raises OutputFailed."""
    figure = _figure(report)
    try:
        figure.savefig(path)
    except OSError as problem:
        raise OutputFailed(f"cannot write {safe_text(str(path))}: {problem.strerror}") from problem


def _figure(report: FillReport) -> "Figure":
    # Figure alone needs no display and leaves no global state, which pyplot does.
    from matplotlib.figure import Figure  # noqa: PLC0415

    by_quote = volumes(report)
    figure = Figure(figsize=(WIDTH, HEIGHT * max(1, len(by_quote))), layout="constrained")
    since, until = (moment[:16].replace("T", " ") for moment in (report.since, report.until))
    figure.suptitle(f"Volume by day, {since} to {until} UTC")
    all_days = [date.fromisoformat(day) for days in by_quote.values() for day in days]
    for number, (quote, days) in enumerate(by_quote.items(), start=1):
        axes: Any = figure.add_subplot(len(by_quote), 1, number)
        # On a scale of time, so that days without a fill are seen to have none.
        when = [date.fromisoformat(day) for day in days]
        axes.bar(when, [float(volume) for volume in days.values()], width=0.8)
        axes.set_xlim(min(all_days) - DAY, max(all_days) + DAY)
        axes.set_ylabel(_literally(quote))
        axes.tick_params(axis="x", rotation=45)
    return figure


def _literally(text: str) -> str:
    """Not as a formula: matplotlib sets what stands between two dollars."""
    return safe_text(text).replace("$", r"\$")
