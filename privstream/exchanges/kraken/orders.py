"""Orders and trades as Kraken's v1 socket and its REST API write them: the same rows.

The one rule: a row may be partial, so only what stands in it is reported. Its id decides
whether it is; what else of it cannot be read is unknown.

Quirks
    * `price` is the trigger of a stop order, `price2` then its limit; of a trailing stop both are
      distances. Its `stopprice` is what triggers now, and its `limitprice` the market's peak: only
      a trailing-stop-limit that was triggered has its limit there (ccxt issue 21063).
    * `viqc` among the flags says that the volume is in the quote currency.
    * An order without a volume of its own (`settle-position`) has volume 0.
    * REST, and very old frames, call the average price "price".

Source
    docs.kraken.com, WebSocket v1 openOrders and ownTrades, REST account data; checked 2026-11-30.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from privstream.exchanges.base import MALFORMED
from privstream.exchanges.kit.fast import leave
from privstream.exchanges.kit.side_values import (
    Read,
    as_it_is,
    needed,
    not_negative,
    positive,
    text_of,
    tolerant,
)
from privstream.exchanges.kraken import names
from privstream.exchanges.kraken.executions import side_of
from privstream.model.events import Source
from privstream.model.exact import Unreadable, amount, kind_of
from privstream.model.reports import Fill, NoticeReport, OrderFields, OrderReport
from privstream.model.times import from_epoch_seconds

Row = Mapping[str, Any]


def read_order(
    order_id: str,
    row: Row,
    pair: str | None,
    *,
    update: Row | None = None,
    source: Source,
    sequence: int | None = None,
    element: Any = None,
) -> Iterator[OrderReport | NoticeReport]:
    """A report of a row. `pair` is `XBT/EUR`, or `None` where its name is not known.

    `update` is what was sent of the row now, where that is not all of it.
    """
    names.identity(order_id)
    read_object(row)
    sent = row if update is None else update

    def make(read: Read) -> OrderReport:
        return OrderReport(
            order_id=order_id,
            fields=_read_fields(row, pair, read),
            # With a value that could not be read a null does not mean that there is none.
            whole=read is as_it_is and "vol" in sent and "descr" in sent,
            time=read("lastupdated", from_epoch_seconds, _moment_of(sent)),
            source=source,
            sequence=sequence,
            element=row if element is None else element,
        )

    yield from tolerant("order", make, row if element is None else element, sequence)


def _moment_of(update: Row) -> Any:
    """When the update happened, where it says so: v1 in `lastupdated`, REST in `closetm`."""
    time = update.get("lastupdated") or update.get("closetm")
    if time is None and update.get("status") == "pending":
        return update.get("opentm")
    return time


def _read_fields(row: Row, pair: str | None, read: Read) -> OrderFields:
    fields: OrderFields = {}
    _read_amounts(row, fields, read)
    _read_terms(row, fields, read)
    if "descr" in row:
        _read_description(row, read("descr", read_object, row["descr"]) or {}, pair, fields, read)
    _read_status(row, fields, read)
    return fields


def description_of(terms: Row, pair: str | None) -> OrderFields:
    """What the terms of an order say by themselves, for a fast reader, which leaves odd ones."""
    try:
        fields = _read_fields(terms, pair, as_it_is)
    except MALFORMED:
        leave("odd terms")
    if "viqc" in terms.get("oflags", ""):
        leave("its volume is in the quote currency")
    return fields


def read_object(value: object) -> Row:
    """An object. Raises Unreadable where it is none."""
    if not isinstance(value, dict):
        raise Unreadable(f"it is {kind_of(value)}, not an object", value)
    return value


def _read_amounts(row: Row, fields: OrderFields, read: Read) -> None:
    """The amounts. Without the flags nobody knows which currency a volume is in."""
    flags = read("oflags", _words, row.get("oflags"))
    in_quote = flags is not None and "viqc" in flags
    if "vol_exec" in row and not in_quote:
        filled = read("vol_exec", not_negative, row["vol_exec"])
        fields["filled"] = None if flags is None else filled
    if "vol" in row:
        volume = None if flags is None else read("vol", positive, row["vol"])
        fields["quantity"] = None if in_quote else volume
        fields["quote_quantity"] = volume if in_quote else None
    if "cost" in row:
        fields["cost"] = read("cost", not_negative, row["cost"])
    if "fee" in row:
        fields["fee"] = read("fee", amount, row["fee"])
    if "avg_price" in row or "price" in row:
        average = row.get("avg_price", row.get("price"))
        fields["average_price"] = read("avg_price", positive, average)
    _read_force(row, flags, fields, read)


def _words(text: object) -> tuple[str, ...]:
    """Of a list joined by commas."""
    return tuple((text_of(text) or "").split(","))


def _read_force(row: Row, flags: tuple[str, ...] | None, fields: OrderFields, read: Read) -> None:
    force = read("timeinforce", names.word_or_none, row.get("timeinforce"))
    if flags is None:
        return
    if "post" in flags:
        fields["time_in_force"] = "post_only"
    elif force is not None:
        fields["time_in_force"] = force
    elif read("expiretm", from_epoch_seconds, row.get("expiretm")) is not None:
        fields["time_in_force"] = "gtd"  # REST rows tell only the moment


def _read_terms(row: Row, fields: OrderFields, read: Read) -> None:
    if client_id := read("cl_ord_id", text_of, row.get("cl_ord_id")):
        fields["client_order_id"] = client_id
    if "opentm" in row:
        fields["created"] = read("opentm", from_epoch_seconds, row["opentm"])


def _read_description(
    row: Row, descr: Row, pair: str | None, fields: OrderFields, read: Read
) -> None:
    if pair is not None:
        symbol = fields["symbol"] = read("pair", names.symbol, pair)
        fields["fee_currency"] = names.quote_of(symbol)
    if "pair" in descr:
        fields["exchange_symbol"] = read("pair", text_of, descr["pair"])
    if "type" in descr:
        fields["side"] = read("type", side_of, descr["type"])
    if "ordertype" in descr:
        kind = fields["order_type"] = read("ordertype", _order_type, descr["ordertype"])
        if kind is not None:
            fields["price"] = read("price", lambda row: _limit(kind, row, descr), row)
            fields["stop_price"] = read("stopprice", lambda row: _stop(kind, row, descr), row)


def _order_type(text: Any) -> str | None:
    return None if (plain := names.word_or_none(text)) is None else names.order_type(plain)


def _limit(kind: str, row: Row, descr: Row) -> str | None:
    if kind in {"market", "settle_position"}:
        return None
    if kind.startswith("trailing_stop"):
        has_limit = kind.endswith("_limit") and _was_triggered(row)
        return positive(row.get("limitprice")) if has_limit else None
    if kind.startswith(("stop_loss", "take_profit")):
        return _price(descr.get("price2")) if kind.endswith("_limit") else None
    return _price(descr.get("price"))


def _stop(kind: str, row: Row, descr: Row) -> str | None:
    if kind.startswith("trailing_stop"):
        return positive(row.get("stopprice"))
    if kind.startswith(("stop_loss", "take_profit")):
        return _price(descr.get("price"))
    return None


def _was_triggered(row: Row) -> bool:
    return bool({"stopped", "touched"} & {*_words(row.get("misc"))})


def _price(text: Any) -> str | None:
    """A price; "+5", "#5" and "-1.5%" are offsets and no prices."""
    is_offset = isinstance(text, str) and (text[:1] in {"+", "-", "#"} or text.endswith("%"))
    return None if is_offset and text else positive(text)


def _read_status(row: Row, fields: OrderFields, read: Read) -> None:
    said = row.get("cancel_reason") or row.get("reason")
    if (reason := read("reason", names.word_or_none, said)) is not None:
        fields["reason"] = reason
    if (status := read("status", text_of, row.get("status"))) is not None:
        fields["exchange_status"] = status
        fields["status"] = names.status(status, reason)


# --- trades ----------------------------------------------------------------------------


def read_trade(
    trade_id: str,
    row: Row,
    pair: str | None,
    *,
    source: Source,
    sequence: int | None = None,
    element: Any = None,
) -> Iterator[Fill | NoticeReport]:
    """A fill of a row; `pair` as in `read_order`. The fee is in the quote currency."""
    names.identity(trade_id)
    read_object(row)

    def make(read: Read) -> Fill:
        symbol = read("pair", names.symbol_or_none, pair)
        return Fill(
            trade_id=trade_id,
            order_id=read("ordertxid", text_of, row.get("ordertxid")),
            symbol=symbol,
            exchange_symbol=read("pair", text_of, row.get("pair")),
            side=read("type", side_of, row.get("type")),
            price=read("price", _needed_amount, row.get("price")),
            quantity=read("vol", _needed_amount, row.get("vol")),
            cost=read("cost", not_negative, row.get("cost")),
            fee=read("fee", amount, row.get("fee")),
            fee_currency=names.quote_of(symbol),
            client_order_id=read("cl_ord_id", text_of, row.get("cl_ord_id")),
            order_type=read("ordertype", _order_type, row.get("ordertype")),
            liquidity=read("maker", _liquidity, row.get("maker")),
            time=read("time", from_epoch_seconds, row.get("time")),
            source=source,
            sequence=sequence,
            element=row if element is None else element,
        )

    yield from tolerant("trade", make, row if element is None else element, sequence)


_needed_amount = needed(not_negative)


def _liquidity(maker: object) -> Any:
    """REST says who made it; v1 does not."""
    if maker not in {None, True, False}:
        raise Unreadable("neither true nor false")
    return None if maker is None else ("maker" if maker else "taker")
