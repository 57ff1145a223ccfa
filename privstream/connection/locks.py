"""A lock file: whoever holds it is alone with what it guards, over all processes and threads.

The one rule: a planted link or pipe is refused, never followed, waited for or written to.
"""

import errno
import fcntl
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from privstream.connection.clock import Clock
from privstream.model.errors import (
    ConfigError,
    Interrupted,
    OutputFailed,
    PrivstreamError,
    Unreachable,
)

LOCK_LIMIT = 30.0
"""Seconds that anybody waits for a lock at most."""
POLL = 0.02
DISK_FAULTS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, kw_only=True)
class LockFile:
    """A file that is locked while something is done; it stays, whoever needs it next."""

    path: Path
    clock: Clock
    what: str
    """What a message says cannot be kept: "nonces in PATH"."""
    hint: str
    """What to do where the file cannot be used."""
    busy: str
    """What is said of another process that holds it for too long."""
    busy_hint: str
    stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def held(self, limit: float = LOCK_LIMIT) -> Iterator[int]:
        """The locked file, open for reading and writing; waits for it up to `limit` seconds.

        Raises Unreachable where somebody else keeps it, Interrupted when stopped, and
        ConfigError or OutputFailed where it cannot be used.
        """
        file = self._open()
        try:
            self._lock(file, limit)
            yield file
        finally:
            # Closing gives the lock back.
            os.close(file)

    def failed(self, problem: OSError, otherwise: str) -> PrivstreamError:
        """The error for what the system said: a full disk is no matter of configuration."""
        why = problem.strerror or otherwise
        if problem.errno in DISK_FAULTS:
            return OutputFailed(f"cannot keep {self.what}: {why}", "make room there, and try again")
        return self.unusable(why)

    def unusable(self, why: str) -> ConfigError:
        """The error for a file that cannot be used."""
        return ConfigError(f"cannot keep {self.what}: {why}", self.hint)

    def _open(self) -> int:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(self.path, _FLAGS, 0o600)
        except OSError as problem:
            raise self.failed(problem, "no access") from problem
        if strange := strangeness(os.fstat(file)):
            os.close(file)
            raise self.unusable(strange)
        return file

    def _lock(self, file: int, limit: float) -> None:
        deadline = self.clock.now().monotonic + min(limit, LOCK_LIMIT)
        while not self._try_lock(file):
            if self.clock.now().monotonic >= deadline:
                raise Unreachable(self.busy, self.busy_hint)
            if self.clock.wait(POLL, self.stop):
                raise Interrupted("stopped while waiting for another process", cause="stopped")

    def _try_lock(self, file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as problem:
            raise self.failed(problem, "cannot be locked") from problem
        return True


def strangeness(status: os.stat_result) -> str | None:
    """Why an open file is not one that we made, or `None` where it may be."""
    if not stat.S_ISREG(status.st_mode):
        return "not a regular file"
    if status.st_uid != os.geteuid():
        return "the file belongs to another user"
    if status.st_nlink > 1:
        # Somebody's file may have been linked here, to have it written to.
        return "the file has a second name (a hard link)"
    return None
