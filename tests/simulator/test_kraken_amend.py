"""An order of Kraken's that is amended: on the socket, and while nobody listens."""

from decimal import Decimal
from typing import Any

import pytest

from privstream.model.events import Gap, Order
from privstream.simulator.kraken.words import PAIRS
from privstream.simulator.market import Order as Booked
from tests.joined import World
from tests.playbook import like
from tests.simulator.desk import Desk
from tests.simulator.kraken_client import LIMIT, STOP, Client

PROTOCOLS = pytest.mark.parametrize("protocol", ["v1", "v2"])
FAR = Decimal("50000.0")
BTC_EUR = PAIRS["BTC/EUR"].symbol


class Trader:
    """Somebody with one order that rests far from the market."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.market: Any = world.simulated.market  # type: ignore[attr-defined]  # Kraken's has one
        self.order_id = ""

    def place(self, _world: World) -> None:
        order = Booked(
            order_id="",
            serial=0,
            symbol=BTC_EUR,
            side="buy",
            type="limit",
            quantity=Decimal("0.4"),
            price=FAR,
        )
        self.order_id = self.market.place(order, self.world.clock.now()).order_id

    def fill(self, _world: World, quantity: str) -> None:
        self.market.advance(self.world.clock.now())
        self.market.own.at(self.world.clock.now().wall_ns)
        self.market.own.fill(self.order_id, Decimal(quantity), FAR, maker=True)

    def amend(self, _world: World, **changes: str) -> None:
        amounts = {name: Decimal(text) for name, text in changes.items()}
        self.market.amend(self.order_id, amounts, self.world.clock.now())

    def told(self, events: list[Any]) -> list[Order]:
        return [e for e in events if isinstance(e, Order) and e.order_id == self.order_id]


@PROTOCOLS
def test_an_amendment_after_a_partial_fill_is_told_at_once(protocol: str) -> None:
    world = World("kraken", rate=0.01, options={"protocol": protocol})
    trader = Trader(world)
    world.at(3, trader.place).at(5, trader.fill, "0.1")
    world.at(7, lambda w: trader.amend(w, quantity="0.6", price="49000.0"))
    told = trader.told(world.watch(12))
    assert told[-1] == like(
        Order,
        status="partially_filled",
        quantity="0.60000000",
        filled="0.10000000",
        remaining="0.50000000",
        source="stream",
    )
    assert Decimal(told[-1].price or 0) == Decimal(49000)
    assert len({event.id for event in told}) == len(told)


@PROTOCOLS
def test_an_amendment_while_nobody_listened_is_told_afterwards(protocol: str) -> None:
    world = World("kraken", rate=0.01, options={"protocol": protocol})
    trader = Trader(world)
    world.at(3, trader.place).at(5, trader.fill, "0.1").at(8, World.cut).at(8, World.down, 20)
    world.at(15, lambda w: trader.amend(w, quantity="0.6"))
    events = world.watch(120)
    last = trader.told(events)[-1]
    assert last == like(Order, status="partially_filled", quantity="0.60000000", source="rest")
    assert [event for event in events if isinstance(event, Gap)]


def test_an_amendment_is_answered_and_told_in_krakens_words() -> None:
    client = Client(Desk(rate=2.0, limits=False))
    order_id = client.placed(LIMIT, cl_ord_id="grid-7")
    frames = client.call("amend_order", cl_ord_id="grid-7", order_qty=0.75, limit_price=1999.5)
    assert frames[0]["result"].keys() == {"amend_id", "cl_ord_id"}
    told = client.events(order_id, frames)[-1]
    told.pop("timestamp")
    assert told == {
        "order_status": "new",
        "exec_type": "amended",
        "cum_qty": "0.00000000",
        "amended": True,
        "reason": "User requested",
        "order_qty": "0.75000000",
        "limit_price": "1999.50",
        "limit_price_type": "static",
        "order_userref": 0,
        "order_id": order_id,
    }
    row = client.row(order_id)
    assert (row["vol"], row["descr"]["price"], row["misc"]) == ("0.75000000", "1999.50", "amended")


def test_an_amendment_that_cannot_be_is_refused() -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"order_qty": 0}, "order_qty"),
        ({"limit_price": 2000.123}, "EOrder:Invalid price"),
        ({"trigger_price": 2000}, "stop_price"),
        ({}, "EGeneral:Invalid arguments"),
        ({"order_qty": "1"}, "Order_qty field must be a number_float"),
    ]
    for changes, error in cases:
        client = Client(Desk(rate=2.0, limits=False))
        order_id = client.placed(LIMIT)
        (reply,) = client.call("amend_order", order_id=order_id, **changes)
        assert error in reply["error"]


def test_a_stop_is_amended_by_its_trigger() -> None:
    client = Client(Desk(rate=2.0, limits=False))
    order_id = client.placed(STOP)
    frames = client.call("amend_order", order_id=order_id, trigger_price=2650)
    assert client.events(order_id, frames)[-1]["triggers"]["price"] == "2650.00"
    (reply,) = client.call("amend_order", order_id="OAAAAA-BBBBB-CCCCCC", order_qty=1)
    assert reply["error"] == "EOrder:Unknown order"
