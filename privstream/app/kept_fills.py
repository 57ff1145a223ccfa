"""The fills that a file of lines holds: a recording, or a `file:` output.

The one rule: a file tells what it holds. Where it was not written nobody knows what happened, and
what it says of interruptions is told with the sums.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from privstream.app.kept_events import KeptEvents, Wanted, covered, overlap
from privstream.app.past_fills import Past, Period
from privstream.app.recording import read_head
from privstream.app.replay import Player, ReplayRequest
from privstream.model.errors import UsageError
from privstream.model.events import AnyEvent, Trade
from privstream.model.fill_report import Missing
from privstream.model.times import from_nanos, to_nanos

Progress: TypeAlias = Callable[[int], None]
"""Is told how many bytes were read."""
_EVENTS = msgspec.json.Decoder(AnyEvent)
DATABASE = "sqlite:"
PREFIXES = ("file:", DATABASE)
HEADER = b"SQLite format 3\0"
"""How every such file begins: https://www.sqlite.org/fileformat.html (looked up 2026-12-01)."""


def path_of(source: str) -> str:
    """The file that `--from` names. Raises UsageError."""
    prefix = next((one for one in PREFIXES if source.startswith(one)), "")
    path = source.removeprefix(prefix)
    if not path:
        raise UsageError(
            "--from names no file", "it takes a recording, a `file:` or a `sqlite:` output"
        )
    return os.path.expanduser(path)  # noqa: PTH111 - a name without a home stays as it is


def is_database(source: str, path: str) -> bool:
    """Whether what `--from` names is a database. Raises UsageError where it only was to be one."""
    file = Path(path)
    # A pipe would be waited for; what cannot be opened is told by who reads the lines.
    if not (file.is_file() and os.access(file, os.R_OK)):
        return False
    found = _begins(file, HEADER)
    if source.startswith(DATABASE) and not found:
        raise UsageError(f"{path} is no SQLite database")
    return found


def _begins(path: Path, text: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(text)) == text


def read_kept(
    lines: Iterator[bytes], period: Period, wanted: Wanted, tell: Progress
) -> tuple[list[Past], Period]:
    """What the lines hold of these accounts, each, and from when to when they go."""
    first = next(lines, b"")
    if first.startswith(HEADER):
        raise UsageError(
            "a database cannot be read from a pipe", "name its file: --from sqlite:PATH"
        )
    told = _Counted(first, lines, tell)
    if read_head(first) is None:
        return _of_output(told, KeptEvents(period, wanted))
    return _Recording(period, wanted).read(told)


class _Counted:
    """Lines, and how many bytes they were."""

    def __init__(self, first: bytes, rest: Iterable[bytes], tell: Progress) -> None:
        self._first, self._rest, self._tell = first, rest, tell
        self._bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        for lines in ((self._first,), self._rest):
            for line in lines:
                self._bytes += len(line) + 1
                self._tell(self._bytes)
                yield line


# --- a `file:` output ------------------------------------------------------------------------


def _of_output(lines: Iterable[bytes], kept: KeptEvents) -> tuple[list[Past], Period]:
    for line in lines:
        if not line.strip():
            continue
        try:
            event = _EVENTS.decode(line)
            kept.take(event)
        except (msgspec.MsgspecError, ValueError):  # no event, no text, or no time in it
            kept.unreadable += 1
    return kept.found()


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
        period = covered(self._period, head.started, self._last or head.started)
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
            if overlap(period, since, until):
                why = "the connection was lost, and a recording has only what it brought"
                yield Missing(account, since, until, why)
        if self._last and to_nanos(self._last) < period.until_ns:
            why = "the recording ends earlier"
            yield Missing(account, self._last, from_nanos(period.until_ns), why)
