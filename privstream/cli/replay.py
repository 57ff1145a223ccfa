"""`privstream replay FILE`: a recording, or bare frames, through the same sessions into events."""

import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
import typer

from privstream import exchanges
from privstream.app.recording import Head, Replay, read_entry, read_head
from privstream.cli import options as o
from privstream.delivery.printer import chosen_format, open_output
from privstream.exchanges.base import Exchange
from privstream.memory.event_maker import View
from privstream.memory.ledger import Ledger
from privstream.model.account import Account, Secret
from privstream.model.errors import ConfigError, UsageError
from privstream.model.events import AnyEvent
from privstream.model.times import from_nanos
from privstream.outputs.console import Format

NO_SECRET = Secret("none")


def replay(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A recording; - is standard input.")],
    *,
    exchange: Annotated[
        str | None, typer.Option("--exchange", metavar="NAME", help="Bare frames, one per line.")
    ] = None,
    protocol: Annotated[
        str | None, typer.Option("--protocol", metavar="WORD", help="With --exchange: v1 or v2.")
    ] = None,
    format: o.FormatOption = None,  # noqa: A002 - the option's name
    json: o.Json = False,
    raw: o.Raw = False,
    symbol: o.Symbols = None,
    no_snapshot: o.NoSnapshot = False,
    count: o.Count = None,
    quiet: o.Quiet = False,  # noqa: ARG001 - nothing is said but errors
    verbose: o.Verbose = False,  # noqa: ARG001
    debug: o.Debug = False,  # noqa: ARG001
    no_color: o.NoColor = False,
) -> int:
    """Print the events of a recording, or of bare frames with --exchange."""
    kind = chosen_format(format, json=json)
    if kind is Format.RAW:
        raise UsageError("a replay prints events", "use --format jsonl or pretty")
    symbols = frozenset(name.upper() for name in symbol or ())
    with _opened(file) as lines:
        player = _Player(lines, exchange, protocol)
        head = player.head
        view = View(
            exchange=head.exchange,
            account=head.account,
            channels=player.shown,
            symbols=symbols,
            snapshot=not no_snapshot,
            raw=raw,
        )
        output = open_output(kind, [head.account], no_color=no_color)
        if output is not None:
            for event in _first(player.events(view), count):
                output.write([event])
    return 0


def _opened(file: str) -> BinaryIO:
    if file == "-":
        return os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    try:
        return Path(file).open("rb")
    except OSError as problem:
        raise UsageError(f"cannot read {file}: {problem.strerror}") from problem


def _first(events: Iterator[AnyEvent], count: int | None) -> Iterator[AnyEvent]:
    for number, event in enumerate(events, start=1):
        yield event
        if number == count:
            return


class _Player:
    """The lines of a file, and whose they are."""

    def __init__(self, lines: Iterable[bytes], exchange: str | None, protocol: str | None) -> None:
        self._lines = iter(lines)
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
        self._exchange = _exchange(self.head)
        # Of bare frames everything is shown, also what is streamed only when named.
        every = frozenset(self._exchange.channels)
        self.shown = frozenset(self.head.channels) if self._is_recording else every

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
        channels = _exchange(blank).select(())
        return msgspec.structs.replace(blank, channels=channels)

    def events(self, view: View) -> Iterator[AnyEvent]:
        """The events, one by one."""
        started = self.head.started if self._is_recording else None
        played = Replay(self._exchange, self.head.channels, Ledger(view, started))
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


def _exchange(head: Head) -> Exchange:
    """The exchange of a recording, with an account that can log in nowhere."""
    kind = exchanges.find(head.exchange)
    secrets = dict.fromkeys(kind.credentials, NO_SECRET)
    try:
        endpoints = kind.endpoints(head.options)
    except KeyError as problem:
        raise ConfigError(f"the recording has an option that is unknown: {problem}") from None
    return kind(Account(head.account, head.exchange, secrets, endpoints, head.options))
