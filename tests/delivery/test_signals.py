"""Being told to stop: nothing is raised where a lock may be held, and every run ends."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from privstream.delivery.signals import ENDING, Signals, Stop, Stopped

HANG = 20.0
"""Seconds after which a test that waits gives up."""


@contextmanager
def usual(number: signal.Signals, handler: "signal.Handlers") -> Iterator[None]:
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_is_noted_and_raised_only_where_somebody_looks(number: signal.Signals) -> None:
    with Signals() as stop:
        stop.check()
        signal.raise_signal(number)
        assert stop.event.wait(HANG)
        with pytest.raises(Stopped):
            stop.check()
        assert stop.by is number


@pytest.mark.parametrize("number", ENDING)
def test_what_was_ignored_at_the_start_stays_ignored(number: signal.Signals) -> None:
    with usual(number, signal.SIG_IGN), Signals() as stop:
        assert signal.getsignal(number) is signal.SIG_IGN
        signal.raise_signal(number)
        assert not stop.is_told()


def test_everything_is_as_before_when_it_is_over() -> None:
    before = [signal.getsignal(number) for number in ENDING]
    threads = threading.active_count()
    with Signals():
        assert signal.getsignal(signal.SIGHUP) not in before
    assert [signal.getsignal(number) for number in ENDING] == before
    assert threading.active_count() == threads


def test_a_hang_up_reopens_files_where_there_are_some() -> None:
    reopened = threading.Event()
    with Signals() as stop:
        stop.reopen = reopened.set
        signal.raise_signal(signal.SIGHUP)
        assert reopened.wait(HANG)
        assert not stop.is_told()
        stop.reopen = None
        signal.raise_signal(signal.SIGHUP)
        assert stop.event.wait(HANG)


def test_in_a_block_further_signals_are_obeyed_and_as_before_after_it() -> None:
    heard = threading.Event()
    with Signals() as stop:
        before = signal.getsignal(signal.SIGCONT)
        with stop.hearing({signal.SIGCONT: heard.set}):
            signal.raise_signal(signal.SIGCONT)
            assert heard.wait(HANG)
            assert not stop.is_told()
        assert signal.getsignal(signal.SIGCONT) is before


def test_what_is_ignored_stays_so_in_such_a_block_too() -> None:
    with (
        usual(signal.SIGTSTP, signal.SIG_IGN),
        Signals() as stop,
        stop.hearing({signal.SIGTSTP: stop.tell}),
    ):
        signal.raise_signal(signal.SIGTSTP)
        assert signal.getsignal(signal.SIGTSTP) is signal.SIG_IGN


def test_a_process_puts_itself_aside_and_hears_again_when_it_goes_on() -> None:
    code = """
import signal, sys
from privstream.delivery.signals import Signals
with Signals() as stop, stop.hearing({signal.SIGTSTP: stop.tell}):
    stop.put_aside()
    print(signal.getsignal(signal.SIGTSTP) is not signal.SIG_DFL)
"""
    command = [sys.executable, "-c", code]
    # A group of its own can be put aside, as a shell's jobs can.
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, process_group=0) as one:
        _, state = os.waitpid(one.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(state)
        one.send_signal(signal.SIGCONT)
        out, _ = one.communicate(timeout=HANG)
    assert out == "True\n"


def test_everybody_is_told_once_from_another_thread_or_at_once_if_it_was_told() -> None:
    told: list[str] = []
    with Signals() as stop:
        stop.when_told(lambda: told.append(threading.current_thread().name))
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        assert stop.event.wait(HANG)
    stop.when_told(lambda: told.append("late"))
    assert told == ["signals", "late"]


def test_a_second_word_leaves_hardly_any_time() -> None:
    with Stop() as stop:
        assert stop.left() == float("inf")
        stop.tell(signal.SIGTERM)
        first = stop.left()
        stop.tell(signal.SIGINT)
        assert stop.left() < 0 < first
        assert stop.by is signal.SIGTERM


def test_a_time_limit_tells_it_too() -> None:
    with Signals() as stop:
        stop.end_after(0.001)
        assert stop.event.wait(HANG)
        assert stop.by is None
    with Stop() as by_itself:
        by_itself.end_after(-1)
        assert by_itself.is_told()


def test_a_reader_who_does_not_read_is_waited_for_until_the_end_only() -> None:
    reading, writing = os.pipe()
    with Stop() as stop:
        assert stop.patience(writing)
        os.set_blocking(writing, False)
        os.write(writing, b"x" * 10_000_000)
        threading.Timer(0.01, tell_twice, args=(stop,)).start()
        assert not stop.patience(writing)
    os.close(reading)
    os.close(writing)


def test_the_wait_for_a_reader_ends_when_he_leaves_and_when_it_is_time() -> None:
    reading, writing = os.pipe()
    with Stop() as stop:
        os.close(reading)
        stop.wait_while_read(writing)
        assert not stop.is_told()
    os.close(writing)
    reading, writing = os.pipe()
    with Stop() as stop:
        threading.Timer(0.01, stop.tell).start()
        stop.wait_while_read(writing)
        assert stop.is_told()
    os.close(reading)
    os.close(writing)


def tell_twice(stop: Stop) -> None:
    stop.tell()
    stop.tell()


STUCK = """
import os, signal, sys, threading
from privstream.delivery import signals
signals.GRACE = 0.2
stop = signals.Signals()
stop.code = lambda: 5
stop.last_words = lambda: os.write(2, b"nothing was sent\\n")
with stop:
    {before}
    print("ready", flush=True)
    {stuck}
"""


@pytest.mark.parametrize(
    "stuck",
    [
        "os.read(os.pipe()[0], 1)",
        "lock = threading.Lock(); lock.acquire(); lock.acquire()",
        "while True: pass",
    ],
)
def test_a_run_that_does_not_get_to_look_ends_all_the_same(stuck: str) -> None:
    code = STUCK.format(before="", stuck=stuck)
    with started(code) as process:
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=HANG)
    assert (process.returncode, out, err) == (5, "", "nothing was sent\n")


def test_last_words_that_nobody_reads_hold_up_nothing() -> None:
    mute = "stop.last_words = threading.Event().wait"
    with started(STUCK.format(before=mute, stuck="os.read(os.pipe()[0], 1)")) as process:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=HANG)
    assert process.returncode == 5


@contextmanager
def started(code: str) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-c", code],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


BUSY = """
import signal
import threading
from privstream.delivery.signals import Signals
with Signals() as stop:
    condition = threading.Condition()
    print("ready", flush=True)
    while not stop.is_told():
        with condition:
            condition.notify_all()
            condition.wait(0.0001)
    # What comes once the block is left is the system's affair again.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    with condition:
        print("free", flush=True)
"""


@pytest.mark.parametrize("_time", range(5))
def test_two_signals_in_a_row_leave_no_lock_behind(_time: int) -> None:
    with started(BUSY) as process:
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=HANG)
    assert (process.returncode, out, err) == (0, "free\n", "")
