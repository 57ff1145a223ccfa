"""The account life: exact, plausible, and the same for everybody who looks."""

from collections import Counter
from decimal import Decimal

import pytest

from privstream.model.rest import Now
from privstream.simulator.kraken.words import ASSETS, FEES, PAIRS, identify
from privstream.simulator.market import KEPT, ZERO, Books, Market, Order, Symbol
from privstream.simulator.market.life import SLOTS

pytestmark = pytest.mark.usefixtures("own_past")
T0 = 1_780_000_000_000_000_000
OPENING = {asset.code: asset.opening for asset in ASSETS.values()}


def market(seed: int = 3, rate: float = 20.0) -> Market:
    return Market(
        seed=seed,
        rate=rate,
        symbols=[pair.symbol for pair in PAIRS.values()],
        opening=OPENING,
        fees=FEES,
        identify=identify(seed),
    )


def at(seconds: float) -> Now:
    return Now(T0 + round(seconds * 1e9), seconds)


def lived(seconds: float, **options: float) -> Market:
    life = market(**options)  # type: ignore[arg-type]  # only seed and rate are given
    life.advance(at(0))
    life.advance(at(seconds))
    return life


def test_every_balance_is_its_opening_plus_the_entries_since() -> None:
    balances = dict(OPENING)
    books = lived(60).books
    for entry in books.entries.values():
        balances[entry.currency] += entry.amount - entry.fee
        assert entry.balance == balances[entry.currency]
        assert entry.balance >= 0
    assert balances == books.balances


def test_each_fill_is_booked_once_on_either_side_to_the_last_digit() -> None:
    books = lived(30).books
    for trade in books.trades.values():
        base, quote = (books.entries[name] for name in trade.entries)
        sign = 1 if trade.order.side == "buy" else -1
        assert (base.amount, base.fee) == (sign * trade.quantity, ZERO)
        assert (quote.amount, quote.fee) == (-sign * trade.cost, trade.fee)
        assert base.reference == quote.reference == trade.trade_id


def test_an_order_is_the_sum_of_its_fills() -> None:
    books = lived(30).books
    for order in books.orders.values():
        fills = [books.trades[name] for name in order.trades]
        assert order.filled == sum(fill.quantity for fill in fills)
        assert order.cost == sum(fill.cost for fill in fills)
        assert order.fee == sum(fill.fee for fill in fills)
        assert (order.status == "filled") == (order.filled == order.quantity)


def test_holds_are_what_the_open_orders_need_and_never_more_than_there_is() -> None:
    life = market()
    for step in range(200):
        life.advance(at(step / 4))
        needed = Counter[str]()
        for order in life.books.open.values():
            symbol = order.symbol
            currency = symbol.quote if order.side == "buy" else symbol.base
            needed[currency] += life.books.needed(order)  # type: ignore[assignment]  # Decimals
        for currency, hold in life.books.holds.items():
            assert hold == needed[currency]
            assert hold >= 0
            assert life.books.available(currency) >= 0


def test_it_makes_no_difference_how_often_time_is_advanced() -> None:
    often, once = market(), lived(20)
    for step in range(401):
        often.advance(at(step / 20))
    assert often.books.happenings == once.books.happenings


def test_a_restart_finds_exactly_what_happened_before_and_meanwhile() -> None:
    running = lived(150)
    restarted = market()
    restarted.advance(at(150))
    assert restarted.books.trades.items() <= running.books.trades.items()
    assert restarted.books.orders.items() <= running.books.orders.items()
    assert restarted.books.entries.items() <= running.books.entries.items()
    assert restarted.books.balances == running.books.balances
    assert restarted.books.open == running.books.open
    assert len(restarted.books.trades) > 100


def test_a_life_begins_with_open_orders_and_more_than_a_page_of_trades() -> None:
    books = lived(0).books
    assert books.open
    assert len(books.trades) > 60
    assert all(trade.time_ns <= T0 for trade in books.trades.values())


@pytest.mark.parametrize("rate", [2.0, 300.0])
def test_the_rate_is_about_so_many_order_events_and_fills_per_second(rate: float) -> None:
    life = market(rate=rate)
    life.advance(at(0))
    before, seconds = life.position, 2000 / rate
    life.advance(at(seconds))
    told = [h for h in life.since(before) if h.what != "booked"]
    assert 0.8 < len(told) / seconds / rate < 1.2


def test_everything_that_happens_to_orders_happens() -> None:
    orders = lived(120).books.orders.values()
    assert {order.status for order in orders} >= {"open", "filled", "canceled", "expired"}
    assert {order.type for order in orders} == {"limit", "market", "stop_loss_limit"}
    assert {order.time_in_force for order in orders} == {"gtc", "gtd", "ioc"}
    assert any(order.post_only for order in orders)
    assert any(order.client_id for order in orders)
    assert any(order.triggered for order in orders)
    assert any(order.status == "canceled" and order.filled for order in orders)
    assert any(len(order.trades) > 1 for order in orders)


def test_time_never_runs_backwards_and_ids_never_repeat() -> None:
    happenings = lived(100).books.happenings
    times = [happening.time_ns for happening in happenings]
    assert times == sorted(times)
    fills = [h.trade.trade_id for h in happenings if h.trade]
    assert len(fills) == len(set(fills))


def test_two_seeds_share_no_id() -> None:
    one, other = lived(0, seed=1), lived(0, seed=2)
    assert not one.books.orders.keys() & other.books.orders.keys()
    assert not one.books.trades.keys() & other.books.trades.keys()


def test_a_long_run_remembers_a_bounded_past_and_keeps_counting() -> None:
    life = market(rate=2000.0)
    life.advance(at(0))
    chapter_seconds = SLOTS * 1.9 / 2000
    life.advance(at(chapter_seconds * (KEPT + 2)))
    assert life.books.forgotten > 0
    assert len(life.books.happenings) < (KEPT + 2) * SLOTS * 4
    assert life.position == life.books.forgotten + len(life.books.happenings)
    assert len(life.since(life.position - 5)) == 5
    assert len(life.since(0)) == len(life.books.happenings)


def test_a_partly_filled_order_that_is_canceled_keeps_its_fill_and_frees_its_hold() -> None:
    symbol = Symbol(
        base="BTC",
        quote="EUR",
        price=Decimal(100),
        price_digits=1,
        quantity=Decimal(1),
        quantity_digits=8,
        cost_digits=4,
    )
    opening = {"BTC": Decimal(1), "EUR": Decimal(1000)}
    books = Books(identify(1), FEES, opening)
    order = books.place(
        Order(
            order_id="",
            serial=0,
            symbol=symbol,
            side="buy",
            type="limit",
            quantity=Decimal(2),
            price=Decimal(100),
        )
    )
    assert books.holds["EUR"] > 200
    books.fill(order.order_id, Decimal("0.5"), Decimal(100), maker=True)
    canceled = books.cancel(order.order_id)
    assert (canceled.filled, canceled.cost, canceled.fee) == (
        Decimal("0.5"),
        Decimal(50),
        Decimal("0.08"),
    )
    assert books.holds == {"BTC": 0, "EUR": 0}
    assert books.balances == {"BTC": Decimal("1.5"), "EUR": Decimal("949.92")}
    assert [h.what for h in books.happenings] == [
        "placed",
        "opened",
        "traded",
        "booked",
        "booked",
        "canceled",
    ]
