"""The user's orders beside the life: they change nothing of it, and their books add up."""

from collections import Counter
from contextlib import suppress
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from privstream.simulator.kraken.words import ASSETS, PAIRS, identify
from privstream.simulator.market import (
    KEPT,
    ZERO,
    Conditional,
    Entry,
    Happening,
    Market,
    Offset,
    Order,
    Rejected,
)
from privstream.simulator.market.life import SLOTS
from tests.simulator.shop import BTC, ETH, TICK, USUAL, Shop, asked
from tests.simulator.test_market import OPENING, T0, at, market

pytestmark = pytest.mark.usefixtures("own_past")


def without_balance(happening: Happening) -> Happening:
    entry = happening.entry
    return happening if entry is None else replace(happening, entry=replace(entry, balance=ZERO))


def of_life(market: Market, alone: Market) -> list[Happening]:
    """What happened but to the user's orders."""
    known = alone.books.orders.keys() | alone.books.entries.keys()
    named = [
        (h.order.order_id if h.order else h.entry and h.entry.entry_id, h) for h in market.since(0)
    ]
    return [without_balance(h) for name, h in named if name in known]


# --- beside the life ---------------------------------------------------------------------


def test_the_life_goes_on_as_if_nobody_had_ordered_anything() -> None:
    alone, busy = market(), market()
    alone.advance(at(0))
    alone.advance(at(60))
    random = Random(5)
    for second in range(60):
        side = random.choice(("buy", "sell"))
        price = USUAL * Decimal(random.randint(95, 105)) / 100
        order = asked(side=side, price=price.quantize(TICK), quantity=Decimal(2))
        with suppress(Rejected):  # money runs out now and then
            busy.place(order, at(second + random.random()))
    busy.advance(at(60))
    assert len(busy.books.orders) > len(alone.books.orders) + 20
    assert of_life(busy, alone) == [without_balance(h) for h in alone.books.happenings]


def test_every_balance_that_is_told_is_the_last_one_plus_amount_minus_fee() -> None:
    shop = Shop(rate=20.0)
    for number in range(30):
        shop.place(side=("buy", "sell")[number % 2], quantity=Decimal("0.07"))
        shop.wait(1.3)
    balances = dict(OPENING)
    for entry in shop.market.books.entries.values():
        balances[entry.currency] += entry.amount - entry.fee
        assert entry.balance == balances[entry.currency]
    assert balances == shop.market.balances()
    assert shop.market.own.balances["EUR"] != 0


def test_time_never_runs_backwards_and_no_id_comes_twice() -> None:
    shop = Shop(rate=20.0)
    for _ in range(40):
        shop.place(price=USUAL + 1, quantity=Decimal("0.02"))
        shop.place(price=USUAL - 1, quantity=Decimal("0.02"))
        shop.wait(0.77)
    happenings = shop.market.books.happenings
    times = [happening.time_ns for happening in happenings]
    assert times == sorted(times)
    entries = Counter(h.entry.entry_id for h in happenings if h.entry)
    assert set(entries.values()) == {1}
    assert len(shop.market.books.trades) == len([h for h in happenings if h.trade])


def test_an_order_stays_open_over_chapters_and_their_forgetting() -> None:
    shop = Shop(rate=2000.0)
    far = shop.place(price=USUAL / 2)
    chapter = SLOTS * 1.9 / 2000
    shop.wait(chapter * (KEPT + 2))
    assert shop.market.books.forgotten
    assert shop.now(far).status == "open"
    assert far.order_id in [order.order_id for order in shop.market.open_orders()]
    times = [order.created_ns for order in shop.market.books.orders.values()]
    assert times == sorted(times)
    shop.market.cancel(far.order_id, at(shop.seconds))
    assert shop.market.own.holds == dict.fromkeys(OPENING, ZERO)


def test_no_id_is_one_that_the_life_could_ever_give() -> None:
    order = Shop().place(price=USUAL + 1)
    assert order.order_id != identify(3)("order", order.serial)


def test_a_restart_gives_no_id_that_was_given_before() -> None:
    before, after = Shop(), Shop()
    first = before.place()
    after.market = market(rate=2.0)
    after.seconds = 5
    after.market.advance(at(5))
    assert after.place().order_id != first.order_id
    assert not after.market.own.open.keys() & before.market.own.open.keys()


