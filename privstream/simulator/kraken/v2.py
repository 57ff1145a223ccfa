"""WebSocket v2: channels `executions` and `balances`, numbers as bare JSON numbers.

The one rule: what Kraken refuses is refused in its words, and each reply says no more
than Kraken's own.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from privstream.model.rest import Now
from privstream.model.times import from_nanos
from privstream.simulator.kraken.orders_v2 import (
    FIELDS,
    UnknownPair,
    amendment,
    check_types,
    meant,
    read_order,
)
from privstream.simulator.kraken.socket import (
    SNAPSHOT_TRADES,
    KrakenSocket,
    Subscription,
)
from privstream.simulator.kraken.trading import Refusal
from privstream.simulator.kraken.v2_elements import (
    execution,
    ledger_entry,
    snapshot_order,
    snapshot_trade,
    wallet,
)
from privstream.simulator.kraken.words import owned
from privstream.simulator.market import Happening

OPTIONS: Mapping[str, Mapping[str, type]] = {
    "executions": {
        "snap_orders": bool,
        "snap_trades": bool,
        "order_status": bool,
        "ratecounter": bool,
        "rebased": bool,
        "snapshot": bool,
        "snapshot_trades": bool,
        "users": str,
    },
    "balances": {"snapshot": bool, "rebased": bool, "users": str},
}
TYPE_NAMES = {bool: "boolean", str: "string", int: "number_integer"}
WARNINGS = [
    "cancel_reason is deprecated, use reason",
    "stop_price is deprecated, use triggers.price",
    "trigger is deprecated use triggers.reference",
    "triggered_price is deprecated use triggers.last_price",
]
STATE_CHANGES = frozenset({"opened", "traded", "filled", "canceled", "expired"})
Element = dict[str, Any]


class SocketV2(KrakenSocket):
    """A socket on `/v2`."""

    def greeting(self) -> object:
        element: Element = {"api_version": "v2"}
        if not self.platform.in_maintenance:  # a captured maintenance frame was without it
            element["connection_id"] = self.number
        element |= {"system": self.platform.system, "version": "2.0.4"}
        return {"channel": "status", "data": [element], "type": "update"}

    def heartbeat(self) -> object:
        return {"channel": "heartbeat"}

    # --- requests ----------------------------------------------------------------------

    def malformed(self, now: Now) -> object:
        return _error("Malformed request", {}, now)

    def reply(self, message: Any, now: Now) -> Iterator[object]:
        if not isinstance(message, dict):
            yield self.malformed(now)
            return
        try:
            yield from self._answer(message, now)
        except UnknownPair as refusal:
            yield _error(str(refusal), message, now) | {"symbol": refusal.symbol}
        except Refusal as refusal:
            yield _error(str(refusal), message, now)

    def _answer(self, message: Element, now: Now) -> Iterator[object]:
        method = message.get("method")
        if method not in ("subscribe", "unsubscribe", "ping", *FIELDS):
            raise Refusal("Unsupported event")
        _check_fields(message, {"req_id": int}, {"method", "params"}, method)
        if method == "ping":
            yield _ping(message, now)
            return
        params = message.get("params")
        if not isinstance(params, dict):
            raise Refusal("Unsupported event")
        if method in FIELDS:
            yield from self._order_call(message, params, now)
            return
        channel = params.get("channel")
        if not isinstance(channel, str) or channel not in OPTIONS:
            raise Refusal("Subscription name invalid")
        _check_fields(params, OPTIONS[channel], {"channel", "token"}, method)
        options = {key: params[key] for key in params if key in OPTIONS[channel]}
        yield from self._change(message, channel, params.get("token"), options, now)

    def _change(
        self, message: Element, channel: str, token: Any, options: Element, now: Now
    ) -> Iterator[object]:
        if message["method"] == "unsubscribe":
            self.remove(channel, token, now)
            yield _ack(message, {"channel": channel}, now)
            return
        if "users" in options:
            raise Refusal("EGeneral:Permission denied")  # no master account
        subscription = self.add(channel, token, options, now)
        if channel == "executions":
            most = self.platform.tier.order_calls
            yield _ack(message, _executions_result(options, most), now)
            yield from self._executions_snapshot(subscription)
        else:
            snapshot = options.get("snapshot", True)
            yield _ack(message, {"channel": "balances", "snapshot": snapshot}, now)
            if snapshot:
                yield self._balances_snapshot(subscription)

    # --- orders ------------------------------------------------------------------------

    def _order_call(self, message: Element, params: Element, now: Now) -> Iterator[object]:
        check_types(params, message["method"])
        self.may_trade(params.get("token"), now, placing=message["method"] == "add_order")
        if message["method"] == "add_order":
            yield _ack(message, self._add_order(params, now), now)
        elif message["method"] == "amend_order":
            yield _ack(message, self._amend_order(params, now), now)
        elif message["method"] == "cancel_all":
            yield _ack(message, {"count": self.trading.cancel_all(now)}, now)
        else:
            yield from self._cancel_orders(message, params, now)

    def _add_order(self, params: Element, now: Now) -> Element:
        order = self.trading.place(read_order(params, now), now)
        if order is None:
            return {}
        named = {key: params[key] for key in ("cl_ord_id", "order_userref") if key in params}
        return {"order_id": order.order_id} | named

    def _amend_order(self, params: Element, now: Now) -> Element:
        field, name, changes = amendment(params)
        for order_id in self._ids(field, name):
            self.trading.amend(order_id, changes, now)
        return {"amend_id": f"T{self.number % 10**5:05d}-{now.wall_ns % 10**10:010d}", field: name}

    def _cancel_orders(self, message: Element, params: Element, now: Now) -> Iterator[object]:
        """One reply per order; those that are refused do not say which they were."""
        field, names = meant(params)
        for name in names:
            for order_id in self._ids(field, name):
                try:
                    self.trading.cancel(order_id, now)
                except Refusal as refusal:
                    yield _error(str(refusal), message, now)
                    continue
                told = {"cl_ord_id": name} if field == "cl_ord_id" else {"order_id": order_id}
                yield _ack(message, told, now)

    def _ids(self, field: str, name: Any) -> list[str]:
        """The open orders that a name means; none of them is unknown under that name."""
        if field == "cl_ord_id":
            return self.trading.named(lambda order: order.client_id == name) or [name]
        if field == "order_userref":
            return self.trading.named(lambda order: order.user_reference == name) or [str(name)]
        return [name]

    # --- snapshots ---------------------------------------------------------------------

    def _executions_snapshot(self, subscription: Subscription) -> Iterator[object]:
        orders, trades = _snapshots(subscription.options)
        elements = []
        if orders:
            elements += [snapshot_order(order) for order in self.market.open_orders()]
        if trades:
            last = list(self.market.books.trades.values())[-SNAPSHOT_TRADES:]
            elements += [snapshot_trade(trade) for trade in reversed(last)]
        if orders or trades:
            yield _frame(subscription, "snapshot", elements)

    def _balances_snapshot(self, subscription: Subscription) -> object:
        elements = [wallet(c, amount) for c, amount in owned(self.market.balances()).items()]
        return _frame(subscription, "snapshot", elements)

    # --- updates -----------------------------------------------------------------------

    def tell(self, subscription: Subscription, happening: Happening) -> object | None:
        if subscription.channel == "balances":
            if happening.entry is None:
                return None
            return _frame(subscription, "update", [ledger_entry(happening.entry)])
        element = self._execution(subscription.options, happening)
        return None if element is None else _frame(subscription, "update", [element])

    def _execution(self, options: Element, happening: Happening) -> Element | None:
        if happening.order is None:
            return None
        if options.get("order_status") is False and happening.what not in STATE_CHANGES:
            return None
        element = execution(happening, happening.order)
        if options.get("ratecounter"):
            element["ratecount"] = self.rate_count()
        return element


# --- replies ---------------------------------------------------------------------------


def _check_fields(message: Element, typed: Mapping[str, type], free: set[str], method: str) -> None:
    for key, value in message.items():
        if key in free:
            continue
        if key not in typed:
            raise Refusal(f"Unsupported field: '{key}' for the given msg type: {method}")
        if type(value) is not typed[key]:
            kind = TYPE_NAMES[typed[key]]
            raise Refusal(f"{key.capitalize()} field must be a {kind}")


def _ping(message: Element, now: Now) -> object:
    if "params" in message:
        raise Refusal("Unsupported field: 'params' for the given msg type: ping")
    return _timed({"method": "pong", **_correlation(message)}, now)


def _correlation(message: Element) -> Element:
    req_id = message.get("req_id")
    return {"req_id": req_id} if type(req_id) is int else {}


def _timed(reply: Element, now: Now) -> Element:
    return reply | {
        "time_in": from_nanos(now.wall_ns),
        "time_out": from_nanos(now.wall_ns + 31_000),
    }


def _ack(message: Element, result: Element, now: Now) -> Element:
    method = {"method": message["method"], **_correlation(message)}
    return _timed(method | {"result": result, "success": True}, now)


def _error(text: str, message: Element, now: Now) -> Element:
    reply: Element = {"error": text}
    if isinstance(message.get("method"), str):
        reply["method"] = message["method"]
    reply |= _correlation(message)
    if text.startswith("ESession"):
        reply["status"] = "error"
    return _timed(reply | {"success": False}, now)


def _executions_result(options: Element, most: int) -> Element:
    orders, trades = _snapshots(options)
    result: Element = {"channel": "executions", "maxratecount": most}
    result |= {key: options[key] for key in ("order_status", "ratecounter") if key in options}
    if "snapshot" in options:
        result["snapshot"] = options["snapshot"]
    return result | {"snap_orders": orders, "snap_trades": trades, "warnings": WARNINGS}


def _snapshots(options: Element) -> tuple[bool, bool]:
    """Whether open orders and fills are wanted; the deprecated names still work."""
    orders = options.get("snap_orders", options.get("snapshot", True))
    trades = options.get("snap_trades", options.get("snapshot_trades", False))
    return bool(orders), bool(trades)


# --- frames ------------------------------------------------------------------------------


def _frame(subscription: Subscription, kind: str, elements: list[Element]) -> Element:
    return {
        "channel": subscription.channel,
        "type": kind,
        "data": elements,
        "sequence": subscription.next(),
    }
