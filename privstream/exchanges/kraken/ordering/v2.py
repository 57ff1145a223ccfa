"""Orders over Kraken's WebSocket v2: add_order, cancel_order, cancel_all.

The one rule: an amount is a bare JSON number with the digits as they were typed.
Source: docs.kraken.com add_order, cancel_order, cancel_all (checked 2026-11-20).
"""

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec.structs import replace

from privstream.exchanges.kit.sequence import number_of
from privstream.exchanges.kraken.ordering import terms
from privstream.exchanges.kraken.ordering.pending import Pending, count_of
from privstream.exchanges.kraken.ordering.terms import TRAILING, TRIGGERED, Moment, Price
from privstream.exchanges.kraken.refusals import call_error
from privstream.exchanges.kraken.session import complaint_of
from privstream.exchanges.kraken.v2 import SessionV2
from privstream.model import exact
from privstream.model.exact import Number
from privstream.model.order_entry import Answered, DeskAction, OrderDesk, Ticket
from privstream.model.rest import Now, Stamp
from privstream.model.session import Send
from privstream.model.times import from_nanos, from_rfc3339, to_nanos

CALLS = frozenset({"add_order", "cancel_order", "cancel_all"})
HIDDEN = "<token>"


class DeskV2(SessionV2, OrderDesk):
    """A v2 connection that hears of orders and fills, and places orders."""

    def __init__(self, token: str, channels: tuple[str, ...]) -> None:
        super().__init__(token, channels)
        self._now: Now | None = None
        self._calls = Pending()

    def open(self, stamp: Stamp) -> Iterator[Any]:
        self._now = stamp.now
        yield from super().open(stamp)

    def tick(self, now: Now) -> Iterable[Any]:
        self._now = now
        return super().tick(now)

    def read_fast(self, frame: bytes, now: Now) -> Iterable[Any]:
        self._now = now
        return super().read_fast(frame, now)

    def read(self, message: Any, now: Now) -> Iterator[Any]:
        self._now = now
        if isinstance(message, dict) and (sent := _moment(message.get("time_out"))) is not None:
            self.ahead_ns = sent - now.wall_ns
        yield from super().read(message, now)

    def place_message(self, ticket: Ticket, request: int) -> Send:
        self._calls.sent(request, "add_order", ticket.client_order_id or "")
        return self._call("add_order", add_order(ticket, self._by_kraken()), request)

    def _by_kraken(self) -> int | None:
        return None if self._now is None else self._now.wall_ns + (self.ahead_ns or 0)

    def cancel_message(self, order_id: str, request: int) -> Send:
        self._calls.sent(request, "cancel_order", order_id)
        key = "order_id" if terms.ORDER_ID.fullmatch(order_id) else "cl_ord_id"
        return self._call("cancel_order", {key: [order_id]}, request)

    def cancel_all_message(self, request: int) -> Send:
        self._calls.sent(request, "cancel_all")
        return self._call("cancel_all", {}, request)

    def _call(self, method: str, params: dict[str, Any], request: int) -> Send:
        req_id = FIRST_REQUEST + request
        text, shown = (
            exact.encode(
                {"method": method, "params": {**params, "token": token}, "req_id": req_id}
            ).decode()
            for token in (self._token, HIDDEN)
        )
        return Send(text, shown)

    def _read_reply(self, message: dict[str, Any]) -> Iterator[DeskAction]:
        method, req_id = message["method"], number_of(message.get("req_id"))
        if method not in CALLS or (req_id is None and not self._calls.awaits(method)):
            yield from super()._read_reply(message)
        elif req_id is None:
            yield from self._calls.unnumbered(method, _answer(message, method))
        else:
            answered = _answer(message, method)
            yield self._calls.numbered(replace(answered, request=req_id - FIRST_REQUEST))

    def _read_complaint(self, message: dict[str, Any]) -> Iterator[DeskAction]:
        req_id = number_of(message.get("req_id"))
        if complaint_of(message) is None or not self._calls.awaits(None, req_id, FIRST_REQUEST):
            yield from super()._read_complaint(message)
        elif req_id is None:
            yield from self._calls.unnumbered(None, _answer(message, "order call"))
        else:
            answered = replace(_answer(message, "order call"), request=req_id - FIRST_REQUEST)
            yield self._calls.numbered(answered)


def _moment(text: object) -> int | None:
    """Nanoseconds since the epoch; `None` where that is no time."""
    try:
        moment = from_rfc3339(text)
    except (TypeError, ValueError):
        return None
    return None if moment is None else to_nanos(moment)


def _answer(message: dict[str, Any], method: str) -> Answered:
    """An answer, without the number of its request."""
    said = message.get("result")
    result = said if isinstance(said, dict) else {}
    named = [result.get(key) for key in ("order_id", "cl_ord_id")]
    warnings, success = result.get("warnings"), message.get("success")
    order_ids = tuple(name for name in named if isinstance(name, str) and name)[:1]
    return Answered(
        request=0,
        order_ids=order_ids,
        error=None
        if success is True
        else call_error(
            complaint_of(message),
            DOING.get(method, "the request"),
            is_refused=success is False,
            names_order=bool(order_ids),
        ),
        warnings=tuple(map(str, warnings)) if isinstance(warnings, list) else (),
        count=count_of(result.get("count")),
    )


