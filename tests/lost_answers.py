"""Orders whose answer is lost after they were taken, by seed: what became of each, and what is said.

Every seed chooses an exchange and its protocol, the order, how the answer is lost, how long
the exchange is out of reach after it, how wrong our clock is, and by what the order is named:
a client id of its own, one that was used before, or a reference that others use as well.
"""

from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

from msgspec import structs

from privstream.model.errors import FateUnknown
from privstream.model.events import TERMINAL, Order
from privstream.model.order_entry import Ticket
from tests.joined_socket import JoinedSocket
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
AHEAD = (0.0, -40.0, 15.0, 3600.0)
"""Seconds by which our clock is ahead; Zerocap refuses signatures that are further off than 30."""
NAMES = ("fresh", "own", "reused", "reference")
"""A client id made for the order, one that the user gave, one given before; Kraken: a userref."""


class Fate(NamedTuple):
    """One run."""

    story: str
    orders: int
    """How many the exchange has of it."""
    problem: str | None
    """What was told untruthfully."""
    is_unknown: bool
    """Nobody could say what became of it, and that was said."""


def lose_an_answer(seed: int) -> Fate:
    """Place one order, lose its answer, and compare what is told with the exchange's books."""
    random = Random(seed)
    name, options = PLACES[seed % len(PLACES)]
    fault = random.choice(["swallow", "swallow=cut"])
    terms = random.choice(TERMS[:2] if name == "zerocap" else TERMS)
    outage = random.choice([0.0, random.uniform(0.1, LONGEST_OUTAGE)])
    ahead = random.choice([s for s in AHEAD if abs(s) < 30 or name == "kraken"])
    naming = random.choice(NAMES[:3] if name == "zerocap" else NAMES)
    limits: dict[str, Any] = {"limits": False} if name == "kraken" else {}
    desk = OrderWorld(
        name, options=options, rate=2.0, seed=seed, faults=[f"{fault}@100s"], ahead=ahead, **limits
    )
    story = (
        f"{name} {options} {fault} {terms['order_type']} {terms['price']} out {outage:.1f} s "
        f"clock {ahead:+.0f} s {naming}"
    )
    begun = desk.world.clock.now().monotonic
    ticket = desk.ticket(seed, **terms, **_named(naming))
    desk.world.pass_time(92)
    _use_the_name_before(desk, ticket, naming)  # a moment before the fault strikes
    desk.world.pass_time(begun + 100 - desk.world.clock.now().monotonic)
    before = _ids(desk, ticket)
    placement = desk.placement(ticket, has_fresh_id=naming == "fresh")
    rivals = _rival(desk, ticket, "0.0200") if naming == "reference" else set()
    desk.out_of_reach_once_lost(outage)
    try:
        told = placement.run()
    except FateUnknown:
        return Fate(story, len(_ids(desk, ticket) - before - rivals), None, is_unknown=True)
    ours = _ids(desk, ticket) - before - rivals
    return Fate(story, len(ours), _untrue(told, desk, ours), is_unknown=False)


def _named(naming: str) -> dict[str, Any]:
    if naming != "reference":
        return {}
    return {"client_order_id": None, "options": {"userref": "77"}}


def _use_the_name_before(desk: OrderWorld, ticket: Ticket, naming: str) -> None:
    """Another order of this client id or reference, which was filled at once."""
    if naming in {"reused", "reference"}:
        changes = {"order_type": "market", "price": None} if desk.name == "kraken" else {}
        desk.placement(structs.replace(ticket, quantity="0.002", **changes)).run()


def _rival(desk: OrderWorld, ticket: Ticket, quantity: str) -> set[str]:
    """The ids of what another process places, of the same reference, right after ours was sent."""
    ids: set[str] = set()
    usual, dial, send = desk.broker.client, desk.world._socket, JoinedSocket.send

    def dialled() -> JoinedSocket:
        socket = dial()

        def sent(text: str) -> None:
            send(socket, text)
            if "add_order" in text or "addOrder" in text:
                desk.broker.client = usual
                rival = desk.placement(structs.replace(ticket, quantity=quantity))
                rival.run()
                ids.add(str(rival.order_id))

        socket.send = sent  # type: ignore[method-assign] # this socket's alone
        return socket

    desk.broker.client = replace(usual, socket=dialled)
    return ids


def _ids(desk: OrderWorld, ticket: Ticket) -> set[str]:
    """The orders of its client id or reference that the exchange has."""
    if ticket.client_order_id is not None:
        return {order.order_id for order in desk.booked(ticket)}
    market: Any = desk.world.simulated.market  # type: ignore[attr-defined] # both have one
    market.advance(desk.world.clock.now())
    return {order.order_id for order in market.books.orders.values() if order.user_reference == 77}


def _untrue(told: Order | None, desk: OrderWorld, ours: set[str]) -> str | None:
    if told is None:
        return "nothing was told"
    if told.order_id not in ours:
        return f"told of {told.order_id}, booked as {sorted(ours)}"
    market: Any = desk.world.simulated.market  # type: ignore[attr-defined] # both have one
    booked = market.books.orders[told.order_id]
    if told.client_order_id != booked.client_id:
        return f"told of {told.client_order_id}, booked as {booked.client_id}"
    if told.status in TERMINAL and told.status != booked.status:
        return f"told as {told.status}, booked as {booked.status}"
    if told.filled is not None and Decimal(told.filled) > booked.filled:
        return f"told as filled {told.filled}, booked {booked.filled}"
    return None
