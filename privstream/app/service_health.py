"""How a service does: what an operator is told of its accounts and sinks.

The one rule: nothing here waits or fails, and what is counted is plain numbers. The main thread
writes; who asks may be another one.
"""

import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct, field

from privstream.delivery.courier import Courier
from privstream.model.errors import PrivstreamError
from privstream.model.events import TYPES, AnyEvent, Gap, Status
from privstream.model.times import to_nanos

GRACE = 60.0
"""Seconds for which an account may be without a live connection: an ordinary reconnect is shorter."""
DRIFT_SHOWN = 15 * 60.0
"""Seconds for which it is shown that a comparison with REST found something."""
AGING = 5 * 60.0
"""Seconds for which an event may wait for a sink."""
DELAYS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds in seconds of the classes of delays."""
NO_RECONNECT = frozenset({"restart", "drift", "rest_lag"})
"""Causes of gaps that no lost connection was."""


class Reason(Struct, frozen=True, omit_defaults=True):
    """Why it is not well."""

    reason: str
    """One word: ended, mute, drift, stopped, down, aging, stuck, or of who adds some."""
    detail: str
    account: str | None = None
    sink: str | None = None


class AccountHealth(Struct):
    """What is counted of an account."""

    exchange: str
    down_since: float | None
    """Since when it has not been live (monotonic)."""
    error: str | None = None
    events: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TYPES, 0))
    reconnects: dict[str, int] = field(default_factory=dict)
    """By cause."""
    gaps: list[int] = field(default_factory=lambda: [0, 0])
    """Those that are not complete, and those that are."""
    drifts: int = 0
    drifted_at: float | None = None
    delays: list[int] = field(default_factory=lambda: [0] * (len(DELAYS) + 1))
    delay_sum: float = 0.0

    @property
    def is_live(self) -> bool:
        return self.down_since is None and self.error is None


class Health:
    """Watches a service's accounts; an `Observer` of it."""

    def __init__(
        self,
        couriers: Callable[[], Sequence[Courier]],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.accounts: dict[str, AccountHealth] = {}
        self.couriers = couriers
        self.others: list[Callable[[], Sequence[Reason]]] = []
        """Who else knows why something is not well."""
        self.monotonic = monotonic
        self._wall_ns = wall_ns

    # --- watching --------------------------------------------------------------------------

    def began(self, account: str, exchange: str, /) -> None:
        before = self.accounts.get(account)
        if before is None:
            self.accounts[account] = AccountHealth(exchange, self.monotonic())
        else:  # the counters go on
            before.down_since, before.error = self.monotonic(), None

    def take(self, account: str, events: Sequence[AnyEvent], /) -> None:
        health = self.accounts.get(account)
        if health is None:
            return  # it has left meanwhile
        for event in events:
            health.events[str(type(event).__struct_config__.tag)] += 1
            if isinstance(event, Status):
                self._hear(health, event)
            elif isinstance(event, Gap):
                self._take_gap(health, event)
            elif event.source == "stream" and event.time is not None:
                seconds = max(0, to_nanos(event.received) - to_nanos(event.time)) / 1e9
                health.delays[bisect_left(DELAYS, seconds)] += 1
                health.delay_sum += seconds

    def ended(self, account: str, error: PrivstreamError | None, /) -> None:
        if error is None:
            self.accounts.pop(account, None)
        else:
            exchange = error.exchange or ""
            self.accounts.setdefault(account, AccountHealth(exchange, None)).error = error.message

    def look(self) -> None:
        """Whoever asks looks himself."""

    def _hear(self, health: AccountHealth, status: Status) -> None:
        if status.state in {"live", "catching_up"}:
            health.down_since = None
        elif health.down_since is None:
            health.down_since = self.monotonic()

    def _take_gap(self, health: AccountHealth, gap: Gap) -> None:
        health.gaps[gap.complete] += 1
        if gap.cause == "drift":
            health.drifts += 1
            health.drifted_at = self.monotonic()
        elif gap.cause not in NO_RECONNECT:
            health.reconnects[gap.cause] = health.reconnects.get(gap.cause, 0) + 1

    # --- being asked -----------------------------------------------------------------------

    def reasons(self) -> list[Reason]:
        """Everything that is not well; from any thread."""
        found = [*self._of_accounts(), *self._of_sinks()]
        for other in self.others:
            found += other()
        return found

    def summary(self) -> str:
        """In one line, the worst first."""
        live = sum(health.is_live for health in self.accounts.copy().values())
        count = len(self.accounts)
        said = [f"{live} of {count} account{'s' * (count != 1)} live"]
        for one in self.reasons():
            who = one.account or one.sink
            said.append(f"{f'{who}: ' if who else ''}{one.reason} ({one.detail})")
        return "; ".join(said)

    def _of_accounts(self) -> Iterator[Reason]:
        now = self.monotonic()
        for name, health in self.accounts.copy().items():
            down, drifted = health.down_since, health.drifted_at
            if health.error is not None:
                yield Reason("ended", health.error, account=name)
            elif down is not None and now - down >= GRACE:
                yield Reason("mute", f"not live for {now - down:.0f} s", account=name)
            if drifted is not None and now - drifted < DRIFT_SHOWN:
                ago = f"{now - drifted:.0f} s ago"
                yield Reason("drift", f"a comparison found what was missing, {ago}", account=name)

    def _of_sinks(self) -> Iterator[Reason]:
        for courier in self.couriers():
            health = courier.health
            if courier.has_stopped:
                yield Reason("stopped", health.problem or "", sink=courier.name)
            elif not health.is_up:
                yield Reason("down", health.problem or "", sink=courier.name)
            age = (
                0.0 if health.oldest is None else (self._wall_ns() - to_nanos(health.oldest)) / 1e9
            )
            if age >= AGING:
                yield Reason("aging", f"an event has waited for {age:.0f} s", sink=courier.name)
