"""Many accounts, one stream: their threads, one bounded queue, and a clean end.

The one rule: the queue is bounded and blocks, so a slow reader slows us down and
nothing is thrown away. The main thread takes; only it owns outputs and signals.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
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
JOIN = 0.005
"""Seconds between two looks at what they leave behind."""


class Received(Struct, frozen=True):
    """Frames as they came, each with the events that it made."""

    told: tuple[tuple[bytes, list[AnyEvent]], ...]


class EventBatch(Struct, frozen=True):
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


Item: TypeAlias = list[AnyEvent] | Received | EventBatch | Whole | Ended
Queued: TypeAlias = "Queue[Item | None]"
"""`None` only wakes who takes."""


class QueueOutlet:
    """An account's way to the main thread; with a journal its notes go along."""

    def __init__(
        self, queue: Queued, *, raw: bool, account: str = "", journal: Journal | None = None
    ) -> None:
        self._queue = queue
        self.takes_frames = raw
        self._account = account
        self._journal = journal
        self._whole_due = 0.0
        self.stop = threading.Event()
        self.lost = 0
        """Events, or frames, that nobody took any more; nothing is let through after the first."""
        self.waits = 0
        """How often it waited for room."""

    def events(self, events: list[AnyEvent]) -> None:
        """Deliver events; blocks while the queue is full."""
        for start in range(0, len(events), BATCH):
            some = events[start : start + BATCH] if len(events) > BATCH else events
            if self._journal is None:
                self.put(some)
            else:
                notes = self._journal.take({event.id for event in some})
                self.put(EventBatch(self._account, some, notes))

    def whole(self, wall_ns: int) -> None:
        """Nothing is missing until then, by the exchange's clock; call it as often as you like."""
        if self._journal is None or (now := time.monotonic()) < self._whole_due:
            return
        self._whole_due = now + WHOLE_EVERY
        self.put(Whole(self._account, wall_ns, self._journal.take(())))

    def frames(self, told: list[tuple[bytes, list[AnyEvent]]]) -> None:
        """Deliver frames and what they told, where the user asked for frames."""
        self.put(Received(tuple(told)))

    def put(self, item: Item) -> None:
        """Wait for room. Raises Interrupted when nobody will take it any more."""
        while not self.lost:
            # Whoever stops us takes what is there already: one more wait after the stop.
            is_last = self.stop.is_set()
            try:
                self._queue.put(item, timeout=PATIENCE)
            except Full:
                self.waits += 1
                if is_last:
                    break
            else:
                return
        self.lost += _size(item)
        raise Interrupted("stopped", cause="stopped")


def _size(item: Item) -> int:
    match item:
        case Received():
            return len(item.told)
        case EventBatch():
            return len(item.events)
        case list():
            return len(item)
    return 0


class Turns(Struct, frozen=True):
    """Whether a thread turns: the count rises, unless it rests."""

    count: int
    rests_until: float
    """Monotonic."""


class Member(Struct):
    """An account of the stream."""

    supervisor: Supervisor
    outlet: QueueOutlet
    thread: threading.Thread

    @property
    def name(self) -> str:
        return self.supervisor.exchange.account.name

    def turns(self) -> Turns:
        supervisor = self.supervisor
        return Turns(supervisor.turns + self.outlet.waits, supervisor.rests_until)


