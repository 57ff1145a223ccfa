"""Fills that wait for their fee: `te` comes first without it, `tu` repeats the fill with it.

The one rule: a fill is told once, with its fee where anyone knows it: from `tu`, after a
few seconds from REST, and after a few more without. What waits outlives its connection.
Source: protocols/bitfinex.md section 5.3 (checked 2026-11-20).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from msgspec import structs

from privstream.model.reports import Fill
from privstream.model.rest import Now, RestFlow
from privstream.model.times import to_nanos

ASK_AFTER = 3.0  # seconds; `tu` follows within 1 to 2 s under load (sheet section 5.3)
GIVE_UP = 9.0  # seconds; REST itself may lag, so it is asked twice before this

ReadFills = Callable[[int], RestFlow[tuple[Any, ...]]]
"""Reads the fills since a moment (nanoseconds) over REST."""


class _Waiting(NamedTuple):
    fill: Fill
    since: float


class Executions:
    """The fills of one account whose fee has not come yet."""

    def __init__(self) -> None:
        self._waiting: dict[str, _Waiting] = {}
        self._asked = float("-inf")
        self._started: int | None = None

    def started(self, now: Now) -> None:
        """A connection opens; the first one bounds what REST may tell as read back."""
        self._started = self._started or now.wall_ns

    def take(self, fill: Fill, now: Now) -> Iterator[Fill]:
        """Tell a fill that has its fee; keep one that has not."""
        key = fill.key or fill.trade_id
        if fill.fee is None:
            self._waiting.setdefault(key, _Waiting(fill, now.monotonic))
        else:
            self._waiting.pop(key, None)
            yield fill

    def given_up(self, now: Now) -> Iterator[Fill]:
        """Fills whose fee nobody told in time."""
        for key, (fill, since) in list(self._waiting.items()):
            if now.monotonic - since >= GIVE_UP:
                del self._waiting[key]
                yield fill

    def must_ask(self, now: Now) -> bool:
        """A fill has waited long enough for REST to be asked (again)."""
        if now.monotonic - self._asked < ASK_AFTER:
            return False
        due = any(now.monotonic - since >= ASK_AFTER for _, since in self._waiting.values())
        if due:
            self._asked = now.monotonic
        return due

    def complete(self, read_fills: ReadFills) -> RestFlow[tuple[Any, ...]]:
        """Bring what waits now, with its fee, from REST; asks nothing where nothing waits."""
        wanted = {key: waiting.fill for key, waiting in self._waiting.items()}
        times = [to_nanos(fill.time) for fill in wanted.values() if fill.time is not None]
        if not times:
            return ()
        rows = yield from read_fills(min(times))
        # Only these: the rest is on its way through the socket.
        found = tuple(row for row in rows if isinstance(row, Fill) and row.key in wanted)
        return tuple(self._from(fill) for fill in self.settle(found))

    def settle(self, reports: Iterable[object]) -> tuple[Fill, ...]:
        """Forget what was found with its fee; returns those fills."""
        found = [
            report for report in reports if isinstance(report, Fill) and report.fee is not None
        ]
        for fill in found:
            self._waiting.pop(fill.key or fill.trade_id, None)
        return tuple(found)

    def _from(self, fill: Fill) -> Fill:
        # By our clock it was before the start, yet its `te` came: as something read back
        # the ledger would leave it out.
        if self._started is None or fill.time is None or to_nanos(fill.time) >= self._started:
            return fill
        return structs.replace(fill, source="stream")
