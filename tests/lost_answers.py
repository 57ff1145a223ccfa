"""Orders whose answer is lost after they were taken, by seed: what became of each, and what is said.

Every seed chooses an exchange and its protocol, the order, how the answer is lost, and how
long the exchange is out of reach after it.
"""

from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

from privstream.model.errors import FateUnknown
from privstream.model.events import TERMINAL, Order
from tests.order_world import MARKETABLE, PASSIVE, OrderWorld

PLACES: tuple[tuple[str, dict[str, str]], ...] = (
    ("kraken", {"protocol": "v2"}),
    ("kraken", {"protocol": "v1"}),
    ("zerocap", {}),
)
TERMS: tuple[dict[str, Any], ...] = (
    {"order_type": "limit", "price": PASSIVE},
    {"order_type": "limit", "price": MARKETABLE, "quantity": "0.001"},
    {"order_type": "market", "price": None, "quantity": "0.0010"},
)
LONGEST_OUTAGE = 20.0


class Fate(NamedTuple):
    """One run."""

    story: str
    orders: int
    """How many the exchange has of it."""
    problem: str | None
    """What was told untruthfully, or why nothing was found."""


def lose_an_answer(seed: int) -> Fate:
    """Place one order, lose its answer, and compare what is told with the exchange's books."""
    random = Random(seed)
    name, options = PLACES[seed % len(PLACES)]
    fault = random.choice(["swallow", "swallow=cut"])
    terms = random.choice(TERMS[:2] if name == "zerocap" else TERMS)
    outage = random.choice([0.0, random.uniform(0.1, LONGEST_OUTAGE)])
    desk = OrderWorld(name, options=options, rate=2.0, seed=seed, faults=[f"{fault}@0s"])
    story = f"{name} {options} {fault} {terms['order_type']} {terms['price']} out {outage:.1f} s"
    ticket = desk.ticket(seed, **terms)
    placement = desk.placement(ticket, has_fresh_id=random.random() < 0.5)
    desk.out_of_reach_once_lost(outage)
    try:
        told = placement.run()
    except FateUnknown as problem:
        return Fate(story, len(desk.booked(ticket)), problem.message)
    return Fate(story, len(desk.booked(ticket)), _untrue(told, desk, ticket))


def _untrue(told: Order | None, desk: OrderWorld, ticket: Any) -> str | None:
    if told is None:
        return "nothing was told"
    (booked,) = desk.booked(ticket)
    if (told.order_id, told.client_order_id) != (booked.order_id, booked.client_id):
        return f"told of {told.order_id}, booked as {booked.order_id}"
    if told.status in TERMINAL and told.status != booked.status:
        return f"told as {told.status}, booked as {booked.status}"
    if told.filled is not None and Decimal(told.filled) > booked.filled:
        return f"told as filled {told.filled}, booked {booked.filled}"
    return None
