"""The panes of one's own fills, and of the prices where they are streamed. Pure."""

from privstream.model.events import Price, Trade
from privstream.outputs.layout import Span
from privstream.outputs.live.choices import Name
from privstream.outputs.live.looks import Look, age, amount, clock, name
from privstream.outputs.live.orders import QUOTE_LIFE
from privstream.outputs.live.pane import (
    ACCOUNT,
    Pane,
    Row,
    account_of,
    is_younger,
    names_of,
    side_of,
    symbol_of,
)
from privstream.outputs.live.picture import LINGER, Picture
from privstream.outputs.live.table import NOTHING, Column


def _fills(picture: Picture) -> list[Trade]:
    newest_first = list(reversed(picture.fills))
    newest_first.sort(key=lambda fill: fill.time or fill.received, reverse=True)
    return newest_first


def _fill(real: Trade, picture: Picture, look: Look) -> Row:
    del picture
    trade = look.seen(real)

    def stated(key: str, text: str | None) -> str | None:
        return f"≈{text}" if text is not None and key in trade.estimated else text

    fee = stated("fee", trade.fee)
    cells = (
        (clock(trade.time or trade.received, look), Span("" if trade.time else "~", "dim")),
        account_of(trade, look),
        side_of(trade.side),
        symbol_of(trade),
        amount(stated("quantity", trade.quantity), "strong"),
        amount(stated("price", trade.price), "strong"),
        name(stated("cost", trade.cost)),
        name(None if fee is None else f"{fee} {trade.fee_currency or ''}".strip()),
        name(trade.liquidity, "dim"),
        name(trade.order_id, "id"),
    )
    is_new = is_younger(real.received, LINGER, look) and real.source == "stream"
    return Row(cells, "changed" if is_new else "")


FILLS = Pane(
    Name.FILLS,
    "Fills",
    "trades",
    (
        Column("time"),
        ACCOUNT,
        Column("side"),
        Column("symbol"),
        Column("quantity", right=True),
        Column("price", right=True),
        Column("cost", right=True, yields=2),
        Column("fee", right=True, yields=1),
        Column("role", yields=3),
        Column("order id", yields=4),
    ),
    _fills,
    _fill,
    lambda fill: (*names_of(fill), fill.side, fill.order_id, fill.trade_id, fill.client_order_id),
)


def _prices(picture: Picture) -> list[Price]:
    return sorted(picture.quotes.values(), key=lambda price: (price.exchange, price.symbol or ""))


def _price(real: Price, picture: Picture, look: Look) -> Row:
    del picture
    since, price = look.seconds_since(real.received), look.seen(real)
    best = [side[0] if side else (None, None) for side in (price.bids, price.asks)]
    cells = (
        account_of(real, look),
        symbol_of(real),
        *(amount(text) for level in best for text in level),
        (Span(f"{age(since)} ago", "dim"),) if since is not None else NOTHING,
    )
    return Row(cells, "" if is_younger(real.received, QUOTE_LIFE, look) else "faded")


PRICES = Pane(
    Name.PRICES,
    "Prices",
    "prices",
    (
        ACCOUNT,
        Column("symbol"),
        Column("bid", right=True),
        Column("quantity", right=True, yields=2),
        Column("ask", right=True),
        Column("quantity", right=True, yields=2),
        Column("told", right=True, yields=1),
    ),
    _prices,
    _price,
    names_of,
)
