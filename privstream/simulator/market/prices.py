"""Prices that follow from others: ticks, distances, and what of the market can be had at once."""

from decimal import ROUND_DOWN, Decimal

from privstream.simulator.market.values import Offset, Order, Symbol

DEPTH = 5  # usual quantities that can be had at once
PERCENT = Decimal(100)


def tick(symbol: Symbol) -> Decimal:
    return Decimal(1).scaleb(-symbol.price_digits)


def distant(base: Decimal, offset: Offset, order: Order, *, behind: bool = False) -> Decimal:
    """The price at a distance; a trailing stop stands behind the market."""
    away = offset.value if offset.unit == "quote" else base * offset.value / PERCENT
    if behind and order.side == "sell":
        away = -away
    return (base + away).quantize(tick(order.symbol), ROUND_DOWN)


def depth(order: Order) -> Decimal:
    return DEPTH * order.symbol.quantity


def within(order: Order, price: Decimal) -> Decimal:
    if order.price is None:
        return price
    return min(price, order.price) if order.side == "buy" else max(price, order.price)
