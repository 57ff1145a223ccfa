"""The questions that a new exchange must answer.

The one rule of this folder: no socket, thread, clock, random number or logger.
Time comes in as `now`, secrets as `Account`, REST goes out as `RestFlow`.
What several exchanges share is in `kit`: pings that prove what was delivered, reading back
in parts, answers, tables of refusals. A module here names its class `EXCHANGE`; nothing else lists it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, Literal, TypeVar

from msgspec import Struct, structs

from privstream.exchanges.kit.describing import described
from privstream.exchanges.kit.fast import LEFT_TO_GENERAL, leave, may_be_blank
from privstream.model.account import Account, Endpoints, Token
from privstream.model.errors import PermissionMissing, PrivstreamError, UsageError
from privstream.model.exact import Malformed, Unreadable, decode
from privstream.model.nearest import channel_meant
from privstream.model.order_entry import OrderEntry
from privstream.model.reports import AnyReport, Backfill, BalanceReport, Known, NoticeReport
from privstream.model.rest import HttpResponse, Now, RestFlow, Stamp
from privstream.model.session import TICK, Action, Ask, Handshake, Session

Element = TypeVar("Element")
Item = TypeVar("Item")

MALFORMED = (KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError)
"""What reading an element of the wrong shape raises."""


class Option(Struct, frozen=True):
    """A setting of one exchange: `--NAME` on the command line, NAME in the config file."""

    name: str
    choices: tuple[str, ...]
    default: str
    help: str


class Limits(Struct, frozen=True, kw_only=True):
    """What the exchange allows and what proves life there; each with its source."""

    connects: tuple[int, float]
    """So many connection attempts in so many seconds."""
    rest_budget: tuple[float, float]
    """The cost that may be spent at once, and what grows back per second."""
    rest_per_address: bool = False
    """The exchange counts requests by address; else by key."""
    rest_lag: float
    """For so many seconds REST may still tell yesterday's state."""
    login: float = 10.0
    """Seconds from the open socket until every subscription is acknowledged."""
    nonce_unit: int = 1
    """Nanoseconds per step of the nonce (1 = nanoseconds, 1000 = microseconds)."""


class Right(Struct, frozen=True):
    """A right of an API key; `held` is `None` where the exchange does not tell."""

    name: str
    """In the exchange's words."""
    held: bool | None = None
    use: Literal["read", "trade", "withdraw"] = "read"
    without: str | None = None
    """Of a right to read: what a stream lacks without it."""
    refusal: str | None = None
    hint: str | None = None
    """What the exchange said where a call was refused, and what may mend it."""
    kind: str | None = None
    """Of which kind the key is, where the exchange has several."""


