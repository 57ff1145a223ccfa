"""What a person need not read twice of what came at one instant.

The one rule: nothing is left out but an order's or a balance's state that a later line of the same
instant takes the place of. Programs get every event; only lines for people are folded.
"""

from collections.abc import Sequence

from privstream.model.events import AnyEvent, Balance, Order, Trade
from privstream.outputs.privacy import MASK


def folded(events: Sequence[AnyEvent]) -> list[AnyEvent]:
    """The events of one instant, the last state of each order only, old fills oldest first."""
    if len(events) == 1:
        return list(events)
    later: dict[tuple[str, ...], Balance | Order] = {}
    kept: list[AnyEvent] = []
    for event in reversed(events):
        if isinstance(event, Order | Balance):
            if _is_repeated(event, later.get(key := _key(event))):
                continue
            later[key] = event
        kept.append(event)
    return _oldest_first(kept[::-1])


def _key(event: Balance | Order) -> tuple[str, ...]:
    """What it is a state of."""
    if isinstance(event, Order):
        return event.account, event.order_id
    return event.account, event.currency, event.wallet or ""


def _is_repeated(event: Balance | Order, later: Balance | Order | None) -> bool:
    """A later state says all of it; but what changed a balance is told by no other line.

    Masked orders cannot be told apart, nor masked changes.
    """
    if isinstance(event, Order) and MASK in event.order_id:
        return False
    if isinstance(event, Balance) and MASK in (event.change or ""):
        return False
    if isinstance(event, Balance) and isinstance(later, Balance):
        return event.change is None or event.change == later.change
    return later is not None


def _oldest_first(events: list[AnyEvent]) -> list[AnyEvent]:
    """The fills of a snapshot, which exchanges list in either order, in the places that they have."""
    places = [at for at, event in enumerate(events) if _is_old_fill(event)]
    fills = sorted((events[at] for at in places), key=lambda fill: fill.time or "")
    for at, fill in zip(places, fills, strict=True):
        events[at] = fill
    return events


def _is_old_fill(event: AnyEvent) -> bool:
    return isinstance(event, Trade) and event.source == "snapshot"
