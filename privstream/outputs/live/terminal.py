"""The terminal as one screen: taken over, drawn upon, read from, and given back on every way out.

The one rule: it never waits. A terminal that takes nothing (a slow line) misses frames
and holds up nobody; the descriptor is one of our own, so that no shell finds it changed.
"""

import os
import select
import termios
import threading
from contextlib import suppress
from typing import Any

from privstream.outputs.base import ReaderGone
from privstream.outputs.descriptor import reader_gone

LAST_WAIT = 100
"""Milliseconds that the terminal has to take what gives it back."""
READ_SIZE = 1024
_INPUT_FLAGS, _LOCAL_FLAGS, _CONTROL = 0, 3, 6
"""Where they stand in what `tcgetattr` tells."""


class Terminal:
    """The one behind a descriptor. Raises OSError where it cannot be opened."""

    def __init__(self, fd: int) -> None:
        flags = os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC
        self._fd = os.open(os.ttyname(fd), flags)
        self._before: list[Any] | None = None
        self._leave = ""
        self._rest = b""
        """Of a frame that the terminal has begun to take."""
        self._lock = threading.RLock()

    @property
    def size(self) -> tuple[int, int]:
        """Cells and lines, as they are now."""
        try:
            cells, lines = os.get_terminal_size(self._fd)
        except OSError:
            return 80, 24
        return cells or 80, lines or 24

    def take_over(self, enter: str, leave: str) -> None:
        """Keys come one by one and are not shown; `leave` is written when it is given back."""
        with self._lock:
            if self._before is None:
                self._before = termios.tcgetattr(self._fd)
            unseen = [*termios.tcgetattr(self._fd)]
            unseen[_INPUT_FLAGS] &= ~termios.IXON  # Ctrl-S would leave an old screen standing
            unseen[_LOCAL_FLAGS] &= ~(termios.ICANON | termios.ECHO)
            unseen[_CONTROL] = [*unseen[_CONTROL]]
            unseen[_CONTROL][termios.VMIN], unseen[_CONTROL][termios.VTIME] = 1, 0
            termios.tcsetattr(self._fd, termios.TCSANOW, unseen)
            self._leave = leave
            self._rest = enter.encode()
        self.flush()

    def give_back(self) -> None:
        """Leave it as it was found; from any thread, as often as you like."""
        with self._lock:
            before, self._before = self._before, None
            if before is None:
                return
            with suppress(OSError, termios.error):
                self._write_last(self._leave.encode())
            with suppress(OSError, termios.error):
                termios.tcsetattr(self._fd, termios.TCSANOW, before)
            self._rest = b""

    def _write_last(self, text: bytes) -> None:
        # A sequence of the frame that was cut off would swallow ours: CAN ends it.
        text = b"\x18" + text if self._rest else text
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)
        if not poll.poll(0):
            # Nobody reads: what still waits there is of no use any more.
            termios.tcflush(self._fd, termios.TCOFLUSH)
        while text and poll.poll(LAST_WAIT):
            text = text[os.write(self._fd, text) :]

    # --- drawing and reading ---------------------------------------------------------------

    def flush(self) -> bool:
        """Whether everything is written; goes on with what is not. Raises ReaderGone."""
        with self._lock:
            while self._rest:
                try:
                    self._rest = self._rest[os.write(self._fd, self._rest) :]
                except BlockingIOError:
                    if reader_gone(self._fd):
                        raise ReaderGone from None
                    return False
                except OSError as problem:
                    raise ReaderGone from problem
        return True

    def draw(self, frame: str) -> None:
        """Begin to write a frame; call it only when `flush` has said that there is room."""
        with self._lock:
            if self._before is not None:
                self._rest = frame.encode(errors="replace")
        self.flush()

    def typed(self) -> bytes:
        """What was typed since the last time. Raises ReaderGone."""
        try:
            typed = os.read(self._fd, READ_SIZE)
        except BlockingIOError:
            return b""
        except OSError as problem:
            raise ReaderGone from problem
        if not typed:  # it was hung up
            raise ReaderGone
        return typed

    def close(self) -> None:
        """Give it back and let go of it."""
        self.give_back()
        with self._lock:
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1
