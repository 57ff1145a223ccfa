"""What one account may have missed: who reads it back when, and until when nothing is missing.

The one rule: the stream never waits; whatever reads over REST goes on beside it, a step at a
time, and the end of an interruption is told by what proved it. Runs in the account's own thread.
"""

from threading import Event as Flag

from privstream.connection.account.audit import DRIFT, Audit
from privstream.connection.account.catch_up import CatchUp
from privstream.connection.account.context import Context
from privstream.connection.account.conversation import Conversation
from privstream.connection.account.exchange_time import ExchangeTime, LastWhole
from privstream.connection.account.held_orders import HeldOrders
from privstream.connection.account.merging import Merging
from privstream.connection.account.questions import Questions
from privstream.connection.clock import Clock
from privstream.connection.ports import Outlet, RestClient
from privstream.exchanges.base import Exchange
from privstream.memory.ledger import Ledger
from privstream.model.errors import Unreachable
from privstream.model.rest import Now
from privstream.model.times import from_nanos

MARK_EVERY = 2.0
POLL = 0.05
"""Seconds that the socket is waited for while an answer of REST may come."""
SKEW = 5.0
"""Seconds that a clock may be off before its owner is told."""


class Recovery:
    """Keeps one account whole."""

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
        times = ExchangeTime(rest, clock)
        self.merging = Merging(ledger, outlet, clock)
        self._context = Context(
            exchange=exchange,
            channels=channels,
            ledger=ledger,
            rest=rest,
            clock=clock,
            times=times,
            merging=self.merging,
            held=HeldOrders(ledger, times, exchange.limits.rest_lag),
        )
        self._stop = stop
        self._start = clock.now()
        self._since_ns = since_ns
        self._resume_from_ns = resume_from_ns
        begin = resume_from_ns or since_ns or self._start.wall_ns
        self._whole = LastWhole(times, begin)
        self._owed_ns: int | None = None
        """From there something may be missing that another reading may yet bring."""
        self._marked = 0.0
        self._delivered: Now | None = None
        """What was known of it at the last look."""
        self._ahead_ns: int | None = None
        """How far the exchange's clock was known to be ahead when we looked last."""
        self._warned_of_skew = False
        self._has_been_live = False
        self._catch_up: CatchUp | None = None
        self._lists_of: Conversation | None = None
        """The connection whose own lists have come."""
        self._questions = Questions(self._context)
        self._audit = Audit(self._context, audit_every, begin)
        if resume_from_ns is not None:
            self._catch_up = CatchUp(self._context, self._whole, "restart")

    # --- the supervisor tells --------------------------------------------------------------

    @property
    def holds_lists(self) -> bool:
        """What the next connection lists by itself is told in order with what is read back."""
        return self._has_been_live or self._reads_first

    @property
    def _reads_first(self) -> bool:
        return self._since_ns is not None or self._resume_from_ns is not None

    def starts(self, login: Now, *, attempts: int) -> None:
        """The first login is under way: from here on a loss has a beginning."""
        if self._starts_with_login(attempts):
            # Nobody tells of fills from between our start and the login: it starts here. Not
            # with its acknowledgement, since what comes along with that is streamed already.
            self._start = login
        if not self._reads_first:
            self._whole = LastWhole(self._context.times, self._context.times.of(self._start))
            self._audit.starts_at(self._whole.at_ns)
        self._ahead_ns = None
        self._look_at_the_clock()

    def _starts_with_login(self, attempts: int) -> bool:
        lists_fills = self._context.exchange.lists_fills
        return not (self._reads_first or attempts > 1 or lists_fills)

    def connected(self, *, attempts: int) -> None:
        """Login and subscriptions were acknowledged: from now on the stream tells."""
        if not (self._has_been_live or self._reads_first or attempts > 1):
            self._audit.streamed_since_ns = self._context.times.now()
        if not self._has_been_live and self._catch_up is None:
            self._catch_up = self._beginning(late=attempts > 1)
        if not self._has_been_live and (ask := self._context.exchange.first_question()):
            self._questions.put(ask)
        self._has_been_live = True
        if self._catch_up is not None:
            self._catch_up.connected()

    def _beginning(self, *, late: bool) -> CatchUp | None:
        """What is read at the start: history that was asked for, what stands, or nothing."""
        history = late or self._since_ns is not None
        picture = self._context.exchange.snapshot_over_rest
        if not (history or picture):
            return None
        return CatchUp(
            self._context, self._whole, None, reads_history=history, reads_picture=picture
        )

    def lost(self, problem: Unreachable, delivered: Now | None) -> None:
        """A live connection is gone; until `delivered` all had come that the exchange had to tell."""
        self._stop_asking()
        if self._stop.is_set():
            return
        reading, were_open = None, frozenset[str]()
        if self._catch_up is None:
            self._whole.reached(delivered)
            self._believe_the_audit()
        else:
            reading = self._catch_up.hand_over()
            self._catch_up.break_off("the connection broke again", is_last=False)
            self._owe(self._catch_up)
            self._whole = self._catch_up.unproven_since
            were_open = self._catch_up.were_open
        self.merging.count_anew()
        self._catch_up = CatchUp(
            self._context, self._whole, problem.cause, reading=reading, were_open=were_open
        )

    def give_up(self) -> None:
        """The run ends: what was never proven is not passed over in silence."""
        self._stop_asking()
        catch_up, self._catch_up = self._catch_up, None
        if catch_up is None or self._ends_early(catch_up):
            return
        catch_up.break_off("the run ended", is_last=True)

    def _ends_early(self, catch_up: CatchUp) -> bool:
        """The rest is left to the next run, which begins at the last moment that is proven."""
        if self._resume_from_ns is None or (until_ns := catch_up.end_early()) is None:
            return False
        if self._owed_ns is None and not self._context.ledger.wanted:
            self.merging.whole(until_ns)
        return True

    def _stop_asking(self) -> None:
        self._questions.forget()
        self._audit.interrupt()

    # --- between frames --------------------------------------------------------------------

    @property
    def is_reading(self) -> bool:
        """Something is read over REST just now, so the socket is not waited for long."""
        return bool(
            (self._catch_up is not None and self._catch_up.jobs)
            or self._questions.is_asking
            or self._audit.is_reading
        )

    @property
    def _reading_since(self) -> float | None:
        """When the first of the readings under way began (monotonic); `None` where there is none."""
        if not self.is_reading:
            return None
        jobs = [*self._questions.jobs, *self._audit.jobs]
        if self._catch_up is not None:
            jobs += self._catch_up.jobs
        return min(job.begun.monotonic for job in jobs)

    @property
    def progress(self) -> str | None:
        """How far what was missed has been read; `None` when there is nothing to wait for."""
        catch_up = self._catch_up
        return catch_up.progress if catch_up is not None and catch_up.is_reading else None

    def step(self, talk: Conversation) -> None:
        """Go on with whatever is read beside the stream."""
        if self._is_quiet(talk):
            return
        self._poll()
        self._note_lists(talk)
        self._questions.step(talk)
        if self._catch_up is not None:
            self._follow(self._catch_up, talk)
        elif self._audit.step(talk):
            self._catch_up = self._drift()
        self.merging.movements.watch(self._reading_since)
        self._delivered = talk.delivered
        self._mark_whole(talk.delivered)

    def _is_quiet(self, talk: Conversation) -> bool:
        """Nothing is read, asked, due or new beside the stream: so it is nearly always."""
        now = self._context.now
        return (
            self._catch_up is None
            and talk.delivered is self._delivered
            and now - self._marked < MARK_EVERY
            and not talk.has_asks
            and not self._context.ledger.wanted
            and self._questions.is_idle
            and self._audit.is_idle(now)
            and (self._lists_of is talk or not talk.is_synced)
            and self._context.times.ahead_ns == self._ahead_ns
        )

    def _note_lists(self, talk: Conversation) -> None:
        """Where the connection itself lists what stands, that has come."""
        if talk.is_synced and self._lists_of is not talk:
            self._lists_of = talk
            if not self._context.exchange.snapshot_over_rest:
                self._context.held.listed(self._context.clock.now(), is_stream=True)

    def _poll(self) -> None:
        self._questions.poll()
        self._audit.poll()
        if self._catch_up is not None:
            self._catch_up.poll()
        # Before anything of it is told: an answer tells the exchange's time, too.
        self._look_at_the_clock()

    def _follow(self, catch_up: CatchUp, talk: Conversation) -> None:
        catch_up.step(talk)
        if not catch_up.is_over:
            return
        self._catch_up = None
        self._lists_of = None  # what it did not prove the connection's own lists make up for
        if catch_up.reads_history:
            self._owe(catch_up)
            self._whole = LastWhole(self._context.times, catch_up.until_ns)
            self._audit.doubt(catch_up.newer, catch_up.asked, catch_up.until_ns)

    def _owe(self, catch_up: CatchUp) -> None:
        """Remember what another reading may yet bring; forget what is proven."""
        since_ns = catch_up.since_ns
        if catch_up.is_proven:
            self._audit.was_read(since_ns, catch_up.until_ns)
            if self._owed_ns is not None and since_ns <= self._owed_ns:
                self._owed_ns = None
        elif catch_up.may_find_more:
            self._owed_ns = min(since_ns, self._owed_ns or since_ns)

    def _drift(self) -> CatchUp:
        """The interruption that nobody noticed: what was lost is told, the proof is to come."""
        audit = self._audit
        drift = CatchUp(self._context, LastWhole(self._context.times, audit.compared_ns), DRIFT)
        drift.was_found(audit.looked, audit.until_ns)
        return drift

    # --- until when all is whole -----------------------------------------------------------

    def _mark_whole(self, delivered: Now | None) -> None:
        """Say now and then how far everything is delivered, for --resume and for the memory."""
        # News of an order that waits for its look-up came, and was not emitted yet.
        if self._catch_up is not None or self._context.ledger.wanted:
            return
        self._whole.reached(delivered)
        self._believe_the_audit()
        if self._context.now - self._marked < MARK_EVERY:
            return
        self._marked = self._context.now
        self.merging.whole(self._surely_whole())

    def _believe_the_audit(self) -> None:
        """What REST repeated is whole, too: a server may never answer what would prove more."""
        lag_ns = round(self._context.rest_lag * 1e9)
        if self._audit.is_on and self._audit.settled_ns - lag_ns > self._whole.at_ns:
            self._whole = LastWhole(self._context.times, self._audit.settled_ns - lag_ns)

    def _surely_whole(self) -> int:
        """Where no number shows a lost frame, only what was compared with REST is whole."""
        audit = self._audit
        if self._owed_ns is not None and audit.settled_ns > self._owed_ns:
            self._owed_ns = None  # an audit has read it
        bounds = [self._whole.at_ns]
        if audit.is_on and not self._context.exchange.numbers_frames:
            bounds.append(audit.settled_ns)
        if self._owed_ns is not None:
            bounds.append(self._owed_ns)
        return min(bounds)

    # --- clocks ----------------------------------------------------------------------------

    def _look_at_the_clock(self) -> None:
        """The exchange's clock decides what was before the start, once an answer told it."""
        ledger, times = self._context.ledger, self._context.times
        if times.ahead_ns == self._ahead_ns:
            return
        self._ahead_ns = times.ahead_ns
        if not self._reads_first and ledger.started is not None:
            ledger.started = from_nanos(times.of(self._start))
        off = times.ahead_ns / 1e9
        if abs(off) > SKEW and not self._warned_of_skew:
            # A wrong clock makes logins fail, and misleads who reads `received`.
            self._warned_of_skew = True
            way = "behind" if off > 0 else "ahead of"
            text = f"this computer's clock is {abs(off):.0f} s {way} the exchange's"
            self.merging.warn("clock_skew", text)
