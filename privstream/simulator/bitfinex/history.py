"""What the private REST calls say of orders, fills, wallets, positions and the ledger.

The one rule: `start` and `end` are inclusive milliseconds; lists are newest first and
cut at `limit`, unless the fills are asked for oldest first.
"""

from collections import ChainMap
from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from privstream.simulator.bitfinex.backend import Backend
from privstream.simulator.bitfinex.keys import SECTIONS, BitfinexRefused
from privstream.simulator.bitfinex.orders import Trades, client_id, order_row, trade_row
from privstream.simulator.bitfinex.positions import margin_base, position_row
from privstream.simulator.bitfinex.query import Query
from privstream.simulator.bitfinex.tape import written_ns
from privstream.simulator.bitfinex.wallets import ledger_rows, offers
from privstream.simulator.bitfinex.words import (
    CURRENCIES,
    MARGIN_CURRENCIES,
    MARGIN_PAIRS,
    PAIRS,
    millis,
    pair_of,
)
from privstream.simulator.market import ZERO, Order, Trade

Row = list[Any]
MOST_ORDERS, MOST_TRADES, MOST_LINES, MOST_POSITIONS = 2500, 1000, 2500, 50
TWO_WEEKS = 14 * 24 * 3600 * 1000  # that closed orders are remembered
UPDATED, TRADED, BOOKED, POSITION_UPDATED = 5, 2, 3, 13  # where a row has its time


class History:
    """The account as REST tells it; each call is a method."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    # --- orders ------------------------------------------------------------------------

    def open_orders(self, query: Query, symbol: str | None = None) -> list[Row]:
        chosen = [o for o in self._backend.market.books.open.values() if _is_of(o, symbol)]
        for name, of in (("id", lambda o: int(o.order_id)), ("gid", lambda o: o.user_reference)):
            if name in query.arguments:
                wanted = query.numbers(name)
                chosen = [order for order in chosen if of(order) in wanted]
        if "cid" in query.arguments:
            if "cid_date" not in query.arguments:
                raise BitfinexRefused(10020, "cid_date: invalid")
            chosen = [order for order in chosen if client_id(order) == query.arguments["cid"]]
        return [order_row(order, self._all_trades) for order in reversed(chosen)]

    def closed_orders(self, query: Query, symbol: str | None = None) -> list[Row]:
        since = millis(query.now.wall_ns) - TWO_WEEKS
        orders = (
            *self._backend.market.books.orders.values(),
            *self._backend.margin.orders.values(),
        )
        chosen = [o for o in orders if o.closed_ns is not None and _is_of(o, symbol)]
        if "id" in query.arguments:
            wanted = query.numbers("id")
            chosen = [order for order in chosen if int(order.order_id) in wanted]
        start, end = query.span
        chosen = [o for o in chosen if max(start, since) <= millis(o.updated_ns) <= end]
        chosen.sort(key=lambda order: order.updated_ns, reverse=True)
        limit = query.limit(MOST_ORDERS)
        return [order_row(order, self._all_trades) for order in chosen[:limit]]

    # --- fills -------------------------------------------------------------------------

    def trades(self, query: Query, symbol: str | None = None) -> list[Row]:
        chosen = [t for t in self._written(query) if _is_of(t.order, symbol)]
        start, end = query.span
        chosen = [trade for trade in chosen if start <= millis(trade.time_ns) <= end]
        chosen.sort(key=lambda trade: trade.time_ns, reverse=query.is_newest_first)
        limit = query.limit(MOST_TRADES)
        return [trade_row(trade, with_fee=True) for trade in chosen[:limit]]

    def order_trades(self, query: Query, symbol: str, order: str) -> list[Row]:
        chosen = [t for t in self._written(query) if t.order.order_id == order]
        return [trade_row(t, with_fee=True) for t in reversed(chosen) if _is_of(t.order, symbol)]

    def _written(self, query: Query) -> Iterable[Trade]:
        """What has reached the database: REST lags behind the socket."""
        trades = (
            *self._backend.market.books.trades.values(),
            *self._backend.margin.trades.values(),
        )
        return [trade for trade in trades if written_ns(trade) <= query.now.wall_ns]

    @property
    def _all_trades(self) -> Trades:
        # Only ever read: a ChainMap of two plain dicts.
        return ChainMap(self._backend.market.books.trades, self._backend.margin.trades)

    # --- money -------------------------------------------------------------------------

    def wallets(self, _query: Query) -> list[Row]:
        return self._backend.wallets.rest_rows()

    def ledgers(
        self,
        query: Query,
        currency: str | None = None,
    ) -> list[Row]:
        if currency not in {None, *CURRENCIES, *MARGIN_CURRENCIES}:
            raise BitfinexRefused(10020, "currency: invalid")
        books, margin = self._backend.market.books, self._backend.margin
        rows = [
            *_lines(
                ledger_rows(e, books.trades.get(e.reference), "exchange")
                for e in books.entries.values()
            ),
            *_lines(
                ledger_rows(e, margin.trades.get(e.reference), "margin")
                for e in margin.entries.values()
            ),
        ]
        start, end = query.span
        rows = [r for r in rows if currency in {None, r[1]} and start <= r[BOOKED] <= end]
        rows.sort(key=lambda row: (row[BOOKED], row[0]), reverse=True)
        return rows[: query.limit(MOST_LINES)]

    # --- positions ---------------------------------------------------------------------

    def positions(self, _query: Query) -> list[Row]:
        margin = self._backend.margin
        if margin.position is None:
            return []
        return [position_row(replace(margin.position, mark=margin.mark), with_times=True)]

    def closed_positions(self, query: Query) -> list[Row]:
        rows = [position_row(p, with_times=True) for p in self._backend.margin.closed.values()]
        start, end = query.span
        chosen = [row for row in rows if start <= row[POSITION_UPDATED] <= end]
        return chosen[::-1][: query.limit(MOST_POSITIONS)]

    def margin_base(self, _query: Query) -> Row:
        margin = self._backend.margin
        if margin.position is None:
            return margin_base(ZERO, margin.balances["USD"])
        position = replace(margin.position, mark=margin.mark)
        return margin_base(position.profit or ZERO, margin.balances[position.pair.symbol.quote])

    # --- the rest ----------------------------------------------------------------------

    def permissions(self, _query: Query) -> list[Row]:
        caps = self._backend.keys.caps
        return [[name, caps[name]["read"], caps[name]["write"]] for name in SECTIONS]

    def funding_offers(self, _query: Query) -> list[Row]:
        return offers()


# --- below -----------------------------------------------------------------------------


def _is_of(order: Order, symbol: str | None) -> bool:
    if symbol is None:
        return True
    if symbol not in {pair.code for pair in (*PAIRS.values(), *MARGIN_PAIRS.values())}:
        raise BitfinexRefused(10020, "symbol: invalid")
    return pair_of(order.symbol).code == symbol


def _lines(lists: Iterable[list[Row]]) -> list[Row]:
    return [row for rows in lists for row in rows]
