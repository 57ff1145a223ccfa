"""WebSocket v2: channels `executions` and `balances`, numbers as bare JSON numbers.

The one rule: an update carries exactly the fields of the sheet; what is `new`,
`filled` or `canceled` comes without symbol and side.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from privstream.exact import Number
from privstream.simulator.kraken.socket import (
    MAX_RATE_COUNT,
    SNAPSHOT_TRADES,
    KrakenSocket,
    Refusal,
    Subscription,
)
from privstream.simulator.kraken.words import (
    ASSETS,
    ORDER_TYPES,
    REASONS,
    in_usd,
    number,
    pair_of,
)
from privstream.simulator.market import Entry, Happening, Order, Trade
from privstream.times import from_nanos
from privstream.wire import Now

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
CATEGORIES = {"trade": "trade", "deposit": "deposit", "withdrawal": "withdrawal"}
ORDER_STATES = {"pending": "pending_new", "open": "new"}
EXEC_TYPES = {
    "placed": "pending_new",
    "opened": "new",
    "triggered": "status",
    "traded": "trade",
    "filled": "filled",
    "canceled": "canceled",
    "expired": "expired",
}
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
        except Refusal as refusal:
            yield _error(str(refusal), message, now)

    def _answer(self, message: Element, now: Now) -> Iterator[object]:
        method = message.get("method")
        if method not in ("subscribe", "unsubscribe", "ping"):
            raise Refusal("Unsupported event")
        _check_fields(message, {"req_id": int}, {"method", "params"}, method)
        if method == "ping":
            yield _ping(message, now)
            return
        params = message.get("params")
        if not isinstance(params, dict):
            raise Refusal("Unsupported event")
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
            yield _ack(message, _executions_result(options), now)
            yield from self._executions_snapshot(subscription)
        else:
            snapshot = options.get("snapshot", True)
            yield _ack(message, {"channel": "balances", "snapshot": snapshot}, now)
            if snapshot:
                yield self._balances_snapshot(subscription)

    # --- snapshots ---------------------------------------------------------------------

    def _executions_snapshot(self, subscription: Subscription) -> Iterator[object]:
        orders, trades = _snapshots(subscription.options)
        elements = []
        if orders:
            elements += [_snapshot_order(order) for order in self.market.books.open.values()]
        if trades:
            last = list(self.market.books.trades.values())[-SNAPSHOT_TRADES:]
            elements += [_snapshot_trade(trade) for trade in reversed(last)]
        if orders or trades:
            yield _frame(subscription, "snapshot", elements)

    def _balances_snapshot(self, subscription: Subscription) -> object:
        books = self.market.books
        elements = [_wallet(currency, amount) for currency, amount in books.balances.items()]
        return _frame(subscription, "snapshot", elements)

    # --- updates -----------------------------------------------------------------------

    def tell(self, subscription: Subscription, happening: Happening) -> object | None:
        if subscription.channel == "balances":
            if happening.entry is None:
                return None
            return _frame(subscription, "update", [_entry(happening.entry)])
        element = self._execution(subscription.options, happening)
        return None if element is None else _frame(subscription, "update", [element])

    def _execution(self, options: Element, happening: Happening) -> Element | None:
        if happening.order is None:
            return None
        if options.get("order_status") is False and happening.what not in STATE_CHANGES:
            return None
        element = _execution(happening, happening.order)
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


def _executions_result(options: Element) -> Element:
    orders, trades = _snapshots(options)
    result: Element = {"channel": "executions", "maxratecount": MAX_RATE_COUNT}
    result |= {key: options[key] for key in ("order_status", "ratecounter") if key in options}
    if "snapshot" in options:
        result["snapshot"] = options["snapshot"]
    return result | {"snap_orders": orders, "snap_trades": trades, "warnings": WARNINGS}


def _snapshots(options: Element) -> tuple[bool, bool]:
    """Whether open orders and fills are wanted; the deprecated names still work."""
    orders = options.get("snap_orders", options.get("snapshot", True))
    trades = options.get("snap_trades", options.get("snapshot_trades", False))
    return bool(orders), bool(trades)


# --- elements --------------------------------------------------------------------------


def _frame(subscription: Subscription, kind: str, elements: list[Element]) -> Element:
    return {
        "channel": subscription.channel,
        "type": kind,
        "data": elements,
        "sequence": subscription.next(),
    }


def _execution(happening: Happening, order: Order) -> Element:
    if happening.what == "placed":
        return _whole_order(order, "pending_new") | {"timestamp": from_nanos(happening.time_ns)}
    if happening.trade is not None:
        return _live_trade(happening.trade, order)
    element: Element = {
        "timestamp": from_nanos(happening.time_ns),
        "order_status": _order_status(order),
        "exec_type": EXEC_TYPES[happening.what],
    }
    if happening.what == "triggered":
        element["triggers"] = _triggers(order)
    if happening.what in {"filled", "canceled", "expired"}:
        totals = _totals(order)
        average = totals.pop("avg_price")
        element |= totals | {"fee_usd_equiv": _fee_in_usd(order), "avg_price": average}
    element["order_userref"] = order.user_reference
    if happening.what == "opened" and order.client_id:
        element["cl_ord_id"] = order.client_id
    if order.reason:
        element["cancel_reason"] = element["reason"] = REASONS[order.reason]
    element["order_id"] = order.order_id
    return element


def _whole_order(order: Order, exec_type: str) -> Element:
    digits = order.symbol.price_digits
    element: Element = {
        "order_id": order.order_id,
        "symbol": order.symbol.name,
        "order_qty": number(order.quantity, 8),
        "cum_cost": number(order.cost, pair_of(order).width),
        "time_in_force": order.time_in_force.upper(),
        "exec_type": exec_type,
        "side": order.side,
        "order_type": ORDER_TYPES[order.type],
        "order_userref": order.user_reference,
    }
    if order.client_id:
        element["cl_ord_id"] = order.client_id
    if order.price is not None:
        element |= {"limit_price_type": "static", "limit_price": number(order.price, digits)}
    element["stop_price"] = number(order.stop_price, digits)
    if order.stop_price is not None:
        element |= {"triggers": _triggers(order), "trigger": "index"}
    if order.post_only:
        element["post_only"] = True
    if order.expires_ns is not None:
        element["expire_time"] = from_nanos(order.expires_ns)
    return element | {
        "order_status": _order_status(order),
        "fee_usd_equiv": _fee_in_usd(order),
        "fee_ccy_pref": "fciq",
        "timestamp": from_nanos(order.created_ns),
    }


def _snapshot_order(order: Order) -> Element:
    element = _whole_order(order, "new")
    if not order.filled:  # Kraken writes plain zeros here, not 0.00000
        return element | dict.fromkeys(("cum_qty", "cum_cost", "avg_price"), 0)
    return element | _totals(order)


def _triggers(order: Order) -> Element:
    return {
        "price": number(order.stop_price, order.symbol.price_digits),
        "price_type": "static",
        "reference": "index",
        "status": "triggered" if order.triggered else "untriggered",
    }


def _order_status(order: Order) -> str:
    if order.status == "open" and order.filled:
        return "partially_filled"
    return ORDER_STATES.get(order.status, order.status)


def _totals(order: Order) -> Element:
    width = pair_of(order).width
    return {
        "cum_qty": number(order.filled, 8),
        "cum_cost": number(order.cost, width),
        "avg_price": number(order.average, width),
    }


def _fee_in_usd(order: Order) -> Number:
    return number(in_usd(order.fee, order.symbol.quote), 5)


def _trade(trade: Trade, status: str) -> Element:
    order, symbol = trade.order, trade.order.symbol
    element: Element = {
        "order_id": order.order_id,
        "order_userref": order.user_reference,
        "exec_id": trade.trade_id,
        "exec_type": "trade",
        "trade_id": trade.number,
        "symbol": symbol.name,
        "side": order.side,
        "last_qty": number(trade.quantity, 8),
        "last_price": number(trade.price, symbol.price_digits),
        "liquidity_ind": "m" if trade.maker else "t",
        "cost": number(trade.cost, pair_of(order).width),
        "order_status": status,
        "order_type": ORDER_TYPES[order.type],
        "timestamp": from_nanos(trade.time_ns),
    }
    if order.client_id:
        element["cl_ord_id"] = order.client_id
    return element | {
        "fee_usd_equiv": number(in_usd(trade.fee, symbol.quote), 5),
        "fees": [{"asset": symbol.quote, "qty": number(trade.fee, pair_of(order).width)}],
    }


def _snapshot_trade(trade: Trade) -> Element:
    return _trade(trade, "filled")


def _live_trade(trade: Trade, order: Order) -> Element:
    # The fill that completes an order was seen with either word; `filled` follows anyway.
    complete = not order.remaining and trade.number % 2
    return _trade(trade, "filled" if complete else "partially_filled") | _totals(order)


def _wallet(currency: str, amount: Decimal) -> Element:
    balance = number(amount, ASSETS[currency].digits)
    return {
        "asset": currency,
        "asset_class": "currency",
        "balance": balance,
        "wallets": [{"type": "spot", "id": "main", "balance": balance}],
    }


def _entry(entry: Entry) -> Element:
    digits = ASSETS[entry.currency].digits
    return {
        "ledger_id": entry.entry_id,
        "ref_id": entry.reference,
        "timestamp": from_nanos(entry.time_ns),
        "type": entry.type,
        "asset": entry.currency,
        "asset_class": "currency",
        "category": CATEGORIES[entry.type],
        "wallet_type": "spot",
        "wallet_id": "main",
        "amount": number(entry.amount, digits),
        "fee": number(entry.fee, digits),
        "balance": number(entry.balance, digits),
    }
