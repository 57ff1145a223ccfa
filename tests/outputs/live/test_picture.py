"""What stands is what the events told last, whoever looks and whenever."""

import pytest

from privstream.model.events import Order
from privstream.outputs.live.picture import FILLS, LEAVING, LINGER, Picture
from tests.outputs.live.shown import like, picture_of
from tests.outputs.output_events import ALL, BALANCE, GAP, ORDER, POSITION, TRADE, order, status


def test_every_kind_of_event_is_taken_in() -> None:
    picture = picture_of(*ALL)
    assert len(picture.orders) == len(picture.balances) == len(picture.positions) == 1
    assert (len(picture.fills), len(picture.messages), len(picture.quotes)) == (1, 2, 1)
    assert picture.events == len(ALL) - 1  # a state is no event of the account


def test_an_order_that_ends_stays_for_a_moment_and_goes() -> None:
    picture = picture_of(ORDER)
    picture.take([order(status="filled")], 10.0)
    picture.forget(10.0 + LINGER - 0.1)
    assert [kept.event.status for kept in picture.orders.values()] == ["filled"]
    picture.forget(10.0 + LINGER)
    assert picture.orders == {}


def test_an_order_that_comes_back_before_it_goes_stays() -> None:
    picture = picture_of(ORDER)
    picture.take([order(status="canceled"), order(status="open")], 10.0)
    picture.forget(99.0)
    assert [kept.event.status for kept in picture.orders.values()] == ["open"]


def test_of_a_burst_of_ends_the_oldest_go_at_once() -> None:
    picture = picture_of()
    picture.take([order(order_id=str(n), status="filled") for n in range(1000)], 1.0)
    assert len(picture.orders) == LEAVING


def test_an_ended_order_of_history_is_no_news_of_what_stands() -> None:
    assert picture_of(order(status="filled", source="rest")).orders == {}


def test_the_age_of_an_order_is_as_told_or_since_the_first_that_was_heard_of_it() -> None:
    told = picture_of(order(created="2026-11-20T10:00:00.000000Z"))
    assert [kept.since for kept in told.orders.values()] == ["2026-11-20T10:00:00.000000Z"]
    heard = picture_of(order(time="2026-11-20T11:00:00.000000Z"), ORDER)
    assert [kept.since for kept in heard.orders.values()] == ["2026-11-20T11:00:00.000000Z"]


def test_only_what_changes_is_set_off() -> None:
    picture = picture_of(like(BALANCE, source="snapshot"))
    assert [kept.changed for kept in picture.balances.values()] == [None]
    picture.take([BALANCE], 5.0)
    assert [kept.changed for kept in picture.balances.values()] == [5.0]


def test_a_closed_position_goes() -> None:
    picture = picture_of(POSITION)
    picture.take([like(POSITION, side="flat", quantity="0")], 1.0)
    picture.forget(99.0)
    assert picture.positions == {}


def test_a_price_is_of_the_latest_own_fill_that_states_one() -> None:
    early, late = "2026-11-20T11:00:00.000000Z", "2026-11-20T11:30:00.000000Z"
    picture = picture_of(
        like(TRADE, time=late, price="2"),
        like(TRADE, time=early, price="1", source="rest"),
        like(TRADE, time="2026-11-20T11:31:00.000000Z", price="3", estimated=("price",)),
    )
    assert [fill.price for fill in picture.own_prices.values()] == ["2"]


def test_it_stays_small_however_long_it_runs() -> None:
    picture = picture_of()
    for number in range(2 * FILLS):
        picture.take([like(TRADE, trade_id=str(number)), GAP], float(number))
    assert len(picture.fills) == FILLS
    assert len(picture.messages) < FILLS
    assert picture.health["kraken"].gaps == 2 * FILLS


def test_a_picture_that_is_held_still_does_not_move_and_its_health_does() -> None:
    picture = picture_of(*ALL)
    held = picture.frozen()
    picture.take([order(order_id="another"), TRADE, GAP], 1.0)
    picture.take([order(status="filled")], 1.0)
    picture.forget(99.0)
    assert [kept.event for kept in held.orders.values()] == [ORDER]
    assert (len(held.fills), len(held.messages)) == (1, 2)
    assert held.health["kraken"].gaps == 2


# --- health --------------------------------------------------------------------------------


def test_reconnects_are_those_that_came_back() -> None:
    picture = Picture({"kraken": ()})
    health = picture.health["kraken"]
    for state in ("connecting", "retrying", "connecting", "live", "catching_up", "live"):
        picture.update(status(state), 0.0)
    assert (health.reconnects, health.is_up) == (0, True)
    for state in ("retrying", "connecting", "retrying", "connecting", "catching_up", "live"):
        picture.update(status(state), 0.0)  # type: ignore[arg-type]  # a state
    assert health.reconnects == 1


def test_an_account_that_ended_is_not_up() -> None:
    picture = picture_of(ORDER)
    picture.ended("kraken", "the key was refused")
    health = picture.health["kraken"]
    assert (health.state, health.detail, health.is_up) == ("stopped", "the key was refused", False)


@pytest.mark.parametrize(
    ("happened", "received", "lag"),
    [
        ("2026-11-20T11:32:00.123456Z", "2026-11-20T11:32:00.500000Z", 0.376544),
        ("2026-11-20T11:31:59.900000Z", "2026-11-20T11:32:01.000000Z", 1.1),
        ("2026-11-20T11:32:00.600000Z", "2026-11-20T11:32:00.500000Z", -0.1),
        ("2026-11-19T23:59:59.000000Z", "2026-11-20T00:00:01.000000Z", 2.0),
    ],
)
def test_a_lag_is_from_the_exchanges_time_to_ours(happened: str, received: str, lag: float) -> None:
    picture = picture_of(order(time=happened, received=received))
    [(_, measured)] = picture.health["kraken"].lags
    assert measured == pytest.approx(lag)


def test_of_each_second_the_worst_lag_is_kept_and_history_has_none() -> None:
    slow = "2026-11-20T11:31:59.000000Z"
    picture = picture_of(ORDER, order(time=slow), ORDER, order(time=slow, source="rest"))
    [(second, worst)] = picture.health["kraken"].lags
    assert second == "2026-11-20T11:32:00"
    assert worst == pytest.approx(1.5)


def test_an_event_without_a_time_of_the_exchange_has_no_lag() -> None:
    picture = picture_of(like(BALANCE, time=None), like(BALANCE, time="12026-11-20T11:32:00.0Z"))
    assert not picture.health["kraken"].lags


def test_what_came_without_an_account_that_is_watched_is_not_lost() -> None:
    event: Order = order(account="another")
    assert [health.account for health in picture_of(event).health.values()] == ["kraken", "another"]
