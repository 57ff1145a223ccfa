"""Carries rows from the outboxes to one sink, in a thread of its own.

The one rule: a row is acknowledged only after the sink took it or a file of dead letters did.
Between the two a crash makes it come again; nothing makes it go away.
"""

import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Protocol, TypeAlias

from msgspec import Struct

from privstream.delivery.outbox import BATCH, Outbox
from privstream.delivery.spool import Buffer
from privstream.model.errors import ConfigError, PrivstreamError
from privstream.outputs.sinks.base import Connecting, OneByOne, Rejected, Retry, Row, Sink

FIRST_WAIT = 1.0
LONGEST_WAIT = 300.0
"""Seconds between two attempts: doubled each time, with jitter."""
SLICE = 0.05
"""Seconds: how often who waits for it at the end looks whether it has given up."""
IDLE = 1.0
"""Seconds: how often it looks around when nobody wakes it."""


class DeadLetters(Protocol):
    """Where rows go that a sink refuses for good."""

    def keep(self, row: Row, why: str, attempts: int) -> None:
        """Write it down; it is on the disk when this returns. Raises OutputFailed."""


class Source(Struct, frozen=True):
    """The outbox of an account."""

    path: Path
    exchange: str
    account: str


Opened: TypeAlias = dict[str, tuple[Source, Outbox]]
"""By account."""


class Health(Struct):
    """How a sink does, for whoever watches the service."""

    sent: int = 0
    dead: int = 0
    errors: int = 0
    """Attempts that failed; of these `settled`, which only a person can mend."""
    settled: int = 0
    is_up: bool = True
    problem: str | None = None
    oldest: str | None = None
    """When the first of what waits was received; looked up where it is not taken."""


