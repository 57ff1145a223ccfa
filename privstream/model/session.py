"""The words that protocol and connection share.

An exchange file never does I/O: it is told what happened and answers with the
values defined here. The supervisor interprets them.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, NoReturn, Protocol, TypeAlias, TypedDict, TypeVar

from msgspec import Struct

from privstream.model.events import Level, OrderStatus, PositionSide, Side, Source

T = TypeVar("T")

# --- time ------------------------------------------------------------------------------


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


# --- who -------------------------------------------------------------------------------


class Secret:
    """A text that never shows: not in a repr, a log, a traceback or a pickle."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """The text itself: at the line that signs or sends it, nowhere else."""
        return self.__text

    def __repr__(self) -> str:
        return "Secret(****)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self.__text

    def __hash__(self) -> int:
        return hash(("privstream.Secret", self.__text))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled")


@dataclass(frozen=True)
class Endpoints:
    """Where an exchange is. `ws_url` is the whole URL of the private socket."""

    rest_url: str
    ws_url: str
    history_url: str | None = None


@dataclass(frozen=True)
class Account:
    """One configured account: its name, its exchange, its credentials and options."""

    name: str
    exchange: str
    credentials: Mapping[str, Secret]
    endpoints: Endpoints
    options: Mapping[str, str] = field(default_factory=dict)
    """The exchange's own settings, like `protocol` on Kraken."""

    @property
    def api_key(self) -> Secret:
        return self.credentials["api_key"]

    @property
    def api_secret(self) -> Secret:
        return self.credentials["api_secret"]


@dataclass(frozen=True)
class Token:
    """A session token, and how long it may be used before its first use."""

    secret: Secret
    expires: float | None
    """Seconds from when it was fetched, or `None` where the exchange does not say."""
    channel: str | None = None
    """The private channel that came with the token (Indodax)."""


# --- REST ------------------------------------------------------------------------------


class HttpRequest(Struct, frozen=True):
    """One request. `path` starts with a slash and holds the query, if any."""

    method: Literal["GET", "POST"]
    path: str
    headers: Mapping[str, str] = {}
    body: bytes = b""
    base: Literal["rest_url", "history_url"] = "rest_url"

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


RestFlow: TypeAlias = Generator[Call, HttpResponse, T]
"""REST logic without I/O: yields a Call, is sent the HttpResponse, returns its result."""


class Handshake(Struct, frozen=True):
    """How the socket is dialled. No Origin header is ever sent."""

    url: str
    headers: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return f"Handshake({self.url.partition('?')[0]}, {', '.join(self.headers)})"


# --- what an exchange reports ----------------------------------------------------------


class OrderFields(TypedDict, total=False):
    """What a message says of an order: only keys it really tells. Spelled as in events.Order."""

    client_order_id: str | None
    symbol: str | None
    exchange_symbol: str | None
    side: Side | None
    order_type: str | None
    time_in_force: str | None
    status: OrderStatus
    exchange_status: str | None
    price: str | None
    stop_price: str | None
    quantity: str | None
    quote_quantity: str | None
    filled: str | None
    average_price: str | None
    cost: str | None
    fee: str | None
    fee_currency: str | None
    reason: str | None
    created: str | None


class Report(Struct, frozen=True, gc=False):
    """Something the exchange told of the account; the ledger makes events of it.

    Each kind ends with the same four: `time`, `source`, the exchange's `sequence` number,
    and the decoded JSON `element` that it was read from, for `raw`.
    """


class OrderReport(Report, frozen=True, gc=False):
    """An order, or what changed of it."""

    order_id: str
    fields: OrderFields
    time: str | None = None
    source: Source = "stream"
    sequence: int | None = None
    element: Any = None


class Fill(Report, frozen=True, gc=False):
    """One fill. `key` names it where the trade id alone does not."""

    trade_id: str
    order_id: str | None
    symbol: str | None
    exchange_symbol: str | None
    side: Side | None
    price: str | None
    quantity: str | None
    cost: str | None
    fee: str | None
    fee_currency: str | None
    client_order_id: str | None = None
    order_type: str | None = None
    liquidity: Literal["maker", "taker"] | None = None
    estimated: tuple[str, ...] = ()
    key: str | None = None
    time: str | None = None
    source: Source = "stream"
    sequence: int | None = None
    element: Any = None


