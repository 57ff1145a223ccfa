"""The protocols by which the rest of the program sees the connections, and tests replace them."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

from privstream.connection.clock import Clock
from privstream.connection.rest.job import Job, Manner
from privstream.model.account import Token
from privstream.model.events import AnyEvent
from privstream.model.rest import RestFlow
from privstream.model.session import Handshake, Tap

T = TypeVar("T")


def _unsaid(_text: str) -> None:
    pass


REQUEST_LIMIT = 60.0
"""Seconds for a whole REST flow, unless told otherwise."""


class Wire(Protocol):
    """The open socket."""

    def controls(self) -> Sequence[bytes | None]:
        """What came since of the WebSocket protocol itself: `None` a ping, else a pong's payload."""

    def receive(self, timeout: float) -> list[bytes]:
        """All data frames there are; waits so long for the first."""

    def send(self, text: str) -> None:
        """Send a text frame."""

    def ping(self, payload: bytes) -> None:
        """Send a ping of the WebSocket protocol."""


class Outlet(Protocol):
    """Where events go; blocks while the reader is slow."""

    @property
    def takes_frames(self) -> bool:
        """Frames are wanted too: each with the events that it made, which go nowhere else."""

    def events(self, events: list[AnyEvent]) -> None:
        """Deliver events."""

    def frames(self, told: list[tuple[bytes, list[AnyEvent]]]) -> None:
        """Deliver frames as they came, with their events."""

    def whole(self, wall_ns: int) -> None:
        """Until this moment, by the exchange's clock, nothing is missing from what was delivered."""


class Socket(Wire, Protocol):
    """A socket, before and after it is dialled."""

    def open(self, handshake: Handshake) -> None:
        """Dial; bounded in time."""

    def close(self) -> None:
        """Say goodbye; bounded in time."""

    def abort(self) -> None:
        """Free a blocked reader at once; from any thread."""


class RestRunner(Protocol):
    """Runs REST flows for somebody who waits."""

    @property
    def skew_ns(self) -> int:
        """How far the exchange's clock is ahead of ours, as far as answers told."""

    def run(
        self,
        flow: RestFlow[T],
        *,
        idle: Callable[[], None] | None = None,
        deadline: float = REQUEST_LIMIT,
    ) -> T:
        """Drive a flow to its result, in so many seconds."""


class RestClient(RestRunner, Protocol):
    """Runs REST flows, and looks after several at once."""

    def start(self, flow: RestFlow[T], manner: Manner) -> Job[T]:
        """Put a flow on its way, to be polled beside other things."""


class Life(NamedTuple):
    """How long a token may still be used before its first use; `None` where nobody knows."""

    expires_at: int | None
    """Nanoseconds since the epoch."""
    ttl: float | None
    """Seconds."""
    renewed: bool
    """Fetched by this very call."""


class TokenSource(Protocol):
    """Where a supervisor gets its tokens."""

    def get(self, min_ttl: float, *, other_than: Token | None = None) -> tuple[Token, Life]:
        """A token with so many seconds of life, where the exchange gives such out."""

    def refused(self, token: Token) -> None:
        """The exchange does not take it, whatever the clock says."""


@dataclass(frozen=True, kw_only=True)
class AccountPorts:
    """What a stream and a short command both need of the world, for one account."""

    clock: Clock
    socket: Callable[[], Socket]
    nonce: Callable[[], AbstractContextManager[int]]
    note: Callable[[str], None] = _unsaid
    """Takes details for a person who asked for more."""
    tap: Tap | None = None
