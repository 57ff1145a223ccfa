"""What is new of an order and what is old: numbers, dates and amounts decide, no status word."""

from typing import Any

import pytest

from privstream.memory.ledger import Ledger
from privstream.model.events import AnyEvent, Order
from privstream.model.reports import OrderReport
from tests.memory.test_ledger import NOW, TERMS, fill, told
from tests.playbook import ledger, like

EARLY, LATER, LAST = (f"2026-11-20T11:3{n}:00.000000Z" for n in range(3))
A_MINUTE_ON, AN_HOUR_ON = "2026-11-20T11:33:01.000000Z", "2026-11-20T12:33:00.000000Z"


def row(
    status: str = "open",
    source: Any = "stream",
    time: str | None = None,
    sequence: int | None = None,
    **fields: Any,
) -> OrderReport:
    """An order as an exchange lists it."""
    stated: Any = {**TERMS, "status": status, "filled": "0", **fields}
    return OrderReport("O1", stated, source=source, time=time, sequence=sequence)


def amended(**more: Any) -> OrderReport:
    """Half of 1.00 was filled, and now there are 3.00 at another price."""
    return row(filled="0.5", quantity="3.00", price="49000.0", **more)


def taken(book: Ledger, report: OrderReport, received: str = NOW) -> list[AnyEvent]:
    return book.take(report, received)


AMENDED = like(Order, status="partially_filled", quantity="3.00", price="49000.0", filled="0.5")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {}),
        ({"time": EARLY}, {"time": LATER}),
        ({"sequence": 1}, {"sequence": 2}),
        ({"sequence": 1, "time": LATER}, {"sequence": 2, "time": EARLY}),
        ({"source": "rest"}, {"source": "rest"}),
        ({"source": "snapshot", "time": EARLY}, {"source": "rest", "time": LATER}),
    ],
)
def test_an_amendment_after_a_partial_fill_is_news_though_its_word_ranks_lower(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    book = ledger()
    told(book, row("partially_filled", filled="0.5", **before))
    assert told(book, amended(**after)) == [AMENDED]


@pytest.mark.parametrize("odd", ["2026-11-22T00:00:00.000000Z", "2031-01-01T00:00:00.000000Z"])
def test_a_date_that_has_not_come_makes_nothing_old_that_follows(odd: str) -> None:
    book = ledger()
    prices = [
        event.price
        for price, time in (("1", EARLY), ("2", odd), ("3", LATER))
        for event in taken(book, row(price=price, time=time), AN_HOUR_ON)
        if isinstance(event, Order)
    ]
    assert prices == ["1", "2", "3"]


def test_a_new_connection_lists_an_amendment_of_meanwhile() -> None:
    book = ledger()
    told(book, row("partially_filled", filled="0.5", time=LATER))
    book.reconnected()
    # Some exchanges date the rows of their list by the order's beginning.
    assert told(book, amended(source="snapshot", time=EARLY)) == [AMENDED]


def test_an_order_that_was_made_larger_is_not_filled_by_its_old_size() -> None:
    book = ledger()
    told(book, row(filled="0.5"), amended(), row("open", quantity="3.00", filled="1.00"))
    assert told(book, row("canceled", quantity="3.00", filled="1.20")) == [
        like(Order, status="canceled", filled="1.20", quantity="3.00")
    ]


def test_an_amendment_that_comes_late_takes_back_that_all_was_filled() -> None:
    book = ledger()
    told(book, row(filled="0.5", time=EARLY), fill("T1", quantity="1.00"))
    [early] = told(book, OrderReport("O1", {"filled": "1.00"}))
    assert early == like(Order, status="filled")
    assert told(book, amended(time=LATER)) == [
        like(Order, status="partially_filled", filled="1.00", quantity="3.00")
    ]


@pytest.mark.parametrize(
    "late",
    [
        row(filled="0.5", time=EARLY),
        row(filled="0.5", sequence=1),
        row(filled="0.5", source="rest"),
        row(filled="0.5", source="rest", time=EARLY),
        row(filled="0.4"),
        row("pending", filled="0.4", time=EARLY),
    ],
)
def test_what_comes_late_changes_nothing(late: OrderReport) -> None:
    book = ledger()
    told(book, row(filled="0.5", time=EARLY, sequence=1), amended(time=LATER, sequence=2))
    assert told(book, late) == []


def test_dated_answers_of_rest_are_news_also_of_an_order_that_the_stream_told() -> None:
    book = ledger()
    told(book, row(time=EARLY))
    assert told(book, row(source="rest", time=LATER, price="49000.0")) == [
        like(Order, price="49000.0", source="rest")
    ]


def test_what_repeats_an_old_state_is_old_while_rest_may_lag_and_then_it_is_news() -> None:
    book = ledger()
    told(book, row(price="100"), row(price="110"))
    book.reconnected()
    assert taken(book, row(source="rest", price="100")) == []
    assert taken(book, row(source="rest", price="105")) == [like(Order, price="105")]
    book = ledger()
    told(book, row(price="100"), row(price="110"))
    book.reconnected()
    [back] = taken(book, row(source="rest", price="100"), AN_HOUR_ON)
    assert back == like(Order, price="100")


def test_the_next_run_knows_how_long_rest_may_lag() -> None:
    from tests.test_resume import Chain  # noqa: PLC0415 - it imports from here, too

    chain = Chain()
    chain.run(row(price="100"), row(price="110"))
    assert chain.run(row(source="rest", price="100")) == []


def test_a_late_answer_that_ends_the_order_is_never_old() -> None:
    book = ledger()
    told(book, row(price="110", time=LATER))
    assert told(book, row("canceled", source="rest", time=EARLY, price="110")) == [
        like(Order, status="canceled")
    ]


def test_an_amendment_that_comes_after_the_end_corrects_the_terms() -> None:
    book = ledger()
    told(book, row(time=EARLY), OrderReport("O1", {"status": "canceled"}, time=LAST))
    [corrected] = told(book, row(time=LATER, price="49000.0"))
    assert corrected == like(Order, status="canceled", price="49000.0")
    assert told(book, row(time=EARLY)) == []


def test_a_live_order_is_not_pending_again() -> None:
    book = ledger()
    told(book, row("open"))
    assert told(book, row("pending")) == []
