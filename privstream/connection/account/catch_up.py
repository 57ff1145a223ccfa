"""Brings an account back to where nothing is missing after an interruption, and proves it.

The one rule: `complete` is said only after everything the exchange owes has come: its own
lists, every part over REST, and, after the time by which REST may lag, a second look. Until
then the gap is not told; what overtakes it makes the gap say what was not seen.
"""

from enum import Enum
from typing import Any, NamedTuple

from msgspec.structs import replace

from privstream.connection.account.context import Context
from privstream.connection.account.conversation import Conversation
from privstream.connection.account.exchange_time import LastWhole
from privstream.connection.account.readings import is_later, outcome, together, vanished
from privstream.connection.rest.job import ASIDE, Job
from privstream.model.errors import Interrupted
from privstream.model.reports import (
    AnyReport,
    Backfill,
    Fill,
    Known,
    Listed,
    NoticeReport,
    OrderReport,
)
from privstream.model.rest import Now, RestFlow
from privstream.model.times import from_nanos, to_nanos

LISTS_LIMIT = 5.0
"""Seconds after the acknowledgements in which the connection's own lists should have come."""
HOLD_LIMIT = 5.0
"""Seconds that these wait for older facts from REST, to be told in order with them."""
READ_WAITS = 5.0
"""Seconds that what was read over REST waits for older facts, before it is told page by page."""
LOOKS = 3
"""So often REST is looked at a second time while it does not answer."""
LOOK_AGAIN = 15.0
"""Seconds from one of these to the next."""
MARGIN_NS = 5 * 10**9
"""What clocks may differ by unseen, twice."""


NEVER_LISTED = "the new connection never listed all that stands"


class Stage(Enum):
    """How far it is."""

    LISTS = "waiting for the connection's own lists"
    FIRST_LOOK = "reading back"
    LAG = "waiting until REST lags no more"
    SECOND_LOOK = "looking a second time"
    OVER = "over"


class Reading(NamedTuple):
    """A first look under way, which outlives the connection that it was begun on."""

    job: Job[Backfill]
    since_ns: int
    until_ns: int
    """What happened later it does not hold."""
    told: dict[int, AnyReport | Listed]
    """What it brought and was told on its way, by identity."""
    left: float
    """When it was heard last (monotonic)."""


