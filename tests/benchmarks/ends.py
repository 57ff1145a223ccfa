"""Holds the last word on every order and balance against how the simulator's books end.

The one rule: what the last events say is how it stands, but for orders that moved inside a
gap that owns up to it, and for those that the exchange itself does not tell of.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

from privstream.model.events import TERMINAL
from privstream.model.rest import Now
from privstream.model.times import to_nanos
from privstream.simulator.base import SimulatedExchange

Told: TypeAlias = Mapping[str, Any]
ONE_WALLET = frozenset({"indodax", "poloniex", "zerocap"})
"""Where a currency lies in one place only, so that a told total is all of it."""
POLLED = frozenset({"indodax", "zerocap"})
"""Where the audit does not look for balances that no order moved: deposits and the like."""
MARGIN_NS = 2 * 10**9
"""The two ends of a gap are no finer than the last frame that was heard."""


class OrderEnd(NamedTuple):
    """How an order stands in the books."""

    status: str
    filled: Decimal
    moved_ns: int
    """When it moved last."""


class Ends(NamedTuple):
    """How an account stands at the end."""

    orders: Mapping[str, OrderEnd]
    totals: Mapping[str, Decimal]
    """Of the currencies that have not moved for a while, where all of each is told as one."""


NOTHING = Ends({}, {})


def ends_of(exchange: SimulatedExchange, now: Now, until_ns: int) -> Ends:
    """How a simulated account stands; what moved later than `until_ns` may not be told yet."""
    simulated: Any = exchange  # each has a market, and its own ways besides
    getattr(simulated, "tape", simulated.market).advance(now)
    books = simulated.market.books
    orders = [*books.orders.values(), *_margin_orders(simulated)]
    moved = {entry.currency for entry in books.entries.values() if entry.time_ns > until_ns}
    totals = {c: total for c, total in books.balances.items() if c not in moved and total}
    return Ends(
        {
            order.order_id: OrderEnd(order.status, order.filled, order.updated_ns)
            for order in orders
            if order.updated_ns <= until_ns and is_streamed(exchange.name, order)
        },
        totals if exchange.name in ONE_WALLET - POLLED else {},
    )


def is_streamed(exchange: str, order: Any) -> bool:
    """Poloniex tells no socket of a stop that waits for its price."""
    return exchange != "poloniex" or order.stop_price is None or order.triggered


def untrue_ends(account: str, ends: Ends, own: Sequence[Told], since_ns: int) -> Iterator[str]:
    """Orders and balances whose last event says something else than the books."""
    holes = [
        (to_nanos(event["from"]) - MARGIN_NS, to_nanos(event["to"]) + MARGIN_NS)
        for event in own
        if event["type"] == "gap" and not event["complete"]
    ]
    last = _last_orders(own)
    for order_id, end in ends.orders.items():
        if end.moved_ns < since_ns or any(a <= end.moved_ns <= b for a, b in holes):
            continue
        if (what := _differs(end, last.get(order_id))) is not None:
            yield f"{account}: order {order_id} is {end.status} {end.filled}, {what}"
    totals = {event["currency"]: event["total"] for event in own if event["type"] == "balance"}
    for currency, total in ends.totals.items():
        told = totals.get(currency)
        if told is None or Decimal(told) != total:
            yield f"{account}: there are {total} {currency}, and {told} was told last"


def _last_orders(own: Iterable[Told]) -> dict[str, Told]:
    """The last event of each order, by the name it has in the books: Indodax puts more before it."""
    return {_name(event): event for event in own if event["type"] == "order"}


def _name(order: Told) -> str:
    name: str = order["order_id"]
    return name.rsplit("-", 1)[-1] if order["exchange"] == "indodax" else name


def _differs(end: OrderEnd, told: Told | None) -> str | None:
    if told is None:
        return "and was never told"
    is_over = end.status in TERMINAL
    if is_over != (told["status"] in TERMINAL):
        return f"and {told['status']} was told last"
    if told["filled"] is not None and Decimal(told["filled"]) != end.filled:
        return f"and {told['filled']} of it was told as filled"
    return None


def _margin_orders(simulated: Any) -> Iterable[Any]:
    return simulated.margin.orders.values() if hasattr(simulated, "margin") else ()
