"""Delivers events so that the next run goes on exactly there.

The one rule: what was written and what is remembered do not part. Nothing interrupts the main
thread between the two; a reader who takes no more ends the writing between two lines.
"""

import time
from collections.abc import Callable, Mapping, Sequence

from privstream.delivery.resume_file import State
from privstream.delivery.spool import Spool
from privstream.delivery.stream import EventBatch, Whole
from privstream.memory.journal import Note, backed
from privstream.model.events import AnyEvent, Notice
from privstream.outputs.base import NotTaken


class Remembering:
    """Writes line by line, and commits what was written to the account's state."""

    def __init__(
        self,
        states: Mapping[str, State],
        write: Callable[[Sequence[AnyEvent]], None],
        spool: Spool | None = None,
    ) -> None:
        self._states = states
        self._write = write
        self._spool = spool

    def deliver(self, told: EventBatch, shown: Sequence[AnyEvent]) -> None:
        """Write those that are shown, and remember those that were written."""
        done, beside = 0, list[AnyEvent]()
        try:
            for event in shown:
                self._make_room()
                self._write((event,))
                done += 1
                for notice in self._notices(event):
                    self._write((notice,))
                    beside.append(notice)
        except NotTaken as rest:
            raise NotTaken(done, is_torn=rest.is_torn) from None
        finally:
            delivered = shown[:done]
            notes = backed(told.notes, {event.id for event in delivered})
            self._remember(told.account, notes, [*delivered, *beside])

    def whole(self, word: Whole) -> None:
        """Nothing is missing until then."""
        self._states[word.account].commit(word.notes, time.time_ns(), whole_ns=word.wall_ns)

    def _make_room(self) -> None:
        if self._spool is not None:
            self._spool.make_room()

    def _notices(self, event: AnyEvent) -> list[Notice]:
        return [] if self._spool is None else self._spool.notices(event)

    def _remember(self, account: str, notes: Sequence[Note], events: Sequence[AnyEvent]) -> None:
        lines = [] if self._spool is None else self._spool.lines(events)
        if notes or lines:
            self._states[account].commit(notes, time.time_ns(), lines=lines)
        if lines and self._spool is not None:
            self._spool.sent()
