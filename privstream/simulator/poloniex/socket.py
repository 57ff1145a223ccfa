"""The private socket: login by a message, subscriptions, JSON pings from the client.

The one rule: nothing is told before the login was answered, and the server never
asks whether the client is still there: it ends a session that was silent.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, TypeAlias

from privstream.model import exact
from privstream.model.rest import Now
from privstream.simulator.base import Close, Connection, Out, Text
from privstream.simulator.poloniex.keys import Key, is_count
from privstream.simulator.poloniex.stream import Push, Stream
from privstream.simulator.poloniex.words import OPENING, SYMBOLS

SILENCE = 30.0  # seconds without a word from the client
LOGIN_TAKES = 0.005  # seconds; what is sent meanwhile comes too early
MOST_REQUESTS = 500  # in a second
MOST_SEATS = 5  # sockets of one user that are told of orders
VACANT = 2.0  # seconds after which a socket that nobody serves any more has left its seat
CUT = 1006
CHANNELS = ("orders", "balances")
ALL = frozenset(SYMBOLS)
FIELDS = frozenset({"event", "channel", "symbols", "params"})
LOGIN_FIELDS = frozenset({"key", "signTimestamp", "signature"})
SIGNING_FIELDS = frozenset({"signatureMethod", "signatureVersion"})
UNAUTHENTICATED = "user must be authenticated!"
MAINTENANCE = "Platform in maintenance mode"
Message: TypeAlias = Mapping[str, Any]
Sixth: TypeAlias = Literal["refused", "deaf"]


class PoloniexRefused(Exception):
    """The message is answered with this error, which names neither a channel nor an id."""


class OrderListeners:
    """Who is told of orders. Nobody knows what the real one does with a sixth socket."""

    def __init__(self, sixth: Sixth | None) -> None:
        self._sixth = sixth
        self._taken: dict[PoloniexSocket, float] = {}

    def take(self, socket: "PoloniexSocket", now: Now) -> bool:
        """Whether the socket is told of orders. Raises PoloniexRefused for a sixth one."""
        self._taken = {s: seen for s, seen in self._taken.items() if seen + VACANT > now.monotonic}
        others = self._taken.keys() - {socket}
        if self._sixth is None or len(others) < MOST_SEATS:
            self._taken[socket] = now.monotonic
            return True
        if self._sixth == "refused":
            raise PoloniexRefused(f"Exceeded the limit of {MOST_SEATS} connections per user")
        return False

    def keep(self, socket: "PoloniexSocket", now: Now) -> None:
        if socket in self._taken:
            self._taken[socket] = now.monotonic

    def leave(self, socket: "PoloniexSocket") -> None:
        self._taken.pop(socket, None)


class PoloniexSocket(Connection):
    """One private socket."""

    def __init__(
        self,
        advance: Callable[[Now], Stream],
        key: Key,
        listeners: OrderListeners,
        in_maintenance: Callable[[], bool],
        *,
        limits: bool,
    ) -> None:
        self._advance, self._key, self._listeners = advance, key, listeners
        self._in_maintenance, self._limits = in_maintenance, limits
        self._authenticated = False
        self._logins: list[tuple[float, bool]] = []
        self._subscribed: dict[str, frozenset[str]] = {}
        """The symbols, or currencies, that each channel tells of."""
        self._deaf = False
        self._told = 0
        self._heard_at = self._counted_at = 0.0
        self._requests = 0

    def opened(self, now: Now) -> Iterable[Out]:
        self._heard_at = now.monotonic
        return ()

    def received(self, text: str, now: Now) -> Iterable[Out]:
        self._heard_at = now.monotonic
        frames = [*self._login_replies(now), *self._news(now)]
        try:
            frames += self._replies(_message(text), now)
        except PoloniexRefused as refusal:
            frames.append({"event": "error", "message": str(refusal)})
        return _texts(frames)

    def tick(self, now: Now) -> Iterable[Out]:
        if now.monotonic - self._heard_at >= SILENCE:
            return [Close(CUT)]
        self._listeners.keep(self, now)
        return _texts([*self._login_replies(now), *self._news(now)])

    def closed(self, now: Now) -> None:  # noqa: ARG002 - a seat is free at once
        self._listeners.leave(self)

    # --- what the client says ----------------------------------------------------------

    def _replies(self, message: Message, now: Now) -> Iterator[object]:
        self._count(now)
        event = message.get("event")
        if event == "ping":
            yield {"event": "pong"}
            return
        if unknown := message.keys() - FIELDS:
            raise PoloniexRefused(f"Invalid parameter {min(unknown)}")
        if self._in_maintenance():
            raise PoloniexRefused(MAINTENANCE)
        match event:
            case "subscribe" if message.get("channel") == ["auth"]:
                self._log_in(message.get("params"), now)
            case "subscribe" | "unsubscribe":
                yield from self._change(event, message, now)
            case "unsubscribe_all" | "list_subscriptions":  # documented without their replies
                self._check_login()
                yield {"event": event, "subscriptions": list(self._subscribed)}
                if event == "unsubscribe_all":
                    self._subscribed.clear()
                    self._listeners.leave(self)
            case _:
                raise PoloniexRefused(f"Invalid event value {json.dumps(event)}")

    def _count(self, now: Now) -> None:
        if now.monotonic - self._counted_at >= 1:
            self._counted_at, self._requests = now.monotonic, 0
        self._requests += 1
        if self._limits and self._requests > MOST_REQUESTS:
            raise PoloniexRefused("Too many requests")

    # --- login -------------------------------------------------------------------------

    def _log_in(self, params: Any, now: Now) -> None:
        if not isinstance(params, dict) or not params.keys() >= LOGIN_FIELDS:
            raise PoloniexRefused("Invalid auth params")
        if params.keys() - LOGIN_FIELDS - SIGNING_FIELDS:
            raise PoloniexRefused("Invalid auth params")
        timestamp = params["signTimestamp"]
        text = str(timestamp) if type(timestamp) is int else timestamp
        if not is_count(text):
            raise PoloniexRefused("Invalid signTimestamp")
        good = self._key.logs_in(params, text, now)
        self._logins.append((now.monotonic + LOGIN_TAKES, good))

    def _login_replies(self, now: Now) -> Iterator[object]:
        while self._logins and self._logins[0][0] <= now.monotonic:
            _, good = self._logins.pop(0)
            ts = now.wall_ns // 1_000_000
            self._authenticated = self._authenticated or good
            if good:
                yield {"channel": "auth", "data": {"success": True, "ts": ts}}
            else:
                refusal = {"success": False, "message": "Authentication failed!", "ts": ts}
                yield {"data": refusal, "channel": "auth"}

    def _check_login(self) -> None:
        if not self._authenticated:
            raise PoloniexRefused(UNAUTHENTICATED)

    # --- subscriptions -----------------------------------------------------------------

    def _change(self, event: str, message: Message, now: Now) -> Iterator[object]:
        channels = message.get("channel")
        if (
            not isinstance(channels, list)
            or not channels
            or not set(CHANNELS) >= _texts_of(channels)
        ):
            raise PoloniexRefused(f"Invalid channel value {json.dumps(channels)}")
        self._check_login()
        symbols = _symbols(message) if "orders" in channels else frozenset()
        if event == "subscribe" and "orders" in channels:
            self._deaf = not self._listeners.take(self, now)
        for channel in channels:
            self._set(event, channel, symbols)
            spelled = ["ALL"] if symbols == ALL else sorted(symbols)
            named = {"symbols": spelled} if channel == "orders" else {}
            yield {"event": event, "channel": channel, **named}

    def _set(self, event: str, channel: str, symbols: frozenset[str]) -> None:
        before = self._subscribed.pop(channel, frozenset())
        subjects = symbols if channel == "orders" else frozenset(OPENING)
        after = before | subjects if event == "subscribe" else before - subjects
        if after:
            self._subscribed[channel] = after
        elif channel == "orders":
            self._listeners.leave(self)

    # --- what is told ------------------------------------------------------------------

    def _news(self, now: Now) -> Iterator[object]:
        stream = self._advance(now)
        pushes = stream.after(self._told) if self._subscribed else ()
        self._told = stream.top
        for push in pushes:
            if self._listens_to(push):
                yield {"channel": push.channel, "data": push.items}

    def _listens_to(self, push: Push) -> bool:
        if push.channel == "orders" and self._deaf:
            return False
        return push.subject in self._subscribed.get(push.channel, ())


def _message(text: str) -> Message:
    try:
        message = exact.decode(text)
    except exact.Malformed:
        message = None
    if not isinstance(message, dict):
        raise PoloniexRefused("Invalid message")
    return message


def _symbols(message: Message) -> frozenset[str]:
    symbols = message.get("symbols")
    if not isinstance(symbols, list) or not symbols:
        raise PoloniexRefused("Symbols required")
    names = _texts_of(symbols)
    if {name.lower() for name in names} == {"all"}:
        return ALL
    if not SYMBOLS.keys() >= names:
        raise PoloniexRefused(f"Invalid symbols value {json.dumps(symbols)}")
    return frozenset(names)


def _texts_of(values: list[Any]) -> set[str]:
    return {value if isinstance(value, str) else json.dumps(value) for value in values}


def _texts(frames: Iterable[object]) -> list[Out]:
    return [Text(exact.encode(frame).decode()) for frame in frames]
