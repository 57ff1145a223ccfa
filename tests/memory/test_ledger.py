"""The ledger: each fact once, orders whole, state never backwards, ids that name facts."""

from typing import Any

import pytest

from privstream.memory.ledger import Ledger
from privstream.memory.orders import ENDED
from privstream.model.events import AnyEvent, Balance, Notice, Order, Position, Trade
from privstream.model.reports import (
    AnyReport,
    BalanceReport,
    Fill,
    Listed,
    NoticeReport,
    OrderReport,
    PositionReport,
    PriceReport,
)
from tests.playbook import ledger, like
from tests.valid import assert_valid

NOW = "2026-11-20T11:32:00.000000Z"
TERMS: dict[str, Any] = {
    "symbol": "BTC/EUR",
    "exchange_symbol": "XBT/EUR",
    "side": "buy",
    "order_type": "limit",
    "quantity": "1.00",
    "price": "50000.0",
}


def order(status: str = "open", source: Any = "stream", **fields: Any) -> OrderReport:
    told: Any = {**TERMS, "status": status, "filled": "0", **fields}
    return OrderReport(order_id="O1", fields=told, source=source)


def delta(source: Any = "stream", **fields: Any) -> OrderReport:
    told: Any = fields
    return OrderReport(order_id="O1", fields=told, source=source)


def fill(trade_id: str = "T1", quantity: str = "0.4", source: Any = "stream", **more: Any) -> Fill:
    told: dict[str, Any] = {
        "order_id": "O1",
        "symbol": "BTC/EUR",
        "exchange_symbol": "XBT/EUR",
        "side": "buy",
        "price": "50000.0",
        "cost": "20000.0",
        "fee": "32.0",
        "fee_currency": "EUR",
        **more,
    }
    return Fill(trade_id=trade_id, quantity=quantity, source=source, **told)


def told(book: Ledger, *reports: AnyReport | Listed) -> list[AnyEvent]:
    events = [event for report in reports for event in book.take(report, NOW)]
    for event in events:
        assert_valid(event)
    return events


# --- orders --------------------------------------------------------------------------------


def test_a_state_is_told_once() -> None:
    assert len(told(ledger(), order(), order(), order("open", source="rest"))) == 1


def test_the_same_state_has_the_same_id_from_everywhere_and_with_other_digits() -> None:
    [one] = told(ledger(), order())
    [other] = told(ledger(), order(source="rest", quantity="1.0000", price="50000"))
    assert one.id == other.id


def test_a_state_that_comes_back_has_an_id_of_its_own() -> None:
    book = ledger()
    there_and_back = ("50000.0", "51000.0", "50000.0", "51000.0")
    ids = [event.id for price in there_and_back for event in told(book, order(price=price))]
    assert len(set(ids)) == 4


def test_a_late_answer_of_rest_does_not_reopen_a_filled_order() -> None:
    book = ledger()
    told(book, order(), delta(status="filled", filled="1.00"))
    assert told(book, order("open", source="rest", filled="0.4")) == []


def test_a_late_answer_does_not_take_back_an_amendment() -> None:
    book = ledger()
    told(book, order(), delta(price="51000.0"))
    assert told(book, order("open", source="rest", price="50000.0")) == []


def test_rest_decides_where_the_connection_has_not_told_of_the_order() -> None:
    book = ledger()
    told(book, order())
    book.reconnected()
    told_now = told(book, order("canceled", source="rest", price="51000.0"))
    assert told_now == [like(Order, status="canceled", price="51000.0", source="rest")]


def test_what_was_filled_stays_filled() -> None:
    book = ledger()
    told(book, order(), delta(filled="0.6"))
    assert told(book, delta(filled="0.4")) == []


def test_a_partial_fill_is_no_open_order_whatever_the_word() -> None:
    [event] = told(ledger(), order("open", filled="0.4"))
    assert event == like(Order, status="partially_filled", remaining="0.60", filled="0.4")


def test_a_full_fill_is_told_as_filled_and_the_closing_word_is_not_told_again() -> None:
    book = ledger()
    told(book, order())
    assert told(book, delta(filled="1.0")) == [like(Order, status="filled", remaining="0")]
    assert told(book, delta(status="filled")) == []


