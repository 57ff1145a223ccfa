"""Memories of bounded size, and the notes by which a memory outlives its run.

The one rule: a memory surely knows the latest and forgets the oldest. Pure.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable
from itertools import takewhile

from msgspec import Struct


class Recent:
    """A set whose latest `size` members are surely in it."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._young: set[str] = set()
        self._old: set[str] = set()

    def __contains__(self, member: object) -> bool:
        return member in self._young or member in self._old

    def add(self, member: str) -> bool:
        """Take it in; False where it was there already."""
        if member in self._young or member in self._old:
            return False
        self._young.add(member)
        if len(self._young) >= self._size:
            self._old, self._young = self._young, set()
        return True


class Occurrences:
    """Numbers a name that comes again, so that no id comes twice."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._times: OrderedDict[str, int] = OrderedDict()

    def name(self, name: str) -> str:
        """The name itself the first time, then `name:2`, `name:3` and so on."""
        times = self._times.get(name, 0) + 1
        self.recall(name, times)
        return name if times == 1 else f"{name}:{times}"

    def times(self, name: str) -> int:
        """How often it came, as far as is known."""
        return self._times.get(name, 0)

    def recall(self, name: str, times: int) -> None:
        """It came so often until now."""
        self._times[name] = times
        self._times.move_to_end(name)
        if len(self._times) > self._size:
            self._times.popitem(last=False)


# --- across runs ---------------------------------------------------------------------------


class Note(Struct, frozen=True, gc=False):
    """Something to be known in the next run too; a later note of the same key replaces it."""

    kind: str
    key: str
    value: bytes | None
    """`None`: forget it."""
    event: str | None
    """The id of the event that told it: only what was delivered is to be remembered."""
    lasting: bool
    """It is still so, however long ago it was told; the rest is forgotten some day."""


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
