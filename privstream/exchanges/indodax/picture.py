"""Reads what stands when we connect: the stream lists neither open orders nor balances.

The one rule: each part stands alone, and a reading that was cut off is none. Source:
https://github.com/btcid/indodax-official-api-docs; checked 2026-11-30.
"""

from collections.abc import Container
from functools import partial

from privstream.exchanges.indodax.bookmark import Bookmark
from privstream.exchanges.indodax.filled import lacks_filled, with_fills
from privstream.exchanges.indodax.key_kind import Key
from privstream.exchanges.kit.reading_back import Found, Part, in_parts
from privstream.model.events import Source
from privstream.model.reports import AnyReport, Backfill, Listed, OrderReport
from privstream.model.rest import RestFlow


def read_picture(
    key: Key, bookmark: Bookmark, channels: Container[str], streamed: Container[str]
) -> RestFlow[Backfill]:
    """Open orders and balances, as far as they are streamed."""
    parts = []
    if "orders" in channels or "trades" in channels:
        opening = partial(_read_open_orders, key, bookmark.opened_ns, streamed)
        parts.append(Part("open orders", opening))
    if "balances" in channels:
        parts.append(Part("balances", partial(read_balances, key, "snapshot")))
    found = yield from in_parts(parts)
    if not is_passing(found):
        bookmark.began()
    return found


def is_passing(found: Backfill) -> bool:
    """Something is missing that another reading may bring: it is yet to be done."""
    return any(problem.retryable for problem in found.problems)


def balances_now(key: Key, source: Source) -> RestFlow[tuple[AnyReport | Listed, ...]]:
    """All balances, and that they are all."""
    found = Found()
    yield from read_balances(key, source, found)
    return tuple(found.reports)


def read_balances(key: Key, source: Source, found: Found) -> RestFlow[None]:
    """All balances of the account."""
    tapi = yield from key.tapi()
    found.take((yield from tapi.balances(source)))
    found.end_list(Listed("balances"))


def _read_open_orders(
    key: Key, opened_ns: int, streamed: Container[str], found: Found
) -> RestFlow[None]:
    """Of all pairs; how much of each was filled is added up where the list does not say it."""
    tapi = yield from key.tapi()
    listed = yield from tapi.open_orders("snapshot", (), streamed)
    found.take(report for report in listed if not lacks_filled(report))
    waiting = [report for report in listed if lacks_filled(report)]
    try:
        while waiting and isinstance(order := waiting[0], OrderReport):
            found.take((yield from with_fills(tapi, order, opened_ns)))
            waiting.pop(0)
    finally:  # where their fills are out of reach the orders stand all the same
        found.take(waiting)
    found.end_list(Listed("orders"))
