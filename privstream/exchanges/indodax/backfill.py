"""Reads back what an interruption hid, in parts that stand alone.

The one rule: fills and ended orders are listed per pair, and no call lists an account's pairs.
So they are everything only where the user named the pairs; else only a replay by the
stream's server is. Source: https://github.com/btcid/indodax-official-api-docs,
INDODAX-TradeAPI-2.md; checked 2026-11-30.
"""

from collections.abc import Collection, Iterator
from functools import partial

from msgspec import structs

from privstream.exchanges.indodax import names
from privstream.exchanges.indodax.bookmark import Bookmark
from privstream.exchanges.indodax.histories import (
    LEAD,
    ORDERS,
    SPAN,
    TRADES,
    Asked,
    Pages,
    Reader,
    windows,
)
from privstream.exchanges.indodax.key_kind import Key
from privstream.exchanges.indodax.orders import Row
from privstream.exchanges.indodax.picture import is_passing, read_balances
from privstream.exchanges.indodax.rows import read_ended, read_trade
from privstream.exchanges.kit.reading_back import Found, Part, in_parts
from privstream.model.errors import LoginRefused, PermissionMissing, Refused
from privstream.model.reports import AnyReport, Backfill, Fill, Known, Listed, OrderReport
from privstream.model.rest import RestFlow
from privstream.model.times import from_millis

OVERLAP = 60 * 1000  # milliseconds
NO_PAIR = "Indodax lists its history per pair, and no pair is known yet"
BY_WHICH_TIME = "Indodax does not say by which time it lists orders: one older than a week may lack"
NO_HISTORY = "Indodax documents no history for its demo environment"


def read_back(
    key: Key,
    bookmark: Bookmark,
    known: Known,
    streamed: Collection[str],
    symbols: Collection[str],
) -> RestFlow[Backfill]:
    """Fills, ended and open orders, balances; only the last where the server has replayed."""
    parts: list[Part] = []
    # What the server replays closes an interruption of the stream; it compares nothing.
    is_replayed = known.catches_up and bookmark.recovered
    if known.catches_up and not is_replayed:
        bookmark.owes_history()
    if not is_replayed and {"orders", "trades"} & set(known.channels):
        parts += _Missed(key, known, streamed, symbols).parts()
    if "balances" in known.channels:
        parts.append(Part("balances", partial(read_balances, key, "rest")))
    found = yield from in_parts(parts)
    # REST may lag: only a second look has seen all, unless another is to come.
    is_last = is_replayed or (known.catches_up and known.second_look)
    if is_last and not is_passing(found):
        bookmark.caught_up()
    # Fills come first, so that the orders' fees are known when these are told.
    ordered = sorted(found.reports, key=lambda report: not isinstance(report, Fill))
    # A replay by position is all of it: nothing that REST tells later can be missing.
    return structs.replace(found, reports=tuple(ordered), is_final=is_replayed)


