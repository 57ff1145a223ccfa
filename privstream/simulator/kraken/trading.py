"""What Kraken takes of the user's orders, whichever interface they come through.

The one rule: what the exchange refuses is refused here, in its words, before the market
hears of it.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NoReturn
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from privstream.model.rest import Now
from privstream.simulator.kraken.tiers import TIERS, Tier
from privstream.simulator.kraken.words import Pair, pair_of
from privstream.simulator.market import Market, Order, Rejected
from privstream.simulator.market.desk import TRAILING, TRIGGERED, Why
from privstream.simulator.market.values import Reason

PERMISSION = "EGeneral:Permission denied"
UNKNOWN_ORDER = "EOrder:Unknown order"
REJECTIONS = {
    "funds": "EOrder:Insufficient funds",
    "margin": "EOrder:Insufficient margin",
    "post_only": "EOrder:Post only order",
    "position": "EOrder:Unknown position",
    "reduce_only": "EOrder:Reduce only:No position exists",
}
LATE: Mapping[Why, Reason] = {
    "funds": "insufficient_funds",
    "margin": "insufficient_funds",
    "post_only": "post_only",
}
"""What an engine that checks late takes and then cancels: sources disagree which one it is."""
MOST_OPEN = 80  # of one pair
CANCEL_COSTS = ((5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1))
"""An order younger than so many seconds costs so much to cancel."""
LIMITED = frozenset(
    {"limit", "iceberg", "stop_loss_limit", "take_profit_limit", "trailing_stop_limit"}
)
LONGEST_EXPIRY_NS = 31 * 86_400 * 1_000_000_000
SOONEST_DEADLINE_NS, LATEST_DEADLINE_NS = 500_000_000, 60_000_000_000
LARGEST_REFERENCE = 2**31
LONGEST_FREE_TEXT = 18
MOST_SHOWN_OF = 15  # an iceberg shows no less than this part of itself


class Refusal(Exception):
    """A request is answered with an error."""


class Asked(Struct, frozen=True):
    """An order as a request asked for it; `validate` places nothing."""

    order: Order
    validate: bool = False


class Counter(Struct):
    """What the orders of one pair weigh, which decays."""

    decay: float
    weight: float = 0.0
    at: float = 0.0

    def add(self, weight: float, now: Now) -> None:
        self.weight = self.left(now) + weight
        self.at = now.monotonic

    def left(self, now: Now) -> float:
        return max(0.0, self.weight - (now.monotonic - self.at) * self.decay)


class Trading:
    """Takes and cancels orders for one key."""

    def __init__(
        self,
        market: Market,
        rights: frozenset[str],
        *,
        limits: bool,
        checks_late: bool = False,
        restricted: frozenset[str] = frozenset(),
        tier: Tier = TIERS["starter"],
    ) -> None:
        self._tier = tier
        self._restricted = restricted
        """Assets that may not be traded from the account's country."""
        self._market, self.rights, self._limits = market, rights, limits
        self._late = LATE if checks_late else {}
        self._counters: dict[str, Counter] = {}

    def permit(self, *, placing: bool) -> None:
        """Refuse what the key may not do, before the rest is even read."""
        if not self.rights & ({"trade"} if placing else {"trade", "cancel"}):
            raise Refusal(PERMISSION)

    def place(self, asked: Asked, now: Now) -> Order | None:
        """The order as it was taken; `None` where it was only validated. Raises Refusal."""
        order = self._sized(asked.order, now)
        self._count(order, now)
        self._check(order, now)
        if asked.validate:
            return None
        try:
            placed = self._market.place(order, now, self._late)
        except Rejected as rejected:
            raise Refusal(REJECTIONS[rejected.why]) from None
        return placed

    def cancel(self, order_id: str, now: Now) -> Order:
        """Cancel one order. Raises Refusal."""
        self._market.advance(now)
        order = self._open().get(order_id)
        if order is None:
            raise Refusal(UNKNOWN_ORDER)
        self._counter(order).add(_cancel_cost(order, now), now)
        return self._market.cancel(order_id, now)

    def amend(self, order_id: str, changes: Mapping[str, Decimal], now: Now) -> Order:
        """Change an order that the user placed. Raises Refusal."""
        self._market.advance(now)
        order = self._market.own.open.get(order_id)
        if order is None:
            raise Refusal(UNKNOWN_ORDER)
        self._counter(order).add(1, now)
        for name in ("price", "stop_price"):
            if name in changes:
                if getattr(order, name) is None:
                    invalid(name)
                check_price(changes[name], pair_of(order))
        if changes.get("quantity", order.quantity) <= order.filled:
            invalid("order_qty")
        return self._market.amend(order_id, changes, now)

    def cancel_all(self, now: Now) -> int:
        """How many there were."""
        orders = list(self._open())
        for order_id in orders:
            self.cancel(order_id, now)
        return len(orders)

    def named(self, is_meant: Callable[[Order], bool]) -> list[str]:
        """The ids of the open orders that are meant."""
        return [name for name, order in self._open().items() if is_meant(order)]

    # --- below -------------------------------------------------------------------------

    def _open(self) -> dict[str, Order]:
        return {order.order_id: order for order in self._market.open_orders()}

    def _counter(self, order: Order) -> Counter:
        return self._counters.setdefault(order.symbol.name, Counter(self._tier.order_decay))

    def _count(self, order: Order, now: Now) -> None:
        if not self._limits:
            return
        counter = self._counter(order)
        if counter.left(now) + 1 > self._tier.order_calls:
            raise Refusal("EOrder:Rate limit exceeded")
        counter.add(1, now)
        alike = [o for o in self._market.own.open.values() if o.symbol == order.symbol]
        if len(alike) >= MOST_OPEN:
            raise Refusal("EOrder:Orders limit exceeded")

    def _sized(self, order: Order, now: Now) -> Order:
        """An order that settles a position may have the amount 0, which means all of it."""
        if order.type != "settle_position" or order.quantity:
            return order
        self._market.advance(now)
        held, _ = self._market.own.positions.get(order.symbol.name, (Decimal(0), Decimal(0)))
        quantity = -held if order.side == "buy" else held
        if quantity <= 0:
            raise Refusal(REJECTIONS["position"])
        return replace(order, quantity=quantity, whole_position=True)

    def _check(self, order: Order, now: Now) -> None:
        if order.symbol.base in self._restricted:
            base = order.symbol.base
            raise Refusal(f"EAccount:Invalid permissions:{base} trading restricted for ZZ.")
        _check_conditions(order, now)
        if order.client_id and self.named(lambda other: other.client_id == order.client_id):
            raise Refusal("EGeneral:Invalid arguments:cl_ord_id not unique")
        order = self._market.desk.priced(order)
        pair = pair_of(order)
        for price in (order.stop_price, order.price):
            if price is not None:
                check_price(price, pair)
        if order.type == "settle_position":
            return
        if order.quantity < pair.ordermin:
            raise Refusal("EOrder:Order minimum not met")
        usual = self._market.desk.best(order.symbol, order.side)
        price = order.price or order.stop_price or usual
        if price * order.quantity < pair.costmin:
            raise Refusal("EOrder:Cost minimum not met")