class CatchUp:
    """One stretch of time in which something may have been missed.

    With a cause it ends in a `gap` event. Without one it is history that was asked for, or
    the picture of what stands at the start: these end with a word only where they are not whole.
    """

    def __init__(
        self,
        context: Context,
        since: LastWhole,
        cause: str | None,
        *,
        reads_history: bool = True,
        reads_picture: bool = False,
        reading: Reading | None = None,
        were_open: frozenset[str] = frozenset(),
    ) -> None:
        self._context = context
        self.were_open = were_open | context.ledger.open_orders
        """Orders that were open at its beginning; `were_open`: at that of the one before it."""
        self._since = since
        self._reads_picture = reads_picture
        self.reads_history = reads_history
        self.cause = cause
        self.stage = Stage.LISTS
        self._live_since = 0.0
        self._job: Job[Backfill] | None = None
        self._first: Backfill | None = None
        self._since_ns = since.at_ns
        """Since when the first look read."""
        self._read_until_ns = 0
        """When the first look asked, by the exchange's clock."""
        self._until_ns = 0
        """From then on the stream tells again."""
        self.asked = context.clock.now()
        """When the last look asked."""
        self._due = 0.0
        self._suspects: frozenset[str] = frozenset()
        """Orders that the second look is to find, since the new connection did not list them."""
        self._lists: list[Now] = []
        """When the whole lists of open orders were asked for that have come."""
        self._looks = 0
        """How often REST was looked at a second time."""
        self._was_listed = False
        """At the first look all had come that the connection lists by itself."""
        self._told: dict[int, AnyReport | Listed] = {}
        """What the look under way brought and was told before its end, by identity."""
        self.is_proven = False
        self.may_find_more = False
        """It is not proven for a passing reason: another reading may bring what is missing."""
        self._left = 0.0
        if reading is not None:
            self._job, self._since_ns, self._read_until_ns, self._told, self._left = reading
        self.newer: list[AnyReport | Listed] = []
        """What the second look found that is younger than the interruption: the stream's to tell."""

    # --- how it stands ---------------------------------------------------------------------

    @property
    def is_over(self) -> bool:
        return self.stage is Stage.OVER

    @property
    def is_reading(self) -> bool:
        """What was missed is being read for the first time."""
        return self.reads_history and self.stage in {Stage.LISTS, Stage.FIRST_LOOK}

    @property
    def jobs(self) -> list[Job[Any]]:
        """What is read just now."""
        return [] if self._job is None else [self._job]

    @property
    def progress(self) -> str:
        """How far the look under way is, in words."""
        job = self._job
        if job is None or not job.answers:
            return "reading back"
        pages = f"{job.answers} page{'s' * (job.answers != 1)}"
        facts = f"{job.facts} fact{'s' * (job.facts != 1)}"
        at = "" if job.reached is None else f", at {_minute(job.reached)} UTC"
        since = _minute(from_nanos(self._since_ns))
        return f"reading back from {since}: {pages}, {facts}{at}"

    @property
    def since_ns(self) -> int:
        """From when on something may have been missed."""
        return self._since.at_ns

    @property
    def until_ns(self) -> int:
        """Until when; then the stream tells again."""
        return self._until_ns or self._context.times.now()

    # --- what happens ----------------------------------------------------------------------

    def connected(self) -> None:
        """A connection is live whose lists and stream tell what happens from now on."""
        self._live_since = self._context.now
        job = self._job
        if job is None:
            return
        if self._context.now - self._left < self._context.rest_lag:
            self._until_ns, self.stage = self._context.times.now(), Stage.FIRST_LOOK
        else:  # its last answer is older than any that REST itself would give
            job.interrupt(Interrupted("it was not heard for long"))
            self._job = None

    def hand_over(self) -> Reading | None:
        """The connection broke: the first look goes on, if it is of what happened alone."""
        job = self._job
        if self.stage is not Stage.FIRST_LOOK or job is None or not self.reads_history:
            return None
        if self._reads_picture or self._context.exchange.snapshot_over_rest:
            return None  # of what stands an older answer may say what is no more
        self._tell_pages(at_once=True)
        self._job = None
        return Reading(job, self._since_ns, self._read_until_ns, self._told, self._context.now)

    def was_found(self, asked: Now, until_ns: int) -> None:
        """What was missed was found and told already; only the second look is to come."""
        self.asked, self._until_ns, self.stage = asked, until_ns, Stage.LAG
        self._due = asked.monotonic + self._context.rest_lag

    def poll(self) -> None:
        """Hear what REST has answered."""
        if self._job is not None:
            self._job.poll()

    def step(self, talk: Conversation) -> None:
        """Go on as far as that takes no waiting."""
        match self.stage:
            case Stage.LISTS:
                if talk.is_synced or self._context.now >= self._live_since + LISTS_LIMIT:
                    self._look(talk)
            case Stage.LAG:
                if self._context.now >= self._due:
                    self._look_again(talk)
            case Stage.FIRST_LOOK:
                self._tell_pages()
                self._follow_first(talk)
            case Stage.SECOND_LOOK:
                self._tell_pages()
                self._follow_second(talk)
            case Stage.OVER:
                return
        if self._context.now >= self._live_since + HOLD_LIMIT:
            talk.release()

    # --- the first look --------------------------------------------------------------------

    def _look(self, talk: Conversation) -> None:
        self._since_ns = self._since.at_ns
        known = self._known(talk, self._since_ns)
        self._until_ns = self._read_until_ns = known.until_ns
        self.stage = Stage.FIRST_LOOK
        self._job = self._context.start(self._flow(known, picture=self._reads_picture))

    def _known(self, talk: Conversation, since_ns: int) -> Known:
        listed = talk.oldest_listed_fill
        return replace(
            self._context.known(since_ns),
            fills_since_ns=None if listed is None else to_nanos(listed),
            were_open=self.were_open,
            catches_up=True,
        )

    def _flow(self, known: Known, *, picture: bool) -> RestFlow[Backfill]:
        """What stands, where nobody lists it by himself, and what happened."""
        exchange, found = self._context.exchange, []
        if picture:
            found.append((yield from exchange.picture(known.channels)))
        if self.reads_history:
            found.append((yield from exchange.backfill(known)))
        return together(found)

    def _follow_first(self, talk: Conversation) -> None:
        job = self._job
        if job is None or not job.is_over:
            return
        found, self._job = outcome(job), None
        asked = job.begun.monotonic
        self._context.merging.take(self._untold(found), asked, beside=talk.take_held())
        self._was_listed = talk.is_synced
        if self.reads_history and not (found.is_final and found.complete and talk.is_synced):
            # What was begun on another connection saw nothing of the time until this one.
            latest = max(asked, self._live_since)
            self._first, self.stage, self._due = found, Stage.LAG, latest + self._context.rest_lag
        else:
            self.is_proven = found.complete
            self._end(None if found.complete else found.detail)
        self._note_held(found, job.begun)

    def _tell_pages(self, *, at_once: bool = False) -> None:
        """Fills and orders that were read wait for nothing that takes long, as a call made again."""
        job = self._job
        if job is None or job.is_over:
            return
        if not at_once and self._context.now < job.begun.monotonic + READ_WAITS:
            return
        pages = [r for r in job.take_pages() if isinstance(r, Fill | OrderReport)]
        if self.stage is Stage.SECOND_LOOK:
            pages = [report for report in pages if not self._is_newer(report)]
        self._told |= {id(report): report for report in pages}
        self._context.merging.take(pages, job.begun.monotonic)

    def _untold(self, found: Backfill) -> list[AnyReport | Listed]:
        """What the look that is over brought, but for what was told on its way."""
        told, self._told = self._told, {}
        return [report for report in found.reports if id(report) not in told]

    # --- the second look -------------------------------------------------------------------

    def _look_again(self, talk: Conversation) -> None:
        known = self._known(talk, self._second_since())
        self.stage, self._suspects = Stage.SECOND_LOOK, known.suspects
        # Lists that never came are read over REST, as far as it has them.
        flow = self._flow(replace(known, second_look=True), picture=not talk.is_synced)
        self._job = self._context.start(flow, ASIDE)

    def _second_since(self) -> int:
        """What the first look may not have seen yet."""
        since_ns = self._since.at_ns
        if self._first is None or not self._first.complete or since_ns != self._since_ns:
            return since_ns
        return max(since_ns, self._read_until_ns - round(self._context.rest_lag * 1e9) - MARGIN_NS)

    def _follow_second(self, talk: Conversation) -> None:
        job = self._job
        if job is None or not job.is_over:
            return
        found, self._job, self.asked = outcome(job), None, job.begun
        self._take_second(found)
        self._looks += 1
        if found.retryable and self._looks < LOOKS:
            self.stage, self._due = Stage.LAG, self._context.now + LOOK_AGAIN
            return
        self._tell_vanished(found, talk)
        lacks = [] if talk.is_synced else [NEVER_LISTED]
        lacks += [] if found.complete else [found.detail or "not everything could be read"]
        self.may_find_more = found.retryable or not talk.is_synced
        self.is_proven = not lacks
        self._end("; ".join(lacks) or None)
        self._note_held(found, job.begun)

    def _note_held(self, found: Backfill, asked: Now) -> None:
        """What was not proven may hide an order, until the next lists have it."""
        if Listed("orders") in found.reports:
            self._lists.append(asked)
            self._context.held.listed(asked)
        if self.is_over and self.reads_history and not self.is_proven:
            self._context.held.doubt()
            for moment in self._lists:
                self._context.held.listed(moment)

    def _take_second(self, found: Backfill) -> None:
        """Tell what the first look did not see yet; a state without a time is of before, too."""
        said = () if self._first is None else self._first.reports
        reports = [
            report
            for report in self._untold(found)
            if not (isinstance(report, NoticeReport) and report in said)
        ]
        # What is newer the stream itself should tell: it gets the time for that.
        self.newer += [report for report in reports if self._is_newer(report)]
        old = [report for report in reports if not self._is_newer(report)]
        self._context.merging.take(old, self.asked.monotonic)

    def _is_newer(self, report: AnyReport | Listed) -> bool:
        """It is a fill or an order's state from after the interruption."""
        return is_later(self._until_ns, report)

    def _tell_vanished(self, found: Backfill, talk: Conversation) -> None:
        is_listed = talk.is_synced and not self._context.exchange.snapshot_over_rest
        lost = vanished(found, self._suspects, is_listed=is_listed)
        self._context.merging.take(lost, self.asked.monotonic)

    # --- its end ---------------------------------------------------------------------------

    def end_early(self) -> int | None:
        """The run ends, and the next one goes on where this one is proven; says until when it is.

        What had happened so long before the first look that REST surely told it needs no second.
        """
        first, until_ns = self._first, self._second_since()
        is_whole = first is not None and first.complete and self._was_listed
        if self.cause is None or not is_whole or until_ns <= self.since_ns:
            return None
        detail = "what happened since is read again by the next run with --resume"
        self._until_ns, self.is_proven = until_ns, True
        self._end(detail)
        return until_ns

    def break_off(self, why: str, *, is_last: bool) -> None:
        """Another interruption, or the end of the run, came before it was proven."""
        ends, job = self._ends(), self._job
        if job is not None:
            job.interrupt(Interrupted(why))
            self._context.merging.take(outcome(job).reports, job.begun.monotonic)
        self.may_find_more = True
        # Without a cause it has no gap: that of the interruption goes back as far.
        is_told = self.cause is not None or (is_last and self.reads_history)
        lacks = [] if self._first is None or self._first.complete else [self._first.detail or ""]
        self._end("; ".join([f"{why} {ends}", *filter(None, lacks)]) if is_told else None)

    def _ends(self) -> str:
        """What was not done yet, in words."""
        what = "this interruption" if self.cause else "the history"
        lag = f"REST, which may lag by {self._context.rest_lag:.0f} s, was read a second time"
        match self.stage:
            case Stage.LISTS:
                return f"before {what} could be read back"
            case Stage.LAG if self._first is None or self._first.complete:
                return f"before {lag}"
            case Stage.FIRST_LOOK | Stage.LAG:
                return f"before {what} was read to its end"
            case _:
                return f"while {lag}"

    def _end(self, detail: str | None) -> None:
        self.stage, self._job = Stage.OVER, None
        merging, cause = self._context.merging, self.cause
        if cause is not None:
            complete = self.is_proven
            merging.tell_gap(cause, self.since_ns, self.until_ns, complete=complete, detail=detail)
        elif detail is not None:
            merging.warn("incomplete", f"could not read all that happened or stands: {detail}")

    @property
    def unproven_since(self) -> LastWhole:
        """From when on it has to be read again."""
        if self._first is not None:
            return LastWhole(self._context.times, self._second_since())
        return self._since


def _minute(time: str) -> str:
    return time[:16].replace("T", " ")
