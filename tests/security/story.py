"""One account's life with every fault of the simulator in it, and all that it said and threw."""

import gc
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import FunctionType, ModuleType

import pytest

import privstream
from privstream import simulator
from privstream.model.errors import PrivstreamError
from privstream.model.events import AnyEvent
from privstream.model.exact import encode
from tests.joined import World
from tests.security.treasure import Treasure

HOSTILE = "\x1b]52;c;UFNDQU5BUlk=\x07\r\u202e[red]"
FAULTS = [
    "drop@5s",
    "reset=half@10s",
    "stall=4@15s",
    "mute=4@22s",
    "duplicate@30s",
    "reorder@32s",
    "lose@34s",
    "expire@40s",
    "maintenance=5@50s",
    "http=503:5@68s",
    "drop@68s",
    "drip=3@80s",
    "huge@84s",
    "junk=3@94s",
    "refuse=nonce@100s",
    "drop@100s",
    "close=1008@112s",
    "refuse=key@124s",
    "drop@125s",
    f"close=1012:{HOSTILE}@60s",
]
"""All kinds there are; the refused key ends the run."""
LIFE = 140
PACKAGE = str(Path(privstream.__file__).parent)
SIMULATOR = str(Path(simulator.__file__).parent)


class Story:
    """What became of one account."""

    def __init__(
        self,
        name: str,
        monkeypatch: pytest.MonkeyPatch,
        options: Mapping[str, str] | None = None,
        faults: Sequence[str] = FAULTS,
    ) -> None:
        self.errors: list[PrivstreamError] = []
        self.taps: list[str] = []
        self.frames: list[bytes] = []
        self._keep_errors(monkeypatch)
        self.world = World(
            name, rate=2.0, limits=False, options=options, faults=faults, view={"raw": True}
        )
        supervisor = self.world.supervisor
        supervisor._outside = replace(supervisor._outside, tap=self._tap)
        monkeypatch.setattr(self.world._outbox, "takes_frames", True)
        monkeypatch.setattr(self.world._outbox, "frames", self._keep_frames)

    def _keep_errors(self, monkeypatch: pytest.MonkeyPatch) -> None:
        make = PrivstreamError.__init__

        def keep(error: PrivstreamError, message: str, hint: str | None = None) -> None:
            self.errors.append(error)
            make(error, message, hint)

        monkeypatch.setattr(PrivstreamError, "__init__", keep)

    def _keep_frames(self, told: list[tuple[bytes, list[AnyEvent]]]) -> None:
        for frame, events in told:
            self.frames.append(frame)
            self.world._outbox.events(events)

    def _tap(self, direction: str, text: str) -> None:
        self.taps.append(f"{direction} {text}")

    def happen(self, seconds: float = LIFE) -> PrivstreamError | None:
        """Live it; returns what ended it."""
        try:
            self.world.watch(seconds)
        except PrivstreamError as end:
            return end
        return None

    # --- what it left --------------------------------------------------------------------

    def said(self) -> dict[str, str]:
        """All texts, by where they were said."""
        world = self.world
        return {
            "events": b"\n".join(map(encode, world.events)).decode(),
            "frames as received": b"\n".join(self.frames).decode(),
            "frames for a recording": "\n".join(self.taps),
            "notes": "\n".join(world.notes),
            "calls": "\n".join(world.requests),
            "errors": "\n".join(f"{e!r} {e} {e.hint} {vars(e)}" for e in self.errors),
            "tracebacks": "\n".join(map(_traceback, self.errors)),
            "locals": "\n".join(line for error in self.errors for line in _locals(error)),
            "objects": "\n".join(reprs(world.supervisor)),
        }

    def leaks(self, treasure: Treasure) -> dict[str, list[str]]:
        """Where it said a secret."""
        found = {place: treasure.leaks(text) for place, text in self.said().items()}
        return {place: leaks for place, leaks in found.items() if leaks}


def _traceback(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def _locals(error: BaseException) -> Iterator[str]:
    """What a tool that prints locals would print of our own frames, along the whole chain."""
    told: traceback.TracebackException | None = traceback.TracebackException.from_exception(
        error, capture_locals=True
    )
    while told is not None:
        for frame in told.stack:
            if frame.filename.startswith(PACKAGE) and not frame.filename.startswith(SIMULATOR):
                yield from (f"{frame.name}: {k} = {v}" for k, v in (frame.locals or {}).items())
        told = told.__cause__ or told.__context__


def reprs(root: object) -> set[str]:
    """Of all our objects that can be reached."""
    seen: set[int] = set()
    found: set[str] = set()
    waiting = [root]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type | ModuleType):
            continue
        seen.add(id(one))
        home = type(one).__module__
        if home.startswith(("tests", "_pytest", "privstream.simulator")):
            continue
        if home.startswith("privstream"):
            found.add(repr(one))
        # Not a function's globals: they lead everywhere.
        reached = one.__closure__ or () if isinstance(one, FunctionType) else gc.get_referents(one)
        waiting += reached
    return found
