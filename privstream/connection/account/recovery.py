"""Reads back what an interruption hid, and says in a `gap` event how well that went.

The one rule: `complete` is said only where nothing can have been missed; whatever
fails is in `detail`. Runs in the account's own thread.
"""

from collections.abc import Callable, Iterable
from threading import Event as Flag
from typing import Any

from msgspec.structs import replace

from privstream.connection.account.audit import DRIFT, Audit
from privstream.connection.account.conversation import TICK, Conversation, by_time
from privstream.connection.clock import Clock
from privstream.connection.ports import Outlet, RestClient
from privstream.exchanges.base import Exchange
from privstream.memory.ledger import Ledger
from privstream.model.errors import Interrupted, PrivstreamError, Refused, Unreachable
from privstream.model.reports import (
    AnyReport,
    Backfill,
    BalanceReport,
    Fill,
    Known,
    Listed,
    NoticeReport,
    OrderReport,
)
from privstream.model.rest import Now, RestFlow
from privstream.model.session import Ask
from privstream.model.times import from_nanos, to_nanos

SYNC_LIMIT = 5.0
"""Seconds after the acknowledgements in which the first lists should have come."""
TRIES = 3
READ_BACK_LIMIT = 900.0
"""Seconds: thousands of fills are many pages, and the request budget fills up slowly."""
WAIT = 2.0
MARK_EVERY = 2.0
SKEW = 5.0
"""Seconds that a clock may be off before its owner is told."""
NO_SKEW_NS = 2 * 10**9
"""HTTP tells the time in whole seconds: less than this is no skew."""


