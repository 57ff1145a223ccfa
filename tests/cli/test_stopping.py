"""Told to stop: a stream ends well, a question that was not answered does not look like it was."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from privstream.cli import entry
from privstream.cli.outside import Process
from privstream.model.errors import Exit
from privstream.outputs.base import ReaderGone
from tests.benchmarks.signals import HUNG, strike

FEW = (("wait", "kraken", "OAAAAA-BBBBB-CCCCCC"), ("order", "list", "kraken"))
STREAMS = ("watch", "record", "replay", "demo", "simulate")
ANSWERS = {
    "wait": Exit.TIMED_OUT,
    **dict.fromkeys(("token", "doctor", "order", "accounts"), Exit.UNREACHABLE),
}
BROKEN_OFF = {**ANSWERS, "schema": Exit.UNREACHABLE}


@pytest.fixture(params=[signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def number(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> signal.Signals:
    """The signal that comes while a command is at work."""

    def told_to_stop(_arguments: object, process: Process) -> int:
        signal.raise_signal(request.param)
        process.stop.event.wait()
        process.stop.check()
        return 0

    monkeypatch.setattr(entry, "_run", told_to_stop)
    found: signal.Signals = request.param
    return found


@pytest.mark.parametrize("command", STREAMS)
def test_a_stream_that_is_told_to_stop_has_done_its_work(
    command: str, number: signal.Signals, capfd: pytest.CaptureFixture[str]
) -> None:
    expected = Exit.INTERRUPTED if number is signal.SIGINT else Exit.DONE
    assert entry.run([command]) == expected
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("command", BROKEN_OFF)
def test_a_question_that_is_broken_off_is_no_good_answer(
    command: str, number: signal.Signals, capfd: pytest.CaptureFixture[str]
) -> None:
    code = entry.run([command, "check", "--json"])
    err = capfd.readouterr().err
    if number is signal.SIGINT:
        assert (code, err) == (Exit.INTERRUPTED, "")
    else:
        assert code == BROKEN_OFF[command]
        assert json.loads(err)["message"] == "told to stop before it was done"


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody_reads(_arguments: object, _process: object) -> int:
        raise ReaderGone

    monkeypatch.setattr(entry, "_run", nobody_reads)
    monkeypatch.setattr(entry, "discard_stdout", lambda: None)


@pytest.mark.usefixtures("unread")
@pytest.mark.parametrize("command", [*STREAMS, "schema"])
def test_the_reader_of_a_stream_may_leave(command: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert entry.run([command]) == Exit.DONE
    assert capfd.readouterr().err == ""


@pytest.mark.usefixtures("unread")
@pytest.mark.parametrize("command", ANSWERS)
def test_an_answer_that_nobody_reads_is_no_success(
    command: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert entry.run([command]) == ANSWERS[command]
    assert "nobody read what it had to say" in capfd.readouterr().err


@pytest.mark.usefixtures("number")
def test_help_that_was_not_printed_is_no_success() -> None:
    assert entry.run(["watch", "--help"]) in {Exit.UNREACHABLE, Exit.INTERRUPTED}


def test_a_simulation_ends_when_the_reader_of_its_lines_has_left() -> None:
    reading, writing = os.pipe()
    reader = threading.Thread(target=_read_a_line_and_leave, args=(reading,))
    reader.start()
    with _stdout_into(writing):
        assert entry.run(["simulate", "kraken", "--port", "0"]) == Exit.DONE
    reader.join()


def _read_a_line_and_leave(fd: int) -> None:
    with os.fdopen(fd) as lines:
        assert lines.readline() == "[accounts.kraken]\n"


@contextmanager
def _stdout_into(fd: int) -> Iterator[None]:
    before = os.dup(1)
    os.dup2(fd, 1)
    os.close(fd)
    try:
        yield
    finally:
        os.dup2(before, 1)
        os.close(before)


def test_two_signals_in_a_row_hang_nothing() -> None:
    """Two in fifty left `wait` in a lock for ever; the benchmark `signals` tries them by hundreds."""
    figures = strike(len(FEW), 3, FEW, in_time=HUNG)
    assert figures.runs == len(FEW)
    assert figures.faults == []
