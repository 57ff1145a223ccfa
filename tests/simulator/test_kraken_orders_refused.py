"""What Kraken does not take of an order over WebSocket v2, and in which words."""

from typing import Any

import pytest

from privstream.simulator.kraken.exchange import RIGHTS
from tests.simulator.desk import Desk
from tests.simulator.kraken_client import (
    EVEN_LATER,
    FAR_OFF,
    LATER,
    LIMIT,
    MARKET,
    PAST,
    STOP,
    TRAILING,
    Client,
)

ONLY_MARKET = "no_mpp order option is only available when ordertype = market"


@pytest.fixture(scope="module")
def desk() -> Desk:
    """One exchange for most tests: it takes longer to make up than to trade on."""
    return Desk(rate=2.0, limits=False)


@pytest.fixture
def client(desk: Desk) -> Client:
    return Client.alone(desk)


@pytest.mark.parametrize(
    ("order", "changes", "error"),
    [
        (LIMIT, {"order_qty": "0.5"}, "Order_qty field must be a number_float"),
        (LIMIT, {"limit_price": "2000.5"}, "Limit_price field must be a number_float"),
        (LIMIT, {"post_only": "true"}, "Post_only field must be a boolean"),
        (LIMIT, {"validate": 1}, "Validate field must be a boolean"),
        (LIMIT, {"order_userref": "7"}, "Order_userref field must be a number_integer"),
        (LIMIT, {"cl_ord_id": 7}, "Cl_ord_id field must be a string"),
        (STOP, {"triggers": {"price": "2700"}}, "Price field must be a number_float"),
        (
            LIMIT,
            {"leverage": 3},
            "Unsupported field: 'leverage' for the given msg type: add_order",
        ),
        (LIMIT, {"token": None}, "Token(s) not found"),
        (LIMIT, {"token": "stale"}, "ESession:Invalid session"),
        (LIMIT, {"symbol": "XBT/EUR"}, "Currency pair not supported XBT/EUR"),
        (LIMIT, {"symbol": "ETHEUR"}, "Currency pair not supported ETHEUR"),
        (LIMIT, {"side": "BUY"}, "EGeneral:Invalid arguments:side"),
        (LIMIT, {"order_type": "LIMIT"}, "EGeneral:Invalid arguments:order_type"),
        (LIMIT, {"time_in_force": "GTC"}, "EGeneral:Invalid arguments:time_in_force"),
        (MARKET, {"order_type": "limit"}, "EGeneral:Invalid arguments:limit_price"),
        (MARKET, {"limit_price": 1}, "EGeneral:Invalid arguments:limit_price"),
        (MARKET, {"cash_order_qty": 10}, "EGeneral:Invalid arguments:order_qty"),
        (MARKET, {"post_only": True}, "EGeneral:Invalid arguments:post_only"),
        (MARKET, {"time_in_force": "fok"}, "EGeneral:Invalid arguments:timeinforce"),
        (LIMIT, {"time_in_force": "gtd"}, "EGeneral:Invalid arguments:expire_time"),
        (LIMIT, {"expire_time": LATER}, "EGeneral:Invalid arguments:timeinforce"),
        (
            LIMIT,
            {"time_in_force": "gtd", "expire_time": PAST},
            "EGeneral:Invalid arguments:expire_time",
        ),
        (
            LIMIT,
            {"time_in_force": "gtd", "expire_time": FAR_OFF},
            "EGeneral:Invalid arguments:expire_time",
        ),
        (LIMIT, {"effective_time": "soon"}, "EGeneral:Invalid arguments:effective_time"),
        (LIMIT, {"deadline": LATER}, "EGeneral:Invalid arguments:deadline"),
        (LIMIT, {"display_qty": 0.1}, "EGeneral:Invalid arguments:display_qty"),
        (LIMIT, {"order_type": "iceberg"}, "EGeneral:Invalid arguments:display_qty"),
        (
            LIMIT | {"order_type": "iceberg"},
            {"display_qty": 0.03},
            "EGeneral:Invalid arguments:display_qty",
        ),
        (
            LIMIT,
            {"no_mpp": True},
            f"EGeneral:Invalid arguments:{ONLY_MARKET}",
        ),
        (LIMIT, {"symbol": "SOL/EUR", "margin": True}, "EGeneral:Invalid arguments:leverage"),
        (LIMIT, {"triggers": {"price": 1}}, "EGeneral:Invalid arguments:triggers"),
        (MARKET, {"order_type": "stop-loss"}, "EGeneral:Invalid arguments:triggers"),
        (TRAILING, {"triggers": {"price": 5}}, "EGeneral:Invalid arguments:triggers"),
        (
            TRAILING,
            {"triggers": {"price": -5, "price_type": "pct"}},
            "EGeneral:Invalid arguments:price",
        ),
        (
            LIMIT,
            {"conditional": {"order_type": "limit"}},
            "EGeneral:Invalid arguments:close",
        ),
        (
            LIMIT,
            {"cl_ord_id": "a", "order_userref": 1},
            "EGeneral:Invalid arguments:cl_ord_id and order_userref",
        ),
        (LIMIT, {"cl_ord_id": "x" * 19}, "EGeneral:Invalid arguments:cl_ord_id"),
        (LIMIT, {"cl_ord_id": ""}, "EGeneral:Invalid arguments:cl_ord_id"),
        (LIMIT, {"order_userref": 2**31}, "EGeneral:Invalid arguments:userref"),
        (
            LIMIT,
            {"limit_price": 2000.505},
            "EOrder:Invalid price:ETH/EUR price can only be specified up to 2 decimals.",
        ),
        (LIMIT, {"limit_price": 0}, "EOrder:Invalid price:Invalid price argument"),
        (LIMIT, {"order_qty": 0.123456789}, "EGeneral:Invalid arguments:volume"),
        (LIMIT, {"order_qty": 0}, "EGeneral:Invalid arguments:volume"),
        (LIMIT, {"order_qty": 0.001}, "EOrder:Order minimum not met"),
        (LIMIT, {"limit_price": 1}, None),
        (LIMIT, {"limit_price": 0.05}, "EOrder:Cost minimum not met"),
        (LIMIT, {"order_qty": 1000}, "EOrder:Insufficient funds"),
        (LIMIT, {"order_qty": 1000, "margin": True}, "EOrder:Insufficient margin"),
        (LIMIT, {"limit_price": 2900, "post_only": True}, "EOrder:Post only order"),
        (MARKET, {"order_type": "settle-position"}, "EOrder:Unknown position"),
        (LIMIT, {"sender_sub_id": "desk"}, "EGeneral:Invalid arguments:sender_sub_id"),
        (LIMIT, {"stp_type": "none"}, "EGeneral:Invalid arguments:stp_type"),
        (LIMIT, {"limit_price_type": "static"}, "EGeneral:Invalid arguments:limit_price_type"),
        (
            LIMIT,
            {"post_only": True, "time_in_force": "ioc"},
            "EGeneral:Invalid arguments:timeinforce",
        ),
        (LIMIT, {"effective_time": PAST}, "EGeneral:Invalid arguments:effective_time"),
        (
            LIMIT,
            {"time_in_force": "gtd", "effective_time": EVEN_LATER, "expire_time": LATER},
            "EGeneral:Invalid arguments:expire_time",
        ),
        (STOP, {"stop_price": 2700}, "EGeneral:Invalid arguments:triggers"),
        (STOP, {"triggers": {}}, "EGeneral:Invalid arguments:triggers"),
        (
            STOP,
            {"triggers": {"price": 2700, "reference": "mark"}},
            "EGeneral:Invalid arguments:triggers",
        ),
        (
            STOP,
            {"triggers": {"price": 2700, "price_type": "ticks"}},
            "EGeneral:Invalid arguments:triggers",
        ),
        (
            LIMIT,
            {"conditional": {"order_type": "market"}},
            "EGeneral:Invalid arguments:conditional",
        ),
        (
            LIMIT,
            {"conditional": {"order_type": "limit", "limit_price_type": "ticks"}},
            "EGeneral:Invalid arguments:conditional",
        ),
        (
            LIMIT,
            {"conditional": {"order_type": "trailing-stop", "trigger_price": 5}},
            "EGeneral:Invalid arguments:close",
        ),
        (
            LIMIT,
            {"conditional": {"order_type": "limit", "limit_price": 0}},
            "EOrder:Invalid price:Invalid price argument",
        ),
        (
            LIMIT,
            {"cl_ord_id": "6d1b345e_2821_40e2_ad83_4ecb18a068"},
            "EGeneral:Invalid arguments:cl_ord_id",
        ),
        (LIMIT, {"reduce_only": True}, "EOrder:Reduce only:No position exists"),
    ],
)
def test_what_kraken_refuses_is_refused_in_its_words(
    client: Client, order: dict[str, Any], changes: dict[str, Any], error: str | None
) -> None:
    reply = client.add(order, **changes)
    assert reply.get("error") == error
    assert bool(client.desk.kraken.market.own.open) == (error is None)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"order_qty": 1000}, "Insufficient funds"),
        ({"limit_price": 2900, "post_only": True}, "Post only order"),
    ],
)
def test_an_engine_that_checks_late_takes_the_order_and_cancels_it(
    changes: dict[str, Any], reason: str
) -> None:
    client = Client(Desk(rate=2.0, checks_late=True))
    reply, *frames = client.call("add_order", **(LIMIT | changes))
    assert reply["success"] is True
    events = client.events(reply["result"]["order_id"], frames)
    assert [event["exec_type"] for event in events] == ["pending_new", "canceled"]
    assert (events[1]["reason"], events[1]["cum_qty"]) == (reason, "0.00000000")
    assert not client.desk.kraken.market.own.open


