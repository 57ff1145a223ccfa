"""Bitfinex's orders, positions and notifications, as a dialogue."""

import json
from typing import Any

import pytest

from privstream.exchanges.bitfinex import Bitfinex, names
from privstream.model.events import Notice, Order, OrderStatus
from privstream.model.reports import NoticeReport, OrderReport
from tests.payloads.bitfinex.frames import (
    ORDER_ID,
    logged_in,
    numbered,
    opened,
    order,
)
from tests.playbook import Playbook, like
from tests.valid import assert_valid

STATUSES: list[tuple[str, OrderStatus, str | None]] = [
    ("ACTIVE", "open", None),
    ("ACTIVE (note:POSCLOSE)", "open", None),
    ("EXECUTED @ 107.6(-0.2)", "filled", None),
    ("EXECUTED @ 1662.9(0.05): was PARTIALLY FILLED @ 1661.5(0.05)", "filled", None),
    ("FORCED EXECUTED @ 107.6(-0.2)", "filled", "forced_executed"),
    ("PARTIALLY FILLED @ 6516.1(0.005)", "partially_filled", None),
    ("PARTIALLY FILLED @ 1.1(0.5), PARTIALLY FILLED @ 1.2(0.5)", "partially_filled", None),
    ("CANCELED", "canceled", None),
    ("CANCELED was: PARTIALLY FILLED @ 18030.0(-0.02)", "canceled", None),
    ("IOC CANCELED was: PARTIALLY FILLED @ 110500.0(0.0002)", "canceled", "ioc"),
    ("POSTONLY CANCELED", "canceled", "postonly"),
    ("FILLORKILL CANCELED", "canceled", "fillorkill"),
    ("WIDTH CANCELED was: PARTIALLY FILLED @ 1.0(0.1)", "canceled", "width"),
    ("INSUFFICIENT BALANCE (G1) was: ACTIVE (note:POSCLOSE)", "rejected", "insufficient_balance"),
    ("INSUFFICIENT MARGIN was: PARTIALLY FILLED @ 1.0(0.5)", "rejected", "insufficient_margin"),
    ("RSN_DUST (amount is less than 0.00000001)", "rejected", "rsn_dust"),
    ("RSN_POS_REDUCE_FLIP", "rejected", "rsn_pos_reduce_flip"),
    ("SOMETHING NEW was: CANCELED", "unknown", None),
    ("insufficient balance (g1) was: partially filled", "rejected", "insufficient_balance"),
]


@pytest.mark.parametrize(("text", "status", "reason"), STATUSES)
def test_of_a_status_only_the_head_counts(
    text: str, status: OrderStatus, reason: str | None
) -> None:
    assert names.status(text) == (status, reason)


@pytest.mark.parametrize(
    ("exchange_symbol", "symbol"),
    [
        ("tBTCUSD", "BTC/USD"),
        ("tBTCUST", "BTC/USDT"),
        ("tUSTUSD", "USDT/USD"),
        ("tAVAX:USD", "AVAX/USD"),
        ("tDOGE:UST", "DOGE/USDT"),
        ("tBTCF0:USTF0", "BTCF0/USTF0"),
    ],
)
def test_symbols_are_told_in_common_names(exchange_symbol: str, symbol: str) -> None:
    assert names.USUAL.symbol(exchange_symbol) == symbol


@pytest.mark.parametrize(
    ("exchange_symbol", "symbol"),
    [
        ("tDSHUSD", "DASH/USD"),
        ("tUDCUSD", "USDC/USD"),
        ("tWBTUSD", "WBTC/USD"),
        ("tWHBT:USD", "WBT/USD"),
        ("tLUNA:USD", "LUNC/USD"),
        ("tLUNA2:UST", "LUNA/USDT"),
        ("tIOTBTC", "IOTA/BTC"),
        ("tSONIC:USD", "S/USD"),
    ],
)
def test_each_code_is_called_by_the_exchanges_own_map_and_never_twice(
    exchange_symbol: str, symbol: str
) -> None:
    assert names.USUAL.symbol(exchange_symbol) == symbol


