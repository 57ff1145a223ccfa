"""Damaged frames, many of them, through every session and its ledger: nothing may escape.

The one rule: a damaged frame makes valid events, a notice, a reconnect or a refusal; any
other exception, and any line that is not as promised, is printed with what made it.

    python -m tests.benchmarks.mutate [--count 1000000] [--seed 1] [EXCHANGE]...

The frames are those of simulated lives and, where it is there, of the folder of real ones.
"""

import argparse
import json
import re
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeAlias

from privstream import exchanges
from privstream.exchanges.base import Exchange
from privstream.memory.event_maker import View
from privstream.memory.ledger import Ledger
from privstream.model.account import Secret, Token
from privstream.model.errors import PrivstreamError
from privstream.model.events import Notice
from privstream.model.exact import Malformed, Number, ascii_line, decode, encode
from privstream.model.reports import Listed, Report
from privstream.model.rest import Now, Stamp
from privstream.model.session import Reconnect, Session
from privstream.model.times import from_nanos
from privstream.outputs.calendar import Calendar
from privstream.outputs.describe import Describer
from tests.corpus import FOLDER, frames
from tests.fake_clock import START_NS
from tests.joined import World
from tests.valid import assert_valid

LIFE, RATE = 60.0, 6.0
"""Seconds of a simulated life, and happenings a second in it."""
DAMAGED = 0.7
"""The share of frames that are damaged; the others keep the session going."""
KEPT = 20
"""Failures that are shown whole."""
DEEP = 100_000
DESCRIBER = Describer(Calendar())

Damage: TypeAlias = Callable[[Random, bytes], bytes]
Path: TypeAlias = tuple[Any, ...]
WRONG: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    10**25,
    -(10**400),
    "",
    "-",
    "NaN",
    "1e999",
    "1e-999",
    "0x10",
    "-0.0",
    "2026-99-99",
    "9" * 5000,
    Number("1.5"),
    Number("-2e-7"),
    "\x1b[31m\u202e\u0000",
    "\ud800",
    "\U0001f600",
    [],
    {},
    [None],
    [[]],
    {"": None},
)
NUMBER = re.compile(rb"-?\d+(\.\d+)?([eE][-+]?\d+)?")
CHANNEL = re.compile(rb"pws:#\w+")
TOKENS = (b"NaN", b"Infinity", b"1e400", b"-1e400", b"1e-400", b"1" + b"0" * 400, b"0.1e1", b"-0")


# --- what goes wrong with a frame ----------------------------------------------------------


def flipped(random: Random, frame: bytes) -> bytes:
    """Some bytes are others."""
    spoilt = bytearray(frame)
    for _ in range(random.randint(1, 3)):
        spoilt[random.randrange(len(spoilt))] = random.randrange(256)
    return bytes(spoilt)


def cut(random: Random, frame: bytes) -> bytes:
    """A part is missing, or comes twice."""
    begin, end = sorted(random.randrange(len(frame) + 1) for _ in range(2))
    return frame[:begin] + frame[begin:end] * random.choice((0, 0, 2)) + frame[end:]


def swapped(random: Random, frame: bytes) -> bytes:
    """A value is of another type."""
    return _edited(random, frame, lambda at, key: at.__setitem__(key, random.choice(WRONG)))


def requoted(random: Random, frame: bytes) -> bytes:
    """A number is a text, or a text a number."""

    def requote(at: Any, key: Any) -> None:
        at[key] = (
            str(at[key]) if not isinstance(at[key], str) else random.choice((7, 0, -3, 10**30))
        )

    return _edited(random, frame, requote)


def without(random: Random, frame: bytes) -> bytes:
    """A key or an element is missing."""
    return _edited(random, frame, lambda at, key: at.__delitem__(key))


def longer(random: Random, frame: bytes) -> bytes:
    """A list or an object has something more."""

    def lengthen(at: Any, _key: Any) -> None:
        if isinstance(at, list):
            at.insert(random.randrange(len(at) + 1), random.choice(WRONG))
        else:
            at["unheard_of"] = random.choice(WRONG)

    return _edited(random, frame, lengthen)


