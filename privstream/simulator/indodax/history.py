"""The histories of v2: one symbol each, at most a week, newest first, no cursor.

The one rule: a page is cut by `limit` alone; who wants more asks by time.
"""

from collections.abc import Callable, Mapping
from typing import Any

from privstream.model.rest import Now
from privstream.simulator.indodax.words import (
    BY_ID,
    TYPES,
    cancel_reason,
    client_order_id,
    millis,
    order_id,
    pair_of,
    plain,
    status,
)
from privstream.simulator.market import Books, Order, Trade

Fields = Mapping[str, str]
DAY, WEEK = 86_400_000, 7 * 86_400_000
FEWEST, MOST = 10, 1000
SPAN = frozenset({"symbol", "startTime", "endTime", "limit", "sort"})
NAMED = frozenset({"orderId", "clientOrderId"})
HTTP_STATUS = {1001: 401, 1106: 403, 1111: 405, 1112: 404, 1113: 404}
ENDS = {"filled": "FILLED", "canceled": "CANCELLED"}


class Wrong(Exception):
    """The call is answered with this code and text; tapi.indodax.com's, see `api` for the other's."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.status = HTTP_STATUS.get(code, 400)


class WrongSymbol(Wrong):
    """There is no such pair."""


class History:
    """The account as v2 tells it."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self.calls: Mapping[str, Callable[[Fields, Now], object]] = {
            "order/histories": self._orders,
            "myTrades": self._trades,
        }

    def _orders(self, fields: Fields, now: Now) -> object:
        _know(fields, SPAN)
        symbol, (start, end) = symbol_of(fields), _span(fields, now)
        orders = [
            order
            for order in self._books.orders.values()
            if pair_of(order).id == symbol
            and order.closed_ns is not None
            and start <= millis(order.created_ns) <= end
        ]
        return [_ended(order) for order in _page(fields, orders, 100)]

    def _trades(self, fields: Fields, now: Now) -> object:
        _know(fields, SPAN | NAMED)
        symbol, (start, end) = symbol_of(fields), _span(fields, now)
        named = [name for name in NAMED if name in fields]
        trades = [
            trade
            for trade in self._books.trades.values()
            if pair_of(trade.order).id == symbol
            and (bool(named) or start <= millis(trade.time_ns) <= end)
            and all(_names(trade.order)[name] == fields[name] for name in named)
        ]
        return [_trade(trade) for trade in _page(fields, trades, 500)]


# --- arguments -------------------------------------------------------------------------


def _know(fields: Fields, known: frozenset[str]) -> None:
    for name in fields:
        if name not in known:
            raise Wrong(1109, f"Invalid parameter '{name}'")
    if NAMED & fields.keys() and len((NAMED | {"startTime", "endTime"}) & fields.keys()) > 1:
        raise Wrong(1109, "Unsupported parameter combination")


def symbol_of(fields: Fields) -> str:
    symbol = fields.get("symbol", "")
    if not symbol:
        raise Wrong(1108, "Mandatory parameter 'symbol' was not sent")
    if symbol not in BY_ID:
        # The documents' list of codes says 1110, their example of an answer this.
        raise WrongSymbol(1109, "Invalid Symbol")
    return symbol


def _count(fields: Fields, name: str) -> int | None:
    text = fields.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise Wrong(1109, f"Invalid parameter '{name}'")
    return int(text)


def _span(fields: Fields, now: Now) -> tuple[int, int]:
    """From when until when, in milliseconds; one end alone asks for the day beside it."""
    start, end = _count(fields, "startTime"), _count(fields, "endTime")
    present = millis(now.wall_ns)
    if start is None:
        end = present if end is None else end
        start = end - DAY
    elif end is None:
        end = min(present, start + WEEK)
    if not start <= end <= start + WEEK:
        raise Wrong(1109, "Invalid range of startTime and endTime")
    return start, end


def _page(fields: Fields, rows: list[Any], usual: int) -> list[Any]:
    limit = _count(fields, "limit")
    limit = usual if limit is None else limit
    if not FEWEST <= limit <= MOST:
        raise Wrong(1109, "Invalid parameter 'limit'")
    order = fields.get("sort", "desc")
    if order not in {"asc", "desc"}:
        raise Wrong(1109, "Invalid parameter 'sort'")
    return (rows if order == "asc" else rows[::-1])[:limit]


# --- rows ------------------------------------------------------------------------------


def _names(order: Order) -> dict[str, Any]:
    return {"orderId": order_id(order), "clientOrderId": client_order_id(order) or ""}


def _ended(order: Order) -> dict[str, Any]:
    reason = cancel_reason(order)
    row = {
        **_names(order),
        "symbol": pair_of(order).id,
        "side": order.side.upper(),
        "type": TYPES[order.type].upper(),
        "status": ENDS.get(order.status) or status("expired", order),
        "price": plain(order.price),
        "oriQty": plain(order.quantity),
        "executedQty": plain(order.filled),
        "submitTime": millis(order.created_ns),
        "finishTime": millis(order.closed_ns or 0),
    }
    return row if reason is None else row | {"cancelReason": reason}


def _trade(trade: Trade) -> dict[str, Any]:
    order = trade.order
    return {
        "tradeId": trade.trade_id,
        **_names(order),
        "symbol": pair_of(order).id,
        "price": plain(trade.price),
        "qty": plain(trade.quantity),
        "quoteQty": plain(trade.cost),
        "commission": plain(trade.fee),
        "commissionAsset": order.symbol.quote.lower(),
        "isBuyer": order.side == "buy",
        "isMaker": trade.maker,
        "time": millis(trade.time_ns),
    }
