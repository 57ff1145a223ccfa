"""Ids of what was emitted and may be reported again: kept by time, as small as can be.

The one rule: an id is forgotten only a day after everything of its time was proven to be
delivered, so nothing can bring that fact as news any more; and whatever is older than
what was forgotten was emitted. Pure.
"""

from array import array
from bisect import bisect_left
from datetime import datetime
from functools import lru_cache
from heapq import merge
from zlib import crc32

from privstream.model.times import from_micros

KEPT_HOURS = 24
"""For so long after the proof ids are kept: no read-back overlaps by more."""
MINUTES = 60
"""In an hour."""
HOUR = len("2026-11-20T11")
BEFORE = "9999"
"""The hour, later than all others, of what runs before left without a time."""
YOUNG = 4096
"""Ids of the running hour that are in a set, where each takes ten times the room."""
STATES = 64
"""States of one thing kept apart; from there on each has a number."""


@lru_cache(maxsize=256)
def _minute(text: str) -> int:
    return int(datetime.fromisoformat(f"{text}+00:00").timestamp()) // 60


def minute_of(time: str) -> int:
    """Minutes since the epoch of a time as events have it."""
    return _minute(time[:16])


class Remembered:
    """Ids of facts, by the hour in which they happened; those without a time by our own hour."""

    def __init__(self) -> None:
        self._dated: dict[str, _Hour] = {}
        """By the time as far as its hour: "2026-11-20T11"."""
        self._undated: dict[str, _Hour] = {}
        self._emitted_until = ""
        """Of the hours before this one ids were forgotten."""

    def __len__(self) -> int:
        return sum(map(len, (*self._dated.values(), *self._undated.values())))

    def __bool__(self) -> bool:
        """Whether anything was added; counting it would take as long as there are hours."""
        return bool(self._dated or self._undated)

    def has(self, member: str, time: str | None) -> bool:
        """Whether it was added; `time` is when the fact happened, where that is known."""
        mark, dated = hash(member), self._dated
        if self._undated and any(mark in hour for hour in self._undated.values()):
            return True
        if time is None:
            return any(mark in hour for hour in dated.values())
        hour = dated.get(time[:HOUR])
        if hour is not None and mark in hour:
            return True
        if len(dated) <= (hour is not None):
            return False
        near = dated.get(_neighbour(time))  # two reports of a fact may date it a little apart
        return near is not None and mark in near

    def add(self, member: str, time: str | None, received: str) -> None:
        """Take it in."""
        hours, now = (self._undated, received) if time is None else (self._dated, time)
        hour = hours.get(now[:HOUR])
        if hour is None:
            for older in hours.values():
                older.pack()
            hour = hours[now[:HOUR]] = _Hour()
        hour.add(hash(member))
        hour.added = received

    def add_new(self, member: str, time: str | None, received: str) -> bool:
        """Take it in, where it was not added yet; else False."""
        hour = None if time is None or self._undated else self._dated.get(time[:HOUR])
        if hour is None or len(self._dated) > 1:
            if self.has(member, time):
                return False
            self.add(member, time, received)
            return True
        if not hour.add_new(hash(member)):
            return False
        hour.added = received
        return True

    def restore(self, member: str, time: str | None) -> None:
        """Take in what a run before added."""
        hours, hour = (self._undated, BEFORE) if time is None else (self._dated, time[:HOUR])
        hours.setdefault(hour, _Hour()).add(hash(member))

    def resume_from(self, proven: str) -> None:
        """A run before emitted everything until then, and kept the ids of the last day of it."""
        self._emitted_until = _a_day_before(proven)

    def is_past(self, time: str) -> bool:
        """It happened so long ago that its id may be forgotten: it was emitted then."""
        return time < self._emitted_until

    def forget(self, proven: str) -> None:
        """Everything until this moment was delivered: forget what is older by a day."""
        limit = _a_day_before(proven)
        for hours in (self._dated, self._undated):
            for hour, kept in list(hours.items()):
                # What was read back only now, for --since, is read once more in a while.
                if hour < limit and kept.added < limit:
                    del hours[hour]
                    self._emitted_until = max(self._emitted_until, f"{hour}:60")


