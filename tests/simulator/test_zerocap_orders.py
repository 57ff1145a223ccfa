"""create_order of the simulated Zerocap: limit orders for all or nothing, and no way back."""

from decimal import Decimal
from typing import Any

import pytest

from tests.simulator.zerocap_desk import Desk

ORDER = {"symbol": "USDT/AUD", "side": "buy", "type": "limit", "amount": "120.5", "price": "1.55"}
SAME = {"side", "symbol", "type", "client_order_id"}


@pytest.fixture(scope="module")
def desk() -> Desk:
    """One exchange for most tests: it takes longer to make up than to trade on."""
    return Desk(rate=2.0, limits=False)


def create(desk: Desk, **changes: Any) -> Any:
    return desk.post("create_order", **(ORDER | changes))


def test_an_order_is_answered_when_it_is_filled(desk: Desk) -> None:
    answer = create(desk, client_order_id="zc-0001")
    assert (answer["status"], answer["time_in_force"]) == ("closed", "FOK")
    assert (answer["amount"], answer["price"]) == ("120.5", "1.55")
    assert Decimal(answer["filled"]) == Decimal("120.5")
    assert answer["remaining"] == 0
    assert answer["error_message"] == ""
    assert 0 < Decimal(answer["average"]) < Decimal("1.55")
    assert sum(Decimal(fill["amount"]) for fill in answer["trades"]) == Decimal("120.5")
    assert {name: answer[name] for name in SAME} == {
        "side": "buy",
        "symbol": "USDT/AUD",
        "type": "limit",
        "client_order_id": "zc-0001",
    }
    assert desk.get("fetch_order", id=answer["id"]) == answer


def test_what_it_pays_is_taken_from_the_balances() -> None:
    desk = Desk(rate=0.0001)
    before = desk.get("get_balances")["prime"]
    answer = create(desk, side="sell", price="1.4")
    after = desk.get("get_balances")["prime"]
    moved = {a: Decimal(after[a]["total"]) - Decimal(before[a]["total"]) for a in ("USDT", "AUD")}
    assert moved == {"USDT": Decimal("-120.5"), "AUD": Decimal(answer["cost"])}


@pytest.mark.parametrize(("side", "price"), [("buy", "1.3"), ("sell", "1.7")])
def test_an_order_that_nobody_takes_is_closed_with_nothing_filled(
    desk: Desk, side: str, price: str
) -> None:
    answer = create(desk, side=side, price=price)
    assert (answer["status"], answer["filled"], answer["trades"]) == ("closed", 0, [])
    assert answer["error_message"] == "order could not be filled at this price"
    assert Decimal(answer["remaining"]) == Decimal("120.5")


def test_a_large_order_is_open_for_a_moment_and_then_filled_whole(desk: Desk) -> None:
    line = desk.stream("order", "trade")
    answer = create(desk, amount="5000", client_order_id="zc-large")
    assert (answer["status"], answer["filled"], answer["trades"]) == ("open", 0, [])
    messages = line.listen(3)
    pushes = [m["data"] for m in messages if m["type"] == "order"]
    mine = [push for push in pushes if push["id"] == answer["id"]]
    assert (mine[0]["status"], mine[-1]["status"]) == ("open", "closed")
    fills = [m["data"] for m in messages if m["type"] == "trade"]
    assert sum(Decimal(f["amount"]) for f in fills if f["order"] == answer["id"]) == 5000
    assert {f["client_order_id"] for f in fills if f["order"] == answer["id"]} == {"zc-large"}
    assert desk.get("fetch_order", id=answer["id"])["status"] == "closed"


def test_every_socket_is_told_of_an_order(desk: Desk) -> None:
    lines = [desk.stream("order"), desk.stream("trade")]
    answer = create(desk)
    told = [m["data"] for line in lines for m in line.listen(0.25)]
    orders = [t["status"] for t in told if t["id"] == answer["id"]]
    assert orders[0] == "open"
    assert orders[-1] == "closed"
    assert [t["id"] for t in told if t.get("order") == answer["id"]] == [
        fill["id"] for fill in answer["trades"]
    ]


