"""Nonces of one API key: each larger than every one before, over all processes and threads.

The key's lock is held until the exchange has answered, since it refuses a nonce
that overtakes a larger one on the way.
"""

import fcntl
import hashlib
import os
import re
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from privstream.connection.clock import Clock
from privstream.errors import ConfigError, Interrupted, Unreachable
from privstream.wire import Now, Secret

LOCK_LIMIT = 30.0
POLL = 0.02

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_STORED = re.compile(rb"\d{20}\n")
_LENGTH = 21


class Nonces:
    """The counter of one key, in a file of the state folder."""

    def __init__(
        self,
        folder: Path,
        key: Secret,
        unit_ns: int,
        clock: Clock,
        stop: threading.Event | None = None,
    ) -> None:
        name = hashlib.sha256(key.reveal().encode()).hexdigest()[:16]
        self._path = folder / f"nonce-{name}"
        self._unit_ns = unit_ns
        self._clock = clock
        self._stop = stop or threading.Event()

    @contextmanager
    def next(self, now: Now, timeout: float = LOCK_LIMIT) -> Iterator[int]:
        """The next nonce; whoever else wants one waits until the block is left."""
        file = self._open()
        try:
            self._lock(file, timeout)
            nonce = max(_last(file) + 1, now.wall_ns // self._unit_ns)
            self._store(file, nonce)
            yield nonce
        finally:
            # Closing gives the lock back.
            os.close(file)

    def _open(self) -> int:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(self._path, _FLAGS, 0o600)
        except OSError as problem:
            raise self._unusable(problem.strerror or "no access") from problem
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise self._unusable("not a regular file")
        return file

    def _lock(self, file: int, timeout: float) -> None:
        deadline = self._clock.now().monotonic + min(timeout, LOCK_LIMIT)
        while not self._try_lock(file):
            if self._clock.now().monotonic >= deadline:
                raise Unreachable(
                    "another privstream holds the key's nonce lock",
                    "wait for it to finish, or give each program its own API key",
                )
            if self._clock.wait(POLL, self._stop):
                raise Interrupted("stopped while waiting for a nonce", cause="stopped")

    def _try_lock(self, file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as problem:
            raise self._unusable(problem.strerror or "cannot be locked") from problem
        return True

    def _store(self, file: int, nonce: int) -> None:
        try:
            os.pwrite(file, b"%020d\n" % nonce, 0)
        except OSError as problem:
            raise self._unusable(problem.strerror or "cannot be written") from problem

    def _unusable(self, why: str) -> ConfigError:
        return ConfigError(
            f"cannot keep nonces in {self._path}: {why}",
            "the state folder must be on a local disk and writable by you alone",
        )


def _last(file: int) -> int:
    """What is stored; a torn or foreign content counts as nothing: the clock is larger."""
    stored = os.pread(file, _LENGTH, 0)
    return int(stored) if _STORED.fullmatch(stored) else 0
