"""What Indodax's order updates mean: orders, fills, and when balances are read."""

import json
from typing import Any

import pytest

from privstream.exchanges.indodax import names
from privstream.model.events import Balance, Notice, Order, Trade
from privstream.model.reports import Fill, OrderReport
from privstream.model.session import Ask
from tests.exchanges.indodax_account import (
    NEW,
    STREAM,
    fill,
    payload,
    pushed,
    streaming,
)
from tests.playbook import Playbook, like
from tests.rest_play import answer, play
from tests.valid import assert_valid


def test_an_order_lives_from_new_over_its_fills_to_done() -> None:
    sold = {"order_id": "aaveidr-limit-41001", "symbol": "AAVE/IDR", "side": "sell"}
    book = streaming().receives(*STREAM).tells(
        like(Order, **sold, status="open", filled="0", quantity="0.05000000", exchange_status="NEW"),
        like(Trade, trade_id="72057594039000001", fee="263", fee_currency="IDR", liquidity="maker"),
        like(Order, **sold, status="partially_filled", remaining="0.03000000", fee="263"),
        like(Trade, trade_id="72057594039000002", fee="394", quantity="0.03000000"),
        like(Order, **sold, status="filled", remaining="0", fee="657", fee_currency="IDR"),
        like(Order, order_id="btcusdt-stoplimit-77", status="canceled", order_type="stop_limit"),
    )  # fmt: skip
    for event in book.events:
        assert_valid(event)


def test_every_key_of_an_order_and_a_trade_is_read() -> None:
    book = streaming().receives(STREAM[0], STREAM[1])
    book.told_now()
    order, trade = book.events[0], book.events[1]
    assert order == like(
        Order,
        time="2026-05-28T20:26:41.374000Z",
        created="2026-05-28T20:26:41.374000Z",
        client_order_id="lendidr-limit-41001",
        exchange_symbol="aaveidr",
        order_type="limit",
        price="4100100",
        stop_price=None,
        average_price=None,
        cost=None,
        source="stream",
        sequence=None,
    )
    assert trade == like(
        Trade,
        time="2026-05-28T20:26:57.697000Z",
        order_id="aaveidr-limit-41001",
        client_order_id="lendidr-limit-41001",
        exchange_symbol="aaveidr",
        order_type="limit",
        side="sell",
        price="4100100",
        quantity="0.02000000",
        cost=None,
        estimated=(),
    )


def test_the_price_of_a_taker_is_only_estimated_and_told_at_once() -> None:
    streaming().receives(pushed(fill("0.1"))).does(
        like(Fill, price="4000000", estimated=("price",), liquidity="taker", fee="1369"),
        like(OrderReport, filled="0.1"),
    )


def test_the_price_of_a_market_order_is_unknown_and_never_zero() -> None:
    market = fill("0.1") | {"orderId": "aaveidr-market-9", "price": "0"}
    streaming().receives(pushed(market)).tells(
        like(Trade, price=None, cost=None, estimated=(), order_type="market"),
        like(Order, price=None, average_price=None, cost=None, status="filled"),
    )


def test_one_fill_is_told_once_however_often_it_comes() -> None:
    book = streaming().receives(pushed(fill("0.1"), fill("0.1"))).told_now()
    assert sum(isinstance(event, Trade) for event in book.events) == 1


def test_a_match_of_two_own_orders_is_two_fills_with_one_trade_id() -> None:
    other = fill("0.1") | {"orderId": "aaveidr-limit-501", "side": "SELL"}
    book = streaming().receives(pushed(fill("0.1"), other)).told_now()
    trades = [event for event in book.events if isinstance(event, Trade)]
    assert [trade.side for trade in trades] == ["buy", "sell"]
    assert len({trade.id for trade in trades}) == 2


