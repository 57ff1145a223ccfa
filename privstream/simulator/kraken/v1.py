"""WebSocket v1: channels `openOrders` and `ownTrades`, numbers as strings.

The one rule: an update carries what Kraken's captures carry; a fill comes without
`status`, and nothing in a frame but sequence 1 tells a snapshot from an update.
"""

from collections.abc import Iterator
from typing import Any

from privstream.model.rest import Now
from privstream.simulator.kraken.orders_v1 import read_order
from privstream.simulator.kraken.socket import (
    SNAPSHOT_TRADES,
    KrakenSocket,
    Subscription,
)
from privstream.simulator.kraken.trading import Refusal
from privstream.simulator.kraken.words import (
    NO_POSITION,
    ORDER_TYPES,
    REASONS,
    close_prices,
    close_text,
    epoch_text,
    fee_in_quote,
    fixed,
    limit_price,
    misc,
    order_flags,
    order_prices,
    order_text,
    pair_of,
    volumes,
)
from privstream.simulator.market import Happening, Order, Trade

OPTIONS: dict[str, frozenset[str]] = {
    "openOrders": frozenset({"ratecounter", "rebased"}),
    "ownTrades": frozenset({"snapshot", "consolidate_taker", "rebased"}),
}
PUBLIC = frozenset({"ticker", "ohlc", "trade", "spread", "book"})
SUBSCRIBE_FIELDS = frozenset({"event", "reqid", "subscription"})
ORDER_CALLS = frozenset({"addOrder", "cancelOrder", "cancelAll"})
STATES = {"filled": "closed"}
Element = dict[str, Any]


class SocketV1(KrakenSocket):
    """A socket on `/`."""

    def greeting(self) -> object:
        return {
            "connectionID": self.number,
            "event": "systemStatus",
            "status": self.platform.system,
            "version": "1.9.1",
        }

    def heartbeat(self) -> object:
        return {"event": "heartbeat"}

    # --- requests ----------------------------------------------------------------------

    def malformed(self, now: Now) -> object:  # noqa: ARG002 - v1 replies carry no time
        return {"errorMessage": "Malformed request", "event": "error", "status": "error"}

    def reply(self, message: Any, now: Now) -> Iterator[object]:
        if not isinstance(message, dict) or not _is_count(message.get("reqid", 0)):
            yield self.malformed(now)
        elif message.get("event") == "ping":
            yield {"event": "pong", **_correlation(message)}
        elif message.get("event") in ("subscribe", "unsubscribe"):
            yield from self._subscription(message, now)
        elif message.get("event") in ORDER_CALLS:
            yield from self._order_call(message, now)
        else:
            error = {"errorMessage": "Event(s) not found", "event": "error"}
            yield error | _correlation(message) | {"status": "error"}

    def _subscription(self, message: Element, now: Now) -> Iterator[object]:
        try:
            name, options = _checked(message)
            token = message["subscription"].get("token")
            if message["event"] == "unsubscribe":
                self.remove(name, token, now)
                yield _status(message, name, "unsubscribed", {"name": name})
                return
            subscription = self.add(name, token, options, now)
        except Refusal as refusal:
            yield _refused(message, str(refusal))
            return
        yield _status(message, name, "subscribed", self._subscribed(name))
        yield from self._snapshot(subscription)

    def _subscribed(self, name: str) -> Element:
        most = {"maxratecount": self.platform.tier.order_calls} if name == "openOrders" else {}
        return {**most, "name": name}

    # --- orders ------------------------------------------------------------------------

    def _order_call(self, message: Element, now: Now) -> Iterator[object]:
        event = message["event"]
        fields = {key: message[key] for key in message if key not in {"event", "token", "reqid"}}
        try:
            self.may_trade(message.get("token"), now, placing=event == "addOrder")
            if event == "addOrder":
                yield _ok(message, self._add_order(fields, now))
            elif event == "cancelOrder":
                yield from self._cancel_orders(message, fields, now)
            else:
                yield _ok(message, self._cancel_all(fields, now))
        except Refusal as refusal:
            yield _not_ok(message, str(refusal))

    def _add_order(self, fields: Element, now: Now) -> Element:
        asked = read_order(fields, now, "v1")
        order = self.trading.place(asked, now)
        described = self.market.desk.priced(asked.order) if order is None else order
        altname = pair_of(described).altname
        text = order_text(described, altname, described.symbol.price_digits)
        if order is None:
            return {"descr": text}
        named = {"cl_ord_id": order.client_id} if order.client_id else {}
        return {"txid": order.order_id, "descr": text} | named

    def _cancel_all(self, fields: Element, now: Now) -> Element:
        if fields:
            raise Refusal("Malformed request")
        return {"count": self.trading.cancel_all(now)}

    def _cancel_orders(self, message: Element, fields: Element, now: Now) -> Iterator[object]:
        """One reply per order; none says which it was."""
        names = _named(fields)
        for name in names:
            for order_id in self._ids(name):
                try:
                    self.trading.cancel(order_id, now)
                except Refusal as refusal:
                    yield _not_ok(message, str(refusal))
                else:
                    yield _ok(message, {})

    def _ids(self, name: str) -> list[str]:
        """An order id, a user reference or a client id means these."""
        return self.trading.named(
            lambda order: name in {order.client_id, str(order.user_reference or "")}
        ) or [name]

    # --- frames ------------------------------------------------------------------------

    def _snapshot(self, subscription: Subscription) -> Iterator[object]:
        if subscription.channel == "openOrders":
            orders = self.market.open_orders()
            yield _frame(subscription, [{o.order_id: _order(o)} for o in orders])
        elif _flag(subscription.options, "snapshot", default=True):
            last = list(self.market.books.trades.values())[-SNAPSHOT_TRADES:]
            yield _frame(subscription, [{t.trade_id: _trade(t)} for t in reversed(last)])

    def tell(self, subscription: Subscription, happening: Happening) -> object | None:
        trade, order = happening.trade, happening.order
        if subscription.channel == "ownTrades":
            if trade is None:
                return None
            fields = _trade(trade) | _client_reference(trade.order)
            return _frame(subscription, [{trade.trade_id: fields}])
        if order is None:
            return None
        fields = _update(happening, order)
        if _flag(subscription.options, "ratecounter", default=False):
            fields["ratecount"] = self.rate_count()
        return _frame(subscription, [{order.order_id: fields}])


