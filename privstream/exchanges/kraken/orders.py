"""Orders and trades as Kraken's v1 socket and its REST API write them: the same rows.

The one rule: a row may be partial, so only what stands in it is reported.
Source: protocols/kraken.md sections 3.2, 3.4 and 6 (checked 2026-11-20).
"""

from collections.abc import Mapping
from typing import Any

from privstream.exchanges.kraken import names
from privstream.model.events import Source
from privstream.model.exact import amount, nonzero
from privstream.model.reports import Fill, OrderFields, OrderReport
from privstream.model.times import from_epoch_seconds

Row = Mapping[str, Any]


def read_order(order_id: str, row: Row, pair: str | None, **common: Any) -> OrderReport:
    """A report of a row. `pair` is `XBT/EUR`, or `None` where the row has no description."""
    reason = row.get("cancel_reason") or row.get("reason")
    fields: OrderFields = {}
    _read_progress(row, fields)
    _read_terms(row, fields)
    if "descr" in row:
        _read_description(row, row["descr"], pair, fields)
    if reason:
        fields["reason"] = names.word(reason)
    if "status" in row:
        fields["exchange_status"] = row["status"]
        fields["status"] = names.status(row["status"], fields.get("reason"))
    return OrderReport(order_id=order_id, fields=fields, **common)


def time_of(update: Row) -> str | None:
    """When the update happened, where it says so: v1 in `lastupdated`, REST in `closetm`."""
    time = update.get("lastupdated") or update.get("closetm")
    if time is None and update.get("status") == "pending":
        time = update.get("opentm")
    return from_epoch_seconds(time)


def _read_progress(row: Row, fields: OrderFields) -> None:
    if "vol_exec" in row and not _in_quote(row):
        fields["filled"] = amount(row["vol_exec"])
    if "cost" in row:
        fields["cost"] = amount(row["cost"])
    if "fee" in row:
        fields["fee"] = amount(row["fee"])
    # REST and very old frames call the average "price" (sheet 3.2, 6).
    if "avg_price" in row or "price" in row:
        fields["average_price"] = nonzero(row.get("avg_price", row.get("price")))


def _read_terms(row: Row, fields: OrderFields) -> None:
    if row.get("cl_ord_id"):
        fields["client_order_id"] = row["cl_ord_id"]
    if "opentm" in row:
        fields["created"] = from_epoch_seconds(row["opentm"])
    if "vol" in row:
        in_quote = _in_quote(row)
        fields["quantity"] = None if in_quote else amount(row["vol"])
        fields["quote_quantity"] = amount(row["vol"]) if in_quote else None
    if "post" in _flags(row):
        fields["time_in_force"] = "post_only"
    elif row.get("timeinforce"):
        fields["time_in_force"] = names.word(row["timeinforce"])
    elif from_epoch_seconds(row.get("expiretm")) is not None:  # REST rows tell only the moment
        fields["time_in_force"] = "gtd"


def _read_description(row: Row, descr: Row, pair: str | None, fields: OrderFields) -> None:
    if pair is not None:
        symbol = fields["symbol"] = names.symbol(pair)
        fields["fee_currency"] = names.quote_of(symbol)
    if "pair" in descr:
        fields["exchange_symbol"] = descr["pair"]
    if "type" in descr:
        fields["side"] = descr["type"]
    if "ordertype" in descr:
        kind = fields["order_type"] = names.order_type(descr["ordertype"])
        fields["price"], fields["stop_price"] = _prices(kind, row, descr)


def _prices(kind: str, row: Row, descr: Row) -> tuple[str | None, str | None]:
    """Limit and trigger: `price` is the trigger of a stop order, `price2` then its limit."""
    if kind.startswith("trailing_stop"):  # price and price2 are offsets there
        return nonzero(row.get("limitprice")), nonzero(row.get("stopprice"))
    if kind.startswith(("stop_loss", "take_profit")):
        limit = _price(descr.get("price2")) if kind.endswith("_limit") else None
        return limit, _price(descr.get("price"))
    if kind in {"market", "settle_position"}:
        return None, None
    return _price(descr.get("price")), None


def _price(text: str | None) -> str | None:
    """A price; "+5", "#5" and "-1.5%" are offsets and no prices."""
    is_offset = text is not None and (text[:1] in {"+", "-", "#"} or text.endswith("%"))
    return None if is_offset else nonzero(text)


def _flags(row: Row) -> list[str]:
    return (row.get("oflags") or "").split(",")


def _in_quote(row: Row) -> bool:
    """`viqc`: the volume is in the quote currency."""
    return "viqc" in _flags(row)


def read_trade(trade_id: str, row: Row, pair: str | None, *, source: Source, **common: Any) -> Fill:
    """A fill of a row; `pair` as in `read_order`. The fee is in the quote currency."""
    symbol = None if pair is None else names.symbol(pair)
    maker = row.get("maker")
    return Fill(
        trade_id=trade_id,
        order_id=row["ordertxid"],
        symbol=symbol,
        exchange_symbol=row["pair"],
        side=row["type"],
        price=amount(row["price"]),
        quantity=amount(row["vol"]),
        cost=amount(row["cost"]),
        fee=amount(row["fee"]),
        fee_currency=None if symbol is None else names.quote_of(symbol),
        client_order_id=row.get("cl_ord_id") or None,
        order_type=names.order_type(row["ordertype"]),
        liquidity=None if maker is None else ("maker" if maker else "taker"),
        time=from_epoch_seconds(row["time"]),
        source=source,
        **common,
    )
