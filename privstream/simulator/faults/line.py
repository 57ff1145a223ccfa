"""What becomes of one socket's frames on their way out.

The one rule: the exchange is never asked twice; what a fault takes, delays or repeats
is taken from what it said, and what it knows stays true.
"""

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import TypeAlias

from msgspec import Struct

from privstream.model.rest import Now
from privstream.simulator.base import Close, Out, Text
from privstream.simulator.faults.grammar import FOREVER, Fault

LONGEST_HOLD = 1.0  # seconds that a frame waits for others to be reordered with
CUT = Close(1006)
CUTS = frozenset({"drop", "reset"})
JUNK = (
    "this is no JSON",
    "",
    "{",
    "null",
    "[]",
    "[[]]",
    '"text"',
    "NaN",
    "[1e400]",
    '{"channel":"unheard_of","type":"update","data":[{}]}',
    '{"channel":"executions","type":"update","data":"text"}',
    '{"channel":"orders","data":7}',
    '{"event":"unheard_of","code":"many"}',
    '{"type":"unheard_of","data":null}',
    '{"type":"order","data":[]}',
    '{"push":{"channel":"x","pub":{"data":null}}}',
    '[0,"zz",[1,2,3]]',
    '[0,"te",{}]',
    '[[{"O":1}],"unheardOf",{"sequence":"x"}]',
    '{"text":"\\ud800"}',
    "[" * 5_000 + "]" * 5_000,
)


class Reset(Struct, frozen=True):
    """End the connection with a TCP reset."""


class Torn(Struct, frozen=True):
    """Send the first half of a text frame."""

    text: str


class Drip(Struct, frozen=True):
    """Send a text frame byte by byte, within so many seconds."""

    text: str
    seconds: float


class Endless(Struct, frozen=True):
    """Send the header of a frame that is longer than anybody may take."""


Deed: TypeAlias = Out | Reset | Torn | Drip | Endless
Tell: TypeAlias = Callable[[Fault, str, Now], None]
"""Called when a fault strikes a frame, with the frame."""


