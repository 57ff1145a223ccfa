"""Compares now and then what the stream told with what REST says: finds a single lost frame.

The one rule: what REST told and the stream did not is lost only when the stream has still
not told it after the time that either may lag behind the other. It is told in any case,
since reading may have taken it out of an exchange's own memory. Runs in the account's thread.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from msgspec.structs import replace

from privstream.connection.clock import Clock
from privstream.errors import Refused
from privstream.exchanges.base import Exchange
from privstream.ledger import Ledger
from privstream.times import to_nanos
from privstream.wire import AnyReport, Backfill, BalanceReport, Fill, Listed, OrderReport

GRACE = 10.0
"""Seconds at least that stream and REST may lag behind each other."""
DRIFT = "drift"


class Doubt(NamedTuple):
    """Something that REST told and the stream had not told yet."""

    report: AnyReport
    balance: object
    """What was known of the balance then: when it has moved on, REST's word is old."""


class Audit:
    """When to compare, and what was found to differ."""

    def __init__(self, exchange: Exchange, ledger: Ledger, clock: Clock, every: float) -> None:
        self._ledger = ledger
        self._clock = clock
        self._every = every
        self._polls_balances = exchange.polls_balances
        self._grace = max(GRACE, exchange.limits.rest_lag)
        self._doubts: list[Doubt] = []
        self._settle_at: float | None = None
        self._looked_ns = 0
        self._due = clock.now().monotonic + every
        self.refused: str | None = None
        """Why there are no comparisons any more."""

    @property
    def is_due(self) -> bool:
        """It is time to read what REST says."""
        may = self._every > 0 and self.refused is None and self._settle_at is None
        return may and self._clock.now().monotonic >= self._due

    @property
    def can_settle(self) -> bool:
        """The grace is over for what differed."""
        return self._settle_at is not None and self._clock.now().monotonic >= self._settle_at

    def put_off(self) -> None:
        """Everything was read anew just now: the next comparison is a period away."""
        self._due = self._clock.now().monotonic + self._every

    def look(self, read: Callable[[], Backfill], now_ns: int) -> None:
        """Read, and remember what the stream has not told; `now_ns` by the exchange's clock."""
        self.put_off()
        try:
            found = read()
        except Refused as problem:
            self.refused = problem.message
            return
        self.doubt(found.reports, now_ns)

    def doubt(self, reports: Iterable[AnyReport | Listed], now_ns: int) -> None:
        """Remember what of these the stream has not told; it gets the grace to do so."""
        self._looked_ns = now_ns
        for report in reports:
            if isinstance(report, OrderReport | Fill | BalanceReport):
                read_back = replace(report, source="rest")
                if self._ledger.would_tell(read_back):
                    self._doubts.append(Doubt(read_back, self._balance_of(read_back)))
        if self._doubts:
            self._settle_at = self._clock.now().monotonic + self._grace

    def settle(self) -> tuple[list[AnyReport], bool]:
        """What the stream has still not told, and whether any of it was surely lost."""
        doubts, self._doubts, self._settle_at = self._doubts, [], None
        untold = [
            doubt.report
            for doubt in doubts
            if self._ledger.would_tell(doubt.report)
            and self._balance_of(doubt.report) == doubt.balance
        ]
        return untold, any(self._is_late(report) for report in untold)

    def _balance_of(self, report: AnyReport) -> object:
        if not isinstance(report, BalanceReport):
            return None
        return self._ledger.balance(report.currency, report.wallet)

    def _is_late(self, report: AnyReport) -> bool:
        """The stream should have told it before we looked."""
        if isinstance(report, BalanceReport) and self._polls_balances:
            return False
        if report.time is None:
            return True
        return to_nanos(report.time) < self._looked_ns - round(self._grace * 1e9)
