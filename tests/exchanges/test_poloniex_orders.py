"""Poloniex's orders, fills and balances, from push to event."""

import json
from pathlib import Path
from typing import Any

import pytest

from privstream.exchanges.poloniex import Poloniex
from privstream.exchanges.poloniex.fill_keys import MEMORY, FillKeys
from privstream.exchanges.poloniex.names import status
from privstream.exchanges.poloniex.orders import read_order
from privstream.model.account import Account, Secret
from privstream.model.events import Balance, Notice, Order, Trade
from privstream.model.reports import BalanceReport, Fill, NoticeReport, OrderReport
from tests.playbook import Playbook, ledger, like
from tests.valid import assert_valid

PAYLOADS = Path(__file__).parents[1] / "payloads" / "poloniex"
SELL = "410000000000000001"
BUY = "410000000000000002"


def payload(name: str) -> list[Any]:
    frames: list[Any] = json.loads((PAYLOADS / f"{name}.json").read_text())
    return frames


def session() -> Playbook:
    credentials = {"api_key": Secret("KEY"), "api_secret": Secret("SECRET")}
    exchange = Poloniex(Account("poloniex", "poloniex", credentials, Poloniex.endpoints({})))
    book = ledger("poloniex", raw=True)
    return Playbook(exchange.session(None, exchange.channels), book)


def push(item: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"channel": "orders", "data": [item | changes]}


PLACED, PARTLY, FILLED = (frame["data"][0] for frame in payload("limit_sell"))
LATER = 1780000060000
CANCELED = PLACED | {"eventType": "canceled", "state": "CANCELED", "ts": 1780000009000}


# --- orders and fills ------------------------------------------------------------------


def test_order_and_fill_are_split_out_of_one_message() -> None:
    book = session().receives(payload("limit_sell")[0])
    whole = {"order_id": SELL, "symbol": "SOL/USDT", "exchange_symbol": "SOL_USDT"}
    whole |= {"side": "sell", "order_type": "limit", "price": "150.25", "quantity": "4.50"}
    book.tells(like(Order, **whole, status="open", filled="0", remaining="4.50", cost="0"))
    book.receives(payload("limit_sell")[1]).tells(
        like(
            Trade,
            id=f"poloniex:trade:{SELL}:70000001",
            trade_id="70000001",
            order_id=SELL,
            price="150.25",
            quantity="1.50",
            cost="225.375",
            fee="0.4507500",
            fee_currency="USDT",
            liquidity="maker",
            time="2026-05-28T20:26:45.200000Z",
        ),
        like(Order, **whole, status="partially_filled", filled="1.50", remaining="3.00"),
    )


def test_the_cumulative_quantity_is_not_added_to_and_the_fees_are_summed() -> None:
    book = session().receives(*payload("limit_sell")).told_now()
    orders = [event for event in book.events if isinstance(event, Order)]
    assert [order.filled for order in orders] == ["0", "1.50", "4.50"]
    last = orders[-1]
    assert (last.status, last.remaining, last.cost) == ("filled", "0", "676.125")
    assert (last.fee, last.fee_currency, last.average_price) == ("1.3522500", "USDT", "150.25")


def test_zeros_and_empty_texts_that_mean_nothing_are_null() -> None:
    book = session().receives(payload("market_buy")[0] | {"data": [market(clientOrderId="")]})
    book.tells(
        like(
            Order,
            client_order_id=None,
            price=None,
            stop_price=None,
            quantity=None,
            remaining=None,
            average_price=None,
            filled="0",
            time_in_force=None,
        )
    )


def market(**changes: Any) -> dict[str, Any]:
    item: dict[str, Any] = payload("market_buy")[0]["data"][0]
    return item | changes


def test_a_market_buy_by_amount_has_its_size_in_the_quote_currency() -> None:
    book = session().receives(*payload("market_buy")).told_now()
    orders = [event for event in book.events if isinstance(event, Order)]
    trades = [event for event in book.events if isinstance(event, Trade)]
    assert {(o.quantity, o.quote_quantity, o.remaining) for o in orders} == {(None, "30", None)}
    assert [o.status for o in orders] == ["open", "partially_filled", "filled"]
    assert (orders[-1].filled, orders[-1].cost) == ("0.19950", "29.98883")
    assert orders[-1].average_price == "150.319949874686717"
    assert [(t.price, t.quantity, t.cost) for t in trades] == [
        ("150.30", "0.10000", "15.0300"),
        ("150.34", "0.09950", "14.95883"),
    ]
    assert {(t.fee_currency, t.liquidity, t.client_order_id) for t in trades} == {
        ("SOL", "taker", "cX7-bot")
    }
    assert (orders[-1].fee, orders[-1].fee_currency) == ("0.00039900", "SOL")


