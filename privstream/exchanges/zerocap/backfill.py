"""What REST tells of a Zerocap account: what stands, what an interruption hid, single orders.

The one rule: each list stands alone, and is told page by page. Source: the pages of
https://pypi.org/project/zerocap-api/, checked 2026-11-30.
"""

from collections.abc import Callable, Iterable
from typing import Any

from privstream.exchanges.base import MALFORMED
from privstream.exchanges.kit.reading_back import Found, Part, in_parts
from privstream.exchanges.zerocap import rest
from privstream.exchanges.zerocap.balances import ZerocapWallets
from privstream.exchanges.zerocap.elements import fills_of
from privstream.exchanges.zerocap.privacy import veiled
from privstream.model.account import Account
from privstream.model.events import Source
from privstream.model.reports import AnyReport, Backfill, Known, Listed
from privstream.model.rest import RestFlow
from privstream.model.times import from_millis

Reports = tuple[AnyReport | Listed, ...]


def look_up(account: Account, order_ids: Iterable[str]) -> RestFlow[tuple[AnyReport, ...]]:
    """The orders of these ids, whole, with their fills."""
    return rest.read_orders((yield from rest.fetch_named(account, order_ids)), "rest")


def balances(account: Account, wallets: ZerocapWallets, source: Source) -> RestFlow[Reports]:
    """What is in every account."""
    answer = yield from rest.ask(account, "GET", "get_balances")
    return tuple(map(veiled, wallets.read(answer, source)))


def picture(
    account: Account, wallets: ZerocapWallets, channels: tuple[str, ...]
) -> RestFlow[Backfill]:
    """Open orders with the fills they have so far, and balances."""
    lists = ZerocapLists(account, "snapshot")
    parts: list[Part] = []
    if _ORDERS & set(channels):
        parts.append(Part("open orders", lists.open_orders))
    if "balances" in channels:
        parts.append(_balances(account, wallets, "snapshot"))
    return in_parts(parts)


def backfill(account: Account, wallets: ZerocapWallets | None, known: Known) -> RestFlow[Backfill]:
    """Orders and fills since, what became of the orders held as open, and balances."""
    lists = ZerocapLists(account, "rest", known)
    parts: list[Part] = []
    if _ORDERS & set(known.channels):
        parts += [
            Part("open orders", lists.open_orders),
            Part("orders placed meanwhile", lists.placed),
            Part("orders in doubt", lists.in_doubt),
        ]
    if wallets is not None and "balances" in known.channels:
        parts.append(_balances(account, wallets, "rest"))
    return in_parts(parts)


_ORDERS = {"orders", "trades"}
UNDATED = "Zerocap does not say when an order was canceled: of those placed before, none is told"


def _balances(account: Account, wallets: ZerocapWallets, source: Source) -> Part:
    def read(found: Found) -> RestFlow[None]:
        found.take((yield from balances(account, wallets, source)))

    return Part("balances", read)


class ZerocapLists:
    """The lists of one reading, and the orders that were on them."""

    def __init__(self, account: Account, source: Source, known: Known | None = None) -> None:
        self._account = account
        self._source: Source = source
        self._known = known
        self._held = None if known is None else _held(known)
        self._seen: set[str] = set()
        """Those of the held orders that a list had."""
        self._has_undated = False
        """An order placed before was canceled, nobody knows when."""

    def open_orders(self, found: Found) -> RestFlow[None]:
        yield from self._fetch(found, status="open")
        found.end_list(Listed("orders"))

    def placed(self, found: Found) -> RestFlow[None]:
        """Orders are listed by when they were placed: those that are held are asked for by name.

        Where it is not known that all are held, any order may have a fill since, however old.
        """
        if (known := self._known) is None:
            return
        since, placed = _early(known.since_ns), known.placed_since_ns
        yield from self._fetch(
            found,
            lambda row: self._matters(row, since),
            start_datetime=0 if placed is None else min(since, _early(placed)),
            # What was placed later, the stream has told; newest first, it only repeats rows.
            end_datetime=known.until_ns // 10**6 + rest.OVERLAP_MS,
        )
        if self._has_undated and "orders" in known.channels:
            found.lack(UNDATED)

    def _matters(self, row: Any, since: int) -> bool:
        """Whether a row may hold news: a list of everything has many that do not."""
        if not isinstance(row, dict) or row.get("id") in self._seen or _may_be_since(row, since):
            return True
        self._has_undated |= row.get("filled") != row.get("amount")
        return False

    def in_doubt(self, found: Found) -> RestFlow[None]:
        """What became of orders held as open that no list names."""
        in_doubt = sorted((self._held or frozenset()) - self._seen)
        for start in range(0, len(in_doubt), rest.IDS):
            yield from self._fetch(found, ids=",".join(in_doubt[start : start + rest.IDS]))
        lost = [order_id for order_id in in_doubt if order_id not in self._seen]
        for order_id in lost:
            found.lose(order_id, f"Zerocap does not say what became of {', '.join(lost)}")

    def _fetch(
        self, found: Found, matters: Callable[[Any], bool] = lambda _: True, **wanted: Any
    ) -> RestFlow[None]:
        count = 0

        def take(rows: list[Any]) -> None:
            nonlocal count
            count += len(rows)
            self._seen |= rest.Rows(rows).ids() & (self._held or frozenset())
            chosen = rest.Rows([row for row in rows if matters(row)])
            found.take(rest.read_orders(chosen, self._source, self._held))

        if not (yield from rest.fetch_pages(self._account, take, **wanted)):
            found.lack(f"Zerocap gave only {count} of the orders that it counts")


def _held(known: Known) -> frozenset[str]:
    """Orders that may have fills of the interruption, however long ago they were placed."""
    return known.open_orders | known.suspects | known.were_open


def _early(moment_ns: int) -> int:
    """Milliseconds of a moment, and some before it."""
    return moment_ns // 10**6 - rest.OVERLAP_MS


def _may_be_since(row: dict[str, Any], since: int) -> bool:
    """Whether the order, or a fill of it, is of that time: false only where all says otherwise."""
    try:
        rows = (row, *fills_of(row.get("trades")))
        times = [from_millis(one["timestamp"]) for one in rows]
        times += [from_millis(last)] if (last := row.get("last_trade_timestamp")) else []
    except MALFORMED:
        return True
    return None in times or max(filter(None, times)) >= (from_millis(since) or "")
