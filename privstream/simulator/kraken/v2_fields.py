"""What an order was given, as the channel `executions` says it back.

The one rule: what was not given is not there; a price that was given as a distance is told
as that distance, with what it comes to beside it.
"""

from decimal import Decimal
from typing import Any

from privstream.model.times import from_nanos
from privstream.simulator.kraken.words import ORDER_TYPES, PERCENT_DIGITS, number
from privstream.simulator.market import Offset, Order

Element = dict[str, Any]


def quantity_fields(order: Order) -> Element:
    if order.quote_quantity is not None:
        return {"cash_order_qty": number(order.quote_quantity, order.symbol.cost_digits)}
    stated = Decimal(0) if order.whole_position else order.quantity
    fields: Element = {"order_qty": number(stated, 8)}
    if order.display_quantity is not None:
        shown = min(order.display_quantity, order.remaining)
        fields["display_qty"] = number(order.display_quantity, 8)
        fields["display_qty_remain"] = number(shown, 8)
    return fields


def price_fields(order: Order) -> Element:
    digits = order.symbol.price_digits
    fields: Element = {}
    if order.price_offset is not None and order.type == "trailing_stop_limit":
        fields |= _distance("limit_price", order.price_offset, digits)
    elif order.price is not None:
        fields |= {"limit_price_type": "static", "limit_price": number(order.price, digits)}
    fields["stop_price"] = number(order.stop_price, digits)
    if order.stop_price is not None:
        fields |= {"triggers": triggers(order), "trigger": order.reference}
    return fields


def triggers(order: Order) -> Element:
    digits = order.symbol.price_digits
    fields: Element = {
        "price": number(order.stop_price, digits),
        "price_type": "static",
        "reference": order.reference,
        "status": "triggered" if order.triggered else "untriggered",
    }
    offset = order.stop_offset
    if offset is not None:
        fields |= _distance("price", offset, digits)
        fields["actual_price"] = number(order.stop_price, digits)
    return fields


def condition_fields(order: Order) -> Element:
    flags = {
        "post_only": order.post_only,
        "reduce_only": order.reduce_only,
        "margin": bool(order.leverage),
        "no_mpp": order.no_price_protection,
    }
    fields: Element = {name: True for name, said in flags.items() if said}
    if order.starts_ns is not None:
        fields["effective_time"] = from_nanos(order.starts_ns)
    if order.expires_ns is not None:
        fields["expire_time"] = from_nanos(order.expires_ns)
    if order.close is not None:
        fields["contingent"] = _contingent(order)
    if order.parent is not None:
        fields["ord_ref_id"] = order.parent
    return fields


def _contingent(order: Order) -> Element:
    close, digits = order.close, order.symbol.price_digits
    if close is None:
        return {}
    fields: Element = {"order_type": ORDER_TYPES[close.type]}
    for name, price, offset in (
        ("trigger_price", close.stop_price, close.stop_offset),
        ("limit_price", close.price, close.price_offset),
    ):
        if offset is not None:
            fields |= _distance(name, offset, digits)
        elif price is not None:
            fields |= {name: number(price, digits), f"{name}_type": "static"}
    return fields


def _distance(name: str, offset: Offset, digits: int) -> Element:
    shown = PERCENT_DIGITS if offset.unit == "pct" else digits
    return {name: number(offset.value, shown), f"{name}_type": offset.unit}
