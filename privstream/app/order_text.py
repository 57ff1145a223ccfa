"""What is shown of an order before it is sent.

The one rule: everything that will be sent is in it, with the digits that will be sent.
"""

from privstream.app.amounts import value
from privstream.model.order_entry import Ticket


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


def asked_to_cancel_all(title: str, account: str) -> str:
    return f"{title}, account {account}: cancel every open order"


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
