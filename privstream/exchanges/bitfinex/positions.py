"""What one connection tells of the positions, joined with what earlier ones told.

The one rule: a liquidation price that is not computed is told as null when the position is
news, and asked for either way. Source: docs.bitfinex.com/reference/ws-auth-positions
(checked 2026-11-30).
"""

from collections.abc import Iterator

from privstream.exchanges.bitfinex.calculations import Calculations, of_position
from privstream.exchanges.bitfinex.memory import OpenPositions
from privstream.exchanges.bitfinex.rows import Origin, is_computed
from privstream.model.reports import PositionReport
from privstream.model.rest import Now


class Positions:
    """The positions on one connection."""

    def __init__(self, held: OpenPositions, calculations: Calculations) -> None:
        self._held = held
        self._calculations = calculations

    def take(self, report: PositionReport, now: Now, *, in_list: bool) -> Iterator[PositionReport]:
        """Tell a row, unless a list repeats what is known and leaves out what was computed."""
        report = self._held.named(report)
        is_known = self._held.take(report)
        item = of_position(report.exchange_symbol or "")
        if report.side == "flat":
            self._calculations.drop(item)
        elif is_computed(report.element):
            self._calculations.told(item)
        else:
            self._calculations.want(item, now, changed=not is_known)
            if in_list and is_known:
                self._calculations.keep(item, report)
                return
        yield report

    def gone(self, listed: list[PositionReport], origin: Origin) -> Iterator[PositionReport]:
        """What a complete list left out."""
        for closed in self._held.gone(listed, origin):
            self._calculations.drop(of_position(closed.exchange_symbol or ""))
            yield closed
