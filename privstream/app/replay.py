"""Turns a recording, or bare frames, through the same sessions as a stream into events."""

import os
import select
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TextIO

import msgspec

from privstream import exchanges
from privstream.app.environment import INSTANT, Environment
from privstream.app.recording import Head, Replay, read_entry, read_head
from privstream.app.symbols import UnseenSymbols, all_names
from privstream.delivery.signals import Stop
from privstream.exchanges.base import Exchange
from privstream.memory.event_maker import View
from privstream.memory.ledger import Ledger
from privstream.model.account import Account, Secret
from privstream.model.errors import ConfigError, PrivstreamError, UsageError
from privstream.model.events import AnyEvent
from privstream.model.times import from_nanos
from privstream.outputs.base import Output
from privstream.outputs.console import Format

NO_SECRET = Secret("none")
CHUNK = 1 << 16
LOOK = 64
"""Lines from one look at how far it is to the next."""


@dataclass(frozen=True, kw_only=True)
class ReplayRequest:
    """What was asked for."""

    file: str
    """A path, or `-` for standard input."""
    exchange: str | None = None
    """The lines are bare frames of this one."""
    protocol: str | None = None
    raw: bool = False
    symbols: tuple[str, ...] = ()
    snapshot: bool = True
    count: int | None = None
    fields: str | None = None
    """Which columns of the lines for a person."""


def replay(environment: Environment, request: ReplayRequest, kind: Format) -> int:
    """Print the events; returns the exit code. Raises Stopped."""
    if kind is Format.RAW:
        raise UsageError("a replay prints events", "use --format jsonl or pretty")
    fields = environment.fields(request.fields, kind)
    with opened(request.file, environment.stdin) as file:
        batch = Batch()
        lines = _Counted(lines_of(file, environment.stop, batch.flush))
        player = Player(lines, request)
        unseen = UnseenSymbols([player.exchange], request.symbols, environment.console.say)
        batch.takers.append(unseen.take)
        output = environment.output(kind, [player.head.account], fields)
        if output is not None:
            batch.takers.append(_by_instants(output) if kind is Format.PRETTY else output.write)
        summary = environment.summary(kind)
        if summary is not None:
            batch.takers.append(summary.take)
        progress = environment.console.progress()
        try:
            for event in player.events():
                batch.events.append(event)
                if not (environment.console.shares_terminal or lines.count % LOOK):
                    progress.show(lines.so_far(), time.monotonic(), lines.share_of(file))
        except PrivstreamError:
            batch.flush()  # what came before is true
            raise
        finally:
            progress.clear()
        batch.flush()
    if summary is not None:
        summary.end()
    if request.count is None:
        unseen.conclude()
    return 0


class Batch:
    """Events until more lines are waited for: written then, at once, and not one by one."""

    def __init__(self) -> None:
        self.events: list[AnyEvent] = []
        self.takers: list[Callable[[Sequence[AnyEvent]], None]] = []

    def flush(self) -> None:
        """Hand out what there is."""
        events, self.events = self.events, []
        if events:
            for take in self.takers:
                take(events)