def _a_day_before(time: str) -> str:
    """The hour a day before."""
    return _hour(minute_of(time) // MINUTES - KEPT_HOURS)


def _neighbour(time: str) -> str:
    """The hour that is nearest to a moment, besides its own."""
    minute = minute_of(time)
    return _hour(minute // MINUTES + (1 if minute % MINUTES >= MINUTES // 2 else -1))


@lru_cache(maxsize=64)
def _hour(number: int) -> str:
    """Of the hours since the epoch, as times begin."""
    return from_micros(number * MINUTES * 60 * 1_000_000)[:HOUR]


class _Hour:
    """What happened in one hour: 64-bit hashes, the latest in a set, the others 8 bytes each.

    The sorted arrays at least double in size from one to the next, so there are few to look
    into, and each id is moved but a few times however many an hour has.
    """

    __slots__ = ("_packed", "_young", "added")

    def __init__(self) -> None:
        self._young: set[int] = set()
        self._packed: list[array[int]] = []
        """The largest first."""
        self.added = ""
        """When something was added last."""

    def __len__(self) -> int:
        return len(self._young) + sum(map(len, self._packed))

    def __contains__(self, mark: int) -> bool:
        if mark in self._young:
            return True
        for packed in self._packed:
            place = bisect_left(packed, mark)
            if place < len(packed) and packed[place] == mark:
                return True
        return False

    def add_new(self, mark: int) -> bool:
        """Add it, unless it is in it already."""
        if mark in self._young or (self._packed and mark in self):
            return False
        self.add(mark)
        return True

    def add(self, mark: int) -> None:
        self._young.add(mark)
        if len(self._young) >= YOUNG:
            self._pack(YOUNG)

    def pack(self) -> None:
        """Nothing more is expected: one array of all."""
        self._pack(len(self))

    def _pack(self, least: int) -> None:
        """Sort the set into an array, together with all that are not twice as large."""
        if not self._young and len(self._packed) < 2:  # noqa: PLR2004 - there is nothing to join
            return
        packed = array("q", sorted(self._young))
        self._young = set()
        while self._packed and len(self._packed[-1]) < 2 * max(len(packed), least):
            packed = array("q", merge(self._packed.pop(), packed))
        self._packed.append(packed)


class StateNames:
    """Names the states of one thing: none twice, and one that comes back has a number."""

    __slots__ = ("_count", "_known", "_most")

    def __init__(self, most: int = STATES) -> None:
        self._count = 0
        self._most = most
        self._known: set[int] | None = set()
        """Hashes of the states so far; `None` once they are too many to be kept."""

    def name(self, state: str, *, is_new: bool = False) -> str:
        """The state itself the first time, else with the number of all states so far."""
        self._count += 1
        mark, known = _mark(state), self._known
        if known is not None and mark not in known:
            known.add(mark)
            if len(known) >= self._most:
                self._known = None
            return state
        return state if is_new else f"{state}:{self._count}"

    def __bool__(self) -> bool:
        """Any was named."""
        return self._known is None or bool(self._known)

    def may_have(self, state: str) -> bool:
        """Whether it was named already, as far as is known."""
        return self._known is None or _mark(state) in self._known

    @property
    def count(self) -> int:
        """The number of all states so far."""
        return self._count

    @property
    def kept(self) -> tuple[int, bytes | None]:
        """The number of states, and their hashes: what the next run must know."""
        known = self._known
        return self._count, None if known is None else array("I", sorted(known)).tobytes()

    def restore(self, count: int, marks: bytes | None) -> None:
        """As `kept` by a run before."""
        self._count = count
        if marks is None:
            self._known = None
        else:
            self._known = set(array("I", marks))

    def recall(self, state: str | None, count: int) -> None:
        """One state by its name, if it is known, and the number of states until then."""
        self._count = max(self._count, count)
        if self._known is not None and state is not None:
            self._known.add(_mark(state))


def _mark(state: str) -> int:
    return crc32(state.encode())
