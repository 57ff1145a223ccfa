"""The way of one account's events into the stream.

The one rule: batches go one after the other, each with what is to be remembered of it; while one
is on its way the next fills up, and a full queue is said to whoever fills it.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeAlias

from msgspec import Struct

from privstream.delivery.courier import DeadLetters
from privstream.delivery.ha.publisher import Event, Publisher
from privstream.delivery.stream import EventBatch, Whole
from privstream.memory.journal import Note
from privstream.model.events import AnyEvent, Notice, Status
from privstream.model.times import from_nanos
from privstream.outputs.jsonl import encode_lines
from privstream.outputs.sinks.base import Row

MOST = 480
"""Events of a batch; with its word it has 500 messages, seldom more, of 1,000 that the server takes."""
LARGE = 4 << 20
"""Bytes of events after which a batch is full."""
FULL = 32
"""Items in the queue from which on no more are wanted."""
IDLE = 10.0
"""Seconds after which it is said that nothing is missing, where nothing else is to be said."""
Item: TypeAlias = EventBatch | Whole


class Batch(Struct):
    """What goes into the stream together."""

    events: list[Event]
    notes: list[Note]
    size: int = 0


class Flow:
    """Takes what an account's thread tells, and publishes it."""

    def __init__(
        self,
        publisher: Publisher,
        exchange: str,
        account: str,
        *,
        letters: DeadLetters,
        room: Callable[[], None],
        idle: float = IDLE,
    ) -> None:
        """`room` is called when something was taken out of the queue."""
        self.publisher = publisher
        self._exchange = exchange
        self._account = account
        self._letters = letters
        self._room = room
        self._idle = idle
        self._queue: deque[Item] = deque()
        self._woken = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._notes: list[Note] = []
        """Not published yet."""
        self._whole_ns = self._said_ns = publisher.whole_ns
        self._said = time.monotonic()
        self._is_closed = False
        self._is_over = False
        self._is_idle = True

    # --- the main thread -------------------------------------------------------------------

    def put(self, item: Item) -> None:
        """Take it in, if anybody still publishes it."""
        if not self._is_over:
            self._queue.append(item)
            self._wake()

    @property
    def is_full(self) -> bool:
        return len(self._queue) >= FULL and not self._is_over

    @property
    def is_drained(self) -> bool:
        """All that was put in is in the stream, or nobody publishes it any more."""
        return self._is_over or not (self._queue or not self._is_idle)

    def close(self) -> None:
        """Nothing more comes."""
        self._is_closed = True
        self._wake()

    def _wake(self) -> None:
        with suppress(RuntimeError):  # the loop is over: nobody takes anything any more
            self._loop.call_soon_threadsafe(self._woken.set)

    # --- in the loop -----------------------------------------------------------------------

    async def run(self) -> None:
        """Publish until it is closed. Raises Fenced, and what ends it for good."""
        try:
            await self._run()
        finally:
            self._is_over = True
            self._queue.clear()
            self._room()

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            is_closed = self._is_closed
            self._is_idle = False
            batch = self._gather()
            if batch.events or self._is_due(is_closed=is_closed):
                await self._publish(batch)
            elif is_closed:
                return
            else:
                self._is_idle = not self._queue
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), self._idle)

    def _is_due(self, *, is_closed: bool) -> bool:
        """Whether a word by itself is to be said."""
        if not self._notes and self._whole_ns == self._said_ns:
            return False
        return is_closed or time.monotonic() - self._said >= self._idle

    async def _publish(self, batch: Batch) -> None:
        notes, self._notes = self._notes, []
        await self.publisher.publish(batch.events, notes, self._whole_ns)
        self._said, self._said_ns = time.monotonic(), self._whole_ns
        await self.publisher.tidy()

    # --- what comes ------------------------------------------------------------------------

    def _gather(self) -> Batch:
        batch = Batch([], [])
        while self._queue and batch.size < LARGE:
            item = self._queue[0]
            if isinstance(item, Whole):
                self._whole_ns = item.wall_ns
            elif batch.events and len(batch.events) + len(item.events) > MOST:
                break
            else:
                self._add(batch, item.events)
            self._notes += item.notes
            self._queue.popleft()
            self._room()
        return batch

    def _add(self, batch: Batch, events: Sequence[AnyEvent]) -> None:
        for event in events:
            if not isinstance(event, Status):
                made = self._event(event)
                batch.events.append(made)
                batch.size += len(made.line)

    def _event(self, event: AnyEvent) -> Event:
        made = _encoded(event)
        if self.publisher.fits(made.line):
            return made
        why = f"an event of {len(made.line)} bytes is larger than the server takes"
        row = Row(self._exchange, self._account, "ha", 0, made.type, event.id, made.line)
        self._letters.keep(row, why, 1)
        return _encoded(self._notice(event, why))

    def _notice(self, event: AnyEvent, why: str) -> Notice:
        text = f"{why}: {event.id or event.received} is in the dead letters of its host"
        now, whose = from_nanos(time.time_ns()), (self._exchange, self._account)
        return Notice(*whose, None, None, now, "stream", None, "error", "too_large", text)


def _encoded(event: AnyEvent) -> Event:
    return Event(str(type(event).__struct_config__.tag), encode_lines((event,))[:-1])
