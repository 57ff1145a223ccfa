"""What REST tells of the account: balances, orders and trades, newest first, in pages.

The one rule: a page begins at `from`, which it still holds, and is cut by `limit`.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from privstream.model.rest import Now
from privstream.simulator.market import Books, Order, Trade
from privstream.simulator.poloniex.arguments import (
    LARGEST_PAGE,
    MOST_OPEN,
    NO_ID,
    PAGE,
    SPAN,
    UNKNOWN_ORDER,
    Call,
    Fields,
    Wrong,
    one_of,
    several,
    span,
)
from privstream.simulator.poloniex.keys import is_count
from privstream.simulator.poloniex.pages import Paging, page_of
from privstream.simulator.poloniex.rows import cancel_reason, history_row, order_row
from privstream.simulator.poloniex.smart_orders import SmartOrders
from privstream.simulator.poloniex.wallets import holds
from privstream.simulator.poloniex.words import (
    ACCOUNT_ID,
    CURRENCY_IDS,
    SIDES,
    STATES,
    SYMBOLS,
    TYPES,
    client_order_id,
    is_waiting,
    millis,
    page_id,
    plain,
    state,
    symbol_of,
    type_of,
)


class History:
    """The account as REST tells it."""

    def __init__(self, books: Books, paging: Paging) -> None:
        self._books, self._paging = books, paging
        self._smart = smart = SmartOrders(books, paging)
        self.calls: Mapping[str, Call] = {
            "/accounts/balances": Call("balances", self._balances, frozenset({"accountType"}), 50),
            "/orders": Call("open", self._open, frozenset({"symbol", "side", *PAGE}), 50),
            "/orders/history": Call(
                "history",
                self._closed,
                frozenset({"accountType", "type", "types", "side", "symbol", "states"})
                | {"hideCancel", *SPAN, *PAGE},
                10,
            ),
            **smart.calls,
            "/trades": Call("trades", self._trades, frozenset({"symbols", *SPAN, *PAGE}), 10),
        }

    def call(self, path: str) -> Call | None:
        """The call of a path, if there is one; the SDK ends some with a slash."""
        path = unquote(path).rstrip("/")
        if path in self.calls:
            return self.calls[path]
        match path.split("/"):
            case ["", "smartorders", name]:
                return Call("smart order", lambda _, __: self._smart.order(name), frozenset(), 50)
            case ["", "orders", name]:
                return Call("order", lambda _, __: self._order(name), frozenset(), 50)
            case ["", "orders", name, "trades"]:
                return Call("order trades", lambda _, __: self._order_trades(name), frozenset(), 50)
        return None

    # --- the calls ---------------------------------------------------------------------

    def _balances(self, fields: Fields, now: Now) -> object:  # noqa: ARG002 - no time here
        one_of(fields, "accountType", {"SPOT"})
        held = holds(self._books)
        rows = [
            {
                "currencyId": CURRENCY_IDS[currency],
                "currency": currency,
                "available": plain(total - held[currency]),
                "hold": plain(held[currency]),
            }
            for currency, total in self._books.balances.items()
            if total
        ]
        return [{"accountId": ACCOUNT_ID, "accountType": "SPOT", "balances": rows}]

    def _open(self, fields: Fields, now: Now) -> object:  # noqa: ARG002 - no time here
        keep = _filter(fields)
        standing = reversed(self._books.open.values())
        orders = [order for order in standing if keep(order) and not is_waiting(order)]
        page = page_of(self._paging, fields, orders, lambda order: int(order.order_id), MOST_OPEN)
        return [order_row(order) for order in page]

    def _closed(self, fields: Fields, now: Now) -> object:
        one_of(fields, "accountType", {"SPOT"})
        one_of(fields, "hideCancel", {"true", "false"})
        start, end = span(fields, now)
        keep, states = _filter(fields), several(fields, "states", STATES)
        hidden = {"CANCELED", "PARTIALLY_CANCELED"} if fields.get("hideCancel") == "true" else set()
        orders = [
            order
            for order in reversed(self._books.orders.values())
            if order.closed_ns is not None
            and not is_waiting(order)
            and start <= millis(order.updated_ns) <= end
            and keep(order)
            and state(order) in states
            and state(order) not in hidden
        ]
        page = page_of(
            self._paging, fields, orders, lambda order: int(order.order_id), LARGEST_PAGE
        )
        return [history_row(order) for order in page] or None  # as recorded

    def _trades(self, fields: Fields, now: Now) -> object:
        start, end = span(fields, now)
        symbols = several(fields, "symbols", SYMBOLS)
        trades = [
            trade
            for trade in reversed(self._books.trades.values())
            if start <= millis(trade.time_ns) <= end and symbol_of(trade.order) in symbols
        ]
        page = page_of(self._paging, fields, trades, page_id, LARGEST_PAGE)
        return [self._trade(trade) for trade in page] or None  # as recorded

    def _order(self, name: str) -> object:
        return {**order_row(self._find(name)), "cancelReason": cancel_reason(self._find(name))}

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
        if order is None or is_waiting(order):
            raise Wrong(UNKNOWN_ORDER, "Order not exists")
        return order

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


# --- arguments ---------------------------------------------------------------------------


def _filter(fields: Fields) -> Callable[[Order], bool]:
    """Whether an order is of the wanted symbol, side and types."""
    symbols, sides = several(fields, "symbol", SYMBOLS), several(fields, "side", SIDES)
    types = several(fields, "types", TYPES) & several(fields, "type", TYPES)
    return lambda order: (
        symbol_of(order) in symbols and order.side.upper() in sides and type_of(order) in types
    )
