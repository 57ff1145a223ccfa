"""Orders, fills and prices as Zerocap writes them, on the stream and over REST alike.

The one rule: both dialects are read, and only what an element states is reported.
Source: protocols/zerocap.md sections 3 and 4 (checked 2026-11-20).
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import partial, reduce
from typing import Any, Literal

from privstream.exchanges.base import each
from privstream.model.events import OrderStatus, Side, Source
from privstream.model.exact import EXACT, add, amount, decode, nonzero, normal, unsigned
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

# Only `open` and `closed` are documented; the others mean what they say if they come.
_STATUS: dict[str, OrderStatus] = {
    "pending": "pending",
    "open": "open",
    "partially_filled": "partially_filled",
    "filled": "filled",
    "canceled": "canceled",
    "cancelled": "canceled",
    "expired": "expired",
    "rejected": "rejected",
}
IMMEDIATE = frozenset({"fok", "ioc"})
UNTIMED = frozenset({"canceled", "expired"})
_SIDES: dict[str, Side] = {"buy": "buy", "sell": "sell"}
ROUNDING = Decimal("0.005")
"""A cost is rounded, in the samples by 0.0002 of it; what is farther off is another price's."""
_LIQUIDITY: dict[str, Literal["maker", "taker"]] = {"maker": "maker", "taker": "taker"}


def word(text: str) -> str:
    """Lower case, joined by underscores: `FOK` is `fok`."""
    return "_".join(text.replace("-", " ").lower().split())


def identity(value: object) -> str:
    """An id as text. Raises ValueError where there is none."""
    if isinstance(value, bool) or not isinstance(value, str | int) or not value:
        raise ValueError("the id is missing")
    return str(value)


def _id_if_any(value: object) -> str | None:
    """An id as text; zero and "" mean that there is none."""
    return identity(value) if value else None


def _side(text: str) -> Side:
    if (side := _SIDES.get(text.lower())) is None:
        raise ValueError("no side that is known")
    return side


def read_order_push(
    element: Any, source: Source, *, dated: bool = False
) -> Iterator[AnyReport | NoticeReport]:
    """An order and its fills. The fills come first: their fees and costs make up the order's.

    `dated` gives an order a time also where it does not state when it ended.
    """
    if not isinstance(element, dict):
        raise TypeError("no object")
    yield from each((element,), partial(_read_fills, source=source))
    yield from each((element,), partial(_read_order, source=source, dated=dated))


def _read_fills(element: Row, *, source: Source) -> Iterator[AnyReport | NoticeReport]:
    read = partial(read_fill, source=source, order=element)
    yield from each(fills_of(element.get("trades")), read)


def fills_of(trades: Any) -> list[Any]:
    """The rows of `trades`, which was not always a list before October 2026."""
    if isinstance(trades, str) and trades:
        trades = decode(trades)
    if not trades:
        return []
    if isinstance(trades, dict):
        return [trades] if "id" in trades else list(trades.values())
    if not isinstance(trades, list):
        raise TypeError("trades are no list")
    return trades


def read_fill(element: Row, *, source: Source, order: Row | None = None) -> Iterator[Fill]:
    """A fill, from the trade channel or from inside its order."""
    around: Row = order or {}
    client_order_id = element.get("client_order_id") or around.get("client_order_id")
    symbol = element.get("symbol") or around.get("symbol")
    kind = element.get("type") or around.get("type")
    side = element.get("side") or around.get("side")
    liquidity = element.get("taker_or_maker") or element.get("takerOrMaker")
    price, quantity = _price(element["price"]), unsigned(_stated(element["amount"]))
    cost = unsigned(amount(element.get("cost")))
    yield Fill(
        trade_id=identity(element["id"]),
        order_id=_id_if_any(element.get("order") or around.get("id")),
        symbol=symbol.upper() if symbol else None,
        exchange_symbol=symbol or None,
        side=_side(side) if side else None,
        price=price,
        quantity=quantity,
        cost=cost,
        fee=amount(element.get("fee")),
        fee_currency=None,  # nowhere stated
        client_order_id=_id_if_any(client_order_id),
        order_type=word(kind) if kind else None,
        liquidity=_LIQUIDITY.get(liquidity.lower()) if liquidity else None,
        estimated=_doubtful(price, quantity, cost),
        time=from_millis(element.get("timestamp")),
        source=source,
        element=element,
    )


def _doubtful(price: str | None, quantity: str | None, cost: str | None) -> tuple[str, ...]:
    """The price, where it contradicts the cost: REST may give the order's limit for it."""
    if price is None or quantity is None or cost in {None, "0"}:
        return ()
    stated = Decimal(cost or "0")
    off = abs(Decimal(price) * Decimal(quantity) - stated)
    return ("price",) if off > stated * ROUNDING else ()