def numbered(random: Random, frame: bytes) -> bytes:
    """A number is none, or far too large."""
    found = list(NUMBER.finditer(frame))
    if not found:
        return flipped(random, frame)
    one = random.choice(found)
    return frame[: one.start()] + random.choice(TOKENS) + frame[one.end() :]


def doubled(random: Random, frame: bytes) -> bytes:
    """A key comes twice, with two values."""
    keys = list(re.finditer(rb'"\w+":', frame))
    if not keys:
        return cut(random, frame)
    one = random.choice(keys)
    again = one[0] + random.choice((b"null,", b'"x",', b"1,", b"[],", b"{},"))
    return frame[: one.start()] + again + frame[one.start() :]


def nested(random: Random, frame: bytes) -> bytes:
    """A value is nested deeper than anybody reads."""
    depth = random.choice((3, 30, 300, 3000)) if random.random() < 0.999 else DEEP
    opening, closing = random.choice(((b"[", b"]"), (b'{"a":', b"}")))
    found = list(NUMBER.finditer(frame))
    begin, end = random.choice(found).span() if found else (0, len(frame))
    inner = opening * depth + frame[begin:end] + closing * depth
    return frame[:begin] + inner + frame[end:]


DAMAGES: tuple[Damage, ...] = (
    flipped,
    cut,
    swapped,
    swapped,
    requoted,
    without,
    longer,
    numbered,
    doubled,
    nested,
)


def _edited(random: Random, frame: bytes, edit: Callable[[Any, Any], object]) -> bytes:
    """The frame with one of its places changed; one that is no JSON is flipped."""
    try:
        value = deepcopy(decode(frame))
    except Malformed:
        return flipped(random, frame)
    places = list(_places(value))
    if not places:
        return flipped(random, frame)
    edit(*random.choice(places))
    with suppress(TypeError, ValueError, UnicodeEncodeError, OverflowError):
        return encode(value)
    return json.dumps(value, default=str).encode()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a JSON value, as what it is in and its key there."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in list(inner) if isinstance(value, dict | list) else ():
        yield value, key
        if isinstance(item, dict | list):
            yield from _places(item)


# --- who gets it ---------------------------------------------------------------------------


@dataclass
class Figures:
    """What came of all frames."""

    damaged: int = 0
    events: int = 0
    notices: int = 0
    reconnects: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    shown: list[str] = field(default_factory=list)

    def failed(self, frame: bytes, problem: BaseException) -> None:
        """Something escaped."""
        where = traceback.extract_tb(problem.__traceback__)[-1]
        name = f"{type(problem).__name__} in {where.filename}:{where.lineno}: {str(problem)[:150]}"
        self.failures[name] += 1
        if self.failures[name] == 1 and len(self.shown) < KEPT:
            self.shown.append(f"{name}\n    {frame[:600]!r}")