@pytest.mark.parametrize(
    ("typed", "symbol"),
    [
        ("tBTCUSD", "BTC/USD"),
        ("btcusd", "BTC/USD"),
        ("tbtcusd", "BTC/USD"),
        (" BTC/USD ", "BTC/USD"),
        ("btc-usdt", "BTC/USDT"),
        ("BTC_UST", "BTC/USDT"),
        ("BTCUST", "BTC/USDT"),
        ("BTCUSDT", "BTC/USDT"),
        ("tDSHUSD", "DASH/USD"),
        ("DASHUSD", "DASH/USD"),
        ("tDASHUSD", "DASH/USD"),
        ("DASH/USD", "DASH/USD"),
        ("DSH/USD", "DASH/USD"),
        ("usdc/usd", "USDC/USD"),
        ("tUDCUSD", "USDC/USD"),
        ("tAVAX:USD", "AVAX/USD"),
        ("tavax:usd", "AVAX/USD"),
        ("avaxusd", "AVAX/USD"),
        ("tsdusd", "TUSD/USD"),
        ("tusd/usd", "TUSD/USD"),
        ("trxusd", "TRX/USD"),
        ("ETHBTC", "ETH/BTC"),
        ("OPUSDT", "OP/USDT"),
        ("tWBTUSD", "WBTC/USD"),
        ("WBT/USD", "WBT/USD"),
        ("tWHBT:USD", "WBT/USD"),
        ("WHBT/USD", "WBT/USD"),
        ("tLUNA2:USD", "LUNA/USD"),
        ("LUNA/USD", "LUNA/USD"),
        ("tBTCF0:USTF0", "BTCF0/USTF0"),
        ("BTCF0USTF0", "BTCF0/USTF0"),
        ("fUSD", None),
        ("BTC", None),
        ("tBTC", None),
        (":", None),
        ("", None),
        ("BTC/USD/EUR", None),
    ],
)
def test_a_market_may_be_typed_in_any_spelling(typed: str, symbol: str | None) -> None:
    assert Bitfinex.symbol_of(typed) == symbol


@pytest.mark.parametrize("junk", ["fUSD", "BTCUSD", "tBTC", "t:USD", "tBTC:", "t", ""])
def test_what_is_no_pair_has_no_symbol(junk: str) -> None:
    with pytest.raises(ValueError, match="no trading pair"):
        names.USUAL.symbol(junk)


def test_a_new_order_is_told_whole() -> None:
    book = logged_in().receives(numbered([0, "on", order()], 1))
    book.tells(
        like(
            Order,
            order_id=str(ORDER_ID),
            client_order_id="1780000000077",
            symbol="BTC/USDT",
            exchange_symbol="tBTCUST",
            side="buy",
            order_type="limit",
            time_in_force="gtc",
            status="open",
            exchange_status="ACTIVE",
            price="60000",
            stop_price=None,
            quantity="0.5",
            quote_quantity=None,
            filled="0",
            remaining="0.5",
            average_price=None,
            cost=None,
            fee="0",
            reason=None,
            created="2026-05-28T20:26:40.100000Z",
            time="2026-05-28T20:26:43.250000Z",
            source="stream",
            sequence=1,
        )
    )
    assert_valid(book.events[-1])


def test_the_side_of_a_filled_order_is_the_sign_of_what_was_ordered() -> None:
    row = order(amount=0, amount_orig=-0.5, status="EXECUTED @ 60000.0(-0.5)", price_avg=60000.25)
    logged_in().receives([0, "oc", row]).tells(
        like(
            Order,
            side="sell",
            status="filled",
            quantity="0.5",
            filled="0.5",
            remaining="0",
            average_price="60000.25",
        )
    )


