"""Compares now and then what the stream told with what REST says: finds a single lost frame.

The one rule: what REST told and the stream did not is lost only when the stream has still not
told it after the time that either may lag behind the other, and after everything that the
exchange had sent until the look was delivered. It is told in any case, and has its gap.
Read beside the stream, within what the request budget leaves. Runs in the account's thread.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from msgspec.structs import replace

from privstream.connection.account.context import Context
from privstream.connection.account.conversation import Conversation
from privstream.connection.account.readings import together, vanished
from privstream.connection.rest.job import ASIDE, Job
from privstream.model.errors import Interrupted, Refused, Unreachable
from privstream.model.exact import normal
from privstream.model.reports import (
    AnyReport,
    Backfill,
    BalanceReport,
    Fill,
    Listed,
    OrderReport,
)
from privstream.model.rest import Now, RestFlow
from privstream.model.times import to_nanos

GRACE = 10.0
"""Seconds at least that stream and REST may lag behind each other."""
DRIFT = "drift"
STREAM, BALANCES = "the stream is", "balances are"


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


@dataclass
class Look:
    """What one comparison read."""

    since_ns: int
    until_ns: int
    found: Backfill | None = None
    balances: tuple[BalanceReport, ...] = ()
    refused: dict[str, str] = field(default_factory=dict)


class Audit:
    """When to compare, what was found to differ, and until when all is known to agree."""

    def __init__(self, context: Context, every: float, start_ns: int) -> None:
        self._context = context
        self._every = every
        self._grace = max(GRACE, context.rest_lag)
        self._doubts: list[Doubt] = []
        self._unequal: list[Unequal] = []
        """A second reading decides which of the two was old."""
        self._settle_at: float | None = None
        self._nowhere: dict[str, float] = {}
        """Orders held as open that no look has found since then (monotonic)."""
        self.looked = context.clock.now()
        """When the last look asked."""
        self._due = context.now + every
        self._refused: set[str] = set()
        self._reading: Job[Look] | None = None
        self._rereading: Job[tuple[BalanceReport, ...]] | None = None
        self.streamed_since_ns = 0
        """What is older than the first login was nobody's to tell."""
        self.since_ns = start_ns
        """The next comparison reads from there."""
        self.compared_ns = start_ns
        """From there the last one read."""
        self.settled_ns = start_ns
        """Until then all that REST told was told by us, too."""

    @property
    def is_on(self) -> bool:
        """What was lost is found by it some day."""
        return self._every > 0 and STREAM not in self._refused

    @property
    def jobs(self) -> list[Job[Any]]:
        """What is read just now."""
        return [job for job in (self._reading, self._rereading) if job is not None]

    @property
    def is_reading(self) -> bool:
        """Something is read just now."""
        return self._reading is not None or self._rereading is not None

    def is_idle(self, now: float) -> bool:
        """Nothing is read or to be settled, and no look is due at this moment (monotonic)."""
        is_due = self._every > 0 and now >= self._due
        return not (self.is_reading or self._settle_at is not None or is_due)

    @property
    def until_ns(self) -> int:
        """When the last look was, by the exchange's clock."""
        return self._context.times.of(self.looked)

    def starts_at(self, start_ns: int) -> None:
        """Nothing before that moment is compared."""
        self.since_ns = self.compared_ns = self.settled_ns = start_ns

    def was_read(self, since_ns: int, until_ns: int) -> None:
        """All of this time was read back, and proven to be whole."""
        if since_ns <= self.settled_ns:
            self.settled_ns = max(self.settled_ns, until_ns)

    def interrupt(self) -> None:
        """The connection is gone that was compared."""
        for job in self.jobs:
            job.interrupt(Interrupted("the connection is gone"))
        self._reading = self._rereading = None

    def poll(self) -> None:
        """Hear what REST has answered."""
        for job in self.jobs:
            job.poll()

    def step(self, talk: Conversation) -> bool:
        """Go on as far as that takes no waiting; true when something was lost and is told now."""
        if self._reading is not None:
            if self._reading.is_over:
                self._take(self._reading)
        elif self._rereading is not None:
            if self._rereading.is_over:
                return self._heal(_balances_of(self._rereading))
        elif self._settle_at is not None:
            return self._can_settle(talk) and self._settle()
        elif self._every > 0 and self._context.now >= self._due:
            self._look()
        return False

    # --- comparing -------------------------------------------------------------------------

    def _look(self) -> None:
        context = self._context
        self._due = context.now + self._every
        self.looked = context.clock.now()
        self._reading = context.start(self._everything(context.times.now()), ASIDE)

    def _everything(self, until_ns: int) -> RestFlow[Look]:
        look = Look(self.since_ns, until_ns)
        if STREAM not in self._refused:
            try:
                look.found = yield from self._all_that_happened()
            except Refused as problem:
                look.refused[STREAM] = problem.message
        if "balances" in self._context.channels and BALANCES not in self._refused:
            try:
                look.balances = yield from self._context.exchange.balances_now()
            except Refused as problem:
                look.refused[BALANCES] = problem.message
        return look

    def _all_that_happened(self) -> RestFlow[Backfill]:
        """What happened since over REST, and what stands."""
        context, exchange = self._context, self._context.exchange
        known = replace(context.known(self.since_ns), suspects=context.ledger.open_orders)
        if exchange.snapshot_over_rest:  # its reading back brings what stands, too
            return (yield from exchange.backfill(known))
        stands = yield from exchange.picture(context.channels)
        listed = {r.order_id for r in stands.reports if isinstance(r, OrderReport)}
        found = yield from exchange.backfill(replace(known, suspects=known.suspects - listed))
        return together([found, stands])

    def _take(self, job: Job[Look]) -> None:
        self._reading = None
        try:
            look = job.result()
        except Unreachable:
            return  # the next comparison reads from the same moment on
        reports = () if look.found is None else look.found.reports
        gone = () if look.found is None else self._gone(look.found, job.begun)
        self.doubt([*reports, *gone], job.begun, look.since_ns)
        self._weigh(look.balances, job.begun)
        if Listed("orders") in reports:
            self._context.held.listed(job.begun)
        self._refused |= look.refused.keys()
        for what, why in look.refused.items():
            text = f"{what} no longer compared with REST: {why}"
            self._context.merging.warn("audit", text)
        if look.found is not None and not look.found.retryable:
            self.since_ns = look.until_ns
            if self._settle_at is None:
                self.settled_ns = look.until_ns

    def _gone(self, found: Backfill, asked: Now) -> tuple[OrderReport, ...]:
        """Orders that nobody knows: that REST lags behind is no excuse any more after a while."""
        self._nowhere = {name: self._nowhere.get(name, asked.monotonic) for name in found.lost}
        limit = asked.monotonic - self._grace
        gone = [name for name, since in self._nowhere.items() if since <= limit]
        unknown = vanished(found, gone, is_listed=False)
        self._context.ledger.doubt_open(report.order_id for report in unknown)
        return unknown

    def _weigh(self, balances: Iterable[BalanceReport], asked: Now) -> None:
        """Note where the stream tells another balance by itself."""
        ledger, digits = self._context.ledger, self._context.exchange.balance_digits
        for report in balances:
            has_moved = self._context.merging.movements.since(asked.monotonic, report)
            if not has_moved and ledger.differs(report, digits):
                self._unequal.append(Unequal(report, self._balance_of(report)))
        self._begin_grace()

    def doubt(self, reports: Iterable[AnyReport | Listed], asked: Now, since_ns: int) -> None:
        """Remember what of these the stream has not told; it gets the grace to do so."""
        self.looked = asked
        is_first = self._settle_at is None
        self.compared_ns = since_ns if is_first else min(since_ns, self.compared_ns)
        movements = self._context.merging.movements
        for report in reports:
            if not isinstance(report, OrderReport | Fill | BalanceReport):
                continue
            read_back = replace(report, source="rest")
            # Where the stream moved meanwhile, it lives, and the answer may be the older word.
            if not isinstance(report, Fill) and movements.since(asked.monotonic, report):
                continue
            if self._was_streamed(report) and self._context.ledger.would_emit(read_back):
                self._doubts.append(Doubt(read_back, self._balance_of(read_back)))
        self._begin_grace()

    def _was_streamed(self, report: AnyReport) -> bool:
        return report.time is None or to_nanos(report.time) >= self.streamed_since_ns

    def _begin_grace(self) -> None:
        if self._doubts or self._unequal:
            self._settle_at = self._context.now + self._grace

    # --- after the grace -------------------------------------------------------------------

    def _can_settle(self, talk: Conversation) -> bool:
        """Stream and REST had their time, and all that the exchange had sent was read."""
        if self._settle_at is None or self._context.now < self._settle_at:
            return False
        delivered = talk.delivered
        return delivered is not None and delivered.monotonic >= self.looked.monotonic

    def _settle(self) -> bool:
        self._unequal = [one for one in self._unequal if self._stands(one)]
        if self._unequal:
            self._rereading = self._context.start(self._context.exchange.balances_now(), ASIDE)
            return False
        return self._heal(())

    def _heal(self, again: Iterable[BalanceReport]) -> bool:
        """Tell what the stream has still not told; true where it surely should have."""
        doubts, unequal = self._doubts, self._unequal
        self._doubts, self._unequal, self._settle_at, self._rereading = [], [], None, None
        repeated = {(report.currency, report.wallet): report for report in again}
        untold: list[AnyReport] = [doubt.report for doubt in doubts if self._is_untold(doubt)]
        untold += [one.report for one in unequal if self._is_repeated(one, repeated)]
        self.settled_ns = self.since_ns
        is_drift = any(map(self._context.exchange.is_streamed, untold))
        if is_drift:
            self._context.merging.count_anew()
        return bool(self._context.merging.take(untold)) and is_drift

    def _is_untold(self, doubt: Doubt) -> bool:
        is_news = self._context.ledger.would_emit(doubt.report)
        return is_news and self._balance_of(doubt.report) == doubt.balance

    def _is_repeated(
        self, one: Unequal, again: Mapping[tuple[str, str | None], BalanceReport]
    ) -> bool:
        """REST repeats itself and the stream stood still: it was the stream that was old."""
        same = again.get((one.report.currency, one.report.wallet))
        is_same = same is not None and normal(same.total) == normal(one.report.total)
        return is_same and self._stands(one)

    def _stands(self, one: Unequal) -> bool:
        return self._balance_of(one.report) == one.balance

    def _balance_of(self, report: AnyReport) -> object:
        if not isinstance(report, BalanceReport):
            return None
        return self._context.ledger.balance(report.currency, report.wallet)


def _balances_of(job: Job[tuple[BalanceReport, ...]]) -> tuple[BalanceReport, ...]:
    """Without an answer nothing is known to differ; the next comparison will see it again."""
    try:
        return job.result()
    except (Refused, Unreachable):
        return ()
