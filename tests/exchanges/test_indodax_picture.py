"""What stands at Indodax when we connect: open orders and balances, over REST."""

import json
from typing import Any

import pytest

from privstream.exchanges.indodax.histories import LIMIT
from privstream.exchanges.indodax.tapi_v1 import TapiV1
from privstream.model.events import Balance, Order
from privstream.model.reports import BalanceReport, Listed, NoticeReport, OrderReport
from tests.exchanges.indodax_account import (
    ALL,
    STREAM,
    indodax,
    opened,
    payload,
    streaming,
)
from tests.exchanges.indodax_desk import RECEIVED, Desk, told
from tests.playbook import ledger, like
from tests.rest_play import ALL_CHANNELS, answer, play

# --- what stands -----------------------------------------------------------------------


def test_the_picture_is_open_orders_and_balances() -> None:
    exchange = indodax()
    exchange.session(None, ALL)
    desk = Desk(openOrders=payload("open_orders.json"), getInfo=payload("get_info.json"))
    found = play(exchange.picture(ALL_CHANNELS), desk)
    assert found.complete
    assert Listed("orders") in found.reports
    assert Listed("balances") in found.reports
    assert told(found) == [
        like(
            Order,
            order_id="btcidr-limit-881",
            source="snapshot",
            symbol="BTC/IDR",
            exchange_symbol="btcidr",
            status="partially_filled",
            quantity="0.02000000",
            filled="0.01500000",
            remaining="0.00500000",
            client_order_id="clientx-aa1",
            created="2026-05-28T17:40:00.000000Z",
            time=None,
        ),
        like(
            Order,
            order_id="btcidr-stoplimit-12",
            order_type="stop_limit",
            side="buy",
            quantity=None,
            quote_quantity="1266293.00000000",
            filled="0",
            status="open",
            price="421003000.00000000",
            time="2026-05-28T17:48:20.000000Z",
        ),
        like(Order, order_id="aaveidr-limit-41001", status="open", symbol="AAVE/IDR"),
        like(Balance, currency="IDR", total="1250000", source="snapshot"),
        like(Balance, currency="BTC", total="0.02000000", exchange_currency="btc"),
        like(Balance, currency="AAVE", total="1.25000000", hold="0.05000000"),
    ]


BOUGHT: dict[str, Any] = {
    "order_id": "41001",
    "submit_time": "1779990000",
    "price": "4100100",
    "type": "buy",
    "order_type": "limit",
    "order_idr": "410010",
    "remain_idr": "205005",
}


def bought(**more: str) -> dict[str, Any]:
    """An open buy order that is filled in part."""
    return {"success": 1, "return": {"orders": {"aave_idr": [BOUGHT | more]}}}


def test_how_much_of_a_buy_order_was_filled_is_read_from_its_fills() -> None:
    exchange = indodax()
    opened(exchange)
    trades = json.loads(payload("my_trades.json"))["data"]
    other = trades[0] | {"tradeId": "1", "orderId": "aaveidr-limit-9"}
    desk = Desk(openOrders=bought(), myTrades={"data": [*trades, other]})
    book = ledger("indodax")
    book.started = RECEIVED  # fills from before the start are counted, and not told
    assert told(play(exchange.picture(ALL_CHANNELS), desk), book) == [
        like(
            Order,
            status="partially_filled",
            quantity=None,
            quote_quantity="410010",
            filled="0.05000000",
            fee="657",
        )
    ]
    ((_, query),) = (asked for asked in desk.asked if asked[0] == "myTrades")
    assert int(query["startTime"]) == 1779990000000


@pytest.mark.parametrize(
    "trades",
    [
        {"data": []},
        {"data": [{"tradeId": "1"}]},
        {"data": [json.loads(payload("my_trades.json"))["data"][0]] * LIMIT},
        {"code": 1110, "error": "Invalid symbol."},
    ],
)
def test_where_its_fills_are_not_whole_that_stays_unknown(trades: Any) -> None:
    exchange = indodax()
    opened(exchange)
    found = play(exchange.picture(ALL_CHANNELS), Desk(openOrders=bought(), myTrades=trades))
    assert told(found) == [like(Order, status="partially_filled", filled=None, remaining=None)]


def test_of_an_old_order_and_in_the_demo_it_stays_unknown_without_a_question() -> None:
    for exchange, submitted in (
        (indodax(), "1770000000"),
        (indodax(environment="demo"), "1779990000"),
    ):
        opened(exchange)
        desk = Desk(openOrders=bought(submit_time=submitted))
        (order,) = told(play(exchange.picture(ALL_CHANNELS), desk))
        assert order == like(Order, status="partially_filled", filled=None)
        assert desk.names() == ["openOrders", "getInfo"]


def test_only_what_is_streamed_is_read() -> None:
    exchange, desk = indodax(), Desk()
    play(exchange.picture(("balances",)), desk)
    play(exchange.picture(("orders",)), desk)
    assert desk.names() == ["getInfo", "openOrders"]


def test_nothing_of_the_person_is_reported() -> None:
    info = payload("get_info.json")
    found = play(TapiV1(indodax().account).balances("rest"), lambda _c, _r: answer(info))
    assert {"balance": {"idr": 1250000}, "balance_hold": {"idr": 0}} in [
        report.element for report in found if isinstance(report, BalanceReport)
    ]
    assert not any(word in repr(found) for word in ("Invented", "person@", "17invented", "00099"))


def test_an_open_order_that_cannot_be_read_hides_no_neighbour() -> None:
    rows = {"btc_idr": [{"order_id": ""}, *json.loads(payload("open_orders.json"))["return"]["orders"]["btc_idr"]]}  # fmt: skip
    desk = Desk(openOrders={"success": 1, "return": {"orders": rows}})
    found = play(TapiV1(indodax().account).open_orders("snapshot", (), ()), desk)
    assert [type(report) for report in found] == [NoticeReport, OrderReport, OrderReport]


@pytest.mark.parametrize("orders", [None, [], {}])
def test_no_open_orders_is_an_empty_list(orders: object) -> None:
    desk = Desk(openOrders={"success": 1, "return": {"orders": orders}})
    assert play(TapiV1(indodax().account).open_orders("rest", (), ()), desk) == ()


@pytest.mark.parametrize(
    ("call", "kind"),
    [("openOrders", "orders"), ("getInfo", "balances")],
    ids=["orders", "balances"],
)
def test_an_answer_that_lists_nothing_is_no_list_of_nothing(call: str, kind: Any) -> None:
    found = play(indodax().picture(ALL_CHANNELS), Desk(**{call: {"success": 1, "return": {}}}))
    assert kind not in {report.kind for report in found.reports if isinstance(report, Listed)}


def test_the_stream_goes_on_with_the_orders_of_the_picture() -> None:
    exchange = indodax()
    book = streaming(exchange)
    desk = Desk(openOrders=payload("open_orders.json"))
    told(play(exchange.picture(ALL_CHANNELS), desk), book.ledger)
    book.receives(STREAM[0]).tells()  # told already: the ids are the same
    book.receives(STREAM[1]).told_now()
    assert book.events[-1] == like(Order, order_id="aaveidr-limit-41001", status="filled")