class Line:
    """One socket; everything it sends passes here."""

    def __init__(
        self,
        without_data: Callable[[str], str | None],
        counted: Callable[["Line", Now], None],
        tell: Tell,
        random: Random,
    ) -> None:
        self._without_data, self._counted, self._tell = without_data, counted, tell
        self._random = random
        self.was_struck = self._over = self._garbled = False
        self._due: list[Deed] = []
        self._next: deque[Fault] = deque()
        """What is to strike the next account frames, one each."""
        self._frozen_until = self._deaf_until = self._mute_until = 0.0
        self._doubled_until, self._times = 0.0, 1
        self._waiting: list[Deed] = []
        """What was to be sent while nothing moved."""
        self._held: list[str] = []
        self._held_for: Fault | None = None
        self._held_until = 0.0

    def is_frozen(self, now: Now) -> bool:
        """Whether no byte moves either way; the server leaves such a socket alone."""
        return now.monotonic < self._frozen_until

    def takes(self, fault: Fault) -> bool:
        """Whether a fault can strike here: what is dead or garbled can only be cut."""
        if self._garbled or self._frozen_until == FOREVER:
            return not self._over and fault.kind in CUTS and not fault.word
        return not self._over

    # --- what strikes ------------------------------------------------------------------

    def strike(self, fault: Fault, now: Now) -> bool:
        """Take a fault on; whether it strikes now rather than the next account frame."""
        self.was_struck = True
        until = now.monotonic + fault.seconds
        match fault.kind:
            case "drop" | "reset" if not fault.word:
                self._frozen_until, self._waiting = 0.0, []
                self._end(CUT if fault.kind == "drop" else Reset())
            case "close":
                self._end(Close(fault.count, fault.text))
            case "stall":
                self._frozen_until = max(self._frozen_until, until)
            case "mute" if fault.word:
                self._deaf_until = max(self._deaf_until, until)
            case "mute":
                self._mute_until = max(self._mute_until, until)
            case "duplicate" if fault.seconds:
                self._doubled_until, self._times = until, fault.count
            case "huge" if not fault.count:
                self._due.append(Endless())
                self._garbled, self._deaf_until = True, FOREVER
            case "huge":
                self._due.append(Text('"' + "x" * (fault.count - 2) + '"'))
            case "junk":
                self._due += [Text(self._random.choice(JUNK)) for _ in range(fault.count)]
            case _:
                self._next += [fault] * (fault.count if fault.kind == "lose" else 1)
                return False
        return True

    def _end(self, deed: Deed) -> None:
        """The last that is heard here."""
        self._due.append(deed)
        self._over, self._deaf_until = True, FOREVER

    # --- what goes out -----------------------------------------------------------------

    def tick(self, now: Now) -> list[Deed]:
        """What is due without the exchange saying anything."""
        if self.is_frozen(now):
            return []
        deeds, self._waiting = self._waiting, []
        deeds += self._taken()
        if self._held and now.monotonic >= self._held_until:
            deeds += self._released(now)
        return deeds

    def through(self, outs: Iterable[Out], now: Now) -> list[Deed]:
        """What becomes of what the exchange says."""
        deeds = list(self._spoilt(outs, now))
        if not self.is_frozen(now):
            return deeds
        self._waiting += deeds
        return []

    def _spoilt(self, outs: Iterable[Out], now: Now) -> Iterator[Deed]:
        for out in outs:
            if isinstance(out, Text):
                yield from self._text(out, now)
            elif now.monotonic >= self._deaf_until:
                yield out

    def _text(self, out: Text, now: Now) -> Iterator[Deed]:
        rest = self._without_data(out.text)
        if rest != out.text:
            self._counted(self, now)
        yield from self._taken()
        if now.monotonic < self._deaf_until:
            return
        if rest == out.text:
            yield out
            return
        if now.monotonic < self._mute_until:
            yield from self._left(rest)
        elif self._held_for is not None:
            yield from self._hold(out.text, now)
        elif self._next:
            yield from self._struck(self._next.popleft(), out, rest, now)
        else:
            times = self._times if now.monotonic < self._doubled_until else 1
            yield from itertools.repeat(out, times)

    def _struck(self, fault: Fault, out: Text, rest: str | None, now: Now) -> Iterator[Deed]:
        if fault.kind == "reorder":
            self._held_for, self._held_until = fault, now.monotonic + LONGEST_HOLD
            yield from self._hold(out.text, now)
            return
        self._tell(fault, out.text, now)
        match fault.kind:
            case "lose":
                yield from self._left(rest)
            case "duplicate":
                yield from itertools.repeat(out, fault.count)
            case "drip":
                yield Drip(out.text, fault.seconds)
            case _:
                yield Torn(out.text)
                yield CUT if fault.kind == "drop" else Reset()
                self._over, self._deaf_until = True, FOREVER

    def _left(self, rest: str | None) -> Iterator[Deed]:
        if rest is not None:
            yield Text(rest)

    def _taken(self) -> list[Deed]:
        due, self._due = self._due, []
        return due

    # --- the wrong order ---------------------------------------------------------------

    def _hold(self, text: str, now: Now) -> list[Deed]:
        self._held.append(text)
        full = self._held_for is not None and len(self._held) >= self._held_for.count
        return self._released(now) if full else []

    def _released(self, now: Now) -> list[Deed]:
        fault, held = self._held_for, self._held
        self._held_for, self._held = None, []
        if fault is not None and len(held) > 1:
            self._tell(fault, held[0], now)
            right = list(held)
            while held == right:
                self._random.shuffle(held)
        elif fault is not None:  # nothing to change places with: the next ones, then
            self._next.appendleft(fault)
        return [Text(text) for text in held]
