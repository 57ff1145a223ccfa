"""How much of an open order was filled, where its list tells that in the quote currency only.

The one rule: the sum of an order's fills is told only where all of them were read. Source:
https://github.com/btcid/indodax-official-api-docs, Private-RestAPI.md; checked 2026-11-30.
"""

from collections.abc import Iterable

from msgspec import structs

from privstream.exchanges.indodax.histories import LEAD, TRADES, Asked, Pages, windows
from privstream.exchanges.indodax.key_kind import Tapi
from privstream.exchanges.indodax.rows import read_trade
from privstream.exchanges.kit.reading_back import Found
from privstream.model.errors import Refused
from privstream.model.exact import add
from privstream.model.reports import AnyReport, Fill, OrderReport
from privstream.model.rest import RestFlow
from privstream.model.times import to_nanos

WEEKS = 4
"""Fills of an older order are not looked for."""


def lacks_filled(report: AnyReport) -> bool:
    """Of an order that has a beginning: its fills can be looked for."""
    return (
        isinstance(report, OrderReport)
        and "filled" not in report.fields
        and bool(report.fields.get("created"))
    )


def with_fills(tapi: Tapi, order: OrderReport, now_ns: int) -> RestFlow[list[AnyReport]]:
    """The order's fills, and the order with their sum; the order alone where they are not whole."""
    created = to_nanos(order.fields.get("created") or "") // 10**6
    weeks = windows(created, now_ns // 10**6 + LEAD)
    pair = order.fields.get("exchange_symbol")
    if not tapi.has_history or pair is None or len(weeks) > WEEKS:
        return [order]
    pages, found = Pages(tapi), Found()
    try:
        for week in weeks:
            yield from pages.read(found, Asked(TRADES, pair, *week), read_trade)
    except Refused:  # a pair that is no more: then the fills stay unknown
        return [order]
    if not found.is_whole:
        return [order]
    fills = [report for report in found.reports if isinstance(report, Fill)]
    own = {fill.key: fill for fill in fills if fill.order_id == order.order_id}
    return [*map(_as_it_stood, own.values()), _filled_by(order, own.values())]


def _as_it_stood(fill: Fill) -> Fill:
    return structs.replace(fill, source="snapshot")


def _filled_by(order: OrderReport, fills: Iterable[Fill]) -> OrderReport:
    filled = "0"
    for fill in fills:
        if fill.quantity is None:
            return order
        filled = add(filled, fill.quantity)
    if filled == "0":  # something was, or the exchange would not list it so
        return order
    return structs.replace(order, fields=order.fields | {"filled": filled})