def test_orders_are_found_in_pages_by_what_they_are(desk: Desk) -> None:
    desk.wait(2)
    start = desk.millis // 1000 * 1000
    bought = [create(desk)["id"] for _ in range(3)]
    sold = create(desk, side="sell", price="1.3", symbol="USDT/AUD")["id"]
    window = {"start_datetime": start, "end_datetime": start + 1000}

    def found(**filters: Any) -> list[str]:
        rows = desk.post("fetch_orders", **(window | filters))["order_list"]
        return [row["id"] for row in rows if row["id"] in {*bought, sold}]

    assert found() == [sold, *reversed(bought)]
    assert found(side="sell") == [sold]
    assert found(ids=f"{bought[1]},{sold}") == [sold, bought[1]]
    assert found(status="closed", symbol="USDT/AUD", order_type="limit") == found()
    assert found(status="open") == []
    assert found(limit=2, page=2, sort_order="asc", ids=",".join([*bought, sold])) == [
        bought[2],
        sold,
    ]


def test_nothing_keeps_a_client_id_from_being_used_twice(desk: Desk) -> None:
    assert create(desk, client_order_id="same")["id"] != create(desk, client_order_id="same")["id"]


def test_what_is_refused_is_refused_with_a_reason_and_not_kept(desk: Desk) -> None:
    cases: list[tuple[dict[str, Any], int, str]] = [
        ({"amount": 120.5}, 422, "amount is no text"),
        ({"price": 1.55}, 422, "price is no text"),
        ({"client_order_id": 7}, 422, "client_order_id is no text"),
        ({"time_in_force": "FOK"}, 422, "unknown field time_in_force"),
        ({"amount": "many"}, 422, "amount is no number"),
        ({"amount": "1e3"}, 422, "amount is no number"),
        ({"amount": "-5"}, 422, "amount is no number"),
        ({"amount": "120.555"}, 422, "amount is no number of 2 decimals"),
        ({"price": "0"}, 422, "price is no number of 5 decimals"),
        ({"amount": "0.5"}, 422, "amount is out of range"),
        ({"amount": "50000.01"}, 422, "amount is out of range"),
        ({"type": "market"}, 422, "type is none of those known"),
        ({"side": "BUY"}, 422, "side is none of those known"),
        ({"symbol": "USDTAUD"}, 422, "symbol is unknown"),
        ({"symbol": "USDT AUD"}, 422, "symbol has characters that no symbol has"),
        ({"symbol": "USDC/AUD"}, 422, "symbol is not tradable"),
        ({"symbol": "BTC/AUD", "amount": "4", "price": "99999"}, 400, "insufficient balance"),
    ]
    for changes, status, detail in cases:
        before = len(desk.books.orders)
        assert desk.refusal("create_order", **(ORDER | changes)) == (status, {"detail": detail})
        assert len(desk.books.orders) == before


def test_what_is_missing_is_named(desk: Desk) -> None:
    for name in ORDER:
        fields = {key: value for key, value in ORDER.items() if key != name}
        assert desk.refusal("create_order", **fields) == (422, {"detail": f"{name} is missing"})


def test_there_is_no_cancellation(desk: Desk) -> None:
    for name in ("cancel_order", "cancel_orders", "cancel_all"):
        assert desk.refusal(name, id="x")[0] == 404


def test_an_order_at_the_quoted_price_is_filled_in_that_second(desk: Desk) -> None:
    line = desk.dial()
    line.say({"type": "price", "symbols": ["USDT/AUD"]})
    (quote,) = [m["data"] for m in line.listen(1) if m["type"] == "price"]
    price = max(Decimal(step[0]) for step in quote["asks"])
    assert create(desk, price=str(price))["status"] == "closed"
