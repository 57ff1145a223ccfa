"""The fills that the database of a `sqlite:` output holds.

The one rule: it is read as it stands at one moment, while another program may write on, and
nothing of it is changed. Sums are made outside of SQL, whose numbers would lose digits.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from privstream.app.kept_events import KeptEvents, Wanted
from privstream.app.past_fills import Past, Period, missing_throughout
from privstream.delivery.signals import Stop
from privstream.model.errors import UsageError
from privstream.model.events import AnyEvent, Gap, Notice, Trade
from privstream.outputs.sinks.sqlite import APPLICATION, BUSY, TABLES, VERSION, columns_of

STEPS = 20_000
"""Of the database's own program, from one look at whether to stop to the next."""
SHOWN = 512
"""Rows from one word of how far it is to the next."""
LEFT_OUT = "buffer_full"
"""The code of a notice that a destination was spared events."""
Kind = TypeVar("Kind", Trade, Gap, Notice)
_value = msgspec.json.decode


def read_rows(
    path: str,
    period: Period,
    wanted: Wanted,
    stop: Stop,
    tell: Callable[[int, int], None],
) -> tuple[list[Past], Period]:
    """What it holds of these accounts. Raises UsageError for what is no database of ours, and Stopped.

    `tell` hears how many rows of how many.
    """
    try:
        with closing(_opened(path)) as database:
            database.set_progress_handler(stop.is_told, STEPS)
            return _Rows(database, KeptEvents(period, wanted), tell).read()
    except sqlite3.Error as problem:
        stop.check()  # told to stop, the library calls it a fault
        raise UsageError(f"cannot read {path}: {problem}") from problem


def _opened(path: str) -> sqlite3.Connection:
    try:
        return _begun(path, "mode=ro")
    except sqlite3.OperationalError:
        log = Path(f"{path}-wal")
        if log.exists() and log.stat().st_size:
            raise
        # Beside it nothing can be made that programs share; nor does anybody write: no log.
        return _begun(path, "immutable=1")


def _begun(path: str, how: str) -> sqlite3.Connection:
    address = f"{Path(path).absolute().as_uri()}?{how}"
    database = sqlite3.connect(address, uri=True, timeout=BUSY, isolation_level=None)
    try:
        database.row_factory = sqlite3.Row
        database.text_factory = _text
        database.execute("BEGIN")  # all that follows is of one moment
        _check(database)
    except BaseException:
        database.close()
        raise
    return database


def _check(database: sqlite3.Connection) -> None:
    [application] = database.execute("PRAGMA application_id").fetchone()
    [version] = database.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION:
        raise sqlite3.DatabaseError("it is another program's database")
    if version > VERSION:
        raise sqlite3.DatabaseError(
            f"it is from a newer privstream (version {version}), which this one cannot read"
        )


class _Rows:
    """Its tables, read one after another."""

    def __init__(
        self, database: sqlite3.Connection, kept: KeptEvents, tell: Callable[[int, int], None]
    ) -> None:
        self._database = database
        self._kept = kept
        self._tell = tell

    def read(self) -> tuple[list[Past], Period]:
        for table in TABLES.values():
            self._span(table)
        left_out = list(self._each("notice", Notice, "WHERE code = ?", LEFT_OUT))
        self._take_all(self._each("trade", Trade))
        self._take_all(self._each("gap", Gap))
        pasts, covered = self._kept.found()
        for past in pasts:
            past.missing += [
                missing_throughout(past.account, covered, notice.text)
                for notice in left_out
                if notice.account == past.account
            ]
        return pasts, covered

    def _take_all(self, events: Iterable[AnyEvent]) -> None:
        for event in events:
            try:
                self._kept.take(event)
            except ValueError:  # a time that is none
                self._kept.unreadable += 1

    def _span(self, table: str) -> None:
        """Whose it is, and from when to when it goes."""
        earliest = "min(time)" if table == TABLES["trade"] else "NULL"
        for account, exchange, time, first, last in self._database.execute(
            f"SELECT account, exchange, {earliest}, min(received), max(received)"  # noqa: S608 - names of ours
            f" FROM {table} GROUP BY account, exchange"
        ):
            self._kept.account(account, exchange)
            try:
                self._kept.span(time, first)
                self._kept.span(None, last)
            except ValueError:  # a time that is none
                self._kept.unreadable += 1

    def _each(self, kind: str, shape: type[Kind], *where: str) -> Iterator[Kind]:
        """The events of a table in the order in which they came."""
        table = TABLES[kind]
        [count] = self._database.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - the same
        condition, *values = where or ("",)
        query = f"SELECT * FROM {table} {condition} ORDER BY _row"  # noqa: S608 - the same
        # An older version may have had fewer keys.
        unknown = dict.fromkeys(columns_of(kind)[:-1])
        for number, row in enumerate(self._database.execute(query, values), start=1):
            if number % SHOWN == 0:
                self._tell(number, count)
            try:
                yield msgspec.convert(unknown | _cells(row), shape)
            except (msgspec.MsgspecError, ValueError):
                self._kept.unreadable += 1


def _text(cell: bytes) -> str:
    return cell.decode(errors="replace")


def _cells(row: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of an event; lists, objects and truth values are no types of a database."""
    cells = {name: row[name] for name in row.keys() if name != "raw"}  # noqa: SIM118 - a row iterates over values
    for name in ("estimated", "recovered"):
        if cells.get(name) is not None:
            cells[name] = _value(cells[name])
    if cells.get("complete") is not None:
        cells["complete"] = bool(cells["complete"])
    return cells
