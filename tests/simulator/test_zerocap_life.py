"""One account life, told by the socket and by REST of the simulated Zerocap alike."""

import re
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest

from privstream.model.exact import Number, amount
from privstream.simulator.market import Fees
from privstream.simulator.zerocap.words import ASSETS, number, pointed
from tests.simulator.zerocap_desk import Desk

MINUTES = 4
UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
Told = tuple[Desk, list[Any], list[Any]]


@pytest.fixture(scope="module")
def told() -> Told:
    """What a socket was told in some minutes: orders, and fills on their own."""
    desk = Desk(rate=6, limits=False)
    line = desk.stream("order", "trade")
    messages = line.listen(MINUTES * 60)
    assert line.close is None
    by_kind = {k: [m["data"] for m in messages if m["type"] == k] for k in ("order", "trade")}
    return desk, by_kind["order"], by_kind["trade"]


def rows_of(desk: Desk) -> dict[str, Any]:
    start = desk.millis - 2 * MINUTES * 60_000
    rows: dict[str, Any] = {}
    page, total = 0, 1
    while page * 500 < total:
        page += 1
        answer = desk.post("fetch_orders", start_datetime=start, page=page)
        total = answer["total"]
        rows |= {row["id"]: row for row in answer["order_list"]}
    return rows


def test_orders_live_as_documented(told: Told) -> None:
    lives: dict[str, list[str]] = defaultdict(list)
    for order in told[1]:
        partly = "open" if not Decimal(order["filled"]) else "part"
        lives[order["id"]].append(partly if order["status"] == "open" else order["status"])
    began = [" ".join(life) for life in lives.values() if life[0] == "open"]
    for life in began:
        assert re.fullmatch(r"open( part)*( closed| canceled| expired)?", life)
    assert {life.rpartition(" ")[2] for life in began} >= {"closed", "canceled", "expired"}
    assert any("part closed" in life for life in began)
    assert any(life == "open closed" for life in began)


def test_quantities_of_an_order_add_up(told: Told) -> None:
    for order in told[1]:
        whole, left, done = (Decimal(order[key]) for key in ("amount", "remaining", "filled"))
        assert whole == left + done
        assert sum(Decimal(fill["amount"]) for fill in order["trades"]) == done
        assert Decimal(order["cost"]) == Decimal(order["price"]) * whole, "as in the samples"
        if not done:
            assert (order["average"], order["trades"]) == (0, [])


def test_a_closed_order_may_have_got_less_than_it_wanted(told: Told) -> None:
    left = {bool(Decimal(o["remaining"])) for o in told[1] if o["status"] == "closed"}
    assert left == {True, False}


def test_every_fill_is_told_once_on_its_channel_and_again_in_its_order(told: Told) -> None:
    desk, orders, trades = told
    ids = [trade["id"] for trade in trades]
    assert len(ids) == len(set(ids)) > 100
    inside = {fill["id"]: fill for order in orders for fill in order["trades"]}
    assert set(ids) <= inside.keys()
    for trade in trades:
        client_id = trade.pop("client_order_id")
        assert inside[trade["id"]] == trade
        assert client_id == (desk.books.orders[trade["order"]].client_id or "")


def test_a_fill_is_what_was_really_traded(told: Told) -> None:
    desk, _, trades = told
    for trade in trades:
        true = desk.books.trades[trade["id"]]
        assert trade["order"] == true.order.order_id
        assert Decimal(trade["price"]) == true.price
        assert Decimal(trade["amount"]) == true.quantity
        assert Decimal(trade["cost"]) == true.cost
        assert trade["taker_or_maker"] == ("maker" if true.maker else "taker")
        assert trade["timestamp"] == true.time_ns // 10**9 * 1000
    costs = {Decimal(t["price"]) * Decimal(t["amount"]) == Decimal(t["cost"]) for t in trades}
    assert costs == {True, False}, "costs are cut"


def test_the_last_word_of_the_socket_is_what_rest_says(told: Told) -> None:
    desk, orders, _ = told
    rows = rows_of(desk)
    last = {order["id"]: order for order in orders}
    compared = last.keys() & rows.keys()
    assert len(compared) > 100
    same = set(last[next(iter(compared))]) - {"cost", "trades"}
    for order_id in compared:
        row, pushed = rows[order_id], last[order_id]
        assert {key: row[key] for key in same} == {key: pushed[key] for key in same}
        assert [f["id"] for f in row["trades"]] == [f["id"] for f in pushed["trades"]]
        assert Decimal(row["cost"]) == sum(Decimal(f["cost"]) for f in row["trades"])


