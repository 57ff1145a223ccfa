"""What stands when an Indodax account connects: open orders, and balances.

The one rule: a buy order is listed in the quote currency, so how much of it was filled
is read from all of its fills, or stays unknown.
Source: protocols/indodax.md section 6 (checked 2026-11-20).
"""

from collections.abc import Container, Iterable

import msgspec

from privstream.exchanges.base import each
from privstream.exchanges.indodax.bookmark import Bookmark
from privstream.exchanges.indodax.histories import (
    LEAD,
    LIMIT,
    TRADES,
    ask_history,
    read_fill,
    windows,
)
from privstream.exchanges.indodax.rest import open_orders, read_balances
from privstream.model.account import Account
from privstream.model.errors import LoginRefused, PermissionMissing, Refused
from privstream.model.exact import add
from privstream.model.reports import (
    AnyReport,
    Backfill,
    Fill,
    Listed,
    NoticeReport,
    OrderFields,
    OrderReport,
)
from privstream.model.rest import RestFlow
from privstream.model.times import to_nanos

WEEKS = 4
"""Fills of an older order are not looked for."""


def read_picture(
    account: Account, bookmark: Bookmark, channels: Container[str], streamed: Container[str]
) -> RestFlow[Backfill]:
    """Open orders and balances, as far as they are streamed."""
    found: list[AnyReport | Listed] = []
    if "orders" in channels or "trades" in channels:
        listed = yield from open_orders(account, "snapshot", streamed=streamed)
        for report in listed:
            if isinstance(report, OrderReport) and _lacks_filled(report.fields):
                found += yield from _with_fills(account, report, bookmark.opened_ns)
            else:
                found.append(report)
    if "balances" in channels:
        found += yield from read_balances(account, "snapshot")
    bookmark.caught_up()
    return Backfill(tuple(found), complete=True)


def _lacks_filled(fields: OrderFields) -> bool:
    return "filled" not in fields and bool(fields.get("created"))


def _with_fills(account: Account, order: OrderReport, now_ns: int) -> RestFlow[list[AnyReport]]:
    """The order's fills, and the order with their sum; the order alone where they are not whole."""
    created = to_nanos(order.fields.get("created") or "") // 10**6
    weeks = windows(created, now_ns // 10**6 + LEAD)
    pair = order.fields.get("exchange_symbol")
    if account.endpoints.history_url is None or pair is None or len(weeks) > WEEKS:
        return [order]
    fills: list[Fill] = []
    for start, end in weeks:
        try:
            rows = yield from ask_history(account, TRADES, pair, start, end)
        except (LoginRefused, PermissionMissing):
            raise
        except Refused:  # a pair that is no more: then the fills stay unknown
            return [order]
        read = list(each(rows, read_fill))
        if len(rows) >= LIMIT or any(isinstance(report, NoticeReport) for report in read):
            return [order]
        fills += (fill for fill in read if isinstance(fill, Fill))
    own = {fill.key: fill for fill in fills if fill.order_id == order.order_id}
    return [*map(_as_it_stood, own.values()), _filled_by(order, own.values())]


def _as_it_stood(fill: Fill) -> Fill:
    return msgspec.structs.replace(fill, source="snapshot")


def _filled_by(order: OrderReport, fills: Iterable[Fill]) -> OrderReport:
    filled = "0"
    for fill in fills:
        filled = add(filled, fill.quantity or "0")
    if filled == "0":  # something was, or the exchange would not list it so
        return order
    return msgspec.structs.replace(order, fields=order.fields | {"filled": filled})
