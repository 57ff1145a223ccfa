"""What is shown of an order before it is sent.

The one rule: everything that will be sent is in it, with the digits that will be sent.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from privstream.app.amounts import value
from privstream.app.order_worth import worth
from privstream.model.events import Order
from privstream.model.order_entry import MarketView, Ticket

LISTED = 20
"""Orders that are named before all are canceled; of more, how many."""
RELATIVE = ("start", "expire")


def shown(ticket: Ticket, title: str, account: str) -> str:
    """The order in one line: who, what, at which price, under which id."""
    parts = [
        _what(ticket),
        _kind(ticket),
        *([ticket.time_in_force] if ticket.time_in_force is not None else ()),
        *(f"{name.replace('_', ' ')} {text}" for name, text in ticket.options.items()),
        *([f"client id {ticket.client_order_id}"] if ticket.client_order_id else ()),
    ]
    only = "to be validated only: " if ticket.validate else ""
    return f"{title}, account {account}: {only}{', '.join(parts)}"


def money(ticket: Ticket, view: MarketView) -> str:
    """`last price 59278.3, this comes to 592.783 EUR; free: 1200.5 EUR, 0.2 BTC`."""
    quote = ticket.symbol.partition("/")[2]
    last, comes_to = view.last_price, worth(ticket, view)
    parts = [
        "the last price is not known" if last is None else f"last price {last}",
        "what this comes to is not known"
        if comes_to is None
        else f"this comes to {comes_to} {quote}",
    ]
    free = ", ".join(f"{amount} {currency}" for currency, amount in view.free.items())
    return f"{', '.join(parts)}; free: {free or 'not known'}"


def moments(ticket: Ticket, now_ns: int) -> Iterator[str]:
    """`expire +86400 is 2026-12-01 18:00:00 UTC (19:00:00 CET here)`; `now_ns` by the exchange."""
    for name in RELATIVE:
        text = ticket.options.get(name, "")
        if text[:1] == "+" and text[1:].isdigit():
            at = datetime.fromtimestamp(now_ns // 10**9 + int(text[1:]), UTC)
            local = at.astimezone()
            yield f"{name} {text} is {at:%Y-%m-%d %H:%M:%S} UTC ({local:%Y-%m-%d %H:%M:%S %Z} here)"


def asked_to_cancel_all(title: str, account: str) -> str:
    return f"{title}, account {account}: cancel every open order"


def listed(orders: Iterable[Order]) -> Iterator[str]:
    """How many there are, and which."""
    found = list(orders)
    yield f"{len(found)} open order{'' if len(found) == 1 else 's'}{':' if found else ''}"
    for order in found[:LISTED]:
        price = order.price or order.stop_price
        what = f"{order.side} {order.remaining or order.quantity} {order.symbol or order.exchange_symbol}"
        kind = f"{(order.order_type or '').replace('_', ' ')}{f' at {price}' if price else ''}"
        yield f"  {order.order_id}  {what}  {kind}"
    if len(found) > LISTED:
        yield f"  and {len(found) - LISTED} more"


def _what(ticket: Ticket) -> str:
    """`buy 0.25 BTC/EUR`, or `buy BTC/EUR for 100 EUR`."""
    quote = ticket.symbol.partition("/")[2]
    if "viqc" in ticket.options.get("flags", ""):  # the quantity is in the quote currency
        return f"{ticket.side} {ticket.symbol} for {ticket.quantity} {quote}".rstrip()
    return f"{ticket.side} {ticket.quantity} {ticket.symbol}"


def _kind(ticket: Ticket) -> str:
    """`limit at 25000 (together 2500 EUR)`, `stop loss limit, stop at 24000, limit at 23900`."""
    kind, price = ticket.order_type.replace("_", " "), ticket.price
    if ticket.order_type == "limit":
        return f"limit {_priced(price or '')}{_together(ticket)}"
    stop = "" if ticket.stop_price is None else f", stop {_priced(ticket.stop_price)}"
    if price is None:
        return f"{kind}{stop}"
    # A trailing stop has its limit at an offset from its trigger.
    limit = f"at {price} from the stop" if "trailing" in kind else _priced(price)
    return f"{kind}{stop}, limit {limit}"


def _priced(price: str) -> str:
    """`at 25000`, or `5% below the last price`."""
    text = price.removeprefix("last")
    if text[:1] in WAYS:
        return f"{text[1:]} {WAYS[text[0]]} the last price"
    return f"{text} above the last price" if text.endswith("%") else f"at {text}"


WAYS = {"+": "above", "-": "below", "#": "above or below (as fits the side)"}


def _together(ticket: Ticket) -> str:
    """What the order is worth, where that is certain."""
    price, quote = ticket.price or "", ticket.symbol.partition("/")[2]
    if not (price[:1].isdigit() and price[-1:].isdigit() and quote):
        return ""
    return f" (together {value(ticket.quantity, price)} {quote})"
