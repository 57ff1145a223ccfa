"""What hosts share, in memory: a stream and a bucket that answer as JetStream does, or do not."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Literal

from privstream.delivery.ha.ports import Away, Conflict, Doubt, Message, Stored
from privstream.delivery.ha.publisher import Event, Publisher
from privstream.memory.journal import Note

SUBJECT = "p.kraken.desk"
NS = 1_790_000_000_000_000_000
Fault = Literal["away", "lost", "unanswered", "slow", "late"]
"""Nothing was sent; it did not arrive; it arrived, unanswered; it arrives just before what comes
next, when somebody has looked already; it arrives after what comes next."""


class Shared:
    """One stream, one bucket."""

    largest = 1 << 20

    def __init__(self) -> None:
        self.stored: list[Stored] = []
        self.faults: list[Fault | None] = []
        """Of the next batches."""
        self.keys: dict[str, Stored] = {}
        self.is_there = True
        self.is_closed = False
        self._slow: Callable[[], int] | None = None
        self._late: Callable[[], int] | None = None
        self._sequence = 0
        self._revision = 0

    async def prepare(self) -> None:
        self._look()

    async def close(self) -> None:
        self.is_closed = True

    # --- the stream ------------------------------------------------------------------------

    async def last(self, subject: str) -> Stored | None:
        self._look()
        return next((one for one in reversed(self.stored) if _is_under(one, subject)), None)

    async def messages(self, subject: str, begin: int, until: int) -> list[Stored]:
        self._look()
        return [
            one for one in self.stored if _is_under(one, subject) and begin <= one.sequence <= until
        ]

    async def publish(self, messages: Sequence[Message], fence: str, expected: int) -> int:
        await asyncio.sleep(0)
        self._look()
        slow, self._slow = self._slow, None
        if slow is not None:
            slow()
        fault = self.faults.pop(0) if self.faults else None
        if fault == "away":
            raise Away("away")
        if fault == "lost":
            raise Doubt("no answer")
        if fault == "slow":
            self._slow = lambda: self._store(messages, fence, expected)
            raise Doubt("no answer")
        if fault == "late":
            self._late = lambda: self._store(messages, fence, expected)
            raise Doubt("no answer")
        sequence = self._store(messages, fence, expected)
        late, self._late = self._late, None
        if late is not None:
            _refused(late)
        if fault == "unanswered":
            raise Doubt("no answer")
        return sequence

    def _store(self, messages: Sequence[Message], fence: str, expected: int) -> int:
        last = max((one.sequence for one in self.stored if _is_under(one, fence)), default=0)
        if last != expected:
            raise Doubt(f"wrong last sequence: {last} (10071)")
        for message in messages:
            self._sequence += 1
            self.stored.append(Stored(message.subject, self._sequence, message.body))
        return self._sequence

    async def purge(self, subject: str, below: int) -> None:
        self._look()
        self.stored = [
            one for one in self.stored if not _is_under(one, subject) or one.sequence >= below
        ]

    # --- the bucket ------------------------------------------------------------------------

    async def entries(self) -> Mapping[str, Stored]:
        self._look()
        return dict(self.keys)

    async def put(self, key: str, value: bytes, over: int | None = None) -> int:
        self._look()
        there = self.keys[key].sequence if key in self.keys else 0
        if over not in {None, there}:
            raise Conflict(f"wrong last sequence: {there}")
        self._revision += 1
        self.keys[key] = Stored(key, self._revision, value)
        return self._revision

    async def forget(self, key: str) -> None:
        self._look()
        self.keys.pop(key, None)

    def _look(self) -> None:
        if not self.is_there:
            raise Away("away")

    # --- what a reader sees ----------------------------------------------------------------

    def lines(self, kind: str = "trade") -> list[bytes]:
        return [one.body for one in self.stored if one.subject == f"{SUBJECT}.{kind}"]

    def words(self) -> list[Stored]:
        return [one for one in self.stored if one.subject == f"{SUBJECT}.word"]


def _is_under(stored: Stored, subject: str) -> bool:
    return stored.subject == subject or (
        subject.endswith(">") and stored.subject.startswith(subject[:-1])
    )


def _refused(late: Callable[[], int]) -> None:
    try:
        late()
    except Doubt:
        return
    raise AssertionError("what came late was taken")


async def instantly(_seconds: float) -> None:
    """Wait for nothing."""
    await asyncio.sleep(0)


class Holder:
    """A publisher, and whether its lease is its own still."""

    def __init__(self, shared: Shared) -> None:
        self.holds = True
        self.publisher = Publisher(
            shared, SUBJECT, may=lambda: self.holds, wall_ns=lambda: NS, sleep=instantly
        )

    async def open(self, host: str, epoch: int = 1) -> None:
        await self.publisher.open(host, epoch)

    async def tell(self, *names: str, whole_ns: int = NS) -> None:
        """Trades of these names, each with a note of its own."""
        events = [Event("trade", name.encode()) for name in names]
        await self.publisher.publish(events, notes(names), whole_ns)

    def known(self) -> list[str]:
        return [key for _, key, _ in self.publisher.memory.notes()]


def notes(names: Iterable[str]) -> list[Note]:
    return [Note("trade", name, b"2026-11-20T11:32:00Z", name, lasting=False) for name in names]


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)
