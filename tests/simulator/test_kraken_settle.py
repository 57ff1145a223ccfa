"""An order that ends a whole position of Kraken's: it has no amount of its own."""

from decimal import Decimal
from typing import Any

import pytest

from privstream.model.events import Order
from privstream.simulator.kraken.trading import Asked
from privstream.simulator.kraken.words import PAIRS
from privstream.simulator.market import Order as Booked
from tests.joined import World
from tests.playbook import like
from tests.simulator.desk import Desk
from tests.simulator.kraken_client import MARKET, Client


def order(kind: Any, side: Any, quantity: str) -> Booked:
    return Booked(
        order_id="",
        serial=0,
        symbol=PAIRS["ETH/EUR"].symbol,
        side=side,
        type=kind,
        quantity=Decimal(quantity),
        leverage=2,
    )


@pytest.mark.parametrize("protocol", ["v1", "v2"])
def test_it_is_partly_filled_until_it_is_over_and_has_no_quantity(protocol: str) -> None:
    world = World("kraken", rate=0.01, options={"protocol": protocol})
    ids: list[str] = []

    def place(_world: World, kind: str, side: str, quantity: str) -> None:
        trading: Any = world.simulated.trading  # type: ignore[attr-defined]  # Kraken's has one
        asked = Asked(order(kind, side, quantity))
        ids.append(trading.place(asked, world.clock.now()).order_id)

    world.at(3, place, "market", "buy", "1.5").at(6, place, "settle_position", "sell", "0")
    told = [e for e in world.watch(12) if isinstance(e, Order) and e.order_id == ids[-1]]
    assert {(event.quantity, event.remaining) for event in told} == {(None, None)}
    assert told[-1] == like(
        Order, status="filled", filled="1.50000000", order_type="settle_position"
    )
    live = {event.status for event in told[:-1]}
    assert live <= {"pending", "open", "partially_filled"}


def test_its_amount_is_0_on_the_wire_and_there_must_be_a_position() -> None:
    client = Client(Desk(rate=2.0, limits=False))
    settle = MARKET | {"order_type": "settle-position", "side": "sell", "order_qty": 0}
    assert client.error(settle) == "EOrder:Unknown position"
    client.placed(MARKET, margin=True)
    assert client.told(settle)["order_qty"] == "0.00000000"
