"""When an order's state is another one, and what it is called: an id names the fact."""

from typing import Any

import pytest

from privstream.memory.ledger import Ledger
from privstream.memory.remembered import STATES
from privstream.model.events import Order, Trade
from privstream.model.reports import OrderReport
from tests.memory.test_ledger import TERMS, delta, fill, order, told
from tests.playbook import ledger, like

CREATED = "2026-11-20T11:00:00.000000Z"
STOP_LIMIT: dict[str, Any] = {"order_type": "stop_limit", "stop_price": "49000.0"}


def whole(status: str = "open", source: Any = "stream", **fields: Any) -> OrderReport:
    """A row that is always the whole order."""
    stated: Any = {**TERMS, "status": status, "filled": "0", "stop_price": None, **fields}
    return OrderReport("O1", stated, whole=True, source=source)


def told_ids(book: Ledger, *reports: OrderReport) -> list[str | None]:
    return [event.id for event in told(book, *reports)]


@pytest.mark.parametrize(
    "change",
    [
        {"order_type": "market"},
        {"time_in_force": "post_only"},
        {"side": "sell"},
        {"client_order_id": "mine"},
        {"price": "49000.0"},
        {"stop_price": "48000.0"},
        {"quantity": "2.00"},
        {"reason": "amended"},
        {"cost": "0", "average_price": None, "filled": "0.1"},
    ],
)
def test_whatever_a_user_sees_makes_an_event_of_its_own(change: dict[str, Any]) -> None:
    book = ledger()
    ids = told_ids(book, order(cost="0"), delta(**change))
    assert len(ids) == len(set(ids)) == 2


@pytest.mark.parametrize(("filled", "status"), [("1.00", "filled"), ("1.50", "partially_filled")])
def test_more_than_all_of_it_is_no_end_before_the_exchange_says_so(
    filled: str, status: str
) -> None:
    book = ledger()
    told(book, order())
    known = like(Order, status=status, filled=filled)
    assert told(book, delta(status="open", filled=filled)) == [known]
    ended = like(Order, status="canceled", filled=filled)
    assert told(book, delta(status="canceled", filled=filled))[-1:] == [ended]


def test_a_bare_word_after_the_end_fills_nothing() -> None:
    book = ledger()
    told(book, order(), delta(status="canceled", filled="0.25"))
    assert told(book, delta(status="filled")) == []


def test_the_streams_own_word_alone_makes_an_event_and_the_words_of_rest_do_not() -> None:
    book = ledger()
    ids = told_ids(book, order(exchange_status="new"), delta(status="open", exchange_status="held"))
    assert len(set(ids)) == 2
    book.reconnected()
    assert told(book, order(source="rest", exchange_status="OPEN")) == []


def test_what_only_rest_states_is_learnt_without_an_event_and_shown_with_the_next() -> None:
    book = ledger()
    told(book, order())
    assert told(book, order(source="rest", time_in_force="gtc", created=CREATED)) == []
    assert told(book, delta(filled="0.4")) == [like(Order, time_in_force="gtc")]


def rest_row(**fields: Any) -> OrderReport:
    """A whole row of REST that says nothing of the time in force, as Kraken's."""
    stated: Any = {**TERMS, "status": "open", "filled": "0", **fields}
    return OrderReport("O1", stated, whole=True, source="rest")


@pytest.mark.parametrize("source", ["snapshot", "stream"])
def test_what_rest_left_out_is_learnt_from_the_list_or_the_streams_first_word(source: Any) -> None:
    book = ledger()
    told(book, rest_row())
    assert told(book, whole(source=source, time_in_force="gtc", client_order_id="mine")) == []
    [event] = told(book, delta(filled="0.4"))
    assert event == like(Order, time_in_force="gtc", client_order_id="mine")
    assert event.id == told_ids(ledger(), whole(filled="0.4"))[0]


def test_the_next_run_learns_it_without_an_event_as_well() -> None:
    from tests.test_resume import Chain  # noqa: PLC0415 - it imports from here, too

    chain = Chain()
    assert len(chain.run(rest_row())) == 1
    assert chain.run(whole(source="snapshot", time_in_force="gtc")) == []
    assert len(chain.run(whole(time_in_force="post_only"))) == 1


