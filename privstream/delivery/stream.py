"""Many accounts, one stream: their threads, one bounded queue, and a clean end.

The one rule: the queue is bounded and blocks, so a slow reader slows us down and
nothing is thrown away. The main thread takes; only it owns outputs and signals.
"""

import threading
import time
from collections.abc import Iterator
from queue import Empty, Full, Queue
from typing import Self, TypeAlias

from msgspec import Struct

from privstream.connection.account.supervisor import Supervisor
from privstream.memory.journal import Journal, Note
from privstream.model.errors import Interrupted, PrivstreamError
from privstream.model.events import AnyEvent

BATCHES = 64
"""How many batches may wait for the reader."""
BATCH = 500
"""Events in one batch at most: a snapshot of thousands of orders comes in slices."""
PATIENCE = 0.25
"""Seconds: how often a blocked thread looks whether it should stop."""
WHOLE_EVERY = 1.0
"""Seconds from one word that nothing is missing to the next: each becomes a write to the disk."""
LEAVE = 0.8
"""Seconds that all threads together have to leave."""


class Received(Struct, frozen=True):
    """Frames as they came."""

    frames: tuple[bytes, ...]


class Told(Struct, frozen=True):
    """Events, and what is to be remembered of them once they are delivered."""

    account: str
    events: list[AnyEvent]
    notes: list[Note]


class Whole(Struct, frozen=True):
    """All that happened to the account until then was put into the queue before this."""

    account: str
    wall_ns: int
    """By the exchange's clock."""
    notes: list[Note]


class Ended(Struct, frozen=True):
    """An account's thread is over; `error` says why, if it was not asked to stop."""

    account: str
    error: BaseException | None


Item: TypeAlias = list[AnyEvent] | Received | Told | Whole | Ended


class QueueOutlet:
    """An account's way to the main thread; with a journal its notes go along."""

    def __init__(
        self, queue: "Queue[Item]", *, raw: bool, account: str = "", journal: Journal | None = None
    ) -> None:
        self._queue = queue
        self._raw = raw
        self._account = account
        self._journal = journal
        self._whole_due = 0.0
        self.stop = threading.Event()

    def events(self, events: list[AnyEvent]) -> None:
        """Deliver events; blocks while the queue is full."""
        for start in range(0, len(events), BATCH):
            some = events[start : start + BATCH] if len(events) > BATCH else events
            if self._journal is None:
                self.put(some)
            else:
                notes = self._journal.take({event.id for event in some})
                self.put(Told(self._account, some, notes))

    def whole(self, wall_ns: int) -> None:
        """Nothing is missing until then, by the exchange's clock; call it as often as you like."""
        if self._journal is None or (now := time.monotonic()) < self._whole_due:
            return
        self._whole_due = now + WHOLE_EVERY
        self.put(Whole(self._account, wall_ns, self._journal.take(())))

    def frames(self, frames: list[bytes]) -> None:
        """Deliver frames, where the user asked for them."""
        if self._raw:
            self.put(Received(tuple(frames)))

    def put(self, item: Item) -> None:
        """Wait for room. Raises Interrupted when nobody will take it any more."""
        while True:
            try:
                self._queue.put(item, timeout=PATIENCE)
            except Full:
                if self.stop.is_set():
                    raise Interrupted("stopped", cause="stopped") from None
            else:
                return


class Stream:
    """The threads of all accounts; a context manager that leaves none behind."""

    def __init__(self) -> None:
        self._queue: Queue[Item] = Queue(maxsize=BATCHES)
        self._supervisors: list[tuple[Supervisor, QueueOutlet]] = []
        self._threads: list[threading.Thread] = []

    def outlet(
        self, *, raw: bool, account: str = "", journal: Journal | None = None
    ) -> QueueOutlet:
        """A way into the stream for one account; a journal is what --resume needs of it."""
        return QueueOutlet(self._queue, raw=raw, account=account, journal=journal)

    def add(self, supervisor: Supervisor, outlet: QueueOutlet) -> None:
        """Take an account in, before the stream is entered."""
        outlet.stop = supervisor.stop
        self._supervisors.append((supervisor, outlet))

    def __enter__(self) -> Self:
        for supervisor, outlet in self._supervisors:
            name = supervisor.exchange.account.name
            thread = threading.Thread(
                target=_run, args=(supervisor, outlet), name=f"account {name}", daemon=True
            )
            self._threads.append(thread)
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop every account, in whatever state it is."""
        for supervisor, _outlet in self._supervisors:
            supervisor.abort()
        deadline = time.monotonic() + LEAVE
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def leftovers(self) -> Iterator[Item]:
        """What the threads had delivered when they were stopped."""
        while True:
            try:
                yield self._queue.get_nowait()
            except Empty:
                return

    def items(self, pause: float) -> Iterator[Item | None]:
        """What comes, in order of arrival; `None` after `pause` seconds without anything.

        Ends when every account has ended.
        """
        running = len(self._supervisors)
        while running:
            try:
                item = self._queue.get(timeout=pause)
            except Empty:
                yield None
            else:
                running -= isinstance(item, Ended)
                yield item


def _run(supervisor: Supervisor, outlet: QueueOutlet) -> None:
    """An account's thread."""
    account = supervisor.exchange.account
    error: BaseException | None = None
    try:
        supervisor.run()
    except PrivstreamError as problem:
        if not supervisor.stop.is_set():  # else the main thread takes nothing any more
            error = problem.about(account.exchange, account.name)
    except BaseException as bug:  # noqa: BLE001 - raised again by the main thread
        error = bug
    try:
        outlet.put(Ended(account.name, error))
    except Interrupted:
        return  # the main thread is leaving and takes nothing any more
