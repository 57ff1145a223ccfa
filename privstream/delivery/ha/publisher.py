"""Publishes one account's events so that only one host can, and so that the next knows what was.

The one rule: one batch at a time, held to the last sequence that we know of the account. Where its
fate is in doubt, what lies in the stream decides; the word of anybody else ends our part at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from msgspec import DecodeError, Struct

from privstream.delivery.ha import word as words
from privstream.delivery.ha.memory import Memory
from privstream.delivery.ha.ports import Away, Doubt, Log, Message, Stored
from privstream.delivery.ha.word import Entry, Word, Writer
from privstream.memory.journal import Note
from privstream.model.errors import OutputFailed

FIRST_WAIT, LONGEST_WAIT = 0.1, 2.0
"""Seconds between two attempts, doubled each time."""
FULL_AFTER = 2000
"""Words after the last full one."""
FULL_SIZE = 1 << 20
"""Bytes of notes after the last full word; or as many as that one had, if those are more."""

BESIDE = 1024
"""Bytes of a message's subject and headers, at most."""
TROUBLE = 3
"""Attempts in vain after which it is said: an election alone takes some."""

Sleep = Callable[[float], Awaitable[None]]


class Fenced(Exception):
    """Another host streams this account."""


class Event(Struct, frozen=True, gc=False):
    """One event on its way into the stream."""

    type: str
    line: bytes


