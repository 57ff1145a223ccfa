"""The only place that reads the time or lets time pass; everything else is handed a Clock."""

import threading
import time
from typing import Protocol

from privstream.wire import Now


class Clock(Protocol):
    """Tells the time, and waits."""

    def now(self) -> Now:
        """This moment, on both clocks."""

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Wait so long, or until `stop` is set: then true, at once."""


class SystemClock:
    """The computer's clock."""

    def now(self) -> Now:
        return Now(time.time_ns(), time.monotonic())

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        return stop.wait(seconds)