def _price(value: object) -> str | None:
    """A price; zero means that there is none."""
    price = nonzero(value)
    if price is not None and price.startswith("-"):
        raise ValueError("a negative price")
    return price


def _stated(value: object) -> str:
    text = amount(value)
    if text is None:
        raise ValueError("an amount is missing")
    return text


# --- orders ----------------------------------------------------------------------------


def _read_order(element: Row, *, source: Source, dated: bool) -> Iterator[OrderReport]:
    fields: OrderFields = {}
    _read_identity(element, fields)
    _read_amounts(element, fields)
    fields["cost"] = _cost(element, fields.get("filled"), source)
    said = element["status"]
    fields["exchange_status"] = said
    fields["status"] = _status(word(said), fields)
    if element.get("error_message"):
        fields["reason"] = str(element["error_message"])
    yield OrderReport(
        order_id=identity(element["id"]),
        fields=fields,
        time=_moment(element, fields, dated=dated),
        source=source,
        element=element,
    )


def _read_identity(element: Row, fields: OrderFields) -> None:
    if client_order_id := _id_if_any(element.get("client_order_id")):
        fields["client_order_id"] = client_order_id
    if symbol := element.get("symbol"):
        fields["exchange_symbol"], fields["symbol"] = symbol, symbol.upper()
    if side := element.get("side"):
        fields["side"] = _side(side)
    if kind := element.get("type"):
        fields["order_type"] = word(kind)
    if tif := element.get("time_in_force"):
        fields["time_in_force"] = word(tif)
    if created := from_millis(element.get("timestamp")):
        fields["created"] = created


def _read_amounts(element: Row, fields: OrderFields) -> None:
    fields["quantity"] = unsigned(nonzero(element.get("amount")))
    fields["filled"] = unsigned(amount(element.get("filled")))
    fields["price"] = _price(element.get("price"))
    fields["average_price"] = _price(element.get("average"))
    fields["fee"] = amount(element.get("fee"))


def _cost(element: Row, filled: str | None, source: Source) -> str | None:
    """What was filled, in the quote currency. The stream's own `cost` is price times amount."""
    if filled is None or filled == "0":
        return filled
    if source != "stream" and (stated := unsigned(nonzero(element.get("cost")))):
        return stated
    average = _price(element.get("average"))
    known = _cost_of_fills(element, filled)
    if known is not None or average is None:
        return known
    return amount(format(EXACT.multiply(Decimal(average), Decimal(filled)), "f"))


def _cost_of_fills(element: Row, filled: str) -> str | None:
    """The sum of the fills' costs, where all of them are in the order and readable."""
    try:
        rows = fills_of(element.get("trades"))
        quantity = reduce(add, (unsigned(_stated(row["amount"])) or "0" for row in rows), "0")
        cost = reduce(add, (unsigned(_stated(row["cost"])) or "0" for row in rows), "0")
    except (KeyError, TypeError, ValueError, AttributeError):
        return None  # a fill that cannot be read has its own notice
    return cost if normal(quantity) == normal(filled) else None


def _status(said: str, fields: OrderFields) -> OrderStatus:
    """The status in our words; `closed` is how every order ends, filled or not."""
    if said != "closed":
        return _STATUS.get(said, "unknown")
    quantity, filled = fields.get("quantity"), fields.get("filled")
    if quantity is None or filled is None:
        return "unknown"
    return "filled" if Decimal(filled) >= Decimal(quantity) else "canceled"


def _moment(element: Row, fields: OrderFields, *, dated: bool) -> str | None:
    """When it got there: created, or last filled. When it was canceled is not stated."""
    immediate = fields.get("time_in_force") in IMMEDIATE
    if fields.get("status") in UNTIMED and not immediate and not dated:
        return None
    stamps = (from_millis(element.get(key)) for key in ("timestamp", "last_trade_timestamp"))
    return max(filter(None, stamps), default=None)


# --- prices ----------------------------------------------------------------------------


def read_price(element: Row) -> Iterator[PriceReport]:
    """A quote: bids and asks by size."""
    symbol = element["symbol"]
    yield PriceReport(
        symbol=symbol.upper(),
        exchange_symbol=symbol,
        bids=_levels(element["bids"]),
        asks=_levels(element["asks"]),
        time=from_epoch_seconds(element.get("timestamp")),
        element=element,
    )


def _levels(rows: list[list[Any]] | None) -> tuple[tuple[str, str], ...]:
    return tuple((_stated(price), _stated(quantity)) for price, quantity, *_ in rows or ())
