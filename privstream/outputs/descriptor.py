"""Writing to a file descriptor, and noticing that its reader has gone.

The one rule: no buffer. What is written has left the process when the call returns.
"""

import errno
import os
import select
import stat
from collections.abc import Callable
from typing import TypeAlias

from privstream.model.errors import OutputFailed
from privstream.outputs.base import NotTaken, ReaderGone

STDOUT = 1
PIECE = select.PIPE_BUF
"""Bytes that a pipe which has any room takes whole and without waiting."""
PAUSE = 250
"""Milliseconds after which somebody who waits for room looks around."""
Patience: TypeAlias = Callable[[int], bool]
"""Waits until a descriptor takes something; false where waiting on would be too long."""
_GONE = frozenset({errno.EPIPE, errno.EBADF, errno.ECONNRESET})


def write_all(fd: int, text: bytes | bytearray, patience: Patience | None = None) -> None:
    """Write everything, also to a slow or non-blocking reader.

    With `patience` line by line as the reader takes them, and no longer than that allows.
    Raises ReaderGone, OutputFailed and NotTaken.
    """
    try:
        if patience is None or not _is_read_by_somebody(fd):
            written = _write(fd, text)
            if written < len(text):
                _write_rest(fd, bytes(text[written:]))
        else:
            _write_patiently(fd, text, patience)
    except OSError as problem:
        if problem.errno in _GONE or reader_gone(fd):
            raise ReaderGone from problem
        raise OutputFailed(
            f"cannot write the output: {problem.strerror}",
            "what was printed last may be cut off; mend the cause and start again",
        ) from problem


def _is_read_by_somebody(fd: int) -> bool:
    """A file or /dev/null takes everything at once."""
    mode = os.fstat(fd).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(fd)


def _write_patiently(fd: int, text: bytes | bytearray, patience: Patience) -> None:
    done = 0
    while done < len(text):
        end = _end_of_piece(text, done)
        while done < end:
            if not patience(fd):
                whole = text.count(b"\n", 0, done)
                raise NotTaken(whole, is_torn=done > 0 and not text.endswith(b"\n", 0, done))
            done += _write(fd, text[done : min(end, done + PIECE)])


def _end_of_piece(text: bytes | bytearray, start: int) -> int:
    """As many whole lines as a pipe takes at once, or one that is longer."""
    end = text.rfind(b"\n", start, start + PIECE)
    if end < 0:
        end = text.find(b"\n", start + PIECE)
    return len(text) if end < 0 else end + 1


def _write_rest(fd: int, rest: bytes) -> None:
    # A copy: a view of the caller's buffer would pin it for as long as a traceback lives.
    view = memoryview(rest)
    done = 0
    while done < len(view):
        done += _write(fd, view[done:])


def _write(fd: int, text: bytes | bytearray | memoryview) -> int:
    # os.write goes on by itself after a signal whose handler raises nothing (PEP 475).
    try:
        return os.write(fd, text)
    except BlockingIOError:
        # Somebody who shares the open file (a shell, ssh) made it non-blocking.
        poll = select.poll()
        poll.register(fd, select.POLLOUT)
        poll.poll(PAUSE)
        return 0


def reader_gone(fd: int) -> bool:
    """Whether the other end of a pipe, socket or terminal was closed. Never waits."""
    poll = select.poll()
    poll.register(fd, 0)  # the three conditions below are always reported
    gone = select.POLLERR | select.POLLHUP | select.POLLNVAL
    return any(condition & gone for _, condition in poll.poll(0))


def can_write(fd: int) -> bool:
    """Whether a line can be written without waiting for the reader."""
    _, writable, _ = select.select([], [fd], [], 0)
    return bool(writable)


def discard_stdout() -> None:
    """Send what the interpreter still flushes at its exit to nowhere, without a traceback."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    if nowhere != STDOUT:  # it is, where stdout was closed
        os.dup2(nowhere, STDOUT)
        os.close(nowhere)
