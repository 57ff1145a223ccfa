"""Orders over Kraken's WebSocket v2: what is told of them, and how they are canceled."""

from decimal import Decimal
from typing import Any

import pytest

from privstream.model.times import from_nanos
from privstream.simulator.base import Request
from tests.simulator.desk import START, Desk
from tests.simulator.kraken_client import (
    EVEN_LATER,
    LATER,
    LIMIT,
    MARKET,
    STOP,
    TRAILING_LIMIT,
    Client,
)


@pytest.fixture(scope="module")
def desk() -> Desk:
    """One exchange for most tests: it takes longer to make up than to trade on."""
    return Desk(rate=2.0, limits=False)


@pytest.fixture
def client(desk: Desk) -> Client:
    return Client.alone(desk)


# --- replies and what follows them --------------------------------------------------------


def test_the_reply_comes_before_the_executions_and_says_what_was_sent(client: Client) -> None:
    reply, pending, new = client.call("add_order", **LIMIT, cl_ord_id="grid-0007")
    assert reply.keys() == {"method", "req_id", "result", "success", "time_in", "time_out"}
    assert reply["result"].keys() == {"order_id", "cl_ord_id"}
    assert pending["data"][0]["cl_ord_id"] == new["data"][0]["cl_ord_id"] == "grid-0007"
    assert new["data"][0]["exec_type"] == "new"
    plain = client.add(LIMIT)
    assert plain["result"].keys() == {"order_id"}
    assert client.add(LIMIT, order_userref=-7)["result"]["order_userref"] == -7


def test_a_market_order_is_filled_between_the_reply_and_the_next_frame(client: Client) -> None:
    reply, *frames = client.call("add_order", **MARKET)
    events = client.events(reply["result"]["order_id"], frames)
    kinds = [event["exec_type"] for event in events]
    assert kinds[:3] == ["pending_new", "new", "trade"]
    assert kinds[-1] == "filled"
    assert {event["liquidity_ind"] for event in events if "exec_id" in event} == {"t"}
    assert Decimal(events[-1]["cum_qty"]) == Decimal("0.5")


def test_every_connection_of_either_protocol_is_told(client: Client) -> None:
    other, balances = client.subscribed(), client.subscribed("balances", snapshot=False)
    orders, trades = client.desk.dial("/"), client.desk.dial("/")
    orders.subscribe_v1("openOrders")
    trades.subscribe_v1("ownTrades")
    order_id = client.placed(MARKET)
    assert client.events(order_id, other.listen(0.25))[-1]["exec_type"] == "filled"
    v1 = [f for f in orders.listen(0.25) if isinstance(f, list)]
    states = [fields.get("status") for f in v1 for x in f[0] if (fields := x.get(order_id))]
    assert states[:2] == ["pending", "open"]
    assert states[-1] == "closed"
    fills = [x for f in trades.listen(0.25) if isinstance(f, list) for x in f[0]]
    mine = {n: t for x in fills for n, t in x.items() if t["ordertxid"] == order_id}
    refs = [f["data"][0]["ref_id"] for f in balances.listen(0.25) if "data" in f]
    assert mine
    assert all(refs.count(name) == 2 for name in mine)
    rest = client.desk.result("TradesHistory")["trades"]
    assert mine.keys() <= rest.keys()


def test_a_resting_order_is_seen_over_rest_by_its_names_and_fills_by_itself(client: Client) -> None:
    named = client.placed(LIMIT, limit_price=2860.5, cl_ord_id="a-name")
    numbered = client.placed(LIMIT, order_userref=-44)
    post = client.desk.result
    assert list(post("OpenOrders", cl_ord_id="a-name")["open"]) == [named]
    assert list(post("OpenOrders", userref="-44")["open"]) == [numbered]
    assert post("QueryOrders", txid=named, cl_ord_id="other") == {}
    kinds = [e["exec_type"] for e in client.events(named, client.line.listen(6))]
    assert kinds == ["trade"] * (len(kinds) - 1) + ["filled"]
    assert client.row(named)["status"] == "closed"
    assert list(post("ClosedOrders", cl_ord_id="a-name")["closed"]) == [named]


