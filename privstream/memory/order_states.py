"""What makes a state of an order another one, and what it is called. Pure.

The one rule: the name holds only what every source tells of the state, whatever else is
remembered, so that stream, snapshot, REST and the next run give it the same id.
"""

from collections.abc import Mapping
from functools import lru_cache
from zlib import crc32

from privstream.model.events import TERMINAL
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


def visible(fields: Fields, words: int) -> int:
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
        _terms_of(fields),
    )
    if status in TERMINAL:
        return hash(shown)
    live = known("side"), known("order_type"), known("time_in_force"), known("client_order_id")
    return hash((words, filled is None, *shown, *live))


def name_of(fields: Fields, *, lacks_amounts: bool, is_fixed: bool = False) -> str:
    """What the state is called, after the order's id; terms that are fixed name none."""
    status = fields.get("status") or "unknown"
    name = f"{status}:{normal(fields.get('filled'))}{PART if lacks_amounts else ''}"
    if is_fixed or status in TERMINAL:  # an order ends once, and its terms were seen before
        return name
    terms, kind, force = _terms_of(fields), fields.get("order_type"), fields.get("time_in_force")
    if kind in WITHOUT_TRIGGER:
        terms = (*terms[:-1], "")  # of a stop that was triggered: not every source remembers it
    return f"{name}:{_hashed((*terms, kind, force if force in TOLD_FORCES else None))}"


Terms = tuple[str, ...]


def _terms_of(fields: Fields) -> Terms:
    known = fields.get
    return _normalized(
        known("quantity"), known("quote_quantity"), known("price"), known("stop_price")
    )


@lru_cache(maxsize=1024)
def _normalized(*terms: str | None) -> Terms:
    return tuple(map(normal, terms))


@lru_cache(maxsize=1024)
def _hashed(terms: tuple[str | None, ...]) -> str:
    return f"{crc32('|'.join(map(str, terms)).encode()):08x}"


def compared(left: str | None, right: str | None) -> int:
    """Which amount is larger: 1, 0 or -1; any is more than an unknown one, which tells nothing."""
    if left is None or left == right:
        return 0
    if right is None:
        return 1
    one, other = decimal_of(left), decimal_of(right)
    return (one > other) - (one < other)
