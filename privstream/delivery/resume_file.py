"""What --resume keeps of an account between runs: a SQLite file that only its owner reads.

The one rule: it never runs ahead of what was delivered. Whoever delivers commits
afterwards, in one transaction that is on the disk when `commit` returns. Only the
main thread uses it.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from shlex import quote
from typing import Self

from msgspec import Struct

from privstream.delivery import outbox
from privstream.delivery.open_orders import opened_to_read
from privstream.memory.journal import Note
from privstream.model.errors import ConfigError, OutputFailed
from privstream.settings.private_files import OPEN_TO_OTHERS, check_file, private_folder

APPLICATION = 0x50535452  # "PSTR", in the file's header: it is ours
VERSION = 3
"""The first kept no times of fills and ended orders, the second nothing for sinks: both are read."""
_DAY_NS = 24 * 3600 * 10**9
KEPT_NS = 2 * _DAY_NS
"""So long before the cursor it is known what was delivered: no read-back overlaps by more."""
LEFT_NS = 7 * _DAY_NS
"""For so long a cursor counts of what is not watched any more."""
PRUNE_EVERY = 20_000
"""Notes between two looks for what is old."""
BUSY = 5.0
"""Seconds that another program may hold the file, to look at it."""

_DISK = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WHAT = "the state file"
_SCHEMA = f"""
BEGIN;
CREATE TABLE whose (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE cursors (
    channel TEXT NOT NULL,
    symbol TEXT NOT NULL,
    whole_ns INTEGER NOT NULL,
    PRIMARY KEY (channel, symbol)
) WITHOUT ROWID;
CREATE TABLE notes (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    lasting INTEGER NOT NULL,
    noted_ns INTEGER NOT NULL,
    UNIQUE (kind, key)
);
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
COMMIT;
"""
_FIRST_YOUNG = """
SELECT number FROM notes WHERE NOT lasting AND noted_ns >= ? ORDER BY number LIMIT 1
"""


class StateOwner(Struct, frozen=True):
    """The account that a state file belongs to, and what of it a run watches."""

    exchange: str
    account: str
    host: str
    """Another exchange's past under the same name would be mixed in."""
    channels: tuple[str, ...]
    symbols: frozenset[str] = frozenset()
    """Empty means all."""

    @property
    def scopes(self) -> list[tuple[str, str]]:
        """Channel and symbol of each cursor; an empty symbol stands for all of them."""
        return [(c, s) for c in self.channels for s in sorted(self.symbols) or [""]]


class State:
    """One account's state file, held for the run: a second run is refused."""

    def __init__(
        self,
        path: Path,
        owner: StateOwner,
        now_ns: int,
        *,
        resumes: bool = True,
        sinks: Sequence[str] = (),
    ) -> None:
        """`resumes`: keep what a next run goes on from. `sinks`: whom the outbox is for."""
        self.path = path
        self._owner = owner
        self.resumes = resumes
        self._noted = 0
        with ExitStack() as opened, _opening(path):
            self.was_emptied = path.exists() and not path.stat().st_size
            """Whoever emptied it, nobody knows where the last run ended."""
            opened.enter_context(_held(path, owner.account))
            self._database = opened.enter_context(_connected(path))
            self._prepare()
            self._check_whose()
            self.resume_from_ns = self._resume_from()
            """The last moment known whole in all that is watched; `None` if that is new."""
            self._whole_ns = now_ns if self.resume_from_ns is None else self.resume_from_ns
            if resumes:
                self._begin(now_ns)
            self._prune()
            outbox.attach(self._database, sinks)
            self._resources = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    def serve(self, sinks: Sequence[str]) -> None:
        """The outbox is for these from now on."""
        with self._failures():
            outbox.attach(self._database, sinks)

    def notes(self) -> Generator[tuple[str, str, bytes], None, None]:
        """Kind, key and value of all that is remembered, oldest first."""
        with _opening(self.path):
            yield from self._database.execute("SELECT kind, key, value FROM notes ORDER BY number")

    def damaged(self, why: str) -> ConfigError:
        """What to raise where a note makes no sense."""
        return _damaged(self.path, why)

    def commit(
        self,
        notes: Iterable[Note],
        now_ns: int,
        *,
        whole_ns: int | None = None,
        lines: Sequence[outbox.Line] = (),
    ) -> None:
        """Keep what was delivered now, and what the sinks are owed of it.

        `whole_ns`: until then nothing is missing.
        Raises OutputFailed where the file does not take it.
        """
        with self._failures():
            with self._database:
                self._database.execute("BEGIN IMMEDIATE")
                outbox.append(self._database, lines)
                if self.resumes:
                    self._write(notes, now_ns)
                    if whole_ns is not None:
                        self._move(whole_ns)
            if self._noted >= PRUNE_EVERY:
                self._prune()

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as problem:
            raise OutputFailed(
                f"cannot keep what was delivered in {self.path}: {problem}",
                "make room or mend the disk, then start again: what was told last comes again",
            ) from problem

    def _write(self, notes: Iterable[Note], now_ns: int) -> None:
        for note in notes:
            self._noted += 1
            if note.value is None:
                self._database.execute(
                    "DELETE FROM notes WHERE kind = ? AND key = ?", (note.kind, note.key)
                )
            else:
                self._database.execute(
                    "INSERT OR REPLACE INTO notes (kind, key, value, lasting, noted_ns)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (note.kind, note.key, note.value, note.lasting, now_ns),
                )

    def _move(self, whole_ns: int) -> None:
        self._whole_ns = whole_ns
        self._database.executemany(
            "INSERT OR REPLACE INTO cursors VALUES (?, ?, ?)",
            [(*scope, whole_ns) for scope in self._owner.scopes],
        )

    def _prune(self) -> None:
        """Forget what nothing reads back as news any more; notes are numbered as they come."""
        self._noted = 0
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            young = self._database.execute(_FIRST_YOUNG, (self._needed_since(),)).fetchone()
            self._database.execute(
                "DELETE FROM notes WHERE NOT lasting AND number < ?",
                young or (2**62,),
            )

    def _needed_since(self) -> int:
        """A read-back begins at the cursor of what it is for, and an interruption may be long."""
        cursors = self._database.execute("SELECT whole_ns FROM cursors").fetchall()
        ours = self._whole_ns
        return max(min((whole for (whole,) in cursors), default=ours), ours - LEFT_NS) - KEPT_NS

    # --- opening -------------------------------------------------------------------------

    def _prepare(self) -> None:
        database = self._database
        [version] = database.execute("PRAGMA user_version").fetchone()
        [tables] = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if not tables and not version:
            database.execute("PRAGMA journal_mode = WAL")
            database.executescript(_SCHEMA)
        _check_whole(database, self.path)
        database.executescript(outbox.SCHEMA)
        if version and version < VERSION:
            database.execute(f"PRAGMA user_version = {VERSION}")

    def _check_whose(self) -> None:
        """Refuse the past of another account that once had this name."""
        known = dict(self._database.execute("SELECT name, value FROM whose"))
        self.is_new = not known
        owner = self._owner
        ours = {"account": owner.account, "exchange": owner.exchange, "host": owner.host}
        for name, value in known.items():
            if name in ours and ours[name] != value:
                raise ConfigError(
                    f"{_WHAT} {self.path} belongs to {name} {value}, not to {ours[name]}",
                    f"name the account otherwise; {_start_anew(self.path)}",
                )
        # Which file: one that was deleted and made anew counts its rows from 1 again.
        ours["spool"] = f"{time.time_ns() // 10**6}"
        with self._database:
            self._database.executemany("INSERT OR IGNORE INTO whose VALUES (?, ?)", ours.items())

    def _resume_from(self) -> int | None:
        """The earliest of what is watched; channels and symbols may differ from run to run."""
        query = "SELECT channel, symbol, whole_ns FROM cursors"
        cursors = {(c, s): whole for c, s, whole in self._database.execute(query)}
        found = [_cursor(cursors, *scope) for scope in self._owner.scopes]
        return min((whole for whole in found if whole is not None), default=None)

    def _begin(self, now_ns: int) -> None:
        """What this run watches for the first time is whole from now on."""
        if self.resume_from_ns is None:
            with self._database:
                self._move(now_ns)


def examine(path: Path) -> None:
    """Raise ConfigError where no run with --resume could go on from this file; changes nothing."""
    with _opening(path):
        check_file(path.lstat(), path, _WHAT, OPEN_TO_OTHERS)
        with closing(opened_to_read(path, BUSY)) as database:
            _check_whole(database, path)


@contextmanager
def _opening(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as problem:
        said = f"{_WHAT} {path} cannot be used: {problem}"
        if getattr(problem, "sqlite_errorcode", 0) & 0xFF in _DISK:
            raise OutputFailed(said, "make room or mend the disk, then start again") from problem
        raise ConfigError(said, _start_anew(path)) from problem


def _check_whole(database: sqlite3.Connection, path: Path) -> None:
    [version] = database.execute("PRAGMA user_version").fetchone()
    [application] = database.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION:
        raise ConfigError(f"{_WHAT} {path} is not ours", _start_anew(path))
    if version > VERSION:
        raise ConfigError(
            f"{_WHAT} {path} is from a newer privstream (its version is {version}, "
            f"this one knows {VERSION})",
            "upgrade privstream",
        )
    [verdict] = database.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise _damaged(path, verdict.splitlines()[-1])  # after a heading


def _damaged(path: Path, why: str) -> ConfigError:
    return ConfigError(f"{_WHAT} {path} is damaged: {why}", _start_anew(path))


def state_path(folder: Path, account: str, *, simulated: str = "") -> Path:
    """Where an account's state is; the past of a simulated one is a file of its own."""
    # An account's name has no dot (`settings.config.ACCOUNT_NAME`).
    mark = f".{simulated}" if simulated else ""
    return private_folder(folder / "resume", "the state folder") / f"{account}{mark}.sqlite"


def _cursor(cursors: dict[tuple[str, str], int], channel: str, symbol: str) -> int | None:
    """Until when a channel was watched: for this symbol or all, else for any."""
    fitting = [cursors[place] for place in ((channel, symbol), (channel, "")) if place in cursors]
    if fitting:
        return max(fitting)
    return min((whole for (name, _), whole in cursors.items() if name == channel), default=None)


def _start_anew(path: Path) -> str:
    return (
        f"to start anew, move it away: mv {quote(str(path))} {quote(str(path) + '.old')}; "
        "what happened since the last run will not be told then"
    )


@contextmanager
def _held(path: Path, account: str) -> Iterator[None]:
    """Make the file if need be, and hold its lock."""
    try:
        fd = os.open(path, _FLAGS, 0o600)
    except OSError as problem:
        raise ConfigError(f"{_WHAT} {path} cannot be opened: {problem.strerror}") from problem
    # Closed last: closing it earlier would take SQLite's own locks on the file away (POSIX).
    try:
        check_file(os.fstat(fd), path, _WHAT, OPEN_TO_OTHERS)
        _lock(fd, path, account)
        yield
    finally:
        os.close(fd)


def _lock(fd: int, path: Path, account: str) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ConfigError(
            f"another run with --resume or a sink streams the account {account} already",
            "wait for its end, or leave out --resume and --to",
        ) from None
    except OSError as problem:
        raise ConfigError(f"{_WHAT} {path} cannot be locked: {problem.strerror}") from problem


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    # Transactions are begun by hand, and one statement by itself is one.
    database = sqlite3.connect(path, timeout=BUSY, isolation_level=None)
    try:
        # WAL alone does not outlive a power cut with the last commit.
        database.execute("PRAGMA synchronous = FULL")
        yield database
    finally:
        database.close()
