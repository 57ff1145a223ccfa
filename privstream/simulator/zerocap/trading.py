"""create_order: limit orders for all or nothing, filled at once or not at all.

The one rule: there is no cancel call, and nothing keeps a client id from being used twice.
A large order is answered while it is `open` and dealt with a moment later.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, TypeAlias

from privstream.model import exact
from privstream.model.rest import Now
from privstream.simulator.market import Market, Order, Rejected, Symbol
from privstream.simulator.zerocap.history import SYMBOL_TEXT
from privstream.simulator.zerocap.keys import JSON, ZerocapRefused, invalid
from privstream.simulator.zerocap.orders import OrderWriter
from privstream.simulator.zerocap.words import (
    LARGEST_MULTIPLE,
    SMALLEST_SHARE,
    SUSPENDED,
    SYMBOLS,
)

Fields: TypeAlias = Mapping[str, Any]
NEEDED = ("symbol", "side", "type", "amount", "price")
AMOUNT = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,15})?", re.ASCII)
NOT_ENOUGH = 400


class Trading:
    """Takes orders."""

    FIELDS: ClassVar = frozenset({*NEEDED, "client_order_id", "coinroutes_customer_id"})

    def __init__(self, market: Market, writer: OrderWriter) -> None:
        self._market, self._writer = market, writer

    def create(self, fields: Fields, now: Now) -> object:
        """The order as it stands after what could be done at once."""
        order = _order(fields)
        try:
            placed = self._market.place(order, now)
        except Rejected:
            detail = {"detail": "insufficient balance"}
            raise ZerocapRefused(NOT_ENOUGH, exact.encode(detail).decode(), JSON) from None
        return self._writer.listed_order(placed)


def _order(fields: Fields) -> Order:
    _check_types(fields)
    if fields["side"] not in {"buy", "sell"}:
        raise invalid("side is none of those known")
    if fields["type"] != "limit":
        raise invalid("type is none of those known")
    symbol = _symbol(fields["symbol"])
    quantity = _amount(fields, "amount", symbol.quantity_digits)
    if quantity < symbol.quantity / SMALLEST_SHARE or quantity > symbol.quantity * LARGEST_MULTIPLE:
        raise invalid("amount is out of range")
    return Order(
        order_id="",
        serial=0,
        symbol=symbol,
        side=fields["side"],
        type="limit",
        quantity=quantity,
        price=_amount(fields, "price", symbol.price_digits),
        time_in_force="fok",
        client_id=fields.get("client_order_id") or None,
    )


def _check_types(fields: Fields) -> None:
    for name in NEEDED:
        if name not in fields:
            raise invalid(f"{name} is missing")
    for name, value in fields.items():
        wanted = int if name == "coinroutes_customer_id" else str
        if type(value) is not wanted:
            raise invalid(f"{name} is no {'whole number' if wanted is int else 'text'}")


def _symbol(name: str) -> Symbol:
    if not SYMBOL_TEXT.fullmatch(name):
        raise invalid("symbol has characters that no symbol has")
    if name == SUSPENDED.name:
        raise invalid("symbol is not tradable")
    if name not in SYMBOLS:
        raise invalid("symbol is unknown")
    return SYMBOLS[name]


def _amount(fields: Fields, name: str, digits: int) -> Decimal:
    if not AMOUNT.fullmatch(fields[name]):
        raise invalid(f"{name} is no number")
    value = Decimal(fields[name])
    exponent = value.normalize().as_tuple().exponent
    if value <= 0 or not isinstance(exponent, int) or -exponent > digits:
        raise invalid(f"{name} is no number of {digits} decimals")
    return value