def test_who_takes_gets_a_better_price_than_the_limit(told: Told) -> None:
    taken = [o for o in told[1] if o["time_in_force"] in {"FOK", "IOC"} and o["trades"]]
    assert {o["type"] for o in taken} == {"limit", "market"}
    assert {o["time_in_force"] for o in taken} == {"FOK", "IOC"}
    for order in taken:
        better = Decimal(order["average"]) < Decimal(order["price"])
        assert better == (order["side"] == "buy")
        assert order["time_in_force"] == "IOC" or order["filled"] == order["amount"]


def test_ids_are_random_looking_uuids(told: Told) -> None:
    for element in (*told[1], *told[2]):
        assert UUID4.fullmatch(element["id"])


def test_awkward_numbers_come_up(told: Told) -> None:
    texts = {order["price"] for order in told[1] if isinstance(order["price"], Number)}
    assert any("e-06" in text for text in texts)
    assert all(amount(text) for text in texts)
    assert {order["symbol"] for order in told[1]} >= {"1INCH/USDT", "AUD/USD", "PEPE/USDT"}


def test_numbers_keep_their_digits() -> None:
    cases: list[tuple[str, str, str]] = [
        ("0.000", "0", "0.0"),
        ("500.00", "500", "500.0"),
        ("3.050", "3.05", "3.05"),
        ("0.0001", "0.0001", "0.0001"),
        ("0.00001", "1e-05", "1e-05"),
        ("0.00000839120", "8.3912e-06", "8.3912e-06"),
        ("9007199254740993.1", "9007199254740993.1", "9007199254740993.1"),
    ]
    for value, text, as_float in cases:
        assert number(Decimal(value)) == text
        assert pointed(Decimal(value)) == as_float


def test_fees_are_told_where_there_are_some() -> None:
    fees = Fees(maker=Decimal("0.001"), taker=Decimal("0.002"), of_received=True)
    for dialect in ("new", "old"):
        desk = Desk(rate=6, fees=fees, dialect=dialect, limits=False)
        orders = [o for o in desk.stream("order").told("order", 60) if o["filled"] == o["amount"]]
        for order in orders:
            true = desk.books.orders[order["id"]]
            assert (type(order["fee"]) is str) == (dialect == "old")
            assert Decimal(order["fee"]) == true.fee > 0
            assert Decimal(desk.get("fetch_order", id=order["id"])["fee"]) == true.fee
        assert orders


# --- money -----------------------------------------------------------------------------


def holdings(desk: Desk) -> dict[str, Decimal]:
    totals = {}
    for asset, leaf in desk.get("get_balances")["prime"].items():
        free, total, used = (Decimal(leaf[key]) for key in ("free", "total", "used"))
        assert free >= 0
        assert used >= 0
        assert total == free + used
        totals[asset] = total
    return totals


def test_balances_are_the_openings_and_every_move_since() -> None:
    desk = Desk(rate=20, limits=False)
    before, position = holdings(desk), desk.zerocap.market.position
    desk.wait(60)
    after = holdings(desk)
    moves: dict[str, Decimal] = defaultdict(Decimal)
    for happening in desk.zerocap.market.since(position):
        if happening.entry is not None:
            moves[happening.entry.currency] += happening.entry.amount - happening.entry.fee
    assert moves.keys() == before.keys() == ASSETS.keys()
    for asset, total in before.items():
        assert after[asset] == total + moves[asset]


def test_what_is_used_is_what_open_orders_need(told: Told) -> None:
    desk = told[0]
    needed: dict[str, Decimal] = defaultdict(Decimal)
    for order in desk.post("fetch_orders", status="open")["order_list"]:
        base, _, quote = order["symbol"].partition("/")
        left, price = Decimal(order["remaining"]), Decimal(order["price"])
        needed[base if order["side"] == "sell" else quote] += (
            left if order["side"] == "sell" else left * price
        )
    balances = desk.get("get_balances")["prime"]
    assert any(needed.values())
    for asset, leaf in balances.items():
        assert abs(Decimal(leaf["used"]) - needed[asset]) < Decimal("0.05"), asset


# --- time ------------------------------------------------------------------------------


def test_both_dialects_tell_the_same_life(told: Told) -> None:
    desk = Desk(rate=6, dialect="old")
    trades = desk.stream("trade").told("trade", 60)
    assert [t["id"] for t in trades] == [t["id"] for t in told[2][: len(trades)]]
    assert trades
