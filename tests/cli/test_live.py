"""`watch --live` in a terminal: it is alive under load, and the terminal is whole after every end."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from privstream.simulator.server import Simulation
from tests.cli.conftest import LIMIT, InProcess, Inside, Program, config_of

ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?25h\x1b[?1049l"
FIRST_FRAME = rb"live.*heard"
SIZE = (80, 24)
CRASH = """
import sys
from privstream.outputs.live import view
drawn, usual = [], view.screen
def crash(*given):
    if drawn:
        raise ZeroDivisionError("forced")
    drawn.append(1)
    return usual(*given)
view.screen = crash
from privstream.__main__ import main
main()
"""


def left(seen: bytes) -> bool:
    """The terminal is as it was; the summary that follows commands nothing."""
    _, leave, summary = seen.rpartition(LEAVE)
    return bool(leave) and b"\x1b" not in summary


class Job(Program):
    """Started in a group of its own, which can be put aside as a shell's jobs can."""

    def start(self, *words: str, environ: Mapping[str, str] | None = None, **streams: Any) -> Any:
        self.environ |= environ or {}
        return self.launch(*words, process_group=0, **streams)


class Desk:
    """A person at a terminal, and the program in it."""

    def __init__(self, program: Program, *words: str, **environ: str) -> None:
        self.ours, self.theirs = pty.openpty()
        self.resize(*SIZE)
        self.before = termios.tcgetattr(self.theirs)
        ends = dict.fromkeys(("stdin", "stdout", "stderr"), self.theirs)
        environ = {"TERM": "xterm-256color", "PYTHONUTF8": "1", **environ}
        self.process = program.start(*words, environ=environ, **ends)
        self.seen = self.all = b""

    def resize(self, cells: int, lines: int) -> None:
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, cells, 0, 0))

    def press(self, keys: bytes) -> None:
        os.write(self.ours, keys)

    def sees(self, pattern: bytes) -> None:
        """Read on until it is there; what came before is not looked at again."""
        deadline = time.monotonic() + LIMIT
        while not (found := re.search(pattern, plain(self.seen), re.DOTALL)):
            assert time.monotonic() < deadline, plain(self.seen)[-2000:]
            self._read()
        self.seen = b""
        assert found

    def _read(self) -> bool:
        ready, _, _ = select.select([self.ours], [], [], 0.1)
        block = os.read(self.ours, 1 << 16) if ready else b""
        self.seen += block
        self.all += block
        return bool(block)

    def end(self) -> int:
        """Read to the end; returns the exit code."""
        deadline = time.monotonic() + LIMIT
        while (code := self.process.poll()) is None:
            assert time.monotonic() < deadline, plain(self.seen)[-2000:]
            self._read()
        while self._read():
            pass
        return code


def plain(seen: bytes) -> bytes:
    """Without colours."""
    return re.sub(rb"\x1b\[[0-9;]*m", b"", seen)


@contextmanager
def seated(program: Program, *words: str, **environ: str) -> Iterator[Desk]:
    desk = Desk(program, *words, **environ)
    try:
        yield desk
    finally:
        if desk.process.poll() is None:
            desk.process.kill()
        desk.process.wait()
        os.close(desk.ours)
        os.close(desk.theirs)


def test_under_load_keys_and_sizes_are_obeyed_and_the_data_is_complete(
    tmp_path: Path, inside: Inside
) -> None:
    file = tmp_path / "events.jsonl"
    words = ("watch", "kraken", "--live", "--to", f"file:{file}")
    with (
        Simulation(["kraken"], seed=5, rate=1000, limits=False) as busy,
        seated(inside(Program(tmp_path, config_of(busy, tmp_path))), *words) as desk,
    ):
        desk.sees(ENTER.replace(b"[", rb"\[").replace(b"?", rb"\?"))
        desk.sees(FIRST_FRAME)
        desk.press(b"p")
        desk.sees(rb"PAUSED")
        desk.resize(132, 40)
        desk.sees(rb"\d+ events since {30}")
        desk.press(b"p\t")
        desk.sees("▶ 2 Fills".encode())
        desk.press(b"q")
        assert desk.end() == 0
        assert left(desk.seen)
        assert termios.tcgetattr(desk.theirs) == desk.before
        *_, shown = re.findall(rb"(\d+) events", plain(desk.all))
    lines = file.read_text().splitlines()
    ids = re.findall(r'"id":"([^"]+)"', "\n".join(lines))
    assert len(lines) >= int(shown)
    assert len(ids) == len(set(ids)) == len(lines)  # nothing twice, and no gap


