"""Rows of positions, the same on the socket and over REST but for their times.

The one rule: profit, liquidation price and leverage are null until they were calculated.
"""

from decimal import Decimal
from typing import Any

from privstream.model.exact import Number
from privstream.simulator.bitfinex.margin import COLLATERAL, DECAY, MINIMUM, Position
from privstream.simulator.bitfinex.wallets import trade_meta
from privstream.simulator.bitfinex.words import DOUBLE, MARGIN_CURRENCIES, millis, number
from privstream.simulator.market import ZERO

Row = list[Any]
MARGIN, DERIVATIVES = 0, 1


def position_row(position: Position, *, with_times: bool) -> Row:
    derivative = position.pair.symbol.base.endswith("F0")
    return [
        position.pair.code,
        "ACTIVE" if position.amount else "CLOSED",
        number(position.amount),
        number(position.base_price),
        0,
        0,
        *_valuation(position),
        None,
        position.position_id,
        millis(position.created_ns) if with_times else None,
        millis(position.updated_ns) if with_times else None,
        None,
        DERIVATIVES if derivative else MARGIN,
        None,
        number(position.worth * COLLATERAL) if derivative else 0,
        _minimum(position, derivative=derivative),
        _meta(position),
    ]


def _valuation(position: Position) -> tuple[Number | None, ...]:
    """Profit, per cent of it, liquidation price, leverage."""
    if position.profit is None or not position.amount:
        return (None,) * 4
    percent = DOUBLE.divide(100 * position.profit, position.worth)
    distance = DECAY if position.amount > 0 else 2 - DECAY
    backing = MARGIN_CURRENCIES[position.pair.symbol.quote].opening
    # "Beta" at Bitfinex, and of a derivatives position hardly above zero.
    leverage = DOUBLE.divide(position.worth, backing)
    if position.pair.symbol.base.endswith("F0"):
        leverage = leverage.scaleb(-7)
    return tuple(
        number(DOUBLE.plus(value))
        for value in (position.profit, percent, position.base_price * distance, leverage)
    )


def _minimum(position: Position, *, derivative: bool) -> Number | int | None:
    if position.profit is None:
        return None
    return number(position.worth * MINIMUM) if derivative else 0


def _meta(position: Position) -> dict[str, Any]:
    told = trade_meta(position.trade)
    orders = {"order_id": told["order_id"], "order_id_oppo": told["order_id_oppo"]}
    price, amount = told["trade_price"], told["trade_amount"]
    last = {"liq_stage": None, "trade_price": price, "trade_amount": amount}
    return {"reason": "TRADE", **orders, **last}


def margin_base(profit: Decimal, balance: Decimal) -> Row:
    """`miu` for the whole margin wallet."""
    figures = (profit, ZERO, balance, balance + profit, ZERO)
    return ["base", [number(DOUBLE.plus(figure)) for figure in figures]]


def margin_symbol(code: str, balance: Decimal, price: Decimal) -> Row:
    """`miu` for one pair."""
    tradable = number(DOUBLE.plus(balance * 3))
    amount = number(DOUBLE.divide(balance * 3, price))
    return ["sym", code, [tradable, tradable, amount, amount, None, None, None, None]]
