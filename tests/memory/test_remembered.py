"""What is remembered how long: by time against what can still come, never by a count."""

from typing import Any

from privstream.memory.ledger import Ledger
from privstream.memory.remembered import YOUNG, Remembered
from privstream.model.events import Order, Trade
from privstream.model.reports import OrderReport
from tests.memory.test_ledger import TERMS, delta, fill, order, told
from tests.playbook import ledger, like


def at(day: int, hour: int = 12, minute: int = 0) -> str:
    return f"2026-11-{day:02d}T{hour:02d}:{minute:02d}:00.000000Z"


def fills(day: int, count: int, source: Any = "stream") -> list[Any]:
    return [fill(f"T{day}/{n}", time=at(day, n % 24), source=source) for n in range(count)]


def taken(book: Ledger, reports: list[Any], received: str) -> list[Any]:
    return [event for report in reports for event in book.take(report, received)]


def test_however_many_fills_there_were_none_is_told_again() -> None:
    book = ledger()
    many = fills(20, 3_000)
    assert len(taken(book, many, at(20))) == 3_000
    assert taken(book, fills(20, 3_000, "rest"), at(20, 13)) == []


def test_nothing_is_forgotten_while_nothing_is_proven_however_long_it_takes() -> None:
    book = ledger()
    taken(book, fills(1, 10), at(1))
    taken(book, fills(20, 10), at(20))
    assert taken(book, fills(1, 10, "rest"), at(20)) == []


def test_what_was_proven_long_ago_is_forgotten_and_yet_not_told_again() -> None:
    book = ledger()
    taken(book, fills(1, 10), at(1))
    taken(book, fills(20, 10), at(20))
    book.proven(at(20))
    assert len(book._trades._emitted) == 10
    assert taken(book, [*fills(1, 10, "rest"), *fills(20, 10, "snapshot")], at(20)) == []
    assert taken(book, [fill("new", time=at(20, 3))], at(20)) == [like(Trade, trade_id="new")]


def test_history_that_was_read_back_only_now_is_not_forgotten_before_its_second_look() -> None:
    book = ledger()
    old = fills(1, 10, "rest")
    assert len(taken(book, old, at(20))) == 10
    book.proven(at(20))
    late = [fill("missed", time=at(1, 3), source="rest")]
    assert taken(book, [*old, *late], at(20, 12, 1)) == [like(Trade, trade_id="missed")]


def test_ids_without_a_time_and_ids_near_the_full_hour_are_found() -> None:
    ids = Remembered()
    ids.add("undated", None, at(20))
    ids.add("edge", "2026-11-20T11:59:59.999000Z", at(20))
    ids.restore("older", None)
    assert ids.has("undated", at(3))
    assert ids.has("older", at(3))
    assert ids.has("edge", "2026-11-20T12:00:00.001000Z")
    assert ids.has("edge", None)
    assert not ids.has("edge", at(20, 18))
    assert not ids.has("other", None)


def test_an_hour_of_very_many_facts_is_packed_while_it_lasts() -> None:
    ids, many = Remembered(), [f"T{number}" for number in range(7 * YOUNG + 1)]
    for one in many:
        assert not ids.has(one, at(20))
        ids.add(one, at(20), at(20))
    assert all(ids.has(one, at(20)) for one in many)
    assert len(ids) == len(many)
    [hour] = ids._dated.values()
    assert [len(packed) // YOUNG for packed in hour._packed] == [4, 2, 1]
    ids.add("later", at(20, 14), at(20, 14))
    assert [len(packed) for packed in hour._packed] == [len(many)]


def test_hours_that_are_over_are_packed_and_still_known() -> None:
    ids = Remembered()
    for hour in range(10):
        for number in range(50):
            ids.add(f"{hour}/{number}", at(20, hour), at(20, hour))
    assert all(ids.has(f"{h}/{n}", at(20, h)) for h in range(10) for n in range(50))
    assert not ids.has("3/50", at(20, 3))
    assert len(ids) == 500


# --- orders --------------------------------------------------------------------------------


def ended(number: int) -> OrderReport:
    stated: Any = {**TERMS, "status": "canceled", "filled": "0"}
    return OrderReport(f"X{number}", stated)


def end_many(book: Ledger, minutes: int) -> None:
    for number in range(600):
        book.take(ended(number), at(20, 13, number * minutes // 600))


def test_what_waits_for_its_look_up_is_never_forgotten() -> None:
    book = ledger()
    told(book, fill("T1", "0.1"), delta(filled="0.1", cost="0.5"))
    end_many(book, 59)
    assert book.wanted == {"O1"}
    assert book.settle(at(20, 14)) == [like(Order, order_id="O1", filled="0.1")]


def test_fills_that_came_before_their_order_are_not_forgotten() -> None:
    book = ledger()
    told(book, fill("T1", "0.4"))
    end_many(book, 59)
    assert told(book, order(filled="0.4")) == [like(Order, fee="32.0", filled="0.4")]


def test_an_order_filled_by_its_fills_waits_for_the_exchanges_closing_word() -> None:
    book = ledger()
    told(book, order(cost="0"), fill("T1", "1.00"), delta(filled="0.5"))
    end_many(book, 59)
    closing = delta(status="filled", filled="1.00", cost="5", average_price="5")
    assert told(book, closing) == [like(Order, status="filled", cost="5")]


def test_late_words_of_an_order_whose_end_was_told_long_ago_are_no_news() -> None:
    book = ledger()
    told(book, order("canceled"))
    end_many(book, 59)
    assert "O1" not in book._orders._known
    assert told(book, order("canceled", source="rest"), delta(status="canceled")) == []
    assert book.wanted == set()
    assert book.has_emitted("O1")
