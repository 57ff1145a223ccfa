"""Smart orders of the simulated Poloniex: listed by themselves, and told of by no channel."""

import pytest

from privstream.simulator.market import Order
from privstream.simulator.poloniex.words import is_smart, is_waiting, smart_id
from tests.simulator.poloniex_desk import Desk


@pytest.fixture(scope="module")
def desk() -> Desk:
    """An account that stands still, and may be asked as often as one likes."""
    return Desk(rate=2.0, limits=False)


def smart(desk: Desk) -> list[Order]:
    return [order for order in desk.books.orders.values() if is_smart(order)]


def test_those_that_wait_are_listed_by_themselves_and_nowhere_else(desk: Desk) -> None:
    rows = {row["id"]: row for row in desk.get("/smartorders")}
    waiting = {smart_id(order): order for order in desk.books.open.values() if is_waiting(order)}
    assert rows.keys() == waiting.keys()
    assert rows
    assert {row["state"] for row in rows.values()} == {"PENDING_NEW"}
    assert {row["type"] for row in rows.values()} == {"STOP_LIMIT"}
    for order in waiting.values():
        for name in (smart_id(order), order.order_id):
            assert desk.refusal(f"/orders/{name}")[1] == 21301


def test_what_one_sets_off_is_a_plain_order_with_an_id_of_its_own(desk: Desk) -> None:
    order = next(order for order in smart(desk) if order.triggered)
    [row] = desk.get(f"/smartorders/{smart_id(order)}")
    assert row["state"] == "TRIGGERED"
    own = row["triggeredOrder"]
    assert own["id"] == order.order_id != row["id"]
    assert (own["type"], own["orderSource"]) == ("LIMIT", "SMART")
    assert own["createTime"] == row["updateTime"] > row["createTime"]
    assert desk.refusal(f"/smartorders/{order.order_id}")[1] == 21301


def test_those_that_ended_are_in_a_history_of_their_own(desk: Desk) -> None:
    rows = desk.get("/smartorders/history", limit=100)
    assert {row["state"] for row in rows} == {"TRIGGERED", "CANCELED"}
    ids = {str(row["id"]) for row in desk.get("/orders/history", limit=100)}
    assert not ids & {row["id"] for row in rows}


def test_the_socket_tells_of_one_only_once_it_was_set_off() -> None:
    desk = Desk(rate=40.0)
    before = set(desk.books.orders)
    items = desk.stream("orders").items(70, "orders")
    told = {item["orderId"] for item in items}
    new = [order for order in smart(desk) if order.order_id not in before]
    assert told & {order.order_id for order in new if order.triggered}
    assert not told & {order.order_id for order in new if not order.triggered}
    placed = [item for item in items if item["eventType"] == "place" and item["source"] == "SMART"]
    assert placed
    assert all(0 <= item["ts"] - item["createTime"] < 50 for item in placed)


def test_nothing_is_held_for_one_that_waits(desk: Desk) -> None:
    [account] = desk.get("/accounts/balances")
    holds = {row["currency"]: row["hold"] for row in account["balances"]}
    waiting = [order for order in desk.books.open.values() if is_waiting(order)]
    for order in waiting:
        currency = desk.books.held_in(order)
        needed = desk.books.needed(order)
        assert float(holds[currency]) <= float(desk.books.holds[currency] - needed)
