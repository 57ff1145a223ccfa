"""What REST tells of the account: balances, orders and trades, newest first, in pages.

The one rule: a page begins at `from`, which it still holds, and is cut by `limit`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypeVar
from urllib.parse import unquote

from msgspec import Struct

from privstream.simulator.market import Books, Order, Trade
from privstream.simulator.poloniex.keys import is_count
from privstream.simulator.poloniex.words import (
    ACCOUNT_ID,
    CURRENCY_IDS,
    SIDES,
    STATES,
    SYMBOLS,
    TYPES,
    client_order_id,
    millis,
    order_amount,
    page_id,
    plain,
    quantity,
    source_of,
    state,
    symbol_of,
    time_in_force,
    type_of,
)
from privstream.wire import Now

Row = TypeVar("Row")
Fields: TypeAlias = Mapping[str, str]
WEEK_MS = 7 * 86_400_000
MOST_OPEN, USUAL_PAGE, LARGEST_PAGE = 2000, 100, 100
_PAGE = {"from", "direction", "limit"}
_SPAN = {"startTime", "endTime"}
INVALID, LIMIT_TOO_LARGE, LIMIT_TOO_SMALL, NO_ID, TOO_LONG = 601, 21344, 21345, 21346, 21355
UNKNOWN_ORDER = 21301


class Wrong(Exception):
    """The call is answered with this code and text."""

    def __init__(self, code: int, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.code, self.status = code, status


class Paging(Struct, frozen=True):
    """What the documents leave open: which direction is back in time, and whose id a trade has."""

    older: Literal["NEXT", "PRE"] = "NEXT"
    inclusive: bool = True
    trade_ids: Literal["socket", "page"] = "socket"


class Call(Struct, frozen=True):
    """A call, the arguments it knows, and how often it may be made in a second."""

    name: str
    answer: Callable[[Fields, Now], object]
    arguments: frozenset[str]
    rate: int


class History:
    """The account as REST tells it."""

    def __init__(self, books: Books, paging: Paging) -> None:
        self._books, self._paging = books, paging
        self.calls: Mapping[str, Call] = {
            "/accounts/balances": Call("balances", self._balances, frozenset({"accountType"}), 50),
            "/orders": Call("open", self._open, frozenset({"symbol", "side", *_PAGE}), 50),
            "/orders/history": Call(
                "history",
                self._closed,
                frozenset({"accountType", "type", "types", "side", "symbol", "states"})
                | {"hideCancel", *_SPAN, *_PAGE},
                10,
            ),
            "/trades": Call("trades", self._trades, frozenset({"symbols", *_SPAN, *_PAGE}), 10),
        }

    def call(self, path: str) -> Call | None:
        """The call of a path, if there is one; the SDK ends some with a slash."""
        path = unquote(path).rstrip("/")
        if path in self.calls:
            return self.calls[path]
        match path.split("/"):
            case ["", "orders", name]:
                return Call("order", lambda _, __: self._order(name), frozenset(), 50)
            case ["", "orders", name, "trades"]:
                return Call("order trades", lambda _, __: self._order_trades(name), frozenset(), 50)
        return None

    # --- the calls ---------------------------------------------------------------------

    def _balances(self, fields: Fields, now: Now) -> object:  # noqa: ARG002 - no time here
        _one_of(fields, "accountType", {"SPOT"})
        books = self._books
        rows = [
            {
                "currencyId": CURRENCY_IDS[currency],
                "currency": currency,
                "available": plain(books.available(currency)),
                "hold": plain(books.holds[currency]),
            }
            for currency, total in books.balances.items()
            if total
        ]
        return [{"accountId": ACCOUNT_ID, "accountType": "SPOT", "balances": rows}]

    def _open(self, fields: Fields, now: Now) -> object:  # noqa: ARG002 - no time here
        keep = _filter(fields)
        orders = [order for order in reversed(self._books.open.values()) if keep(order)]
        page = self._page(fields, orders, lambda order: int(order.order_id), MOST_OPEN)
        return [_row(order) for order in page]

    def _closed(self, fields: Fields, now: Now) -> object:
        _one_of(fields, "accountType", {"SPOT"})
        _one_of(fields, "hideCancel", {"true", "false"})
        start, end = _span(fields, now)
        keep, states = _filter(fields), _several(fields, "states", STATES)
        hidden = {"CANCELED", "PARTIALLY_CANCELED"} if fields.get("hideCancel") == "true" else set()
        orders = [
            order
            for order in reversed(self._books.orders.values())
            if order.closed_ns is not None
            and start <= millis(order.updated_ns) <= end
            and keep(order)
            and state(order) in states
            and state(order) not in hidden
        ]
        page = self._page(fields, orders, lambda order: int(order.order_id), LARGEST_PAGE)
        return [_history_row(order) for order in page] or None  # as recorded

    def _trades(self, fields: Fields, now: Now) -> object:
        start, end = _span(fields, now)
        symbols = _several(fields, "symbols", SYMBOLS)
        trades = [
            trade
            for trade in reversed(self._books.trades.values())
            if start <= millis(trade.time_ns) <= end and symbol_of(trade.order) in symbols
        ]
        page = self._page(fields, trades, page_id, LARGEST_PAGE)
        return [self._trade(trade) for trade in page] or None  # as recorded

    def _order(self, name: str) -> object:
        return {**_row(self._find(name)), "cancelReason": _cancel_reason(self._find(name))}

    def _order_trades(self, name: str) -> object:
        if name.startswith("cid:"):
            raise Wrong(NO_ID, "Order Id must be of type Long")
        order = self._find(name)
        return [self._trade(self._books.trades[trade_id]) for trade_id in order.trades]

    def _find(self, name: str) -> Order:
        client_id = name.removeprefix("cid:")
        if client_id == name and not is_count(name):
            raise Wrong(NO_ID, "Order Id must be of type Long")
        order = self._books.orders.get(name)
        if client_id and client_id != name:
            newest_first = reversed(self._books.orders.values())
            order = next((o for o in newest_first if client_order_id(o) == client_id), None)
        if order is None:
            raise Wrong(UNKNOWN_ORDER, "Order not exists")
        return order

    # --- pages -------------------------------------------------------------------------

    def _page(
        self, fields: Fields, rows: Sequence[Row], name: Callable[[Row], int], largest: int
    ) -> Sequence[Row]:
        """Of rows that are newest first, those that begin at `from`."""
        limit, start = _limit(fields, largest), _start(fields)
        _one_of(fields, "direction", {"PRE", "NEXT"})
        if not start:
            return rows[:limit]
        begins = [row for row in rows if self._paging.inclusive or name(row) != start]
        if fields.get("direction", self._paging.older) == self._paging.older:
            return [row for row in begins if name(row) <= start][:limit]
        return [row for row in begins if name(row) >= start][-limit:]

    # --- rows --------------------------------------------------------------------------

    def _trade(self, trade: Trade) -> dict[str, Any]:
        order, page = trade.order, str(page_id(trade))
        return {
            "id": trade.trade_id if self._paging.trade_ids == "socket" else page,
            "symbol": symbol_of(order),
            "accountType": "SPOT",
            "orderId": order.order_id,
            "side": order.side.upper(),
            "type": type_of(order),
            "matchRole": "MAKER" if trade.maker else "TAKER",
            "createTime": millis(trade.time_ns),
            "price": plain(trade.price),
            "quantity": plain(trade.quantity),
            "amount": plain(trade.cost),
            "feeCurrency": trade.fee_currency,
            "feeAmount": plain(trade.fee),
            "pageId": page,
            "clientOrderId": client_order_id(order),
        }


def _row(order: Order) -> dict[str, Any]:
    """An order as a list of open ones and a look-up show it."""
    return {
        "id": order.order_id,
        "clientOrderId": client_order_id(order),
        "symbol": symbol_of(order),
        "state": state(order),
        "accountType": "SPOT",
        "side": order.side.upper(),
        "type": type_of(order),
        "timeInForce": time_in_force(order),
        "quantity": plain(quantity(order)),
        "price": plain(order.price),
        "avgPrice": _average(order),
        "amount": plain(order_amount(order)),
        "filledQuantity": plain(order.filled),
        "filledAmount": plain(order.cost),
        "createTime": millis(order.created_ns),
        "updateTime": millis(order.updated_ns),
        "orderSource": source_of(order),
        "loan": False,
    }


HISTORY_KEYS = (
    "clientOrderId",
    "symbol",
    "accountType",
    "side",
    "type",
    "timeInForce",
    "price",
    "avgPrice",
    "quantity",
    "amount",
    "filledQuantity",
    "filledAmount",
    "state",
    "orderSource",
    "createTime",
    "updateTime",
    "loan",
)


def _history_row(order: Order) -> dict[str, Any]:
    """An order as the history shows it: with another order of keys and a bare number as id."""
    row = _row(order)
    rest = {key: row[key] for key in HISTORY_KEYS}
    return {"id": int(order.order_id), **rest, "cancelReason": _cancel_reason(order)}


def _average(order: Order) -> str:
    return plain(round(order.average, order.symbol.price_digits))


def _cancel_reason(order: Order) -> int:
    return int(order.status in {"canceled", "expired"})


# --- arguments -------------------------------------------------------------------------


def _invalid(fields: Fields, name: str) -> Wrong:
    return Wrong(INVALID, f"Invalid {name}: {fields[name]}")


def _one_of(fields: Fields, name: str, known: set[str]) -> None:
    if name in fields and fields[name] not in known:
        raise _invalid(fields, name)


def _several(fields: Fields, name: str, known: Mapping[str, Any] | Sequence[str]) -> set[str]:
    """What a list with commas names; everything where nothing is named."""
    if name not in fields:
        return set(known)
    named = {part.strip() for part in fields[name].split(",")}
    if named - set(known):
        raise _invalid(fields, name)
    return named


def _count(fields: Fields, name: str) -> int | None:
    text = fields.get(name)
    if text is not None and not is_count(text):
        raise _invalid(fields, name)
    return None if text is None else int(text)


def _start(fields: Fields) -> int | None:
    if "from" in fields and not is_count(fields["from"]):
        raise Wrong(NO_ID, "Order Id must be of type Long")
    return _count(fields, "from")


def _filter(fields: Fields) -> Callable[[Order], bool]:
    """Whether an order is of the wanted symbol, side and types."""
    symbols, sides = _several(fields, "symbol", SYMBOLS), _several(fields, "side", SIDES)
    types = _several(fields, "types", TYPES) & _several(fields, "type", TYPES)
    return lambda order: (
        symbol_of(order) in symbols and order.side.upper() in sides and type_of(order) in types
    )


def _limit(fields: Fields, largest: int) -> int:
    limit = _count(fields, "limit")
    if limit is None:
        return USUAL_PAGE
    if limit > largest:
        text = f"Value of limit param is greater than max value of {largest}"
        raise Wrong(LIMIT_TOO_LARGE, text)
    if not limit:
        raise Wrong(LIMIT_TOO_SMALL, "Value of limit param value must be greater than 0")
    return limit


def _span(fields: Fields, now: Now) -> tuple[int, int]:
    """From when until when, in milliseconds; one end alone asks for the week beside it."""
    start, end = _count(fields, "startTime"), _count(fields, "endTime")
    if start is None:
        end = millis(now.wall_ns) if end is None else end
        start = end - WEEK_MS
    elif end is None:
        end = start + WEEK_MS
    if start > end:
        raise _invalid(fields, "startTime")
    if end - start > WEEK_MS:
        text = (
            "Interval between startTime and endTime in trade/order history has exceeded 7 day limit"
        )
        raise Wrong(TOO_LONG, text)
    return start, end
