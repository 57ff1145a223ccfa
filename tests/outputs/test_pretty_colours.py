"""A terminal gets colours, unless it cannot show them or somebody wants none."""

import os
import pty
import tty

import pytest

from privstream.outputs.pretty import Pretty
from privstream.outputs.terminal import is_lively
from tests.outputs.output_events import TRADE


def in_a_terminal(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], *, no_color: bool = False
) -> str:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    terminal, ours = pty.openpty()
    tty.setraw(ours)
    colour = not no_color and is_lively(ours, os.environ)
    Pretty(ours, colour=colour).write([TRADE])
    shown = os.read(terminal, 4096).decode()
    os.close(ours)
    os.close(terminal)
    return shown


def test_a_terminal_gets_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = in_a_terminal(monkeypatch, {})
    assert "\x1b[32mbuy\x1b[0m" in shown


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_who_wants_no_colour_gets_none(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    assert "\x1b" not in in_a_terminal(monkeypatch, environment)


def test_an_option_turns_colour_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" not in in_a_terminal(monkeypatch, {}, no_color=True)
