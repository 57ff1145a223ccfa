"""What a session wants done: an exchange's answers to what happened on its socket.

An exchange file never does I/O: it is told what happened and answers with the
values defined here. The supervisor interprets them.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeAlias

from msgspec import Struct

from privstream.model.reports import AnyReport, Listed
from privstream.model.rest import Now, RestFlow, Stamp


class Handshake(Struct, frozen=True):
    """How the socket is dialled. No Origin header is ever sent."""

    url: str
    headers: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return f"Handshake({self.url.partition('?')[0]}, {', '.join(self.headers)})"


class Send(Struct, frozen=True):
    """Send a text frame. `shown` is what a recording keeps, without secrets."""

    text: str
    shown: str | None = None

    def __repr__(self) -> str:
        return f"Send({self.text if self.shown is None else self.shown!r})"


class Ping(Struct, frozen=True):
    """Send a ping of the WebSocket protocol; its answer repeats the payload."""

    payload: bytes


class Delivered(Struct, frozen=True):
    """The exchange has sent us everything that it had to tell before this moment."""

    until: Now
    """When the ping was sent that has been answered since."""


class Ready(Struct, frozen=True):
    """Login and every subscription were acknowledged."""


class Synced(Struct, frozen=True):
    """Everything the exchange tells by itself after a subscription has been told."""


class Reconnect(Struct, frozen=True):
    """This connection is no good any more. `cause` is the word for the `gap` event."""

    cause: str
    detail: str
    floor: float = 0.0


class Ask(Struct, frozen=True):
    """Read something over REST now, between frames; what it brings is taken like a frame's."""

    flow: RestFlow[tuple[Any, ...]]
    """Brings reports and lists."""
    what: str
    """What a message calls it: "the balances"."""


class Reply(Struct, frozen=True):
    """The exchange's answer to a request of ours; its kinds are where the request's are."""

    request: int
    """Our number for the request."""


Action: TypeAlias = (
    Ask | Send | Ping | Delivered | Ready | Synced | Reconnect | Reply | Listed | AnyReport
)


TICK = 0.5
"""Seconds: how often a session looks at the clock that does not know better."""


class Session(Protocol):
    """One connection's protocol state: told what happened, answers with actions."""

    def open(self, stamp: Stamp) -> Iterable[Action]:
        """The socket is open: say hello."""

    def receive(self, frame: bytes, now: Now) -> Iterable[Action]:
        """A data frame came."""

    def tick(self, now: Now) -> Iterable[Action]:
        """Time passed: application pings, deadlines. Called after every read, see `patience`."""

    def patience(self, now: Now) -> float:  # noqa: ARG002 - most look often enough
        """Seconds until it must look at the clock again, unless something comes."""
        return TICK

    def alive(self, now: Now, pong: bytes | None = None) -> None:
        """A ping of the WebSocket protocol came, or a pong with this payload: no data frame."""


Tap: TypeAlias = Callable[[str, str], None]
"""Sees every frame without its secrets: `in` or `out`; and `open` when a connection begins."""
