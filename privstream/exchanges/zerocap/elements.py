"""Orders, fills and prices as Zerocap writes them, on the stream and over REST alike.

The one rule: both dialects are read, and only what an element states is reported. Its id
decides whether it is told; anything else that cannot be read is unknown. Source: the pages of
the package zerocap-api, https://pypi.org/project/zerocap-api/, checked 2026-11-30.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import partial, reduce
from typing import Any, TypeVar

from privstream.exchanges.base import each
from privstream.exchanges.kit.side_values import KeyedValues, text_of, word_of
from privstream.exchanges.kit.words import word
from privstream.exchanges.zerocap import names
from privstream.model.events import OrderStatus, Side, Source
from privstream.model.exact import (
    EXACT,
    Malformed,
    Unreadable,
    add,
    amount,
    decode,
    kind_of,
    nonzero,
    normal,
    unsigned,
)
from privstream.model.reports import (
    AnyReport,
    Fill,
    NoticeReport,
    OrderFields,
    OrderReport,
    PriceReport,
)
from privstream.model.times import from_epoch_seconds, from_millis

Row = Mapping[str, Any]
T = TypeVar("T")

IMMEDIATE = frozenset({"fok", "ioc"})
UNTIMED = frozenset({"canceled", "expired"})
ROUNDING = Decimal("0.005")
"""A cost is rounded, in the samples by 0.0002 of it; what is farther off is another price's."""


def read_order_push(
    element: Any, source: Source, *, dated: bool = False
) -> Iterator[AnyReport | NoticeReport]:
    """An order and its fills. The fills come first: their fees and costs make up the order's.

    `dated` gives an order a time also where it does not state when it ended.
    """
    if not isinstance(element, dict):
        raise Unreadable(f"it is {kind_of(element)}, not an object")
    yield from each((element,), partial(_read_fills, source=source))
    yield from each((element,), partial(_read_order, source=source, dated=dated))


def _read_fills(element: Row, *, source: Source) -> Iterator[AnyReport | NoticeReport]:
    read = partial(read_fill, source=source, order=element)
    yield from each(fills_of(element.get("trades")), read)


def fills_of(trades: Any) -> list[Any]:
    """The rows of `trades`, which was not always a list before October 2026."""
    if isinstance(trades, str) and trades:
        trades = _list_in(trades)
    if not trades:
        return []
    if isinstance(trades, dict):
        return [trades] if "id" in trades else list(trades.values())
    if not isinstance(trades, list):
        raise Unreadable(f"it is {kind_of(trades)}, not a list", trades)
    return trades


def _list_in(text: str) -> Any:
    """Fills as JSON in a text."""
    try:
        return decode(text)
    except Malformed:
        raise Unreadable("it is text without a list in it", text) from None


def read_fill(element: Row, *, source: Source, order: Row | None = None) -> Iterator[AnyReport]:
    """A fill, from the trade channel or from inside its order."""
    trade_id = names.identity(element["id"])
    values = _FillValues(element, order or {})
    price, quantity = values.expected("price", names.price), values.expected("amount", size)
    cost = values.of("cost", size)
    yield Fill(
        trade_id=trade_id,
        order_id=values.shared("order", names.id_if_any, "id"),
        symbol=values.shared("symbol", names.symbol),
        exchange_symbol=values.shared("symbol", text_of),
        side=values.shared("side", names.side),
        price=price,
        quantity=quantity,
        cost=cost,
        fee=values.of("fee", amount),
        fee_currency=None,  # nowhere stated
        client_order_id=values.shared("client_order_id", names.id_if_any),
        order_type=values.shared("type", word_of),
        liquidity=values.of("taker_or_maker", names.liquidity)
        or values.of("takerOrMaker", names.liquidity),
        estimated=doubtful(price, quantity, cost),
        time=values.of("timestamp", from_millis),
        source=source,
        element=element,
    )
    yield from values.notices(element)


class _FillValues(KeyedValues):
    """The side values of a fill, some of which its order has too."""

    def __init__(self, element: Row, order: Row) -> None:
        super().__init__("trade", element)
        self._fill, self._order = element, order

    def shared(
        self, key: str, reader: Callable[[Any], T | None], order_key: str | None = None
    ) -> T | None:
        """The fill's own value, or else that of the order around it."""
        value = self._fill.get(key) or self._order.get(order_key or key)
        return None if value is None else self.read(key, reader, value)


def size(value: object) -> str | None:
    """An amount without its sign."""
    return unsigned(amount(value))


def doubtful(price: str | None, quantity: str | None, cost: str | None) -> tuple[str, ...]:
    """The price, where it contradicts the cost: REST may give the order's limit for it."""
    if price is None or quantity is None or cost in {None, "0"}:
        return ()
    stated = Decimal(cost or "0")
    off = abs(Decimal(price) * Decimal(quantity) - stated)
    return ("price",) if off > stated * ROUNDING else ()


