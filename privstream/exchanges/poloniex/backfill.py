"""What REST tells: the picture at the start, what an interruption hid, single orders.

The one rule: each list stands alone, and is told page by page. Source:
https://api-docs.poloniex.com/spot/api/private, checked 2026-11-30.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any
from urllib.parse import quote

from privstream.exchanges.base import each
from privstream.exchanges.kit.reading_back import Found, Part, in_parts
from privstream.exchanges.poloniex import rest
from privstream.exchanges.poloniex.balances import Holdings, read_accounts
from privstream.exchanges.poloniex.fill_keys import FillKeys
from privstream.exchanges.poloniex.orders import read_order, read_trade
from privstream.exchanges.poloniex.refusals import OrderUnknown
from privstream.exchanges.poloniex.smart_orders import NOT_STREAMED, read_smart_order
from privstream.model.account import Account
from privstream.model.events import Source
from privstream.model.exact import nonzero
from privstream.model.reports import (
    AnyReport,
    Backfill,
    Known,
    Listed,
    NoticeReport,
    OrderReport,
)
from privstream.model.rest import RestFlow

OVERLAP = 60_000
"""Milliseconds read again on both sides: clocks differ, and lists may lag the stream."""
ORDERS = {"orders", "trades"}
UNFOLLOWED = "Poloniex listed a full page, and no page beyond it showed where the list ends"

Reader = Callable[[Any], Iterator[AnyReport]]


def picture(
    account: Account, keys: FillKeys, holdings: Holdings, channels: tuple[str, ...]
) -> RestFlow[Backfill]:
    """Open orders with the fills they had, stops that wait, and balances."""
    lists = PoloniexLists(account, keys, "snapshot")
    parts: list[Part] = []
    if ORDERS & set(channels):
        parts.append(Part("open orders", lists.standing))
    if "orders" in channels:
        parts.append(Part("stop orders", lists.waiting_stops))
    if "balances" in channels:
        parts.append(_balances(account, holdings, "snapshot"))
    return in_parts(parts)


def backfill(
    account: Account, keys: FillKeys, holdings: Holdings, known: Known
) -> RestFlow[Backfill]:
    """Fills and orders since, what became of those in doubt, and balances."""
    lists = PoloniexLists(account, keys, "rest")
    parts: list[Part] = []
    if ORDERS & set(known.channels):
        # Also for orders alone: their fees are the sums of their fills'.
        parts.append(Part("fills", partial(lists.fills, known)))
    if "orders" in known.channels:
        # The open ones first: what ends meanwhile is in the history, or in the stream.
        parts += [
            Part("open orders", lists.open_orders),
            Part("stop orders", lists.waiting_stops),
            Part("ended orders", partial(lists.ended_orders, known)),
            Part("ended stop orders", partial(lists.ended_stops, known)),
            Part("orders in doubt", partial(lists.in_doubt, known)),
        ]
    if "balances" in known.channels:
        parts.append(_balances(account, holdings, "rest"))
    return in_parts(parts)


def look_up(account: Account, order_ids: Iterable[str]) -> RestFlow[tuple[AnyReport, ...]]:
    """The orders of these ids, whole; a word for each that Poloniex does not know."""
    reports: list[AnyReport] = []
    for order_id in sorted(order_ids):
        reports += yield from _one(account, order_id)
    return tuple(reports)


def _one(account: Account, order_id: str) -> RestFlow[list[AnyReport]]:
    """An order, or a smart order: they have ids of one kind."""
    try:
        row = yield from rest.ask(account, f"/orders/{quote(order_id, safe='')}")
    except OrderUnknown:
        pass
    else:
        return list(each([row], partial(read_order, source="rest")))
    try:
        found = yield from rest.ask(account, f"/smartorders/{quote(order_id, safe='')}")
    except OrderUnknown as problem:
        text = f"what became of order {order_id} is unknown: {problem.message}"
        return [NoticeReport(level="warning", code="order_unknown", text=text)]
    rows = found if isinstance(found, list) else [found]
    return list(each(rows, partial(read_smart_order, source="rest")))


class PoloniexLists:
    """The lists of one reading, and the orders that were on them."""

    def __init__(self, account: Account, keys: FillKeys, source: Source) -> None:
        self._account = account
        self._source: Source = source
        self._read_order: Reader = partial(read_order, source=source)
        self._read_smart: Reader = partial(read_smart_order, source=source)
        self._read_trade: Reader = partial(read_trade, keys=keys, source=source)
        self._seen: set[str] = set()
        self._open_is_whole = False
        """Every open order was listed, and could be read."""

    # --- what stands -------------------------------------------------------------------

    def standing(self, found: Found) -> RestFlow[None]:
        """The open orders, each after the fills that it had: else its fee could never be told."""
        listed = Found()
        yield from self.open_orders(listed)
        orders = deque(listed.reports)
        try:
            while orders:
                order = orders[0]
                if isinstance(order, OrderReport) and nonzero(order.fields.get("filled")):
                    found.take((yield from self._fills_of(order.order_id)))
                found.take([orders.popleft()])
        finally:  # those whose fills cannot be read are told all the same
            found.take(orders)

    def open_orders(self, found: Found) -> RestFlow[None]:
        take = self._taking(found, self._read_order)
        if not (yield from rest.all_pages(self._account, "/orders", take)):
            found.lack(UNFOLLOWED)
        self._open_is_whole = found.is_whole

    def waiting_stops(self, found: Found) -> RestFlow[None]:
        """The smart orders: only with them is the list of open orders whole."""
        if self._source == "snapshot":
            found.take([NOT_STREAMED])
        rows = yield from rest.ask_for_list(
            self._account, "/smartorders", rest.HISTORY_COST, limit=str(rest.PAGE)
        )
        self._taking(found, self._read_smart)(rows)
        if len(rows) >= rest.PAGE:  # no way to a further page is documented for this list
            found.lack(f"Poloniex listed {len(rows)}, and may have cut the list there")
        if self._open_is_whole:
            found.end_list(Listed("orders"))

    def _fills_of(self, order_id: str) -> RestFlow[list[AnyReport]]:
        path = f"/orders/{quote(order_id, safe='')}/trades"
        try:
            rows = yield from rest.ask_for_list(self._account, path)
        except OrderUnknown:  # it ended this moment, and the stream tells of it
            return []
        return list(each(rows, self._read_trade))

    # --- what happened -----------------------------------------------------------------

    def fills(self, known: Known, found: Found) -> RestFlow[None]:
        take = self._taking(found, self._read_trade)
        yield from self._history("/trades", known, found, take, page_by="pageId")

    def ended_orders(self, known: Known, found: Found) -> RestFlow[None]:
        take = self._taking(found, self._read_order)
        yield from self._history("/orders/history", known, found, take)

    def ended_stops(self, known: Known, found: Found) -> RestFlow[None]:
        take = self._taking(found, self._read_smart)
        yield from self._history("/smartorders/history", known, found, take)

    def in_doubt(self, known: Known, found: Found) -> RestFlow[None]:
        """What became of orders that no list names."""
        for order_id in sorted(known.suspects - self._seen):
            reports = yield from _one(self._account, order_id)
            found.take(reports)
            for report in reports:
                if isinstance(report, NoticeReport) and report.code == "order_unknown":
                    found.lose(order_id, report.text)

    def _history(
        self, path: str, known: Known, found: Found, take: rest.Take, page_by: str = "id"
    ) -> RestFlow[None]:
        since, until = known.since_ns // 10**6 - OVERLAP, known.until_ns // 10**6 + OVERLAP
        for window in rest.windows(since, until):
            is_whole = yield from rest.all_pages(
                self._account, path, take, rest.HISTORY_COST, page_by=page_by, **window
            )
            if not is_whole:
                found.lack(UNFOLLOWED)

    def _taking(self, found: Found, read: Reader) -> rest.Take:
        """Puts the rows of a page into a part as they come."""

        def take(rows: list[Any]) -> None:
            reports = list(each(rows, read))
            self._seen |= {r.order_id for r in reports if isinstance(r, OrderReport)}
            found.take(reports)

        return take


# --- balances --------------------------------------------------------------------------


def _balances(account: Account, holdings: Holdings, source: Source) -> Part:
    def read(found: Found) -> RestFlow[None]:
        accounts = yield from rest.ask_for_list(account, "/accounts/balances", accountType="SPOT")
        found.take(read_accounts(accounts, holdings, source))

    return Part("balances", read)
