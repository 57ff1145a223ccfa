"""A fact of Indodax has one id, whoever tells it and whatever was known before."""

from typing import Any

from privstream.exchanges.indodax import Indodax
from privstream.model.events import Order
from tests.exchanges.indodax_account import NEW, fill, indodax, pushed, streaming
from tests.exchanges.indodax_desk import Desk, known, told
from tests.rest_play import play

NAME = "indodax:order:aaveidr-limit-500"
SOLD = NEW | {"side": "SELL"}
PART = fill("0.04") | {"side": "SELL"}
ENDED = SOLD | {"status": "CANCELLED", "executedQty": "0.04", "unfilledQty": "0.06"}
V2_ROW: dict[str, Any] = {
    "symbol": "AAVEIDR",
    "orderId": 500,
    "side": "SELL",
    "price": "4000000",
    "origQty": "0.10000000",
    "executedQty": "0",
    "status": "NEW",
    "type": "LIMIT",
    "time": 1780000000123,
    "fullOrderId": "aaveidr-limit-500",
}
V1_ROW = {
    "order_id": "500",
    "submit_time": "1780000000",
    "price": "4000000",
    "type": "sell",
    "order_type": "limit",
    "order_aave": "0.10000000",
    "remain_aave": "0.10000000",
}
HISTORY = {
    "orderId": "aaveidr-limit-500",
    "symbol": "aaveidr",
    "side": "SELL",
    "type": "LIMIT",
    "status": "CANCELLED",
    "price": "4000000",
    "oriQty": "0.1",
    "executedQty": "0.04",
    "submitTime": 1780000000123,
    "finishTime": 1780000017697,
}
FOUND = V1_ROW | {"status": "cancelled", "remain_aave": "0.06", "finish_time": "1780000017"}
ID = frozenset({"aaveidr-limit-500"})


def streamed(*orders: dict[str, Any]) -> str | None:
    """The id of the last state."""
    events = streaming().receives(pushed(*orders)).told_now().events
    return [event.id for event in events if isinstance(event, Order)][-1]


def listed(exchange: Indodax, rows: Any) -> str | None:
    found = play(exchange.picture(("orders",)), Desk(openOrders=rows))
    return told(found)[-1].id  # type: ignore[no-any-return]  # an event's


def v1(**changes: str) -> Any:
    return {"success": 1, "return": {"orders": {"aave_idr": [V1_ROW | changes]}}}


def test_an_order_that_stands_is_the_same_fact_in_the_stream_and_for_either_key() -> None:
    name = streamed(SOLD)
    assert name == f"{NAME}:open:0"
    assert listed(indodax(api="v2"), [V2_ROW]) == name
    assert listed(indodax(api="v1"), v1()) == name


def test_so_is_a_purchase_which_the_older_key_lists_in_rupiah() -> None:
    in_rupiah = {"order_id": "500", "price": "4000000", "type": "buy", "order_type": "limit"}
    in_rupiah |= {"submit_time": "1780000000", "order_rp": "400000", "remain_rp": "400000"}
    rows = {"success": 1, "return": {"orders": {"aave_idr": [in_rupiah]}}}
    assert listed(indodax(api="v1"), rows) == streamed(NEW) == f"{NAME}:open:0"


def test_so_is_one_that_is_filled_in_part() -> None:
    name = streamed(PART)
    assert name == streamed(SOLD, PART)
    part = V2_ROW | {"executedQty": "0.04", "status": "PARTIALLY_FILLED"}
    assert listed(indodax(api="v2"), [part]) == name
    assert listed(indodax(api="v1"), v1(remain_aave="0.06000000")) == name


def test_so_is_its_end() -> None:
    name = streamed(ENDED)
    assert name == streamed(SOLD, PART, ENDED) == f"{NAME}:canceled:0.04"
    for answers in (
        {"histories": {"data": [HISTORY]}},
        {"getOrder": {"success": 1, "return": {"order": FOUND}}},
    ):
        flow = indodax().backfill(known("aaveidr", suspects=ID, open_orders=ID))
        (order,) = told(play(flow, Desk(**answers)))
        assert order.id == name


def test_what_was_received_and_paid_is_never_taken_from_one_order_that_is_asked_for() -> None:
    # Of a filled purchase 0 was seen in `receive_…` and in `fee`, whatever was received and paid.
    bought = {
        "order_id": "500",
        "price": "4000000",
        "type": "buy",
        "order_rp": "400880",
        "remain_rp": "0",
        "receive_aave": "0",
        "fee": "0",
        "status": "filled",
        "submit_time": "1780000000",
        "finish_time": "1780000017",
    }
    desk = Desk(getOrder={"success": 1, "return": {"order": bought}})
    flow = indodax().backfill(known(suspects=ID, open_orders=ID))
    (order,) = told(play(flow, desk))
    assert order.status == "filled"
    assert (order.quantity, order.filled, order.cost, order.fee) == (None, None, None, None)
