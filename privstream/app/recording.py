r"""Recordings: every frame of a watch with its time and direction, and back into events.

The one rule: no secret gets into a recording, and a replay runs the same sessions and
the same ledger as a watch.

A recording is JSON lines: a head, then one line per frame, `direction` being `open`
(a new connection), `in` or `out`:

    {"recording":"privstream","version":1,"exchange":"kraken","account":"kraken",
     "options":{"protocol":"v2"},"channels":["orders"],"started":"2026-11-20T11:32:00.000000Z"}
    {"time":"2026-11-20T11:32:00.123456Z","direction":"in","frame":"{\"channel\":\"heartbeat\"}"}
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import msgspec
from msgspec import Struct

from privstream.exchanges.base import Exchange
from privstream.memory.ledger import Ledger
from privstream.model.errors import PrivstreamError, UsageError
from privstream.model.events import AnyEvent
from privstream.model.exact import Malformed, decode
from privstream.model.reports import Listed, NoticeReport, Report
from privstream.model.rest import Now, Stamp
from privstream.model.session import Action, Reconnect, Session
from privstream.model.times import from_nanos, to_nanos

Direction = Literal["open", "in", "out"]
VERSION = 1
REPORTS = (Report, Listed)
LATER = (10.0, 60.0, 600.0)
"""Seconds after the last frame: what a session holds back is told by then."""


class Head(Struct, frozen=True, kw_only=True):
    """What was recorded."""

    recording: Literal["privstream"]
    version: int
    exchange: str
    account: str
    options: Mapping[str, str]
    channels: tuple[str, ...]
    started: str


class Entry(Struct, frozen=True, kw_only=True):
    """One frame, or the beginning of a connection."""

    time: str
    direction: Direction
    frame: str


def read_head(line: bytes) -> Head | None:
    """The head of a recording, or `None` where the line is a bare frame."""
    try:
        head = decode(line)
    except Malformed:
        return None
    if not isinstance(head, dict) or head.get("recording") != "privstream":
        return None
    try:
        found = msgspec.convert(head, Head)
    except msgspec.ValidationError as problem:
        raise UsageError(f"the head of this recording cannot be read: {problem}") from None
    if found.version > VERSION:
        raise UsageError(
            f"this recording is of version {found.version}, and only {VERSION} is known",
            "replay it with a newer privstream",
        )
    return found


def read_entry(line: bytes, number: int) -> Entry:
    """A line of a recording. Raises UsageError for one that is none."""
    try:
        return msgspec.json.decode(line, type=Entry)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise UsageError(f"line {number} is no line of a recording: {problem}") from None


class Replay:
    """Runs frames through the sessions and the ledger of a watch; never ends in an exception."""

    def __init__(self, exchange: Exchange, channels: tuple[str, ...], ledger: Ledger) -> None:
        self._exchange = exchange
        self._channels = channels
        self._ledger = ledger
        self._session: Session | None = None
        self._now = Now(0, 0.0)
        self._started_ns: int | None = None

    def opened(self, time: str) -> list[AnyEvent]:
        """A new connection begins."""
        self._tell_time(time)
        if self._session is not None:
            self._ledger.reconnected()
        self._session = self._exchange.session(None, self._channels)
        return self._told(self._session.open(Stamp(self._now, 0)), time)

    def received(self, frame: bytes, time: str) -> list[AnyEvent]:
        """A frame came."""
        self._tell_time(time)
        if self._session is None:
            self._session = self._exchange.session(None, self._channels)
        events = self._told(self._session.receive(frame, self._now), time)
        if self._ledger.wanted:  # there is nobody to look them up
            events += self._ledger.settle(time)
        return events

    def ended(self) -> Iterator[AnyEvent]:
        """No more frames: tell what was held back."""
        for seconds in LATER:
            if self._session is not None:
                wall_ns = self._now.wall_ns + int(seconds * 1e9)
                later = Now(wall_ns, self._now.monotonic + seconds)
                yield from self._told(self._session.tick(later), from_nanos(wall_ns), quiet=True)

    def _tell_time(self, time: str) -> None:
        wall_ns = to_nanos(time)
        if self._started_ns is None:
            self._started_ns = wall_ns
        self._now = Now(wall_ns, (wall_ns - self._started_ns) / 1e9)

    def _told(self, actions: Iterable[Action], time: str, *, quiet: bool = False) -> list[AnyEvent]:
        events: list[AnyEvent] = []
        try:
            for action in actions:
                if isinstance(action, REPORTS):
                    events += self._ledger.take(action, time)
                elif isinstance(action, Reconnect) and not quiet:
                    events += self._notice("warning", action.cause, action.detail, time)
        except PrivstreamError as problem:
            events += self._notice("error", problem.category, problem.message, time)
        return events

    def _notice(
        self, level: Literal["warning", "error"], code: str, text: str, time: str
    ) -> list[AnyEvent]:
        return self._ledger.take(NoticeReport(level=level, code=code, text=text), time)