def test_what_a_whole_row_said_is_not_there_is_news_when_it_comes() -> None:
    book = ledger()
    told(book, whole(source="snapshot", time_in_force=None))
    book.reconnected()
    assert told(book, whole(source="snapshot", time_in_force="post_only")) == [
        like(Order, time_in_force="post_only", source="rest")
    ]


@pytest.mark.parametrize("change", [{"order_type": "market"}, {"time_in_force": "post_only"}])
def test_another_type_or_flag_has_an_id_that_needs_no_memory(change: dict[str, Any]) -> None:
    book = ledger()
    ids = told_ids(book, whole(time_in_force="gtc"), whole(**change))
    assert told_ids(ledger(), whole(source="rest", **change)) == ids[1:]


def test_the_streams_digits_of_an_amount_that_rest_told_first_are_no_news() -> None:
    amounts: Any = {"filled": "0.4", "cost": "20000.0"}
    book = ledger()
    told(book, whole(), rest_row(**amounts, average_price="50000"))
    assert told(book, delta(**amounts, average_price="50000.01")) == []
    assert told(book, delta(**amounts, average_price="50000.02")) == [
        like(Order, average_price="50000.02")
    ]


def test_a_stop_that_was_triggered_is_told_and_has_the_id_that_rest_gives_it() -> None:
    book = ledger()
    told(book, whole(**STOP_LIMIT))
    [triggered] = told(book, whole(order_type="limit"))
    assert triggered == like(Order, order_type="limit", stop_price=None, price="50000.0")
    assert told_ids(ledger(), whole(order_type="limit", source="rest")) == [triggered.id]


def test_a_stop_price_that_only_the_stream_remembers_is_not_in_the_id() -> None:
    book = ledger()
    told(book, order(**STOP_LIMIT))
    [triggered] = told(book, delta(order_type="limit"))
    assert triggered == like(Order, order_type="limit", stop_price="49000.0")
    assert told_ids(ledger(), order("open", source="rest")) == [triggered.id]


def test_a_whole_row_is_told_at_once_whatever_it_lacks() -> None:
    book = ledger()
    lacking: Any = {"status": "open", "symbol": None, "quantity": None, "filled": None}
    assert told(book, OrderReport("O1", lacking, whole=True)) == [like(Order, quantity=None)]
    assert not book.wanted


@pytest.mark.parametrize("status", ["canceled", "expired", "filled"])
def test_an_end_has_the_same_id_whatever_was_known_before(status: str) -> None:
    book = ledger()
    told(book, order(**STOP_LIMIT), delta(price="51000.0", order_type="limit"))
    [ended] = told(book, delta(status=status, filled="1.00", cost="5", average_price="5"))
    row: Any = {"symbol": "BTC/EUR", "side": "buy", "quantity": "1.0", "cost": "5.0"}
    row |= {"status": status, "filled": "1"}
    found = OrderReport("O1", row, source="rest")
    assert told_ids(ledger(), found) == [ended.id]


# --- cost and average ----------------------------------------------------------------------


def test_cost_and_average_never_outlive_the_amount_that_they_are_of() -> None:
    book = ledger()
    told(book, order(cost="0"), fill("T1", quantity="0.5"), fill("T2", quantity="0.5"))
    [early] = told(book, delta(filled="0.5", cost="50.0", average_price="100.0"))
    assert early == like(Order, status="filled", filled="1.0", cost=None, average_price=None)
    [whole_] = told(book, delta(filled="1.00", cost="105.0", average_price="105.0"))
    assert whole_ == like(Order, status="filled", cost="105.0", average_price="105.0")
    assert early.id != whole_.id
    assert told(book, delta(status="filled", filled="1.00", cost="105.00")) == []


def test_a_closing_word_that_brings_cost_and_average_is_told() -> None:
    book = ledger()
    told(book, order(), delta(filled="1.00"))
    assert told(book, delta(status="filled", cost="5", average_price="5")) == [
        like(Order, status="filled", cost="5", average_price="5")
    ]


