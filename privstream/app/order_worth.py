"""What an order comes to in money, and whether that is more than the user allows.

The one rule: where the price is not the user's own, the last traded one stands for it, and
what cannot be told is not told as if it were.
"""

from collections.abc import Mapping
from decimal import Decimal

from privstream.app.amounts import value
from privstream.model.errors import ConfigError
from privstream.model.order_entry import MarketView, Ticket


def worth(ticket: Ticket, view: MarketView) -> str | None:
    """Its value in the quote currency: the most that it can be, as far as prices are known."""
    if "viqc" in ticket.options.get("flags", "").split(","):
        return ticket.quantity
    price = _price(ticket, view.last_price)
    return None if price is None else value(ticket.quantity, price)


def _price(ticket: Ticket, last: str | None) -> str | None:
    own = [price for price in (ticket.price, ticket.stop_price) if _is_absolute(price)]
    if "trailing" in ticket.order_type:
        own = []
    if ticket.side == "buy" and ticket.order_type.endswith("limit") and _is_absolute(ticket.price):
        return ticket.price  # never more
    # Sold for more, or bought at whatever the market asks.
    known = [price for price in (*own, last) if price is not None]
    if not own and last is None:
        return None
    return max(known, key=Decimal)


def _is_absolute(price: str | None) -> bool:
    return price is not None and price[:1].isdigit() and price[-1:].isdigit()


def check_limit(
    worth_: str | None, symbol: str, limits: Mapping[str, str], account: str
) -> str | None:
    """Refuse an order above `max_order`; returns what is to be said where there is no limit for it.

    Raises ConfigError, also where what it comes to cannot be told.
    """
    quote = symbol.partition("/")[2]
    limit = limits.get(quote)
    if not limits:
        return None
    if limit is None:
        return f"max_order of account {account} names no {quote or symbol}: no limit for this order"
    where = f"max_order of account {account} is {limit} {quote}"
    if worth_ is None:
        raise ConfigError(
            f"{where}, and what this order comes to cannot be told: no last price could be read",
            "give it a limit price; nothing was sent",
        )
    if Decimal(worth_) > Decimal(limit):
        raise ConfigError(
            f"{where}, and this order comes to {worth_} {quote}",
            "make it smaller, or change max_order in the config file; nothing was sent",
        )
    return None
