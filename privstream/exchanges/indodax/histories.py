"""Reads back what an interruption hid, over the v2 histories.

The one rule: they list one pair at a time, and no more than 7 days, so what they bring
is never said to be everything. Only a replay by the stream's server is.
Source: protocols/indodax.md section 6 (checked 2026-11-20).
"""

from collections.abc import Callable, Collection, Iterator
from typing import Any
from urllib.parse import urlencode

from privstream.exchanges.base import each
from privstream.exchanges.indodax import names
from privstream.exchanges.indodax.bookmark import Bookmark
from privstream.exchanges.indodax.orders import Row, read_ended, read_trade
from privstream.exchanges.indodax.refusals import BUSY, error_for
from privstream.exchanges.indodax.rest import (
    TITLE,
    WINDOW,
    find_order,
    milliseconds,
    open_orders,
    read_balances,
    read_object,
    signature,
)
from privstream.model.account import Account
from privstream.model.errors import LoginRefused, PermissionMissing, Refused, Unavailable
from privstream.model.reports import AnyReport, Backfill, Known, Listed, OrderReport
from privstream.model.rest import Call, HttpRequest, HttpResponse, RestFlow, Stamp

ORDERS, TRADES = "/api/v2/order/histories", "/api/v2/myTrades"
LIMIT = 1000  # rows of an answer, at most
SPAN = (7 * 24 * 3600 - 1) * 1000  # milliseconds of a query: less than 7 days
OVERLAP = 60 * 1000
LEAD = 5 * 1000  # beyond the moment of asking: the clocks may differ by as much unseen
QUERIES = 80
"""Of one reading back: with the budget of `Limits` it then ends within its minute."""

TOO_MUCH = f"Indodax lists its history per pair and week, and {QUERIES} lists were not enough"
NO_PAIR = "Indodax lists its history per pair, and no pair is known yet"
NO_HISTORY = "Indodax documents no history for its demo environment"


def read_back(
    account: Account, bookmark: Bookmark, known: Known, streamed: Collection[str]
) -> RestFlow[Backfill]:
    """Fills, ended and open orders, balances; only the last where the server has replayed."""
    reading = _Reading(account, known, streamed)
    if not bookmark.recovered and {"orders", "trades"} & set(known.channels):
        yield from reading.orders_and_fills()
    if "balances" in known.channels:
        reading.found += yield from read_balances(account, "rest")
    bookmark.caught_up()
    detail = "; ".join(dict.fromkeys(reading.missing)) or None
    return Backfill(tuple(reading.found), complete=detail is None, detail=detail)


def ask_history(
    account: Account, path: str, pair: str, start: int, end: int
) -> RestFlow[list[Row]]:
    """Rows of a pair between two times in milliseconds, at most LIMIT of them."""
    return (yield from _ask(account, path, pair, lambda _: (start, end), "asc"))


def find_ended(account: Account, order_id: str) -> RestFlow[tuple[AnyReport, ...]]:
    """An order of whatever kind, where it is among the last LIMIT of its pair in this week."""
    parts = names.order_id_parts(order_id)
    if parts is None or account.endpoints.history_url is None:
        return ()
    try:
        rows = yield from _ask(
            account, ORDERS, parts.pair, lambda now: (now + LEAD - SPAN, now + LEAD), "desc"
        )
    except (LoginRefused, PermissionMissing):
        raise
    except Refused:  # a pair that is none, or no more
        return ()
    own = [row for row in rows if isinstance(row, dict) and row.get("orderId") == order_id]
    return tuple(each(own, _read_ended))


def _read_ended(row: Row) -> Iterator[AnyReport]:
    yield read_ended(row)