def test_a_size_in_base_wins_over_an_amount_beside_it() -> None:
    session().receives(push(PLACED, orderAmount="676.125")).tells(
        like(Order, quantity="4.50", quote_quantity=None)
    )


def test_a_canceled_order_has_no_fill() -> None:
    book = session().receives(push(PLACED), push(CANCELED)).told_now()
    assert [type(event) for event in book.events] == [Order, Order]
    assert book.events[-1] == like(Order, status="canceled", exchange_status="CANCELED")
    assert book.events[-1].time == "2026-05-28T20:26:49.000000Z"


def test_a_cancellation_after_fills_is_a_cancellation() -> None:
    rest = {"tradeId": "0", "tradeQty": "0", "tradeTime": 0, "eventType": "canceled"}
    book = session().receives(push(PLACED), push(PARTLY)).forget_events()
    book.receives(push(PARTLY, **rest, state="PARTIALLY_CANCELED")).tells(
        like(Order, status="canceled", filled="1.50", remaining="3.00", fee="0.4507500")
    )


@pytest.mark.parametrize("event_type", ["trade", "TRADE", "Trade"])
def test_event_types_are_read_in_any_case(event_type: str) -> None:
    session().receives(push(PARTLY, eventType=event_type)).does(
        like(Fill, trade_id="70000001"), like(OrderReport, status="partially_filled")
    ).nothing()


def test_a_placement_in_capitals_is_dated_by_its_creation() -> None:
    for event_type in ("place", "PLACE"):
        session().receives(push(PLACED, eventType=event_type)).does(
            like(OrderReport, time="2026-05-28T20:26:40.100000Z")
        )


def test_an_amendment_after_a_partial_fill_is_news_though_its_word_is_lower() -> None:
    book = session().receives(push(PLACED), push(PARTLY)).forget_events()
    amended = {"price": "151.00", "quantity": "6.00", "filledQuantity": "1.50", "ts": LATER}
    book.receives(push(PLACED, **amended, filledAmount="225.375")).tells(
        like(Order, status="partially_filled", price="151.00", quantity="6.00", remaining="4.50")
    )
    book.ledger.reconnected()
    row = PARTLY | {"id": SELL, "updateTime": PARTLY["tradeTime"]}
    [lagging] = read_order(row, "rest")
    assert not book.ledger.take(lagging, "2026-05-28T21:30:00.000000Z")


def test_the_fees_of_fills_add_up_in_any_order_though_one_is_a_bare_zero() -> None:
    free = {"tradeFee": "0", "feeCurrency": ""}
    for first, second in ((free, {}), ({}, free)):
        book = session().receives(push(PLACED), push(PARTLY, **first), push(FILLED, **second))
        last = book.told_now().events[-1]
        fee = "0.9015000" if first else "0.4507500"
        assert last == like(Order, status="filled", fee=fee, fee_currency="USDT")


def test_an_order_whose_sizes_are_all_zero_is_told_once_it_was_looked_up() -> None:
    book = session().receives(push(PLACED, quantity="0", orderAmount="0")).told_now()
    assert book.events == []
    [event] = book.ledger.settle("2026-05-28T20:30:00.000000Z")
    assert event == like(Order, order_id=SELL, status="open", quantity=None, remaining=None)


def test_a_single_item_without_its_list_is_read_all_the_same() -> None:
    session().receives({"channel": "orders", "data": PLACED}).does(like(OrderReport, order_id=SELL))


def test_the_same_push_twice_is_told_once() -> None:
    book = session().receives(push(PARTLY)).forget_events().receives(push(PARTLY))
    book.tells()


def test_fills_of_one_trade_number_in_two_orders_are_two() -> None:
    other = PARTLY | {"orderId": "410000000000000009"}
    book = session().receives({"channel": "orders", "data": [PARTLY, other]}).told_now()
    assert len([event for event in book.events if isinstance(event, Trade)]) == 2


