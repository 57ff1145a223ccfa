"""AddOrder, CancelOrder and CancelAll of REST; the project's own client never calls them.

The one rule: fields are those of v1, with REST's few spellings of its own.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from privstream.model.rest import Now
from privstream.simulator.kraken.orders_v1 import read_order
from privstream.simulator.kraken.trading import Refusal, Trading, invalid
from privstream.simulator.kraken.words import close_text, order_text, pair_of
from privstream.simulator.market import Market

Arguments = Mapping[str, str]


class Orders:
    """The order calls of one key."""

    CALLS: ClassVar = frozenset({"AddOrder", "CancelOrder", "CancelAll"})

    def __init__(self, market: Market, trading: Trading) -> None:
        self._market, self._trading = market, trading

    def answer(self, name: str, arguments: Arguments, now: Now) -> object:
        self._trading.permit(placing=name == "AddOrder")
        if name == "AddOrder":
            return self._add(arguments, now)
        if name == "CancelOrder":
            return self._cancel(arguments, now)
        if arguments:
            raise Refusal("EGeneral:Invalid arguments")
        return {"count": self._trading.cancel_all(now)}

    def _add(self, arguments: Arguments, now: Now) -> dict[str, Any]:
        asked = read_order(arguments, now, "rest")
        order = self._trading.place(asked, now)
        told = self._market.desk.priced(asked.order) if order is None else order
        digits = told.symbol.price_digits
        descr = {"order": order_text(told, pair_of(told).altname, digits)}
        if told.close is not None:
            descr["close"] = close_text(told, digits)
        return {"descr": descr} if order is None else {"descr": descr, "txid": [order.order_id]}

    def _cancel(self, arguments: Arguments, now: Now) -> dict[str, Any]:
        if len(arguments) != 1 or not arguments.keys() <= {"txid", "cl_ord_id"}:
            invalid("txid")
        (name,) = arguments.values()
        ids = self._trading.named(
            lambda order: name in {order.client_id, str(order.user_reference or "")}
        )
        for order_id in ids or [name]:
            self._trading.cancel(order_id, now)
        return {"count": len(ids) or 1}
