"""Being told to stop: by a signal, by a time limit, or by whoever uses us as a library.

The one rule: no exception comes out of a signal handler, which may run at any line, in the middle
of a lock too. A thread of its own hears of the signals and tells everybody; the main thread looks
where it can stop. A run that does not get there ends all the same, after its last words.

Ctrl-C, SIGTERM and SIGHUP end a run; a second one ends it at once. SIGHUP reopens files where
there are some. What was ignored at the start (`nohup`, `&` in a script) stays ignored.
"""

import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Self

GRACE = 1.3
"""Seconds that a run has to end by itself."""
AT_ONCE = 0.1
"""Seconds that it has left when it is told a second time."""
CLOSING = 0.4
"""Of these so many are kept for what comes last: memories to close, sentences to say."""
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LOOK = 250
"""Milliseconds: how often somebody who waits for a reader looks at the time."""
_WOKEN = 0
"""No signal's number: somebody changed when the thread has to act."""


class Stopped(BaseException):
    """The run was told to stop. Raised where the main thread looks, never by a handler."""


class Stop:
    """Whether a run was told to stop, and how long it has to get there."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.by: signal.Signals | None = None
        """The signal that said it, if it was one."""
        self._deadline = float("inf")
        self._ends = float("inf")
        self._callbacks: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._reader, self._writer = os.pipe()
        self.code: Callable[[], int] = lambda: 1
        """The exit code of a run that does not end by itself; `last_words` says why before."""
        self.last_words: Callable[[], None] = _nothing
        self.reopen: Callable[[], None] | None = None
        """What SIGHUP does instead, where there are files to reopen; another thread calls it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._reader)
        os.close(self._writer)

    @property
    def fd(self) -> int:
        """Readable from the moment at which the run was told to stop."""
        return self._reader

    @contextmanager
    def hearing(self, obeyed: Mapping[signal.Signals, Callable[[], None]]) -> Iterator[None]:
        """In the block these signals are obeyed too; another thread calls it."""
        del obeyed  # there is nobody who hears
        yield

    def put_aside(self) -> None:
        """Stop the process, as Ctrl-Z does; returns when it goes on."""

    def is_told(self) -> bool:
        """Whether it is time to end."""
        if time.monotonic() >= self._ends:
            self.tell()
        return self.event.is_set()

    def check(self) -> None:
        """Raise Stopped where it is time to end; whoever goes on for long calls it now and then."""
        if self.is_told():
            raise Stopped

    def left(self) -> float:
        """Seconds that the reader may still take."""
        return self._deadline - CLOSING - time.monotonic()

    def patience(self, fd: int) -> bool:
        """Wait until the reader of a descriptor takes something; false where it is too late."""
        both = select.poll()
        both.register(fd, select.POLLOUT)
        both.register(self._reader, select.POLLIN)
        while not self.is_told():
            if any(ready == fd for ready, _ in both.poll(LOOK)):
                return True
        left = self.left()
        both.unregister(self._reader)
        return left > 0 and bool(both.poll(left * 1000))

    def wait_while_read(self, fd: int) -> None:
        """Wait until it is time to end, or until the reader of a descriptor has left."""
        both = select.poll()
        both.register(fd, 0)  # a reader who has left is always reported
        both.register(self._reader, select.POLLIN)
        both.poll()

    def end_after(self, seconds: float) -> None:
        """Tell it so long from now."""
        self._ends = time.monotonic() + seconds

    def tell(self, by: signal.Signals | None = None) -> None:
        """The run shall end; the second time at once."""
        now = time.monotonic()
        with self._lock:
            if self.event.is_set():
                self._deadline = min(self._deadline, now + AT_ONCE)
                return
            self.by, self._deadline, self._ends = by, now + GRACE, float("inf")
            self.event.set()
            callbacks, self._callbacks = self._callbacks, []
        os.write(self._writer, b"!")
        for callback in callbacks:
            callback()

    def when_told(self, callback: Callable[[], None]) -> None:
        """Call it when the run is told to stop, from another thread; now, if it was."""
        with self._lock:
            if not self.event.is_set():
                self._callbacks.append(callback)
                return
        callback()


class Signals(Stop):
    """The signals of this process. One at a time, made in the main thread."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers, self._wakeup = os.pipe()
        os.set_blocking(self._numbers, False)
        os.set_blocking(self._wakeup, False)
        self._is_over = False
        self._obeyed: Mapping[signal.Signals, Callable[[], None]] = {}
        self._thread = threading.Thread(target=self._serve, name="signals", daemon=True)

    def __enter__(self) -> Self:
        self._before = {
            number: signal.getsignal(number)
            for number in ENDING
            if signal.getsignal(number) is not signal.SIG_IGN
        }
        self._woken_before = signal.set_wakeup_fd(self._wakeup, warn_on_full_buffer=False)
        for number in self._before:
            signal.signal(number, _noted)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._woken_before)
        self._is_over = True
        self._wake()
        self._thread.join()
        os.close(self._numbers)
        os.close(self._wakeup)
        super().__exit__()

    @contextmanager
    def hearing(self, obeyed: Mapping[signal.Signals, Callable[[], None]]) -> Iterator[None]:
        before = {
            number: signal.signal(number, _noted)
            for number in obeyed
            if signal.getsignal(number) is not signal.SIG_IGN
        }
        self._obeyed = obeyed
        try:
            yield
        finally:
            self._obeyed = {}
            for number, handler in before.items():
                signal.signal(number, handler)

    def put_aside(self) -> None:
        handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, handler)

    def end_after(self, seconds: float) -> None:
        super().end_after(seconds)
        self._wake()

    def over(self) -> None:
        """The run has ended; no signal shall change its exit code while the interpreter ends."""
        # It would give them back to the system, which kills.
        for number in self._before:
            signal.signal(number, signal.SIG_IGN)

    def _wake(self) -> None:
        os.write(self._wakeup, bytes([_WOKEN]))

    def _serve(self) -> None:
        poll = select.poll()
        poll.register(self._numbers, select.POLLIN)
        while not self._is_over:
            poll.poll(self._milliseconds())
            for number in self._came():
                self._obey(number)
            self.is_told()  # the time may be over
            if time.monotonic() >= self._deadline:
                self._leave()

    def _milliseconds(self) -> float | None:
        """Until something is to be done without a signal."""
        due = min(self._ends, self._deadline)
        return None if due == float("inf") else max(0.0, due - time.monotonic()) * 1000 + 1

    def _came(self) -> bytes:
        with suppress(BlockingIOError):
            return os.read(self._numbers, 512)
        return b""

    def _obey(self, number: int) -> None:
        if number == signal.SIGHUP and self.reopen is not None:
            self.reopen()
        elif number in ENDING:
            self.tell(signal.Signals(number))
        elif number in self._obeyed:
            self._obeyed[signal.Signals(number)]()

    def _leave(self) -> None:
        # A reader who does not read stderr holds up nothing.
        speaker = threading.Thread(target=self._say_last, name="last words", daemon=True)
        speaker.start()
        speaker.join(AT_ONCE)
        os._exit(self.code())

    def _say_last(self) -> None:
        with suppress(OSError):  # closed, full or gone
            self.last_words()


def _nothing() -> None:
    pass


def _noted(_number: int, _frame: FrameType | None) -> None:
    """The interpreter has written the number into our pipe already."""