def _cancel_cost(order: Order, now: Now) -> float:
    age = (now.wall_ns - order.created_ns) / 1e9
    return next((cost for younger, cost in CANCEL_COSTS if age < younger), 0)


# --- what may go with what ---------------------------------------------------------------


def invalid(what: str) -> NoReturn:
    """Refuse an argument."""
    raise Refusal(f"EGeneral:Invalid arguments:{what}")


def _check_conditions(order: Order, now: Now) -> None:
    limited, kind = order.type in LIMITED, order.time_in_force
    if order.post_only and not limited:
        invalid("post_only")
    if (kind == "gtd") != (order.expires_ns is not None):
        invalid("expire_time" if kind == "gtd" else "timeinforce")
    if (kind == "fok" and order.type != "limit") or (
        kind == "ioc" and order.type not in {"limit", "market"}
    ):
        invalid("timeinforce")
    if kind == "gtd" and order.type in {"market", "settle_position"}:
        invalid("timeinforce")
    if order.post_only and kind in {"ioc", "fok"}:
        invalid("timeinforce")
    if order.no_price_protection and order.type != "market":
        invalid("no_mpp order option is only available when ordertype = market")
    _check_times(order, now)
    _check_amounts(order)
    _check_close(order)


def _check_times(order: Order, now: Now) -> None:
    if order.expires_ns is not None and not (
        now.wall_ns < order.expires_ns <= now.wall_ns + LONGEST_EXPIRY_NS
    ):
        invalid("expire_time")
    if order.starts_ns is not None and order.starts_ns <= now.wall_ns:
        invalid("effective_time")
    if order.starts_ns and order.expires_ns and order.expires_ns <= order.starts_ns:
        invalid("expire_time")