def test_an_unknown_symbol_is_named_beside_the_error(client: Client) -> None:
    assert client.add(LIMIT, symbol="NO/PE")["symbol"] == "NO/PE"


def test_what_is_missing_is_named(client: Client) -> None:
    cases: list[str] = ["order_type", "side", "symbol", "order_qty"]
    for name in cases:
        order = {key: value for key, value in LIMIT.items() if key != name}
        assert client.error(order) == f"EGeneral:Invalid arguments:{name}"


def test_money_is_spent_by_market_purchases_only(client: Client) -> None:
    cases: list[dict[str, Any]] = [
        {"side": "sell"},
        {"margin": True},
        {"cash_order_qty": 0},
        {"cash_order_qty": 9.99999},
    ]
    for changes in cases:
        order = {key: value for key, value in MARKET.items() if key != "order_qty"}
        reply = client.error(order | {"cash_order_qty": 100}, **changes)
        assert reply == "EGeneral:Invalid arguments:volume"


def test_a_missing_token_is_a_missing_token(client: Client) -> None:
    reply = client.line.say({"method": "add_order", "params": LIMIT, "req_id": 1})[0]
    assert reply["error"] == "Token(s) not found"


def test_a_client_id_is_unique_among_the_open_orders_only(client: Client) -> None:
    first = client.placed(LIMIT, cl_ord_id="twice")
    taken = "EGeneral:Invalid arguments:cl_ord_id not unique"
    assert client.error(LIMIT, cl_ord_id="twice") == taken
    client.call("cancel_order", order_id=[first])
    assert client.placed(LIMIT, cl_ord_id="twice") != first
    for name in ("6d1b345e-2821-40e2-ad83-4ecb18a06876", "6d1b345e282140e2ad834ecb18a06876"):
        client.placed(LIMIT, cl_ord_id=name)


