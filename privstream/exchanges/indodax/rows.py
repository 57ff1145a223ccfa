"""Orders, fills and balances as Indodax's REST calls write them, for keys of both kinds.

The one rule: what names a row decides whether it is told; whatever else of it cannot be
read is null. Amounts of a filled order in getOrder (`receive_…`, `fee`) were seen to be 0
and are never taken. Source: https://github.com/btcid/indodax-official-api-docs,
Private-RestAPI.md and INDODAX-TradeAPI-2.md; checked 2026-11-30.
"""

from collections.abc import Iterator
from typing import Any

from privstream.exchanges.indodax import names
from privstream.exchanges.indodax.orders import (
    ENDED,
    Row,
    fill_key,
    identifier,
    identity,
    moment,
    read_cancel_reason,
    readable,
    side_of,
    since_indodax,
)
from privstream.exchanges.kit.side_values import SideValues, not_negative, positive, text_of
from privstream.model.events import Side, Source
from privstream.model.exact import Unreadable, amount, normal, subtract
from privstream.model.reports import AnyReport, BalanceReport, Fill, OrderFields, OrderReport
from privstream.model.times import from_epoch_seconds

# --- histories, of either host -----------------------------------------------------------


def read_ended(row: Row) -> Iterator[AnyReport]:
    """A row of the order history: only orders that have ended are in it."""
    order_id, values = identifier(row["orderId"]), SideValues("order")
    fields = identity(order_id, row, values)
    _read_terms(row, "oriQty", "submitTime", fields, values)
    _read_state(row, fields, values)
    if fields.get("status") not in ENDED:  # it is over, whatever word stands there
        is_whole = normal(fields.get("filled")) == normal(fields.get("quantity")) != ""
        fields["status"] = "filled" if is_whole else "canceled"
    read_cancel_reason(row, fields, values)
    time = values.read("finishTime", moment, row.get("finishTime"))
    yield from _whole(order_id, fields, values, row, time=time, source="rest")


def read_trade(row: Row) -> Iterator[AnyReport]:
    """A row of the trade history: here the price is the real one."""
    trade_id, values = _trade_id(row["tradeId"]), SideValues("trade")
    side: Side = "buy" if _flag(row["isBuyer"]) else "sell"
    order_id = values.read("orderId", text_of, row.get("orderId"))
    named = identity(order_id or "", row, values)
    asset = values.read("commissionAsset", text_of, row.get("commissionAsset"))
    yield Fill(
        trade_id=trade_id,
        key=fill_key(trade_id, side),
        order_id=order_id,
        symbol=named.get("symbol"),
        exchange_symbol=named.get("exchange_symbol"),
        side=side,
        price=values.read("price", not_negative, row.get("price")),
        quantity=values.read("qty", not_negative, row.get("qty")),
        cost=values.read("quoteQty", not_negative, row.get("quoteQty")),
        fee=values.read("commission", amount, row.get("commission")),
        fee_currency=None if asset is None else names.currency(asset),
        client_order_id=named.get("client_order_id"),
        order_type=named.get("order_type"),
        liquidity=values.read("isMaker", _liquidity, row.get("isMaker")),  # type: ignore[arg-type]  # a closed set
        time=values.read("time", moment, row.get("time")),
        source="rest",
        element=row,
    )
    yield from values.notices(row)


def _whole(
    order_id: str,
    fields: OrderFields,
    values: SideValues,
    row: Row,
    *,
    time: str | None,
    source: Source,
) -> Iterator[AnyReport]:
    """A whole order, and what of it could not be read."""
    notices = list(values.notices(row))
    yield OrderReport(
        order_id=order_id,
        fields=readable(fields, notices),
        whole=True,
        time=time,
        source=source,
        element=row,
        is_fixed=True,
    )
    yield from notices


