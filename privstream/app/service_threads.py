"""Whether the threads of a service turn: what its watchdog and /livez mean by being alive.

The one rule: an exchange or a sink that is away is no reason. Who waits on purpose, or for others
to take what he has, turns.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from privstream.delivery.courier import Courier
from privstream.delivery.stream import Turns
from privstream.outputs.sinks.webhook import AT_ONCE

STUCK = 180.0
"""Seconds without a turn: dialling, a login, a look-up and a delivery end by themselves before."""
MAIN_STUCK = 60.0
"""Of the main thread, which waits for disks at the most."""


class Threads:
    """Looks at the counts of all threads; belongs to the main thread, whose own turns it sees."""

    def __init__(
        self,
        accounts: Callable[[], Mapping[str, Turns]],
        couriers: Callable[[], Sequence[Courier]],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._accounts = accounts
        self._couriers = couriers
        self._monotonic = monotonic
        self._seen: dict[str, tuple[int, float]] = {}
        """By thread: its count, and since when it may be blamed for it."""
        self._looked = monotonic()
        self._stuck: tuple[str, ...] = ()

    def look(self) -> bool:
        """Whether all turn."""
        now = self._looked = self._monotonic()
        seen, stuck = {}, []
        for name, turns, patience in self._counts():
            count, since = self._seen.get(name, (turns.count, now))
            since = max(now if turns.count != count else since, turns.rests_until)
            seen[name] = (turns.count, since)
            if now - since >= patience:
                stuck.append(name)
        self._seen, self._stuck = seen, tuple(stuck)
        return not stuck

    def _counts(self) -> Iterator[tuple[str, Turns, float]]:
        for name, turns in self._accounts().items():
            yield f"account {name}", turns, STUCK
        for courier in self._couriers():
            if not courier.has_stopped:  # else it is not well, and no thread is to turn
                patience = max(STUCK, 2 * AT_ONCE * courier.patience)
                yield f"sink {courier.name}", Turns(courier.turns, 0.0), patience

    def stuck(self) -> list[str]:
        """The threads that do not turn; from any thread."""
        main = ["main"] if self._monotonic() - self._looked >= MAIN_STUCK else []
        return [*main, *self._stuck]