def test_the_amount_of_a_fill_goes_by_its_older_name_or_by_what_was_executed_more() -> None:
    legacy = {"qty": None, "filledQty": None}
    book = streaming().receives(pushed(NEW, fill("0.03", "1", **legacy, fillQty="0.03")))
    book.forget_events().receives(pushed(fill("0.08", "2", **legacy)))
    book.tells(like(Trade, quantity="0.05"), like(Order, filled="0.08", remaining="0.02"))


def test_an_amount_that_nothing_tells_is_unknown() -> None:
    book = streaming().receives(pushed(fill("0.08", qty=None, filledQty=None)))
    book.tells(like(Trade, quantity=None), like(Order, filled="0.08", fee=None))


def test_a_fill_without_a_trade_id_gets_one_that_says_so() -> None:
    streaming().receives(pushed(fill("0.1", None))).does(
        like(Fill, trade_id="aaveidr-limit-500@0.1", estimated=("price", "trade_id")),
        like(OrderReport),
    )


@pytest.mark.parametrize(
    ("told", "fee", "currency"),
    [
        ({}, "1369", "IDR"),
        ({"clearing": None, "clearingAsset": None}, "1280", "IDR"),
        ({"fee": "0", "tax": "0", "clearing": "0"}, "0", "IDR"),
        ({"feeAsset": "usdt", "fee": "0.25"}, None, None),
        ({"fee": None, "tax": None, "clearing": None}, None, None),
        ({"fee": "0.1", "tax": "0.02", "clearing": "1.11E-4"}, "0.120111", "IDR"),
    ],
)
def test_the_fee_is_fee_and_tax_and_clearing_together(
    told: dict[str, Any], fee: str | None, currency: str | None
) -> None:
    streaming().receives(pushed(fill("0.1", **told))).does(
        like(Fill, fee=fee, fee_currency=currency), like(OrderReport)
    )


@pytest.mark.parametrize(
    ("word", "filled", "status"),
    [
        ("NEW", "0", "open"),
        ("DONE", "0.1", "filled"),
        ("FILLED", "0.1", "filled"),
        ("CANCELLED", "0.04", "canceled"),
        ("REJECTED", "0", "rejected"),
        ("SLEEPING", "0", "unknown"),
    ],
)
def test_every_status_has_its_word(word: str, filled: str, status: str) -> None:
    order = NEW | {"status": word, "executedQty": filled}
    streaming().receives(pushed(order)).tells(
        like(Order, status=status, exchange_status=word, filled=filled)
    )


def test_done_repeats_totals_and_is_no_trade() -> None:
    done = NEW | {"status": "DONE", "executedQty": "0.1"}
    book = streaming().receives(pushed(NEW, fill("0.1"), done)).told_now()
    assert sum(isinstance(event, Trade) for event in book.events) == 1
    assert book.events[-1] == like(Order, status="filled", exchange_status="FILL")


def test_a_rejected_order_was_never_executed_whatever_a_copied_amount_says() -> None:
    order = NEW | {"status": "REJECTED", "executedQty": "0.1", "unfilledQty": "0"}
    streaming().receives(pushed(order)).tells(like(Order, status="rejected", filled=None))


def test_an_order_canceled_after_a_fill_is_canceled() -> None:
    end = NEW | {"status": "CANCELLED", "executedQty": "0.04", "unfilledQty": "0.06"}
    book = streaming().receives(pushed(NEW, fill("0.04"))).forget_events()
    book.receives(pushed(end)).tells(like(Order, status="canceled", filled="0.04", fee="1369"))


def test_without_a_description_the_pair_is_split_at_its_quote() -> None:
    plain = {key: value for key, value in NEW.items() if key != "description"}
    streaming().receives(pushed(plain | {"symbol": "stridr", "orderId": "stridr-limit-1"})).tells(
        like(Order, symbol="XLM/IDR", exchange_symbol="stridr")
    )


