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

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, TypeAlias, TypeGuard

from privstream.exchanges.base import MALFORMED, unrecognised
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
from privstream.model.exact import Number, Unreadable, amount
from privstream.model.reports import AnyReport, Fill, OrderFields, OrderReport
from privstream.model.times import from_rfc3339

Element = Mapping[str, Any]
Table: TypeAlias = tuple[tuple[str, Callable[[Any], Any]], ...]
"""Keys, and how their values are read."""
Liquidity: TypeAlias = Literal["maker", "taker"]
LIQUIDITY: dict[str, Liquidity] = {"m": "maker", "t": "taker"}


def read_execution(
    element: Element, source: Source, sequence: int | None, *, tells_orders: bool
) -> Iterator[AnyReport]:
    """A fill, an order's new state, or both. Raises where it names neither.

    Who streams only fills need not know how far each order got.
    """
    is_fill = "exec_id" in element or element.get("exec_type") == "trade"
    has_order = not is_fill or (source != "snapshot" and tells_orders)
    try:  # hardly ever is anything odd, and a burst of fills takes the short way
        return iter(_plainly(element, source, sequence, is_fill=is_fill, has_order=has_order))
    except MALFORMED:
        return _oddly(element, source, sequence, is_fill=is_fill, has_order=has_order)


def _plainly(
    element: Element, source: Source, sequence: int | None, *, is_fill: bool, has_order: bool
) -> Iterable[AnyReport]:
    reports: list[AnyReport] = []
    if is_fill:
        trade_id = names.identity(element["exec_id"])
        reports.append(_read_fill(trade_id, element, source, sequence, as_it_is))
    if has_order:
        order_id = names.identity(element["order_id"])
        reports.append(_order_report(order_id, element, source, sequence, as_it_is))
    return reports


def _oddly(
    element: Element, source: Source, sequence: int | None, *, is_fill: bool, has_order: bool
) -> Iterator[AnyReport]:
    order_id = element.get("order_id")
    if is_fill:
        yield from _fill_of(element, source, sequence)
        has_order = has_order and _is_id(order_id)
    if has_order:
        named = names.identity(element["order_id"])
        yield from tolerant(
            "order",
            lambda read: _order_report(named, element, source, sequence, read),
            element,
            sequence,
        )


def _fill_of(element: Element, source: Source, sequence: int | None) -> Iterator[AnyReport]:
    trade_id = element.get("exec_id")
    if _is_id(trade_id):
        yield from tolerant(
            "trade",
            lambda read: _read_fill(trade_id, element, source, sequence, read),
            element,
            sequence,
        )
    else:
        yield unrecognised(element, "cannot read this fill: its exec_id is no text", sequence)


def _values(table: Table, element: Element, read: Read) -> list[Any]:
    """The values of these keys, as their readers have them."""
    if read is as_it_is:
        return [reader(element.get(key)) for key, reader in table]
    return [read(key, reader, element.get(key)) for key, reader in table]


def _is_id(value: object) -> TypeGuard[str]:
    """A text that is not empty; a number with a point is none, though its digits are kept so."""
    return isinstance(value, str) and value.strip() != "" and not isinstance(value, Number)


# --- fills -----------------------------------------------------------------------------


def _read_fill(
    trade_id: str, element: Element, source: Source, sequence: int | None, read: Read
) -> Fill:
    fee, fee_currency = read("fees", read_fees, element.get("fees")) or (None, None)
    # Positional, since naming the keys would cost a microsecond: see reports.Fill.
    values = [
        trade_id,
        *_values(TRADED, element, read),
        fee,
        fee_currency,
        *_values(DESCRIBED, element, read),
        (),
        None,
        read("timestamp", from_rfc3339, element.get("timestamp")),
        source,
        sequence,
        element,
    ]
    return Fill(*values)


def side_of(value: object) -> Side | None:
    """The side. Raises where it is neither of the two."""
    if value is None or value in {"buy", "sell"}:
        return value
    raise Unreadable("no side")


def _liquidity(value: object) -> Liquidity | None:
    """Maker or taker. Raises where it is another letter."""
    letter = text_of(value)
    return None if letter is None else LIQUIDITY[letter]


def read_fees(fees: Any) -> tuple[str | None, str | None]:
    """The fee, where it is charged in one currency; else it cannot be told in one amount."""
    if not fees:
        return None, None
    if not isinstance(fees, list):
        raise Unreadable("no list of fees")
    if len(fees) > 1:
        return None, None
    return amount(fees[0]["qty"]), names.currency(fees[0]["asset"])


TRADED: Table = (
    ("order_id", text_of),
    ("symbol", names.symbol_or_none),
    ("symbol", text_of),
    ("side", side_of),
    ("last_price", needed(not_negative)),
    ("last_qty", needed(not_negative)),
    ("cost", not_negative),
)
"""What a Fill begins with, after its id."""
DESCRIBED: Table = (
    ("cl_ord_id", text_of),
    ("order_type", names.word_or_none),
    ("liquidity_ind", _liquidity),
)
"""What follows its fee."""

# --- orders ----------------------------------------------------------------------------

TERMS = (
    ("order_qty", "quantity", positive),
    ("cash_order_qty", "quote_quantity", positive),
    ("cum_qty", "filled", not_negative),
    ("cum_cost", "cost", not_negative),
    ("avg_price", "average_price", positive),
    ("symbol", "exchange_symbol", text_of),
    ("symbol", "symbol", names.symbol_or_none),
    ("side", "side", side_of),
    ("order_type", "order_type", names.word_or_none),
)


def _order_report(
    order_id: str, element: Element, source: Source, sequence: int | None, read: Read
) -> OrderReport:
    time = read("timestamp", from_rfc3339, element.get("timestamp"))
    # With a value that could not be read a null does not mean that there is none.
    whole = read is as_it_is and "order_type" in element and "exec_id" not in element
    fields = _read_order(element, time, read)
    return OrderReport(order_id, fields, whole, time, source, sequence, element)


def _read_order(element: Element, time: str | None, read: Read) -> OrderFields:
    fields: OrderFields = {}
    for wire, key, reader in TERMS:
        if wire in element:
            fields[key] = read(wire, reader, element[wire])  # type: ignore[literal-required]  # keys of OrderFields
    if "symbol" in element:
        fields["fee_currency"] = names.quote_of(fields["symbol"])
    if read("exec_type", text_of, element.get("exec_type")) == "pending_new":
        fields["created"] = time
        fields.setdefault("filled", "0")  # not live yet, and not always said
    if client_id := read("cl_ord_id", text_of, element.get("cl_ord_id")):
        fields["client_order_id"] = client_id
    if "post_only" in element or "time_in_force" in element:
        _read_force(element, fields, read)
    _read_prices(element, fields, read)
    _read_status(element, fields, read)
    return fields


def _read_force(element: Element, fields: OrderFields, read: Read) -> None:
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
    """A price of another type is a distance. Raises where it is of none that is known."""
    if kind not in {None, "static", "pct", "quote"}:
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
