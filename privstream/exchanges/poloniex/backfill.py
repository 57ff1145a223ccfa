"""What REST tells: the picture at the start, what an interruption hid, single orders.

The one rule: `complete` is said only where every list was read to its end and every row
understood. Source: protocols/poloniex.md section 6 (checked 2026-11-20).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import quote

from privstream.exchanges.base import each
from privstream.exchanges.poloniex import rest
from privstream.exchanges.poloniex.balances import Holdings, read_accounts
from privstream.exchanges.poloniex.fill_keys import FillKeys
from privstream.exchanges.poloniex.orders import Item, read_order, read_trade
from privstream.exchanges.poloniex.refusals import OrderUnknown
from privstream.model.account import Account
from privstream.model.errors import PermissionMissing
from privstream.model.events import Source
from privstream.model.exact import nonzero
from privstream.model.reports import AnyReport, Backfill, Known, Listed, NoticeReport, OrderReport
from privstream.model.rest import RestFlow

OVERLAP = 60_000
"""Milliseconds read again on both sides: clocks differ, and lists may lag the stream."""

Told = tuple[AnyReport | Listed, ...]
Part = RestFlow[Told]


def picture(
    account: Account, keys: FillKeys, holdings: Holdings, channels: tuple[str, ...]
) -> RestFlow[Backfill]:
    """Open orders with the fills they had, and balances, as far as they are streamed."""
    parts: list[Part] = []
    if {"orders", "trades"} & set(channels):
        parts.append(_standing(account, keys))
    if "balances" in channels:
        parts.append(_balances(account, holdings, "snapshot"))
    return (yield from _together(parts))


def backfill(
    account: Account, keys: FillKeys, holdings: Holdings, known: Known
) -> RestFlow[Backfill]:
    """Fills and orders since, what became of those in doubt, and balances."""
    parts: list[Part] = []
    if {"orders", "trades"} & set(known.channels):
        # Also for orders alone: their fees are the sums of their fills'.
        parts.append(_fills(account, keys, known))
    if "orders" in known.channels:
        parts.append(_orders(account, known))
    if "balances" in known.channels:
        parts.append(_balances(account, holdings, "rest"))
    return (yield from _together(parts))


def look_up(account: Account, order_ids: Iterable[str]) -> RestFlow[tuple[AnyReport, ...]]:
    """The orders of these ids, whole; a word for each that Poloniex does not know."""
    reports: list[AnyReport] = []
    for order_id in sorted(order_ids):
        try:
            row = yield from rest.ask(account, f"/orders/{quote(order_id, safe='')}")
        except OrderUnknown as problem:
            text = f"what became of order {order_id} is unknown: {problem.message}"
            reports.append(NoticeReport(level="warning", code="order_unknown", text=text))
        else:
            reports += each([row], _order_reader("rest"))
    return tuple(reports)


def _together(parts: list[Part]) -> RestFlow[Backfill]:
    reports: list[AnyReport | Listed] = []
    missing: list[str] = []
    for part in parts:
        try:
            told = yield from part
        except PermissionMissing as problem:
            missing.append(f"{problem.message}; {problem.hint}")
        else:
            reports += told
            missing += [report.text for report in told if isinstance(report, NoticeReport)]
    return Backfill(tuple(reports), complete=not missing, detail=missing[0] if missing else None)


# --- orders ----------------------------------------------------------------------------


def _standing(account: Account, keys: FillKeys) -> Part:
    rows = yield from rest.all_pages(account, "/orders")
    orders = tuple(each(rows, _order_reader("snapshot")))
    fills: list[AnyReport] = []
    for order in orders:
        # Without its first fills, the fee of an order could never be told.
        if isinstance(order, OrderReport) and nonzero(order.fields.get("filled")):
            fills += yield from _fills_of(account, keys, order.order_id)
    return (*fills, *orders, *_listed("orders", orders))


def _fills_of(account: Account, keys: FillKeys, order_id: str) -> RestFlow[list[AnyReport]]:
    path = f"/orders/{quote(order_id, safe='')}/trades"
    try:
        rows = yield from rest.ask_for_list(account, path)
    except OrderUnknown:  # it ended this moment, and the stream tells of it
        return []
    return list(each(rows, _trade_reader(keys, "snapshot")))


def _orders(account: Account, known: Known) -> Part:
    """The open ones first: what ends meanwhile is in the history, or in the stream."""
    read = _order_reader("rest")
    listed = tuple(each((yield from rest.all_pages(account, "/orders")), read))
    ended = yield from _history(account, "/orders/history", known, page_by="id")
    orders = (*listed, *each(ended, read))
    found = {report.order_id for report in orders if isinstance(report, OrderReport)}
    doubtful = yield from look_up(account, known.suspects - found)
    return (*orders, *doubtful, *_listed("orders", listed))


def _fills(account: Account, keys: FillKeys, known: Known) -> Part:
    rows = yield from _history(account, "/trades", known, page_by="pageId")
    return tuple(each(rows, _trade_reader(keys, "rest")))


def _history(account: Account, path: str, known: Known, page_by: str) -> RestFlow[list[Any]]:
    rows: list[Any] = []
    since, until = known.since_ns // 10**6 - OVERLAP, known.until_ns // 10**6 + OVERLAP
    for window in rest.windows(since, until):
        rows += yield from rest.all_pages(
            account, path, rest.HISTORY_COST, page_by=page_by, **window
        )
    return rows


def _order_reader(source: Source) -> Callable[[Item], Iterator[AnyReport]]:
    def read(row: Item) -> Iterator[AnyReport]:
        yield from read_order(row, source)

    return read


def _trade_reader(keys: FillKeys, source: Source) -> Callable[[Item], Iterator[AnyReport]]:
    def read(row: Item) -> Iterator[AnyReport]:
        yield from read_trade(row, keys, source)

    return read


def _listed(kind: Any, reports: tuple[AnyReport, ...]) -> tuple[Listed, ...]:
    """The list is whole, unless a row of it could not be read."""
    if any(isinstance(report, NoticeReport) for report in reports):
        return ()
    return (Listed(kind),)


# --- balances --------------------------------------------------------------------------


def _balances(account: Account, holdings: Holdings, source: Source) -> Part:
    accounts = yield from rest.ask_for_list(account, "/accounts/balances", accountType="SPOT")
    return read_accounts(accounts, holdings, source)
