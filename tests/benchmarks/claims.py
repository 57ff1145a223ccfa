"""Holds what gaps claim, and how late live events are, against the simulator's truth.

The one rule: `complete: true` is a promise about every fact between its two moments, so one
trade that was never told there makes it untrue, whatever the cause.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from privstream.model.times import to_nanos

Told: TypeAlias = Mapping[str, Any]
Span: TypeAlias = tuple[int, int]
"""From when to when, nanoseconds since the epoch."""
FRESH_NS = 2 * 10**9
"""What happened so shortly before the end of a gap the stream itself may tell after it."""
LATE = 2.0
"""Seconds: 99 of 100 live events are there sooner, whatever is read back beside them."""


def untrue_claims(account: str, truth: Mapping[str, int], own: Sequence[Told]) -> Iterator[str]:
    """Gaps that say `complete: true` over a trade that was not told by then."""
    told: set[str] = set()
    ever = {event["trade_id"] for event in own if event["type"] == "trade"}
    for event in own:
        if event["type"] == "trade":
            told.add(event["trade_id"])
        if event["type"] != "gap" or not event["complete"]:
            continue
        since, until = to_nanos(event["from"]), to_nanos(event["to"])
        for name, at in truth.items():
            known = ever if at > until - FRESH_NS else told
            if since <= at <= until and name not in known:
                when = "never told" if name not in ever else "told later"
                yield f"{account}: a gap {event['from']} to {event['to']} ({event['cause']}) says complete, {name} was {when}"


def lateness(truth: Mapping[str, int], own: Iterable[Told], excused: Sequence[Span]) -> list[float]:
    """Seconds from each live trade to its reading, but for times when nobody read or sent."""
    late = []
    for event in own:
        at = truth.get(event.get("trade_id", ""))
        if at is None or event["type"] != "trade" or event["source"] != "stream":
            continue
        received = to_nanos(event["received"])
        if not any(at <= until and received >= since for since, until in excused):
            late.append((received - at) / 1e9)
    return late


def is_late(seconds: Sequence[float], held: float = 0.0) -> bool:
    """Too many live events came too late.

    `held` is how long some may wait for a second message; then four of five must not wait.
    """
    ranked = sorted(seconds)
    return _at(ranked, 99) > LATE + held or (held > 0 and _at(ranked, 80) > LATE)


def _at(ranked: Sequence[float], hundredth: int) -> float:
    last = len(ranked) - 1
    return ranked[min(last, len(ranked) * hundredth // 100)] if ranked else 0.0
