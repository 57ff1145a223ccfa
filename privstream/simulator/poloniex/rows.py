"""An order as the lists of REST show it, and a smart order as its own lists do."""

from typing import Any

from privstream.simulator.market import Order
from privstream.simulator.poloniex.words import (
    client_order_id,
    is_waiting,
    millis,
    order_amount,
    placed_ns,
    plain,
    quantity,
    smart_id,
    source_of,
    state,
    symbol_of,
    time_in_force,
    type_of,
)


def order_row(order: Order) -> dict[str, Any]:
    """An order as a list of open ones and a look-up show it."""
    return {
        "id": order.order_id,
        "clientOrderId": client_order_id(order),
        "symbol": symbol_of(order),
        "state": state(order),
        "accountType": "SPOT",
        "side": order.side.upper(),
        "type": type_of(order),
        "timeInForce": time_in_force(order),
        "quantity": plain(quantity(order)),
        "price": plain(order.price),
        "avgPrice": _average(order),
        "amount": plain(order_amount(order)),
        "filledQuantity": plain(order.filled),
        "filledAmount": plain(order.cost),
        "createTime": millis(placed_ns(order)),
        "updateTime": millis(order.updated_ns),
        "orderSource": source_of(order),
        "loan": False,
    }


HISTORY_KEYS = (
    "clientOrderId",
    "symbol",
    "accountType",
    "side",
    "type",
    "timeInForce",
    "price",
    "avgPrice",
    "quantity",
    "amount",
    "filledQuantity",
    "filledAmount",
    "state",
    "orderSource",
    "createTime",
    "updateTime",
    "loan",
)


def history_row(order: Order) -> dict[str, Any]:
    """An order as the history shows it: with another order of keys and a bare number as id."""
    row = order_row(order)
    rest = {key: row[key] for key in HISTORY_KEYS}
    return {"id": int(order.order_id), **rest, "cancelReason": cancel_reason(order)}


def _average(order: Order) -> str:
    return plain(round(order.average, order.symbol.price_digits))


def cancel_reason(order: Order) -> int:
    return int(order.status in {"canceled", "expired"})


def smart_row(order: Order) -> dict[str, Any]:
    """A smart order: what waits for a price, and what became of it."""
    ended_ns = order.triggered_ns or order.updated_ns
    return {
        "id": smart_id(order),
        "clientOrderId": client_order_id(order),
        "symbol": symbol_of(order),
        "state": _smart_state(order),
        "accountType": "SPOT",
        "side": order.side.upper(),
        "type": "STOP_LIMIT",
        "timeInForce": time_in_force(order),
        "quantity": plain(quantity(order)),
        "price": plain(order.price),
        "amount": "0",
        "stopPrice": plain(order.stop_price),
        "createTime": millis(order.created_ns),
        "updateTime": millis(ended_ns),
    }


def _smart_state(order: Order) -> str:
    if not is_waiting(order):
        return "TRIGGERED"
    return "PENDING_NEW" if order.closed_ns is None else "CANCELED"
