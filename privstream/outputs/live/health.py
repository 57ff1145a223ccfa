"""How one account's connection is, in numbers that fit into a line. Pure."""

from collections import deque
from datetime import datetime
from math import inf

from privstream.model.events import AnyEvent, Gap, State, Status

KEPT = 60
"""Seconds in which something came, of which the lag is remembered."""
UP: frozenset[State] = frozenset({"live", "catching_up"})
UNNOTICED = frozenset({"restart", "drift"})
"""Causes of gaps that no loss of the connection went before."""
_SECOND = len("2026-11-20T11:32:00")
_DATED = len("2026-11-20T11:32:00.123456Z")


class Health:
    """One account's; told of everything that happens to it."""

    def __init__(self, account: str) -> None:
        self.account = account
        self.state: State = "connecting"
        self.detail: str | None = None
        self.attempt: int | None = None
        self.retry_at = inf
        """When the next attempt is due (monotonic); infinite where none is planned."""
        self.heard: float | None = None
        """When anything came from the exchange (monotonic), signs of life included."""
        self.was_up = False
        self.reconnects = 0
        self.gaps = 0
        self.incomplete = 0
        """Of the gaps."""
        self.open_gaps = 0
        """Interruptions of which it is not told yet whether all was read back."""
        self.events = 0
        self.lags: deque[tuple[str, float]] = deque(maxlen=KEPT)
        """Seconds in which something came, each with the worst lag of it."""

    @property
    def is_up(self) -> bool:
        """What it shows is how it stands now."""
        return self.state in UP

    def update(self, status: Status, now: float) -> None:
        """The connection does something else now."""
        if self.is_up and status.state not in UP:
            self.open_gaps += 1
        if status.state in UP:
            self.reconnects += self.was_up and not self.is_up
            self.was_up = True
        self.state, self.detail, self.attempt = status.state, status.detail, status.attempt
        self.retry_at = inf if status.retry_in is None else now + status.retry_in

    def ended(self, why: str) -> None:
        """The account streams no more in this run."""
        self.state, self.detail, self.retry_at = "stopped", why, inf

    def take(self, event: AnyEvent) -> None:
        """An event of the account came."""
        self.events += 1
        if isinstance(event, Gap):
            self.gaps += 1
            self.incomplete += not event.complete
            if event.cause not in UNNOTICED:
                self.open_gaps = max(0, self.open_gaps - 1)
        elif event.source == "stream" and event.time is not None:
            self._measure(event.time, event.received)

    def _measure(self, happened: str, received: str) -> None:
        if len(happened) != _DATED or len(received) != _DATED:
            return  # a year of five digits: no lag that anybody would want to see
        lag = _seconds_between(happened, received)
        second = received[:_SECOND]
        if self.lags and self.lags[-1][0] == second:
            lag = max(lag, self.lags.pop()[1])
        self.lags.append((second, lag))


def _seconds_between(start: str, end: str) -> float:
    if start[:_SECOND] == end[:_SECOND]:  # nearly always, and far quicker
        return (int(end[_SECOND + 1 : -1]) - int(start[_SECOND + 1 : -1])) / 1e6
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
