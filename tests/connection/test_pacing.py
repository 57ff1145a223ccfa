"""The request budget."""

import pytest

from privstream.connection.rest.pacing import Pacing
from tests.fake_clock import FakeClock


def test_the_whole_budget_may_go_at_once_and_grows_back_steadily() -> None:
    clock, pacing = FakeClock(), Pacing((3.0, 0.5))
    assert [pacing.take(1.0, clock.now()) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert pacing.take(1.0, clock.now()) == pytest.approx(2.0)
    clock.advance(1.0)
    assert pacing.take(1.0, clock.now()) == pytest.approx(1.0)
    clock.advance(1.0)
    assert pacing.take(1.0, clock.now()) == 0.0


def test_a_refused_take_spends_nothing() -> None:
    clock, pacing = FakeClock(), Pacing((2.0, 1.0))
    pacing.take(2.0, clock.now())
    for _ in range(10):
        pacing.take(2.0, clock.now())
    clock.advance(2.0)
    assert pacing.take(2.0, clock.now()) == 0.0


def test_rest_does_not_save_up_more_than_the_budget() -> None:
    clock, pacing = FakeClock(), Pacing((2.0, 1.0))
    pacing.take(2.0, clock.now())
    clock.advance(3600.0)
    assert pacing.take(2.0, clock.now()) == 0.0
    assert pacing.take(1.0, clock.now()) == pytest.approx(1.0)


def test_a_call_dearer_than_the_budget_goes_out_when_it_is_full_and_is_paid_for() -> None:
    clock, pacing = FakeClock(), Pacing((2.0, 1.0))
    assert pacing.take(5.0, clock.now()) == 0.0
    assert pacing.take(1.0, clock.now()) == pytest.approx(4.0)


def test_after_a_rate_limit_nothing_goes_out_for_so_long_and_no_burst_follows() -> None:
    clock, pacing = FakeClock(), Pacing((10.0, 0.1))
    pacing.close(30.0, clock.now())
    assert pacing.take(1.0, clock.now()) == pytest.approx(30.0)
    clock.advance(30.0)
    assert [pacing.take(1.0, clock.now()) == 0.0 for _ in range(5)] == [True] * 3 + [False] * 2
