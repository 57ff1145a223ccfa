"""`privstream report --from sqlite:…`: what the database of a run says, and what it cannot say."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from privstream.app.kept_events import EVER, Wanted
from privstream.app.kept_fills import is_database, read_kept
from privstream.app.kept_rows import read_rows
from privstream.app.past_fills import Period
from privstream.app.report import _summed
from privstream.delivery.signals import Stop, Stopped
from privstream.model.errors import UsageError
from privstream.model.events import AnyEvent
from privstream.model.fill_report import FillReport
from privstream.model.fill_sums import amounts, merged, plain
from privstream.model.times import to_nanos
from privstream.outputs.calendar import Calendar
from privstream.outputs.jsonl import encode_lines
from privstream.outputs.sinks.base import Row
from privstream.outputs.sinks.sqlite import SqliteSink
from tests.app.test_report_books import Books, every_exchange, period_of, read
from tests.joined import World
from tests.outputs.output_events import ALL, BALANCE, GAP, NOTICE, NOW, ORDER, trade

changed = msgspec.structs.replace


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events #1?.db"


def rows_of(events: Iterable[AnyEvent]) -> list[Row]:
    rows = []
    for number, event in enumerate(events, start=1):
        kind = str(type(event).__struct_config__.tag)
        line = bytes(encode_lines([event]))[:-1]
        rows.append(Row(event.exchange, event.account, "1", number, kind, event.id, line))
    return rows


def kept(path: Path, *events: AnyEvent) -> Path:
    sink = SqliteSink(path)
    sink.deliver(rows_of(events))
    sink.close()
    return path


def edited(path: Path, *statements: str) -> Path:
    database = sqlite3.connect(path)
    with database:
        for statement in statements:
            database.execute(statement)
    database.close()
    return path


def report_of(path: Path, period: Period = EVER, wanted: Wanted = Wanted()) -> FillReport:  # noqa: B008 - frozen
    with Stop() as stop:
        pasts, covered = read_rows(str(path), period, wanted, stop, lambda *_: None)
    return _summed(pasts, covered, Calendar())


def fill(number: int, **changes: Any) -> AnyEvent:
    changes = {"id": f"kraken:trade:{number}", "trade_id": str(number), **changes}
    return trade(**changes)


@every_exchange
def test_its_sums_are_those_of_the_books(name: str, path: Path) -> None:
    world = World(name, limits=False)
    period = period_of(world)
    books = Books(world, period)
    kept(path, *read(world, period).fills)
    markets = {
        market.symbol: sums
        for market, sums in report_of(path).markets().items()
        if market.symbol in books.by_market  # Bitfinex's margin desk has books of its own
    }
    assert markets.keys() == books.by_market.keys()
    for symbol, expected in books.by_market.items():
        for what, amount in expected.items():
            assert plain(getattr(markets[symbol], what)) == plain(amount), (symbol, what)
    total = merged(markets.values())
    assert (total.fills, amounts(total.net)) == (books.fills, amounts(books.net))
    assert amounts(total.fees) == amounts(books.fees)


def test_a_database_says_what_the_same_lines_say(path: Path) -> None:
    other = changed(fill(3, symbol="ETH/USD"), account="desk")
    lost = changed(GAP, complete=False, detail="a page was refused")
    events = [*ALL, ORDER, fill(1), fill(2, fee=None, side="sell"), other, lost, BALANCE]
    lines = bytes(encode_lines(events)).splitlines()
    wanted = Wanted("kraken", ("btceur",))
    pasts, covered = read_kept(iter(lines), EVER, wanted, lambda _: None)
    assert report_of(kept(path, *events), wanted=wanted) == _summed(pasts, covered, Calendar())


def test_every_digit_comes_back(path: Path) -> None:
    small = "0.000000000000000000000000000001"
    kept(path, fill(1, quantity="12345678901234567890.1"), fill(2, quantity=small))
    (sums,) = report_of(path).markets().values()
    assert plain(sums.bought) == "12345678901234567890.100000000000000000000000000001"


def test_a_gap_of_the_period_that_was_not_read_back_is_missing(path: Path) -> None:
    lost = changed(GAP, complete=False, detail="a page was refused")
    old = changed(lost, from_="2026-11-18T00:00:00.000000Z", to="2026-11-18T01:00:00.000000Z")
    kept(path, fill(1), GAP, lost, old)
    (missing,) = report_of(
        path, Period(to_nanos("2026-11-20T00:00:00.000000Z"), to_nanos(NOW))
    ).missing
    assert (missing.since, missing.until, missing.why) == (
        lost.from_,
        lost.to,
        "a page was refused",
    )


def test_events_that_were_left_out_are_missing(path: Path) -> None:
    full = changed(
        NOTICE, code="buffer_full", text="there is room again: it misses 4 events so far"
    )
    found = report_of(kept(path, fill(1), full))
    assert [missing.why for missing in found.missing] == [full.text]
    assert report_of(kept(path.with_name("other"), fill(1), NOTICE)).complete is None


def test_what_it_holds_proves_nothing(path: Path) -> None:
    assert report_of(kept(path, fill(1))).complete is None
    assert report_of(kept(path.with_name("empty"))).complete is None


def test_what_nobody_can_read_of_it_is_not_taken_for_zero(path: Path) -> None:
    kept(path, *(fill(number) for number in range(6)))
    edited(
        path,
        "UPDATE trades SET quantity = 'much' WHERE trade_id = '1'",
        "UPDATE trades SET side = 'up' WHERE trade_id = '2'",
        "UPDATE trades SET estimated = '{' WHERE trade_id = '3'",
        "UPDATE trades SET time = 'noon' WHERE trade_id = '4'",
        "UPDATE trades SET order_type = CAST(x'ff' AS TEXT) WHERE trade_id = '5'",
    )
    found = report_of(path)
    assert found.total().fills == 3
    assert found.total().unknown["quantity"] == 1
    assert "3 entries of the file could not be read" in [missing.why for missing in found.missing]


def test_an_older_database_may_lack_a_column(path: Path) -> None:
    edited(kept(path, fill(1)), "ALTER TABLE trades DROP COLUMN liquidity")
    assert report_of(path).total().fills == 1


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("PRAGMA user_version = 99", "from a newer privstream"),
        ("PRAGMA application_id = 7", "another program's database"),
        ("DROP TABLE gaps", "no such table"),
    ],
)
def test_a_database_of_others_is_refused(path: Path, statement: str, why: str) -> None:
    edited(kept(path, fill(1)), statement)
    with pytest.raises(UsageError, match=why):
        report_of(path)


def test_half_a_database_is_refused(path: Path) -> None:
    kept(path, *(fill(number) for number in range(200)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UsageError, match="malformed"):
        report_of(path)


def test_only_a_database_is_read_as_one(path: Path, tmp_path: Path) -> None:
    text = tmp_path / "events.jsonl"
    text.write_bytes(bytes(encode_lines([fill(1)])))
    kept(path, fill(1))
    assert is_database(str(path), str(path))
    assert not is_database(f"file:{text}", str(text))
    assert not is_database("sqlite:nowhere", str(tmp_path / "nowhere")), "which says so itself"
    with pytest.raises(UsageError, match="no SQLite database"):
        is_database(f"sqlite:{text}", str(text))
    with pytest.raises(UsageError, match="from a pipe"):
        read_kept(iter(path.read_bytes().split(b"\n")), EVER, Wanted(), lambda _: None)


def test_it_is_read_while_another_program_writes(path: Path) -> None:
    sink = SqliteSink(path)
    first, second = rows_of([fill(1), fill(2)])
    sink.deliver([first])
    sink._database.execute("BEGIN IMMEDIATE")
    sink._insert([second])
    assert report_of(path).total().fills == 1
    sink._database.execute("COMMIT")
    assert report_of(path).total().fills == 2
    sink.close()


def test_a_folder_where_nothing_can_be_made_is_no_hindrance(path: Path) -> None:
    kept(path, fill(1))
    path.with_name(f"{path.name}-shm").mkdir()
    assert report_of(path).total().fills == 1


def test_it_stops_when_told_to(path: Path) -> None:
    kept(path, *(fill(number) for number in range(2000)))
    with Stop() as stop:
        stop.tell()
        with pytest.raises(Stopped):
            read_rows(str(path), EVER, Wanted(), stop, lambda *_: None)