def test_the_digits_of_an_order_survive() -> None:
    frame = (
        f'[0,"ou",[{ORDER_ID},null,0,"tBTCUSD",1780000000100,1780000003250,-1.0E-8,-3.00000000,'
        '"EXCHANGE LIMIT",null,null,null,"0","PARTIALLY FILLED @ 1.0(-1.0)",null,null,'
        "60000.10,60000.123456789012345678,0,0,null,null,null,0,0,null,null,null,null,null,null]]"
    )
    logged_in().receives(frame).does(
        like(
            OrderReport,
            quantity="3.00000000",
            filled="2.999999990",
            price="60000.10",
            average_price="60000.123456789012345678",
            client_order_id=None,
        )
    )


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"type": "LIMIT"}, ("limit", "gtc", "60000", None)),
        ({"type": "MARKET"}, ("market", None, None, None)),
        ({"type": "EXCHANGE MARKET"}, ("market", None, None, None)),
        ({"type": "EXCHANGE IOC"}, ("limit", "ioc", "60000", None)),
        ({"type": "FOK"}, ("limit", "fok", "60000", None)),
        ({"type": "EXCHANGE STOP"}, ("stop", "gtc", None, "60000")),
        ({"type": "TRAILING STOP"}, ("trailing_stop", "gtc", None, "60000")),
        (
            {"type": "STOP LIMIT", "price_aux_limit": 59000},
            ("stop_limit", "gtc", "59000", "60000"),
        ),
        ({"flags": 64}, ("limit", "gtc", "60000", None)),
        ({"flags": None}, ("limit", "gtc", "60000", None)),
        ({"flags": 4096}, ("limit", "post_only", "60000", None)),
        ({"flags": 4096 + 64}, ("limit", "post_only", "60000", None)),
        ({"meta": {"$F7": 1}}, ("limit", "post_only", "60000", None)),
        ({"mts_tif": 1_790_000_000_000}, ("limit", "gtd", "60000", None)),
    ],
    ids=str,
)
def test_type_time_in_force_and_prices_are_told_apart(
    changed: dict[str, Any], expected: tuple[str | None, ...]
) -> None:
    kind, time_in_force, price, stop_price = expected
    logged_in().receives([0, "on", order(**changed)]).tells(
        like(
            Order,
            order_type=kind,
            time_in_force=time_in_force,
            price=price,
            stop_price=stop_price,
        )
    )


def test_the_average_of_an_order_that_closes_a_position_is_none_before_it_fills() -> None:
    row = order(type="MARKET", status="ACTIVE (note:POSCLOSE)", price=0, price_avg=3.2041)
    logged_in().receives([0, "on", row]).tells(like(Order, average_price=None, price=None))


def test_a_forced_end_is_canceled_when_something_was_filled_and_rejected_otherwise() -> None:
    text = "INSUFFICIENT BALANCE (G1) was: ACTIVE"
    logged_in().receives([0, "oc", order(status=text)]).tells(
        like(Order, status="rejected", reason="insufficient_balance", exchange_status=text)
    )
    logged_in().receives([0, "oc", order(status=text, amount=0.3)]).tells(
        like(Order, status="canceled", reason="insufficient_balance", filled="0.2")
    )


