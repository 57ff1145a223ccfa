"""One element of Kraken's v2 channel `executions`: a fill, an order's new state, or both.

The one rule: `order_id` and `exec_id` decide what can be told. Whatever else of an element
cannot be read is unknown, and its other values and its neighbours are read all the same.

Quirks
    * Deltas lack symbol and side; the fills of a snapshot say nothing of how far their order got.
    * A price of type `pct` or `quote` is a distance and no price: what it comes to at the
      market's is told besides (`actual_price`), or not at all.
    * An order without an amount of its own (`settle-position`) has `order_qty` 0.

Source
    docs.kraken.com, WebSocket v2 executions; checked 2026-11-30.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from privstream.exchanges.base import unrecognised
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
from privstream.model.events import Side, Source
from privstream.model.exact import Unreadable, amount
from privstream.model.reports import AnyReport, Fill, OrderFields, OrderReport
from privstream.model.times import from_rfc3339

Element = Mapping[str, Any]
LIQUIDITY: dict[str, Literal["maker", "taker"]] = {"m": "maker", "t": "taker"}
AMOUNTS = (
    ("order_qty", "quantity", positive),
    ("cash_order_qty", "quote_quantity", positive),
    ("cum_qty", "filled", not_negative),
    ("cum_cost", "cost", not_negative),
    ("avg_price", "average_price", positive),
)


def read_execution(
    element: Element, source: Source, sequence: int | None, *, tells_orders: bool
) -> Iterator[AnyReport]:
    """A fill, an order's new state, or both. Raises where it names neither.

    Who streams only fills need not know how far each order got.
    """
    order_id = element.get("order_id")
    if "exec_id" in element or element.get("exec_type") == "trade":
        yield from _fill_of(element, source, sequence)
        if source == "snapshot" or not tells_orders or not isinstance(order_id, str):
            return
    order_id = names.identity(element["order_id"])

    def make(read: Read) -> OrderReport:
        time = read("timestamp", from_rfc3339, element.get("timestamp"))
        fields = _read_order(element, time, read)
        return OrderReport(
            order_id=order_id,
            fields=fields,
            # With a value that could not be read a null does not mean that there is none.
            whole=read is as_it_is and "order_type" in element and "exec_id" not in element,
            time=time,
            source=source,
            sequence=sequence,
            element=element,
        )

    yield from tolerant("order", make, element, sequence)


def _fill_of(element: Element, source: Source, sequence: int | None) -> Iterator[AnyReport]:
    trade_id = element.get("exec_id")
    if isinstance(trade_id, str) and trade_id:
        yield from tolerant(
            "trade", lambda read: _read_fill(trade_id, element, source, sequence, read), element
        )
    else:
        yield unrecognised(element, "cannot read this fill: its exec_id is no text", sequence)


# --- fills -----------------------------------------------------------------------------


def _read_fill(
    trade_id: str, element: Element, source: Source, sequence: int | None, read: Read
) -> Fill:
    fee, fee_currency = read("fees", read_fees, element.get("fees")) or (None, None)
    symbol = element.get("symbol")
    # Positional, since naming the keys would cost a microsecond: see reports.Fill.
    return Fill(
        trade_id,
        read("order_id", text_of, element.get("order_id")),
        read("symbol", names.symbol_or_none, symbol),
        read("symbol", text_of, symbol),
        read("side", side_of, element.get("side")),
        read("last_price", _needed_amount, element.get("last_price")),
        read("last_qty", _needed_amount, element.get("last_qty")),
        read("cost", not_negative, element.get("cost")),
        fee,
        fee_currency,
        read("cl_ord_id", text_of, element.get("cl_ord_id")),
        read("order_type", names.word_or_none, element.get("order_type")),
        read("liquidity_ind", LIQUIDITY.get, element.get("liquidity_ind")),
        (),
        None,
        read("timestamp", from_rfc3339, element.get("timestamp")),
        source,
        sequence,
        element,
    )


def side_of(value: object) -> Side | None:
    """The side. Raises where it is neither of the two."""
    if value is None or value in {"buy", "sell"}:
        return value
    raise Unreadable("no side")


_needed_amount = needed(not_negative)


def read_fees(fees: Any) -> tuple[str | None, str | None]:
    """The fee, where it is charged in one currency; else it cannot be told in one amount."""
    if not fees or len(fees) > 1:
        return None, None
    return amount(fees[0]["qty"]), names.currency(fees[0]["asset"])


# --- orders ----------------------------------------------------------------------------


def _read_order(element: Element, time: str | None, read: Read) -> OrderFields:
    fields: OrderFields = {}
    for wire, key, reader in AMOUNTS:
        if wire in element:
            fields[key] = read(wire, reader, element[wire])  # type: ignore[literal-required]  # keys of OrderFields
    if element.get("exec_type") == "pending_new":
        fields["created"] = time
        fields.setdefault("filled", "0")  # not live yet, and not always said
    if client_id := read("cl_ord_id", text_of, element.get("cl_ord_id")):
        fields["client_order_id"] = client_id
    _read_terms(element, fields, read)
    _read_prices(element, fields, read)
    _read_status(element, fields, read)
    return fields


def _read_terms(element: Element, fields: OrderFields, read: Read) -> None:
    if "symbol" in element:
        fields["exchange_symbol"] = read("symbol", text_of, element["symbol"])
        symbol = fields["symbol"] = read("symbol", names.symbol_or_none, element["symbol"])
        fields["fee_currency"] = names.quote_of(symbol)
    if "side" in element:
        fields["side"] = read("side", side_of, element["side"])
    if "order_type" in element:
        fields["order_type"] = read("order_type", names.word_or_none, element["order_type"])
    is_post_only = read("post_only", _flag, element.get("post_only"))
    force = read("time_in_force", names.word_or_none, element.get("time_in_force"))
    if is_post_only:
        fields["time_in_force"] = "post_only"
    elif is_post_only is False and force is not None:
        fields["time_in_force"] = force


def _flag(value: object) -> bool:
    """A flag, which is left out where it is not set."""
    if value is None or isinstance(value, bool):
        return bool(value)
    raise Unreadable("neither true nor false")


def _read_prices(element: Element, fields: OrderFields, read: Read) -> None:
    if "limit_price" in element:
        is_price = read("limit_price_type", _is_price, element.get("limit_price_type"))
        limit = element["limit_price"]
        fields["price"] = read("limit_price", positive, limit) if is_price else None
    if element.get("triggers"):
        triggers = element["triggers"]
        if (stop := read("triggers", _trigger, triggers)) is not None or _states_price(triggers):
            fields["stop_price"] = stop
    elif "stop_price" in element:  # the deprecated name of the same
        fields["stop_price"] = read("stop_price", positive, element["stop_price"])


def _is_price(kind: object) -> bool:
    """A price of another type is a distance."""
    if kind is not None and not isinstance(kind, str):
        raise Unreadable("no type of a price")
    return kind in {None, "static"}


def _states_price(triggers: Any) -> bool:
    return isinstance(triggers, dict) and "price" in triggers


def _trigger(triggers: Any) -> str | None:
    """What triggers: a price that is a distance has beside it what it comes to, or has not."""
    is_price = _is_price(triggers.get("price_type"))
    return positive(triggers.get("price" if is_price else "actual_price"))


def _read_status(element: Element, fields: OrderFields, read: Read) -> None:
    """The status; where it is not said, or cannot be read, the kind of the element may tell it."""
    reason = read(
        "reason", names.word_or_none, element.get("reason") or element.get("cancel_reason")
    )
    if reason:
        fields["reason"] = reason
    text = read("order_status", text_of, element.get("order_status"))
    if text is None:
        kind = read("exec_type", text_of, element.get("exec_type"))
        text = kind if kind in names.KNOWN_STATES else None
    if text is not None:
        fields["exchange_status"] = text
        fields["status"] = names.status(text, reason)