def test_where_the_life_spends_what_the_user_needs_a_deposit_comes_in_time() -> None:
    shop = Shop(rate=20.0)
    for currency in ("EUR", "USD"):
        base, price = (
            ("ETH", USUAL) if currency == "EUR" else ("BTC", PAIRS["BTC/USD"].symbol.price)
        )
        symbol = PAIRS[f"{base}/{currency}"].symbol
        half = price / 2
        money = shop.market.own.available(currency) * Decimal("0.99")
        quantity = (money / half).quantize(Decimal("0.0001"))
        shop.place(
            symbol=symbol, price=half.quantize(symbol.price / symbol.price), quantity=quantity
        )
    for _ in range(120):
        shop.wait(0.5)
        holds = shop.market.holds()
        assert all(amount >= holds[c] >= 0 for c, amount in shop.market.balances().items())
    assert all(entry.balance >= 0 for entry in shop.market.books.entries.values())
    assert any(shop.market.own.balances[currency] > 0 for currency in ("EUR", "USD"))


# --- anything ----------------------------------------------------------------------------

KINDS = (
    "limit",
    "market",
    "iceberg",
    "stop_loss",
    "stop_loss_limit",
    "take_profit",
    "take_profit_limit",
    "trailing_stop",
    "trailing_stop_limit",
)


def anything(random: Random, now: float) -> Order:
    """Some order, sensible or not."""
    kind = random.choice(KINDS)
    symbol = random.choice((ETH, BTC, PAIRS["ETH/BTC"].symbol))
    cent = Decimal(1).scaleb(-symbol.price_digits)

    def price() -> Decimal:
        return (symbol.price * Decimal(random.randint(970, 1030)) / 1000).quantize(cent)

    stops = kind.startswith(("stop", "take"))
    trails = kind.startswith("trailing")
    force = random.choice(("gtc", "gtc", "ioc", "fok", "gtd")) if kind == "limit" else "gtc"
    away = Offset(Decimal(random.randint(1, 40)) / 10, "pct")
    close = Conditional(type="limit", price=price()) if random.random() < 0.2 else None
    return asked(
        symbol=symbol,
        side=random.choice(("buy", "sell")),
        type=kind,
        quantity=(symbol.quantity * random.randint(1, 700) / 100).quantize(Decimal("0.00000001")),
        price=price() if "limit" in kind or kind == "iceberg" else None,
        stop_price=price() if stops else None,
        stop_offset=away if trails else None,
        time_in_force=force,
        expires_ns=T0 + round((now + 3) * 1e9) if force == "gtd" else None,
        starts_ns=T0 + round((now + 2) * 1e9) if random.random() < 0.1 else None,
        fee_in_base=random.random() < 0.2,
        leverage=random.choice((0, 0, 0, 3)),
        close=close,
    )


@settings(max_examples=2)
@given(st.integers(0, 2**32))
def test_a_hundred_orders_of_any_kind_keep_the_books_consistent(chance: int) -> None:
    random, shop = Random(chance), Shop(rate=20.0)
    for _ in range(100):
        shop.wait(random.random() / 4)
        with suppress(Rejected):
            shop.market.place(anything(random, shop.seconds), at(shop.seconds))
        if random.random() < 0.2 and shop.market.own.open:
            shop.market.cancel(random.choice(list(shop.market.own.open)), at(shop.seconds))
        holds = shop.market.holds()
        assert all(amount >= holds[c] >= 0 for c, amount in shop.market.balances().items())
        assert all(amount >= 0 for amount in shop.market.own.holds.values())
    books = shop.market.books
    for order in books.orders.values():
        fills = [books.trades[name] for name in order.trades]
        assert order.filled == sum(fill.quantity for fill in fills)
        assert order.cost == sum(fill.cost for fill in fills)
        assert order.fee == sum(fill.fee for fill in fills)
        assert (order.status == "filled") == (order.filled == order.quantity)
        assert (order.closed_ns is None) == (order.status in {"pending", "open"})
    entries: list[Entry] = list(books.entries.values())
    moved = Counter[str]()
    for entry in entries:
        moved[entry.currency] += entry.amount - entry.fee  # type: ignore[assignment]  # Decimals
        assert entry.balance >= 0
    assert {c: OPENING[c] + moved[c] for c in ASSETS} == shop.market.balances()
