"""What a durable sink is: something that is given rows again until it has taken them.

The one rule: `deliver` returns only when every row is where it belongs. A row may come twice
(after a crash between delivery and acknowledgement), so a sink uses what names it to drop it.
"""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from msgspec import Struct


class Row(Struct, frozen=True, gc=False):
    """One event of an account's outbox."""

    exchange: str
    account: str
    spool: str
    """Which outbox: a state file that was deleted and made anew counts from 1 again."""
    number: int
    """Its place in the outbox: rising, never used twice in a spool."""
    type: str
    event: str | None
    """The event's id; gaps, notices, statuses and prices have none."""
    line: bytes
    """The event as it was printed, without its line end."""

    @property
    def name(self) -> str:
        """What names the row: the event's id, or its place where it has none."""
        return self.event or f"{self.account}:{self.spool}:{self.number}"


class Retry(Exception):
    """It could not be delivered now: give it again.

    `delivered` rows of the batch were; the rest is owed. `after`: not before so many seconds,
    as the other side says. `is_settled`: only a person can mend it, so say it at once.
    """

    def __init__(
        self, why: str, *, delivered: int = 0, after: float | None = None, is_settled: bool = False
    ) -> None:
        super().__init__(why)
        self.why = why
        self.delivered = delivered
        self.after = after
        self.is_settled = is_settled


class Rejected(Exception):
    """The row after `delivered` others is refused for good: it goes to the dead letters."""

    def __init__(self, why: str, *, delivered: int, attempts: int = 1) -> None:
        super().__init__(why)
        self.why = why
        self.delivered = delivered
        self.attempts = attempts


class Sink(Protocol):
    """Takes rows; one thread calls it."""

    def deliver(self, rows: Sequence[Row], /) -> None:
        """Deliver all, in order. Raises Retry, Rejected, or OutputFailed: never try again."""

    def close(self) -> None:
        """Let go of what is held open."""


@runtime_checkable
class Connecting(Protocol):
    """A sink that is somewhere else, where somebody decides whom he lets in."""

    def connect(self) -> None:
        """Get in before there is anything to deliver. Raises Retry, or ConfigError: we may not."""


@runtime_checkable
class OneByOne(Protocol):
    """A sink that takes its time for each row: it is given fewer at once, and turns meanwhile."""

    @property
    def at_once(self) -> int:
        """How many rows."""