class _Missed:
    """Orders and fills of one interruption."""

    def __init__(
        self, key: Key, known: Known, streamed: Collection[str], symbols: Collection[str]
    ) -> None:
        self._key = key
        self._known = known
        self._streamed = streamed
        self._named = symbols
        """The pairs that are shown, in the user's spelling; none means all."""
        self._open: set[str] | None = None
        """The open orders, once they were listed."""
        self._ended: set[str] = set()
        self._since = known.since_ns // 10**6 - OVERLAP
        self._end = known.until_ns // 10**6 + LEAD
        self._first = self._since
        """Where the list of ended orders begins."""
        self._has_older = False
        """It has one that began before: so it is by when they ended."""

    def parts(self) -> Iterator[Part]:
        """In an order in which each can use what those before have found."""
        yield Part("open orders", self._read_open_orders)
        yield Part("fills", self._read_fills)
        if "orders" in self._known.channels:
            yield Part("ended orders", self._read_ended_orders)
            yield Part("orders that are open no more", self._look_up)

    # --- the parts ---------------------------------------------------------------------

    def _read_open_orders(self, found: Found) -> RestFlow[None]:
        tapi = yield from self._key.tapi()
        listed = yield from tapi.open_orders("rest", self._known.open_orders, self._streamed)
        self._open = {report.order_id for report in listed if isinstance(report, OrderReport)}
        found.take(listed)
        found.end_list(Listed("orders"))

    def _read_fills(self, found: Found) -> RestFlow[None]:
        weeks = windows(self._since, self._end)
        yield from self._read_pairs(found, TRADES, weeks, read_trade)

    def _read_ended_orders(self, found: Found) -> RestFlow[None]:
        # Whether orders are listed by when they began or ended is not said: a week is read, and
        # older ones are asked for by their ids, where it is known which there are.
        weeks = windows(min(self._since, self._end - SPAN), self._end)
        self._first = weeks[-1][0]
        yield from self._read_pairs(found, ORDERS, weeks, self._read_ended)
        if self._known.placed_since_ns is None and not self._has_older:
            found.lack(BY_WHICH_TIME)

    def _look_up(self, found: Found) -> RestFlow[None]:
        for order_id in sorted(self._gone - self._ended):
            tapi = yield from self._key.tapi()
            reports = yield from tapi.find_order(order_id)
            found.take(reports)
            if not reports:
                found.lose(order_id, f"what became of order {order_id} could not be found")

    # --- below -------------------------------------------------------------------------

    @property
    def _gone(self) -> set[str]:
        """Orders held as open that are so no more, as far as they are shown."""
        if self._open is None:
            return set()
        gone = {*self._known.suspects} - self._open - {*self._streamed}
        return {order_id for order_id in gone if not self._named or _pair(order_id) in self._pairs}

    @property
    def _pairs(self) -> set[str]:
        """Those that the user named, else all that were seen."""
        if self._named:
            return {pair for pair in map(names.pair_of, self._named) if pair is not None}
        orders = {*(self._open or ()), *self._known.suspects, *self._streamed}
        seen = {_pair(order_id) for order_id in orders} - {None}
        return {*map(names.join, self._known.symbols), *(pair for pair in seen if pair)}

    def _read_pairs(
        self, found: Found, path: str, weeks: list[tuple[int, int]], read: Reader
    ) -> RestFlow[None]:
        """Every pair by itself, since one may be no more."""
        tapi = yield from self._key.tapi()
        if not tapi.has_history:
            found.lack(NO_HISTORY)
            return
        pages, pairs = Pages(tapi), sorted(self._pairs)
        for week in weeks:
            for pair in pairs:
                yield from _read_pair(pages, found, Asked(path, pair, *week), read)
        self._say_which(found, pairs)

    def _say_which(self, found: Found, pairs: list[str]) -> None:
        if not pairs:
            found.lack(NO_PAIR)
        elif not self._named:
            seen = f"only of the pairs seen so far ({', '.join(pairs)})"
            found.lack(f"Indodax lists its history per pair: read {seen}")

    def _read_ended(self, row: Row) -> Iterator[AnyReport]:
        """What ended after the moment of asking is the stream's to tell, what did before is told."""
        order_id, (report, *notices) = row["orderId"], read_ended(row)
        began = row.get("submitTime")
        self._has_older |= isinstance(began, int) and 0 < began < self._first
        if not isinstance(report, OrderReport):
            return
        moment = report.time or report.fields.get("created") or from_millis(self._since) or ""
        since, end = from_millis(self._since) or "", from_millis(self._end) or ""
        if order_id in self._gone or since <= moment <= end:
            self._ended.add(report.order_id)
            yield report
            yield from notices


def _read_pair(pages: Pages, found: Found, asked: Asked, read: Reader) -> RestFlow[None]:
    try:
        yield from pages.read(found, asked, read)
    except (LoginRefused, PermissionMissing):
        raise
    except Refused as refusal:  # a pair that is no more
        found.lack(f"{asked.pair}: {refusal.message}")


def _pair(order_id: str) -> str | None:
    parts = names.order_id_parts(order_id)
    return None if parts is None else parts.pair
