"""Fills that the old dialect tells without their fee: each waits for the message that has it.

The one rule: a fill is told at last, with its fee where anybody says it.
Source: https://pypi.org/project/zerocap-api/, checked 2026-11-30.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from privstream.model.recent import Recent
from privstream.model.reports import Fill
from privstream.model.rest import Now

PATIENCE = 4.0
"""Seconds. The order with the fee in it is sent in the same moment; then REST is asked."""
LAST_WORD = 1.0
"""Seconds after REST was asked: its answer goes before what comes after it."""
REMEMBERED = 10_000  # fills that are told or held


@dataclass
class _Held:
    fill: Fill
    due: float
    asked: bool = False


class FeelessFills:
    """The fills of one connection that wait for their fee."""

    def __init__(self) -> None:
        self._seen = Recent(REMEMBERED)
        self._held: dict[str, _Held] = {}

    def take(self, fill: Fill, now: Now) -> Iterator[Fill]:
        """Pass a fill on, or keep it until its fee is told."""
        is_new = self._seen.add(fill.trade_id)
        if fill.fee is not None:
            self._held.pop(fill.trade_id, None)
            yield fill
        elif is_new:
            self._held[fill.trade_id] = _Held(fill, now.monotonic + PATIENCE)

    def overdue(self, now: Now) -> list[Fill]:
        """Fills for whose fee REST should be asked; each is named once."""
        waiting = [held for held in self._held.values() if not held.asked]
        due = [held for held in waiting if now.monotonic >= held.due]
        for held in due:
            held.asked, held.due = True, now.monotonic + LAST_WORD
        return [held.fill for held in due]

    def given_up(self, now: Now) -> list[Fill]:
        """Fills whose fee nobody told: to be told without it."""
        done = [
            trade_id
            for trade_id, held in self._held.items()
            if held.asked and now.monotonic >= held.due
        ]
        return [self._held.pop(trade_id).fill for trade_id in done]