def test_a_forced_end_with_fills_is_a_cancellation() -> None:
    assert told(ledger(), order("rejected")) == [like(Order, status="rejected")]
    assert told(ledger(), order("rejected", filled="0.1")) == [like(Order, status="canceled")]


def test_a_word_that_nobody_knows_is_unknown() -> None:
    book = ledger()
    told(book, order())
    event = told(book, delta(status="unknown", exchange_status="suspended"))
    assert event == [like(Order, status="unknown", exchange_status="suspended")]


def test_a_client_id_that_is_omitted_is_the_known_one() -> None:
    book = ledger()
    told(book, order(client_order_id="mine"))
    assert told(book, delta(status="canceled")) == [like(Order, client_order_id="mine")]
    assert told(book, fill()) == [like(Trade, client_order_id="mine")]


def test_the_fee_is_the_sum_of_the_fills_while_all_of_them_are_known() -> None:
    book = ledger()
    told(book, order(fee_currency="EUR"), fill("T1"), fill("T2", fee="8.05", quantity="0.1"))
    assert told(book, delta(filled="0.5")) == [like(Order, fee="40.05", fee_currency="EUR")]
    assert told(book, delta(filled="0.7")) == [like(Order, fee=None)]


def test_fees_in_two_currencies_have_no_sum() -> None:
    book = ledger()
    told(book, order(), fill("T1"), fill("T2", fee_currency="BTC", quantity="0.1"))
    assert told(book, delta(filled="0.5")) == [like(Order, fee=None, fee_currency=None)]


def test_a_fee_alone_is_no_reason_for_an_event() -> None:
    book = ledger()
    told(book, order(fee="1"))
    assert told(book, delta(fee="2")) == []


def test_an_average_without_fills_is_none() -> None:
    assert told(ledger(), order(average_price="34.5")) == [like(Order, average_price=None)]


def test_an_unknown_order_waits_for_its_look_up_and_is_told_whole() -> None:
    book = ledger()
    assert told(book, delta(status="open"), delta(status="canceled", reason="user_requested")) == []
    assert book.wanted == {"O1"}
    assert told(book, order("canceled", source="rest")) == []
    assert book.settle(NOW) == [
        like(Order, status="open", symbol="BTC/EUR", quantity="1.00", source="stream"),
        like(Order, status="canceled", reason="user_requested", source="stream"),
    ]


def test_an_order_that_nobody_can_look_up_is_told_as_far_as_it_is_known() -> None:
    book = ledger()
    told(book, delta(status="canceled"))
    assert book.settle(NOW) == [like(Order, status="canceled", symbol=None, quantity=None)]
    assert told(book, delta(status="canceled")) == []


def test_orders_held_as_open_that_a_new_connection_does_not_name_are_suspects() -> None:
    book = ledger()
    told(book, order())
    assert book.suspects == frozenset()
    book.reconnected()
    assert book.suspects == {"O1"}
    told(book, order(source="snapshot"))
    assert book.suspects == frozenset()


def test_after_a_reconnect_the_snapshots_news_are_read_back() -> None:
    book = ledger()
    [first] = told(book, order(source="snapshot"))
    assert first.source == "snapshot"
    book.reconnected()
    assert told(book, order(source="snapshot")) == []
    assert told(book, order(source="snapshot", filled="0.4")) == [like(Order, source="rest")]
    assert book.recovered().orders == 1


def test_ended_orders_are_forgotten_after_a_while_and_open_ones_never() -> None:
    book = ledger()
    told(book, order())
    for number in range(1000):
        ended: Any = {**TERMS, "status": "canceled"}
        report = OrderReport(order_id=f"X{number}", fields=ended)
        book.take(report, f"2026-11-20T12:{number // 60:02d}:{number % 60:02d}.000000Z")
    assert book.open_orders == {"O1"}
    assert len(book._orders) < ENDED + 5 * 60 + 10


# --- fills ---------------------------------------------------------------------------------


def test_a_fill_is_told_once_from_whatever_source() -> None:
    book = ledger()
    assert len(told(book, fill(), fill(source="rest"), fill(source="snapshot"))) == 1


