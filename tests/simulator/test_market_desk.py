"""What becomes of an order of the user's: filled, triggered, ended, rejected; each in its time."""

from decimal import Decimal
from typing import Any

import pytest

from privstream.simulator.market import (
    ZERO,
    Conditional,
    Offset,
    Rejected,
)
from tests.simulator.shop import ETH, MINUTE, TICK, USUAL, Shop
from tests.simulator.test_market import OPENING, T0, at


@pytest.fixture(scope="module")
def lasting() -> Shop:
    """One market for many tests: it takes longer to make up than to trade on."""
    return Shop()


@pytest.fixture
def shop(lasting: Shop) -> Shop:
    """A market in which the user has nothing open."""
    for order_id in list(lasting.market.own.open):
        lasting.market.cancel(order_id, at(lasting.seconds))
    return lasting


def test_a_resting_order_near_the_price_is_filled_within_seconds_as_maker(shop: Shop) -> None:
    order = shop.place(quantity=Decimal("1.00000001"))
    assert (order.status, order.filled) == ("open", ZERO)
    shop.wait(0.9)
    assert shop.now(order).status == "open"
    shop.wait(4)
    filled = shop.now(order)
    assert (filled.status, filled.filled) == ("filled", Decimal("1.00000001"))
    assert 1 <= len(filled.trades) <= 3
    assert all(fill.maker and fill.price == USUAL for fill in shop.fills(order))
    assert shop.market.own.holds["EUR"] == 0


def test_a_livelier_account_waits_less() -> None:
    shop = Shop(rate=200.0)
    order = shop.place()
    shop.wait(0.05)
    assert shop.now(order).status == "filled"


def test_an_order_far_from_the_price_stays_open_until_it_is_canceled(shop: Shop) -> None:
    order = shop.place(price=USUAL * Decimal("0.97"))
    shop.wait(10 * MINUTE)
    assert shop.now(order).status == "open"
    assert shop.market.own.holds["EUR"] > 0
    canceled = shop.market.cancel(order.order_id, at(shop.seconds))
    assert (canceled.status, canceled.reason) == ("canceled", "requested")
    assert shop.market.own.holds["EUR"] == 0
    with pytest.raises(KeyError):
        shop.market.cancel(order.order_id, at(shop.seconds))


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize("kind", ["market", "limit"])
def test_what_crosses_the_market_is_filled_at_once_as_taker(
    shop: Shop, kind: str, side: str
) -> None:
    limit = USUAL + (5 if side == "buy" else -5)
    order = shop.place(type=kind, side=side, price=None if kind == "market" else limit)
    assert order.status == "filled"
    fills = shop.fills(order)
    assert not any(fill.maker for fill in fills)
    better = [(f.price - USUAL) * (1 if side == "buy" else -1) for f in fills]
    assert better[0] == TICK
    assert all(TICK <= distance <= 3 * TICK for distance in better)


def test_what_is_more_than_the_market_offers_rests_is_canceled_or_is_not_begun(
    shop: Shop,
) -> None:
    orders = []
    large = ETH.quantity * 6
    cases = {"gtc": ("open", 5), "ioc": ("canceled", 5), "fok": ("canceled", 0)}
    for force, (status, share) in cases.items():
        order = shop.place(price=USUAL + 1, quantity=large, time_in_force=force)
        assert (order.status, order.filled) == (status, ETH.quantity * share)
        orders += [order] if order.status == "open" else []
    shop.wait(5)
    (rested,) = orders
    assert shop.now(rested).status == "filled"
    assert [fill.maker for fill in shop.fills(rested)][-1] is True


def test_an_order_ends_at_its_time_and_begins_at_its_time() -> None:
    shop = Shop()
    far = USUAL * Decimal("0.9")
    expiring = shop.place(price=far, time_in_force="gtd", expires_ns=T0 + 20_000_000_000)
    scheduled = shop.place(price=USUAL + 1, starts_ns=T0 + 10_000_000_000)
    assert scheduled.status == "pending"
    shop.wait(9.9)
    assert shop.said(scheduled) == ["placed"]
    shop.wait(0.2)
    assert shop.now(scheduled).status == "filled"
    assert shop.now(scheduled).updated_ns - T0 == pytest.approx(10e9, abs=1e6)
    shop.wait(9.8)
    assert shop.now(expiring).status == "open"
    shop.wait(0.2)
    assert shop.said(expiring) == ["placed", "opened", "expired"]


