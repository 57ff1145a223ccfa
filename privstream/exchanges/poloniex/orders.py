"""Orders and fills, as the channel `orders` pushes them and as REST lists them.

The one rule: order and fill come in one push and are told apart by what the push really
holds; a zero or an empty string in it holds nothing. Ids decide what is told, anything else
that cannot be read is unknown. Source: https://api-docs.poloniex.com/spot/websocket/order
and /spot/api/private/order, checked 2026-11-20.
"""

from collections.abc import Iterator, Mapping
from decimal import Context, Decimal
from typing import Any, cast

from privstream.exchanges.base import unrecognised
from privstream.exchanges.kit.side_values import KeyedValues, not_negative, positive
from privstream.exchanges.poloniex import names
from privstream.exchanges.poloniex.fill_keys import FillKeys
from privstream.model.events import Source
from privstream.model.exact import amount
from privstream.model.reports import AnyReport, Fill, OrderFields, OrderReport
from privstream.model.times import from_millis

Item = Mapping[str, Any]

AVERAGE = Context(prec=18)
"""Digits of an average: a quotient may have no end, and the exchange rounds its own."""
TRADE = "trade"
AT_ONCE = 1000
"""Milliseconds: the pushes of a placement lag some 30 ms behind it."""


# --- the stream ------------------------------------------------------------------------


def read_push(item: Item, keys: FillKeys) -> Iterator[AnyReport]:
    """The fill that a push tells of, if any, and then the order it leaves behind."""
    order_id = names.required(item.get("orderId"), "orderId")
    yield from _read_fill_push(item, order_id, keys)
    values = KeyedValues("order", item)
    yield OrderReport(
        order_id=order_id,
        fields=_read_fields(values, size_in_quote="orderAmount"),
        time=_happened(values),
        element=item,
    )
    yield from values.notices(item)


def _read_fill_push(item: Item, order_id: str, keys: FillKeys) -> Iterator[AnyReport]:
    values = KeyedValues("trade", item)
    trade_id = values.of("tradeId", names.given)
    quantity = values.of("tradeQty", positive)
    is_trade = values.of("eventType", names.word) == TRADE
    if trade_id is None and (is_trade or quantity is not None):
        yield unrecognised(item, "a trade without its id")
    if trade_id is None or not (is_trade or quantity is not None):
        return
    price = values.expected("tradePrice", positive)
    quantity = values.expected("tradeQty", positive)
    millis = values.of("tradeTime", _millis) or values.of("ts", _millis) or 0
    yield Fill(
        trade_id=trade_id,
        key=keys.key(order_id, trade_id, (price, quantity), millis),
        cost=values.of("tradeAmount", positive),
        fee=values.of("tradeFee", amount),
        price=price,
        quantity=quantity,
        time=values.of("tradeTime", from_millis),
        element=item,
        **_common_to_fills(values, order_id),
    )
    yield from values.notices(item)


def _happened(values: KeyedValues) -> str | None:
    """When the order changed: `ts` is the moment of the push, some 30 ms later."""
    if traded := values.of("tradeTime", from_millis):
        return traded
    if values.of("eventType", names.word) == "place" and _is_fresh(values):
        return values.of("createTime", from_millis)
    return values.of("ts", from_millis)


def _is_fresh(values: KeyedValues) -> bool:
    """What is told long after the order was made is a change of it, whatever it is called."""
    created, pushed = values.of("createTime", _millis), values.of("ts", _millis)
    return created is not None and (pushed is None or pushed - created <= AT_ONCE)


# --- REST ------------------------------------------------------------------------------


def read_order(row: Item, source: Source) -> Iterator[AnyReport]:
    """An order of a list, whole as it stands."""
    order_id = names.required(row.get("id"), "id")
    values = KeyedValues("order", row)
    yield OrderReport(
        order_id=order_id,
        fields=_read_fields(values, size_in_quote="amount"),
        time=values.of("updateTime", from_millis) or values.of("createTime", from_millis),
        source=source,
        element=row,
    )
    yield from values.notices(row)


def read_trade(row: Item, keys: FillKeys, source: Source) -> Iterator[AnyReport]:
    """A fill of a list. Its `pageId` is for paging only."""
    trade_id = names.required(row.get("id"), "id")
    order_id = names.required(row.get("orderId"), "orderId")
    values = KeyedValues("trade", row)
    price = values.expected("price", positive)
    quantity = values.expected("quantity", positive)
    yield Fill(
        trade_id=trade_id,
        key=keys.key(order_id, trade_id, (price, quantity), values.of("createTime", _millis) or 0),
        cost=values.of("amount", positive),
        fee=values.of("feeAmount", amount),
        price=price,
        quantity=quantity,
        time=values.of("createTime", from_millis),
        source=source,
        element=row,
        **_common_to_fills(values, order_id),
    )
    yield from values.notices(row)


# --- both ------------------------------------------------------------------------------


def _common_to_fills(values: KeyedValues, order_id: str) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "symbol": values.expected("symbol", names.symbol),
        "exchange_symbol": values.of("symbol", names.text),
        "side": values.expected("side", names.side),
        "fee_currency": values.of("feeCurrency", names.currency),
        "client_order_id": values.of("clientOrderId", names.given),
        "order_type": values.of("type", names.order_type),
        "liquidity": values.of("matchRole", names.liquidity),
    }


def _read_fields(values: KeyedValues, *, size_in_quote: str) -> OrderFields:
    """The order's fields; the fee is left to its fills, which alone state one."""
    filled = values.of("filledQuantity", not_negative)
    cost = values.of("filledAmount", not_negative)
    average = values.of("avgPrice", positive)
    fields = read_terms(values, size_in_quote=size_in_quote) | {
        "filled": filled,
        "cost": cost,
        "average_price": average or average_of(cost, filled),
    }
    return told(fields)


def read_terms(values: KeyedValues, *, size_in_quote: str) -> dict[str, str | None]:
    """What was ordered, and how it stands."""
    quantity = values.of("quantity", positive)
    in_quote = values.of(size_in_quote, positive)
    is_post_only = values.of("type", names.word) == names.POST_ONLY
    return {
        "client_order_id": values.of("clientOrderId", names.given),
        "symbol": values.expected("symbol", names.symbol),
        "exchange_symbol": values.of("symbol", names.text),
        "side": values.expected("side", names.side),
        "order_type": values.of("type", names.order_type),
        "time_in_force": "post_only"
        if is_post_only
        else values.of("timeInForce", names.time_in_force),
        "status": values.expected("state", names.status),
        "exchange_status": values.of("state", names.text),
        "price": values.of("price", positive),
        "quantity": quantity,
        "quote_quantity": in_quote if quantity is None else None,
        "created": values.of("createTime", from_millis),
    }


def told(fields: Mapping[str, str | None]) -> OrderFields:
    """Only what is known."""
    return cast("OrderFields", {key: value for key, value in fields.items() if value is not None})


def average_of(cost: str | None, filled: str | None) -> str | None:
    """`filledAmount` / `filledQuantity`, as the exchange itself defines `avgPrice`."""
    if cost is None or filled is None or "0" in {cost, filled}:
        return None
    quotient = AVERAGE.divide(Decimal(cost), Decimal(filled))
    return positive(format(quotient.normalize(AVERAGE), "f"))


def _millis(value: object) -> int | None:
    found = amount(value)
    return None if found is None else int(found)
