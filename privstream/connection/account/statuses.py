"""Tells in what state an account's connection is: as `status` events, for people and programs."""

from privstream.connection.clock import Clock
from privstream.connection.ports import Outlet
from privstream.exchanges.base import Exchange
from privstream.model.events import State, Status
from privstream.model.times import from_nanos

PROGRESS_EVERY = 2.0
"""Seconds from one word on how far reading back is to the next."""


class Statuses:
    """One account's; each change is told once, and `live` only when nothing is read back first."""

    def __init__(
        self, exchange: Exchange, channels: tuple[str, ...], outlet: Outlet, clock: Clock
    ) -> None:
        self._exchange = exchange
        self._channels = channels
        self._outlet = outlet
        self._clock = clock
        self._said: str | None = None
        """How far reading back was told to be, while it is not over."""
        self._said_at = 0.0

    def tell(
        self,
        state: State,
        detail: str | None = None,
        *,
        attempt: int = 0,
        retry_in: float | None = None,
    ) -> None:
        """Tell a state."""
        account = self._exchange.account
        status = Status(
            exchange=self._exchange.name,
            account=account.name,
            id=None,
            time=None,
            received=from_nanos(self._clock.now().wall_ns),
            source="stream",
            sequence=None,
            state=state,
            detail=detail,
            attempt=attempt or None,
            retry_in=None if retry_in is None else round(retry_in, 1),
        )
        self._outlet.events([status])

    def live(self, progress: str | None) -> None:
        """The stream tells; `progress` is how far what was missed has been read, if any was."""
        self._said = None
        if progress is None:
            self.tell("live", ", ".join(self._channels))
        else:
            self._say(progress)

    def goes_on(self, progress: str | None) -> None:
        """Say now and then how far reading back is, and when it is over."""
        if self._said is None or progress == self._said:
            return
        if progress is None:
            self.live(None)
        elif self._clock.now().monotonic - self._said_at >= PROGRESS_EVERY:
            self._say(progress)

    def _say(self, progress: str) -> None:
        self._said, self._said_at = progress, self._clock.now().monotonic
        self.tell("catching_up", progress)
