"""The account's publications, as the exchange puts them into its private channel.

The one rule: what happens in one millisecond is published together; whether as one
array or as one push each follows from the order, so that clients meet both.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct

from privstream.simulator.indodax.words import (
    PARTS,
    STATUSES,
    cancel_reason,
    client_order_id,
    millis,
    order_id,
    pair_of,
    plain,
    status,
)
from privstream.simulator.market import Happening, Market, Order, Trade

KEPT = 2000  # publications that open sockets may still have to be told
TOGETHER_NS = 1_000_000


class Publication(Struct, frozen=True):
    """One push; offsets count from 1."""

    offset: int
    events: tuple[dict[str, Any], ...]


class Stream:
    """Turns what happens into publications; starts with what happens after it was made."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._position = market.position
        self._kept: list[Publication] = []
        self.top = 0
        """The offset of the newest publication."""

    def collect(self) -> None:
        """Publish what has happened since."""
        happenings = self._market.since(self._position)
        self._position = self._market.position
        for group in _together(happenings):
            self._publish(group)
        del self._kept[:-KEPT]

    def after(self, offset: int) -> Sequence[Publication]:
        """What was published after this offset, as far as it is kept."""
        return self._kept[len(self._kept) - (self.top - offset) :] if offset < self.top else ()

    def _publish(self, group: Sequence[Happening]) -> None:
        events = [event(happening) for happening in group]
        order = group[0].order
        if order is not None and order.serial % 2:
            self._append(*events)
        else:
            for one in events:
                self._append(one)

    def _append(self, *events: dict[str, Any]) -> None:
        self.top += 1
        self._kept.append(Publication(self.top, events))


def _together(happenings: Sequence[Happening]) -> Iterator[list[Happening]]:
    group: list[Happening] = []
    for happening in happenings:
        if happening.order is None or happening.what not in STATUSES:
            continue
        if group and happening.time_ns - group[-1].time_ns >= TOGETHER_NS:
            yield group
            group = []
        group.append(happening)
    if group:
        yield group


def event(happening: Happening) -> dict[str, Any]:
    """One element of a publication."""
    order, trade = happening.order, happening.trade
    if order is None:
        raise ValueError("only orders are told")
    fields: dict[str, Any] = {"orderId": order_id(order)}
    if trade is not None:
        fields["tradeId"] = trade.trade_id
    fields |= _state(order)
    fields["status"] = status(happening.what, order)
    fields["transactionTime"] = millis(happening.time_ns)
    if trade is not None:
        fields["fillInformation"] = _fill(trade)
    if client_id := client_order_id(order):
        fields["clientOrderId"] = client_id
    if reason := cancel_reason(order):
        fields["cancelReason"] = reason
    return {"eventType": "order_update", "order": fields}


def _state(order: Order) -> dict[str, Any]:
    return {
        "symbol": pair_of(order).id,
        "side": order.side.upper(),
        "origQty": plain(order.quantity),
        "unfilledQty": plain(order.remaining),
        "executedQty": plain(order.filled),
        "price": plain(order.price),
        "description": order.symbol.name,
    }


def _fill(trade: Trade) -> dict[str, Any]:
    order, symbol = trade.order, trade.order.symbol
    fields: dict[str, Any] = {
        "participant": "MAKER" if trade.maker else "TAKER",
        "filledQty": plain(order.filled),
        "qty": plain(trade.quantity),
    }
    cent = Decimal(1).scaleb(-symbol.cost_digits)
    for part in PARTS:
        fields[f"{part.name}Asset"] = symbol.quote.lower()
        fields[f"{part.name}Rate"] = part.rate(maker=trade.maker)
        fields[part.name] = plain(part.charged(trade.cost, cent, maker=trade.maker))
    return fields