def test_a_trade_without_its_number_is_told_as_unreadable_beside_its_order() -> None:
    session().receives(push(PARTLY, tradeId="0")).does(
        like(NoticeReport, code="unrecognised"), like(OrderReport, order_id=SELL, filled="1.50")
    ).nothing()


def test_an_item_without_its_id_does_not_hide_its_neighbours() -> None:
    broken = {key: value for key, value in PLACED.items() if key != "orderId"}
    items = [broken, PLACED | {"orderId": {}}, PLACED | {"orderId": ""}, 7, PLACED]
    session().receives({"channel": "orders", "data": items}).does(
        like(NoticeReport, element=broken, once=None),
        *[like(NoticeReport, once=None)] * 3,
        like(OrderReport, order_id=SELL),
    ).nothing()


@pytest.mark.parametrize(
    ("key", "odd", "field"),
    [
        ("symbol", "SOL", "symbol"),
        ("side", "BOTH", "side"),
        ("side", 1, "side"),
        ("type", "", "order_type"),
        ("type", ["LIMIT"], "order_type"),
        ("state", "", "status"),
        ("price", "-1", "price"),
        ("price", "much", "price"),
        ("quantity", "-4.50", "quantity"),
        ("quantity", {}, "quantity"),
        ("filledQuantity", "NaN", "filled"),
        ("filledAmount", True, "cost"),
        ("createTime", "yesterday", "created"),
        ("clientOrderId", [], "client_order_id"),
    ],
)
def test_an_odd_side_value_of_an_order_is_unknown_and_said(key: str, odd: Any, field: str) -> None:
    book = session().receives(push(PLACED, **{key: odd}))
    book.does(like(OrderReport, order_id=SELL, **{field: "(absent)"}))
    book.does(like(NoticeReport, code="unrecognised", once=f"order:{key}")).nothing()


@pytest.mark.parametrize(
    ("key", "odd", "field"),
    [
        ("symbol", 7, "symbol"),
        ("side", "BOTH", "side"),
        ("tradeQty", "-1.50", "quantity"),
        ("tradeQty", "much", "quantity"),
        ("tradePrice", [], "price"),
        ("tradeAmount", "-225", "cost"),
        ("tradeFee", "none", "fee"),
        ("feeCurrency", {}, "fee_currency"),
        ("matchRole", "BROKER", "liquidity"),
        ("tradeTime", "soon", "time"),
    ],
)
def test_an_odd_side_value_of_a_fill_is_unknown_and_said_once(
    key: str, odd: Any, field: str
) -> None:
    book = session().receives(push(PARTLY, **{key: odd}), push(FILLED, **{key: odd})).told_now()
    trades = [event for event in book.events if isinstance(event, Trade)]
    assert [trade.trade_id for trade in trades] == ["70000001", "70000002"]
    assert [getattr(trade, field) for trade in trades] == [None, None]
    said = [event.text for event in book.events if isinstance(event, Notice)]
    assert len([text for text in said if "of this trade" in text]) == 1
    assert f"cannot read {key} of this trade" in said[0]


def test_ids_beyond_2_to_the_53_keep_every_digit_as_number_and_as_text() -> None:
    number = push(PARTLY, orderId=9223372036854775807, tradeId=9007199254740993)
    session().receives(number).tells(
        like(Trade, trade_id="9007199254740993", order_id="9223372036854775807"),
        like(Order, order_id="9223372036854775807"),
    )


def test_the_digits_of_the_frame_survive_and_so_does_the_element() -> None:
    book = session().receives(push(PLACED, quantity="0.10000000000000000000001"))
    book.tells(like(Order, quantity="0.10000000000000000000001"))
    assert b'"0.10000000000000000000001"' in bytes(book.events[0].raw)  # type: ignore[union-attr, arg-type]  # an order's Raw


def test_a_limit_maker_is_a_limit_order_that_is_post_only() -> None:
    session().receives(push(PLACED, type="LIMIT_MAKER")).tells(
        like(Order, order_type="limit", time_in_force="post_only")
    )


@pytest.mark.parametrize(
    ("pair", "symbol"),
    [("STR_USDT", "XLM/USDT"), ("REPV2_ETH", "REP/ETH"), ("BTC_UST", "BTC/USTC")],
)
def test_coins_have_their_common_names_beside_poloniexs_own(pair: str, symbol: str) -> None:
    coin = pair.split("_", maxsplit=1)[0]
    item = PARTLY | {"symbol": pair, "feeCurrency": coin}
    base = symbol.split("/", maxsplit=1)[0]
    session().receives(push(item)).tells(
        like(Trade, symbol=symbol, exchange_symbol=pair, fee_currency=base),
        like(Order, symbol=symbol, exchange_symbol=pair),
    )


