"""Frames as they came; a terminal gets them without their commands."""

import os
import pty
import tty
from collections.abc import Sequence

from privstream.outputs.raw import RawFrames
from tests.outputs.output_events import pipe, read_all

HOSTILE = b'[0,"n",\n"\x1b]0;title\x07\xff\xe2\x80\xae"]'


def piped(frames: Sequence[bytes]) -> bytes:
    with pipe() as (reading, writing):
        output = RawFrames(writing)
        output.write(frames)
        output.close()
        os.close(writing)
        return read_all(reading)


def test_a_pipe_gets_every_byte_of_a_frame_and_a_newline() -> None:
    assert piped([b'{"a": 1.10}', HOSTILE]) == b'{"a": 1.10}\n' + HOSTILE + b"\n"


def test_a_terminal_gets_one_harmless_line_a_frame() -> None:
    terminal, ours = pty.openpty()
    tty.setraw(ours)
    RawFrames(ours).write([b'{"a": 1.10}', HOSTILE])
    shown = os.read(terminal, 4096)
    os.close(ours)
    os.close(terminal)
    assert shown == b'{"a": 1.10}\n[0,"n",\\x0a"\\x1b]0;title\\x07\\xff\\u202e"]\n'