class Stream:
    """The threads of all accounts; a context manager that leaves none behind."""

    def __init__(self, *, lasts: bool = False) -> None:
        """`lasts`: it goes on without accounts too, since others may come."""
        self._queue: Queued = Queue(maxsize=BATCHES)
        self._left: list[Item] = []
        self._next: Item | None = None
        """What was taken out of the queue and waits for its turn."""
        self._members: list[Member] = []
        self._changing = threading.Lock()
        """Held by who changes the accounts, or begins and ends them all."""
        self._lasts = lasts
        self._is_entered = False
        self._closing = threading.Event()
        self._lost = 0

    def outlet(
        self, *, raw: bool, account: str = "", journal: Journal | None = None
    ) -> QueueOutlet:
        """A way into the stream for one account; a journal is what --resume needs of it."""
        return QueueOutlet(self._queue, raw=raw, account=account, journal=journal)

    def add(self, supervisor: Supervisor, outlet: QueueOutlet) -> None:
        """Take an account in, from any thread; it begins when the stream is entered, or now.

        A name comes again only after its `Ended` was taken.
        """
        # An account that leaves still waits for room; nobody makes any when the stream ends.
        outlet.stop = self._closing
        name = f"account {supervisor.exchange.account.name}"
        thread = threading.Thread(target=_run, args=(supervisor, outlet), name=name, daemon=True)
        with self._changing:
            self._members.append(Member(supervisor, outlet, thread))
            if self._is_entered and not self._closing.is_set():
                thread.start()

    def leave(self, account: str) -> None:
        """Stop an account, from any thread. What it has told still comes, and `Ended` after it."""
        with self._changing:
            leaving = [member for member in self._members if member.name == account]
        for member in leaving:
            member.supervisor.abort()

    def __enter__(self) -> Self:
        with self._changing:
            self._is_entered = True
            for member in self._members:
                member.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop every account, in whatever state it is."""
        with self._changing:
            self._closing.set()
        for member in self._members:
            member.supervisor.abort()
        deadline = time.monotonic() + LEAVE
        while (running := self._running()) and time.monotonic() < deadline:
            self._make_room()  # each of them has something to say at its end
            running[0].join(JOIN)
        self._make_room()

    def _running(self) -> list[threading.Thread]:
        return [member.thread for member in self._members if member.thread.is_alive()]

    def _make_room(self) -> None:
        with suppress(Empty):
            while True:
                if (item := self._queue.get_nowait()) is not None:
                    self._left.append(item)

    def leftovers(self) -> Iterator[Item]:
        """What the threads had delivered when they were stopped, and said at their end."""
        self._make_room()
        if self._next is not None:
            yield self._next
        yield from self._left

    @property
    def lost(self) -> int:
        """How many events, or frames, were read and found no room any more."""
        return self._lost + sum(member.outlet.lost for member in self._members)

    def wake(self) -> None:
        """Have `items` give its taker a chance to look around; from any thread."""
        with suppress(Full):  # then he is not waiting
            self._queue.put_nowait(None)

    def last_heard(self, account: str) -> float | None:
        """When anything came from the exchange, signs of life included (monotonic)."""
        found = self._member(account)
        return None if found is None else found.supervisor.last_heard

    def turns(self) -> dict[str, Turns]:
        """How far the threads of the accounts are; from any thread."""
        with self._changing:
            return {member.name: member.turns() for member in self._members}

    def _member(self, account: str) -> Member | None:
        with self._changing:
            return next((member for member in self._members if member.name == account), None)

    def items(self, pause: float, gather: float = 0.0) -> Iterator[Item | None]:
        """What comes, in order of arrival; `None` after `pause` seconds without anything.

        Events that come within `gather` seconds of each other come together: a person reads them
        as one instant. Ends when every account has ended, unless the stream lasts.
        """
        while self._members or self._lasts:
            try:
                item = self._next or self._queue.get(timeout=pause)
            except Empty:
                yield None
            else:
                self._next = None
                if isinstance(item, Ended):
                    self._let_go(item)
                yield self._together(item, gather) if gather and isinstance(item, list) else item

    def _let_go(self, ended: Ended) -> None:
        """Its thread has said its last word."""
        if (member := self._member(ended.account)) is not None:
            self._lost += member.outlet.lost
            with self._changing:
                self._members.remove(member)

    def _together(self, events: list[AnyEvent], seconds: float) -> list[AnyEvent]:
        """With those that follow at once; whatever else follows is kept for the next turn."""
        together, until = list(events), time.monotonic() + seconds
        with suppress(Empty):
            while len(together) < BATCH and (left := until - time.monotonic()) > 0:
                item = self._queue.get(timeout=left)
                if not isinstance(item, list):
                    self._next = item
                    break
                together += item
        return together


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