class Courier:
    """One sink's deliveries. `step` does one round; `start` runs rounds in a thread."""

    def __init__(
        self,
        name: str,
        sink: Sink,
        sources: Sequence[Source],
        buffer: Buffer,
        *,
        wanted: Callable[[Row], bool],
        dead_letters: DeadLetters,
        say: Callable[[str], None],
        where: str,
        patience: float = 0.0,
    ) -> None:
        """`name` is what its place is kept under, `where` what messages call it.

        `patience`: how many seconds the sink itself may wait for an answer.
        """
        self.patience = patience
        self.name = name
        self.where = where
        self.health = Health()
        self.error: PrivstreamError | None = None
        """Why it stopped for good, if it did."""
        self.bug: BaseException | None = None
        """What it stopped with where that is our fault: the main thread raises it at the end."""
        self._sink = sink
        self._at_once = sink.at_once if isinstance(sink, OneByOne) else BATCH
        self._sources = tuple(sources)
        self._counted: set[str] = set()
        """The accounts whose rows are in the buffer's size."""
        self._buffer = buffer
        self._wanted = wanted
        self._dead_letters = dead_letters
        self._say = say
        self._woken = threading.Event()
        self._is_stopping = False
        self._is_hurried = False
        self._failures = 0
        self.turns = 0
        """Rounds of its thread; read by who looks whether it still turns."""
        self._thread = threading.Thread(target=self._run, name=f"sink {name}", daemon=True)

    # --- from the main thread --------------------------------------------------------------

    def start(self) -> None:
        """What waits already counts from now on, before anything new does."""
        for source in self._sources:
            self._count(source)
        self._thread.start()

    def serve(self, source: Source) -> None:
        """Carry an account's rows too, or from a new outbox; before anything new is put there."""
        self._count(source)
        self._sources = (*self._without(source.account), source)
        self.wake()

    def leave(self, account: str) -> None:
        """Let go of an account of which nothing waits."""
        self._counted.discard(account)
        self._sources = self._without(account)

    def _without(self, account: str) -> tuple[Source, ...]:
        return tuple(source for source in self._sources if source.account != account)

    def _count(self, source: Source) -> None:
        if source.account not in self._counted:
            self._counted.add(source.account)
            with self._outbox(source) as outbox:
                events, size = outbox.owed_size()
                self._buffer.add(size, events)

    def wake(self) -> None:
        """There are new rows."""
        self._woken.set()

    def hurry(self) -> None:
        """Try again now, however long it would wait: somebody may have mended what was wrong."""
        self._is_hurried = True
        self._woken.set()

    def finish(self, seconds: float) -> None:
        """Give it so long to deliver what it can, then let it go."""
        until = time.monotonic() + seconds
        while self.health.is_up and (left := until - time.monotonic()) > 0:
            if self._buffer.wait(min(left, SLICE)):
                break
        self._is_stopping = True
        self._buffer.close()
        self._woken.set()
        if self._thread.ident is None:
            self._sink.close()  # it never began
        else:
            self._thread.join(max(0.0, until - time.monotonic()))

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    @property
    def refusal(self) -> PrivstreamError | None:
        """Why it was let in nowhere from the beginning: only a change of the settings mends that."""
        return self.error if isinstance(self.error, ConfigError) and not self.health.sent else None

    @property
    def has_stopped(self) -> bool:
        """For good, by a fault."""
        return self.error is not None or self.bug is not None

    def owed(self, account: str | None = None) -> int:
        """How many events wait for it, of this account or of all."""
        total = 0
        for source in self._sources:
            if account in {None, source.account}:
                with self._outbox(source) as outbox:
                    total += outbox.owed_size()[0]
        return total

    def _outbox(self, source: Source) -> Outbox:
        return Outbox(source.path, self.name, source.exchange, source.account)

    # --- the thread ------------------------------------------------------------------------

    def _run(self) -> None:
        with ExitStack() as opened:
            opened.callback(self._sink.close)
            outboxes: Opened = {}
            opened.callback(_close, outboxes)
            try:
                self._connect()
                while not self._is_stopping:
                    self.turns += 1
                    self._woken.clear()
                    self._follow(outboxes)
                    wait = self.step([outbox for _, outbox in outboxes.values()])
                    if wait:
                        self._pause(wait)
            except PrivstreamError as problem:
                self.error = problem
                self._give_up(problem.message)
            except BaseException as bug:  # noqa: BLE001 - raised again by the main thread
                self.bug = bug
                self._give_up(f"internal error: {type(bug).__name__}")

    def _connect(self) -> None:
        """Whether it lets us in shows before there is anything to deliver."""
        if isinstance(self._sink, Connecting):
            with suppress(Retry):  # the first delivery says so
                self._sink.connect()

    def _follow(self, opened: Opened) -> None:
        """Have those outboxes open that are to be served now."""
        sources = {source.account: source for source in self._sources}
        for account, (source, outbox) in [*opened.items()]:
            if sources.get(account) is not source:
                del opened[account]
                outbox.close()
        for account in sources.keys() - opened.keys():
            source = sources[account]
            opened[account] = (source, self._outbox(source))

    def step(self, outboxes: Sequence[Outbox]) -> float:
        """Deliver what is owed; returns how long to wait before the next round."""
        busy = False
        for outbox in outboxes:
            rows = outbox.owed(self._at_once)
            self.turns += 1
            if not rows:
                continue
            busy = True
            if wait := self._deliver(outbox, rows):
                self.health.oldest = min(
                    filter(None, (one.oldest() for one in outboxes)), default=None
                )
                return wait
        self.health.oldest = None
        return 0.0 if busy else IDLE

    def _deliver(self, outbox: Outbox, rows: Sequence[Row]) -> float:
        mine = [row for row in rows if self._wanted(row)]
        try:
            if mine:
                self._sink.deliver(mine)
        except Retry as problem:
            self._acknowledge(outbox, rows, _before(rows, mine, problem.delivered))
            return self._wait_after(problem)
        except Rejected as problem:
            refused = mine[problem.delivered]
            self._dead_letters.keep(refused, problem.why, problem.attempts)
            self.health.dead += 1
            self.health.sent += problem.delivered
            self._say(f"{self.where} refuses an event for good: {problem.why}")
            self._acknowledge(outbox, rows, refused.number)
            return 0.0
        self._acknowledge(outbox, rows, rows[-1].number)
        self._is_well()
        self.health.sent += len(mine)
        return 0.0

    def _acknowledge(self, outbox: Outbox, rows: Sequence[Row], number: int) -> None:
        done = [len(row.line) for row in rows if row.number <= number]
        if done:
            outbox.acknowledge(number)
            self._buffer.add(-sum(done), -len(done))

    def _wait_after(self, problem: Retry) -> float:
        self.health.errors += 1
        self.health.settled += problem.is_settled
        self.health.sent += problem.delivered
        self.health.problem = problem.why
        if self.health.is_up:
            self.health.is_up = False
            why = problem.why.removeprefix(f"{self.where}: ")
            self._say(f"{self.where} does not take events now, they are kept: {why}")
        self._failures = 1 if problem.delivered else self._failures + 1
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(self._failures - 1, 10))
        wait *= random.uniform(0.8, 1.2)  # noqa: S311 - jitter is no secret
        return max(wait, problem.after or 0.0)

    def _is_well(self) -> None:
        self._failures = 0
        if not self.health.is_up:
            self.health.is_up, self.health.problem = True, None
            self._say(f"{self.where} takes events again")

    def _pause(self, seconds: float) -> None:
        """Wait; a new row ends only the wait of an idle courier."""
        until = time.monotonic() + seconds
        while not self._is_stopping and (left := until - time.monotonic()) > 0:
            self.turns += 1
            is_woken = self._woken.wait(min(left, IDLE))
            if is_woken and (self._failures == 0 or self._is_hurried):
                self._is_hurried = False
                return
            if self._failures:
                self._woken.clear()

    def _give_up(self, why: str) -> None:
        self.health.is_up, self.health.problem = False, why
        self._say(f"{self.where} is stopped, what it is owed is kept: {why}")


def _close(opened: Opened) -> None:
    for _, outbox in opened.values():
        outbox.close()


def _before(rows: Sequence[Row], mine: Sequence[Row], delivered: int) -> int:
    """The number up to which nothing is owed any more."""
    if delivered < len(mine):
        return mine[delivered].number - 1
    return rows[-1].number