class _Counted:
    """Lines, and how much of the file they were."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self.count = 0
        self._bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        for line in self._lines:
            self.count += 1
            self._bytes += len(line) + 1
            yield line

    def so_far(self) -> str:
        return f"replaying: {self.count} lines"

    def share_of(self, file: BinaryIO) -> float | None:
        """`None` of what has no end that is known."""
        size = 0 if file.closed else os.fstat(file.fileno()).st_size
        return self._bytes / size if size else None


def _by_instants(output: Output) -> Callable[[Sequence[AnyEvent]], None]:
    """Writes what came within an instant together, and nothing else."""

    def write(events: Sequence[AnyEvent]) -> None:
        for together in _instants(events):
            output.write(together)

    return write


def _instants(events: Iterable[AnyEvent]) -> Iterator[list[AnyEvent]]:
    together: list[AnyEvent] = []
    for event in events:
        if together and _apart(together[0].received, event.received) >= INSTANT:
            yield together
            together = []
        together.append(event)
    if together:
        yield together


def _apart(since: str, until: str) -> float:
    return (datetime.fromisoformat(until) - datetime.fromisoformat(since)).total_seconds()


def opened(file: str, stdin: TextIO) -> BinaryIO:
    """The file, or standard input. Raises UsageError."""
    try:
        if file == "-":
            return os.fdopen(os.dup(stdin.fileno()), "rb")
        return Path(file).open("rb")
    except (OSError, ValueError) as problem:
        why = getattr(problem, "strerror", None) or str(problem)
        raise UsageError(f"cannot read {file}: {why}") from problem


def lines_of(
    file: BinaryIO, stop: Stop, idle: Callable[[], None] = lambda: None
) -> Iterator[bytes]:
    """The lines, as they come. Raises Stopped, also while none comes.

    `idle` is called before more of them are waited for.
    """
    both = select.poll()
    both.register(file, select.POLLIN)
    both.register(stop.fd, select.POLLIN)
    rest = b""
    while True:
        idle()
        both.poll()
        stop.check()
        try:
            chunk = os.read(file.fileno(), CHUNK)
        except OSError as problem:
            raise UsageError(f"cannot read the frames: {problem.strerror}") from problem
        if not chunk:
            break
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
    if rest:
        yield rest


class Player:
    """The lines of a file, and whose they are."""

    def __init__(self, lines: Iterable[bytes], request: ReplayRequest) -> None:
        self._lines = iter(lines)
        self._request = request
        exchange, protocol = request.exchange, request.protocol
        self._now = from_nanos(time.time_ns())
        if exchange is not None:
            self.head = self._head_of(exchange, protocol)
            self._is_recording = False
        else:
            first = next(self._lines, b"")
            found = read_head(first)
            if found is None:
                raise UsageError(
                    "this is no recording of privstream",
                    "bare frames, one per line, need --exchange NAME",
                )
            self.head = found
            self._is_recording = True
        self.exchange = exchange_of(self.head)
        # Of bare frames everything is shown, also what is streamed only when named.
        every = frozenset(self.exchange.channels)
        self._shown = frozenset(self.head.channels) if self._is_recording else every

    def _head_of(self, name: str, protocol: str | None) -> Head:
        kind = exchanges.find(name)
        own = {option.name: option.choices for option in kind.options}
        options = {} if protocol is None else {"protocol": protocol}
        if protocol is not None and protocol not in own.get("protocol", ()):
            known = ", ".join(own.get("protocol", ())) or "only one"
            raise UsageError(f"{kind.title} has no protocol {protocol!r}", f"it has: {known}")
        blank = Head(
            recording="privstream",
            version=1,
            exchange=name,
            account=name,
            options=options,
            channels=(),
            started=self._now,
        )
        channels = exchange_of(blank).select(())
        return msgspec.structs.replace(blank, channels=channels)

    def events(self) -> Iterator[AnyEvent]:
        """The events, one by one, as many as are wanted."""
        count = self._request.count
        return islice(self._all(), None if count is None else min(count, sys.maxsize))

    def _all(self) -> Iterator[AnyEvent]:
        view = View(
            exchange=self.head.exchange,
            account=self.head.account,
            channels=self._shown,
            symbols=all_names(type(self.exchange), self._request.symbols),
            snapshot=self._request.snapshot,
            raw=self._request.raw,
        )
        started = self.head.started if self._is_recording else None
        played = Replay(self.exchange, self.head.channels, Ledger(view, started))
        if self._is_recording:
            yield from self._of_recording(played)
        else:
            yield from self._of_frames(played)
        yield from played.ended()

    def _of_recording(self, played: Replay) -> Iterator[AnyEvent]:
        for number, line in enumerate(self._lines, start=2):
            if not line.strip():
                continue
            entry = read_entry(line, number)
            if entry.direction == "open":
                yield from played.opened(entry.time)
            elif entry.direction == "in":
                yield from played.received(entry.frame.encode(), entry.time)

    def _of_frames(self, played: Replay) -> Iterator[AnyEvent]:
        for line in self._lines:
            frame = line.rstrip(b"\r\n")
            if frame:
                yield from played.received(frame, self._now)


def exchange_of(head: Head) -> Exchange:
    """The exchange of a recording, with an account that can log in nowhere."""
    kind = exchanges.find(head.exchange)
    secrets = dict.fromkeys(kind.credentials, NO_SECRET)
    try:
        endpoints = kind.endpoints(head.options)
    except KeyError as problem:
        raise ConfigError(f"the recording has an option that is unknown: {problem}") from None
    return kind(Account(head.account, head.exchange, secrets, endpoints, head.options))
