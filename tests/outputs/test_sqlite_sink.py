"""Rows and the word how far they go are one transaction; amounts keep their digits."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from privstream.model.errors import ConfigError
from privstream.model.events import TYPES, AnyEvent
from privstream.outputs.jsonl import encode_lines
from privstream.outputs.sinks.base import Retry, Row
from privstream.outputs.sinks.sqlite import TABLES, SqliteSink, columns_of
from tests.outputs.output_events import ALL


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.db"


@pytest.fixture
def sink(path: Path) -> Iterator[SqliteSink]:
    opened = SqliteSink(path)
    yield opened
    opened.close()


def row(
    number: int, line: str, kind: str = "trade", name: str | None = None, spool: str = "1"
) -> Row:
    return Row("kraken", "kraken", spool, number, kind, name, line.encode())


def trade(number: int, name: str, **keys: str) -> Row:
    cells = {"type": "trade", "account": "kraken", "id": name, "trade_id": name, **keys}
    line = ",".join(f'"{key}":"{value}"' for key, value in cells.items())
    return row(number, "{" + line + "}", name=name)


def order(number: int, order_id: str, status: str) -> Row:
    line = f'{{"account":"kraken","id":"{order_id}:{status}","order_id":"{order_id}","status":"{status}"}}'
    return row(number, line, "order")


def asked(path: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as database:
        return database.execute(query).fetchall()


def test_every_type_has_a_table_with_its_keys() -> None:
    assert TABLES.keys() == TYPES.keys()
    for kind, shape in TYPES.items():
        assert columns_of(kind)[:-1] == tuple(
            name for name in shape.__struct_encode_fields__ if name != "raw"
        )


@pytest.mark.parametrize("event", ALL, ids=lambda event: type(event).__name__)
def test_an_event_of_each_type_is_a_row(path: Path, sink: SqliteSink, event: AnyEvent) -> None:
    kind = str(type(event).__struct_config__.tag)
    line = encode_lines([event]).decode()
    sink.deliver([row(1, line, kind)])
    assert asked(path, f"SELECT count(*) FROM {TABLES[kind]}") == [(1,)]  # noqa: S608 - ours


def test_amounts_are_the_text_that_was_sent(path: Path, sink: SqliteSink) -> None:
    sink.deliver([trade(1, "a", price="0.12345678901234567890", quantity="1000.00")])
    assert asked(path, "SELECT price, quantity, fee FROM trades") == [
        ("0.12345678901234567890", "1000.00", None)
    ]


def test_a_row_that_comes_again_changes_nothing(path: Path, sink: SqliteSink) -> None:
    gap = row(2, '{"type":"gap","account":"kraken","id":null,"complete":true}', "gap")
    for _ in range(2):
        sink.deliver([trade(1, "a"), gap])
    assert asked(path, "SELECT count(*) FROM trades") == [(1,)]
    assert asked(path, "SELECT count(*), complete FROM gaps") == [(1, 1)], "which has no id"


def test_a_fact_that_another_spool_told_is_there_once(path: Path, sink: SqliteSink) -> None:
    sink.deliver([trade(1, "a")])
    again = trade(1, "a")
    sink.deliver([row(1, again.line.decode(), name="a", spool="2")])
    assert asked(path, "SELECT count(*) FROM trades") == [(1,)]
    assert len(asked(path, "SELECT * FROM _cursor")) == 2


def test_views_show_what_stands(path: Path, sink: SqliteSink) -> None:
    sink.deliver([order(1, "A", "open"), order(2, "B", "open"), order(3, "B", "filled")])
    assert asked(path, "SELECT order_id, status FROM orders_now") == [("A", "open")]


def test_a_batch_is_in_it_wholly_or_not_at_all(path: Path, sink: SqliteSink) -> None:
    with pytest.raises(ValueError, match="JSON"):
        sink.deliver([trade(1, "a"), row(2, "no json")])
    assert asked(path, "SELECT * FROM trades") == asked(path, "SELECT * FROM _cursor") == []


def test_a_locked_database_is_tried_again(path: Path, sink: SqliteSink) -> None:
    sink._database.execute("PRAGMA busy_timeout = 0")
    with sqlite3.connect(path) as rival:
        rival.execute("BEGIN IMMEDIATE")
        with pytest.raises(Retry, match="locked"):
            sink.deliver([trade(1, "a")])


def test_it_goes_on_in_the_file_of_the_run_before(path: Path) -> None:
    for number in (1, 2):
        sink = SqliteSink(path)
        sink.deliver([trade(number, f"t{number}")])
        sink.close()
    assert asked(path, "SELECT count(*) FROM trades") == [(2,)]
    assert path.stat().st_mode & 0o777 == 0o600


def test_another_programs_file_is_refused(path: Path, tmp_path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE theirs (x)")
    with pytest.raises(ConfigError, match="another program"):
        SqliteSink(path)
    (tmp_path / "text").write_text("no database, but long enough to be read as one " * 30)
    with pytest.raises(ConfigError, match="cannot use sqlite"):
        SqliteSink(tmp_path / "text")
    with pytest.raises(ConfigError, match="cannot open sqlite"):
        SqliteSink(tmp_path / "none" / "events.db")


def test_a_newer_file_is_refused(path: Path) -> None:
    SqliteSink(path).close()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(ConfigError, match="newer privstream"):
        SqliteSink(path)
