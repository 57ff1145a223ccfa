"""Told to stop: a stream ends well, a question that was not answered does not look like it was."""

import json
import signal

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


@pytest.mark.parametrize("command", ANSWERS)
def test_a_question_that_is_broken_off_is_no_good_answer(
    command: str, number: signal.Signals, capfd: pytest.CaptureFixture[str]
) -> None:
    code = entry.run([command, "check", "--json"])
    err = capfd.readouterr().err
    if number is signal.SIGINT:
        assert (code, err) == (Exit.INTERRUPTED, "")
    else:
        assert code == ANSWERS[command]
        assert json.loads(err)["message"] == "told to stop before it was done"


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody_reads(_arguments: object, _process: object) -> int:
        raise ReaderGone

    monkeypatch.setattr(entry, "_run", nobody_reads)
    monkeypatch.setattr(entry, "discard_stdout", lambda: None)


@pytest.mark.usefixtures("unread")
@pytest.mark.parametrize("command", STREAMS)
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


def test_two_signals_in_a_row_hang_nothing() -> None:
    """Two in fifty left `wait` in a lock for ever; the benchmark `signals` tries them by hundreds."""
    figures = strike(len(FEW), 3, FEW, in_time=HUNG)
    assert figures.runs == len(FEW)
    assert figures.faults == []
