"""Every protocol of the simulated Kraken tells the same life."""

from decimal import Decimal
from typing import Any

import pytest

from privstream.model.events import Notice, Order, Trade
from privstream.simulator.kraken.words import PAIRS
from tests.joined import World
from tests.simulator.desk import Desk

WSNAMES = {name: pair.wsname for name, pair in PAIRS.items()}


@pytest.fixture(scope="module")
def accounts() -> dict[str, Any]:
    """Forty seconds of one life, told by v2, v1 and REST."""
    desk = Desk(limits=False)
    v2, v1 = desk.dial("/v2"), desk.dial("/")
    v2.subscribe("executions")
    v2.subscribe("balances")
    v1.subscribe_v1("openOrders")
    v1.subscribe_v1("ownTrades")
    start = desk.now.wall_ns
    v2_frames: list[Any] = []
    v1_frames: list[Any] = []
    for _ in range(10):
        v2_frames += v2.listen(4)
        v1_frames += v1.listen(0.25)
    v2_frames += v2.listen(0.25)
    since = f"{start // 10**9}.{start % 10**9:09d}"
    return {
        "v2": [e for f in v2_frames for e in f.get("data", [])],
        "v1": [
            (f[1], n, x)
            for f in v1_frames
            if isinstance(f, list)
            for d in f[0]
            for n, x in d.items()
        ],
        "trades": desk.result("TradesHistory", start=since)["trades"],
        "ledger": desk.result("Ledgers", start=since)["ledger"],
        "closed": desk.result("ClosedOrders", start=since, closetime="close")["closed"],
    }


def test_fills_have_the_same_ids_and_amounts_everywhere(accounts: dict[str, Any]) -> None:
    v2 = {e["exec_id"]: e for e in accounts["v2"] if "exec_id" in e}
    v1 = {name: fields for channel, name, fields in accounts["v1"] if channel == "ownTrades"}
    newest = list(v2)[-len(accounts["trades"]) :]
    assert set(newest) == accounts["trades"].keys()
    assert v2.keys() == v1.keys()
    for name, row in accounts["trades"].items():
        assert row["ordertxid"] == v1[name]["ordertxid"] == v2[name]["order_id"]
        assert row["vol"] == v1[name]["vol"] == v2[name]["last_qty"]
        assert row["cost"] == v1[name]["cost"] == v2[name]["cost"]
        assert row["fee"] == v1[name]["fee"] == v2[name]["fees"][0]["qty"]
        assert (
            Decimal(row["price"]) == Decimal(v1[name]["price"]) == Decimal(v2[name]["last_price"])
        )
        assert v1[name]["pair"] == WSNAMES[v2[name]["symbol"]]


def test_ledger_entries_are_those_of_the_balances_channel(accounts: dict[str, Any]) -> None:
    entries = {e["ledger_id"]: e for e in accounts["v2"] if "ledger_id" in e}
    assert accounts["ledger"].keys() <= entries.keys()
    assert len(accounts["ledger"]) == 50
    for name, row in accounts["ledger"].items():
        assert row["balance"] == entries[name]["balance"]
        assert row["refid"] == entries[name]["ref_id"]


def test_orders_end_alike_everywhere(accounts: dict[str, Any]) -> None:
    ends = {"filled", "canceled", "expired"}
    v2 = {e["order_id"]: e for e in accounts["v2"] if e.get("exec_type") in ends}
    v1 = {n: x for channel, n, x in accounts["v1"] if x.get("status") in {"closed", *ends}}
    assert v1.keys() == v2.keys()
    assert accounts["closed"].keys() == set(list(v2)[-len(accounts["closed"]) :])
    for name, row in accounts["closed"].items():
        assert row["status"] == v1[name]["status"]
        assert row["vol_exec"] == v1[name]["vol_exec"] == v2[name]["cum_qty"]
        assert row["price"] == v1[name]["avg_price"] == v2[name]["avg_price"]
        assert row["reason"] == v1[name].get("cancel_reason") == v2[name].get("reason")


def test_an_unreadable_element_in_every_frame_of_v1_costs_no_fact_and_no_connection() -> None:
    def watched(spoil: Any) -> World:
        world = World("kraken", seed=4, rate=2.0, options={"protocol": "v1"})
        world.spoil = spoil
        return world

    def with_junk(text: str) -> list[str]:
        return [text.replace("[[", '[["text",7,null,', 1) if text.startswith("[[") else text]

    right = watched(lambda text: [text]).watch(40)
    spoilt = watched(with_junk)
    told = spoilt.watch(40)
    facts = [event for event in right if isinstance(event, Order | Trade)]
    assert [e.id for e in told if isinstance(e, Order | Trade)] == [event.id for event in facts]
    assert len(facts) > 20
    assert len(spoilt.sockets) == 1
    assert {event.code for event in told if isinstance(event, Notice)} == {"unrecognised"}