def test_a_hold_is_seen_over_rest_and_freed_by_the_cancellation() -> None:
    client = Client(Desk(rate=0.0001))  # nothing else happens
    before = client.desk.result("BalanceEx")["ZEUR"]
    order_id = client.placed(LIMIT)
    held = client.desk.result("BalanceEx")["ZEUR"]
    assert held["balance"] == before["balance"]
    assert 1000 < Decimal(held["hold_trade"]) - Decimal(before["hold_trade"]) < 1010
    client.call("cancel_order", order_id=[order_id])
    assert client.desk.result("BalanceEx")["ZEUR"] == before


def test_a_later_snapshot_holds_the_order_whole(client: Client) -> None:
    order_id = client.placed(LIMIT, post_only=True)
    snapshot = client.desk.dial().subscribe("executions")[-1]
    (element,) = [e for e in snapshot["data"] if e["order_id"] == order_id]
    assert (element["limit_price"], element["post_only"]) == ("2000.50", True)


def test_validation_places_nothing(client: Client) -> None:
    before = client.desk.kraken.market.position
    reply = client.add(LIMIT, validate=True, order_qty=5000)  # funds are not looked at
    assert (reply["success"], reply["result"]) == (True, {})
    assert client.desk.kraken.market.position == before
    assert client.error(LIMIT, validate=True, order_qty=1e-8) == "EOrder:Order minimum not met"


# --- the values come back -----------------------------------------------------------------


def test_what_an_order_was_given_comes_back(client: Client) -> None:
    cases: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
        (LIMIT, {}, {"order_qty": "0.50000000", "limit_price": "2000.50", "time_in_force": "GTC"}),
        (LIMIT, {"post_only": True}, {"post_only": True}),
        (LIMIT, {"time_in_force": "ioc"}, {"time_in_force": "IOC"}),
        (LIMIT, {"time_in_force": "fok"}, {"time_in_force": "FOK"}),
        (
            LIMIT,
            {"time_in_force": "gtd", "expire_time": EVEN_LATER},
            {"time_in_force": "GTD", "expire_time": "2026-05-28T21:00:00.000000Z"},
        ),
        (LIMIT, {"effective_time": LATER}, {"effective_time": "2026-05-28T20:50:00.000000Z"}),
        (LIMIT, {"order_userref": 4711}, {"order_userref": 4711}),
        (LIMIT, {"fee_preference": "base"}, {"fee_ccy_pref": "fcib"}),
        (LIMIT, {"margin": True}, {"margin": True}),
        (MARKET, {"no_mpp": True}, {"no_mpp": True}),
        (
            LIMIT | {"order_type": "iceberg"},
            {"display_qty": 0.1},
            {"order_type": "iceberg", "display_qty": "0.10000000"},
        ),
        (
            STOP,
            {},
            {
                "order_type": "stop-loss",
                "triggers": {
                    "price": "2700.00",
                    "price_type": "static",
                    "reference": "last",
                    "status": "untriggered",
                },
                "stop_price": "2700.00",
            },
        ),
        (
            STOP,
            {"triggers": {"price": -2.5, "price_type": "pct", "reference": "index"}},
            {
                "triggers": {
                    "price": "-2.50000",
                    "price_type": "pct",
                    "reference": "index",
                    "status": "untriggered",
                    "actual_price": "2799.66",
                }
            },
        ),
        (
            STOP | {"order_type": "take-profit-limit", "triggers": {"price": 3000}},
            {"limit_price": 2990},
            {"order_type": "take-profit-limit", "limit_price": "2990.00"},
        ),
        (
            TRAILING_LIMIT,
            {"side": "sell", "limit_price": -1.5},
            {"limit_price": "-1.50", "limit_price_type": "quote", "stop_price": "2770.94"},
        ),
        (
            {key: value for key, value in STOP.items() if key != "triggers"},
            {"stop_price": 2700, "trigger": "index"},
            {"stop_price": "2700.00", "trigger": "index"},
        ),
        (
            LIMIT,
            {
                "conditional": {
                    "order_type": "trailing-stop-limit",
                    "trigger_price": 2.5,
                    "trigger_price_type": "pct",
                    "limit_price": -4,
                }
            },
            {
                "contingent": {
                    "order_type": "trailing-stop-limit",
                    "trigger_price": "2.50000",
                    "trigger_price_type": "pct",
                    "limit_price": "-4.00",
                    "limit_price_type": "quote",
                }
            },
        ),
        (
            LIMIT,
            {"conditional": {"order_type": "stop-loss", "trigger_price": 1900}},
            {
                "contingent": {
                    "order_type": "stop-loss",
                    "trigger_price": "1900.00",
                    "trigger_price_type": "static",
                }
            },
        ),
    ]
    for order, changes, fields in cases:
        told = client.told(order, **changes)
        assert {name: told.get(name) for name in fields} == fields


