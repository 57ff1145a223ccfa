"""The fills of a stretch of time, read over REST.

The one rule: what could not be read is told with its time, and nothing is called whole without proof.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from privstream.app.symbols import all_names
from privstream.connection.clock import Clock
from privstream.connection.ports import RestClient
from privstream.connection.rest.job import PATIENT, Job
from privstream.exchanges.base import Exchange
from privstream.memory.event_maker import View
from privstream.memory.ledger import Ledger
from privstream.model.errors import Interrupted, Refused, Unreachable
from privstream.model.events import Trade
from privstream.model.fill_report import Missing
from privstream.model.reports import Backfill, Fill, Known, Listed
from privstream.model.rest import RestFlow
from privstream.model.times import from_nanos, to_nanos

CHANNELS = ("trades",)
SLICE = 0.05
"""Seconds between two looks at what REST has answered."""


@dataclass(frozen=True)
class Period:
    """From when to when, nanoseconds since the epoch."""

    since_ns: int
    until_ns: int

    def has(self, time: str | None) -> bool:
        return time is not None and self.since_ns <= to_nanos(time) <= self.until_ns


@dataclass
class Past:
    """What was read of one account."""

    account: str
    exchange: str
    fills: list[Trade] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    proven_until: str | None = None
    """Until then nothing is missing but what is said to be; `None` where that cannot be known."""
    refusal: Refused | None = None
    """What the exchange does not let this key read."""

    def take(self, fill: Trade, period: Period) -> None:
        """Keep a fill, if it is of the period."""
        if period.has(fill.time):
            self.fills.append(fill)
        elif fill.time is None:
            why = f"the fill {fill.trade_id} has no time"
            self.missing.append(missing_throughout(self.account, period, why))


def missing_throughout(account: str, period: Period, why: str) -> Missing:
    """Something is missing, nobody knows from which part of the period."""
    return Missing(account, from_nanos(period.since_ns), from_nanos(period.until_ns), why)


Tell = Callable[[int, int, str | None, str | None], None]
"""Is told how many pages and facts were read, the time of the last, and why it is tried again."""


class OverRest:
    """Reads one account's fills back."""

    def __init__(
        self,
        exchange: Exchange,
        rest: RestClient,
        clock: Clock,
        *,
        stop: threading.Event,
        check: Callable[[], None],
        tell: Tell,
    ) -> None:
        self._exchange = exchange
        self._stop = stop
        self._rest = rest
        self._clock = clock
        self._check = check
        self._tell = tell
        self._facts = 0

    def read(self, period: Period, symbols: Iterable[str] = ()) -> Past:
        """All of the period, as far as the exchange tells it."""
        name, account = self._exchange.name, self._exchange.account.name
        past = Past(account, name)
        view = View(
            exchange=name,
            account=account,
            channels=frozenset(CHANNELS),
            symbols=all_names(type(self._exchange), symbols),
        )
        # One nanosecond earlier: what happened at that very moment is of the period.
        ledger = Ledger(view, from_nanos(period.since_ns - 1000))
        asked_ns = self._clock.now().wall_ns + self._rest.skew_ns
        found = self._history(period, ledger)
        now = from_nanos(self._clock.now().wall_ns)
        for event in (event for report in found.reports for event in ledger.take(report, now)):
            if isinstance(event, Trade):
                past.take(event, period)
        if not found.complete:
            why = found.detail or "not everything could be read"
            past.missing.append(missing_throughout(account, period, why))
        past.refusal = next((one for one in found.problems if isinstance(one, Refused)), None)
        surely = asked_ns - round(self._exchange.limits.rest_lag * 1e9)
        past.proven_until = from_nanos(min(period.until_ns, surely))
        return past

    def _history(self, period: Period, ledger: Ledger) -> Backfill:
        known = Known(
            since_ns=period.since_ns,
            until_ns=period.until_ns,
            channels=CHANNELS,
            symbols=self._seen_symbols(ledger),
        )
        try:
            return self._run(self._exchange.backfill(known))
        except (Refused, Unreachable) as problem:
            if isinstance(problem, Interrupted):
                raise
            why = f"could not be read: {problem.message}"
            return Backfill((), complete=False, detail=why, problems=(problem,))

    def _seen_symbols(self, ledger: Ledger) -> frozenset[str]:
        """Of the open orders, where histories are listed by symbol."""
        if not self._exchange.snapshot_over_rest:
            return frozenset()
        try:
            picture = self._run(self._exchange.picture(("orders",)))
        except (Refused, Unreachable):  # the history says so, too
            return frozenset()
        now = from_nanos(self._clock.now().wall_ns)
        for report in picture.reports:
            # The fills that open orders had are told as fills of the period, or not at all.
            if not isinstance(report, Listed | Fill):
                ledger.take(report, now)
        return frozenset(ledger.symbols)

    def _run(self, flow: RestFlow[Backfill]) -> Backfill:
        """Drive it; a call that fails for a passing reason is made again."""
        job = self._rest.start(flow, PATIENT)
        try:
            while not job.poll():
                self._check()
                self._say(job)
                self._clock.wait(min(max(job.patience, SLICE), 1.0), self._stop)
        except BaseException:
            job.interrupt(Interrupted("stopped", cause="stopped"))
            raise
        return job.result()

    def _say(self, job: "Job[Backfill]") -> None:
        self._facts += len(job.take_pages())
        self._tell(job.answers, self._facts, job.reached, job.trouble)
