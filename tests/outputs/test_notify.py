"""Notifications: nothing foreign commands the desktop, and nothing holds up the stream."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from privstream.outputs import notify
from privstream.outputs.notify import PAUSE, Bell, Desktop, desktop_program, longer

SPY = """#!/bin/sh
for word in "$@"; do printf '%s\\n' "[$word]" >> "$0.told"; done
/usr/bin/env >> "$0.env"
"""
LONG = 50.0
"""Seconds that nothing here takes, however busy the computer is."""


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of a busy computer is not taken for one that hangs."""
    monkeypatch.setattr(notify, "LIMIT", LONG)


def program(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_text(SPY)
    path.chmod(0o700)
    return path


def shown(folder: Path, name: str, lines: list[str]) -> str:
    spy = program(folder, name)
    variables = {"PATH": str(folder), "KRAKEN_API_SECRET": "s3cret"}  # and not this computer's own
    show = desktop_program(variables)
    assert show is not None
    show(lines)
    assert "s3cret" not in spy.with_suffix(".env").read_text()
    return spy.with_suffix(".told").read_text()


def test_what_an_exchange_says_is_neither_an_option_nor_markup(tmp_path: Path) -> None:
    told = shown(tmp_path, "notify-send", ["-u critical <b>x</b> & y"])
    assert told.endswith("[--]\n[privstream]\n[-u critical &lt;b&gt;x&lt;/b&gt; &amp; y]\n")


def test_on_a_mac_the_text_is_no_part_of_the_script(tmp_path: Path) -> None:
    told = shown(tmp_path, "osascript", ['" & do shell script "x'])
    assert told.endswith('[privstream]\n[" & do shell script "x]\n')


def test_without_a_program_there_is_nothing_that_shows() -> None:
    assert desktop_program({"PATH": "/nowhere"}) is None


def test_a_program_that_is_gone_or_hangs_ends_nothing(tmp_path: Path) -> None:
    spy = program(tmp_path, "notify-send")
    show = desktop_program({"PATH": str(tmp_path)})
    assert show is not None
    assert show(["x"]) is None
    spy.write_text("#!/bin/sh\necho no bus >&2\necho really >&2\nexit 1\n")
    assert show(["x"]) == f"{spy}: no bus"
    spy.unlink()
    assert show(["x"]) == f"{spy}: No such file or directory"


class Screen:
    """A desktop that shows when it is let, and keeps what it showed."""

    def __init__(self) -> None:
        self.shown: list[Sequence[str]] = []
        self.may_show = threading.Event()
        self.is_showing = threading.Event()

    def __call__(self, lines: Sequence[str]) -> None:
        self.is_showing.set()
        self.may_show.wait(LONG)
        self.shown.append(lines)


def test_a_burst_is_one_notification_and_a_desktop_that_hangs_holds_up_nobody() -> None:
    screen = Screen()
    desktop = Desktop(screen, pause=LONG)
    desktop.tell("first\x1b[2J")
    assert screen.is_showing.wait(LONG)
    for number in range(10):
        desktop.tell(f"fill {number}")
    screen.may_show.set()
    desktop.end()
    assert screen.shown == [
        ["first\\x1b[2J"],
        ["fill 0", "fill 1", "fill 2", "and 7 more"],
    ]


def test_nothing_is_started_where_nothing_is_told() -> None:
    threads = threading.active_count()
    Desktop(Screen()).end()
    assert threading.active_count() == threads


def test_what_is_urgent_is_among_what_is_shown_of_a_storm() -> None:
    screen = Screen()
    desktop = Desktop(screen, pause=5.0)
    desktop.tell("first")
    assert screen.is_showing.wait(LONG)
    for number in range(100_000):
        desktop.tell(f"fill {number}")
    desktop.tell("INCOMPLETE GAP", urgent=True)
    screen.may_show.set()
    desktop.end()
    assert screen.shown[1] == ["INCOMPLETE GAP", "fill 0", "fill 1", "and 99998 more"]


def test_a_storm_that_goes_on_is_told_ever_more_rarely() -> None:
    pauses = [PAUSE]
    while len(pauses) < 6:
        pauses.append(longer(pauses[-1]))
    assert pauses == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def test_a_bell_rings_once_for_what_comes_at_once() -> None:
    now, rung = [0.0], []
    bell = Bell(lambda: rung.append(now[0]), lambda: now[0])
    for now[0] in (0.0, 0.5, 1.9, 2.0, 3.0, 10.0):
        bell.tell("x")
    assert rung == [0.0, 2.0, 10.0]