@pytest.mark.parametrize(
    "text", ["STR_USDT", "str_usdt", "STR/USDT", "xlm/usdt", "XLM-USDT", "strusdt", " XLMUSDT "]
)
def test_a_market_is_known_by_any_of_its_spellings(text: str) -> None:
    assert Poloniex.symbol_of(text) == "XLM/USDT"


@pytest.mark.parametrize("text", ["", "USDT", "BTC", "A_B_C", "_USDT", "BTC/"])
def test_what_is_no_market_has_no_symbol(text: str) -> None:
    assert Poloniex.symbol_of(text) is None


def test_a_fee_without_a_currency_is_a_stated_zero() -> None:
    session().receives(push(FILLED, tradeFee="0", feeCurrency="")).does(
        like(Fill, fee="0", fee_currency=None)
    )


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("PENDING_NEW", "pending"),
        ("NEW", "open"),
        ("PARTIALLY_FILLED", "partially_filled"),
        ("FILLED", "filled"),
        ("PENDING_CANCEL", "open"),
        ("PARTIALLY_CANCELED", "canceled"),
        ("CANCELED", "canceled"),
        ("REJECTED", "rejected"),
        ("FAILED", "rejected"),
        ("EXPIRED", "expired"),
        ("Filled", "filled"),
        ("PAUSED", "unknown"),
    ],
)
def test_every_state_has_its_status(state: str, expected: str) -> None:
    assert status(state) == expected


def test_a_cancellation_that_is_only_asked_for_leaves_the_order_open() -> None:
    pending = PARTLY | {"eventType": "canceled", "state": "PENDING_CANCEL", "tradeQty": "0"}
    session().receives(push(PARTLY)).forget_events().receives(push(pending)).tells(
        like(Order, status="partially_filled", exchange_status="PENDING_CANCEL")
    )


# --- keys of fills ---------------------------------------------------------------------

AMOUNTS = ("150.25", "1.50")
SNOWFLAKE = "410000000000000201"


def test_a_fill_that_rest_numbers_otherwise_is_the_same_fill() -> None:
    keys = FillKeys()
    first = keys.key(SELL, "70000001", AMOUNTS, 1_000_000)
    assert keys.key(SELL, SNOWFLAKE, ("150.250", "1.5"), 1_004_000) == first
    assert keys.key(SELL, SNOWFLAKE, AMOUNTS, 1_004_000) == first


def test_it_does_not_matter_which_number_comes_first() -> None:
    keys = FillKeys()
    first = keys.key(SELL, SNOWFLAKE, AMOUNTS, 1_000_000)
    assert keys.key(SELL, "70000001", AMOUNTS, 1_000_000) == first


def test_equal_fills_of_one_series_are_never_taken_for_one() -> None:
    keys = FillKeys()
    assert keys.key(SELL, "70000001", AMOUNTS, 0) != keys.key(SELL, "70000002", AMOUNTS, 0)


def test_equal_fills_pair_off_one_by_one_with_the_nearest_in_time() -> None:
    keys = FillKeys()
    first = keys.key(SELL, "70000001", AMOUNTS, 1_000)
    second = keys.key(SELL, "70000002", AMOUNTS, 2_000)
    assert keys.key(SELL, SNOWFLAKE, AMOUNTS, 2_000) == second
    assert keys.key(SELL, "410000000000000202", AMOUNTS, 1_000) == first
    third = keys.key(SELL, "410000000000000203", AMOUNTS, 1_000)
    assert third not in {first, second}


@pytest.mark.parametrize(
    ("order_id", "amounts", "millis"),
    [
        (BUY, AMOUNTS, 0),
        (SELL, ("150.26", "1.50"), 0),
        (SELL, ("150.25", "1.51"), 0),
        (SELL, AMOUNTS, 5_001),
    ],
)
def test_what_differs_in_anything_is_another_fill(
    order_id: str, amounts: tuple[str, str], millis: int
) -> None:
    keys = FillKeys()
    first = keys.key(SELL, "70000001", AMOUNTS, 0)
    assert keys.key(order_id, SNOWFLAKE, amounts, millis) != first