def _stated(value: object) -> str:
    text = amount(value)
    if text is None:
        raise Unreadable("an amount is missing")
    return text


# --- orders ----------------------------------------------------------------------------


def _read_order(element: Row, *, source: Source, dated: bool) -> Iterator[AnyReport]:
    order_id = names.identity(element["id"])
    values = KeyedValues("order", element)
    fields: OrderFields = {}
    _read_identity(values, fields)
    _read_amounts(values, fields)
    fields["cost"] = _cost(values, element, fields, source)
    if said := values.expected("status", text_of):
        fields["exchange_status"] = said
        fields["status"] = status_of(word(said), fields)
    if reason := values.of("error_message", text_of):
        fields["reason"] = reason
    yield OrderReport(
        order_id=order_id,
        fields=fields,
        time=_moment(values, fields, dated=dated),
        source=source,
        element=element,
    )
    yield from values.notices(element)


def _read_identity(values: KeyedValues, fields: OrderFields) -> None:
    if client_order_id := values.of("client_order_id", names.id_if_any):
        fields["client_order_id"] = client_order_id
    if exchange_symbol := values.of("symbol", text_of):
        fields["exchange_symbol"] = exchange_symbol
    if symbol := values.of("symbol", names.symbol):
        fields["symbol"] = symbol
    side: Side | None = values.of("side", names.side)
    if side is not None:
        fields["side"] = side
    if kind := values.of("type", word_of):
        fields["order_type"] = kind
    if tif := values.of("time_in_force", word_of):
        fields["time_in_force"] = tif
    if created := values.of("timestamp", from_millis):
        fields["created"] = created


def _read_amounts(values: KeyedValues, fields: OrderFields) -> None:
    quantity = values.of("amount", size)
    fields["quantity"] = None if quantity == "0" else quantity
    fields["filled"] = values.of("filled", size)
    fields["price"] = values.of("price", names.price)
    fields["average_price"] = values.of("average", names.price)
    fields["fee"] = values.of("fee", amount)
    if (remaining := values.of("remaining", size)) is not None:
        fields["remaining"] = remaining


def _cost(values: KeyedValues, element: Row, fields: OrderFields, source: Source) -> str | None:
    """What was filled, in the quote currency. The stream's own `cost` is price times amount."""
    filled, average = fields.get("filled"), fields.get("average_price")
    if filled is None or filled == "0":
        return filled
    if source != "stream" and (stated := unsigned(values.of("cost", nonzero))):
        return stated
    try:
        known = _cost_of_fills(element, filled)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None  # a fill that cannot be read has its own notice
    if known is not None or average is None:
        return known
    return amount(format(EXACT.multiply(Decimal(average), Decimal(filled)), "f"))


def _cost_of_fills(element: Row, filled: str) -> str | None:
    """The sum of the fills' costs, where all of them are in the order. Raises what MALFORMED has."""
    rows = fills_of(element.get("trades"))
    quantity = reduce(add, (unsigned(_stated(row["amount"])) or "0" for row in rows), "0")
    cost = reduce(add, (unsigned(_stated(row["cost"])) or "0" for row in rows), "0")
    return cost if normal(quantity) == normal(filled) else None


def status_of(said: str, fields: OrderFields) -> OrderStatus:
    """The status in our words; `closed` is how every order ends, filled or not."""
    if said != "closed":
        return names.STATUS.get(said, "unknown")
    quantity, filled = fields.get("quantity"), fields.get("filled")
    if quantity is None or filled is None:
        return "unknown"
    return "filled" if Decimal(filled) >= Decimal(quantity) else "canceled"


def _moment(values: KeyedValues, fields: OrderFields, *, dated: bool) -> str | None:
    """When it got there: created, or last filled. When it was canceled is not stated."""
    immediate = fields.get("time_in_force") in IMMEDIATE
    if fields.get("status") in UNTIMED and not immediate and not dated:
        return None
    stamps = (values.of(key, from_millis) for key in ("timestamp", "last_trade_timestamp"))
    return max(filter(None, stamps), default=None)


# --- prices ----------------------------------------------------------------------------


def read_price(element: Row) -> Iterator[AnyReport]:
    """A quote: bids and asks by size. Without its levels or their market it says nothing."""
    values = KeyedValues("price", element)
    symbol = names.identity(element["symbol"])
    yield PriceReport(
        symbol=values.read("symbol", names.symbol, symbol),
        exchange_symbol=symbol,
        bids=_levels(element["bids"]),
        asks=_levels(element["asks"]),
        time=values.of("timestamp", from_epoch_seconds),
        element=element,
    )
    yield from values.notices(element)


def _levels(rows: Any) -> tuple[tuple[str, str], ...]:
    if rows is not None and not isinstance(rows, list):
        raise Unreadable(f"it is {kind_of(rows)}, not a list", rows)
    return tuple((_stated(price), _stated(quantity)) for price, quantity, *_ in rows or ())