class BalanceReport(Report, frozen=True, gc=False):
    """What an account holds of a currency. `key` is the exchange's id of the change, if any."""

    currency: str
    exchange_currency: str
    wallet: str | None = None
    total: str | None = None
    available: str | None = None
    hold: str | None = None
    change: str | None = None
    reason: str | None = None
    fee: str | None = None
    """What the change cost on top, to follow a total over several wallets."""
    key: str | None = None
    time: str | None = None
    source: Source = "stream"
    sequence: int | None = None
    element: Any = None


class PositionReport(Report, frozen=True, gc=False):
    """A position as it stands."""

    symbol: str | None
    exchange_symbol: str | None
    side: PositionSide
    quantity: str | None
    status: str
    position_id: str | None = None
    entry_price: str | None = None
    liquidation_price: str | None = None
    leverage: str | None = None
    unrealized_pnl: str | None = None
    time: str | None = None
    source: Source = "stream"
    sequence: int | None = None
    element: Any = None


class PriceReport(Report, frozen=True, gc=False):
    """An order book or quote."""

    symbol: str | None
    exchange_symbol: str | None
    bids: tuple[tuple[str, str], ...]
    asks: tuple[tuple[str, str], ...]
    time: str | None = None
    source: Source = "stream"
    sequence: int | None = None
    element: Any = None


class NoticeReport(Report, frozen=True, gc=False):
    """A word to the user; `code` `unrecognised` where we could not read something."""

    level: Level
    code: str | None
    text: str
    time: str | None = None
    source: Source = "stream"
    sequence: int | None = None
    element: Any = None


class Listed(Struct, frozen=True):
    """The exchange has now listed all of this kind: what it did not list is no more."""

    kind: Literal["orders", "balances", "positions"]


AnyReport: TypeAlias = (
    OrderReport | Fill | BalanceReport | PositionReport | PriceReport | NoticeReport
)

# --- what a session wants done ---------------------------------------------------------


class Send(Struct, frozen=True):
    """Send a text frame. `shown` is what a recording keeps, without secrets."""

    text: str
    shown: str | None = None

    def __repr__(self) -> str:
        return f"Send({self.text if self.shown is None else self.shown!r})"


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


Action: TypeAlias = Ask | Send | Ready | Synced | Reconnect | Reply | Listed | AnyReport


class Session(Protocol):
    """One connection's protocol state: told what happened, answers with actions."""

    def open(self, stamp: Stamp) -> Iterable[Action]:
        """The socket is open: say hello."""

    def receive(self, frame: bytes, now: Now) -> Iterator[Action]:
        """A data frame came."""

    def tick(self, now: Now) -> Iterable[Action]:
        """Time passed: application pings, deadlines. Called about twice a second."""

    def alive(self, now: Now) -> None:
        """A ping or pong of the WebSocket protocol came, which is not a frame of the exchange."""


# --- reading back ----------------------------------------------------------------------


class Known(Struct, frozen=True):
    """What the ledger holds when something must be read back; times by the exchange's clock."""

    since_ns: int
    """The last moment known whole, nanoseconds since the epoch."""
    until_ns: int
    """The moment of asking."""
    channels: tuple[str, ...]
    """What the user streams: the rest need not be read."""
    fills_since_ns: int | None = None
    """The new connection itself listed every fill since then."""
    open_orders: frozenset[str] = frozenset()
    suspects: frozenset[str] = frozenset()
    """Orders held as open that the new connection did not list."""
    symbols: frozenset[str] = frozenset()
    """Exchange symbols seen so far, for exchanges that list history per symbol."""


class Backfill(Struct, frozen=True):
    """What was read back. `complete` only where nothing can have been missed."""

    reports: tuple[AnyReport | Listed, ...]
    complete: bool
    detail: str | None = None
