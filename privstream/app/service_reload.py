"""SIGHUP: the settings of a running service are read anew.

The one rule: they are read in a thread of their own, since a secret may take its time, and used in
the main thread, all of them or none.
"""

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar

from privstream.model.errors import PrivstreamError
from privstream.outputs.service_manager import ServiceManager

T = TypeVar("T")


class Reloading(Generic[T]):
    """Reads when asked, one reading at a time; who asks meanwhile is answered by one more."""

    def __init__(
        self,
        manager: ServiceManager,
        *,
        read: Callable[[], T],
        use: Callable[[T], None],
        fail: Callable[[PrivstreamError], None],
        do: Callable[[Callable[[], None]], None],
    ) -> None:
        """`read` runs in a thread of its own; `use` and `fail` where `do` has things done."""
        self._manager = manager
        self._read = read
        self._use = use
        self._fail = fail
        self._do = do
        self._lock = threading.Lock()
        self._is_busy = True
        self._is_asked = False

    def begin(self) -> None:
        """The service has started; who asked before is answered now."""
        self._over()

    def ask(self) -> None:
        """From any thread."""
        with self._lock:
            if self._is_busy:
                self._is_asked = True
                return
            self._is_busy = True
        self._start()

    def _start(self) -> None:
        self._manager.reloading(time.monotonic())
        threading.Thread(target=self._run, name="reload", daemon=True).start()

    def _run(self) -> None:
        try:
            found = self._read()
        except PrivstreamError as problem:
            self._do(partial(self._finish, partial(self._fail, problem)))
        except BaseException as bug:  # noqa: BLE001 - raised again by the main thread
            self._do(partial(_raise, bug))
        else:
            self._do(partial(self._finish, partial(self._use, found)))

    def _finish(self, deed: Callable[[], None]) -> None:
        """In the main thread."""
        deed()
        self._manager.ready()
        self._over()

    def _over(self) -> None:
        with self._lock:
            again, self._is_asked = self._is_asked, False
            self._is_busy = again
        if again:
            self._start()


def _raise(bug: BaseException) -> None:
    raise bug
