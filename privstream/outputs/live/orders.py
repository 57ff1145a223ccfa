"""The pane of open orders: age, id, how much is filled, how far the price is from the market's. Pure."""

from decimal import Decimal

from privstream.model.events import TERMINAL, Order
from privstream.model.exact import normal
from privstream.outputs.layout import Span
from privstream.outputs.live import looks
from privstream.outputs.live.choices import Name
from privstream.outputs.live.looks import Look, age, amount, bar, name, percent
from privstream.outputs.live.pane import (
    ACCOUNT,
    Pane,
    Row,
    account_of,
    is_younger,
    names_of,
    side_of,
    style_of,
    symbol_of,
)
from privstream.outputs.live.picture import Kept, Picture
from privstream.outputs.live.table import NOTHING, Cell, Column

QUOTE_LIFE = 60.0
"""Seconds after which a quote is no price of now any more."""
FILL_LIFE = 300.0
"""The same of a fill of one's own."""
BAR, WIDE_BAR = 5, 10
WIDE = 130
_STATES = {
    "pending": "dim",
    "open": "open",
    "partially_filled": "progress",
    "filled": "good",
    "canceled": "ended",
    "expired": "ended",
    "rejected": "bad",
    "unknown": "warning",
}


def _orders(picture: Picture) -> list[Kept[Order]]:
    return sorted(picture.orders.values(), key=lambda kept: kept.since, reverse=True)


def _order(kept: Kept[Order], picture: Picture, look: Look) -> Row:
    real, order = kept.event, look.seen(kept.event)
    filled = _filled(real)
    cells = (
        account_of(order, look),
        _age(kept, look),
        side_of(order.side),
        symbol_of(order),
        _quantity(order),
        _limit(order),
        bar(filled, WIDE_BAR if look.cells >= WIDE else BAR),
        (Span(percent(filled), "number"),) if filled is not None else NOTHING,
        _distance(real, picture, look),
        _state(order),
        name(order.order_id, "id"),
    )
    return Row(cells, style_of(kept, picture, look))


def _filled(order: Order) -> Decimal | None:
    """How much of it; of one that was given in the quote currency by what it cost."""
    if order.quantity is None and order.quote_quantity is not None:
        return looks.share("0" if normal(order.filled) == "0" else order.cost, order.quote_quantity)
    return looks.share(order.filled, order.quantity)


def _age(kept: Kept[Order], look: Look) -> Cell:
    seconds = look.seconds_since(kept.since)
    if seconds is None:
        return NOTHING
    is_known = kept.event.created is not None
    return (Span(("" if is_known else ">") + age(seconds), "time"),)


def _quantity(order: Order) -> Cell:
    if order.quantity is None and order.quote_quantity is not None:
        return (*amount(order.quote_quantity), Span(f" {(order.symbol or '').partition('/')[2]}"))
    return amount(order.quantity)


def _limit(order: Order) -> Cell:
    if order.price is None and order.stop_price is not None:
        return (Span("stop ", "dim"), *amount(order.stop_price))
    if order.price is None and "market" in (order.order_type or ""):
        return (Span("market", "dim"),)
    return amount(order.price)


def _state(order: Order) -> Cell:
    """What is out of the ordinary of an order that stands."""
    words: list[Span] = []
    if order.status not in {"open", "partially_filled"}:
        words.append(Span(order.status, _STATES[order.status]))
    if order.order_type not in {None, "limit", "market"}:
        words += name(order.order_type, "dim")
    if order.status in TERMINAL:
        words += name(order.reason, "warning")
    spaced = [span for word in words for span in (Span(" "), word)]
    return tuple(spaced[1:])


def _distance(order: Order, picture: Picture, look: Look) -> Cell:
    if order.status in TERMINAL:
        return NOTHING
    market, mark = _market(order, picture, look)
    apart = looks.distance(order.price or order.stop_price, market)
    if apart is None:
        return NOTHING
    text = percent(apart, decimals=2)
    return looks.hidden((Span(f"{mark}{'' if apart < 0 else '+'}{text}", "number"),), look)


def _market(order: Order, picture: Picture, look: Look) -> tuple[str | None, str]:
    """A price of now, of the other side of the book; else an own fill's, marked ~."""
    key = (order.exchange, order.symbol or "")
    quote, fill = picture.quotes.get(key), picture.own_prices.get(key)
    if quote is not None and is_younger(quote.received, QUOTE_LIFE, look):
        levels = quote.asks if order.side == "buy" else quote.bids
        if levels:
            return levels[0][0], ""
    if fill is not None and is_younger(fill.time or fill.received, FILL_LIFE, look):
        return fill.price, "~"
    return None, ""


ORDERS = Pane(
    Name.ORDERS,
    "Open orders",
    "orders",
    (
        ACCOUNT,
        Column("age", right=True),
        Column("side"),
        Column("symbol"),
        Column("quantity", right=True),
        Column("price", right=True),
        Column("filled"),
        Column("", right=True, yields=3),
        Column("distance", right=True, yields=1),
        Column("state", yields=2),
        Column("order id"),
    ),
    _orders,
    _order,
    lambda kept: (
        *names_of(kept.event),
        kept.event.order_id,
        kept.event.client_order_id,
        kept.event.side,
        kept.event.status,
        kept.event.order_type,
    ),
)
