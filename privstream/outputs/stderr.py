"""Standard error, whoever reads it: closed, full, gone or stuck, it holds up and fails nothing.

The one rule: what is said to a person never decides what a command does or how it ends.
"""

import os
import select
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

from privstream.model.errors import OutputFailed
from privstream.outputs.base import NotTaken, ReaderGone
from privstream.outputs.descriptor import write_all

PATIENCE = 500
"""Milliseconds for a reader who does not read; none after that, until he has read again."""


class Stderr:
    """Takes text, from any thread; `stream` is what the interpreter has for standard error."""

    def __init__(self, stream: TextIO | None, stamp: Callable[[], str] | None = None) -> None:
        """`stamp`: what each text begins with."""
        self._stamp = stamp
        self._stream = stream
        self._fd = _descriptor_of(stream)
        self._is_stuck = False

    @property
    def is_terminal(self) -> bool:
        """Somebody may sit in front of it."""
        return self._fd is not None and os.isatty(self._fd)

    def write(self, text: str) -> None:
        """Write it as far as that is possible; what cannot be encoded is spelled out."""
        if self._stream is None:
            return
        if self._stamp is not None:
            text = self._stamp() + text
        with suppress(OSError, ValueError, ReaderGone, OutputFailed):
            if self._fd is None:
                self._stream.write(text)
                self._stream.flush()
            else:
                encoding = self._stream.encoding or "ascii"
                self._write(self._fd, text.encode(encoding, "backslashreplace"))

    def _write(self, fd: int, text: bytes) -> None:
        try:
            write_all(fd, text, self._is_ready)
        except NotTaken:
            self._is_stuck = True
        else:
            self._is_stuck = False

    def _is_ready(self, fd: int) -> bool:
        poll = select.poll()
        poll.register(fd, select.POLLOUT)
        return bool(poll.poll(0 if self._is_stuck else PATIENCE))


def _descriptor_of(stream: TextIO | None) -> int | None:
    """`None` for a text that only stands in for it."""
    try:
        return None if stream is None else stream.fileno()
    except (OSError, ValueError):
        return None