def test_a_stop_near_the_market_is_triggered_and_one_far_away_is_not(shop: Shop) -> None:
    cases: list[tuple[str, str, int]] = [
        ("stop_loss", "sell", -10),
        ("stop_loss", "buy", 10),
        ("take_profit", "sell", 10),
        ("take_profit", "buy", -10),
        ("stop_loss_limit", "sell", -10),
        ("take_profit_limit", "buy", -10),
    ]
    for kind, side, away in cases:
        limit = None
        if kind.endswith("limit"):
            limit = USUAL + away + (2 if side == "buy" else -2)
        near = shop.place(type=kind, side=side, stop_price=USUAL + away, price=limit)
        far = shop.place(type=kind, side=side, stop_price=USUAL + 50 * away, price=limit)
        assert shop.now(near).status == "open"
        shop.wait(8)
        assert shop.said(near)[:3] == ["placed", "opened", "triggered"]
        assert shop.now(near).status == "filled"
        assert shop.fills(near)[0].price == USUAL + away
        assert shop.now(far).status == "open"


def test_a_stop_that_is_past_already_ends_with_the_reason(shop: Shop) -> None:
    order = shop.place(type="stop_loss", side="sell", stop_price=USUAL + 1, price=None)
    assert (order.status, order.reason) == ("canceled", "immediate")


def test_a_triggered_order_that_may_only_make_does_not_take(shop: Shop) -> None:
    order = shop.place(
        type="stop_loss_limit",
        side="sell",
        stop_price=USUAL - 5,
        price=USUAL - 6,
        post_only=True,
    )
    shop.wait(5)
    assert (shop.now(order).status, shop.now(order).reason) == ("canceled", "post_only")


def test_a_stop_limit_whose_limit_is_not_reached_rests_and_then_makes(shop: Shop) -> None:
    order = shop.place(type="stop_loss_limit", stop_price=USUAL + 5, price=USUAL + 4)
    shop.wait(9)
    assert shop.now(order).status == "filled"
    assert all(fill.maker and fill.price == USUAL + 4 for fill in shop.fills(order))


def test_a_closing_order_that_cannot_be_paid_for_ends_at_once(shop: Shop) -> None:
    close = Conditional(type="limit", price=USUAL * 4000)
    parent = shop.place(side="sell", price=USUAL - 1, close=close)
    children = [o for o in shop.market.books.orders.values() if o.parent == parent.order_id]
    assert {(c.side, c.status, c.reason) for c in children} == {
        ("buy", "canceled", "insufficient_funds")
    }


def test_a_trailing_stop_follows_the_market_before_it_is_triggered(shop: Shop) -> None:
    order = shop.place(
        type="trailing_stop", side="sell", price=None, stop_offset=Offset(Decimal(10), "quote")
    )
    assert order.stop_price == USUAL - 10
    shop.wait(5)
    assert shop.said(order)[:4] == ["placed", "opened", "trailed", "triggered"]
    assert shop.now(order).status == "filled"
    assert USUAL - 10 < shop.fills(order)[0].price < USUAL


def test_each_fill_brings_about_the_order_that_closes_it(shop: Shop) -> None:
    close = Conditional(type="limit", price=USUAL + 500)
    parent = shop.place(price=USUAL + 1, quantity=Decimal(2), close=close)
    children = [o for o in shop.market.open_orders() if o.parent == parent.order_id]
    assert [c.quantity for c in children] == [fill.quantity for fill in shop.fills(parent)]
    assert {(c.side, c.price, c.status) for c in children} == {("sell", USUAL + 500, "open")}


def test_money_buys_what_it_buys() -> None:
    shop = Shop()
    order = shop.place(
        type="market", price=None, quantity=ZERO, quote_quantity=Decimal(1000), fee_in_base=True
    )
    assert order.status == "filled"
    assert Decimal("999.9") < order.cost <= 1000
    assert {fill.fee_currency for fill in shop.fills(order)} == {"ETH"}
    assert shop.market.own.balances["EUR"] == -order.cost
    assert shop.market.own.balances["ETH"] == order.filled - order.fee