ENDS = [(signal.SIGINT, 130), (signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGQUIT, 131)]


def test_after_every_signal_the_terminal_is_as_it_was(program: InProcess) -> None:
    """All at once: most of the time goes into starting them."""
    words = ("watch", "kraken", "--live")
    with (
        seated(program, *words) as one,
        seated(program, *words) as two,
        seated(program, *words, NO_COLOR="1") as three,
        seated(program, *words) as four,
    ):
        for desk, (number, code) in zip((one, two, three, four), ENDS, strict=True):
            desk.sees(FIRST_FRAME)
            desk.process.send_signal(number)
            assert desk.end() == code
            assert left(desk.seen)
            assert termios.tcgetattr(desk.theirs) == desk.before


def test_after_a_crash_the_terminal_is_as_it_was_and_the_bug_is_told(program: InProcess) -> None:
    program.launcher = ("-c", CRASH)
    with seated(program, "watch", "kraken", "--live") as desk:
        assert desk.end() == 1
        _, left, said = desk.seen.rpartition(LEAVE)
        assert left
        assert b"internal error: ZeroDivisionError: forced" in said
        assert termios.tcgetattr(desk.theirs) == desk.before


def test_put_aside_and_back_and_quit(simulation: Simulation, tmp_path: Path) -> None:
    job = Job(tmp_path, config_of(simulation, tmp_path))
    with seated(job, "watch", "kraken", "--live") as desk:
        desk.sees(FIRST_FRAME)
        desk.process.send_signal(signal.SIGTSTP)
        _, state = os.waitpid(desk.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(state)
        assert termios.tcgetattr(desk.theirs) == desk.before
        desk.sees(rb"\x1b\[\?1049l$")
        desk.process.send_signal(signal.SIGCONT)
        desk.sees(rb"\x1b\[\?1049h.*" + FIRST_FRAME)
        desk.press(b"q")
        assert desk.end() == 0
        assert left(desk.seen)


def test_a_terminal_that_shows_lines_only_gets_lines_and_a_sentence(program: InProcess) -> None:
    with seated(program, "watch", "kraken", "--live", "--count", "1", TERM="dumb") as desk:
        assert desk.end() == 0
        assert b"privstream: --live: TERM=dumb can show lines only; here are lines" in desk.seen
        assert b"\x1b" not in desk.seen


def test_where_there_is_no_terminal_there_are_lines_and_a_sentence(program: InProcess) -> None:
    ended = program("watch", "kraken", "--live", "--count", "1")
    assert (ended.code, len(ended.events)) == (0, 1)
    assert re.search("--live: standard (in|out)put is no terminal; here are lines", ended.err)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--live", "--json"), "--live shows a screen"),
        (("--live", "--format", "raw"), "--live shows a screen"),
        (("--privacy", "--json"), "--privacy masks what is shown"),
        (("--privacy",), "--privacy masks what is shown"),  # stdout is no terminal here
        (("--privacy", "--format", "pretty", "--debug"), "--privacy hides what --debug shows"),
    ],
)
def test_what_does_not_go_together_is_a_usage_error(
    words: tuple[str, ...], why: str, program: InProcess
) -> None:
    ended = program("watch", "kraken", *words)
    assert ended.code == 2
    assert why in ended.err


def test_privacy_masks_the_lines_and_not_the_file(program: InProcess, tmp_path: Path) -> None:
    file = tmp_path / "fills"
    words = ("trades", "--privacy", "--format", "pretty", "--count", "3", "--to", f"file:{file}")
    ended = program("watch", "kraken", *words)
    assert ended.code == 0
    told = re.findall(r'"(?:price|quantity|order_id)":"([^"]+)"', file.read_text())
    assert told
    assert not [text for text in told if text in ended.out]
    assert ended.out.count("•••") >= 9
