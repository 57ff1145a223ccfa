"""Order entry and a simulated exchange joined in memory: fake time, no port, no thread.

    desk = OrderWorld("kraken", faults=["swallow@0s"])
    order = desk.place(desk.ticket())

What is asserted of an order is asserted of the simulated exchange's own books.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from privstream.connection.account_client import AccountClient
from privstream.connection.orders.broker import Broker
from privstream.connection.orders.placing import Placement
from privstream.connection.ports import TokenSource
from privstream.model.account import Account
from privstream.model.events import Order
from privstream.model.order_entry import OrderEntry, Ticket
from privstream.simulator.market import Order as Booked
from tests.joined import World

SYMBOLS = {"kraken": "BTC/USD", "zerocap": "BTC/AUD"}
PASSIVE, MARKETABLE = "1000.0", "400000.0"
"""Prices to buy at, far from the simulated markets'."""


class OrderWorld:
    """One exchange, one account, and a broker."""

    def __init__(
        self,
        name: str = "kraken",
        *,
        rate: float = 0.001,
        options: Mapping[str, str] | None = None,
        tokens: TokenSource | None = None,
        **world: Any,
    ) -> None:
        self.world = World(name, rate=rate, options=options, **world)
        self.name = name
        self.said: list[str] = []
        client = AccountClient(
            exchange=self.world.exchange,
            clock=self.world.client_clock,
            rest=self.world,
            socket=self.world._socket,
            nonce=self.world._next_nonce,
            stop=self.world.stop,
            note=self.world.notes.append,
        )
        found = self.world.exchange.order_entry
        assert found is not None
        self.entry: OrderEntry = found
        self.broker = Broker(client, found, tokens=tokens, say=self._hear)
        self._outage = 0.0

    def without_life(self) -> "OrderWorld":
        """No open orders but those that are placed here: the others cannot be canceled."""
        market: Any = self.world.simulated.market  # type: ignore[attr-defined] # both have one
        market.advance(self.world.clock.now())
        market.books.open.clear()
        return self

    def out_of_reach_once_lost(self, seconds: float) -> None:
        """From the moment when an answer is known to be lost nothing can be reached for so long."""
        self._outage = seconds

    def _hear(self, text: str) -> None:
        self.said.append(text)
        if self._outage and "answer was lost" in text:
            outage, self._outage = self._outage, 0.0
            self.world.unreachable_for(outage)

    @property
    def account(self) -> Account:
        return self.world.exchange.account

    def ticket(self, number: int = 1, **changes: Any) -> Ticket:
        """An order that rests; on Zerocap, where none can, one that is filled."""
        price = MARKETABLE if self.name == "zerocap" else PASSIVE
        terms: dict[str, Any] = {
            "symbol": SYMBOLS[self.name],
            "side": "buy",
            "order_type": "limit",
            "quantity": "0.010",
            "price": price,
            "client_order_id": str(UUID(int=number, version=4)),
        }
        return Ticket(**{**terms, **changes})

    def placement(self, ticket: Ticket, *, has_fresh_id: bool = True) -> Placement:
        return Placement(self.broker, self.broker.prepared(ticket), has_fresh_id=has_fresh_id)

    def place(self, ticket: Ticket) -> Order:
        order = self.placement(ticket).run()
        assert order is not None
        return order

    def booked(self, ticket: Ticket) -> list[Booked]:
        """The orders that the exchange has of it."""
        market: Any = self.world.simulated.market  # type: ignore[attr-defined] # both have one
        market.advance(self.world.clock.now())
        named = ticket.client_order_id
        return [order for order in market.books.orders.values() if order.client_id == named]

    def sent(self, word: str) -> list[str]:
        """The frames of ours with this word in them."""
        return [text for socket in self.world.sockets for text in socket.sent if word in text]
