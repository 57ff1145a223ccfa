"""SIGTERM: a stream ends well, a question that was not answered does not look like it was."""

import json

import pytest

from privstream.cli import entry
from privstream.delivery import signals
from privstream.model.errors import Exit


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def told_to_stop(_arguments: object) -> int:
        raise signals.Terminated

    monkeypatch.setattr(entry, "_run", told_to_stop)
    monkeypatch.setattr(signals, "take_over", lambda: None)
    monkeypatch.setattr(signals, "leave", lambda code: code)


@pytest.mark.usefixtures("stopped")
@pytest.mark.parametrize("command", ["watch", "record", "demo", "simulate"])
def test_a_stream_that_is_told_to_stop_has_done_its_work(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert entry.run([command]) == Exit.DONE
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("stopped")
@pytest.mark.parametrize("command", ["token", "doctor", "order", "wait"])
def test_a_question_that_is_broken_off_is_no_good_answer(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert entry.run([command, "check", "--json"]) == Exit.UNREACHABLE
    said = json.loads(capsys.readouterr().err)
    assert said["message"] == "told to stop before it was done"
