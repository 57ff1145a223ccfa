"""Delivers events so that the next run goes on exactly there.

The one rule: what was written and what is remembered do not part. A signal waits until
the line being written is remembered; a reader who does not read keeps no signal waiting.
"""

import select
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

from privstream.delivery.resume_file import State
from privstream.delivery.stream import Told, Whole
from privstream.memory.journal import Note, backed
from privstream.model.events import AnyEvent
from privstream.outputs.descriptor import STDOUT

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ENDING = {signal.SIGINT, signal.SIGTERM}
LOOK = 250
"""Milliseconds between two looks for a signal while the reader does not read."""


class Delivery:
    """Writes line by line, and commits what was written to the account's state."""

    def __init__(
        self, states: Mapping[str, State], write: Callable[[Sequence[AnyEvent]], None]
    ) -> None:
        self._states = states
        self._write = write
        self._room = select.poll()
        self._room.register(STDOUT, select.POLLOUT)

    def deliver(self, told: Told, shown: Sequence[AnyEvent]) -> None:
        """Write those that are shown, and remember them; in parts where a signal comes between."""
        notes = told.notes
        while shown or notes:
            with _signals_wait() as came:
                done: Sequence[AnyEvent] = ()
                try:
                    for event in shown:
                        if not self._has_room(came):
                            break
                        self._write((event,))
                        done = shown[: len(done) + 1]
                finally:
                    kept = backed(notes, {event.id for event in done})
                    self._remember(told.account, kept)
            if len(done) == len(shown):
                return
            shown, notes = shown[len(done) :], notes[len(kept) :]

    def whole(self, word: Whole) -> None:
        """Nothing is missing until then."""
        with _signals_wait():
            self._states[word.account].commit(word.notes, time.time_ns(), whole_ns=word.wall_ns)

    def _remember(self, account: str, notes: Sequence[Note]) -> None:
        if notes:
            self._states[account].commit(notes, time.time_ns())

    def _has_room(self, came: Sequence[int]) -> bool:
        """Wait until a line can be written; False where a signal came first."""
        while not came:
            if self._room.poll(LOOK):
                return True
        return False


@contextmanager
def _signals_wait() -> Iterator[Sequence[int]]:
    """What comes in the block is obeyed at its end; a second wish to end is obeyed at once."""
    came: list[int] = []
    before = {n: usual for n in SIGNALS if callable(usual := signal.getsignal(n))}

    def note(number: int, frame: FrameType | None) -> None:
        if number in ENDING and ENDING.intersection(came):
            before[signal.Signals(number)](number, frame)
        came.append(number)

    try:
        for deferred in before:
            signal.signal(deferred, note)
        yield came
    finally:
        for deferred, usual in before.items():
            signal.signal(deferred, usual)
    for number in came:
        before[signal.Signals(number)](number, None)