def test_several_orders_in_one_frame_are_read_and_a_bad_one_hides_none() -> None:
    rows = [order(id=1), order(id=None), order(id=3), "junk", order(id=True)]
    unread = like(Notice, code="unrecognised")
    told = [like(Order, order_id="1"), unread, like(Order, order_id="3"), unread, unread]
    logged_in().receives([0, "on", rows]).tells(*told)
    told = [unread, like(Order, order_id="2")]
    logged_in().receives([0, "on", ["junk", order(id=2)]]).tells(*told)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"amount_orig": 0}, {"side": None, "quantity": None, "filled": None}),
        ({"amount_orig": None}, {"side": None, "quantity": None, "filled": None}),
        ({"amount_orig": []}, {"side": None, "quantity": None, "filled": None}),
        ({"amount": "much"}, {"side": "buy", "quantity": "0.5", "filled": None}),
        ({"amount": 0.6}, {"side": "buy", "quantity": "0.5", "filled": None}),
        ({"symbol": None}, {"symbol": None, "exchange_symbol": None, "price": "60000"}),
        ({"symbol": "tBTC"}, {"symbol": None, "exchange_symbol": "tBTC"}),
        ({"cid": []}, {"client_order_id": None, "price": "60000"}),
        ({"type": None}, {"order_type": None, "time_in_force": None, "quantity": "0.5"}),
        ({"flags": "post"}, {"time_in_force": None, "order_type": "limit", "price": "60000"}),
        ({"mts_tif": "soon"}, {"time_in_force": None, "order_type": "limit"}),
        ({"status": 7}, {"status": "unknown", "exchange_status": None, "quantity": "0.5"}),
        ({"price": -1}, {"price": None, "order_type": "limit"}),
        ({"price": {}}, {"price": None, "order_type": "limit"}),
        ({"mts_create": "soon"}, {"created": None, "price": "60000"}),
        ({"mts_update": []}, {"price": "60000", "status": "open"}),
        ({"amount": 0.2, "price_avg": -1}, {"average_price": None, "filled": "0.3"}),
    ],
    ids=str,
)
def test_one_odd_value_of_an_order_is_null_and_the_order_told(
    changed: dict[str, Any], told: dict[str, Any]
) -> None:
    frame = [0, "on", order(**changed)]
    event, *_ = logged_in("orders").receives(frame).told_now().events
    assert event == like(Order, order_id=str(ORDER_ID), **told)
    _, *notices = actions(logged_in("orders").receives(frame))
    assert notices
    assert all(notice == like(NoticeReport, code="unrecognised") for notice in notices)
    assert all(notice.once.startswith("order:") for notice in notices)


def actions(book: Playbook) -> list[Any]:
    """What is done and not yet looked at."""
    done = list(book._pending)
    book.forget()
    return done


def test_an_odd_value_is_said_once() -> None:
    book = logged_in().receives([0, "on", order(id=1, price=-1)])
    book.tells(like(Order, price=None), like(Notice, level="warning", code="unrecognised"))
    text = "cannot read price of this order, told as before, else as null: -1"
    assert getattr(book.events[-1], "text") == text  # noqa: B009 - one of several events
    book.receives([0, "on", order(id=2, price=-1)]).tells(like(Order, order_id="2", price=None))
    book.receives([0, "on", order(id=3, flags="x")]).tells(like(Order), like(Notice))


@pytest.mark.parametrize(
    ("spelled", "read"),
    [("1900000000001.0", "1900000000001"), ('"77"', "77"), ("1.9e12", "1900000000000")],
)
def test_an_id_is_read_in_any_spelling_of_its_number(spelled: str, read: str) -> None:
    text = json.dumps([0, "on", order()]).replace(str(ORDER_ID), spelled, 1)
    logged_in("orders").receives(text).does(like(OrderReport, order_id=read))


@pytest.mark.parametrize("junk", ["1.5", "-7", "true", "[]", "0", '"x"'])
def test_what_is_no_whole_number_is_no_id(junk: str) -> None:
    text = json.dumps([0, "on", order()]).replace(str(ORDER_ID), junk, 1)
    logged_in("orders").receives(text).does(like(NoticeReport, code="unrecognised", once=None))


