"""The notes by which a memory outlives its run. Pure."""

from collections.abc import Collection, Iterable
from itertools import takewhile

from msgspec import Struct


class Note(Struct, frozen=True, gc=False):
    """Something to be known in the next run too; a later note of the same key replaces it."""

    kind: str
    key: str
    value: bytes | None
    """`None`: forget it."""
    event: str | None
    """The id of the event that it came with: only what was delivered is to be remembered."""
    lasting: bool
    """It is still so, however long ago it was noted; the rest is forgotten some day."""


class Journal:
    """The notes of one ledger, in the order in which it learned."""

    def __init__(self) -> None:
        self._notes: list[Note] = []

    def keep(
        self,
        kind: str,
        key: str,
        value: bytes = b"",
        *,
        event: str | None = None,
        lasting: bool = False,
    ) -> None:
        """Note it."""
        self._notes.append(Note(kind, key, value, event, lasting))

    def forget(self, kind: str, key: str, *, event: str | None = None) -> None:
        """Note that it is of no use any more."""
        self._notes.append(Note(kind, key, None, event, lasting=False))

    def take(self, delivered: Collection[str | None]) -> list[Note]:
        """Hand out the notes up to the first whose event is not among these ids."""
        notes = backed(self._notes, delivered)
        del self._notes[: len(notes)]
        return notes


def backed(notes: Iterable[Note], delivered: Collection[str | None]) -> list[Note]:
    """The notes up to the first whose event was not delivered."""
    return list(takewhile(lambda n: n.event is None or n.event in delivered, notes))
