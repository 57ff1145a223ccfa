"""A few bytes that all who count together change one after the other: in memory, or in a file.

The one rule: what cannot be kept is never a reason to stop; then each process counts for itself.
"""

import os
import threading
from collections.abc import Callable
from typing import Protocol, TypeVar

from privstream.connection.locks import LockFile
from privstream.model.errors import ConfigError, OutputFailed, Unreachable

T = TypeVar("T")
Change = Callable[[bytes], tuple[bytes, T]]
"""From what is kept to what is to be kept, and what that means to whoever asked."""

LIMIT = 1.0
"""Seconds that a file may be locked by others; they hold it for microseconds."""
LARGEST = 64 * 1024


class ByteStore(Protocol):
    """Keeps a few bytes."""

    def change(self, by: Change[T]) -> T:
        """Change what is kept; nobody else does meanwhile."""


class MemoryByteStore:
    """Shared by the threads of this process."""

    def __init__(self) -> None:
        self._kept = b""
        self._lock = threading.Lock()

    def change(self, by: Change[T]) -> T:
        with self._lock:
            self._kept, meaning = by(self._kept)
        return meaning


class FileByteStore:
    """Shared by all processes of this user."""

    def __init__(self, file: LockFile) -> None:
        self._file = file
        self._alone = MemoryByteStore()

    def change(self, by: Change[T]) -> T:
        try:
            with self._file.held(LIMIT) as file:
                kept, meaning = by(os.pread(file, LARGEST, 0))
                self._write(file, kept)
        except (ConfigError, OutputFailed, Unreachable):
            return self._alone.change(by)
        return meaning

    def _write(self, file: int, kept: bytes) -> None:
        try:
            os.pwrite(file, kept, 0)
            os.ftruncate(file, len(kept))
        except OSError as problem:
            raise self._file.failed(problem, "cannot be written") from problem
