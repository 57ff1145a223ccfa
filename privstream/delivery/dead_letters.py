"""Where events go that a sink refuses for good, so that a person can look at them.

The one rule: a dead letter is on the disk before its row is let go.
"""

import os
import time
from pathlib import Path

from privstream.model.errors import OutputFailed
from privstream.model.exact import encode
from privstream.model.times import from_nanos
from privstream.outputs.sinks.base import Row


class LetterFile:
    """Dead letters of one sink as JSON lines, in a file that only its owner reads."""

    def __init__(self, path: Path, sink: str) -> None:
        self._path = path
        self._sink = sink

    def keep(self, row: Row, why: str, attempts: int) -> None:
        """Write it down. Raises OutputFailed."""
        head = {
            "sink": self._sink,
            "why": why,
            "attempts": attempts,
            "at": from_nanos(time.time_ns()),
        }
        text = b'{"event":' + row.line + b"," + encode(head)[1:] + b"\n"
        try:
            fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.write(fd, text)
                os.fsync(fd)
            finally:
                os.close(fd)
        except OSError as problem:
            raise OutputFailed(
                f"cannot write the dead letters of {self._sink} to {self._path}: {problem.strerror}",
                "name another file with dead_letter, or make room",
            ) from problem
