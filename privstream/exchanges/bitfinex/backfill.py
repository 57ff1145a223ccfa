"""What Bitfinex's REST tells of the time that a connection missed, part by part.

The one rule: what a page does not tell for sure is lacking: a page full of one moment, a
history that gives no more, an order that is nowhere.
Source: docs.bitfinex.com/reference (rest-auth-trades, rest-auth-orders-history), checked
2026-11-30.
"""

from collections.abc import Iterator

from privstream.exchanges.bitfinex.memory import Memory
from privstream.exchanges.bitfinex.rest import (
    CREATED,
    HISTORY,
    ORDERS_PAGE,
    UPDATED,
    BitfinexRest,
    moment_of,
)
from privstream.exchanges.bitfinex.rows import Row
from privstream.exchanges.kit.reading_back import Found, Part
from privstream.model.reports import Fill, Known, OrderReport
from privstream.model.rest import RestFlow

OVERLAP_NS = 60 * 10**9  # read from before the last whole moment
KEPT_NS = 14 * 86_400 * 10**9  # closed orders are kept about two weeks


class ReadingBack:
    """The parts of one reading back.

    Balances, positions and open orders are listed by the socket itself. The start was taken
    from our clock, and the server's may be behind it.
    """

    def __init__(self, rest: BitfinexRest, memory: Memory, known: Known) -> None:
        self._rest = rest
        self._memory = memory
        self._known = known
        start_ns = known.since_ns + min(memory.clock_ns, 0) - OVERLAP_NS
        self._start = max(start_ns // 10**6, 1)

    def parts(self) -> Iterator[Part]:
        """Of what the user streams."""
        if "trades" in self._known.channels:
            yield Part("fills", self._fills)
        if "orders" in self._known.channels:
            yield Part("ended orders", self._ended_orders)
            yield Part("orders that were open", self._orders_in_doubt)

    def _fills(self, found: Found) -> RestFlow[None]:
        """All pages, oldest first: each begins with the last moment of the one before."""
        start, then, seen = 0, self._start, set[str]()
        while then:
            if then == start:  # it would come again and again
                found.lack("Bitfinex lists more fills of one moment than it gives out")
                then += 1
            start = then
            page, then = yield from self._rest.fills_page(start)
            reports = self._rest.fills_of(_unseen(page, seen))
            executions = self._memory.executions
            executions.learn(reports)
            found.take(executions.named(r) if isinstance(r, Fill) else r for r in reports)

    def _ended_orders(self, found: Found) -> RestFlow[None]:
        """Whether orders are listed by when they began or ended is not documented.

        The rows may show it. Else all are read that are kept, unless the older ones are held.
        """
        if self._known.until_ns - self._known.since_ns > KEPT_NS:
            found.lack("Bitfinex keeps closed orders for about two weeks only")
        older = yield from self._closed_orders(found, {"start": self._start})
        if not older and self._known.placed_since_ns is None:
            yield from self._closed_orders(found, {"start": 1, "end": self._start})

    def _closed_orders(self, found: Found, window: dict[str, int]) -> RestFlow[bool]:
        """All pages, newest first: each ends with the earliest moment of the one before.

        Returns whether one of them began before the window.
        """
        seen, start, has_older = set[str](), window["start"], False
        while True:
            page = yield from self._rest.ask(HISTORY, **window, limit=ORDERS_PAGE)
            news = _unseen(page, seen)
            has_older |= any(0 < moment_of(row, CREATED) < start for row in page)
            recent = [row for row in news if not 0 < moment_of(row, UPDATED) < self._start]
            found.take(self._rest.orders_of(recent, are_over=True))
            if len(page) < ORDERS_PAGE:
                return has_older
            # The change is the later of the two, so nothing is skipped.
            earliest = min(filter(None, (moment_of(row, UPDATED) for row in page)), default=0)
            if not news or not earliest:
                found.lack("Bitfinex lists more closed orders than it gives out")
                return has_older
            window = {**window, "end": min(earliest, window.get("end", earliest))}

    def _orders_in_doubt(self, found: Found) -> RestFlow[None]:
        """What became of the orders that were open and are not listed any more."""
        yield from self._rest.find(self._known.suspects, found.take)
        told = {report.order_id for report in found.reports if isinstance(report, OrderReport)}
        lost = sorted(self._known.suspects - told)
        for order_id in lost:
            found.lose(order_id, f"what became of order {', '.join(lost)} could not be found")


def _unseen(page: list[Row], seen: set[str]) -> list[Row]:
    """The rows that no page before had; one repeats another where all of it is the same."""
    news = [row for row in page if str(row) not in seen]
    seen.update(map(str, page))
    return news
