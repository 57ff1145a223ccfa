"""The waits between connection attempts."""

from random import Random

from privstream.connection.account.backoff import Backoff
from tests.fake_clock import FakeClock

ROOMY = (1000, 600.0)


class Largest(Random):
    def uniform(self, a: float, b: float) -> float:
        del a
        return b


def test_waits_double_up_to_half_a_minute() -> None:
    clock, backoff = FakeClock(), Backoff(ROOMY, Largest())
    waits = [backoff.failed(clock.now()) for _ in range(9)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_a_thousand_failures_do_not_overflow() -> None:
    clock, backoff = FakeClock(), Backoff(ROOMY, Largest())
    assert max(backoff.failed(clock.now()) for _ in range(1000)) == 30.0


def test_the_floor_comes_on_top_of_the_jitter() -> None:
    clock, backoff = FakeClock(), Backoff(ROOMY, Random(1))
    assert 15.0 <= backoff.failed(clock.now(), floor=15.0) <= 15.5


def test_only_half_a_minute_of_life_resets_the_growth() -> None:
    clock, backoff = FakeClock(), Backoff(ROOMY, Largest())
    for _ in range(5):
        backoff.failed(clock.now())
    backoff.live(clock.now())
    clock.advance(29.9)
    backoff.lost(clock.now())
    assert backoff.failed(clock.now()) == 16.0
    backoff.live(clock.now())
    clock.advance(30.0)
    backoff.lost(clock.now())
    assert backoff.failed(clock.now()) == 0.5


def test_a_failure_ends_the_session_by_itself() -> None:
    clock, backoff = FakeClock(), Backoff(ROOMY, Largest())
    backoff.failed(clock.now())
    backoff.live(clock.now())
    clock.advance(31.0)
    assert backoff.failed(clock.now()) == 0.5
    clock.advance(31.0)
    assert backoff.failed(clock.now()) == 1.0


def test_an_exchange_that_allows_five_attempts_in_15_seconds_gets_no_sixth() -> None:
    clock, backoff = FakeClock(), Backoff((5, 15.0), Random(2))
    times = []
    for _ in range(200):
        clock.advance(backoff.room(clock.now()))
        backoff.attempted(clock.now())
        times.append(clock.now().monotonic)
        backoff.live(clock.now())
        backoff.lost(clock.now())
    assert all(later - earlier >= 15.0 for earlier, later in zip(times, times[5:], strict=False))


def test_a_flapping_server_gets_at_most_120_attempts_in_ten_minutes() -> None:
    clock, backoff = FakeClock(), Backoff(ROOMY, Random(3))
    times = []
    for _ in range(500):
        backoff.attempted(clock.now())
        times.append(clock.now().monotonic)
        backoff.live(clock.now())
        # Just stable enough, each time, to start from the shortest wait.
        clock.advance(0.01)
        backoff._failures = 0
        clock.advance(backoff.failed(clock.now()))
    for start in times:
        assert sum(start <= time < start + 600.0 for time in times) <= 120


def test_two_clients_started_together_do_not_stay_in_step() -> None:
    clock = FakeClock()
    one, other = Backoff(ROOMY, Random(1)), Backoff(ROOMY, Random(2))
    pairs = [(one.failed(clock.now()), other.failed(clock.now())) for _ in range(20)]
    assert sum(abs(a - b) > 0.05 for a, b in pairs) >= 18