def test_what_was_filled_of_an_order_changed_across_zero_has_the_orders_sign() -> None:
    row = order(amount_orig=-0.020578, amount=0.033492, status="CANCELED was: PARTIALLY FILLED @ 1")
    logged_in("orders").receives([0, "oc", row]).does(
        like(OrderReport, side="sell", quantity="0.020578", filled="0.054070", status="canceled")
    )


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"status": "ACTIVE"}, "canceled"),
        ({"status": "PARTIALLY FILLED @ 60000.0(0.3)", "amount": 0.2}, "canceled"),
        ({"status": "PARTIALLY FILLED @ 60000.0(0.3)", "amount": 0}, "filled"),
        ({"status": "SOMETHING NEW"}, "canceled"),
        ({"status": None}, "canceled"),
        ({"status": "EXECUTED @ 60000.0(0.5)", "amount": 0}, "filled"),
        ({"status": "INSUFFICIENT BALANCE (G1)"}, "rejected"),
    ],
    ids=str,
)
def test_oc_is_the_end_whatever_the_words_of_its_row(changed: dict[str, Any], status: str) -> None:
    report, *_ = actions(logged_in("orders").receives([0, "oc", order(**changed)]))
    assert report == like(OrderReport, status=status)


def test_rows_may_be_short_as_of_old_and_long_as_of_tomorrow() -> None:
    logged_in().receives([0, "on", order()[:26]]).tells(like(Order, status="open"))
    logged_in().receives([0, "on", [*order(), "new", 1]]).tells(like(Order, status="open"))


def test_an_order_listed_at_login_is_a_snapshot_and_afterwards_news() -> None:
    book = opened().receives([0, "os", [order()]])
    book.tells(like(Order, source="snapshot", status="open"))
    book.receives([0, "oc", order(status="CANCELED")])
    book.tells(like(Order, source="stream", status="canceled"))


def test_a_partial_fill_is_told_once_though_trade_and_order_both_tell_it() -> None:
    row = order(amount=0.3, status="PARTIALLY FILLED @ 59999.5(0.2)", price_avg=59999.5)
    book = logged_in("orders").receives([0, "on", order()]).forget_events()
    book.receives([0, "ou", row], [0, "ou", row])
    book.tells(like(Order, status="partially_filled", filled="0.2", remaining="0.3"))


# --- notifications ---------------------------------------------------------------------


def notification(time: Any, kind: str, status: str | None, text: str | None) -> list[Any]:
    return [0, "n", [time, kind, None, None, None, None, status, text]]


@pytest.mark.parametrize(
    ("status", "level"),
    [
        ("SUCCESS", "info"),
        ("success", "info"),
        ("ERROR", "error"),
        ("FAILURE", "error"),
        (None, "error"),
    ],
)
def test_a_notification_is_an_error_unless_it_reports_success(
    status: str | None, level: str
) -> None:
    book = logged_in().receives(notification(None, "on-req", status, "direction: invalid"))
    book.tells(like(Notice, level=level, code="on-req", text="direction: invalid"))
    assert_valid(book.events[-1])


@pytest.mark.parametrize(
    ("time", "told"),
    [
        ("1780000000123", "2026-05-28T20:26:40.123000Z"),
        ("1780000000.123", "2026-05-28T20:26:40.123000Z"),
        ("1780000000", "2026-05-28T20:26:40.000000Z"),
        ("null", None),
    ],
)
def test_the_time_of_a_notification_has_three_spellings(time: str, told: str | None) -> None:
    frame = f'[0,"n",[{time},"ou-req",null,null,null,null,"SUCCESS","x"]]'
    logged_in().receives(frame).tells(like(Notice, time=told))


def test_a_notification_without_a_text_says_what_it_can() -> None:
    logged_in().receives(notification(None, "uca", None, None)).tells(like(Notice, text="uca"))


def test_a_notification_without_a_type_is_not_understood() -> None:
    book = logged_in().receives([0, "n", [None, None, None, None, None, None, "SUCCESS", "x"]])
    book.tells(like(Notice, code="unrecognised"))


def test_notifications_are_a_channel_of_their_own() -> None:
    logged_in("orders").receives(notification(None, "on-req", "ERROR", "no")).nothing()