class Exchange(ABC):
    """One account's exchange, as its documents have it."""

    name: ClassVar[str]
    title: ClassVar[str]
    """As the exchange writes itself."""
    channels: ClassVar[tuple[str, ...]]
    """All that can be asked for, in the order of the help text."""
    symbol_channels: ClassVar[tuple[str, ...]] = ()
    """Those of `channels` that are subscribed per symbol; `account.symbols` has them."""
    extra_channels: ClassVar[tuple[str, ...]] = ()
    """Those of `channels` that are not streamed unless named."""
    options: ClassVar[tuple[Option, ...]] = ()
    credentials: ClassVar[tuple[str, ...]] = ("api_key", "api_secret")
    optional_credentials: ClassVar[tuple[str, ...]] = ()
    env_prefixes: ClassVar[tuple[str, ...]] = ()
    """Further prefixes of its environment variables, besides its name in capitals."""
    rights: ClassVar[tuple[str, ...]] = ()
    """The rights that a key should have for watching, in the exchange's words."""
    keys_page: ClassVar[str | None] = None
    """Where its users make their keys: an address, or in words."""
    base64_credentials: ClassVar[frozenset[str]] = frozenset()
    """Credentials that it gives out as base64 text."""
    open_path: ClassVar[str | None] = None
    """A path of `rest_url` that answers everybody at little cost, for the time of its answer."""
    clock_limits: ClassVar[tuple[float, float] | None] = None
    """Seconds that our clock may run behind and ahead; beyond, signatures are refused."""
    login_nonce: ClassVar[bool] = False
    """The login on the socket takes a nonce of the key's counter."""
    snapshot_over_rest: ClassVar[bool] = False
    """The stream lists nothing by itself: `picture` is read after the first login."""
    lists_fills: ClassVar[bool] = False
    """The stream lists the latest fills by itself, those of before the connection too."""
    polls_balances: ClassVar[bool] = False
    """Balances are read over REST, so a new one is no sign that the stream lost something."""
    order_id_form: ClassVar[tuple[str, str]] = (r"\S+", "")
    """What every order id matches (a regular expression), and an example of one."""
    look_up_limit: ClassVar[str] = ""
    """Which orders `look_up` cannot find although there were such, as a sentence."""
    numbers_frames: ClassVar[bool] = False
    """A lost frame shows by the number of the next one; else only by comparing with REST."""
    balance_digits: ClassVar[int | None] = None
    """Decimals to which `balances_now` rounds what the stream tells whole."""
    limits: Limits
    """Of the exchange; an account may come to have its own."""

    def __init__(self, account: Account) -> None:
        self.account = account

    @classmethod
    @abstractmethod
    def endpoints(cls, options: Mapping[str, str]) -> Endpoints:
        """Where the real exchange is, given its own options."""

    @classmethod
    def check_endpoints(cls, endpoints: Endpoints, options: Mapping[str, str]) -> None:
        """Raise ConfigError where a configured URL does not fit the options."""

    def select(self, channels: Iterable[str]) -> tuple[str, ...]:
        """The channels to stream for what the user named; none named means the usual ones."""
        named = tuple(dict.fromkeys(channels))
        for channel in named:
            if channel not in self.channels:
                message = f"{self.title} has no channel {channel!r}"
                known = f"its channels are: {', '.join(self.channels)}"
                raise UsageError(message, channel_meant(channel, self.channels, known))
        return named or tuple(c for c in self.channels if c not in self.extra_channels)

    @classmethod
    def symbol_of(cls, text: str) -> str | None:
        """The unified symbol for any spelling of it here, `BTC/EUR`; `None` where it is no market's.

        Found without asking the exchange, so it may name a market that is not there. Symbols are
        compared without regard to capitals.
        """
        base, slash, quote = text.upper().partition("/")
        return f"{base}/{quote}" if base and slash and quote and "/" not in quote else None

    @classmethod
    def has_token(cls) -> bool:
        """Whether a connection takes a token: where one does, its exchange says how to get it."""
        return cls.fetch_token is not Exchange.fetch_token

    def fetch_token(self) -> RestFlow[Token | None]:
        """The token for one connection, where the exchange wants one."""
        return None
        yield

    def closed(self, code: int, reason: str) -> PrivstreamError | None:
        """What a close frame means here; `None` where one just connects again."""

    def no_socket(self, answer: HttpResponse, signed: Now) -> PrivstreamError | None:  # noqa: ARG002 - it has none
        """What an HTTP answer to the handshake means here; `None` where one just dials again.

        `signed` is when the handshake was signed.
        """
        return None

    @abstractmethod
    def handshake(self, stamp: Stamp) -> Handshake:
        """How to dial the private socket; headers are signed afresh for every dial."""

    @abstractmethod
    def session(self, token: Token | None, channels: tuple[str, ...]) -> Session:
        """One connection's state machine."""

    @abstractmethod
    def backfill(self, known: Known) -> RestFlow[Backfill]:
        """Read back what happened since, in parts that stand alone (`kit.reading_back`)."""

    def picture(self, channels: tuple[str, ...]) -> RestFlow[Backfill]:  # noqa: ARG002 - it tells nothing
        """What stands of these channels: open orders, and balances where the stream has none.

        Source `snapshot`. Read after the first login where the stream lists nothing by itself,
        and now and then to compare the stream with.
        """
        return Backfill((), complete=True)
        yield

    def first_question(self) -> Ask | None:
        """What is read over REST beside the first connection's stream, if anything."""
        return None

    def balances_now(self) -> RestFlow[tuple[BalanceReport, ...]]:
        """Totals over REST of balances that the stream tells, where `picture` has none.

        Source `rest`. Only for comparing: what cannot be compared truthfully is left out.
        """
        return ()
        yield

    def is_streamed(self, report: AnyReport) -> bool:
        """Whether the stream tells such; where not, that REST tells it is no sign of a loss."""
        return not (self.polls_balances and isinstance(report, BalanceReport))

    @property
    def order_entry(self) -> OrderEntry | None:
        """How orders are placed here, where the exchange's documents for this stream say it."""
        return None

    @abstractmethod
    def look_up(self, order_ids: Iterable[str]) -> RestFlow[tuple[AnyReport, ...]]:
        """The whole of these orders, over REST."""

    def rights_of_key(self) -> RestFlow[tuple[Right, ...]]:
        """What the key may do, found out by calls that change nothing; () where none is known."""
        return ()
        yield


