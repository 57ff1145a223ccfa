"""What one connection tells of the positions, joined with what earlier ones told.

The one rule: a liquidation price that is not computed is asked for. Source: docs.bitfinex.com/reference/ws-auth-positions
(checked 2026-11-30).
"""

from collections.abc import Iterable

from privstream.exchanges.bitfinex.calculations import Calculations, of_position
from privstream.exchanges.bitfinex.memory import OpenPositions
from privstream.exchanges.bitfinex.rows import is_computed
from privstream.model.reports import Listed, PositionReport
from privstream.model.rest import Now


class Positions:
    """The positions on one connection."""

    def __init__(self, held: OpenPositions, calculations: Calculations) -> None:
        self._held = held
        self._calculations = calculations

    def take(self, report: PositionReport, now: Now) -> PositionReport:
        """The row to tell."""
        report = self._held.named(report)
        is_known = self._held.take(report)
        if report.exchange_symbol is None:
            return report  # it cannot be asked for
        item = of_position(report.exchange_symbol)
        if report.side == "flat":
            self._calculations.drop(item)
        elif is_computed(report.element):
            self._calculations.told(item)
        else:
            self._calculations.want(item, now, changed=not is_known)
        return report

    def listed(self, reports: Iterable[PositionReport]) -> Listed:
        """The list was complete."""
        positions = list(reports)
        self._held.keep_only(positions)
        names = (position.position_id or position.exchange_symbol or "" for position in positions)
        return Listed("positions", frozenset((name, None) for name in names))
