"""The account's pushes: what the private socket tells, and when.

The one rule: a push is told its lag after the fact, so that orders and balances come
interleaved in no fixed order, while the pushes of one order, and of one currency, keep theirs.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from msgspec import Struct

from privstream.model.rest import Now
from privstream.simulator.market import Happening, Market, Order
from privstream.simulator.market.values import What
from privstream.simulator.poloniex.wallets import Wallets, balance_item
from privstream.simulator.poloniex.words import (
    client_order_id,
    is_by_amount,
    is_waiting,
    millis,
    order_amount,
    placed_ns,
    plain,
    quantity,
    source_of,
    state,
    symbol_of,
    type_of,
)

KEPT = 5000  # pushes that open sockets may still have to be told
BALANCE_LAG, LEAST_ORDER_LAG, ORDER_LAGS = 6, 3, 38  # milliseconds, as captured
TOGETHER = 8
"""Of every so many orders one has the pushes of a moment in one array: documented, never seen."""
EVENTS: dict[What, str] = {
    "opened": "place",
    "triggered": "place",
    "traded": "trade",
    "canceled": "canceled",
    "expired": "canceled",
}
"""What is told of an order, of a smart one only once it was set off.

The last fill is its end: no further message follows.
"""


class Push(Struct, frozen=True):
    """One frame. `subject` is the order's symbol, or the currency; `ts` when it is told."""

    channel: Literal["orders", "balances"]
    subject: str
    ts: int
    items: tuple[dict[str, Any], ...]
    order: Order | None = None


class Stream:
    """Turns what happens into pushes; starts with what happens after it was made."""

    def __init__(self, market: Market, *, versioned: bool) -> None:
        self._market, self._versioned = market, versioned
        self._position = market.position
        self.wallets = Wallets(market.books)
        self._pending: list[Push] = []
        self._kept: list[Push] = []
        self.top = 0
        """So much was told."""

    def collect(self, now: Now) -> None:
        """Take in what has happened since, and tell what is due."""
        if self._position < self._market.books.forgotten:  # nobody looked for hours
            self.wallets = Wallets(self._market.books)
        else:
            for happening in self._market.since(self._position):
                self._pending += self._pushes(happening)
        self._position = self._market.position
        self._pending.sort(key=lambda push: push.ts)
        due = [push for push in self._pending if push.ts <= millis(now.wall_ns)]
        del self._pending[: len(due)]
        frames = list(_joined(due))
        self._kept = [*self._kept, *frames][-KEPT:]
        self.top += len(frames)

    def after(self, told: int) -> Sequence[Push]:
        """What was told after so much, as far as it is kept."""
        return self._kept[-(self.top - told) :] if told < self.top else ()

    def _pushes(self, happening: Happening) -> Iterator[Push]:
        for change in self.wallets.changes(happening):
            ts = millis(change.time_ns) + BALANCE_LAG
            item = balance_item(change, ts, versioned=self._versioned)
            yield Push("balances", change.currency, ts, (item,))
        order = happening.order
        if order is not None and happening.what in EVENTS and not is_waiting(order):
            ts = millis(happening.time_ns) + LEAST_ORDER_LAG + order.serial * 7 % ORDER_LAGS
            item = self._order_item(happening, order, ts)
            yield Push("orders", symbol_of(order), ts, (item,), order)

    def _order_item(self, happening: Happening, order: Order, ts: int) -> dict[str, Any]:
        """The element of an `orders` push, in the order of the live ones."""
        trade = happening.trade
        executed = self._market.books.orders[order.order_id] if is_by_amount(order) else order
        return {
            "orderId": order.order_id,
            "tradeId": trade.trade_id if trade else "0",
            "clientOrderId": client_order_id(order),
            "accountType": "SPOT",
            "eventType": EVENTS[happening.what],
            "symbol": symbol_of(order),
            "side": order.side.upper(),
            "type": type_of(order),
            "price": plain(order.price),
            "quantity": plain(quantity(order)),
            "state": state(order),
            "createTime": millis(placed_ns(order)),
            "tradeTime": millis(trade.time_ns) if trade else 0,
            "tradePrice": plain(trade.price if trade else None),
            "tradeQty": plain(trade.quantity if trade else None),
            "feeCurrency": trade.fee_currency if trade else "",
            "tradeFee": plain(trade.fee if trade else None),
            "tradeAmount": plain(trade.cost if trade else None),
            "filledQuantity": plain(order.filled),
            "filledAmount": plain(order.cost),
            "ts": ts,
            "source": source_of(order),
            "orderAmount": plain(order_amount(executed)),
            "matchRole": ("MAKER" if trade.maker else "TAKER") if trade else "",
        }


def _joined(pushes: Sequence[Push]) -> Iterator[Push]:
    """The same, some as several elements of one frame."""
    last: Push | None = None
    for push in pushes:
        if last is not None and _belong_together(last, push):
            last = Push(last.channel, last.subject, last.ts, last.items + push.items, push.order)
            continue
        if last is not None:
            yield last
        last = push
    if last is not None:
        yield last


def _belong_together(last: Push, push: Push) -> bool:
    if last.order is None or push.order is None or last.ts != push.ts:
        return False
    serial = push.order.serial
    return serial == last.order.serial and serial % TOGETHER == 0