# --- replies ---------------------------------------------------------------------------


def _checked(message: Element) -> tuple[str, Element]:
    """The channel and its options, or a refusal."""
    subscription = message.get("subscription")
    if not isinstance(subscription, dict) or not message.keys() <= SUBSCRIBE_FIELDS:
        raise Refusal("Malformed request")
    name = subscription.get("name")
    if not isinstance(name, str):
        raise Refusal("Subscription name invalid")
    if name in PUBLIC:
        raise Refusal("Public channels not available in this endpoint")
    if name not in OPTIONS:
        raise Refusal("Subscription name invalid")
    options = {key: subscription[key] for key in subscription if key not in {"name", "token"}}
    if not options.keys() <= OPTIONS[name]:
        raise Refusal("Subscription object unsupported field")
    if any(value not in (True, False, "true", "false") for value in options.values()):
        raise Refusal("Malformed request")
    return name, options


def _named(fields: Element) -> list[str]:
    names = [*fields.get("txid", ()), *fields.get("cl_ord_id", ())]
    lists = all(isinstance(value, list) for value in fields.values())
    if not (lists and names and fields.keys() <= {"txid", "cl_ord_id"}):
        raise Refusal("Malformed request")
    if not all(type(name) is str for name in names):
        raise Refusal("Malformed request")
    return names


def _ok(message: Element, more: Element) -> Element:
    return {"event": f"{message['event']}Status", **_correlation(message), "status": "ok", **more}


def _not_ok(message: Element, text: str) -> Element:
    reply = {"errorMessage": text, "event": f"{message['event']}Status"}
    return reply | _correlation(message) | {"status": "error"}


def _flag(options: Element, key: str, *, default: bool) -> bool:
    return options.get(key, default) in {True, "true"}


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _correlation(message: Element) -> Element:
    return {"reqid": message["reqid"]} if "reqid" in message else {}


def _status(message: Element, name: str, status: str, subscription: Element) -> Element:
    reply = {"channelName": name, "event": "subscriptionStatus", **_correlation(message)}
    return reply | {"status": status, "subscription": subscription}


def _refused(message: Element, text: str) -> Element:
    reply = {"errorMessage": text, "event": "subscriptionStatus", **_correlation(message)}
    asked = message.get("subscription")
    if isinstance(asked, dict) and isinstance(asked.get("name"), str):
        reply["subscription"] = {"name": asked["name"]}
    return reply | {"status": "error"}


# --- elements --------------------------------------------------------------------------


def _frame(subscription: Subscription, elements: list[Element]) -> list[object]:
    return [elements, subscription.channel, {"sequence": subscription.next()}]


