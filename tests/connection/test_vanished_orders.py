"""An order that was open, and that after an outage neither a list nor REST knows: it is over."""

from typing import Any

import pytest

from privstream.model.events import Gap, Order
from privstream.model.reports import OrderReport
from tests.joined import World

NOW = "2026-05-28T20:26:50.000000Z"
IDS = {
    "kraken": "OGHOST-AAAAA-BBBBBB",
    "bitfinex": "7",
    "poloniex": "7",
    "indodax": "btcidr-limit-7",
    "zerocap": "7c1e0b1c-5f0e-4f7b-9a34-3f3f2c9e5a01",
}


def hear_of(run: World, order_id: str) -> None:
    """The stream tells of an order that the exchange has lost by the time of the outage."""
    terms: Any = {"status": "open", "filled": "0", "quantity": "1", "side": "buy", "symbol": "A/B"}
    run.supervisor._ledger.take(OrderReport(order_id, terms, whole=True), NOW)


@pytest.mark.parametrize("name", IDS)
def test_what_nobody_knows_any_more_is_not_open_but_unknown(name: str) -> None:
    order_id = IDS[name]
    run = World(name, rate=0.02, limits=False)
    run.at(10, hear_of, order_id).at(12, World.cut).watch(150)
    last = [event for event in run.events if isinstance(event, Order)]
    own = [event for event in last if event.order_id == order_id]
    assert [(event.status, event.source) for event in own] == [("unknown", "rest")]
    [gap] = run.told(Gap)
    assert not gap.complete


@pytest.mark.parametrize("name", IDS)
def test_what_audits_find_nowhere_again_is_not_open_but_unknown(name: str) -> None:
    order_id = IDS[name]
    run = World(name, rate=0.02, limits=False, audit_every=30.0)
    run.at(10, hear_of, order_id).watch(260)
    own = [e for e in run.told(Order) if e.order_id == order_id]
    assert [(event.status, event.source) for event in own] == [("unknown", "rest")]
    [gap] = run.told(Gap)
    assert (gap.cause, gap.complete) == ("drift", False)
    assert order_id in (gap.detail or "")


@pytest.mark.parametrize("name", IDS)
def test_audits_of_orders_that_stand_call_none_of_them_unknown(name: str) -> None:
    run = World(name, rate=0.1, limits=False, audit_every=25.0)
    run.watch(200)
    assert [event for event in run.told(Order) if event.status == "unknown"] == []
    assert run.told(Gap) == []
