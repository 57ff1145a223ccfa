"""What Kraken's REST tells of orders and fills: open ones, single ones, what an interruption hid.

The one rule: each list stands alone, and is told page by page.
Source: https://docs.kraken.com/api/docs/rest-api/get-closed-orders, get-trade-history,
get-orders-info (checked 2026-11-30).
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import NamedTuple, TypeAlias

from privstream.exchanges.base import each
from privstream.exchanges.kit.reading_back import Found, Part, in_parts
from privstream.exchanges.kraken.orders import Row, read_order, read_trade
from privstream.exchanges.kraken.pairs import Pairs, learn, wanted_by
from privstream.exchanges.kraken.rest import ask, read_pairs
from privstream.model.account import Account
from privstream.model.errors import UnknownOrder
from privstream.model.events import Source
from privstream.model.reports import AnyReport, Backfill, Known, Listed
from privstream.model.rest import RestFlow

PAGE = 50  # rows of ClosedOrders and TradesHistory, ids of QueryOrders
LISTED_MARGIN_NS = 5 * 10**9  # our idea of Kraken's clock may be off by some seconds
OVERLAP_NS = 60 * 10**9  # read from before the last whole moment: REST sorts by open time

Rows: TypeAlias = Mapping[str, Row]
"""By the id of the order or fill."""
ReadRows = Callable[[Rows, Pairs], Iterator[AnyReport]]


class History(NamedTuple):
    """One of Kraken's histories."""

    method: str
    key: str
    """Where the answer has its rows."""
    read: ReadRows
    parameters: Mapping[str, str]


def open_orders(account: Account, pairs: Pairs) -> RestFlow[Backfill]:
    """The orders that stand."""

    def read(found: Found) -> RestFlow[None]:
        result = yield from ask(account, "OpenOrders")
        read_rows = partial(order_reports, source="snapshot")
        yield from _put(found, result["open"] or {}, pairs, read_rows)
        found.end_list(Listed("orders"))

    return in_parts([Part("open orders", read)])


def backfill(account: Account, pairs: Pairs, known: Known) -> RestFlow[Backfill]:
    """Fills and closed orders since, and what became of the orders in doubt."""
    parts: list[Part] = []
    if "trades" in known.channels and not _are_fills_listed(known):
        parts.append(Part("fills", partial(_history, account, pairs, known, FILLS)))
    if "orders" in known.channels:
        parts.append(Part("ended orders", partial(_history, account, pairs, known, ENDED)))
        parts.append(Part("orders in doubt", partial(_in_doubt, account, pairs, known.suspects)))
    return in_parts(parts)


def _are_fills_listed(known: Known) -> bool:
    """The socket's list of the last 50 fills reaches back far enough; REST would lag behind it."""
    since = known.fills_since_ns
    return since is not None and since < known.since_ns - LISTED_MARGIN_NS


def _history(
    account: Account, pairs: Pairs, known: Known, history: History, found: Found
) -> RestFlow[None]:
    """All pages, newest first, by offset.

    Rows that come meanwhile shift the others to later offsets, so that these come twice and
    none is passed over as long as the whole list is walked, however long it has become.
    """
    window = {
        "start": _seconds(known.since_ns - OVERLAP_NS),
        "end": _seconds(known.until_ns + OVERLAP_NS),
    }
    seen: set[str] = set()
    offset, first, before = 0, None, None
    while True:
        asked_for = {**window, **history.parameters, "ofs": str(offset)}
        result = yield from ask(account, history.method, **asked_for)
        page: Rows = result[history.key] or {}
        is_news = not page.keys() <= seen
        seen |= page.keys()
        offset += len(page)
        yield from _put(found, page, pairs, history.read)
        count = _count(result.get("count"), at_least=len(seen))
        first = count if offset == len(page) else first
        # As many different ones as there were at first: rows that come twice are no others.
        if offset >= count and len(seen) >= (first or 0) if count else len(page) < PAGE:
            return
        if not (is_news or (page and (count or 0) - (before or 0) >= len(page))):
            found.lack(f"Kraken gave only {len(seen)} of the rows that it counts")
            return
        before = count