def test_rest_does_not_correct_what_the_stream_stated_of_the_same_amount() -> None:
    book = ledger()
    told(book, order("canceled", filled="0.5", cost="50.00", average_price="100"))
    assert told(book, order("canceled", "rest", filled="0.50", cost="49.99")) == []


def test_what_is_left_is_told_as_stated_until_more_is_filled() -> None:
    book = ledger()
    assert told(book, order(remaining="1.000")) == [like(Order, remaining="1.000")]
    assert told(book, delta(filled="0.4", remaining="0.600")) == [like(Order, remaining="0.600")]
    assert told(book, delta(filled="0.5")) == [like(Order, remaining="0.50")]
    assert told(book, delta(quantity="2.00")) == [like(Order, remaining="1.50")]


@pytest.mark.parametrize("zero_first", [True, False])
def test_a_fee_of_zero_is_of_no_other_currency_in_whatever_order(*, zero_first: bool) -> None:
    fills = [fill("T1", fee="0", fee_currency=None), fill("T2", fee="0.05", fee_currency="TRX")]
    book = ledger()
    told(book, order(), *(fills if zero_first else reversed(fills)))
    assert told(book, delta(filled="0.8")) == [like(Order, fee="0.05", fee_currency="TRX")]


# --- many states ---------------------------------------------------------------------------


def test_thousands_of_amendments_have_as_many_ids_and_cost_no_more_than_a_few() -> None:
    book = ledger()
    ids = [
        event.id
        for number in range(4_000)
        for event in told_prices(book, f"{50_000 + number % 1_500}")
    ]
    assert len(ids) == len(set(ids)) == 4_000
    kept = book._orders._known["O1"].kept(fills=True)
    assert len(kept) < 1000
    few = ledger()
    for number in range(STATES - 2):
        told_prices(few, f"{50_000 + number}")
    assert len(few._orders._known["O1"].kept(fills=True)) < 1000


def told_prices(book: Ledger, price: str) -> list[Any]:
    return book.take(order(price=price), "2026-11-20T11:32:00.000000Z")


def test_the_end_of_an_order_amended_often_has_its_own_name() -> None:
    book = ledger()
    for number in range(2 * STATES):
        told_prices(book, f"{50_000 + number}")
    assert told_ids(book, delta(status="canceled")) == ["kraken:order:O1:canceled:0"]


# --- look-ups ------------------------------------------------------------------------------


def test_an_order_that_its_look_up_finds_open_is_open() -> None:
    book = ledger()
    assert told(book, fill(), delta(filled="0.4", cost="20000.0")) == [like(Trade)]
    told(book, order("open", source="rest", filled="0.4"))
    assert book.settle("2026-11-20T11:32:00.000000Z", ["O1"]) == [
        like(Order, status="partially_filled", filled="0.4", quantity="1.00", source="stream")
    ]


def test_an_end_that_only_the_look_up_tells_is_told_behind_what_waited() -> None:
    book = ledger()
    told(book, delta(filled="0.4"), order("canceled", source="rest", filled="0.6"))
    events = book.settle("2026-11-20T11:32:00.000000Z")
    assert [getattr(event, "status", None) for event in events] == ["partially_filled", "canceled"]
    assert len({event.id for event in events}) == 2


def test_a_whole_row_of_the_stream_ends_the_waiting() -> None:
    book = ledger()
    told(book, delta(status="open"))
    assert book.wanted == {"O1"}
    assert told(book, order(filled="0.4")) == [
        like(Order, status="open", symbol="BTC/EUR"),
        like(Order, status="partially_filled", filled="0.4"),
    ]
    assert book.wanted == set()


def test_only_what_was_looked_up_is_settled() -> None:
    book = ledger()
    other = OrderReport("O2", {"status": "canceled"})
    told(book, delta(status="canceled"), other)
    assert [getattr(e, "order_id", None) for e in book.settle("2026-11-20T11:32:00Z", ["O2"])] == [
        "O2"
    ]
    assert book.wanted == {"O1"}