class Recovery:
    """What one account may have missed, and how to get it back."""

    def __init__(
        self,
        exchange: Exchange,
        channels: tuple[str, ...],
        ledger: Ledger,
        *,
        rest: RestClient,
        clock: Clock,
        outlet: Outlet,
        stop: Flag,
        since_ns: int | None = None,
        resume_from_ns: int | None = None,
        audit_every: float = 0.0,
    ) -> None:
        self._exchange = exchange
        self._channels = channels
        self._ledger = ledger
        self._rest = rest
        self._clock = clock
        self._outlet = outlet
        self._stop = stop
        self._start = clock.now()
        self._since_ns = since_ns
        self._resume_from_ns = resume_from_ns
        self._whole_ns = resume_from_ns or since_ns or self._start.wall_ns
        """The last moment at which nothing was missing, by the exchange's clock."""
        self._owes_history = False
        """The first look back was begun, and its end was not told."""
        self._marked = 0.0
        self._warned_of_skew = False
        self._cause: str | None = None if resume_from_ns is None else "restart"
        """Why the account is not whole, while it is not."""
        self._second_look: tuple[float, Known, str | None] | None = None
        """When, since when, and the cause of the gap that it tells if it finds something."""
        self._audit = Audit(exchange, ledger, clock, audit_every)
        self._audited_ns = self._compared_ns = self._settled_ns = self._whole_ns

    # --- the supervisor tells --------------------------------------------------------------

    @property
    def reads_first(self) -> bool:
        """History is read before the first connection's own lists are told."""
        return self._since_ns is not None or self._resume_from_ns is not None

    def started(self) -> None:
        """The first login is under way: from here on a loss has a beginning."""
        if not self.reads_first:
            self._whole_ns = self._by_exchange(self._start)
            self._audited_ns = self._compared_ns = self._settled_ns = self._whole_ns
        self._correct_start()
        self._warn_of_skew()

    def _warn_of_skew(self) -> None:
        """Said once: a wrong clock makes logins fail, and misleads who reads `received`."""
        off = self._rest.skew_ns / 1e9
        if abs(off) > SKEW and not self._warned_of_skew:
            self._warned_of_skew = True
            way = "behind" if off > 0 else "ahead of"
            text = f"this computer's clock is {abs(off):.0f} s {way} the exchange's"
            self._take([NoticeReport(level="warning", code="clock_skew", text=text)])

    def _correct_start(self) -> None:
        """The exchange's clock decides what was before the start, once an answer told it."""
        if not self.reads_first and self._ledger.started is not None:
            self._ledger.started = from_nanos(self._by_exchange(self._start))

    def lost(self, problem: Unreachable, heard: Now | None) -> None:
        """A live connection is gone; `heard` is when its last frame came."""
        if self._cause is None and not self._stop.is_set():
            self._cause = problem.cause
            if not self._owes_history:  # else it is read from where it was to begin
                self._whole_ns = self._by_exchange(heard or self._clock.now())

    def catch_up(self, talk: Conversation, *, attempts: int) -> None:
        """After the acknowledgements: get back to where nothing is missing."""
        if self._cause is None:
            self._first_look(talk, late=attempts > 1)
            return
        try:
            self._await_lists(talk)
            known = self._known(talk.oldest_listed_fill())
            found = self._read_back(talk, known)
        except Interrupted:
            # The interruption goes on; what this connection told is told all the same.
            self._outlet.events(talk.release(()))
            talk.resume()
            raise
        self._correct_start()
        self._outlet.events(talk.release(found.reports))
        self._tell_gap(self._cause, found)
        self._owes_history = False
        if found.complete and known.since_ns <= self._settled_ns:
            self._settled_ns = known.until_ns
        self._cause = None
        self._look_again_later(known, "rest_lag")
        talk.resume()

    def give_up(self) -> None:
        """The run ends: what was never read back is not passed over in silence."""
        if self._cause is not None:
            detail = "the run ended before this interruption could be read back"
            self._tell_gap(self._cause, Backfill((), complete=False, detail=detail))
            self._cause = None
        elif self._owes_history:
            detail = "the run ended before the history was read"
            self._say_incomplete(Backfill((), complete=False, detail=detail))

    def step(self, talk: Conversation) -> None:
        """Between frames: look up what could not be told yet, look a second time."""
        if self._ledger.wanted:
            self._look_up(talk)
        while talk.asks:
            self._answer(talk, talk.asks.pop(0))
        if self._second_look is not None:
            self._look_again(talk)
        if self._audit.can_settle:
            self._heal(talk)
        elif self._audit.is_due:
            self._compare(talk)
        self._mark_whole(talk)

    def _mark_whole(self, talk: Conversation) -> None:
        """Say now and then how far everything is delivered, for --resume."""
        heard = talk.heard
        if self._second_look is not None:  # REST may still lag behind what was missed
            return
        if heard is not None and heard.monotonic - self._marked >= MARK_EVERY:
            self._marked = heard.monotonic
            self._outlet.whole(self._surely_whole(heard))

    def _surely_whole(self, heard: Now) -> int:
        """Where no number shows a lost frame, only what was compared with REST is whole."""
        by_exchange = self._by_exchange(heard)
        if self._exchange.numbers_frames or not self._audit.is_on:
            return by_exchange
        return min(by_exchange, self._settled_ns)

    # --- reading back ----------------------------------------------------------------------

    def _first_look(self, talk: Conversation, *, late: bool) -> None:
        """What stands, where the stream does not list it; what happened since the start asked for."""
        exchange = self._exchange
        if not (late or self.reads_first or exchange.lists_fills):
            # Nobody tells of fills from between our start and the login: it starts here, with
            # the last acknowledgement, since what comes after that is streamed.
            self._start = talk.heard or self._clock.now()
            self.started()
        self._owes_history = late or self._since_ns is not None
        with talk.holding():
            if self.reads_first:
                self._await_lists(talk)
            found: list[Backfill] = []
            if exchange.snapshot_over_rest:
                found.append(self._patiently(talk, lambda: exchange.picture(self._channels)))
            if late or self._since_ns is not None:
                known = self._known()
                found.append(self._read_back(talk, known))
                self._look_again_later(known, None)
            reports = tuple(report for one in found for report in one.reports)
            self._outlet.events(talk.release(reports))
            self._owes_history = False
            for one in found:
                self._say_incomplete(one)

    def _say_incomplete(self, found: Backfill) -> None:
        if not found.complete:
            text = f"could not read all that happened or stands: {found.detail}"
            report = NoticeReport(level="warning", code="incomplete", text=text)
            self._outlet.events(self._ledger.take(report, self._now_text()))

    def _now_text(self) -> str:
        return from_nanos(self._clock.now().wall_ns)

    def _await_lists(self, talk: Conversation) -> None:
        deadline = self._clock.now().monotonic + SYNC_LIMIT
        while not talk.is_synced and self._clock.now().monotonic < deadline:
            talk.step(TICK)

    def _known(self, listed_since: str | None = None) -> Known:
        return Known(
            since_ns=self._whole_ns,
            until_ns=self._by_exchange(self._clock.now()),
            channels=self._channels,
            fills_since_ns=None if listed_since is None else to_nanos(listed_since),
            open_orders=self._ledger.open_orders,
            suspects=self._ledger.suspects,
            symbols=frozenset(self._ledger.symbols),
        )

    def _by_exchange(self, moment: Now) -> int:
        skew = self._rest.skew_ns
        return moment.wall_ns + (skew if abs(skew) > NO_SKEW_NS else 0)

    def _read_back(self, talk: Conversation, known: Known) -> Backfill:
        return self._patiently(talk, lambda: self._exchange.backfill(known))

    def _patiently(self, talk: Conversation, flow: Callable[[], RestFlow[Backfill]]) -> Backfill:
        """Run a flow, some times if need be; what is refused or stays out of reach is said."""
        problem: PrivstreamError | None = None
        for _ in range(TRIES):
            try:
                return self._rest.run(flow(), idle=talk.pump, deadline=READ_BACK_LIMIT)
            except Refused as refusal:
                problem = refusal
                break
            except Interrupted:  # our own socket broke while we pumped it
                raise
            except Unreachable as outage:
                problem = outage
                self._pause(talk, max(outage.floor, WAIT))
        hint = f" ({problem.hint})" if problem and problem.hint else ""
        return Backfill((), complete=False, detail=f"could not read back: {problem}{hint}")

    def _pause(self, talk: Conversation, seconds: float) -> None:
        deadline = self._clock.now().monotonic + seconds
        while self._clock.now().monotonic < deadline:
            if self._clock.wait(TICK, self._stop):
                raise Interrupted("stopped", cause="stopped")
            talk.pump()

    def _tell_gap(self, cause: str, found: Backfill) -> None:
        gap = self._ledger.gap(
            cause,
            from_nanos(self._whole_ns),
            from_nanos(self._by_exchange(self._clock.now())),
            complete=found.complete,
            detail=found.detail,
        )
        self._outlet.events([gap])

    # --- afterwards ------------------------------------------------------------------------

    def _look_again_later(self, known: Known, cause: str | None) -> None:
        """REST may lag behind the stream, so one look may be too early."""
        due = self._clock.now().monotonic + self._exchange.limits.rest_lag
        self._second_look = (due, known, cause)

    def _look_again(self, talk: Conversation) -> None:
        if self._second_look is None or self._clock.now().monotonic < self._second_look[0]:
            return
        _, known, cause = self._second_look
        self._second_look = None
        self._ledger.count_anew()
        with talk.holding():
            found = self._read_back(talk, replace(known, second_look=True))
            late = [r for r in found.reports if _happened_by(known.until_ns, r)]
            self._outlet.events(talk.release(tuple(late)))
            # What is newer the stream itself should tell: it gets the time for that.
            newer = (r for r in found.reports if not _happened_by(known.until_ns, r))
            self._audit.doubt(newer, self._by_exchange(self._clock.now()))
            if cause is not None and self._ledger.has_recovered:
                self._tell_gap(cause, found)

    def _compare(self, talk: Conversation) -> None:
        """Read what REST says; what the stream has not told gets some time to be told."""
        since_ns, now_ns = self._audited_ns, self._by_exchange(self._clock.now())
        refused: list[str | None] = []
        with talk.holding():
            try:
                refused.append(self._audit.look(lambda: self._read_all(talk, since_ns), now_ns))
                refused.append(self._audit.weigh(lambda: self._read_balances(talk)))
            except Interrupted:
                raise
            except Unreachable:
                return  # the next comparison reads from the same moment on
        self._audited_ns = now_ns
        self._compared_ns = since_ns
        if not self._audit.is_settling:
            self._settled_ns = now_ns
        for what, why in zip(("the stream is", "balances are"), refused, strict=True):
            if why is not None:
                text = f"{what} no longer compared with REST: {why}"
                self._take([NoticeReport(level="warning", code="audit", text=text)])

    def _heal(self, talk: Conversation) -> None:
        """Tell what the stream did not; where it was surely lost, say so."""
        untold, is_drift = self._audit.settle(lambda: self._read_balances_again(talk))
        self._ledger.count_anew()
        self._take(sorted(untold, key=by_time))
        self._settled_ns = self._audited_ns
        if is_drift and self._ledger.has_recovered:
            self._whole_ns = self._compared_ns
            self._tell_gap(DRIFT, Backfill((), complete=True))

    def _read_balances(self, talk: Conversation) -> tuple[BalanceReport, ...]:
        """What REST says of balances that the stream tells."""
        if "balances" not in self._channels:
            return ()
        return self._rest.run(self._exchange.balances_now(), idle=talk.pump)

    def _read_balances_again(self, talk: Conversation) -> tuple[BalanceReport, ...]:
        """Without an answer nothing is known to differ; the next comparison will see it again."""
        with talk.holding():
            try:
                return self._read_balances(talk)
            except Interrupted:
                raise
            except (Refused, Unreachable):
                return ()

    def _read_all(self, talk: Conversation, since_ns: int) -> Backfill:
        """What happened since over REST, and what stands."""
        exchange = self._exchange
        known = replace(self._known(), since_ns=since_ns, suspects=self._ledger.open_orders)
        found = self._rest.run(exchange.backfill(known), idle=talk.pump, deadline=READ_BACK_LIMIT)
        if exchange.snapshot_over_rest:  # its backfill has read what stands, too
            return found
        stands = self._rest.run(exchange.picture(self._channels), idle=talk.pump)
        problems = (*found.problems, *stands.problems)
        reports = (*found.reports, *stands.reports)
        return Backfill(reports, complete=found.complete, problems=problems)

    def _look_up(self, talk: Conversation) -> None:
        """Ask for the orders whose updates make no sense alone; tell them either way."""
        order_ids = sorted(self._ledger.wanted)
        what = f"order {', '.join(order_ids)}"
        with talk.holding():
            found = self._ask(talk, self._exchange.look_up(order_ids), what)
            self._take(found)
            self._outlet.events(self._ledger.settle(self._now_text()))

    def _answer(self, talk: Conversation, ask: Ask) -> None:
        with talk.holding():
            self._take(self._ask(talk, ask.flow, ask.what))

    def _take(self, found: Iterable[AnyReport | Listed]) -> None:
        now = self._now_text()
        self._outlet.events([event for report in found for event in self._ledger.take(report, now)])

    def _ask(
        self, talk: Conversation, flow: RestFlow[tuple[Any, ...]], what: str
    ) -> Iterable[AnyReport | Listed]:
        try:
            return self._rest.run(flow, idle=talk.pump)
        except Interrupted:
            raise
        except (Refused, Unreachable) as problem:
            # What waits for it is told as far as it is known: its nulls say what is missing.
            text = f"could not look up {what}: {problem.message}"
            return (NoticeReport(level="warning", code="look_up", text=text),)


def _happened_by(until_ns: int, report: AnyReport | Listed) -> bool:
    """It is a fill or an order's state from before that moment, by the exchange's clock."""
    if isinstance(report, Fill):
        time = report.time
    elif isinstance(report, OrderReport):
        time = report.time or report.fields.get("created")
    else:
        return False
    return time is not None and to_nanos(time) <= until_ns