def _check_amounts(order: Order) -> None:
    symbol = order.symbol
    if order.quote_quantity is not None:
        if order.type != "market" or order.side != "buy" or order.leverage:
            invalid("volume")
        if _decimals(order.quote_quantity) > symbol.cost_digits or order.quote_quantity <= 0:
            invalid("volume")
    elif _decimals(order.quantity) > symbol.quantity_digits or order.quantity <= 0:
        invalid("volume")
    if (order.display_quantity is not None) != (order.type == "iceberg"):
        invalid("display_qty")
    if order.display_quantity is not None and not (
        order.quantity / MOST_SHOWN_OF <= order.display_quantity <= order.quantity
    ):
        invalid("display_qty")
    if order.leverage and order.leverage not in pair_of(order).leverage:
        invalid("leverage")
    if order.type in TRAILING and (order.stop_offset is None or order.stop_offset.value <= 0):
        invalid("price")
    if order.type in TRIGGERED and order.stop_price is None and order.stop_offset is None:
        invalid("price")


def check_price(price: Decimal, pair: Pair) -> None:
    """Refuse a price that is none of this pair's."""
    digits = pair.symbol.price_digits
    if price <= 0:
        raise Refusal("EOrder:Invalid price:Invalid price argument")
    if _decimals(price) > digits:
        text = f"{pair.wsname} price can only be specified up to {digits} decimals."
        raise Refusal(f"EOrder:Invalid price:{text}")


def _decimals(value: Decimal) -> int:
    """Trailing zeros do not count."""
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


# --- names -------------------------------------------------------------------------------


def check_client_id(name: Any) -> str:
    """A UUID with or without hyphens, or up to 18 characters of ASCII."""
    if not isinstance(name, str):
        invalid("cl_ord_id")
    if 0 < len(name) <= LONGEST_FREE_TEXT and name.isascii() and name.isprintable():
        return name
    try:
        proper = str(UUID(name)) in {name.lower(), _hyphened(name.lower())}
    except ValueError:
        proper = False
    if not proper:
        invalid("cl_ord_id")
    return name


def _hyphened(text: str) -> str:
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def check_reference(value: Any) -> int:
    """A signed number of 32 bits."""
    if not -LARGEST_REFERENCE <= value < LARGEST_REFERENCE:
        invalid("userref")
    return int(value)


def most_leverage(pair: Pair) -> int:
    """What `margin: true` asks for."""
    if not pair.leverage:
        invalid("leverage")
    return max(pair.leverage)


def check_deadline(due_ns: int, now: Now) -> None:
    if not SOONEST_DEADLINE_NS <= due_ns - now.wall_ns <= LATEST_DEADLINE_NS:
        invalid("deadline")


def _check_close(order: Order) -> None:
    """Refuse a conditional close that has not the prices of its type."""
    close = order.close
    if close is None:
        return
    has_limit = close.price is not None or close.price_offset is not None
    has_stop = close.stop_price is not None or close.stop_offset is not None
    if has_limit != (close.type in LIMITED) or has_stop != (close.type in TRIGGERED):
        invalid("close")
    if close.type in TRAILING and (close.stop_offset is None or close.stop_offset.value <= 0):
        invalid("close")
    for price in (close.price, close.stop_price):
        if price is not None:
            check_price(price, pair_of(order))