def test_a_key_tells_fills_of_one_trade_id_apart() -> None:
    events = told(ledger(), fill(key="T1/O1"), fill(key="T1/O2"))
    assert [event.id for event in events] == ["kraken:trade:T1/O1", "kraken:trade:T1/O2"]


@pytest.mark.parametrize(("source", "count"), [("snapshot", 0), ("rest", 0), ("stream", 1)])
def test_fills_from_before_the_start_are_history(source: str, count: int) -> None:
    book = ledger()
    book.started = NOW
    assert len(told(book, fill(source=source, time="2026-11-20T11:31:59.999999Z"))) == count


def test_a_fill_taken_for_history_is_told_when_the_stream_tells_it() -> None:
    book = ledger()
    book.started = NOW
    early = "2026-11-20T11:31:59.000000Z"
    assert told(book, fill(source="snapshot", time=early)) == []
    assert told(book, fill(time=early)) == [like(Trade, source="stream")]
    assert told(book, order(filled="0.4")) == [like(Order, fee="32.0", filled="0.4")]


def test_fills_since_the_start_are_told_from_a_snapshot_too() -> None:
    book = ledger()
    book.started = NOW
    assert len(told(book, fill(source="snapshot", time=NOW))) == 1


def test_orders_that_ended_before_the_start_are_history() -> None:
    book = ledger()
    book.started = NOW
    old: Any = {**TERMS, "status": "canceled"}
    report = OrderReport(
        order_id="O1", fields=old, source="rest", time="2026-11-19T00:00:00.000000Z"
    )
    assert told(book, report) == []


# --- balances ------------------------------------------------------------------------------


def balance(total: str, source: Any = "snapshot", **more: Any) -> BalanceReport:
    return BalanceReport(
        currency="BTC", exchange_currency="XBT", total=total, source=source, **more
    )


def test_only_what_changed_is_told_and_empty_coins_are_left_out() -> None:
    book = ledger()
    assert told(book, balance("0.00")) == []
    assert told(book, balance("1.0"), balance("1.00")) == [like(Balance, total="1.0")]
    assert told(book, balance("0", "rest")) == [like(Balance, total="0", source="rest")]


def test_a_balance_that_returns_has_an_id_of_its_own() -> None:
    book = ledger()
    ids = [e.id for total in ("1", "2", "1", "2") for e in told(book, balance(total, "rest"))]
    assert len(set(ids)) == 4


def test_hold_and_total_follow_from_the_other_two() -> None:
    assert told(ledger(), balance("3.0", available="1.25")) == [like(Balance, hold="1.75")]
    derived = BalanceReport(currency="X", exchange_currency="X", available="1", hold="0.5")
    assert told(ledger(), derived) == [like(Balance, total="1.5")]


def test_a_snapshot_that_the_changes_told_already_lead_to_is_no_news() -> None:
    book = ledger()
    told(book, balance("1.0"))
    change = {"wallet": "spot/main", "change": "0.5", "fee": "0.1", "key": "L1"}
    assert told(book, balance("1.4", "stream", **change)) == [like(Balance, id="kraken:balance:L1")]
    book.reconnected()
    assert told(book, balance("1.40")) == []
    assert told(book, balance("1.30")) == [like(Balance, total="1.30", source="rest")]


def test_what_a_complete_list_leaves_out_is_no_more() -> None:
    book = ledger()
    told(book, balance("1.0"), Listed("balances"))
    book.reconnected()
    assert told(book, Listed("balances")) == [like(Balance, currency="BTC", total="0")]
    assert told(book, Listed("balances")) == []


def test_one_currency_in_two_wallets_is_two_balances() -> None:
    book = ledger()
    both = (balance("1", wallet="exchange"), balance("2", wallet="margin"))
    assert len(told(book, *both, *both)) == 2


def test_what_is_unknown_of_a_balance_is_not_nothing() -> None:
    odd = BalanceReport(currency="X", exchange_currency="X", hold="0", source="snapshot")
    assert told(ledger(), odd) == [like(Balance, total=None, hold="0")]
    empty = BalanceReport(
        currency="X", exchange_currency="X", available="0", hold="0", source="snapshot"
    )
    assert told(ledger(), empty) == []


