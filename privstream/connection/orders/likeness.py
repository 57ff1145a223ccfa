"""Whether an order that the exchange tells of has the terms of the one that was sent. Pure.

The one rule: a client id or a user reference that somebody typed may stand on other orders
too, so it proves nothing by itself; every term that both sides state must be the same.
"""

from collections.abc import Callable, Iterator

from privstream.model.events import Order
from privstream.model.exact import normal
from privstream.model.order_entry import Ticket

SymbolOf = Callable[[str], str | None]
"""The unified symbol for any spelling of it."""


def differences(order: Order, ticket: Ticket, symbol_of: SymbolOf) -> list[str]:
    """What of an order is not as it was sent, as `quantity 0.01, not 0.07`; none if it fits."""
    return [
        f"{name} {told or 'none'}, not {sent or 'none'}"
        for name, told, sent in _compared(order, ticket, symbol_of)
        if told != sent
    ]


def of_another(order: Order, ticket: Ticket, symbol_of: SymbolOf) -> str:
    """What an answer states that cannot be of the order that was sent; amounts may be rounded."""
    return ", ".join(
        f"{name} {told}, not {sent or 'none'}"
        for name, told, sent in _compared(order, ticket, symbol_of)
        if name in {"symbol", "side", "client id"} and told is not None and told != sent
    )


def _compared(
    order: Order, ticket: Ticket, symbol_of: SymbolOf
) -> Iterator[tuple[str, str | None, str | None]]:
    """Pairs of what is told and what was sent, of every term that the exchange states as typed."""
    told = order.symbol or symbol_of(order.exchange_symbol or "") or order.exchange_symbol
    yield "symbol", told, symbol_of(ticket.symbol) or ticket.symbol
    yield "side", order.side, ticket.side
    yield "type", order.order_type, ticket.order_type
    if ticket.client_order_id is not None:
        yield "client id", order.client_order_id, ticket.client_order_id
    flags = ticket.options.get("flags", "").split(",")
    is_value = "viqc" in flags  # the quantity is in the quote currency
    quantity = order.quote_quantity if is_value else order.quantity
    yield "quantity", normal(quantity), normal(ticket.quantity)
    yield from _prices(order, ticket)
    yield from _force(order, ticket, is_post_only="post" in flags)


def _prices(order: Order, ticket: Ticket) -> Iterator[tuple[str, str | None, str | None]]:
    for name, told, sent in (
        ("price", order.price, ticket.price),
        ("stop price", order.stop_price, ticket.stop_price),
    ):
        # An offset was sent: the exchange makes a price of it, which moves in a trailing stop.
        if "trailing" not in ticket.order_type and (sent is None or is_absolute(sent)):
            # A market order may be told with the price that it got, or with a limit of its own.
            if sent is None and ticket.order_type == "market":
                continue
            yield name, normal(told), normal(sent)


def _force(
    order: Order, ticket: Ticket, *, is_post_only: bool
) -> Iterator[tuple[str, str | None, str | None]]:
    sent = "post_only" if is_post_only else ticket.time_in_force
    if sent is None and "expire" in ticket.options:
        sent = "gtd"
    if sent is None:
        # What an exchange takes where none is named is its own affair, but nobody named these.
        if order.time_in_force in {"post_only", "gtd"}:
            yield "time in force", order.time_in_force, None
    elif order.time_in_force is not None:  # not every answer states it
        yield "time in force", order.time_in_force, sent


def is_absolute(price: str) -> bool:
    """Not an offset like `+5` or `1%`."""
    return price[:1].isdigit() and price[-1:].isdigit()
