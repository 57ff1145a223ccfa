"""Events in a SQLite database: one table a type, each key of the event a column.

The one rule: rows and the word how far they go are one transaction, so that a row that comes
again changes nothing. Amounts are TEXT: SQLite's own numbers would lose digits.
"""

import os
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Raw
from msgspec.json import Decoder

from privstream.model.errors import ConfigError, OutputFailed
from privstream.model.events import TYPES
from privstream.outputs.sinks.base import Retry, Row

APPLICATION = 0x50534556  # "PSEV", in the file's header
VERSION = 1
BUSY = 5.0
"""Seconds that another program may hold the database."""
TABLES = {
    "order": "orders",
    "trade": "trades",
    "balance": "balances",
    "position": "positions",
    "price": "prices",
    "notice": "notices",
    "gap": "gaps",
    "status": "statuses",
}
_INTEGERS = frozenset({"sequence", "attempt"})
_NUMBERS = _INTEGERS | {"complete"}
_WORDS = {"null": None, "true": 1, "false": 0}
_cells = Decoder(dict[str, Raw])
_text = Decoder(str)
_WITH_ORDER = frozenset({"order", "trade"})
_NOW = """
CREATE VIEW {view} AS SELECT * FROM (
    SELECT *, row_number() OVER (PARTITION BY account, {of} ORDER BY _row DESC) AS _age FROM {table}
) WHERE _age = 1{unless}
"""
_VIEWS = (
    _NOW.format(
        view="orders_now",
        of="order_id",
        table="orders",
        unless=" AND status NOT IN ('filled', 'canceled', 'expired', 'rejected')",
    ),
    _NOW.format(view="balances_now", of="wallet, currency", table="balances", unless=""),
)


def columns_of(kind: str) -> tuple[str, ...]:
    """The keys of a type in the event's order, with the exchange's element as the last."""
    fields = TYPES[kind].__struct_encode_fields__
    return (*(name for name in fields if name != "raw"), "raw")


class SqliteSink:
    """Inserts rows. Raises ConfigError at once where the file cannot be ours."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._statements: dict[str, str] = {}
        try:
            # Only its owner reads it: it holds a person's account.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._database = _opened(path)
        except OSError as problem:
            raise ConfigError(f"cannot open sqlite:{path}: {problem.strerror}") from problem
        except sqlite3.Error as problem:
            raise ConfigError(
                f"cannot use sqlite:{path}: {problem}", "name another file, or move this one away"
            ) from problem

    def deliver(self, rows: Sequence[Row], /) -> None:
        try:
            with self._database:
                self._database.execute("BEGIN IMMEDIATE")
                self._insert(rows)
        except sqlite3.OperationalError as problem:
            # Locked by another program, or the disk is full: both may pass.
            raise Retry(f"{self.path}: {problem}") from problem
        except sqlite3.Error as problem:
            raise OutputFailed(
                f"sqlite:{self.path} takes no events any more: {problem}",
                "mend or move the file, then start again: what it did not take is kept",
            ) from problem

    def close(self) -> None:
        self._database.close()

    def _insert(self, rows: Sequence[Row]) -> None:
        reached: dict[tuple[str, str], int] = {}
        for row in rows:
            place = (row.account, row.spool)
            if place not in reached:
                reached[place] = self._cursor(place)
            if row.number > reached[place]:
                values = _values(row.type, row.line)
                self._database.execute(self._statement(row.type), values)
                reached[place] = row.number
        self._database.executemany(
            "INSERT OR REPLACE INTO _cursor VALUES (?, ?, ?)",
            [(*place, number) for place, number in reached.items()],
        )

    def _cursor(self, place: tuple[str, str]) -> int:
        query = "SELECT number FROM _cursor WHERE account = ? AND spool = ?"
        found = self._database.execute(query, place).fetchone()
        return 0 if found is None else int(found[0])

    def _statement(self, kind: str) -> str:
        if kind not in self._statements:
            columns = columns_of(kind)
            names = ", ".join(f'"{name}"' for name in columns)
            marks = ", ".join("?" * len(columns))
            # A fact that a run before, or another outbox, has told already is there under its id.
            self._statements[kind] = (
                f"INSERT OR IGNORE INTO {TABLES[kind]} ({names}) VALUES ({marks})"  # noqa: S608 - names of ours
            )
        return self._statements[kind]


def _opened(path: Path) -> sqlite3.Connection:
    # Another thread than the one that opens it delivers and closes: one at a time.
    database = sqlite3.connect(path, timeout=BUSY, isolation_level=None, check_same_thread=False)
    try:
        _prepare(database)
    except BaseException:
        database.close()
        raise
    return database


def _prepare(database: sqlite3.Connection) -> None:
    [version] = database.execute("PRAGMA user_version").fetchone()
    [application] = database.execute("PRAGMA application_id").fetchone()
    [tables] = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not tables and not version:
        database.execute("PRAGMA journal_mode = WAL")
        with database:
            database.execute("BEGIN IMMEDIATE")
            for statement in _schema():
                database.execute(statement)
    elif application != APPLICATION:
        raise sqlite3.DatabaseError("it is another program's database")
    elif version > VERSION:
        raise sqlite3.DatabaseError(f"it is from a newer privstream (version {version})")
    # WAL alone does not outlive a power cut with the last commit.
    database.execute("PRAGMA synchronous = FULL")


def _schema() -> Iterable[str]:
    for kind, table in TABLES.items():
        yield f"CREATE TABLE {table} ({', '.join(_column_definitions(kind))})"
        yield f"CREATE INDEX {table}_by_time ON {table} (account, received)"
        if kind in _WITH_ORDER:
            yield f"CREATE INDEX {table}_by_order ON {table} (account, order_id)"
    yield (
        "CREATE TABLE _cursor (account TEXT, spool TEXT, number INTEGER NOT NULL,"
        " PRIMARY KEY (account, spool)) WITHOUT ROWID"
    )
    yield from _VIEWS
    yield f"PRAGMA application_id = {APPLICATION}"
    yield f"PRAGMA user_version = {VERSION}"


def _column_definitions(kind: str) -> Iterable[str]:
    yield "_row INTEGER PRIMARY KEY"
    for name in columns_of(kind):
        if name == "id":
            yield '"id" TEXT UNIQUE'
        else:
            yield f'"{name}" {"INTEGER" if name in _NUMBERS else "TEXT"}'


def _values(kind: str, line: bytes) -> list[str | int | None]:
    cells = _cells.decode(line)
    return [_cell(cells.get(name), name) for name in columns_of(kind)]


def _cell(raw: Raw | None, name: str) -> str | int | None:
    """A value as SQLite keeps it: texts and amounts as they stand, lists and objects as JSON."""
    text = "null" if raw is None else bytes(raw).decode()
    if text in _WORDS:
        return _WORDS[text]
    if name in _INTEGERS:
        return int(text)
    return _text.decode(text) if text.startswith('"') and name != "raw" else text