class Story:
    """One exchange's frames in their order, told again and again to new sessions."""

    def __init__(self, name: str, options: dict[str, str], texts: Sequence[bytes]) -> None:
        self.name = name
        world = World(name, options=options)
        self._exchange: Exchange = world.supervisor.exchange
        self._channels = tuple(
            c for c in self._exchange.channels if c not in self._exchange.extra_channels
        )
        if options.get("protocol") == "v1":
            self._channels = ("orders", "trades")
        self._texts = [text for text in texts if text]
        self._now = world.clock.now()
        named = CHANNEL.search(b"".join(self._texts))
        self._channel = None if named is None else named[0].decode()
        """Of Indodax, which reads no other one."""

    def tell(self, random: Random, figures: Figures, until: int) -> None:
        """One life, or less where that is enough."""
        view = View(
            exchange=self.name, account=self.name, channels=frozenset(self._channels), raw=True
        )
        ledger = Ledger(view, from_nanos(START_NS - 10**15))
        session = self._opened()
        for number, text in enumerate(self._texts):
            if figures.damaged >= until:
                return
            frame = text
            if random.random() < DAMAGED:
                figures.damaged += 1
                frame = random.choice(DAMAGES)(random, text)
            self._now = Now(self._now.wall_ns + 10**8, self._now.monotonic + 0.1)
            again = self._receive(session, ledger, frame, figures, random)
            if again:
                session = self._opened()
                ledger.reconnected()
            if number % 50 == 0:
                self._take(ledger.settle(from_nanos(self._now.wall_ns)), frame, figures)

    def _opened(self) -> Session:
        token = Token(Secret("T0K3N-of-nobody"), 900.0, channel=self._channel)
        session = self._exchange.session(token, self._channels)
        for _ in session.open(Stamp(self._now, 1_780_000_000_000_000)):
            pass
        return session

    def _receive(
        self, session: Session, ledger: Ledger, frame: bytes, figures: Figures, random: Random
    ) -> bool:
        """Give it the frame; whether it wants another connection."""
        received = from_nanos(self._now.wall_ns)
        try:
            actions = [*session.receive(frame, self._now)]
            if random.random() < 0.05:
                actions += session.tick(self._now)
            for action in actions:
                if isinstance(action, Report | Listed):
                    self._take(ledger.take(action, received), frame, figures)
        except PrivstreamError as refusal:
            figures.refusals[type(refusal).__name__] += 1
            str(refusal)
            return True
        except Exception as problem:  # noqa: BLE001 - what escapes is what is looked for
            figures.failed(frame, problem)
            return True
        figures.reconnects += any(isinstance(action, Reconnect) for action in actions)
        return any(isinstance(action, Reconnect) for action in actions)

    def _take(self, events: Sequence[Any], frame: bytes, figures: Figures) -> None:
        """Every event is a valid line, and a line for a person can be made of it."""
        for event in events:
            figures.events += 1
            is_notice = isinstance(event, Notice)
            figures.notices += is_notice
            try:
                ascii_line(encode(event))
                DESCRIBER.describe(event)
                if not is_notice or figures.notices % 20 == 0:  # they are all made alike
                    assert_valid(event)
            except (Exception, AssertionError) as problem:  # noqa: BLE001 - as above
                figures.failed(frame, problem)


def stories(names: Sequence[str], seed: int) -> list[Story]:
    """Simulated lives of each exchange and protocol, and the real frames of each."""
    found = []
    for name in names:
        for options in [{"protocol": "v1"}, {}] if name == "kraken" else [{}]:
            found.append(Story(name, options, life(name, options, seed)))
            if FOLDER.is_dir():
                real = [line for kind, line in frames(name) if not kind.startswith("rest_")]
                found.append(Story(name, options, real))
    return found


def life(name: str, options: Mapping[str, str], seed: int, seconds: float = LIFE) -> list[bytes]:
    """The frames that a client of a simulated exchange gets, login included."""
    world = World(name, seed=seed, rate=RATE, options=options, limits=False)
    heard: list[bytes] = []

    def listen(text: str) -> list[str]:
        heard.append(text.encode())
        return [text]

    world.spoil = listen
    world.watch(seconds)
    return heard


def mutate(count: int, seed: int, names: Sequence[str]) -> Figures:
    """So many damaged frames, the same share to every story."""
    random, figures = Random(seed), Figures()
    told = stories(names, seed)
    for number, story in enumerate(told, start=1):
        until = count * number // len(told)
        while figures.damaged < until:
            story.tell(random, figures, until)
    return figures


def main() -> int:
    """Print the figures; 1 where anything escaped."""
    parser = argparse.ArgumentParser(prog="mutate")
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("names", nargs="*", metavar="EXCHANGE")
    asked = parser.parse_args()
    begin = time.monotonic()
    figures = mutate(asked.count, asked.seed, asked.names or exchanges.names())
    seconds = time.monotonic() - begin
    print(
        f"{figures.damaged} damaged frames in {seconds:.0f} s ({figures.damaged / seconds:.0f}/s): "
        f"{figures.events} events, {figures.notices} of them notices, "
        f"{figures.reconnects} reconnects, refusals {dict(figures.refusals)}"
    )
    for one in figures.shown:
        print(one)
    print(f"uncaught: {figures.failures.total()}")
    return 1 if figures.failures else 0


if __name__ == "__main__":
    sys.exit(main())
