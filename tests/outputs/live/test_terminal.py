"""The terminal is given back as it was found, and nobody waits for one that takes nothing."""

import fcntl
import os
import pty
import struct
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from privstream.outputs.base import ReaderGone
from privstream.outputs.live.terminal import Terminal

LOCAL_FLAGS = 3
Ends = tuple[Terminal, int, int]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """A terminal, the person's end of it, and the program's."""
    ours, theirs = pty.openpty()
    terminal = Terminal(theirs)
    try:
        yield terminal, ours, theirs
    finally:
        terminal.close()
        for fd in (ours, theirs):
            try:
                os.close(fd)
            except OSError:  # the test has closed it
                continue


def written(ours: int) -> bytes:
    """What the person's end has got so far."""
    os.set_blocking(ours, False)
    got = b""
    try:
        while block := os.read(ours, 1 << 16):
            got += block
    except BlockingIOError:
        return got
    return got


def test_it_is_given_back_as_it_was_found_once(ends: Ends) -> None:
    terminal, ours, theirs = ends
    before = termios.tcgetattr(theirs)
    terminal.take_over("<in>", "<out>")
    assert not termios.tcgetattr(theirs)[LOCAL_FLAGS] & (termios.ECHO | termios.ICANON)
    assert termios.tcgetattr(theirs)[LOCAL_FLAGS] & termios.ISIG  # Ctrl-C stays Ctrl-C
    terminal.draw("x")
    terminal.give_back()
    terminal.give_back()
    terminal.draw("never seen")
    assert termios.tcgetattr(theirs) == before
    assert written(ours) == b"<in>x<out>"


def test_taken_over_twice_it_is_still_given_back_as_it_was_at_first(ends: Ends) -> None:
    terminal, _, theirs = ends
    before = termios.tcgetattr(theirs)
    terminal.take_over("", "")
    terminal.take_over("", "")  # as after a stop and fg
    terminal.give_back()
    assert termios.tcgetattr(theirs) == before


def test_keys_come_one_by_one_and_are_not_awaited(ends: Ends) -> None:
    terminal, ours, _ = ends
    terminal.take_over("", "")
    assert terminal.typed() == b""
    os.write(ours, b"q")
    assert terminal.typed() == b"q"


def test_its_size_is_the_one_it_has_now(ends: Ends) -> None:
    terminal, _, theirs = ends
    assert terminal.size == (80, 24)  # it does not know
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
    assert terminal.size == (200, 50)


def test_a_terminal_that_takes_nothing_is_not_waited_for_and_gets_the_rest_later(
    ends: Ends,
) -> None:
    terminal, ours, _ = ends
    terminal.take_over("", "<out>")
    frame = "x" * (1 << 20)
    terminal.draw(frame)
    assert not terminal.flush()
    got = 0
    while not terminal.flush():
        got += len(written(ours))
    assert got + len(written(ours)) == len(frame)


def test_a_frame_that_was_cut_off_does_not_swallow_what_gives_the_terminal_back(
    ends: Ends,
) -> None:
    terminal, ours, _ = ends
    terminal.take_over("", "<out>")
    terminal.draw("x" * (1 << 20))
    written(ours)
    terminal.give_back()
    assert written(ours).endswith(b"\x18<out>")


def test_ctrl_s_leaves_no_old_screen_standing(ends: Ends) -> None:
    """It would look like one on which nothing happens."""
    terminal, ours, _ = ends
    os.write(ours, b"\x13")
    terminal.take_over("<in>", "<out>")
    os.write(ours, b"\x13")
    terminal.draw("x")
    assert written(ours) == b"<in>x"
    # Whether the first stopped the screen before, or is a key now, is a matter of a moment.
    assert terminal.typed() in {b"\x13", b"\x13\x13"}


def test_a_stuck_terminal_does_not_keep_a_process_from_its_end(ends: Ends) -> None:
    terminal, _, theirs = ends
    before = termios.tcgetattr(theirs)
    terminal.take_over("", "<out>")
    terminal.draw("x" * (1 << 20))
    terminal.give_back()
    assert termios.tcgetattr(theirs) == before


def test_a_terminal_that_is_gone_ends_it_quietly(ends: Ends) -> None:
    terminal, ours, _ = ends
    terminal.take_over("", "")
    os.close(ours)
    with pytest.raises(ReaderGone):
        terminal.typed()
    with pytest.raises(ReaderGone):
        terminal.draw("x")
    terminal.give_back()


def test_nobody_else_finds_the_descriptor_changed(ends: Ends) -> None:
    _, _, theirs = ends
    assert os.get_blocking(theirs)


def test_what_is_no_terminal_cannot_be_opened() -> None:
    with Path(os.devnull).open("rb") as nowhere, pytest.raises(OSError, match=r"."):
        Terminal(nowhere.fileno())