def test_the_memory_of_fills_is_bounded() -> None:
    keys = FillKeys()
    for trade_id in ("70000001", "70000002"):
        keys.key(SELL, trade_id, AMOUNTS, 0)
    for number in range(MEMORY - 1):
        keys.key(str(number), "70000001", AMOUNTS, 0)
    assert len(keys._keys) == len(keys._unpaired) == MEMORY
    # The first is forgotten, the second beside it is not.
    assert keys.key(SELL, SNOWFLAKE, AMOUNTS, 0) == f"{SELL}:70000002"


# --- balances --------------------------------------------------------------------------


def balance(identity: int, available: str, **changes: Any) -> dict[str, Any]:
    [item] = payload("market_buy_balances")[0]["data"]
    return {
        "channel": "balances",
        "data": [item | changes | {"id": identity, "available": available}],
    }


def test_a_balance_is_what_stands_after_the_change_and_its_total_the_sum() -> None:
    book = session().receives(*payload("market_buy_balances")).told_now()
    told = [
        (e.currency, e.total, e.available, e.hold, e.reason)
        for e in book.events
        if isinstance(e, Balance)
    ]
    assert told == [
        ("USDT", "1000.00", "970.00", "30", "place_order"),
        ("USDT", "970.01117", "970.00", "0.01117", "match_order"),
        ("USDT", "970.01117", "970.01117", "0", "match_order"),
        ("SOL", "0.19950", "0.19950", "0", "match_order"),
        ("SOL", "0.19910100", "0.19910100", "0", "match_order"),
    ]
    first = book.events[0]
    assert first == like(Balance, id="poloniex:balance:410000000000000101", change=None)
    assert first == like(Balance, wallet="spot", time="2026-05-28T20:26:50.004000Z")


def test_a_change_is_named_by_its_id_though_it_is_beyond_2_to_the_53() -> None:
    session().receives(balance(9223372036854775807, "1")).does(
        like(BalanceReport, key="9223372036854775807", available="1")
    )


def test_a_change_that_comes_twice_is_told_once() -> None:
    book = session().receives(balance(1, "5")).forget_events().receives(balance(1, "5"))
    book.tells()


def test_an_older_version_of_a_currency_is_dropped() -> None:
    book = session().receives(balance(1, "5", version=7), balance(2, "4", version=6))
    book.does(like(BalanceReport, key="1")).nothing()
    book.receives(balance(3, "6", version=7), balance(4, "7", version=8))
    book.does(like(BalanceReport, key="3"), like(BalanceReport, key="4")).nothing()


def test_versions_of_other_currencies_and_other_connections_are_their_own() -> None:
    book = session().opened().forget().receives(balance(1, "5", version=7)).forget()
    book.receives(balance(2, "1", currency="SOL", version=3)).does(like(BalanceReport, key="2"))
    book.opened().forget().receives(balance(3, "6", version=1)).does(like(BalanceReport, key="3"))


def test_a_balance_event_type_is_read_in_any_case_and_a_wallet_that_is_left_out_is_spot() -> None:
    item = balance(1, "5", eventType="place_order")
    del item["data"][0]["accountType"]
    session().receives(item).tells(like(Balance, reason="place_order", wallet="spot"))


def test_a_balance_has_its_coins_common_name() -> None:
    session().receives(balance(1, "5", currency="STR")).tells(
        like(Balance, currency="XLM", exchange_currency="STR")
    )


def test_a_balance_without_any_amount_is_a_notice() -> None:
    session().receives(balance(1, "much", hold=[])).tells(like(Notice, code="unrecognised"))


def test_an_odd_part_of_a_balance_is_unknown_and_said() -> None:
    session().receives(balance(1, "much", hold="3")).tells(
        like(Balance, currency="USDT", available=None, total=None, hold="3"),
        like(Notice, code="unrecognised"),
    )
    for odd in ({"eventType": 5}, {"changeTime": "soon"}, {"version": "new"}):
        session().receives(balance(1, "5", **odd)).does(
            like(BalanceReport, available="5", key="1"), like(NoticeReport)
        ).nothing()


def test_everything_told_here_keeps_the_contract() -> None:
    frames = [
        f for name in ("limit_sell", "market_buy", "market_buy_balances") for f in payload(name)
    ]
    book = session().receives(*frames).told_now()
    assert len(book.events) == 5 + 5 + 5
    for event in book.events:
        assert_valid(event)
