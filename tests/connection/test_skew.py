"""What answers over REST prove of the exchange's clock, and what they do not."""

import pytest

from privstream.connection.rest.job import AT_ONCE
from privstream.connection.rest.skew import narrowed
from privstream.model.rest import Now
from tests.connection.rest_desk import Maker, ask, serving
from tests.fake_clock import START_NS, FakeClock

SECOND = 10**9


def at(seconds: float) -> Now:
    return Now(START_NS + round(seconds * SECOND), seconds)


def skew(sent: float, began: float, ended: float, before: float = 0.0) -> float:
    """In seconds."""
    start = START_NS // SECOND
    found = narrowed(round(before * SECOND), start + sent, at(began), at(ended))
    return found / SECOND


@pytest.mark.parametrize("sent", [0, 3, 8])
def test_an_answer_that_was_long_on_its_way_is_no_wrong_clock(sent: float) -> None:
    assert skew(sent, began=0.4, ended=8.9) == 0.0


def test_a_clock_that_must_be_ahead_or_behind_is_told_by_the_least_it_can_be() -> None:
    assert skew(60, began=0.5, ended=1.5) == 58.5
    assert skew(-60, began=0.5, ended=1.5) == -59.5


def test_a_slow_answer_takes_nothing_back_of_what_a_quick_one_proved() -> None:
    assert skew(60, began=0.0, ended=9.0, before=58.5) == 58.5
    assert skew(60, began=1.0, ended=1.5, before=58.0) == 58.5


def test_a_clock_that_was_set_right_is_believed_again() -> None:
    assert skew(10, began=10.2, ended=10.7, before=3600.0) == 0.8


def test_while_our_own_clock_is_set_an_answer_tells_nothing() -> None:
    assert skew(10, began=500.0, ended=10.0, before=2.5) == 2.5


def test_an_answer_that_is_heard_late_is_dated_by_when_it_came(make: Maker) -> None:
    """Its owner was busy for eight seconds, which said that the exchange was behind."""
    clock = FakeClock()
    dated = b"HTTP/1.1 200 OK\r\nDate: Mon, 21 Sep 2026 14:13:20 GMT\r\nContent-Length: 2\r\n\r\n{}"
    with serving(dated) as (server, _):
        rest = make(server.port, clock)
        job = rest.start(ask(), AT_ONCE)
        job.poll()
        assert rest.finished.wait(10.0)
        clock.advance(8.0)
        assert job.poll()
    assert rest.skew_ns == 0