def test_on_margin_only_the_fee_is_paid_until_the_position_is_settled() -> None:
    shop = Shop()
    with pytest.raises(Rejected, match="position"):
        shop.place(type="settle_position", side="sell", price=None)
    with pytest.raises(Rejected, match="reduce_only"):
        shop.place(side="sell", leverage=3, reduce_only=True)
    bought = shop.place(price=USUAL + 1, leverage=3)
    assert shop.market.own.balances == dict.fromkeys(OPENING, ZERO) | {"EUR": -bought.fee}
    assert shop.market.own.positions["ETH/EUR"] == (Decimal(1), bought.cost)
    settled = shop.place(type="settle_position", side="sell", price=None)
    assert settled.status == "filled"
    assert shop.market.own.balances["ETH"] == 1
    paid = bought.cost + bought.fee + settled.fee
    assert shop.market.own.balances["EUR"] == -paid
    assert shop.market.own.positions == {}


def test_a_position_is_settled_only_with_what_was_borrowed() -> None:
    shop = Shop()
    for share in ("0.9", "0.9"):
        money = shop.market.own.available("EUR") * Decimal(share)
        quantity = (money * 3 / USUAL / Decimal("1.02")).quantize(Decimal("0.01"))
        shop.place(type="market", price=None, leverage=3, quantity=quantity)
    held, cost = shop.market.own.positions["ETH/EUR"]
    assert cost > shop.market.own.available("EUR")
    with pytest.raises(Rejected, match="funds"):
        shop.place(type="settle_position", side="sell", price=None, quantity=held)
    shop.place(type="settle_position", side="sell", price=None, quantity=Decimal(1))
    assert shop.market.own.positions["ETH/EUR"][0] == held - 1


def test_a_scheduled_order_ends_where_its_money_is_gone_by_then() -> None:
    shop = Shop()
    there = shop.market.own.available("ETH").quantize(Decimal("0.01")) - 1
    sale = {"type": "market", "side": "sell", "price": None, "quantity": there}
    late = shop.place(**sale, starts_ns=T0 + 5_000_000_000)
    shop.place(**sale)
    shop.wait(5)
    assert (shop.now(late).status, shop.now(late).reason) == ("canceled", "insufficient_funds")


def test_an_order_that_only_reduces_ends_with_the_position() -> None:
    shop = Shop()
    shop.place(price=USUAL + 1, leverage=3, quantity=Decimal(1))
    order = shop.place(
        type="market", side="sell", price=None, leverage=3, quantity=Decimal(2), reduce_only=True
    )
    assert (order.status, order.filled) == ("canceled", Decimal(1))
    assert order.reason == "position_closed"
    assert shop.market.own.positions == {}


def test_what_cannot_be_taken_is_rejected_and_leaves_no_trace(shop: Shop) -> None:
    cases: list[tuple[str, dict[str, Any]]] = [
        ("funds", {"quantity": Decimal(1000)}),
        ("funds", {"side": "sell", "quantity": Decimal(100)}),
        ("funds", {"type": "market", "price": None, "quantity": Decimal(1000)}),
        (
            "funds",
            {"type": "stop_loss", "price": None, "stop_price": USUAL + 9, "quantity": Decimal(90)},
        ),
        ("margin", {"leverage": 2, "quantity": Decimal(1000)}),
        ("post_only", {"price": USUAL + TICK, "post_only": True}),
        ("post_only", {"side": "sell", "price": USUAL - TICK, "post_only": True}),
    ]
    for why, changes in cases:
        before = shop.market.position
        with pytest.raises(Rejected, match=why):
            shop.place(**changes)
        assert shop.market.position == before
        assert not shop.market.own.open


def test_what_stands_open_is_not_there_to_be_spent_again(shop: Shop) -> None:
    money = shop.market.own.available("EUR")
    quantity = (money / 2 / USUAL).quantize(Decimal("0.01"))
    far = USUAL * Decimal("0.9")
    shop.place(price=far, quantity=quantity)
    shop.place(price=far, quantity=quantity)
    with pytest.raises(Rejected, match="funds"):
        shop.place(price=far, quantity=quantity)
