"""Rows of orders and of their fills, the same on the socket and over REST.

The one rule: the row is what Bitfinex sent in 2025, 32 elements of an order, 12 of a fill.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from privstream.model.exact import Number
from privstream.simulator.bitfinex.amendments import as_changed, is_news
from privstream.simulator.bitfinex.words import (
    DOUBLE,
    Pair,
    lot,
    millis,
    number,
    pair_of,
    sentence_number,
)
from privstream.simulator.market import Order, Trade

Row = list[Any]
Trades = Mapping[str, Trade]
POST_ONLY, CLOSE = 4096, 512
TYPES = {"limit": "LIMIT", "market": "MARKET", "stop_loss_limit": "STOP LIMIT"}
RARELY = 9  # one in so many cancellations without a fill was not asked for
UNSAID = 3  # one in so many after a fill is only told by `oc` and the history


def signed(order: Order, amount: Decimal) -> Decimal:
    return amount if order.side == "buy" else -amount


def client_id(order: Order) -> int | None:
    """The client's own number, the moment of placing where it has none, nothing by hand."""
    if order.client_id:
        return int(order.client_id.replace("-", "")[:10], 16)
    return None if is_by_hand(order) else millis(order.created_ns)


def is_by_hand(order: Order) -> bool:
    """Placed on the web site, and not over the API."""
    return order.client_id is None and not order.user_reference and order.serial % 3 == 0


def is_immediate(order: Order) -> bool:
    """Over as soon as it is placed: it is never told as new."""
    return order.type == "market" or order.time_in_force == "ioc"


# --- orders ----------------------------------------------------------------------------


def order_row(order: Order, trades: Trades, *, unchanged: bool = False) -> Row:
    """The order as its owner may have changed it, unless it is to be told from before that."""
    pair, status = pair_of(order.symbol), status_text(order, trades)
    if not unchanged:
        status = "ACTIVE" if is_news(order) else status
        order = as_changed(order)
    converted = order.type == "stop_loss_limit" and order.triggered
    price, auxiliary = _prices(order, converted=converted)
    return [
        int(order.order_id),
        order.user_reference or None,
        client_id(order),
        pair.code,
        millis(order.created_ns),
        millis(order.updated_ns),
        number(signed(order, order.remaining)),
        number(signed(order, order.quantity)),
        type_text(order, pair),
        f"{pair.prefix}STOP LIMIT" if converted else None,
        None if order.expires_ns is None else millis(order.expires_ns),
        None,
        POST_ONLY if order.post_only else 0,
        status,
        None,
        None,
        price,
        average_price(order),
        0,
        auxiliary,
        *(None, None, None),
        0,
        0,
        *(None, None, None),
        "BFX" if is_by_hand(order) else "API>BFX",
        None,
        None,
        _meta(order),
    ]


def type_text(order: Order, pair: Pair) -> str:
    # A stop-limit order becomes a limit order when its price was reached.
    kind = "IOC" if order.time_in_force == "ioc" else TYPES[order.type]
    return pair.prefix + (TYPES["limit"] if order.triggered else kind)


def average_price(order: Order) -> Number:
    return number(DOUBLE.divide(order.cost, order.filled) if order.filled else 0)


def _prices(order: Order, *, converted: bool) -> tuple[Number, Number]:
    """PRICE and PRICE_AUX_LIMIT."""
    if order.price is None:
        # A market order shows a price, or none.
        return (number(0) if order.serial % 2 else average_price(order)), number(0)
    if order.stop_price is None or converted:
        return number(order.price), number(0)
    return number(order.stop_price), number(order.price)


def _meta(order: Order) -> object:
    if order.post_only:
        return {"$F7": 1}
    return None if is_by_hand(order) else {"source": "api"}


# --- status ----------------------------------------------------------------------------


def status_text(order: Order, trades: Trades) -> str:
    """The head, and after "was" what it was before; with either spelling of "was"."""
    fills = [_fill_text(trades[name]) for name in order.trades if name in trades]
    if order.status == "filled":
        return f"EXECUTED @ {fills[-1]}" + _was(": was ", fills[:-1])
    if order.closed_ns is not None and not (fills and is_unsaid(order)):
        return canceled_text(order) + _was(" was: ", fills)
    return _partially(fills) if fills else "ACTIVE"


def is_unsaid(order: Order) -> bool:
    """Its end does not show in its words (issue 443 of bitfinexcom/bitfinex-api-node)."""
    return canceled_text(order) == "CANCELED" and lot(f"unsaid/{order.order_id}", UNSAID) == 0


def canceled_text(order: Order) -> str:
    if order.reason == "unfilled":
        return "IOC CANCELED"
    if not order.filled and lot(order.order_id, RARELY) == 0 and order.status == "canceled":
        return "POSTONLY CANCELED" if order.post_only else "INSUFFICIENT BALANCE (G1)"
    return "CANCELED"


def _was(joint: str, fills: list[str]) -> str:
    return joint + _partially(fills) if fills else ""


def _partially(fills: list[str]) -> str:
    return ", ".join(f"PARTIALLY FILLED @ {fill}" for fill in fills)


def _fill_text(trade: Trade) -> str:
    amount = sentence_number(signed(trade.order, trade.quantity))
    return f"{sentence_number(trade.price)}({amount})"


# --- fills -----------------------------------------------------------------------------


def trade_row(trade: Trade, *, with_fee: bool) -> Row:
    """A `tu`, or without its fee a `te`."""
    order, pair = trade.order, pair_of(trade.order.symbol)
    return [
        int(trade.trade_id),
        pair.code,
        millis(trade.time_ns),
        int(order.order_id),
        number(signed(order, trade.quantity)),
        number(trade.price),
        type_text(order, pair),
        number(trade.price),
        1 if trade.maker else -1,
        number(-trade.fee) if with_fee else None,
        trade.fee_currency if with_fee else None,
        client_id(order),
    ]


# --- what the exchange says of a request -----------------------------------------------


def request_text(order: Order) -> str:
    """As `Submitting exchange limit buy order for 0.001 BTC.` in an `on-req`."""
    kind = type_text(order, pair_of(order.symbol)).lower()
    amount = sentence_number(signed(order, order.quantity))
    return f"Submitting {kind} {order.side} order for {amount} {order.symbol.base}."


def cancel_text(order: Order) -> str:
    return f"Submitted for cancellation; waiting for confirmation (ID: {order.order_id})."
