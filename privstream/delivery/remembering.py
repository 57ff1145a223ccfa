"""Delivers events so that the next run goes on exactly there.

The one rule: what was written and what is remembered do not part. Nothing interrupts the main
thread between the two; a reader who takes no more ends the writing between two lines.
"""

import time
from collections.abc import Callable, Mapping, Sequence

from privstream.delivery.resume_file import State
from privstream.delivery.stream import Told, Whole
from privstream.memory.journal import Note, backed
from privstream.model.events import AnyEvent
from privstream.outputs.base import NotTaken


class Remembering:
    """Writes line by line, and commits what was written to the account's state."""

    def __init__(
        self, states: Mapping[str, State], write: Callable[[Sequence[AnyEvent]], None]
    ) -> None:
        self._states = states
        self._write = write

    def deliver(self, told: Told, shown: Sequence[AnyEvent]) -> None:
        """Write those that are shown, and remember those that were written."""
        done = 0
        try:
            for event in shown:
                self._write((event,))
                done += 1
        except NotTaken as rest:
            raise NotTaken(done, is_torn=rest.is_torn) from None
        finally:
            self._remember(told.account, backed(told.notes, {event.id for event in shown[:done]}))

    def whole(self, word: Whole) -> None:
        """Nothing is missing until then."""
        self._states[word.account].commit(word.notes, time.time_ns(), whole_ns=word.wall_ns)

    def _remember(self, account: str, notes: Sequence[Note]) -> None:
        if notes:
            self._states[account].commit(notes, time.time_ns())
