"""JSON lines into a file that other programs rotate, truncate and fill up.

The one rule: the file always ends with a whole line. A batch is in it wholly or not at all.
"""

import fcntl
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from privstream.model.errors import OutputFailed
from privstream.model.events import AnyEvent
from privstream.model.exact import Malformed, decode
from privstream.outputs.jsonl import encode_lines
from privstream.outputs.safe_text import safe_text

CHECK_EVERY = 1.0
"""Seconds between looks whether the file was renamed or removed."""
_BLOCK = 65536
_START = b'{"type":"'


class FileSink:
    """Appends JSON lines to a file. Only the thread that writes may call `reopen`."""

    def __init__(self, path: Path, monotonic: Callable[[], float]) -> None:
        self.path = path
        self._monotonic = monotonic
        self._torn = False
        self._fd = self._open()
        self._checked = monotonic()

    def write(self, events: Sequence[AnyEvent], /) -> None:
        self._follow_rotation()
        lines = encode_lines(events)
        with self._failures("write to"), _locked(self._fd):
            if self._torn:
                self._mend()
            self._append(lines)

    def reopen(self) -> None:
        """Open the path anew, for SIGHUP and after a rotation; the old file stays until then."""
        fd = self._open()
        old, self._fd, self._torn = self._fd, fd, False
        with self._failures("finish"):
            os.close(old)

    def close(self) -> None:
        with self._failures("finish"):
            os.close(self._fd)

    def _open(self) -> int:
        with self._failures("open"):
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY
            fd = os.open(self.path, flags, 0o600)
            try:
                self._accept(fd)
            except BaseException:
                os.close(fd)
                raise
        return fd

    def _accept(self, fd: int) -> None:
        mode = os.fstat(fd).st_mode
        if stat.S_ISREG(mode):
            with _locked(fd):
                mend_last_line(fd, self.path)
        elif not stat.S_ISCHR(mode):
            raise OutputFailed(
                f"{safe_text(str(self.path))} is no regular file",
                "give `--to file:` a file, and pipe standard output into anything else",
            )

    def _append(self, lines: bytes) -> None:
        end = os.fstat(self._fd).st_size
        self._torn = True
        try:
            _write_whole(self._fd, lines)
        except BaseException:
            # No half line may stand before what is written next, by us or by another run. Where
            # even that fails, `_torn` remembers it.
            with suppress(OSError):
                os.ftruncate(self._fd, min(end, os.fstat(self._fd).st_size))
                self._torn = False
            raise
        self._torn = False

    def _mend(self) -> None:
        mend_last_line(self._fd, self.path)
        self._torn = False

    def _follow_rotation(self) -> None:
        now = self._monotonic()
        if now - self._checked < CHECK_EVERY:
            return
        self._checked = now
        if not self._is_in_place():
            self.reopen()

    def _is_in_place(self) -> bool:
        try:
            there = self.path.stat()
        except OSError:
            return False  # renamed or removed; where it is worse, opening says so
        return os.path.samestat(there, os.fstat(self._fd))

    @contextmanager
    def _failures(self, doing: str) -> Iterator[None]:
        try:
            yield
        except OSError as problem:
            raise OutputFailed(
                f"cannot {doing} {safe_text(str(self.path))}: {problem.strerror}", _hint(problem)
            ) from problem


def _write_whole(fd: int, lines: bytes | bytearray) -> None:
    with memoryview(lines) as view:
        done = 0
        while done < len(view):
            done += os.write(fd, view[done:])


def _hint(problem: OSError) -> str:
    match problem:
        case FileNotFoundError() | NotADirectoryError() | IsADirectoryError():
            return "give the path of a file in a folder that exists"
        case PermissionError():
            return "give a path that you may write to"
    return "make room or mend the disk, then start again: the file ends with a whole line"


@contextmanager
def _locked(fd: int) -> Iterator[None]:
    """Keep other runs from appending while we append, or cut off what a dead run left."""
    # A file system without locks is no reason not to write: most files have one writer.
    with suppress(OSError):
        fcntl.flock(fd, fcntl.LOCK_EX)
    try:
        yield
    finally:
        with suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_UN)


def mend_last_line(fd: int, path: Path) -> None:
    """See to it that the file ends with a newline after what a run wrote as it was killed.

    A whole event gets its newline, half a one goes. A last line that is not ours is left
    alone: then we were given the wrong file, and OutputFailed says so.
    """
    size = os.fstat(fd).st_size
    if not size or os.pread(fd, 1, size - 1) == b"\n":
        return
    start = _start_of_last_line(fd, size)
    # After a power cut some file systems fill the end with zeros.
    tail = os.pread(fd, size - start, start).rstrip(b"\0")
    if not tail.startswith(_START[: len(tail)]):
        raise OutputFailed(
            f"{safe_text(str(path))} ends in a line that is not from privstream",
            "give `--to file:` another path, or end the file with a newline if it is the right one",
        )
    if _is_whole(tail):
        os.ftruncate(fd, start + len(tail))
        _write_whole(fd, b"\n")
    else:
        os.ftruncate(fd, start)


def _start_of_last_line(fd: int, size: int) -> int:
    end = size
    while end:
        start = max(0, end - _BLOCK)
        newline = os.pread(fd, end - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def _is_whole(line: bytes) -> bool:
    try:
        return isinstance(decode(line), dict)
    except Malformed:
        return False