def test_an_order_for_money_says_the_money_and_no_quantity(client: Client) -> None:
    order = {key: value for key, value in MARKET.items() if key != "order_qty"}
    told = client.told(order, cash_order_qty=100)
    assert told["cash_order_qty"] == "100.0000"
    assert "order_qty" not in told


def test_rest_says_leverage_and_close_in_its_own_words(client: Client) -> None:
    close = {"order_type": "stop-loss-limit", "trigger_price": 1900, "limit_price": 1890}
    row = client.row(client.placed(LIMIT, margin=True, conditional=close))
    assert row["descr"]["leverage"] == "3:1"
    assert row["descr"]["close"] == "close position @ stop loss limit 1900.00 -> limit 1890.00"
    assert row["descr"]["order"] == "buy 0.50000000 ETHEUR @ limit 2000.50 with 3:1 leverage"


def test_the_order_of_a_conditional_close_names_its_parent(client: Client) -> None:
    close = {"order_type": "limit", "limit_price": 4000}
    reply, *frames = client.call("add_order", **MARKET, conditional=close)
    children = [e for f in frames for e in f.get("data", []) if "ord_ref_id" in e]
    assert {e["ord_ref_id"] for e in children} == {reply["result"]["order_id"]}
    assert {(e["side"], e["limit_price"]) for e in children} == {("sell", "4000.00")}
    assert sum(Decimal(e["order_qty"]) for e in children) == Decimal("0.5")


def test_a_scheduled_order_is_pending_until_its_time(client: Client) -> None:
    soon = from_nanos(client.desk.now.wall_ns + 10_000_000_000)
    order_id = client.placed(LIMIT, effective_time=soon)
    assert client.row(order_id)["status"] == "pending"
    assert client.events(order_id, client.line.listen(9.75)) == []
    assert [e["exec_type"] for e in client.events(order_id, client.line.listen(0.5))] == ["new"]


# --- canceling ----------------------------------------------------------------------------


def test_each_canceled_order_has_a_reply_of_its_own(client: Client) -> None:
    one, two = client.placed(LIMIT), client.placed(LIMIT)
    *replies, first, second = client.call(
        "cancel_order", order_id=[two, "OAAAAA-AAAAA-AAAAAA", one]
    )
    assert [reply.get("result") for reply in replies] == [
        {"order_id": two},
        None,
        {"order_id": one},
    ]
    assert replies[1]["error"] == "EOrder:Unknown order"
    assert {reply["req_id"] for reply in replies} == {9}
    for frame in (first, second):
        (element,) = frame["data"]
        assert (element["exec_type"], element["reason"]) == ("canceled", "User requested")
        assert "symbol" not in element
    assert client.call("cancel_order", order_id=[one])[0]["error"] == "EOrder:Unknown order"


