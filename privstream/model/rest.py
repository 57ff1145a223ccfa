"""REST without I/O: requests and answers as values, flows as generators."""

from collections.abc import Callable, Generator, Mapping
from typing import Literal, NamedTuple, TypeAlias, TypeVar

from msgspec import Struct

from privstream.model.errors import PrivstreamError
from privstream.model.reports import AnyReport, Listed

T = TypeVar("T")


class Now(NamedTuple):
    """One moment on both clocks: never mix them."""

    wall_ns: int
    """Nanoseconds since the epoch: for signatures and time stamps."""
    monotonic: float
    """Seconds on a clock that only runs forward: for every deadline."""


class Stamp(NamedTuple):
    """What a request is stamped with at the moment it is sent."""

    now: Now
    nonce: int
    """Larger than every one before it for this key; 0 where the call asked for none."""


class HttpRequest(Struct, frozen=True):
    """One request. `path` starts with a slash and holds the query, if any."""

    method: Literal["GET", "POST"]
    path: str
    headers: Mapping[str, str] = {}
    body: bytes = b""
    base: Literal["rest_url", "history_url", "api_url"] = "rest_url"

    def __repr__(self) -> str:
        # Key and signature stand in the headers, with Indodax in the body too.
        return f"HttpRequest({self.method} {self.path}, {', '.join(self.headers)})"


class HttpResponse(Struct, frozen=True):
    """One answer, whatever its status; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        # It may bring a token.
        return f"HttpResponse({self.status}, {len(self.body)} bytes)"


class Call(Struct, frozen=True):
    """A request that is built, and signed, only at the moment it is sent."""

    build: Callable[[Stamp], HttpRequest]
    name: str
    """What messages call it: "GetWebSocketsToken"."""
    nonce: bool = False
    """Takes a nonce: then one lock per key is held until the exchange has answered."""
    cost: float = 1.0
    """What it costs of the exchange's request budget (`Limits.rest_budget`)."""
    after: PrivstreamError | None = None
    """The passing error that this call was answered with before. Whoever runs the flow performs
    it again after a while, or throws the error into the flow."""
    reached: str | None = None
    """The time of the last fact that the flow has read before it."""
    found: tuple[AnyReport | Listed, ...] = ()
    """What the flow has read since its last call, and returns in the end as well."""


RestFlow: TypeAlias = Generator[Call, HttpResponse, T]
"""REST logic without I/O: yields a Call, is sent the HttpResponse, returns its result."""
