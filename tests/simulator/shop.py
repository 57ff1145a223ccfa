"""A market with a clock, in which a user places orders."""

from decimal import Decimal
from typing import Any

from privstream.simulator.kraken.words import PAIRS
from privstream.simulator.market import (
    Order,
)
from tests.simulator.test_market import at, market

ETH = PAIRS["ETH/EUR"].symbol
BTC = PAIRS["BTC/EUR"].symbol
USUAL, TICK = ETH.price, Decimal("0.01")
MINUTE = 60


def asked(**changes: Any) -> Order:
    """A limit order to buy one ETH at its usual price, unless told otherwise."""
    fields: dict[str, Any] = {
        "order_id": "",
        "serial": 0,
        "symbol": ETH,
        "side": "buy",
        "type": "limit",
        "quantity": Decimal(1),
        "price": USUAL,
    }
    return Order(**(fields | changes))


class Shop:
    """A market with a clock."""

    def __init__(self, rate: float = 2.0, seed: int = 3) -> None:
        self.market = market(seed=seed, rate=rate)
        self.seconds = 0.0
        self.market.advance(at(0))

    def place(self, **changes: Any) -> Order:
        return self.market.place(asked(**changes), at(self.seconds))

    def wait(self, seconds: float) -> None:
        self.seconds += seconds
        self.market.advance(at(self.seconds))

    def now(self, order: Order) -> Order:
        return self.market.books.orders[order.order_id]

    def said(self, order: Order) -> list[str]:
        told = self.market.books.happenings
        return [h.what for h in told if h.order and h.order.order_id == order.order_id]

    def fills(self, order: Order) -> list[Any]:
        return [self.market.books.trades[name] for name in self.now(order).trades]
