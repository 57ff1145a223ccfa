"""What makes a state of an order another one, and what it is called. Pure.

The one rule: the name holds only what every source tells of the state, whatever else is
remembered, so that stream, snapshot, REST and the next run give it the same id.
"""

from collections.abc import Mapping
from decimal import Decimal
from zlib import crc32

from privstream.model.events import TERMINAL
from privstream.model.exact import normal

TERMS = ("quantity", "quote_quantity", "price", "stop_price")
ENDED_KEYS = ("status", "filled", "cost", "average_price", *TERMS)
"""What makes another state of an order that has ended, and its reason; its type is history."""
LIVE_KEYS = ("side", "order_type", "time_in_force", "client_order_id")
WITHOUT_TRIGGER = frozenset({"limit", "market", "iceberg"})
PART = ":part"
"""In the name of a state whose cost is known of a part of it only."""
Fields = Mapping[str, str | None]


def visible(fields: Fields, words: int) -> int:
    """A hash of what a user sees; the fee alone, and names, are no reason for an event.

    `words` counts how often the exchange's own word of the status changed.
    """
    shown: list[str | None] = [normal(fields.get(key)) for key in ENDED_KEYS]
    shown.append(fields.get("reason"))
    shown.append(normal(fields.get("remaining")) if fields.get("filled") is None else "")
    if fields.get("status") in TERMINAL:
        return hash(tuple(shown))
    return hash((words, *shown, *(fields.get(key) for key in LIVE_KEYS)))


def name_of(fields: Fields, *, lacks_amounts: bool) -> str:
    """What the state is called, after the order's id."""
    status = fields.get("status") or "unknown"
    name = f"{status}:{normal(fields.get('filled'))}{PART if lacks_amounts else ''}"
    if status in TERMINAL:  # an order ends once, and its terms were seen before
        return name
    return f"{name}:{_terms(fields):08x}"


def _terms(fields: Fields) -> int:
    terms = [normal(fields.get(key)) for key in TERMS]
    if fields.get("order_type") in WITHOUT_TRIGGER:
        terms[-1] = ""  # of a stop that was triggered: not every source remembers it
    return crc32("|".join(terms).encode())


def compared(left: str | None, right: str | None) -> int:
    """Which amount is larger: 1, 0 or -1; any is more than an unknown one, which tells nothing."""
    if left is None or left == right:
        return 0
    if right is None:
        return 1
    one, other = Decimal(left), Decimal(right)
    return (one > other) - (one < other)
