"""The part of an account's state file that durable sinks are served from.

The one rule: a row leaves only when every sink of the run has acknowledged it. Rows are numbered
as they come; each sink's place is the last number that it has acknowledged, so a sink that is
dead or slow costs disk and holds up nobody.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from msgspec import Struct
from msgspec.json import Decoder

from privstream.model.errors import OutputFailed
from privstream.outputs.sinks.base import Row

BATCH = 500
"""Rows that a sink is given at once."""
BUSY = 5.0
"""Seconds that the run's main thread, or another sink's, may hold the file."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    type TEXT NOT NULL,
    event TEXT,
    line BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS sinks (
    name TEXT PRIMARY KEY,
    acked INTEGER NOT NULL,
    left_at INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS skipped (
    sink TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (sink, number)
) WITHOUT ROWID;
"""
"""`left_at`: the last row that is kept for a sink of which the latest run had none."""

_LAST = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'outbox'), 0)"
_DONE = """
DELETE FROM outbox WHERE number > ? AND number <= ? AND NOT EXISTS (
    SELECT 1 FROM sinks
    WHERE outbox.number > acked AND (left_at IS NULL OR outbox.number <= left_at)
    AND NOT EXISTS (SELECT 1 FROM skipped WHERE sink = name AND number = outbox.number)
)
"""
_FORGOTTEN = """
DELETE FROM skipped WHERE number > ? AND number <= ?
AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.number = skipped.number)
"""
_OWED = """
FROM outbox WHERE number > (SELECT acked FROM sinks WHERE name = :sink)
AND NOT EXISTS (SELECT 1 FROM skipped WHERE sink = :sink AND number = outbox.number)
"""


class _Head(Struct):
    received: str


_heads = Decoder(_Head)


class Line(Struct, frozen=True, gc=False):
    """An event on its way into the outbox."""

    type: str
    event: str | None
    line: bytes
    skipped: tuple[str, ...] = ()
    """The sinks whose buffer is full, and which are to lose the newest then."""


def append(database: sqlite3.Connection, lines: Iterable[Line]) -> None:
    """Put lines behind what is there, inside the caller's transaction."""
    for line in lines:
        number = database.execute(
            "INSERT INTO outbox (type, event, line) VALUES (?, ?, ?)",
            (line.type, line.event, line.line),
        ).lastrowid
        database.executemany(
            "INSERT INTO skipped VALUES (?, ?)", [(sink, number) for sink in line.skipped]
        )


def attach(database: sqlite3.Connection, names: Sequence[str]) -> None:
    """Say which sinks this run has.

    A new one begins behind what is there already, one that was here before where it stopped;
    what is owed to one that is not here any more is kept for it.
    """
    [last] = database.execute(_LAST).fetchone()
    with database:
        database.execute("BEGIN IMMEDIATE")
        database.execute("UPDATE sinks SET left_at = ? WHERE left_at IS NULL", (last,))
        for name in names:
            database.execute("INSERT OR IGNORE INTO sinks VALUES (?, ?, NULL)", (name, last))
            database.execute("UPDATE sinks SET left_at = NULL WHERE name = ?", (name,))
        database.execute("DELETE FROM sinks WHERE left_at <= acked")
        _clear(database, 0, last)


def _clear(database: sqlite3.Connection, above: int, until: int) -> None:
    """Let go of rows that nobody is owed any more: only between these two can any be."""
    database.execute(_DONE, (above, until))
    database.execute(_FORGOTTEN, (above, until))


class Outbox:
    """One sink's view of an account's outbox; it belongs to the thread that opens it."""

    def __init__(self, path: Path, sink: str, exchange: str, account: str) -> None:
        self.account = account
        self._sink = sink
        self._exchange = exchange
        self._path = path
        with self._failures():
            self._database = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY, isolation_level=None
            )
            self._database.execute("PRAGMA synchronous = FULL")
            [self._spool] = self._database.execute(
                "SELECT value FROM whose WHERE name = 'spool'"
            ).fetchone()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._database.close()

    def owed(self, limit: int = BATCH) -> list[Row]:
        """The next rows that this sink has not acknowledged."""
        found = self._ask(f"SELECT number, type, event, line {_OWED} ORDER BY number LIMIT {limit}")
        return [
            Row(self._exchange, self.account, self._spool, number, kind, event, line)
            for number, kind, event, line in found
        ]

    def owed_size(self) -> tuple[int, int]:
        """How many events wait for this sink, and their bytes."""
        [(count, size)] = self._ask(f"SELECT count(*), coalesce(sum(length(line)), 0) {_OWED}")
        return count, size

    def oldest(self) -> str | None:
        """When the first of what waits for this sink was received."""
        found = self._ask(f"SELECT line {_OWED} ORDER BY number LIMIT 1")
        return _heads.decode(found[0][0]).received if found else None

    def acknowledge(self, number: int) -> None:
        """Everything up to this row was delivered, or is not for this sink."""
        with self._failures(), self._database:
            self._database.execute("BEGIN IMMEDIATE")
            before = self._acked()
            self._database.execute(
                "UPDATE sinks SET acked = max(acked, ?) WHERE name = ?", (number, self._sink)
            )
            _clear(self._database, before, number)

    def _ask(self, query: str) -> list[Any]:
        with self._failures():
            return self._database.execute(query, {"sink": self._sink}).fetchall()

    def _acked(self) -> int:
        query = "SELECT acked FROM sinks WHERE name = ?"
        found = self._database.execute(query, (self._sink,)).fetchone()
        return 0 if found is None else int(found[0])

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as problem:
            raise OutputFailed(
                f"cannot use what waits for the sinks in {self._path}: {problem}",
                "make room or mend the disk, then start again: what was not delivered is kept",
            ) from problem
