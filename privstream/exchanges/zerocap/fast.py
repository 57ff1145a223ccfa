"""The fast reader of Zerocap: fills with their fee, and orders with theirs, in the newer dialect.

It may read: one order or fill with all that is documented of it, its amounts as numbers. What the
values mean stands in `elements`.
"""

from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

from msgspec import Struct

from privstream.exchanges.kit.fast import (
    ABSENT,
    Ignored,
    Millis,
    Number,
    Text,
    amounts,
    decoder,
    from_millis,
    leave,
    nonzero,
    plain,
    word,
)
from privstream.exchanges.zerocap import names
from privstream.exchanges.zerocap.elements import IMMEDIATE, UNTIMED, doubtful, status_of
from privstream.model.events import Side
from privstream.model.exact import EXACT, Part, normal, unsigned
from privstream.model.reports import AnyReport, Fill, OrderFields, OrderReport


class Trade(Struct, gc=False, forbid_unknown_fields=True):
    """A fill."""

    id: Text
    timestamp: Millis
    symbol: Text
    order: Text
    type: Text
    side: Side
    taker_or_maker: Literal["taker", "maker"]
    price: Number
    amount: Number
    cost: Number
    fee: Number
    client_order_id: str = ABSENT
    order_from: Ignored = None
    counterparty: Ignored = None


class Order(Struct, gc=False, forbid_unknown_fields=True):
    """An order, with all its fills."""

    id: Text
    timestamp: Millis
    status: Text
    symbol: Text
    type: Text
    side: Side
    time_in_force: str
    price: Number
    average: Number
    amount: Number
    filled: Number
    remaining: Number
    fee: Number
    trades: list[Trade]
    error_message: str
    last_trade_timestamp: Millis | None = None
    client_order_id: str = ABSENT
    cost: Ignored = None


class Trades(Struct, tag_field="type", tag="trade", forbid_unknown_fields=True):
    """A frame of the trade channel."""

    data: Trade


class Orders(Struct, tag_field="type", tag="order", forbid_unknown_fields=True):
    """A frame of the order channel."""

    data: Order


decode = decoder(Trades | Orders)


def read(frame: bytes) -> list[AnyReport]:
    """A fill, or an order after its fills: their fees and costs make up the order's."""
    message = decode(frame)
    if isinstance(message, Trades):
        return [_read_fill(message.data, message.data.client_order_id, Part(frame, ("data",)))]
    order: Order = message.data
    reports: list[AnyReport] = [
        _read_fill(
            trade,
            trade.client_order_id or order.client_order_id,
            Part(frame, ("data", "trades", index)),
        )
        for index, trade in enumerate(order.trades)
    ]
    return [*reports, _read_order(order, reports, Part(frame, ("data",)))]


@lru_cache(maxsize=4096)
def market(symbol: str) -> tuple[str | None, str]:
    """The common symbol and Zerocap's own, each time the same two texts."""
    return names.symbol(symbol), symbol


def _id(text: str) -> str:
    return text if text != "0" else leave("no id")


def _client_id(text: str) -> str | None:
    return None if text in {"", "0"} else text


def _read_fill(trade: Trade, client_order_id: str, part: Part) -> Fill:
    price, *sizes, fee = amounts(trade.price, trade.amount, trade.cost, trade.fee)
    quantity, cost = (unsigned(plain(size)) for size in sizes)
    symbol, exchange_symbol = market(trade.symbol)
    return Fill(
        _id(trade.id),
        _id(trade.order),
        symbol,
        exchange_symbol,
        trade.side,
        _price(price) or leave("no price"),
        quantity,
        cost,
        plain(fee),
        None,
        _client_id(client_order_id),
        word(trade.type),
        trade.taker_or_maker,
        doubtful(price, quantity, cost),
        None,
        from_millis(trade.timestamp),
        "stream",
        None,
        part,
        checked=True,
    )


def _price(amount: str) -> str | None:
    return nonzero(amount) if amount[0] != "-" else leave("a price below zero")


# --- orders ----------------------------------------------------------------------------


def _read_order(order: Order, fills: list[Any], part: Part) -> OrderReport:
    fields = _terms(order)
    _read_amounts(order, fields)
    fields["cost"] = _cost(fields, fills)
    fields["exchange_status"] = order.status
    fields["status"] = status_of(word(order.status), fields)
    if order.error_message:
        fields["reason"] = order.error_message
    return OrderReport(
        _id(order.id), fields, time=_moment(order, fields), element=part, checked=True
    )


def _terms(order: Order) -> OrderFields:
    symbol, exchange_symbol = market(order.symbol)
    fields: OrderFields = {
        "exchange_symbol": exchange_symbol,
        "symbol": symbol,
        "side": order.side,
        "order_type": word(order.type),
        "created": from_millis(order.timestamp),
    }
    if (client_order_id := _client_id(order.client_order_id)) is not None:
        fields["client_order_id"] = client_order_id
    if order.time_in_force:
        fields["time_in_force"] = word(order.time_in_force)
    return fields


def _read_amounts(order: Order, fields: OrderFields) -> None:
    quantity, filled, remaining, price, average, fee = amounts(
        order.amount, order.filled, order.remaining, order.price, order.average, order.fee
    )
    fields["quantity"] = unsigned(nonzero(quantity))
    fields["filled"] = unsigned(plain(filled))
    fields["remaining"] = unsigned(plain(remaining))
    fields["price"] = _price(price)
    fields["average_price"] = _price(average)
    fields["fee"] = plain(fee)


def _cost(fields: OrderFields, fills: list[Fill]) -> str | None:
    """The sum of the fills' costs, where they are all there; else what the average comes to."""
    filled, average = fields["filled"], fields["average_price"]
    if filled is None or filled == "0":
        return filled
    if normal(_sum(fill.quantity for fill in fills)) == normal(filled):
        return _sum(fill.cost for fill in fills)
    if average is None:
        return None
    return plain(format(EXACT.multiply(Decimal(average), Decimal(filled)), "f"))


def _sum(texts: Any) -> str:
    total = Decimal(0)
    for text in texts:
        total = EXACT.add(total, Decimal(text))
    return plain(format(total, "f"))


def _moment(order: Order, fields: OrderFields) -> str | None:
    """When it got there: created, or last filled. When it was canceled is not stated."""
    if fields["status"] in UNTIMED and fields.get("time_in_force") not in IMMEDIATE:
        return None
    return from_millis(max(order.timestamp, order.last_trade_timestamp or 0))
