"""The positions of one account: each state once; the floating profit alone is no news. Pure."""

from collections import deque
from collections.abc import Iterator
from typing import Any

import msgspec

from privstream.memory.remembered import StateNames
from privstream.memory.run import Run
from privstream.model.events import Position
from privstream.model.exact import normal
from privstream.model.reports import PositionReport

CLOSED = 1024
"""Closed positions kept, to tell late news of them from news."""
CLOSING: dict[str, Any] = {
    "side": "flat",
    "quantity": "0",
    "status": "closed",
    "liquidation_price": None,
    "leverage": None,
    "unrealized_pnl": None,
    "time": None,
    "sequence": None,
    "element": None,
}
COMPUTED = ("liquidation_price", "leverage")
"""What the exchange computes now and then; null means that it has not."""


class KeptPosition(msgspec.Struct, frozen=True, array_like=True):
    """What is kept of a position for the next run."""

    symbol: str | None
    exchange_symbol: str | None
    position_id: str | None
    side: str | None
    quantity: str | None
    entry_price: str | None
    liquidation_price: str | None
    leverage: str | None
    status: str
    count: int
    marks: bytes | None


class KnownPosition:
    """One position as it was told last."""

    __slots__ = ("computed", "last", "names")

    def __init__(self, last: PositionReport) -> None:
        self.last = last
        self.names = StateNames()
        self.computed: dict[str, str | None] = dict.fromkeys(COMPUTED)
        """The last values that were computed."""

    def take(self, report: PositionReport) -> None:
        self.last = report
        for key in COMPUTED:
            self.computed[key] = getattr(report, key) or self.computed[key]

    def is_same(self, report: PositionReport) -> bool:
        """A user would see nothing new in it."""
        return _stands(report) == _stands(self.last) and not any(
            (value := getattr(report, key)) is not None
            and normal(value) != normal(self.computed[key])
            for key in COMPUTED
        )


class Positions:
    """What is known of every position."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._known: dict[str, KnownPosition] = {}
        self._closed: deque[str] = deque()

    def take(self, report: PositionReport) -> list[Position]:
        """An event, where a user sees something new."""
        key = report.position_id or report.exchange_symbol or ""
        known = self._known.get(key)
        is_news = known is None or not known.is_same(report)
        if known is None:
            known = self._known[key] = KnownPosition(report)
        known.take(report)
        if not is_news:
            return []
        if report.status == "closed":
            self._forget_later(key)
        return self._emit(key, known, report)

    def _emit(self, key: str, known: KnownPosition, report: PositionReport) -> list[Position]:
        run = self._run
        state = known.names.name(_state(report))
        if not run.emits("positions") or not run.shows(report.symbol, report.exchange_symbol):
            return []
        source = run.source_of(report)
        identity = f"{run.view.account}:position:{key}:{state}" if source else None
        self._note(key, known, identity)
        if source is None or identity is None:
            return []
        return [run.make.position(report, identity, source, run.received)]

    def unlisted(self, places: frozenset[tuple[str, str | None]]) -> Iterator[PositionReport]:
        """Positions that a complete list left out: they were closed."""
        for key, known in list(self._known.items()):
            if (key, None) not in places and known.last.status != "closed":
                ended: dict[str, Any] = {**CLOSING, "source": self._run.source_of_end}
                yield msgspec.structs.replace(known.last, **ended)

    def _forget_later(self, key: str) -> None:
        self._closed.append(key)
        if len(self._closed) > CLOSED:
            oldest = self._known.get(self._closed.popleft())
            # A symbol has one position after the other; an id is never used again.
            if oldest is not None and oldest.last.position_id and oldest.last.status == "closed":
                del self._known[oldest.last.position_id]

    # --- across runs -------------------------------------------------------------------

    def _note(self, key: str, known: KnownPosition, event: str | None) -> None:
        if self._run.journal is None:
            return
        last = known.last
        kept = KeptPosition(
            last.symbol,
            last.exchange_symbol,
            last.position_id,
            last.side,
            last.quantity,
            last.entry_price,
            known.computed["liquidation_price"],
            known.computed["leverage"],
            last.status,
            *known.names.kept,
        )
        value = msgspec.json.encode(kept)
        is_open = last.status != "closed"
        self._run.journal.keep("position", key, value, event=event, lasting=is_open)

    def restore(self, key: str, value: bytes) -> None:
        """A position of a run before."""
        if not value.startswith(b"["):
            return  # as the first version kept it: its next state is emitted once more
        kept: Any = msgspec.json.decode(value, type=KeptPosition)
        report = PositionReport(
            symbol=kept.symbol,
            exchange_symbol=kept.exchange_symbol,
            side=kept.side,
            quantity=kept.quantity,
            status=kept.status,
            position_id=kept.position_id,
            entry_price=kept.entry_price,
            liquidation_price=kept.liquidation_price,
            leverage=kept.leverage,
        )
        known = self._known[key] = KnownPosition(report)
        known.take(report)
        known.names.restore(kept.count, kept.marks)
        if kept.status == "closed":
            self._forget_later(key)


def _stands(report: PositionReport) -> tuple[str | None, ...]:
    return report.side, normal(report.quantity), normal(report.entry_price), report.status


def _state(report: PositionReport) -> str:
    amounts = (report.quantity, report.entry_price)
    computed = ":".join(normal(getattr(report, key)) for key in COMPUTED)
    quantity, entry = map(normal, amounts)
    return f"{report.side}:{quantity}:{entry}:{report.status}:{computed}"
