"""Smart orders: what waits for a price. No channel of the socket tells of them.

The one rule: the order that one sets off has an id of its own, and is told of like any other.
"""

from privstream.model.rest import Now
from privstream.simulator.market import Books, Order
from privstream.simulator.poloniex.arguments import (
    LARGEST_PAGE,
    NO_ID,
    PAGE,
    SPAN,
    UNKNOWN_ORDER,
    Call,
    Fields,
    Wrong,
    page_limit,
    span,
)
from privstream.simulator.poloniex.keys import is_count
from privstream.simulator.poloniex.pages import Paging, page_of
from privstream.simulator.poloniex.rows import order_row, smart_row
from privstream.simulator.poloniex.words import (
    client_order_id,
    is_smart,
    is_waiting,
    smart_id,
)


class SmartOrders:
    """The smart orders of the account."""

    def __init__(self, books: Books, paging: Paging) -> None:
        self._books, self._paging = books, paging
        self.calls = {
            "/smartorders": Call("smart orders", self._pending, frozenset({"limit"}), 10),
            "/smartorders/history": Call(
                "smart history", self._ended, frozenset({*PAGE, *SPAN}), 10
            ),
        }

    def order(self, name: str) -> object:
        """One of them, as a list, with the order that it set off."""
        order = self._find(name)
        row = smart_row(order)
        if not is_waiting(order):
            row["triggeredOrder"] = order_row(order)
        return [row]

    def _pending(self, fields: Fields, now: Now) -> object:  # noqa: ARG002 - no time here
        waiting = [order for order in reversed(self._books.open.values()) if is_waiting(order)]
        return [smart_row(order) for order in waiting[: page_limit(fields, LARGEST_PAGE)]]

    def _ended(self, fields: Fields, now: Now) -> object:
        begin, end = span(fields, now)
        ended = [
            row
            for order in reversed(self._books.orders.values())
            if is_smart(order)
            and (row := smart_row(order))["state"] != "PENDING_NEW"
            and begin <= row["updateTime"] <= end
        ]
        return list(page_of(self._paging, fields, ended, lambda row: int(row["id"]), LARGEST_PAGE))

    def _find(self, name: str) -> Order:
        client_id = name.removeprefix("cid:")
        if client_id == name and not is_count(name):
            raise Wrong(NO_ID, "Order Id must be of type Long")
        for order in reversed(self._books.orders.values()):
            named = client_order_id(order) if client_id != name else smart_id(order)
            if is_smart(order) and named == client_id:
                return order
        raise Wrong(UNKNOWN_ORDER, "Order not exists")