def _trade_id(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return identifier(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise Unreadable("it is neither true nor false")
    return value


def _liquidity(value: object) -> str | None:
    if value is None:
        return None
    return "maker" if _flag(value) else "taker"


def _read_terms(
    row: Row, quantity_key: str, created_key: str, fields: OrderFields, values: SideValues
) -> None:
    if "side" in row:
        fields["side"] = values.read("side", side_of, row["side"])
    fields["quantity"] = values.read(quantity_key, positive, row.get(quantity_key))
    fields["price"] = values.read("price", positive, row.get("price"))
    fields["created"] = values.read(created_key, moment, row.get(created_key))


def _read_state(row: Row, fields: OrderFields, values: SideValues) -> None:
    word = values.read("status", text_of, row.get("status"))
    if word is not None:
        fields["exchange_status"], fields["status"] = word, names.status(word)
    filled = values.read("executedQty", not_negative, row.get("executedQty"))
    if filled is not None:
        fields["filled"] = filled


# --- TAPI v2: open orders, one order, balances -------------------------------------------


def read_v2_order(row: Row, source: Source, *, is_open: bool) -> Iterator[AnyReport]:
    """An order of `openOrders` or `order`; amounts are of the base currency on both sides.

    `stopPrice` stands in the documents' sample of a plain limit order: it is read only where
    the id says that the order is of another kind.
    """
    order_id, values = identifier(row["fullOrderId"]), SideValues("order")
    fields = identity(order_id, row, values)
    if "order_type" not in fields and (kind := values.read("type", text_of, row.get("type"))):
        fields["order_type"] = names.order_type(kind)
    _read_terms(row, "origQty", "time", fields, values)
    if fields.get("order_type") not in {"limit", "market"}:
        fields["stop_price"] = values.read("stopPrice", positive, row.get("stopPrice"))
    _read_state(row, fields, values)
    read_cancel_reason(row, fields, values)
    if is_open and fields.get("status") not in ENDED:
        # It is listed as open, whatever word stands there.
        untouched = fields.get("filled") in {None, "0"}
        fields["status"] = "open" if untouched else "partially_filled"
    untouched = fields.get("status") == "open" and fields.get("filled") == "0"
    time = fields.get("created") if untouched else None
    yield from _whole(order_id, fields, values, row, time=time, source=source)


def read_v2_balance(row: Row, source: Source) -> Iterator[AnyReport]:
    """A balance of `account`."""
    asset, values = identifier(row["asset"]), SideValues("balance")
    yield BalanceReport(
        currency=names.currency(asset),
        exchange_currency=asset,
        available=values.read("free", amount, row.get("free")),
        hold=values.read("locked", amount, row.get("locked")),
        source=source,
        element=row,
    )
    yield from values.notices(row)


# --- keys of the older kind: open orders, one order, balances ----------------------------

V1_SIDES: dict[str, Side] = {"buy": "buy", "sell": "sell"}


def v1_order_id(pair: str, row: Row) -> str:
    """The stream's id of a v1 row, which has only the number at its end."""
    number = row["order_id"]
    text = str(number) if type(number) is int else identifier(number)
    if not text.isdecimal():
        return text
    return f"{names.join(pair)}-{text_of(row.get('order_type')) or 'limit'}-{text}"


def read_open(pair: str, row: Row, source: Source, *, known: bool) -> Iterator[AnyReport]:
    """An open order. v1 tells buy orders in the quote currency: what is known is known better."""
    order_id, values = v1_order_id(pair, row), SideValues("order")
    fields = _read_v1(order_id, pair, row, values)
    filled, sold = fields.get("filled"), "quote_quantity" not in fields
    # Of a list in the quote currency only that nothing was filled is known for sure.
    is_partly = filled not in {None, "0"} or (filled is None and not (sold or values.unread))
    if known and "quote_quantity" in fields:
        # Their fills are told by themselves, and make up the rest.
        fields = {"status": "open"}
    else:
        fields["status"] = "partially_filled" if is_partly else "open"
    time = fields.get("created") if filled == "0" else None
    yield OrderReport(order_id, fields, time=time, source=source, element=row, is_fixed=True)
    yield from values.notices(row)


def read_found(order_id: str, pair: str, row: Row) -> Iterator[AnyReport]:
    """One order that was asked for by its id."""
    values = SideValues("order")
    fields = _read_v1(order_id, pair, row, values)
    word = values.read("status", text_of, row.get("status"))
    if word is not None:
        fields["exchange_status"], fields["status"] = word, names.status(word)
    time = values.read("finish_time", _second, row.get("finish_time"))
    yield OrderReport(order_id, fields, time=time, source="rest", element=row, is_fixed=True)
    yield from values.notices(row)


def _read_v1(order_id: str, pair: str, row: Row, values: SideValues) -> OrderFields:
    fields = identity(order_id, row, values, pair)
    fields["side"] = values.read("type", V1_SIDES.__getitem__, row.get("type"))
    fields["price"] = values.read("price", positive, row.get("price"))
    fields["created"] = values.read("submit_time", _second, row.get("submit_time"))
    base, quote = names.split(pair) or (None, None)
    for coin in (base, quote, "rp"):  # rupiah, as they were called
        if f"order_{coin}" in row:
            _read_v1_amounts(row, coin, fields, values, in_base=coin == base)
            break
    return fields


def _read_v1_amounts(
    row: Row, coin: str | None, fields: OrderFields, values: SideValues, *, in_base: bool
) -> None:
    ordered, left, sold = (
        values.read(f"{key}_{coin}", not_negative, row.get(f"{key}_{coin}"))
        for key in ("order", "remain", "sold")
    )
    fields["quantity" if in_base else "quote_quantity"] = ordered
    if not in_base:
        if ordered is not None and left == ordered:
            fields["filled"] = "0"
        return
    if left is not None:
        fields["remaining"] = left
    if sold is not None:
        fields["filled"] = sold
    elif ordered is not None and left is not None:
        fields["filled"] = values.read("filled", not_negative, subtract(ordered, left))


def _second(value: object) -> str | None:
    return since_indodax(from_epoch_seconds(value))


def read_v1_balance(coin: str, available: Row, hold: Row, source: Source) -> Iterator[AnyReport]:
    """A balance of getInfo, which lists what is free and what is held apart."""
    identifier(coin)
    values = SideValues("balance")
    rows: dict[str, Any] = {"balance": available, "balance_hold": hold}
    element = {key: {coin: row[coin]} for key, row in rows.items() if coin in row}
    yield BalanceReport(
        currency=names.currency(coin),
        exchange_currency=coin,
        available=values.read("balance", amount, available.get(coin)),
        hold=values.read("balance_hold", amount, hold.get(coin)),
        source=source,
        element=element,
    )
    yield from values.notices(element)