def _count(value: object, *, at_least: int) -> int | None:
    """How many rows there are, where it is said and can be true."""
    return value if isinstance(value, int) and value >= at_least else None


def _seconds(nanos: int) -> str:
    return f"{nanos // 10**9}.{nanos % 10**9 // 1000:06d}"


# --- single orders ---------------------------------------------------------------------


def look_up(
    account: Account, pairs: Pairs, order_ids: Iterable[str]
) -> RestFlow[tuple[AnyReport, ...]]:
    """The orders of these ids, whole, as far as Kraken knows them."""
    ids, found = sorted(order_ids), Found()
    yield from _named(account, pairs, ids, found, may_be_unknown=len(ids) > 1)
    return tuple(report for report in found.reports if not isinstance(report, Listed))


def _in_doubt(
    account: Account, pairs: Pairs, suspects: Iterable[str], found: Found
) -> RestFlow[None]:
    ids = sorted(suspects)
    told = yield from _named(account, pairs, ids, found, may_be_unknown=True)
    lost = [order_id for order_id in ids if order_id not in told]
    for order_id in lost:
        found.lose(order_id, f"what became of {', '.join(lost)} could not be found")


def _named(
    account: Account, pairs: Pairs, ids: list[str], found: Found, *, may_be_unknown: bool
) -> RestFlow[frozenset[str]]:
    """Put in these orders; returns the ids that Kraken knows. Else raises UnknownOrder."""
    told: set[str] = set()
    batches = deque(ids[start : start + PAGE] for start in range(0, len(ids), PAGE))
    while batches:
        batch = batches.popleft()
        try:
            rows = yield from ask(account, "QueryOrders", txid=",".join(batch))
        except UnknownOrder:
            if not may_be_unknown:
                raise
            batches.extendleft(reversed(_halves(batch)))
            continue
        told |= rows.keys()
        yield from _put(found, rows, pairs, order_reports)
    return frozenset(told)


def _halves(ids: list[str]) -> list[list[str]]:
    """A list that is refused for one id is asked for in halves; an id by itself is unknown."""
    half = len(ids) // 2
    return [ids[:half], ids[half:]] if half else []


# --- rows ------------------------------------------------------------------------------


def read_orders(pairs: Pairs, rows: Rows) -> RestFlow[tuple[AnyReport, ...]]:
    """Reports of REST's rows, by order id; asks for the names of pairs that are new."""
    notices = yield from learn(pairs, wanted_by(rows.values()), read_pairs)
    return (*notices, *order_reports(rows, pairs))


def _put(found: Found, rows: Rows, pairs: Pairs, read: ReadRows) -> RestFlow[None]:
    """Rows are told whatever becomes of the question for the names of their pairs."""
    try:
        found.take((yield from learn(pairs, wanted_by(rows.values()), read_pairs)))
    finally:
        found.take(read(rows, pairs))


def order_reports(rows: Rows, pairs: Pairs, source: Source = "rest") -> Iterator[AnyReport]:
    """Reports of orders' rows."""

    def read(item: tuple[str, Row]) -> Iterator[AnyReport]:
        order_id, row = item
        yield from read_order(order_id, row, pairs.of(row), source=source)

    return each(rows.items(), read)


def _fill_reports(rows: Rows, pairs: Pairs) -> Iterator[AnyReport]:
    def read(item: tuple[str, Row]) -> Iterator[AnyReport]:
        trade_id, row = item
        yield from read_trade(trade_id, row, pairs.of(row), source="rest")

    return each(rows.items(), read)


# Merged fills of a taker order would have other ids than the stream's.
FILLS = History("TradesHistory", "trades", _fill_reports, {"consolidate_taker": "false"})
ENDED = History("ClosedOrders", "closed", order_reports, {"closetime": "close"})