def test_orders_are_canceled_by_client_id_and_by_reference(client: Client) -> None:
    client.placed(LIMIT, cl_ord_id="mine")
    two = {client.placed(LIMIT, order_userref=5), client.placed(LIMIT, order_userref=5)}
    assert client.call("cancel_order", cl_ord_id=["mine"])[0]["result"] == {"cl_ord_id": "mine"}
    replies = client.call("cancel_order", order_userref=[5])[:2]
    assert {reply["result"]["order_id"] for reply in replies} == two


def test_a_cancellation_names_orders_in_one_way(client: Client) -> None:
    cases: list[dict[str, Any]] = [
        {},
        {"order_id": []},
        {"order_id": [7]},
        {"order_id": ["O"], "cl_ord_id": ["c"]},
        {"order_userref": ["5"]},
    ]
    for params in cases:
        error = client.call("cancel_order", **params)[0]["error"]
        assert error.startswith("EGeneral:Invalid arguments")


def test_all_open_orders_are_canceled_and_the_life_goes_on(client: Client) -> None:
    ids = {client.placed(LIMIT), client.placed(STOP), client.placed(LIMIT, effective_time=LATER)}
    lives = set(client.desk.books.open)
    assert lives
    reply, *frames = client.call("cancel_all")
    assert reply["result"] == {"count": len(ids | lives)}
    assert {f["data"][0]["order_id"] for f in frames} == ids | lives
    assert not client.desk.books.open
    assert client.call("cancel_all")[0]["result"] == {"count": 0}
    client.desk.wait(30)
    client.desk.result("OpenOrders")
    assert client.desk.books.open


# --- REST, which the project's own client never uses for it ----------------------------------


def test_orders_can_be_placed_and_canceled_over_rest(client: Client) -> None:
    order = {"ordertype": "limit", "type": "sell", "volume": "1.5", "price": "3000.5"}
    placed = client.desk.result("AddOrder", pair="ETHEUR", oflags="post", **order)
    assert placed["descr"] == {"order": "sell 1.50000000 ETHEUR @ limit 3000.50"}
    (order_id,) = placed["txid"]
    assert client.row(order_id)["oflags"] == "fciq,post"
    assert client.desk.result("CancelOrder", txid=order_id) == {"count": 1}
    assert client.desk.error("CancelOrder", txid=order_id) == "EOrder:Unknown order"
    checked = client.desk.result("AddOrder", pair="XETHZEUR", validate="true", **order)
    assert checked.keys() == {"descr"}
    client.desk.result("AddOrder", pair="ETH/EUR", **order)
    standing = len(client.desk.result("OpenOrders")["open"])
    assert client.desk.result("CancelAll") == {"count": standing}
    assert client.desk.error("CancelAll", txid=order_id) == "EGeneral:Invalid arguments"
    assert client.desk.error("CancelOrder") == "EGeneral:Invalid arguments:txid"
    close = {"close[ordertype]": "limit", "close[price]": "2000"}
    closing = client.desk.result("AddOrder", pair="ETHEUR", timeinforce="FOK", **order, **close)
    assert closing["descr"]["close"] == "close position @ limit 2000.00"


def test_the_pairs_say_what_an_order_must_keep_to() -> None:
    pairs = Desk().ask(Request("GET", "/0/public/AssetPairs", "", {}))["result"]
    eth = pairs["XETHZEUR"]
    assert (eth["ordermin"], eth["costmin"], eth["tick_size"]) == ("0.002", "0.5", "0.01")
    assert (eth["pair_decimals"], eth["lot_decimals"]) == (2, 8)
    assert eth["leverage_buy"] == [2, 3]
    assert pairs["SOLEUR"]["leverage_sell"] == []


def test_the_clock_of_these_tests_is_that_of_the_desk() -> None:
    assert START.wall_ns // 10**9 == 1_780_000_123  # 20:28:43 of 28 May 2026