def test_a_list_of_all_wallets_empties_those_that_it_leaves_out() -> None:
    book = ledger("bitfinex")
    told(book, balance("1", wallet="exchange"), balance("2", wallet="margin"))
    told(book, balance("3", "stream", wallet="spot/main", key="L1"))
    book.reconnected()
    listed = Listed("balances", frozenset({("BTC", "exchange")}))
    assert told(book, listed) == [
        like(Balance, wallet="margin", total="0", exchange_currency="XBT", source="rest")
    ]
    assert told(book, listed, Listed("balances")) == []


# --- the rest ------------------------------------------------------------------------------


def position(quantity: str, status: str = "active", **more: Any) -> PositionReport:
    return PositionReport(
        symbol="BTC/USD",
        exchange_symbol="tBTCUSD",
        side="flat" if status == "closed" else "long",
        quantity=quantity,
        status=status,
        position_id="7",
        **more,
    )


def test_a_position_is_told_when_it_changes_and_not_when_its_profit_does() -> None:
    events = told(
        ledger("bitfinex"),
        position("1", entry_price="100", unrealized_pnl="5"),
        position("1", entry_price="100", unrealized_pnl="6"),
        position("2", entry_price="110"),
        position("0", "closed", entry_price="110"),
        position("1", entry_price="100"),
    )
    assert [event.quantity for event in events if isinstance(event, Position)] == [
        "1",
        "2",
        "0",
        "1",
    ]
    assert len({event.id for event in events}) == 4


def test_what_is_computed_of_a_position_is_told_when_it_becomes_known_or_another() -> None:
    computed: list[dict[str, Any]] = [
        {},
        {"liquidation_price": "90", "leverage": "2"},
        {"liquidation_price": "90.0", "leverage": "2", "unrealized_pnl": "5"},
        {},
        {"liquidation_price": "91", "leverage": "2"},
        {"liquidation_price": "91", "leverage": "3"},
        {"liquidation_price": "90", "leverage": "2"},
    ]
    events = told(ledger("bitfinex"), *(position("1", entry_price="100", **c) for c in computed))
    prices = [e.liquidation_price for e in events if isinstance(e, Position)]
    assert prices == [None, "90", "91", "91", "90"]
    assert len({event.id for event in events}) == 5


def test_a_list_of_positions_closes_those_that_it_leaves_out() -> None:
    book = ledger("bitfinex")
    told(book, position("1", entry_price="100", leverage="2"))
    book.reconnected()
    assert told(book, Listed("positions"), Listed("positions", frozenset({("7", None)}))) == []
    assert told(book, Listed("positions", frozenset())) == [
        like(Position, side="flat", quantity="0", status="closed", leverage=None, source="rest")
    ]


def test_only_the_chosen_channels_and_symbols_are_told_but_all_is_known() -> None:
    book = ledger("kraken", "trades", symbols=frozenset({"ETH/EUR"}))
    assert told(book, order(), balance("1"), fill()) == []
    other = {"symbol": "ETH/EUR", "exchange_symbol": "ETH/EUR"}
    assert len(told(book, fill("T2", **other))) == 1
    assert book.open_orders == {"O1"}
    price = PriceReport(symbol="ETH/EUR", exchange_symbol=None, bids=(), asks=())
    assert told(book, price) == []


def test_symbols_may_be_spelt_as_the_exchange_does() -> None:
    book = ledger("kraken", symbols=frozenset({"XBT/EUR"}))
    assert len(told(book, order())) == 1


def test_what_is_not_understood_is_told_whatever_was_chosen() -> None:
    book = ledger("kraken", "trades", symbols=frozenset({"ETH/EUR"}))
    notice = NoticeReport(level="warning", code="unrecognised", text="why", element={"a": 1})
    [event] = told(book, notice)
    assert isinstance(event, Notice)
    assert bytes(event.raw) == b'{"a":1}'  # type: ignore[arg-type]  # it is there


def test_no_snapshot_leaves_out_what_stood_but_remembers_it() -> None:
    book = ledger("kraken", snapshot=False)
    assert told(book, order(source="snapshot"), order()) == []
    assert len(told(book, delta(status="canceled"))) == 1
