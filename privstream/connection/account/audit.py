"""Compares now and then what the stream told with what REST says: finds a single lost frame.

The one rule: what REST told and the stream did not is lost only when the stream has still
not told it after the time that either may lag behind the other. It is told in any case,
since reading may have taken it out of an exchange's own memory. Runs in the account's thread.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from privstream.connection.clock import Clock
from privstream.exchanges.base import Exchange
from privstream.memory.ledger import Ledger
from privstream.model.errors import Refused
from privstream.model.exact import normal
from privstream.model.reports import AnyReport, Backfill, BalanceReport, Fill, Listed, OrderReport
from privstream.model.times import to_nanos

GRACE = 10.0
"""Seconds at least that stream and REST may lag behind each other."""
DRIFT = "drift"
Balances = Callable[[], Iterable[BalanceReport]]


class Doubt(NamedTuple):
    """Something that REST told and the stream had not told yet."""

    report: AnyReport
    balance: object
    """What was known of the balance then: when it has moved on, REST's word is old."""


class Unequal(NamedTuple):
    """A balance of which REST tells another total than the stream did last."""

    report: BalanceReport
    balance: object
    """As of a doubt."""


class Audit:
    """When to compare, and what was found to differ."""

    def __init__(self, exchange: Exchange, ledger: Ledger, clock: Clock, every: float) -> None:
        self._ledger = ledger
        self._clock = clock
        self._every = every
        self._polls_balances = exchange.polls_balances
        self._digits = exchange.balance_digits
        self._grace = max(GRACE, exchange.limits.rest_lag)
        self._doubts: list[Doubt] = []
        self._unequal: list[Unequal] = []
        """A second reading decides which of the two was old."""
        self._settle_at: float | None = None
        self._looked_ns = 0
        self._due = clock.now().monotonic + every
        self._refused: set[str] = set()

    @property
    def is_due(self) -> bool:
        """It is time to read what REST says."""
        return (
            self._every > 0 and self._settle_at is None and self._clock.now().monotonic >= self._due
        )

    @property
    def is_on(self) -> bool:
        """What was lost is found by it some day."""
        return self._every > 0 and "all" not in self._refused

    @property
    def is_settling(self) -> bool:
        """Something differed, and the stream has the grace to tell it yet."""
        return self._settle_at is not None

    @property
    def can_settle(self) -> bool:
        """The grace is over for what differed."""
        return self._settle_at is not None and self._clock.now().monotonic >= self._settle_at

    def put_off(self) -> None:
        """Everything was read anew just now: the next comparison is a period away."""
        self._due = self._clock.now().monotonic + self._every

    # --- comparing -------------------------------------------------------------------------

    def look(self, read: Callable[[], Backfill], now_ns: int) -> str | None:
        """Read, and remember what the stream has not told; `now_ns` by the exchange's clock.

        Returns why it is not done any more, the one time that it is refused.
        """
        self.put_off()
        if "all" in self._refused:
            return None
        try:
            found = read()
        except Refused as problem:
            self._refused.add("all")
            return problem.message
        self.doubt(found.reports, now_ns)
        for failed in found.problems:
            if failed.retryable:  # the next comparison reads from the same moment on
                raise failed
            if not found.reports:
                self._refused.add("all")
                return failed.message
        return None

    def weigh(self, read: Balances) -> str | None:
        """The same with balances that the stream tells by itself."""
        if "balances" in self._refused:
            return None
        try:
            found = read()
        except Refused as problem:
            self._refused.add("balances")
            return problem.message
        for report in found:
            if self._ledger.differs(report, self._digits):
                self._unequal.append(Unequal(report, self._balance_of(report)))
        self._begin_grace()
        return None

    def doubt(self, reports: Iterable[AnyReport | Listed], now_ns: int) -> None:
        """Remember what of these the stream has not told; it gets the grace to do so."""
        self._looked_ns = now_ns
        for report in reports:
            if isinstance(report, OrderReport | Fill | BalanceReport):
                read_back = replace(report, source="rest")
                if self._ledger.would_tell(read_back):
                    self._doubts.append(Doubt(read_back, self._balance_of(read_back)))
        self._begin_grace()

    def _begin_grace(self) -> None:
        if self._doubts or self._unequal:
            self._settle_at = self._clock.now().monotonic + self._grace

    # --- after the grace -------------------------------------------------------------------

    def settle(self, read: Balances) -> tuple[list[AnyReport], bool]:
        """What the stream has still not told, and whether any of it was surely lost.

        `read` reads the balances again, where that is needed.
        """
        doubts, self._doubts, self._settle_at = self._doubts, [], None
        unequal = self._still_unequal(read)
        untold = [
            doubt.report
            for doubt in doubts
            if self._ledger.would_tell(doubt.report)
            and self._balance_of(doubt.report) == doubt.balance
        ]
        late = any(self._is_late(report) for report in untold)
        return [*untold, *unequal], late or bool(unequal)

    def _still_unequal(self, read: Balances) -> list[BalanceReport]:
        """Where REST repeats itself and the stream stood still, it was the stream that was old."""
        unequal, self._unequal = [one for one in self._unequal if self._stands(one)], []
        if not unequal:
            return []
        again = {(report.currency, report.wallet): report for report in read()}
        return [
            one.report for one in unequal if self._stands(one) and _is_repeated(one.report, again)
        ]

    def _stands(self, one: Unequal) -> bool:
        return self._balance_of(one.report) == one.balance

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


def _is_repeated(
    report: BalanceReport, again: Mapping[tuple[str, str | None], BalanceReport]
) -> bool:
    same = again.get((report.currency, report.wallet))
    return same is not None and normal(same.total) == normal(report.total)
