"""A clock for tests: waits return at once and only move its hands."""

import threading

from privstream.model.rest import Now

START_NS = 1_790_000_000_000_000_000


class FakeClock:
    def __init__(self, monotonic: float = 1000.0) -> None:
        self._wall_ns = START_NS
        self._monotonic = monotonic
        self.waits: list[float] = []
        """How long each wait was."""

    def now(self) -> Now:
        return Now(self._wall_ns, self._monotonic)

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        if stop.is_set():
            return True
        self.waits.append(seconds)
        self.advance(seconds)
        return stop.is_set()

    def advance(self, seconds: float) -> None:
        self._wall_ns += round(seconds * 1e9)
        self._monotonic += seconds

    def step_wall(self, seconds: float) -> None:
        """Somebody set the computer's clock."""
        self._wall_ns += round(seconds * 1e9)
