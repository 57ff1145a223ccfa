"""What makes a state of an order another one, and what it is called. Pure.

The one rule: the name holds only what every source tells of the state, whatever else is
remembered, so that stream, snapshot, REST and the next run give it the same id.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple
from zlib import crc32

from privstream.model.events import TERMINAL, Side
from privstream.model.exact import decimal_of, normal

TERMS = ("quantity", "quote_quantity", "price", "stop_price")
LIVE_KEYS = ("side", "order_type", "time_in_force", "client_order_id")
"""What may change while an order is live; of one that has ended they are history."""
TOLD_FORCES = frozenset({"post_only", "gtd"})
"""Kraken's REST rows tell no other time in force."""
WITHOUT_TRIGGER = frozenset({"limit", "market", "iceberg"})
PART = ":without_cost"
"""In the name of a state whose cost is known of a part of it only."""
Fields = Mapping[str, str | None]


class Terms(NamedTuple):
    """What an order asks for: made once until something of it changes."""

    amounts: tuple[str, ...]
    """In one spelling per value."""
    live: tuple[str | None, ...]
    """What may change while the order is live."""
    name: str
    """What they are called in the name of a state."""
    words: tuple[str | None, str | None, str | None, Side | None, str | None, str | None]
    """As an event tells them, from the client's id to the time in force."""
    asked: tuple[str | None, str | None, str | None, str | None]
    """And from the price to the quantity in the quote currency."""
    created: str | None


def terms_of(fields: Mapping[str, Any]) -> Terms:
    """The terms in what is known of an order."""
    known, kind, force = fields.get, fields.get("order_type"), fields.get("time_in_force")
    amounts = tuple(map(normal, map(known, TERMS)))
    named: tuple[str | None, ...] = amounts
    if kind in WITHOUT_TRIGGER:
        named = (*amounts[:-1], "")  # of a stop that was triggered: not every source remembers it
    named = (*named, kind, force if force in TOLD_FORCES else None)
    name = f"{crc32('|'.join(map(str, named)).encode()):08x}"
    return Terms(
        amounts,
        tuple(map(known, LIVE_KEYS)),
        name,
        (
            known("client_order_id"),
            known("symbol"),
            known("exchange_symbol"),
            known("side"),
            kind,
            force,
        ),
        (known("price"), known("stop_price"), known("quantity"), known("quote_quantity")),
        known("created"),
    )


def visible(fields: Fields, terms: Terms, words: int) -> int:
    """A hash of what a user sees; the fee alone, and names, are no reason for an event.

    `words` counts how often the exchange's own word of the status changed.
    """
    known, status = fields.get, fields.get("status")
    filled = known("filled")
    shown = (
        status,
        normal(known("cost")),
        normal(known("average_price")),
        normal(filled if filled is not None else known("remaining")),
        known("reason"),
        terms.amounts,
    )
    if status in TERMINAL:
        return hash(shown)
    return hash((words, filled is None, shown, terms.live))


def name_of(fields: Fields, terms: Terms, *, lacks_amounts: bool, is_fixed: bool = False) -> str:
    """What the state is called, after the order's id; terms that are fixed name none."""
    status = fields.get("status") or "unknown"
    name = f"{status}:{normal(fields.get('filled'))}{PART if lacks_amounts else ''}"
    if is_fixed or status in TERMINAL:  # an order ends once, and its terms were seen before
        return name
    return f"{name}:{terms.name}"


def compared(left: str | None, right: str | None) -> int:
    """Which amount is larger: 1, 0 or -1; any is more than an unknown one, which tells nothing."""
    if left is None or left == right:
        return 0
    if right is None:
        return 1
    one, other = decimal_of(left), decimal_of(right)
    return (one > other) - (one < other)
