"""Orders and fills, as the channel `orders` pushes them and as REST lists them.

The one rule: order and fill come in one push and are told apart by what the push really
holds; a zero or an empty string in it holds nothing. Source: protocols/poloniex.md
sections 4 and 6 (checked 2026-11-20).
"""

from collections.abc import Iterator, Mapping
from decimal import Context, Decimal
from typing import Any, Literal, cast

from privstream.exchanges.base import unrecognised
from privstream.exchanges.poloniex import names
from privstream.exchanges.poloniex.fill_keys import FillKeys
from privstream.model.events import Source
from privstream.model.exact import amount
from privstream.model.reports import AnyReport, Fill, OrderFields, OrderReport
from privstream.model.times import from_millis

Item = Mapping[str, Any]

LIQUIDITY: dict[str, Literal["maker", "taker"]] = {"maker": "maker", "taker": "taker"}
AVERAGE = Context(prec=18)
"""Digits of an average: a quotient may have no end, and the exchange rounds its own."""


# --- the stream ------------------------------------------------------------------------


def read_push(item: Item, keys: FillKeys) -> Iterator[AnyReport]:
    """The fill that a push tells of, if any, and then the order it leaves behind."""
    trade_id = names.given(item.get("tradeId"))
    if trade_id is not None and names.nonzero(item.get("tradeQty")):
        yield _read_fill_push(item, trade_id, keys)
    elif names.word(item["eventType"]) == "trade":
        yield unrecognised(item, "a trade without its id or quantity")
    yield OrderReport(
        order_id=names.required(item.get("orderId"), "orderId"),
        fields=_read_fields(item, size_in_quote=item.get("orderAmount"), average=None),
        time=_happened(item),
        element=item,
    )


def _read_fill_push(item: Item, trade_id: str, keys: FillKeys) -> Fill:
    order_id = names.required(item.get("orderId"), "orderId")
    price, quantity = names.nonzero(item["tradePrice"]), names.size(item["tradeQty"])
    return Fill(
        trade_id=trade_id,
        key=keys.key(order_id, trade_id, (price, quantity), _millis(item["tradeTime"])),
        cost=names.nonzero(item.get("tradeAmount")),
        fee=amount(item.get("tradeFee")),
        price=price,
        quantity=quantity,
        time=from_millis(item["tradeTime"]),
        element=item,
        **_common_to_fills(item, order_id),
    )


def _happened(item: Item) -> str | None:
    """When the order changed: `ts` is the moment of the push, some 30 ms later."""
    if traded := from_millis(item.get("tradeTime")):
        return traded
    if names.word(item["eventType"]) == "place":
        return from_millis(item["createTime"])
    return from_millis(item.get("ts"))


# --- REST ------------------------------------------------------------------------------


def read_order(row: Item, source: Source) -> OrderReport:
    """An order of a list, whole as it stands."""
    return OrderReport(
        order_id=names.required(row.get("id"), "id"),
        fields=_read_fields(row, size_in_quote=row.get("amount"), average=row.get("avgPrice")),
        time=from_millis(row.get("updateTime")) or from_millis(row.get("createTime")),
        source=source,
        element=row,
    )


def read_trade(row: Item, keys: FillKeys, source: Source) -> Fill:
    """A fill of a list. Its `pageId` is for paging only."""
    order_id = names.required(row.get("orderId"), "orderId")
    trade_id = names.required(row.get("id"), "id")
    price, quantity = names.nonzero(row["price"]), names.size(row["quantity"])
    return Fill(
        trade_id=trade_id,
        key=keys.key(order_id, trade_id, (price, quantity), _millis(row["createTime"])),
        cost=names.nonzero(row.get("amount")),
        fee=amount(row.get("feeAmount")),
        price=price,
        quantity=quantity,
        time=from_millis(row["createTime"]),
        source=source,
        element=row,
        **_common_to_fills(row, order_id),
    )


# --- both ------------------------------------------------------------------------------


def _common_to_fills(item: Item, order_id: str) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "symbol": names.symbol(item["symbol"]),
        "exchange_symbol": item["symbol"],
        "side": names.side(item["side"]),
        "fee_currency": names.currency(item.get("feeCurrency")),
        "client_order_id": names.given(item.get("clientOrderId")),
        "order_type": names.order_type(names.required(item["type"], "type")),
        "liquidity": LIQUIDITY.get(names.word(item.get("matchRole") or "")),
    }


def _read_fields(item: Item, *, size_in_quote: Any, average: Any) -> OrderFields:
    """The order's fields; the fee is left to its fills, which alone state one."""
    kind, state = names.required(item["type"], "type"), names.required(item["state"], "state")
    quantity = names.nonzero(item.get("quantity"))
    filled, cost = names.size(item.get("filledQuantity")), names.size(item.get("filledAmount"))
    fields = {
        "client_order_id": names.given(item.get("clientOrderId")),
        "symbol": names.symbol(item["symbol"]),
        "exchange_symbol": item["symbol"],
        "side": names.side(item["side"]),
        "order_type": names.order_type(kind),
        "time_in_force": names.time_in_force(kind, item.get("timeInForce")),
        "status": names.status(state),
        "exchange_status": state,
        "price": names.nonzero(item.get("price")),
        "quantity": quantity,
        "quote_quantity": names.nonzero(size_in_quote) if quantity is None else None,
        "filled": filled,
        "cost": cost,
        "average_price": names.nonzero(average) or _average(cost, filled),
        "created": from_millis(item.get("createTime")),
    }
    told = {key: value for key, value in fields.items() if value is not None}
    return cast("OrderFields", told)


def _average(cost: str | None, filled: str | None) -> str | None:
    """`filledAmount` / `filledQuantity`, as the exchange itself defines `avgPrice`."""
    if cost is None or filled is None or "0" in {cost, filled}:
        return None
    quotient = AVERAGE.divide(Decimal(cost), Decimal(filled))
    return names.nonzero(format(quotient.normalize(AVERAGE), "f"))


def _millis(value: object) -> int:
    return int(amount(value) or 0)