def _client_reference(order: Order) -> Element:
    reference: Element = {"userref": order.user_reference}
    return reference | ({"cl_ord_id": order.client_id} if order.client_id else {})


def _totals(order: Order) -> Element:
    width = pair_of(order).width
    return {
        "vol_exec": fixed(volumes(order)[1], 8),
        "cost": fixed(order.cost, width),
        "fee": fixed(fee_in_quote(order), width),
        "avg_price": fixed(order.average, width),
    }


def _update(happening: Happening, order: Order) -> Element:
    if happening.what == "placed":
        return _order(order)
    reference = {"userref": order.user_reference}
    if happening.what == "opened":
        return {"status": "open"} | reference
    if happening.what == "amended":
        terms = _order(order)
        changed = {key: terms[key] for key in ("descr", "vol", "vol_exec")}
        return changed | {"amended": True, "amend_reason": "User requested"} | reference
    if happening.what in {"trailed", "triggered"}:
        return _trigger_prices(order) | reference
    if happening.what == "traded":
        return _totals(order) | reference
    end: Element = {
        "lastupdated": epoch_text(happening.time_ns),
        "status": STATES.get(order.status, order.status),
    }
    end |= _totals(order) | reference
    return end | ({"cancel_reason": REASONS[order.reason]} if order.reason else {})


def _trigger_prices(order: Order) -> Element:
    width = pair_of(order).width
    limit = limit_price(order)
    moved = {} if limit is None else {"limitprice": fixed(limit, width)}
    if order.triggered:
        return {"misc": "stopped"} | moved
    return {"stopprice": fixed(order.stop_price, width)} | moved


def _order(order: Order) -> Element:
    width = pair_of(order).width
    zero = fixed(None, width)
    fields: Element = {
        "avg_price": fixed(order.average, width),
        "cost": fixed(order.cost, width),
        "descr": _description(order),
        "expiretm": _moment(order.expires_ns),
        "fee": fixed(fee_in_quote(order), width),
        "limitprice": fixed(limit_price(order), width),
        "misc": misc(order),
        "oflags": order_flags(order),
        "opentm": epoch_text(order.created_ns),
        "refid": order.parent,
        "starttm": _moment(order.starts_ns),
        "status": order.status,
        "stopprice": fixed(order.stop_price, width) if order.stop_offset else zero,
        "timeinforce": order.time_in_force.upper(),
    }
    if order.stop_price is not None:
        fields["trigger"] = order.reference
    if order.close is not None:
        fields["contingent"] = _contingent(order)
    if order.display_quantity is not None:
        shown = min(order.display_quantity, order.remaining)
        fields["display_volume"] = fixed(order.display_quantity, 8)
        fields["display_volume_remain"] = fixed(shown, 8)
    fields |= _client_reference(order)
    volume, executed = volumes(order)
    return fields | {"vol": fixed(volume, 8), "vol_exec": fixed(executed, 8)}


def _moment(nanos: int | None) -> str | None:
    return None if nanos is None else epoch_text(nanos)


def _contingent(order: Order) -> Element:
    price, price2 = close_prices(order, pair_of(order).width)
    kind = "" if order.close is None else ORDER_TYPES[order.close.type]
    zero = fixed(None, pair_of(order).width)
    return {"ordertype": kind, "price": price or zero, "price2": price2 or zero, "oflags": "fciq"}


def _description(order: Order) -> Element:
    pair = pair_of(order)
    zero = fixed(None, pair.width)
    price, price2 = order_prices(order, pair.width)
    text = order_text(order, pair.wsname, pair.width)
    return {
        "close": close_text(order, pair.width) or None,
        "leverage": f"{order.leverage}:1" if order.leverage else None,
        "order": f"{text} {zero}" if order.type == "market" else text,
        "ordertype": ORDER_TYPES[order.type],
        "pair": pair.wsname,
        "price": price or zero,
        "price2": price2 or zero,
        "type": order.side,
    }


def _trade(trade: Trade) -> Element:
    order, pair = trade.order, pair_of(trade.order)
    return {
        "cost": fixed(trade.cost, pair.width),
        "fee": fixed(fee_in_quote(trade), pair.width),
        "margin": fixed(trade.cost / order.leverage if order.leverage else None, pair.width),
        "ordertxid": order.order_id,
        "ordertype": ORDER_TYPES[order.type],
        "pair": pair.wsname,
        "postxid": NO_POSITION,
        "price": fixed(trade.price, pair.width),
        "time": epoch_text(trade.time_ns),
        "type": order.side,
        "vol": fixed(trade.quantity, 8),
    }