def test_the_exchanges_own_description_of_a_pair_counts() -> None:
    renamed = NEW | {"symbol": "lendidr", "description": "AAVE/IDR"}
    streaming().receives(pushed(renamed)).tells(
        like(Order, symbol="AAVE/IDR", exchange_symbol="lendidr")
    )


def test_pairs_are_split_at_the_quotes_there_are() -> None:
    assert names.symbol("btcusdt") == "BTC/USDT"
    assert names.symbol("btc_idr") == "BTC/IDR"
    assert names.symbol("idr") is None
    assert names.symbol("abcxyz") is None


def test_the_digits_of_the_frame_survive() -> None:
    frame = json.dumps(pushed(NEW)).replace('"0.1"', '"0.10000000000000000001000"')
    streaming().receives(frame).does(like(OrderReport, quantity="0.10000000000000000001000"))


def test_raw_is_the_event_itself() -> None:
    book = Playbook(streaming()._session)
    book.receives(pushed(NEW)).does(
        like(OrderReport, element=pushed(NEW)["push"]["pub"]["data"][0])
    )


# --- balances --------------------------------------------------------------------------


def ask_for(book: Playbook) -> Ask:
    asked = book._next("an Ask")
    assert isinstance(asked, Ask)
    return asked


def answered(book: Playbook, ask: Ask, info: str) -> Playbook:
    """The supervisor has run the flow, and the ledger takes what it brought."""
    book._pending += play(ask.flow, lambda _call, _request: answer(info))
    return book


def test_balances_are_read_two_seconds_after_the_last_news_of_an_order() -> None:
    book = streaming().receives(pushed(NEW)).forget().after(1).nothing()
    book.receives(pushed(fill("0.1"))).forget().after(1.5).nothing()
    ask = ask_for(book.after(0.5))
    assert ask.what == "the balances"
    answered(book, ask, payload("get_info.json")).forget_events().after(20).nothing()


def test_balances_are_read_in_any_case_after_five_seconds() -> None:
    book = streaming()
    for _ in range(4):
        book.receives(pushed(NEW)).forget().after(1).nothing()
    book.receives(pushed(NEW)).forget().after(1).does(like(Ask)).nothing()


def test_only_balances_that_changed_are_told() -> None:
    book = streaming().receives(pushed(NEW)).forget()
    first = payload("get_info.json")
    answered(book, ask_for(book.after(2)), first).tells(
        like(Balance, currency="IDR", available="1250000", hold="0", total="1250000"),
        like(Balance, currency="BTC", available="0.01500000", hold="0.00500000", source="rest"),
        like(Balance, currency="AAVE", total="1.25000000", exchange_currency="aave"),
    )
    book.receives(pushed(fill("0.1"))).forget()
    second = first.replace('"idr":1250000', '"idr":850000')
    answered(book, ask_for(book.after(2)), second).tells(
        like(Balance, currency="IDR", available="850000")
    )


def test_balances_that_could_not_be_read_are_asked_for_again_but_not_for_ever() -> None:
    book = streaming(None, "balances").receives(pushed(NEW)).forget()
    asked = 0
    book.after(2).does(like(Ask))
    for _ in range(20):
        book.receives({}).after(10)
        while book._pending:
            asked += isinstance(book._pending.popleft(), Ask)
    assert asked == 2


def test_news_while_balances_are_read_are_news_of_more() -> None:
    book = streaming().receives(pushed(NEW)).forget()
    ask = ask_for(book.after(2))
    book.receives(pushed(fill("0.1")))
    answered(book, ask, payload("get_info.json")).forget_events().after(2).does(like(Ask))


def test_without_the_balances_channel_none_are_read() -> None:
    streaming(None, "orders", "trades").receives(pushed(NEW)).forget().after(20).nothing()


def test_an_event_of_another_kind_is_a_notice() -> None:
    frame = pushed(NEW)
    frame["push"]["pub"]["data"][0]["eventType"] = "balance_update"
    streaming().receives(frame).tells(like(Notice, code="unrecognised"))
