"""A report over REST equals the simulated exchange's own books, to the last digit."""

import threading
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from privstream import exchanges
from privstream.app.past_fills import OverRest, Past, Period
from privstream.app.report import _summed
from privstream.model.fill_report import FillReport
from privstream.model.fill_sums import amounts, merged, plain
from privstream.model.rest import HttpResponse
from privstream.model.times import from_nanos
from privstream.outputs.calendar import Calendar
from tests.joined import World

MINUTES = 12
SETTLED = 70 * 10**9
"""Nanoseconds before now: what happened then REST surely tells."""
every_exchange = pytest.mark.parametrize("name", exchanges.names())


def read(world: World, period: Period) -> Past:
    kind = exchanges.find(world.exchange.name)
    symbols = [symbol.name for symbol in world.simulated.market.symbols]  # type: ignore[attr-defined]  # all five have a market
    account = replace(world.exchange.account, symbols=tuple(symbols))
    reader = OverRest(
        kind(account),
        world,
        world.client_clock,
        stop=threading.Event(),
        check=lambda: None,
        tell=lambda *_: None,
    )
    return reader.read(period)


def period_of(world: World) -> Period:
    now = world.clock.now().wall_ns
    return Period(now - MINUTES * 60 * 10**9, now - SETTLED)


class Books:
    """What the simulator booked of a period, by market and by currency."""

    def __init__(self, world: World, period: Period) -> None:
        books: Any = world.simulated.market.books  # type: ignore[attr-defined]  # all five have one
        self._world = world
        self.by_market: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        self.net: dict[str, Decimal] = defaultdict(Decimal)
        self.fees: dict[str, Decimal] = defaultdict(Decimal)
        self.fills = 0
        for trade in books.trades.values():
            if period.since_ns <= trade.time_ns <= period.until_ns:
                self._take(trade, books)

    def _take(self, trade: Any, books: Any) -> None:
        side = {"buy": "bought", "sell": "sold"}[trade.order.side]
        sums = self.by_market[self._world.exchange.symbol_of(trade.order.symbol.name) or ""]
        self.fills += 1
        sums[side] += trade.quantity
        sums[f"{side}_cost"] += trade.cost
        sums["maker_cost" if trade.maker else "taker_cost"] += trade.cost
        self.fees[self._currency(trade.fee_currency)] += trade.fee
        for name in trade.entries:
            entry = books.entries[name]
            self.net[self._currency(entry.currency)] += entry.amount - entry.fee

    def _currency(self, name: str) -> str:
        """As events spell it."""
        symbol = self._world.exchange.symbol_of(f"{name}/{name}") or name
        return symbol.partition("/")[0]


def summed(past: Past, period: Period) -> FillReport:
    return _summed([past], period, Calendar())


@every_exchange
def test_every_sum_is_that_of_the_books(name: str) -> None:
    world = World(name, limits=False)
    period = period_of(world)
    past = read(world, period)
    books = Books(world, period)
    markets = {
        market.symbol: sums
        for market, sums in summed(past, period).markets().items()
        if market.symbol in books.by_market  # Bitfinex's margin desk has books of its own
    }
    assert books.fills > 100
    assert past.missing == []
    assert markets.keys() == books.by_market.keys()
    for symbol, expected in books.by_market.items():
        for what, amount in expected.items():
            assert plain(getattr(markets[symbol], what)) == plain(amount), (symbol, what)
    total = merged(markets.values())
    assert total.fills == books.fills
    assert amounts(total.net) == amounts(books.net)
    assert amounts(total.fees) == amounts(books.fees)


@every_exchange
def test_days_and_markets_add_up_to_the_whole(name: str) -> None:
    world = World(name, limits=False)
    period = period_of(world)
    found = summed(read(world, period), period)
    total, markets = found.total(), merged(found.markets().values())
    assert total == markets
    assert total.fills == sum(sums.fills for sums in found.days.values())


def test_a_fill_of_an_order_that_was_placed_long_before_is_in_it() -> None:
    world = World("zerocap", limits=False)
    now = world.clock.now().wall_ns
    short = Period(now - SETTLED - 60 * 10**9, now - SETTLED)
    assert len(read(world, short).fills) == Books(world, short).fills > 10


def test_what_rest_may_not_tell_yet_is_not_called_proven() -> None:
    world = World("kraken", limits=False)
    now = world.clock.now().wall_ns
    lag = round(world.exchange.limits.rest_lag * 1e9)
    past = read(world, Period(now - 10**11, now))
    assert past.proven_until == from_nanos(now - lag)


def test_what_the_key_may_not_read_is_told_as_a_refusal() -> None:
    world = World("kraken", limits=False)
    body = b'{"error":["EGeneral:Permission denied"]}'
    world.refuse = lambda _: HttpResponse(200, {"content-type": "application/json"}, body)
    past = read(world, period_of(world))
    assert past.refusal is not None
    assert past.fills == []
    assert len(past.missing) == 1


def test_a_part_that_cannot_be_read_is_missing_and_the_rest_is_there() -> None:
    world = World("kraken", limits=False)
    served = 0

    def refuse(_: object) -> HttpResponse | None:
        nonlocal served
        served += 1
        body = b'{"error":["EService:Unavailable"]}'
        return HttpResponse(503, {"content-type": "application/json"}, body) if served > 4 else None

    world.refuse = refuse
    period = period_of(world)
    past = read(world, period)
    (missing,) = past.missing
    assert 0 < len(past.fills) < Books(world, period).fills
    assert (missing.since, missing.until) == (
        from_nanos(period.since_ns),
        from_nanos(period.until_ns),
    )
    assert summed(past, period).complete is False