class JsonSession(ABC):
    """A session whose frames are JSON; what cannot be read becomes a notice, here and only here."""

    frames_are_objects: ClassVar[bool] = True
    """A list is no frame of this exchange's."""

    def receive(self, frame: bytes, now: Now) -> Iterable[Action]:
        """Read a frame: one that comes often at once, any other with care."""
        if may_be_blank(frame):
            return self._read_any(frame, now)
        try:
            return self.read_fast(frame, now)
        except LEFT_TO_GENERAL:
            return self._read_any(frame, now)

    def patience(self, now: Now) -> float:  # noqa: ARG002 - most look often enough
        """Seconds until it must look at the clock again, unless something comes."""
        return TICK

    def read_fast(self, frame: bytes, now: Now) -> Iterable[Action]:  # noqa: ARG002 - it knows none
        """Read a frame of the kinds that come most, as `read` would, or raise (`kit.fast`)."""
        leave("there is no fast reader")

    def _read_any(self, frame: bytes, now: Now) -> Iterator[Action]:
        try:
            message = decode(frame)
        except Malformed as problem:
            yield unrecognised(
                frame.decode("utf-8", "replace"), f"cannot read this frame: {problem}"
            )
            return
        try:
            if self.frames_are_objects and isinstance(message, list):
                raise Unreadable("it is a list, not an object")
            yield from self.read(message, now)
        except MALFORMED as problem:
            yield unrecognised(message, f"cannot read this frame: {described(problem, message)}")

    def alive(self, now: Now, pong: bytes | None = None) -> None:
        """Native pings and pongs: no sign of life, unless the exchange has no other."""

    @abstractmethod
    def read(self, message: Any, now: Now) -> Iterator[Action]:
        """Answer a decoded frame; may raise what MALFORMED lists."""


def probed(right: Right, call: RestFlow[object]) -> RestFlow[Right]:
    """The right, which a harmless call that takes it proves."""
    try:
        yield from call
    except PermissionMissing as problem:
        return structs.replace(right, held=False, refusal=problem.message, hint=problem.hint)
    return structs.replace(right, held=True)


def unrecognised(element: Any, why: str, sequence: int | None = None) -> NoticeReport:
    """The notice for something that could not be read; `raw` always goes with it."""
    return NoticeReport(
        level="warning", code="unrecognised", text=why, sequence=sequence, element=element
    )


def each(
    elements: Iterable[Element],
    read: Callable[[Element], Iterator[Item]],
    sequence: int | None = None,
) -> Iterator[Item | NoticeReport]:
    """Read every element; one that cannot be read becomes a notice, its neighbours stay whole."""
    for element in elements:
        try:
            reports = list(read(element))
        except MALFORMED as problem:
            why = f"cannot read this element: {described(problem, element)}"
            yield unrecognised(element, why, sequence)
        else:
            yield from reports