DOING = {"add_order": "the order", "cancel_order": "the cancel", "cancel_all": "the cancel"}
FIRST_REQUEST = 1000
"""Requests are numbered from here on, apart from the subscriptions."""


def add_order(ticket: Ticket, now_ns: int | None) -> dict[str, Any]:
    """The params of a prepared ticket, without the token; `now_ns` is by Kraken's clock."""
    kind, named = ticket.order_type, terms.flags(ticket)
    quantity = Number(terms.number(ticket.quantity, "--quantity"))
    params: dict[str, Any] = {
        "order_type": kind.replace("_", "-"),
        "side": ticket.side,
        "symbol": ticket.symbol,
        "cash_order_qty" if "viqc" in named else "order_qty": quantity,
        **_limit(ticket),
        **_triggers(ticket),
        **_times(ticket, now_ns),
        **_flags(named),
        **_identity(ticket),
        **_closing(ticket),
    }
    if (shown := ticket.options.get("display_quantity")) is not None:
        params["display_qty"] = Number(terms.number(shown, "--display-quantity"))
    if terms.leverage(ticket) is not None:
        params["margin"] = True  # `prepare` saw to it that this is the leverage meant
    if ticket.validate:
        params["validate"] = True
    return params


def _limit(ticket: Ticket) -> dict[str, Any]:
    if ticket.price is None:
        return {}
    if ticket.order_type not in TRAILING:
        return {"limit_price": Number(terms.price(ticket.price, "--price").digits)}
    limit = terms.offset(ticket.price, "--price")
    return {"limit_price": _signed(limit), "limit_price_type": _offset_kind(limit)}


def _triggers(ticket: Ticket) -> dict[str, Any]:
    if ticket.order_type in TRIGGERED:
        trigger = terms.price(ticket.stop_price or "", "--stop-price")
        kind = "static" if trigger.is_absolute else _offset_kind(trigger)
    elif ticket.order_type in TRAILING:
        trigger = terms.offset(ticket.options["trailing_offset"], "--trailing-offset")
        kind = _offset_kind(trigger)
    else:
        return {}
    return {"triggers": {"reference": "last", "price": _signed(trigger), "price_type": kind}}


def _signed(value: Price) -> Number:
    return Number(f"-{value.digits}" if value.sign == "-" else value.digits)


def _offset_kind(value: Price) -> str:
    return "pct" if value.percent else "quote"


def _times(ticket: Ticket, now_ns: int | None) -> dict[str, str]:
    times = {}
    if (force := terms.time_in_force(ticket)) is not None:
        times["time_in_force"] = force
    for key, moment in (
        ("effective_time", terms.start(ticket)),
        ("expire_time", terms.expiry(ticket)),
    ):
        if moment is not None:
            times[key] = _absolute(moment, now_ns)
    return times


def _absolute(moment: Moment, now_ns: int | None) -> str:
    if moment.at is not None:
        return moment.at
    if now_ns is None or moment.after is None:
        raise ValueError("a time from now needs a connection that is open")
    # Rounded up: an order never starts or expires earlier than was asked for.
    seconds = -(-now_ns // 10**9) + moment.after
    return from_nanos(seconds * 10**9).replace(".000000Z", "Z")


def _flags(named: tuple[str, ...]) -> dict[str, Any]:
    params: dict[str, Any] = {}
    if "post" in named:
        params["post_only"] = True
    if "fcib" in named or "fciq" in named:
        params["fee_preference"] = "base" if "fcib" in named else "quote"
    if "nompp" in named:
        params["no_mpp"] = True
    return params


def _identity(ticket: Ticket) -> dict[str, Any]:
    if (reference := terms.userref(ticket)) is not None:
        return {"order_userref": reference}
    return {} if ticket.client_order_id is None else {"cl_ord_id": ticket.client_order_id}


def _closing(ticket: Ticket) -> dict[str, Any]:
    kind = ticket.options.get("close_type", "").replace("_", "-")
    if not kind:
        return {}
    template: dict[str, Any] = {"order_type": kind}
    trails = kind.replace("-", "_") in TRAILING
    if (text := ticket.options.get("close_price")) is not None:
        limit = (terms.offset if trails else terms.price)(text, "--close-price")
        template["limit_price"] = _signed(limit)
        if trails:
            template["limit_price_type"] = _offset_kind(limit)
    if (text := ticket.options.get("close_stop_price")) is not None:
        trigger = (terms.offset if trails else terms.price)(text, "--close-stop-price")
        is_static = trigger.is_absolute and not trails
        template["trigger_price"] = _signed(trigger)
        template["trigger_price_type"] = "static" if is_static else _offset_kind(trigger)
    return {"conditional": template}
