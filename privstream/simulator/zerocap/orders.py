"""Orders and fills as pushes and as rows of REST, in both dialects.

The one rule: who takes liquidity is told with the worst price that was allowed, so
that `price` and `average` differ as they do in the samples, and so do the `cost` of
a push (that price times the whole amount) and that of a row (what was really paid).
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from privstream.model import exact
from privstream.simulator.market import ZERO, Books, Order, Trade
from privstream.simulator.zerocap.words import (
    Dialect,
    TradePrice,
    number,
    order_type,
    plain,
    status,
    whole_second,
)

Element = dict[str, Any]
ALLOWED_SLIP = Decimal("0.01")
AVERAGE_DIGITS = 4  # more than the price has
ORDER_FROM = "coinroutes"
COUNTERPARTIES = ("Example Liquidity", "Invented Markets", "Nobody & Sons")
INNARDS_EVERY, LOOSE_EVERY = 5, 4


class OrderWriter:
    """Tells of orders and fills as they stood at a moment."""

    def __init__(self, books: Books, dialect: Dialect, rest_trade_price: TradePrice) -> None:
        self._books, self._is_old = books, dialect == "old"
        self._rest_trade_price = rest_trade_price

    # --- the socket --------------------------------------------------------------------

    def pushed_order(self, order: Order) -> Element:
        trades = [self._pushed_fill(trade) for trade in self._fills(order)]
        fields = self._order(order) | {
            "cost": number(self._price(order) * order.quantity),
            "error_message": _problem(order),
            "fee": self._pushed_fee(order.fee),
            "trades": _loosely(trades, order.serial) if self._is_old else trades,
        }
        if self._is_old and order.serial % INNARDS_EVERY == 0:
            # It leaked until October 2026; what was in it is not documented.
            fields["internal_extra_data"] = {"counterparty": _counterparty(order)}
        return fields

    def pushed_trade(self, trade: Trade) -> Element:
        fields = self._trade(trade, trade.price)
        if not self._is_old:
            client_id = trade.order.client_id or ""
            return fields | {"fee": number(trade.fee), "client_order_id": client_id}
        renamed = {"taker_or_maker": "takerOrMaker"}
        fields = {renamed.get(key, key): value for key, value in fields.items()}
        fields["timestamp"] = str(fields["timestamp"])
        return fields | {"orderFrom": ORDER_FROM, "counterparty": _counterparty(trade.order)}

    def _pushed_fill(self, trade: Trade) -> Element:
        fields = self._trade(trade, trade.price)
        if self._is_old:
            fields |= {"order_from": ORDER_FROM, "counterparty": _counterparty(trade.order)}
        return fields | {"fee": self._pushed_fee(trade.fee)}

    def _pushed_fee(self, fee: Decimal) -> object:
        return plain(fee) if self._is_old else number(fee)

    # --- REST --------------------------------------------------------------------------

    def listed_order(self, order: Order) -> Element:
        return self._order(order) | {
            "cost": number(order.cost),
            "fee": number(order.fee),
            "error_message": _problem(order),
            "client_order_id": order.client_id or "",
            "trades": [self._listed_fill(trade) for trade in self._fills(order)],
        }

    def _listed_fill(self, trade: Trade) -> Element:
        executed = self._rest_trade_price == "executed"
        fields = self._trade(trade, trade.price if executed else self._price(trade.order))
        if not self._is_old:
            return fields | {"fee": number(trade.fee)}
        fields |= {"order_from": ORDER_FROM, "fee": number(trade.fee)}
        return fields | {"counterparty": _counterparty(trade.order)}

    # --- both --------------------------------------------------------------------------

    def _order(self, order: Order) -> Element:
        fills = self._fills(order)
        last = fills[-1].time_ns if fills else order.created_ns
        return {
            "id": order.order_id,
            "timestamp": whole_second(order.created_ns),
            "last_trade_timestamp": whole_second(last),
            "status": status(order),
            "symbol": order.symbol.name,
            "type": order_type(order),
            "time_in_force": self._time_in_force(order),
            "side": order.side,
            "price": number(self._price(order)),
            "average": number(_average(order, fills)),
            "amount": number(order.quantity),
            "filled": number(order.filled),
            "remaining": number(order.remaining),
        }

    def _trade(self, trade: Trade, price: Decimal) -> Element:
        order = trade.order
        return {
            "id": trade.trade_id,
            "timestamp": whole_second(trade.time_ns),
            "symbol": order.symbol.name,
            "order": order.order_id,
            "type": order_type(order),
            "side": order.side,
            "taker_or_maker": "maker" if trade.maker else "taker",
            "price": number(price),
            "amount": number(trade.quantity),
            "cost": number(trade.cost),
        }

    def _fills(self, order: Order) -> list[Trade]:
        trades = self._books.trades
        return [trades[trade_id] for trade_id in order.trades if trade_id in trades]

    def _end(self, order: Order) -> Order:
        """As the order stands now: one that takes is over before anybody is told of it."""
        return self._books.orders.get(order.order_id, order)

    def _price(self, order: Order) -> Decimal:
        if not _takes(order):
            return order.price or ZERO
        fills = self._fills(self._end(order))
        price = order.price or (fills[0].price if fills else ZERO)
        slip = ALLOWED_SLIP if order.side == "buy" else -ALLOWED_SLIP
        return (price * (1 + slip)).quantize(Decimal(1).scaleb(-order.symbol.price_digits))

    def _time_in_force(self, order: Order) -> str:
        if _takes(order):
            return "FOK" if self._end(order).status == "filled" else "IOC"
        return order.time_in_force.upper()


def _problem(order: Order) -> str:
    """Why an order for all or nothing got nothing; the words are not documented."""
    killed = order.time_in_force == "fok" and order.reason == "unfilled"
    return "order could not be filled at this price" if killed else ""


def _takes(order: Order) -> bool:
    return order.type == "market" or order.time_in_force == "ioc"


def _average(order: Order, fills: Sequence[Trade]) -> Decimal:
    if not fills:
        return ZERO
    paid = sum((fill.price * fill.quantity for fill in fills), ZERO)
    cent = Decimal(1).scaleb(-order.symbol.price_digits - AVERAGE_DIGITS)
    return (paid / order.filled).quantize(cent)


def _counterparty(order: Order) -> str:
    return COUNTERPARTIES[order.serial % len(COUNTERPARTIES)]


def _loosely(trades: list[Element], serial: int) -> object:
    """Not always a list, as the notes to 0.1.36 admit without saying what else."""
    if serial % LOOSE_EVERY:
        return trades
    if len(trades) == 1:
        return trades[0]
    return exact.encode(trades).decode() if trades else None