def test_a_key_without_the_right_is_denied_and_still_told() -> None:
    client = Client(Desk(rights=RIGHTS - {"trade", "cancel"}))
    assert client.error(LIMIT) == "EGeneral:Permission denied"
    assert client.call("cancel_all")[0]["error"] == "EGeneral:Permission denied"
    assert client.desk.error("AddOrder", pair="ETHEUR") == "EGeneral:Permission denied"
    assert client.desk.error("CancelAll") == "EGeneral:Permission denied"
    assert client.desk.result("OpenOrders")["open"]
    only_cancel = Client(Desk(rights=RIGHTS - {"trade"}))
    standing = len(only_cancel.desk.result("OpenOrders")["open"])
    assert only_cancel.call("cancel_all")[0]["result"] == {"count": standing}


def test_in_maintenance_nothing_is_taken(client: Client) -> None:
    client.desk.kraken.maintenance(on=True)
    assert client.error(LIMIT) == "EService:Unavailable"
    client.desk.kraken.maintenance(on=False)


def test_the_counter_of_a_pair_fills_and_empties() -> None:
    client = Client(Desk(tier="intermediate"))
    full = "EOrder:Rate limit exceeded"
    replies = [client.add(LIMIT, order_qty="") for _ in range(3)]
    assert {reply["success"] for reply in replies} == {False}
    order_ids = [client.placed(LIMIT) for _ in range(14)]
    for order_id in order_ids:
        assert client.call("cancel_order", order_id=[order_id])[0]["success"]
    assert client.error(LIMIT) == full  # 14 placed, each canceled within 5 s at a cost of 8
    assert client.add(LIMIT, symbol="SOL/EUR", limit_price=100)["success"]
    client.line.listen(1)
    assert client.add(LIMIT)["success"]


def test_so_many_orders_of_a_pair_may_be_open() -> None:
    client = Client(Desk(tier="intermediate"))
    for _ in range(80):
        client.placed(LIMIT, order_qty=0.01)
        client.desk.wait(0.2)
    assert client.error(LIMIT) == "EOrder:Orders limit exceeded"
