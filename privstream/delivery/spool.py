"""What goes into the outboxes, and how much may wait there for each sink.

The one rule: a full buffer either slows the stream down or leaves out the newest for that sink,
as its settings say; what was left out is told and counted, never passed over.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, TypeAlias

from privstream.delivery.outbox import Line
from privstream.model.events import AnyEvent, Notice
from privstream.model.times import from_nanos
from privstream.outputs.base import NotTaken
from privstream.outputs.jsonl import encode_lines

WhenFull: TypeAlias = Literal["block", "drop_newest"]
LOOK = 0.25
"""Seconds: how often somebody who waits for room looks whether he should stop."""


class Buffer:
    """How much waits for one sink, over all accounts. The courier makes room, the stream fills it."""

    def __init__(self, sink: str, max_size: int, when_full: WhenFull) -> None:
        self.sink = sink
        self.when_full = when_full
        self.max_size = max_size
        self.dropped = 0
        """Events that this sink will not get."""
        self.size = 0
        """Bytes that wait, and `events`: how many events."""
        self.events = 0
        self._changed = threading.Condition()
        self._is_closed = False

    def add(self, size: int, events: int = 0) -> None:
        """So many bytes and events came (or, below 0, went)."""
        with self._changed:
            self.size += size
            self.events += events
            self._changed.notify_all()

    def close(self) -> None:
        """Nobody makes room any more: what comes is kept beyond the limit, as long as the run ends."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def is_full(self) -> bool:
        return self.size >= self.max_size

    def wait(self, seconds: float) -> bool:
        """Wait for something to be sent, so long at most; whether there is nothing any more."""
        with self._changed:
            return self._changed.wait_for(lambda: self.size <= 0, seconds)

    def wait_for_room(self, seconds: float) -> bool:
        """Whether there is room, now or within so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._is_closed or not self.is_full(), seconds)


class Spool:
    """The way of printed events into the outboxes; it belongs to the main thread."""

    def __init__(
        self, buffers: Sequence[Buffer], is_told: Callable[[], bool], wake: Callable[[], None]
    ) -> None:
        self._buffers = buffers
        self._is_told = is_told
        self._wake = wake
        self._dropping: set[str] = set()

    def serve(self, buffers: Sequence[Buffer]) -> None:
        """Fill these from now on, instead of those before."""
        self._buffers = buffers
        self._dropping &= {buffer.sink for buffer in buffers}

    def make_room(self) -> None:
        """Wait while a sink that must lose nothing is owed too much. Raises NotTaken at the end."""
        while not self.has_room(LOOK):
            if self._is_told():
                raise NotTaken(0)

    def has_room(self, seconds: float) -> bool:
        """Whether no sink that must lose nothing is owed too much, now or within so many seconds."""
        blocking = (buffer for buffer in self._buffers if buffer.when_full == "block")
        return all(buffer.wait_for_room(seconds) for buffer in blocking)

    def lines(self, events: Iterable[AnyEvent]) -> list[Line]:
        """The events as the outbox keeps them, each without the sinks that have no room for it."""
        made = [self._line(event) for event in events]
        return [line for line in made if len(line.skipped) < len(self._buffers)]

    def notices(self, about: AnyEvent) -> list[Notice]:
        """What is to be told, beside such an event, of buffers that are full now or were."""
        told = []
        for buffer in self._buffers:
            is_dropping = buffer.when_full == "drop_newest" and buffer.is_full()
            if is_dropping != (buffer.sink in self._dropping):
                self._dropping ^= {buffer.sink}
                told.append(_notice(about, _full(buffer) if is_dropping else _room_again(buffer)))
        return told

    def sent(self) -> None:
        """New rows are on the disk: wake the couriers."""
        self._wake()

    def _line(self, event: AnyEvent) -> Line:
        line = encode_lines((event,))[:-1]
        skipped = []
        for buffer in self._buffers:
            if buffer.when_full == "drop_newest" and buffer.is_full():
                buffer.dropped += 1
                skipped.append(buffer.sink)
            else:
                buffer.add(len(line), 1)
        kind = type(event).__struct_config__.tag
        return Line(str(kind), event.id, line, tuple(skipped))


def _full(buffer: Buffer) -> str:
    return (
        f"the buffer of {buffer.sink} is full ({buffer.max_size} bytes): "
        "new events are left out there until there is room"
    )


def _room_again(buffer: Buffer) -> str:
    return f"there is room for {buffer.sink} again: it misses {buffer.dropped} events so far"


def _notice(about: AnyEvent, text: str) -> Notice:
    now = from_nanos(time.time_ns())
    return Notice(
        about.exchange, about.account, None, None, now, "stream", None, "error", "buffer_full", text
    )
