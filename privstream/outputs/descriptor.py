"""Writing to a file descriptor, and noticing that its reader has gone.

The one rule: no buffer. What is written has left the process when the call returns.
"""

import errno
import os
import select

from privstream.errors import OutputFailed
from privstream.outputs.base import ReaderGone

STDOUT = 1
_GONE = frozenset({errno.EPIPE, errno.EBADF, errno.ECONNRESET})


def write_all(fd: int, text: bytes | bytearray) -> None:
    """Write everything, also to a slow or non-blocking reader. Raises ReaderGone, OutputFailed."""
    try:
        written = _write(fd, text)
        if written < len(text):
            _write_rest(fd, bytes(text[written:]))
    except OSError as problem:
        if problem.errno in _GONE or reader_gone(fd):
            raise ReaderGone from problem
        raise OutputFailed(
            f"cannot write the output: {problem.strerror}",
            "what was printed last may be cut off; mend the cause and start again",
        ) from problem


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
        poll.poll()
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


def occupy_closed_streams() -> frozenset[int]:
    """Put /dev/null where stdin, stdout or stderr is closed; tells which were.

    Otherwise the next socket or file takes that number and gets our lines. Call it
    first of all; where it names stdout there is no reader.
    """
    closed = set()
    while (fd := os.open(os.devnull, os.O_RDWR)) <= STDOUT + 1:
        os.set_inheritable(fd, True)
        closed.add(fd)
    os.close(fd)
    return frozenset(closed)
