"""Nonces of one API key: each larger than every one before, over all processes and threads.

The key's lock is held until the exchange has answered, since it refuses a nonce
that overtakes a larger one on the way.
"""

import hashlib
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from privstream.connection.clock import Clock
from privstream.connection.locks import LOCK_LIMIT, LockFile
from privstream.model.account import Secret
from privstream.model.errors import Unreachable
from privstream.model.rest import Now

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
        path = folder / f"nonce-{name}"
        self._unit_ns = unit_ns
        self._lock = LockFile(
            path=path,
            clock=clock,
            what=f"nonces in {path}",
            hint="the state folder must be on a local disk and writable by you alone",
            busy="another privstream holds the key's nonce lock",
            busy_hint="wait for it to finish, or give each program its own API key",
            stop=stop or threading.Event(),
        )

    @contextmanager
    def next(self, now: Now, timeout: float = LOCK_LIMIT) -> Iterator[int]:
        """The next nonce; whoever else wants one waits until the block is left."""
        with self._lock.held(timeout) as file:
            nonce = max(_last(file) + 1, now.wall_ns // self._unit_ns)
            self._store(file, nonce)
            yield nonce

    def _store(self, file: int, nonce: int) -> None:
        try:
            os.pwrite(file, b"%020d\n" % nonce, 0)
        except OSError as problem:
            raise self._lock.failed(problem, "cannot be written") from problem


class NoncesInMemory:
    """The counter of a key that nobody else has."""

    def __init__(self, unit_ns: int) -> None:
        self._unit_ns = unit_ns
        self._last = 0
        self._lock = threading.Lock()

    @contextmanager
    def next(self, now: Now, timeout: float = LOCK_LIMIT) -> Iterator[int]:
        """The next nonce; whoever else wants one waits until the block is left."""
        if not self._lock.acquire(timeout=timeout):
            raise Unreachable("the nonces of this key are in use")
        try:
            self._last = max(self._last + 1, now.wall_ns // self._unit_ns)
            yield self._last
        finally:
            self._lock.release()


def _last(file: int) -> int:
    """What is stored; a torn or foreign content counts as nothing: the clock is larger."""
    stored = os.pread(file, _LENGTH, 0)
    return int(stored) if _STORED.fullmatch(stored) else 0
