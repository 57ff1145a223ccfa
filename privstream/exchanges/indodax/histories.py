"""The histories of orders and fills: one pair at a time, a week at most, no cursor.

The one rule: a full page may be cut off. Where its rows ascend the next one begins with
the time of the last; else the two halves of its time are read. Source:
https://github.com/btcid/indodax-official-api-docs, INDODAX-TradeAPI-2.md; checked 2026-11-30.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, NamedTuple

from privstream.exchanges.base import each
from privstream.exchanges.indodax import names
from privstream.exchanges.indodax.key_kind import Tapi
from privstream.exchanges.indodax.orders import Row
from privstream.exchanges.indodax.rest import Query
from privstream.exchanges.indodax.rows import read_ended
from privstream.exchanges.kit.reading_back import Found
from privstream.model.errors import LoginRefused, PermissionMissing, Refused
from privstream.model.reports import AnyReport
from privstream.model.rest import RestFlow

ORDERS, TRADES = "/api/v2/order/histories", "/api/v2/myTrades"
TIMES = {ORDERS: "submitTime", TRADES: "time"}
"""What rows ascend by. Whether orders are listed by when they began or ended is not said: by
the earlier of the two nothing can be left out."""
ALL_TIMES = ("time", "submitTime", "finishTime")
LIMIT = 1000  # rows of an answer, at most
SPAN = (7 * 24 * 3600 - 1) * 1000  # milliseconds of a query: less than 7 days
LEAD = 5 * 1000  # beyond the moment of asking: the clocks may differ by as much unseen
QUERIES = 600
"""Of one reading back: some minutes of the budget of `Limits`."""

TOO_MUCH = f"Indodax lists its history per pair and week, and {QUERIES} lists were not enough"
AT_ONCE = f"more than {LIMIT} rows of one millisecond, of which Indodax lists no more"

ELSEWHERE = "Indodax lists rows of other times than it was asked for"


class Asked(NamedTuple):
    """What of a history is read; times in milliseconds."""

    path: str
    pair: str
    start: int
    end: int


Reader = Callable[[Row], Iterator[AnyReport]]


class Pages:
    """Reads histories of one key, so many pages at most."""

    def __init__(self, tapi: Tapi) -> None:
        self._tapi = tapi
        self._left = QUERIES

    def read(
        self, found: Found, asked: Asked, read: Reader, told: Collection[str] = ()
    ) -> RestFlow[None]:
        """All rows of a pair between two times, into `found` as they come, but those `told`."""
        while self._left:
            self._left -= 1
            rows = yield from self._tapi.history(asked.path, between(asked))
            keys = [str(row) for row in rows]
            fresh = [row for row, key in zip(rows, keys, strict=True) if key not in told]
            found.take(each(fresh, read))
            if len(rows) < LIMIT:
                return
            told = frozenset(keys)
            later = _ascending_to(rows, TIMES[asked.path])
            if later is None or not asked.start < later <= asked.end:
                if _heeds(rows, asked):
                    yield from self._halves(found, asked, read, told)
                else:
                    found.lack(ELSEWHERE)
                return
            asked = asked._replace(start=later)
        found.lack(TOO_MUCH)

    def _halves(
        self, found: Found, asked: Asked, read: Reader, told: Collection[str]
    ) -> RestFlow[None]:
        middle = (asked.start + asked.end) // 2
        if middle == asked.start:
            found.lack(AT_ONCE)
            return
        yield from self.read(found, asked._replace(start=middle), read, told)
        yield from self.read(found, asked._replace(end=middle), read, told)


def _heeds(rows: Iterable[Row], asked: Asked) -> bool:
    """Whether some row is of the time that was asked for: else less time brings no other rows."""
    times = (row.get(key) for row in rows if isinstance(row, dict) for key in ALL_TIMES)
    return any(type(time) is int and asked.start <= time <= asked.end for time in times)


def _ascending_to(rows: list[Any], key: str) -> int | None:
    """The time of the last row, where all have one and none is before its neighbour."""
    times: list[int] = []
    for row in rows:
        time = row.get(key) if isinstance(row, dict) else None
        if type(time) is not int or (times and time < times[-1]):
            return None
        times.append(time)
    return times[-1]


def between(asked: Asked, sort: str = "asc") -> Query:
    """Whatever the moment of asking is."""
    _, pair, start, end = asked
    query = {"symbol": pair, "startTime": start, "endTime": end, "limit": LIMIT, "sort": sort}
    return lambda _now: query


def _this_week(pair: str) -> Query:
    """The newest first, counted from the moment of asking."""
    return lambda now: between(Asked(ORDERS, pair, now + LEAD - SPAN, now + LEAD), "desc")(now)


def windows(start: int, end: int) -> list[tuple[int, int]]:
    """The time from `start` to `end` in pieces that may be asked for, newest first."""
    pieces = []
    while end - start > SPAN:
        pieces.append((end - SPAN, end))
        end -= SPAN
    return [*pieces, (start, end)]


def find_ended(tapi: Tapi, order_id: str) -> RestFlow[tuple[AnyReport, ...]]:
    """An order of whatever kind, where it is among the last LIMIT of its pair in this week."""
    parts = names.order_id_parts(order_id)
    if parts is None or not tapi.has_history:
        return ()
    try:
        rows = yield from tapi.history(ORDERS, _this_week(parts.pair))
    except (LoginRefused, PermissionMissing):
        raise
    except Refused:  # a pair that is none, or no more
        return ()
    own = [row for row in rows if isinstance(row, dict) and row.get("orderId") == order_id]
    return tuple(each(own, read_ended))
