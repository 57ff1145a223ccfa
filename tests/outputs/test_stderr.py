"""A note that cannot be written fails nothing and holds up nothing."""

import io
import os
from pathlib import Path
from typing import TextIO

import pytest

from privstream.outputs import stderr
from privstream.outputs.stderr import Stderr
from tests.outputs.output_events import pipe


def opened(fd: int) -> TextIO:
    return os.fdopen(os.dup(fd), "w", encoding="latin-1")


def test_a_reader_who_does_not_read_misses_notes_and_gets_later_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stderr, "PATIENCE", 1)
    with pipe() as (reading, writing), opened(writing) as stream:
        said = Stderr(stream)
        for number in range(100):
            said.write(f"{number} {'x' * 4000}\n")
        first = os.read(reading, 1 << 20).decode()
        said.write("and again\n")
        assert os.read(reading, 1 << 20) == b"and again\n"
    assert first.startswith("0 xxx")
    assert "99 xxx" not in first
    assert first.endswith("\n")


def test_nobody_there_is_no_fault() -> None:
    Stderr(None).write("to nobody\n")
    with pipe() as (reading, writing), opened(writing) as stream:
        said = Stderr(stream)
        os.close(reading)
        said.write("to somebody who left\n")
    with Path("/dev/full").open("w", encoding="ascii") as full:
        Stderr(full).write("no room\n")
    closed = io.StringIO()
    closed.close()
    Stderr(closed).write("closed\n")


def test_what_its_encoding_lacks_is_spelled_out() -> None:
    with pipe() as (reading, writing), opened(writing) as stream:
        Stderr(stream).write("a € and \udcff\n")
        assert os.read(reading, 100) == b"a \\u20ac and \\udcff\n"
