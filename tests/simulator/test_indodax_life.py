"""One account life, told by the socket and by REST of the simulated Indodax alike."""

import re
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest

from tests.simulator.indodax_desk import Desk

MINUTES = 4


@pytest.fixture(scope="module")
def told() -> tuple[Desk, list[Any], list[str]]:
    """What a socket was told in some minutes."""
    desk = Desk(rate=6)
    line = desk.stream()
    orders = line.orders(MINUTES * 60)
    assert line.ended is None
    return desk, orders, line.frames


def test_orders_live_as_documented(told: tuple[Desk, list[Any], list[str]]) -> None:
    lives: dict[str, list[str]] = defaultdict(list)
    for order in told[1]:
        lives[order["orderId"]].append(order["status"])
    began = [" ".join(life) for life in lives.values() if life[0] == "NEW"]
    for life in began:
        assert re.fullmatch(r"NEW( FILL)*( DONE| CANCELLED| REJECTED)?", life)
    assert {life.rpartition(" ")[2] for life in began} >= {"DONE", "CANCELLED", "REJECTED"}


def test_quantities_of_an_order_add_up(told: tuple[Desk, list[Any], list[str]]) -> None:
    filled: dict[str, Decimal] = defaultdict(Decimal)
    fresh = {order["orderId"] for order in told[1] if order["status"] == "NEW"}
    for order in told[1]:
        whole, left, done = (
            Decimal(order[key]) for key in ("origQty", "unfilledQty", "executedQty")
        )
        assert whole == left + done
        if order["orderId"] not in fresh:
            continue
        if order["status"] == "FILL":
            filled[order["orderId"]] += Decimal(order["fillInformation"]["qty"])
            assert order["fillInformation"]["filledQty"] == order["executedQty"]
        assert filled[order["orderId"]] == done


def test_a_fill_is_the_same_on_the_socket_and_over_rest(
    told: tuple[Desk, list[Any], list[str]],
) -> None:
    desk, orders, _ = told
    rows = {}
    for symbol in ("btcidr", "ethidr", "aaveidr", "1inchidr", "pepeidr", "btcusdt", "dogebtc"):
        for row in desk.get("myTrades", symbol=symbol, limit=1000)["data"]:
            rows[row["tradeId"]] = row
    fills = [order for order in orders if order["status"] == "FILL"]
    assert len(fills) > 100
    for fill in fills:
        row, information = rows[fill["tradeId"]], fill["fillInformation"]
        assert row["orderId"] == fill["orderId"]
        assert row["clientOrderId"] == fill.get("clientOrderId", "")
        assert row["qty"] == information["qty"]
        parts = [Decimal(information[name]) for name in ("fee", "tax", "clearing")]
        assert Decimal(row["commission"]) == sum(parts)
        assert row["commissionAsset"] == information["feeAsset"]
        assert row["isMaker"] == (information["participant"] == "MAKER")
        assert row["time"] == fill["transactionTime"]
        if row["isMaker"]:
            assert row["price"] == fill["price"]


def test_a_market_order_is_told_without_any_price(told: tuple[Desk, list[Any], list[str]]) -> None:
    market = [order for order in told[1] if "-market-" in order["orderId"]]
    assert market
    assert {order["price"] for order in market} == {"0"}


def test_closed_orders_are_the_same_over_rest(told: tuple[Desk, list[Any], list[str]]) -> None:
    desk, orders, _ = told
    words = {"DONE": "FILLED", "CANCELLED": "CANCELLED", "REJECTED": "REJECTED"}
    rows = {
        row["orderId"]: row
        for row in desk.get("order/histories", symbol="aaveidr", limit=1000)["data"]
    }
    closed = [o for o in orders if o["symbol"] == "aaveidr" and o["status"] in words]
    assert len(closed) > 8
    for order in closed:
        row = rows[order["orderId"]]
        assert row["status"] == words[order["status"]]
        assert row["executedQty"] == order["executedQty"]
        assert row["finishTime"] == order["transactionTime"]


def test_all_the_shapes_of_the_real_stream_come_up(
    told: tuple[Desk, list[Any], list[str]],
) -> None:
    _, orders, frames = told
    assert any(fill_and_end(line) for frame in frames for line in frame.split("\n"))
    apart = [frame for frame in frames if not any(map(fill_and_end, frame.split("\n")))]
    assert any(fill_and_end(frame) for frame in apart), "a line each, in one frame"
    assert any("clientOrderId" not in order for order in orders)
    assert any(order.get("clientOrderId", "").startswith("lendidr-") for order in orders)
    assert {order["orderId"].split("-")[1] for order in orders} == {"limit", "market", "stoplimit"}
    assert any('"clearingRate":1.11E-4' in frame for frame in frames)
    assert all(int(o["tradeId"]) > 2**53 for o in orders if "tradeId" in o)
    assert {order["symbol"] for order in orders} >= {"1inchidr", "pepeidr", "btcusdt"}


def fill_and_end(text: str) -> bool:
    return '"FILL"' in text and '"DONE"' in text


def test_at_most_sixteen_messages_share_a_frame() -> None:
    desk = Desk(rate=200)
    line = desk.stream()
    line.listen(2, step=1)
    sizes = [frame.count("\n") + 1 for frame in line.frames[2:]]
    assert max(sizes) == 16
    assert sum(sizes) > 100


def test_balances_are_the_openings_and_every_move_since() -> None:
    desk = Desk(rate=20, limits=False)
    before = holdings(desk)
    position = desk.indodax.market.position
    desk.wait(60)
    after = holdings(desk)
    moves: dict[str, Decimal] = defaultdict(Decimal)
    for happening in desk.indodax.market.since(position):
        if happening.entry is not None:
            entry = happening.entry
            moves[entry.currency.lower()] += entry.amount - entry.fee
    assert moves.keys() == before.keys()
    for coin, total in before.items():
        assert after[coin] == total + moves[coin]


def holdings(desk: Desk) -> dict[str, Decimal]:
    info = desk.result("getInfo")
    totals = {}
    for coin, free in info["balance"].items():
        held = Decimal(info["balance_hold"][coin])
        assert Decimal(free) >= 0
        assert held >= 0
        totals[coin] = Decimal(free) + held
    return totals


def test_a_token_outlives_a_restart() -> None:
    token, _ = Desk().login()
    assert "connect" in Desk().dial().say({"connect": {"token": token}, "id": 1})[0]
