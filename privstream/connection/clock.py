"""The only place that reads the time or lets time pass; everything else is handed a Clock."""

import threading
import time
from functools import cache
from pathlib import Path
from typing import NamedTuple, Protocol

from privstream.model.rest import Now


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


class Uptime(NamedTuple):
    """How long the computer has been up, its sleep included: nobody can set this clock."""

    boot: str
    """Which boot; "" where the system does not say."""
    seconds: float


def uptime() -> Uptime:
    """This moment on the clock that all processes of one boot share."""
    # macOS has no CLOCK_BOOTTIME; there sleep is left to the wall clock.
    kind = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return Uptime(_boot(), time.clock_gettime(kind))


@cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""
