"""Orders over Kraken's WebSocket v1: addOrder, cancelOrder, cancelAll.

The one rule: amounts, prices and times are texts, as they were typed.
Source: docs.kraken.com addOrder, cancelOrder, cancelAll (checked 2026-11-20).
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec.structs import replace

from privstream.exchanges.kit.sequence import number_of
from privstream.exchanges.kraken.ordering import terms
from privstream.exchanges.kraken.ordering.pending import Pending, count_of
from privstream.exchanges.kraken.ordering.terms import TRAILING, Moment
from privstream.exchanges.kraken.refusals import call_error
from privstream.exchanges.kraken.session import complaint_of
from privstream.exchanges.kraken.v1 import SessionV1
from privstream.model.order_entry import Answered, DeskAction, OrderDesk, Ticket
from privstream.model.rest import Now
from privstream.model.session import Send

REPLIES = frozenset({"addOrderStatus", "cancelOrderStatus", "cancelAllStatus"})
HIDDEN = "<token>"
FIRST_REQUEST = 1000
"""Requests are numbered from here on, apart from the subscriptions."""


class DeskV1(SessionV1, OrderDesk):
    """A v1 connection that hears of orders and fills, and places orders."""

    def __init__(self, token: str, channels: tuple[str, ...]) -> None:
        super().__init__(token, channels)
        self._calls = Pending()

    def place_message(self, ticket: Ticket, request: int) -> Send:
        self._calls.sent(request, "addOrderStatus", ticket.client_order_id or "")
        return self._call("addOrder", add_order(ticket), request)

    def cancel_message(self, order_id: str, request: int) -> Send:
        self._calls.sent(request, "cancelOrderStatus", order_id)
        if terms.ORDER_ID.fullmatch(order_id):
            return self._call("cancelOrder", {"txid": [order_id]}, request)
        return self._call("cancelOrder", {"cl_ord_id": [order_id]}, request)

    def cancel_all_message(self, request: int) -> Send:
        self._calls.sent(request, "cancelAllStatus")
        return self._call("cancelAll", {}, request)

    def _call(self, event: str, fields: dict[str, Any], request: int) -> Send:
        reqid = FIRST_REQUEST + request
        text, shown = (
            msgspec.json.encode({"event": event, "reqid": reqid, **fields, "token": token}).decode()
            for token in (self._token, HIDDEN)
        )
        return Send(text, shown)

    def read(self, message: Any, now: Now) -> Iterator[DeskAction]:
        event = message.get("event") if isinstance(message, dict) else None
        reqid = number_of(message.get("reqid")) if event in REPLIES else None
        if event in REPLIES and reqid is not None:
            self._pulse.felt(now)
            answered = _answer(message)
            yield self._calls.numbered(replace(answered, request=reqid - FIRST_REQUEST))
        elif event in REPLIES and self._calls.awaits(event):
            self._pulse.felt(now)
            yield from self._calls.unnumbered(event, _answer(message))
        else:
            yield from super().read(message, now)

    def _read_complaint(self, message: dict[str, Any]) -> Iterator[DeskAction]:
        reqid = number_of(message.get("reqid"))
        if complaint_of(message) is None or not self._calls.awaits(None, reqid, FIRST_REQUEST):
            yield from super()._read_complaint(message)
        elif reqid is None:
            yield from self._calls.unnumbered(None, _answer(message))
        else:
            answered = replace(_answer(message), request=reqid - FIRST_REQUEST)
            yield self._calls.numbered(answered)


def _answer(message: dict[str, Any]) -> Answered:
    """An answer, without the number of its request."""
    txid, status = message.get("txid"), message.get("status")
    order_ids = (txid,) if isinstance(txid, str) and txid else ()
    return Answered(
        request=0,
        order_ids=order_ids,
        error=None
        if status == "ok"
        else call_error(
            complaint_of(message),
            DOING.get(message.get("event", ""), "the request"),
            is_refused=status == "error",
            names_order=bool(order_ids),
        ),
        count=count_of(message.get("count")),
    )


DOING = {
    "addOrderStatus": "the order",
    "cancelOrderStatus": "the cancel",
    "cancelAllStatus": "the cancel",
}


def add_order(ticket: Ticket) -> dict[str, Any]:
    """The fields of a prepared ticket, without the token."""
    fields: dict[str, Any] = {
        "pair": ticket.symbol,
        "type": ticket.side,
        "ordertype": ticket.order_type.replace("_", "-"),
        "volume": terms.number(ticket.quantity, "--quantity"),
        **_prices(ticket.order_type, ticket.price, ticket.stop_price, ticket),
        **_times(ticket),
        **_closing(ticket),
    }
    if named := terms.flags(ticket):
        fields["oflags"] = ",".join(named)
    if (times := terms.leverage(ticket)) is not None:
        fields["leverage"] = str(times)
    if (reference := terms.userref(ticket)) is not None:
        fields["userref"] = str(reference)
    elif ticket.client_order_id is not None:
        fields["cl_ord_id"] = ticket.client_order_id
    if ticket.validate:
        fields["validate"] = "true"
    return fields


def _prices(kind: str, limit: str | None, trigger: str | None, ticket: Ticket) -> dict[str, str]:
    """`price` is the trigger where there is one, and `price2` then the limit."""
    if kind in TRAILING:
        trigger = _offset(ticket.options["trailing_offset"], "--trailing-offset")
        limit = None if limit is None else _offset(limit, "--price")
    elif limit is not None:
        limit = terms.price(limit, "--price").text
    if trigger is None:
        return {} if limit is None else {"price": limit}
    prices = {"price": terms.price(trigger, "--stop-price").text}
    return prices if limit is None else {**prices, "price2": limit}


def _offset(text: str, what: str) -> str:
    """An offset always has a sign."""
    value = terms.offset(text, what)
    return value.text if value.sign else f"+{value.text}"


def _times(ticket: Ticket) -> dict[str, str]:
    times = {}
    if (force := terms.time_in_force(ticket)) is not None:
        times["timeinforce"] = force.upper()
    for key, moment in (("starttm", terms.start(ticket)), ("expiretm", terms.expiry(ticket))):
        if moment is not None:
            times[key] = _time(moment)
    return times


def _time(moment: Moment) -> str:
    return f"+{moment.after}" if moment.at is None else str(terms.epoch_seconds(moment.at))


def _closing(ticket: Ticket) -> dict[str, str]:
    kind = ticket.options.get("close_type", "").replace("_", "-")
    if not kind:
        return {}
    limit, trigger = ticket.options.get("close_price"), ticket.options.get("close_stop_price")
    if kind.replace("-", "_") in TRAILING:
        trigger = None if trigger is None else _offset(trigger, "--close-stop-price")
        limit = None if limit is None else _offset(limit, "--close-price")
    first, second = (limit, None) if trigger is None else (trigger, limit)
    template = {"close[ordertype]": kind, "close[price]": first, "close[price2]": second}
    return {key: text for key, text in template.items() if text is not None}
