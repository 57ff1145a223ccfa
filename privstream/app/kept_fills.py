"""The fills that a file holds: a recording, or the JSON lines of a `file:` output.

The one rule: a file tells what it holds. Where it was not written nobody knows what happened, and
what it says of interruptions is told with the sums.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from privstream.app.past_fills import Past, Period, missing_throughout
from privstream.app.recording import read_head
from privstream.app.replay import Player, ReplayRequest
from privstream.model.errors import UsageError
from privstream.model.events import AnyEvent, Gap, Trade
from privstream.model.fill_report import Missing
from privstream.model.times import from_nanos, to_nanos

Told: TypeAlias = Callable[[int], None]
"""Is told how many bytes were read."""
EVER = Period(0, 253_402_300_799 * 10**9)
_EVENTS = msgspec.json.Decoder(AnyEvent)
LATER = "sqlite:"
PREFIX = "file:"


def path_of(source: str) -> str:
    """The file that `--from` names. Raises UsageError for what cannot be read."""
    if source.startswith(LATER):
        raise UsageError(
            "this version cannot read sqlite: outputs", "it reads recordings and `file:` outputs"
        )
    path = source.removeprefix(PREFIX)
    if not path:
        raise UsageError("--from names no file", "it takes a recording or a `file:` output")
    return os.path.expanduser(path)  # noqa: PTH111 - a name without a home stays as it is


def read_kept(
    lines: Iterator[bytes], period: Period, wanted: "Wanted", tell: Told
) -> tuple[list[Past], Period]:
    """What the lines hold of these accounts, each, and from when to when they go."""
    first = next(lines, b"")
    told = _Counted(first, lines, tell)
    if read_head(first) is None:
        return _Output(period, wanted).read(told)
    return _Recording(period, wanted).read(told)


@dataclass(frozen=True)
class Wanted:
    """Of which accounts, and which symbols, in the spelling of events."""

    account: str | None = None
    """Its name; `None`: all there are."""
    symbols: tuple[str, ...] = ()

    def has(self, account: str) -> bool:
        return self.account in {None, account}

    def shows(self, fill: Trade) -> bool:
        names = {name.upper() for name in (fill.symbol, fill.exchange_symbol) if name}
        return not self.symbols or bool(names & {name.upper() for name in self.symbols})


class _Counted:
    """Lines, and how many bytes they were."""

    def __init__(self, first: bytes, rest: Iterable[bytes], tell: Told) -> None:
        self._first, self._rest, self._tell = first, rest, tell
        self._bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        for lines in ((self._first,), self._rest):
            for line in lines:
                self._bytes += len(line) + 1
                self._tell(self._bytes)
                yield line


# --- a `file:` output ------------------------------------------------------------------------


@dataclass
class _Output:
    """JSON lines, of several runs and accounts perhaps: the id names the fill."""

    period: Period
    wanted: Wanted
    pasts: dict[str, Past] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    first: str = ""
    last: str = ""
    unreadable: int = 0

    def read(self, lines: Iterable[bytes]) -> tuple[list[Past], Period]:
        for line in lines:
            if line.strip():
                self._take(line)
        if not self.last and self.unreadable:
            raise UsageError("these are neither a recording nor lines of events")
        period = _covered(self.period, self.first, self.last)
        for past in self.pasts.values():
            if self.unreadable:
                why = f"{self.unreadable} lines of the file could not be read"
                past.missing.append(missing_throughout(past.account, period, why))
        return list(self.pasts.values()), period

    def _take(self, line: bytes) -> None:
        try:
            event = _EVENTS.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            self.unreadable += 1
            return
        told = min(event.time or event.received, event.received)
        self.first = min(self.first or told, told)
        self.last = max(self.last, event.received)
        if not self.wanted.has(event.account):
            return
        past = self.pasts.setdefault(event.account, Past(event.account, event.exchange))
        if isinstance(event, Gap):
            self._take_gap(past, event)
        elif isinstance(event, Trade) and event.id not in self.seen and self.wanted.shows(event):
            self.seen.add(event.id or "")
            past.take(event, self.period)

    def _take_gap(self, past: Past, gap: Gap) -> None:
        if gap.complete or not _overlap(self.period, gap.from_, gap.to):
            return
        why = f"an interruption ({gap.cause}) was not read back whole"
        past.missing.append(Missing(past.account, gap.from_, gap.to, gap.detail or why))


def _covered(period: Period, first: str, last: str) -> Period:
    """What was asked for, or where nothing was, what the file holds."""
    if not last:
        return period
    since = to_nanos(first) if period.since_ns == EVER.since_ns else period.since_ns
    until = to_nanos(last) if period.until_ns == EVER.until_ns else period.until_ns
    return Period(since, max(since, until))


def _overlap(period: Period, since: str, until: str) -> bool:
    return to_nanos(since) <= period.until_ns and period.since_ns <= to_nanos(until)


# --- a recording -----------------------------------------------------------------------------


class _Moment(Struct):
    """What of a recording's line says when something was."""

    time: str
    direction: Literal["open", "in", "out"]


_MOMENTS = msgspec.json.Decoder(_Moment)


class _Recording:
    """Frames of one account: what happened between two connections is not in it."""

    def __init__(self, period: Period, wanted: Wanted) -> None:
        self._period = period
        self._wanted = wanted
        self._last = ""
        self._opened = ""
        self._holes: list[tuple[str, str]] = []

    def read(self, lines: Iterable[bytes]) -> tuple[list[Past], Period]:
        request = ReplayRequest(file="", symbols=self._wanted.symbols)
        player = Player(self._watched(iter(lines)), request)
        head = player.head
        past = Past(head.account, head.exchange)
        if not self._wanted.has(past.account):
            return [], self._period
        for event in player.events():
            if isinstance(event, Trade):
                past.take(event, self._period)
        period = _covered(self._period, head.started, self._last or head.started)
        past.missing += self._missing(past.account, period, head.started)
        past.proven_until = from_nanos(min(period.until_ns, to_nanos(self._last or head.started)))
        return [past], period

    def _watched(self, lines: Iterator[bytes]) -> Iterator[bytes]:
        yield next(lines)
        for line in lines:
            if line.strip():
                self._note(line)
            yield line

    def _note(self, line: bytes) -> None:
        try:
            moment = _MOMENTS.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return  # the player says which line it is
        if moment.direction == "open":
            self._opened = self._last
        elif moment.direction == "in" and self._opened:
            self._holes.append((self._opened, moment.time))
            self._opened = ""
        self._last = moment.time

    def _missing(self, account: str, period: Period, started: str) -> Iterator[Missing]:
        if period.since_ns < to_nanos(started):
            why = "the recording begins later"
            yield Missing(account, from_nanos(period.since_ns), started, why)
        for since, until in self._holes:
            if _overlap(period, since, until):
                why = "the connection was lost, and a recording has only what it brought"
                yield Missing(account, since, until, why)
        if self._last and to_nanos(self._last) < period.until_ns:
            why = "the recording ends earlier"
            yield Missing(account, self._last, from_nanos(period.until_ns), why)
