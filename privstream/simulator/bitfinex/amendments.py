"""What its owner changes of some orders, once a part of them was filled.

The one rule: an order's changes follow from how it stands, so that the socket and REST tell
the same. The changed order is `ACTIVE` again although something of it was filled; and where
it was changed to less than was filled already, what is left has the other sign (issue 138 of
bitfinexcom/bitfinex-api-py, checked 2026-11-30).
"""

from datetime import timedelta
from decimal import Decimal

from msgspec.structs import replace

from privstream.simulator.bitfinex.words import lot, pair_of
from privstream.simulator.market import Order

OFTEN, FLIPPED = 3, 2  # one in so many
STEP_NS = 1_000_000
DAY_NS = round(timedelta(days=1).total_seconds()) * 1_000_000_000


def is_changed(order: Order) -> bool:
    """It was changed after its first fill."""
    is_resting = order.type == "limit" and order.time_in_force != "ioc"
    once = len(order.trades) == 1 and order.status == "filled"
    chosen = lot(f"changed/{order.order_id}", OFTEN) == 0
    return is_resting and bool(order.trades) and not once and chosen


def is_news(order: Order) -> bool:
    """Being changed is the last that happened to it."""
    return is_changed(order) and order.closed_ns is None and len(order.trades) == 1


def as_changed(order: Order) -> Order:
    """The order with a better price and a date, where it was changed."""
    if not is_changed(order) or order.price is None:
        return order
    tick = Decimal(1).scaleb(-order.symbol.price_digits)
    price = order.price + (tick if order.side == "buy" else -tick)
    updated_ns = order.updated_ns + (STEP_NS if is_news(order) else 0)
    ends_ns = order.expires_ns or order.created_ns + DAY_NS
    changed = replace(order, price=price, expires_ns=ends_ns, updated_ns=updated_ns)
    return replace(changed, quantity=order.filled / 2) if _is_flipped(order) else changed


def _is_flipped(order: Order) -> bool:
    if order.closed_ns is None or order.status == "filled":
        return False
    is_spot = pair_of(order.symbol).wallet == "exchange"
    return is_spot and lot(f"flipped/{order.order_id}", FLIPPED) == 0