class Publisher:
    """The only one that writes an account's subjects, as long as it is."""

    def __init__(
        self,
        log: Log,
        subject: str,
        *,
        may: Callable[[], bool],
        wall_ns: Callable[[], int],
        sleep: Sleep = asyncio.sleep,
        trouble: Callable[[str | None], None] = lambda _: None,
    ) -> None:
        """`subject`: what all of the account's begin with. `may`: whether its lease is ours still.

        `trouble` is told why nothing is taken, and `None` when something is again.
        """
        self._log = log
        self._subject = subject
        self._word = f"{subject}.word"
        self._may = may
        self._wall_ns = wall_ns
        self._sleep = sleep
        self._trouble = trouble
        self._failures = 0
        self._writer = Writer("", 0)
        self._number = 0
        self._last = 0
        """The sequence that the next batch is held to."""
        self._base = 0
        self._words = 0
        self._size = 0
        self._full_size = 0
        self.memory = Memory(self._word)
        self.whole_ns = 0
        """Until then nothing is missing, by the word that we began with."""
        self.doubts = 0

    @property
    def epoch(self) -> int:
        return self._writer.epoch

    def fits(self, line: bytes) -> bool:
        """Whether the server takes an event of this size; its subject and headers count too."""
        return len(line) + BESIDE <= self._log.largest

    # --- the first word --------------------------------------------------------------------

    async def open(self, host: str, epoch: int) -> None:
        """Know what was, and say in the stream that we go on from there; who was before us ends.

        Raises Fenced, and ConfigError of what nobody understands.
        """
        wait = FIRST_WAIT
        while True:
            try:
                if await self._open(host, epoch):
                    return self._is_well()
            except (Away, Doubt) as problem:
                self._is_not_taken(problem)
                wait = await self._pause(wait)

    async def _open(self, host: str, epoch: int) -> bool:
        """Whether our word is in. It may be there already, from an attempt that nobody answered."""
        self._check()
        last = await self._log.last(f"{self._subject}.>")
        found = await self._log.last(self._word)
        if found is not None and (last is None or found.sequence > last.sequence):
            return False  # somebody wrote between the two questions
        self._last = 0 if last is None else last.sequence
        before = None if found is None else self._decoded(found)
        if found is not None and before is not None:
            if before.writer == self._writer:
                self._opened(found.sequence, before.parts)
                return True
            self.memory = await self._remembered(found, before)
            epoch = max(epoch, before.writer.epoch + 1)
        self._writer, self._number = Writer(host, epoch), 0
        known = self.memory.whole_ns
        self.whole_ns = self._wall_ns() if known is None else known
        parts = words.encode(
            self._writer, 0, self.whole_ns, self.memory.all(), base=0, room=self._log.largest
        )
        self._check()
        self._opened(await self._put([], parts), len(parts))
        return True

    async def _remembered(self, found: Stored, last: Word) -> Memory:
        memory = Memory(self._word)
        begin = found.sequence - last.part if last.is_full else last.base
        stored = await self._log.messages(self._word, begin, found.sequence)
        memory.read([self._decoded(one) for one in stored])
        return memory

    def _opened(self, sequence: int, parts: int) -> None:
        self._last, self._base = sequence, sequence - parts + 1
        self._begin_anew()

    def _decoded(self, stored: Stored) -> Word:
        try:
            return words.decode(stored.body)
        except (DecodeError, ValueError) as problem:
            raise self.memory.damaged(str(problem)) from problem

    # --- all that follow -------------------------------------------------------------------

    async def publish(self, events: Sequence[Event], notes: Sequence[Note], whole_ns: int) -> None:
        """Store events and what is to be remembered of them; they are in when this returns.

        Raises Fenced, and ConfigError where the stream is not as it was any more.
        """
        entries = words.entries_of(notes, self._wall_ns())
        parts = self._encoded(entries, whole_ns, base=self._base)
        self._last = await self._stored(events, parts)
        self._number += 1
        self.memory.take(entries, whole_ns)
        self._words += 1
        self._size += sum(entry.size for entry in entries)

    async def tidy(self) -> None:
        """Say all anew, where there is much to read since that was done last."""
        if self._words < FULL_AFTER and self._size < max(FULL_SIZE, self._full_size):
            return
        parts = self._encoded(self.memory.all(), self.memory.whole_ns or 0, base=0)
        self._last = await self._stored([], parts)
        self._number += 1
        self._base = self._last - len(parts) + 1
        self._begin_anew()
        try:
            await self._log.purge(self._word, self._base)
        except Away:
            return  # the next time takes these too

    def _begin_anew(self) -> None:
        self._words = self._size = 0
        self._full_size = sum(entry.size for entry in self.memory.all())

    def _encoded(self, entries: Sequence[Entry], whole_ns: int, *, base: int) -> list[bytes]:
        room = self._log.largest
        return words.encode(self._writer, self._number + 1, whole_ns, entries, base=base, room=room)

    async def _stored(self, events: Sequence[Event], parts: Sequence[bytes]) -> int:
        """Have a batch in, whatever it takes; returns its last sequence."""
        wait = FIRST_WAIT
        while True:
            self._check()
            try:
                last = await self._put(events, parts)
            except Doubt as problem:
                self.doubts += 1
                self._is_not_taken(problem)
                if await self._is_in():
                    last = self._last
                    break
            except Away as problem:  # nothing was sent
                self._is_not_taken(problem)
            else:
                break
            wait = await self._pause(wait)
        self._is_well()
        return last

    async def _is_in(self) -> bool:
        """Whether the batch in doubt lies in the stream; what lies there is what we go on from."""
        wait = FIRST_WAIT
        while True:
            self._check()
            try:
                last = await self._log.last(f"{self._subject}.>")
                found = await self._log.last(self._word)
            except Away as problem:
                self._is_not_taken(problem)
                wait = await self._pause(wait)
                continue
            if last is None or found is None:
                raise self.memory.damaged("the words of this account are gone")
            word = self._decoded(found)
            if word.writer != self._writer or word.number not in {self._number, self._number + 1}:
                raise Fenced(f"{word.writer.host} streams it")
            self._last = max(last.sequence, found.sequence)
            return word.number == self._number + 1

    async def _put(self, events: Sequence[Event], parts: Sequence[bytes]) -> int:
        messages = [Message(f"{self._subject}.{event.type}", event.line) for event in events]
        messages += [Message(self._word, part) for part in parts]
        if not all(self.fits(message.body) for message in messages):
            raise OutputFailed(
                f"what is to be remembered of {self._subject} is larger than the server takes",
                f"set max_payload of nats-server to more than {self._log.largest} bytes",
            )
        return await self._log.publish(messages, f"{self._subject}.>", self._last)

    def _check(self) -> None:
        if not self._may():
            raise Fenced("its lease is over")

    def _is_not_taken(self, problem: Exception) -> None:
        self._failures += 1
        if self._failures == TROUBLE:
            self._trouble(str(problem))

    def _is_well(self) -> None:
        if self._failures >= TROUBLE:
            self._trouble(None)
        self._failures = 0

    async def _pause(self, wait: float) -> float:
        await self._sleep(wait)
        return min(LONGEST_WAIT, wait * 2)