def _ask(
    account: Account, path: str, pair: str, window: Callable[[int], tuple[int, int]], sort: str
) -> RestFlow[list[Row]]:
    """`window` is told the moment of asking; all in milliseconds."""

    def build(stamp: Stamp) -> HttpRequest:
        start, end = window(stamp.now.wall_ns // 10**6)
        query = urlencode(
            {
                "symbol": pair,
                "startTime": start,
                "endTime": end,
                "limit": LIMIT,
                "sort": sort,
                "timestamp": milliseconds(stamp.now.wall_ns),
                "recvWindow": WINDOW,
            }
        )
        headers = {
            "X-APIKEY": account.api_key.reveal(),
            "Sign": signature(account.api_secret, query),
            "Accept": "application/json",
            "Content-Type": "application/json",
        }
        return HttpRequest(
            method="GET", path=f"{path}?{query}", headers=headers, base="history_url"
        )

    name = path.rpartition("/")[2]
    response = yield Call(build=build, name=name)
    return read_v2(response, name)


def read_v2(response: HttpResponse, doing: str) -> list[Row]:
    """The rows of an answer of v2. Raises what its error means."""
    answer = read_object(response, doing)
    rows = answer.get("data", answer)
    if isinstance(rows, list):
        return rows
    if rows is None:
        return []
    if "error" not in answer and "code" not in answer:
        raise Unavailable(f"{TITLE} answered {doing} without rows", floor=BUSY)
    raise error_for(answer.get("code"), answer.get("error"), doing)


class _Reading:
    """One reading back: what it found, and what it could not see."""

    def __init__(self, account: Account, known: Known, streamed: Collection[str]) -> None:
        self._account = account
        self._known = known
        self._streamed = streamed
        self._left = QUERIES
        self.found: list[AnyReport | Listed] = []
        self.missing: list[str] = []

    def orders_and_fills(self) -> RestFlow[None]:
        """Fills come first, so that the orders' fees are known when these are told."""
        known = self._known
        listed = yield from open_orders(self._account, "rest", known.open_orders, self._streamed)
        open_now = {report.order_id for report in listed if isinstance(report, OrderReport)}
        gone = {
            order_id
            for order_id in known.suspects - open_now
            if "orders" in known.channels and order_id not in self._streamed
        }
        yield from self._histories(self._pairs({*open_now, *gone, *self._streamed}), gone)
        told = {report.order_id for report in self.found if isinstance(report, OrderReport)}
        for order_id in sorted(gone - told):
            yield from self._look_up(order_id)
        self.found += listed

    def _pairs(self, order_ids: set[str]) -> list[str]:
        parts = map(names.order_id_parts, order_ids)
        return sorted(
            {names.join(pair) for pair in self._known.symbols}
            | {part.pair for part in parts if part is not None}
        )

    def _look_up(self, order_id: str) -> RestFlow[None]:
        reports = yield from find_order(self._account, order_id)
        self.found += reports
        if not reports:
            self.missing.append(f"what became of order {order_id} could not be found")

    def _histories(self, pairs: list[str], gone: set[str]) -> RestFlow[None]:
        if self._account.endpoints.history_url is None:
            self.missing.append(NO_HISTORY)
            return
        since = self._known.since_ns // 10**6 - OVERLAP
        end = self._known.until_ns // 10**6 + LEAD

        def read_order(row: Row) -> Iterator[AnyReport]:
            # What ended after the moment of asking is the stream's to tell.
            if row["orderId"] in gone or since <= int(row.get("finishTime") or since) <= end:
                yield read_ended(row)

        # Whether orders are listed by when they began or ended is not said: a week is read.
        weeks = windows(min(since, end - SPAN), end)
        for order_window, window in zip(weeks, windows(since, end), strict=True):
            for pair in pairs:
                yield from self._read(TRADES, pair, window, read_fill)
                if "orders" in self._known.channels:
                    yield from self._read(ORDERS, pair, order_window, read_order)
        seen = f"only of the pairs seen so far ({', '.join(pairs)})"
        self.missing.append(
            f"Indodax lists its history per pair: read {seen}" if pairs else NO_PAIR
        )

    def _read(
        self,
        path: str,
        pair: str,
        window: tuple[int, int],
        read: Callable[[Row], Iterator[AnyReport]],
    ) -> RestFlow[None]:
        try:
            rows = yield from self._rows(path, pair, *window)
        except (LoginRefused, PermissionMissing):
            raise
        except Refused as refusal:  # a pair that is no more
            self.missing.append(f"{pair}: {refusal.message}")
        else:
            self.found += each(rows, read)

    def _rows(self, path: str, pair: str, start: int, end: int) -> RestFlow[list[Row]]:
        """All rows of a window: a full list may be cut off, so its halves are read."""
        if not self._left:
            self.missing.append(TOO_MUCH)
            return []
        self._left -= 1
        rows = yield from ask_history(self._account, path, pair, start, end)
        if len(rows) < LIMIT:
            return rows
        middle = (start + end) // 2
        if middle == start:
            self.missing.append(TOO_MUCH)
            return rows
        newer: list[Any] = yield from self._rows(path, pair, middle, end)
        older = yield from self._rows(path, pair, start, middle)
        return older + newer


def read_fill(row: Row) -> Iterator[AnyReport]:
    yield read_trade(row)


def windows(start: int, end: int) -> list[tuple[int, int]]:
    """The time from `start` to `end` in pieces that may be asked for, newest first."""
    pieces = []
    while end - start > SPAN:
        pieces.append((end - SPAN, end))
        end -= SPAN
    return [*pieces, (start, end)]
