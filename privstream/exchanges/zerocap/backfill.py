"""What REST tells of a Zerocap account: what stands, what an interruption hid, single orders.

The one rule: each list stands alone, and is told page by page. Source: the pages of
https://pypi.org/project/zerocap-api/, checked 2026-11-30.
"""

from collections.abc import Iterable
from typing import Any

from privstream.exchanges.kit.reading_back import Found, Part, in_parts
from privstream.exchanges.zerocap import rest
from privstream.exchanges.zerocap.balances import ZerocapWallets
from privstream.exchanges.zerocap.privacy import veiled
from privstream.model.account import Account
from privstream.model.events import Source
from privstream.model.reports import AnyReport, Backfill, Known, Listed
from privstream.model.rest import RestFlow

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
            # A list is by when orders were placed, so the older ones are asked for by name.
            Part("orders in doubt", lists.in_doubt),
        ]
    if wallets is not None and "balances" in known.channels:
        parts.append(_balances(account, wallets, "rest"))
    return in_parts(parts)


_ORDERS = {"orders", "trades"}


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
        self._held = None if known is None else known.open_orders | known.suspects
        self._seen: set[str] = set()

    def open_orders(self, found: Found) -> RestFlow[None]:
        yield from self._fetch(found, status="open")
        found.end_list(Listed("orders"))

    def placed(self, found: Found) -> RestFlow[None]:
        if self._known is None:
            return
        yield from self._fetch(
            found,
            start_datetime=self._known.since_ns // 10**6 - rest.OVERLAP_MS,
            # What was placed later, the stream has told; newest first, it only repeats rows.
            end_datetime=self._known.until_ns // 10**6 + rest.OVERLAP_MS,
        )

    def in_doubt(self, found: Found) -> RestFlow[None]:
        """What became of orders held as open that no list names."""
        in_doubt = sorted((self._held or frozenset()) - self._seen)
        for start in range(0, len(in_doubt), rest.IDS):
            yield from self._fetch(found, ids=",".join(in_doubt[start : start + rest.IDS]))
        lost = [order_id for order_id in in_doubt if order_id not in self._seen]
        for order_id in lost:
            found.lose(order_id, f"Zerocap does not say what became of {', '.join(lost)}")

    def _fetch(self, found: Found, **wanted: Any) -> RestFlow[None]:
        count = 0

        def take(rows: list[Any]) -> None:
            nonlocal count
            count += len(rows)
            self._seen |= rest.Rows(rows).ids()
            found.take(rest.read_orders(rest.Rows(rows), self._source, self._held))

        if not (yield from rest.fetch_pages(self._account, take, **wanted)):
            found.lack(f"Zerocap gave only {count} of the orders that it counts")
