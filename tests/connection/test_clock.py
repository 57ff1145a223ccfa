"""The computer's clock."""

import threading

from privstream.connection.clock import SystemClock


def test_waiting_ends_at_once_when_stopped() -> None:
    stop = threading.Event()
    stop.set()
    assert SystemClock().wait(3600.0, stop)


def test_a_wait_that_nobody_stops_says_so() -> None:
    assert not SystemClock().wait(0.0, threading.Event())


def test_now_is_told_on_both_clocks() -> None:
    clock = SystemClock()
    earlier, later = clock.now(), clock.now()
    assert later.monotonic >= earlier.monotonic
    assert earlier.wall_ns > 1_700_000_000 * 10**9
