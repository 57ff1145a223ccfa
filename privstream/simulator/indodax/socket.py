"""Centrifugo's client protocol v2 (JSON), as the server of the private channel speaks it.

The one rule: what a client may not say closes the socket with the real server's code;
a mistake that can be answered is answered, and the socket goes on.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from privstream.model import exact
from privstream.model.rest import Now
from privstream.simulator.base import Close, Connection, Out, Ping, Text
from privstream.simulator.indodax.stream import Publication, Stream
from privstream.simulator.indodax.tokens import Claims, Invalid, Tokens

NAMESPACE = "pws"
OTHER_CHANNEL = "pws:announcements"
PING = 25.0  # seconds from one ping to the next
PONG_WAIT = 8.0  # for the answer to a `{}`
FRAME_PONG_WAIT = PING * 10 / 9  # silence after which the socket is cut, measured
STALE = 10.0  # for a socket to log in
EXPIRED_CLOSE_DELAY = 25  # seconds that an ended token is overlooked
MOST_IN_FRAME = 16
COMMANDS = frozenset(
    {
        "connect",
        "subscribe",
        "unsubscribe",
        "refresh",
        "publish",
        "presence",
        "presence_stats",
        "history",
        "rpc",
        "send",
    }
)
FORBIDDEN = frozenset({"publish", "presence", "presence_stats", "history"})


class Disconnect(Exception):
    """The socket is closed with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.close = Close(code, reason)


class StreamRefused(Exception):
    """The command is answered with this error."""

    def __init__(self, code: int, message: str, *, temporary: bool = False) -> None:
        super().__init__(message)
        self.error: dict[str, Any] = {"code": code, "message": message}
        if temporary:  # left out where it is false
            self.error["temporary"] = True


class Recovery(Struct, frozen=True):
    """The channel's history: its epoch, and how many publications it holds; 0 means none.

    Replies speak of it only to a client that asked for a channel that is `recoverable`.
    """

    epoch: str
    size: int
    beside: bool = False
    """The server subscribes the user to a channel of its own too, with a place of its own."""


class CentrifugoSocket(Connection):
    """One socket; `native` where the client asked for pings of the WebSocket protocol."""

    def __init__(
        self,
        advance: Callable[[Now], Stream],
        tokens: Tokens,
        recovery: Recovery,
        client: str,
        *,
        native: bool,
    ) -> None:
        self._advance, self._tokens, self._recovery = advance, tokens, recovery
        self._client, self._native = client, native
        self._claims: Claims | None = None
        self._unusable = False  # after a refused login
        self._told: int | None = None  # the offset told last, while subscribed
        self._opened_at = self._pinged_at = self._ponged_at = 0.0
        self._awaits_pong = False
        self._beside = 1_000_000  # the place of the other channel

    # --- what the server asks ----------------------------------------------------------

    def opened(self, now: Now) -> Iterable[Out]:
        self._opened_at = self._pinged_at = self._ponged_at = now.monotonic
        return ()

    def received(self, text: str, now: Now) -> Iterable[Out]:
        if self._unusable:
            return []
        replies: list[object] = []
        try:
            for line in filter(str.strip, text.split("\n")):
                replies += self._answers(_command(line), now)
        except Disconnect as end:
            return [*_frames(replies), end.close]
        return _frames([*replies, *self._news(now)])

    def tick(self, now: Now) -> Iterable[Out]:
        end = self._end(now)
        if end is not None:
            return [end]
        messages = list(self._news(now))
        if self._claims is None or now.monotonic - self._pinged_at < PING:
            return _frames(messages)
        self._pinged_at = now.monotonic
        if self._native:
            return [*_frames(messages), Ping()]
        self._awaits_pong = True
        return _frames([*messages, {}])

    def ponged(self, now: Now) -> None:
        self._ponged_at = now.monotonic

    # --- time --------------------------------------------------------------------------

    def _end(self, now: Now) -> Close | None:
        """Why the socket must be closed now, if it must."""
        if self._native and now.monotonic - self._ponged_at >= FRAME_PONG_WAIT:
            return Close(1006)
        if self._claims is None:
            late = now.monotonic - self._opened_at >= STALE
            return Close(3502, "stale") if late else None
        if self._awaits_pong and now.monotonic - self._pinged_at >= PONG_WAIT:
            return Close(3012, "no pong")
        ended = self._tokens.has_ended(self._claims)
        if ended or self._claims.ttl(now) <= -EXPIRED_CLOSE_DELAY:
            return Close(3005, "connection expired")
        return None

    # --- commands ----------------------------------------------------------------------

    def _answers(self, command: Mapping[str, Any], now: Now) -> Iterator[object]:
        if self._unusable:
            return
        if self._claims is None and "connect" not in command:
            raise _bad_request()
        number = command.get("id", 0)
        if number == 0 and "send" not in command:
            self._take_pong()
            return
        name = next((name for name in command if name in COMMANDS), None)
        if name is None or not isinstance(command[name], dict):
            raise _bad_request()
        try:
            yield {"id": number, name: self._perform(name, command[name], now)}
        except StreamRefused as refusal:
            self._unusable = name == "connect"
            yield {"id": number, "error": refusal.error}

    def _take_pong(self) -> None:
        if not self._awaits_pong:
            raise _bad_request()
        self._awaits_pong = False

    def _perform(self, name: str, request: Mapping[str, Any], now: Now) -> object:
        if name == "connect":
            return self._connect(request, now)
        if name == "subscribe":
            return self._subscribe(request, self._advance(now))
        if name == "unsubscribe":
            return self._unsubscribe(request)
        if name == "refresh":
            return self._refresh(request, now)
        if name in FORBIDDEN:
            raise StreamRefused(103, "permission denied")
        if name == "rpc":
            raise StreamRefused(108, "not available")
        raise Disconnect(3508, "not available")

    def _connect(self, request: Mapping[str, Any], now: Now) -> object:
        if self._claims is not None:
            raise _bad_request()
        claims = self._read(request)
        if claims.ttl(now) <= 0 or self._tokens.has_ended(claims):
            raise StreamRefused(109, "token expired")
        if self._tokens.refuses_once:
            self._tokens.refuses_once = False
            raise StreamRefused(100, "internal server error", temporary=True)
        self._claims = claims
        self._pinged_at = now.monotonic
        reply = {"client": self._client, "version": "5.2.0", "expires": True}
        reply |= {"ttl": claims.ttl(now)}
        if self._recovery.beside:
            place = {"recoverable": True, "epoch": "other", "offset": self._beside}
            reply["subs"] = {OTHER_CHANNEL: place}
        return reply if self._native else reply | {"ping": int(PING), "pong": True}

    def _refresh(self, request: Mapping[str, Any], now: Now) -> object:
        claims = self._read(request)
        if claims.ttl(now) <= 0 or self._tokens.has_ended(claims):
            raise Disconnect(3005, "connection expired")
        self._claims = claims
        return {"expires": True, "ttl": claims.ttl(now)}

    def _read(self, request: Mapping[str, Any]) -> Claims:
        token = request.get("token", "")
        if not isinstance(token, str) or not token:
            raise _bad_request()
        try:
            claims = self._tokens.read(token)
        except Invalid:
            raise Disconnect(3500, "invalid token") from None
        if claims.user != self._tokens.user:
            raise Disconnect(3500, "invalid token")
        return claims

    # --- the channel -------------------------------------------------------------------

    @property
    def _channel(self) -> str:
        return f"{NAMESPACE}:#{self._tokens.user}"

    def _subscribe(self, request: Mapping[str, Any], stream: Stream) -> object:
        channel = _channel_of(request)
        namespace, colon, _ = channel.partition(":")
        if colon and namespace != NAMESPACE:
            raise StreamRefused(102, "unknown channel")
        if channel != self._channel:
            raise StreamRefused(103, "permission denied")
        if self._told is not None:
            raise StreamRefused(105, "already subscribed")
        self._told = stream.top
        asked = request.get("recoverable") is True or request.get("recover") is True
        return self._position(request, stream) if self._recovery.size and asked else {}

    def _unsubscribe(self, request: Mapping[str, Any]) -> object:
        if _channel_of(request) == self._channel:
            self._told = None
        return {}

    def _position(self, request: Mapping[str, Any], stream: Stream) -> object:
        """Where the channel stands, and what the client missed where that is still known."""
        reply: dict[str, Any] = {"recoverable": True, "epoch": self._recovery.epoch}
        offset = request.get("offset", 0)
        recovers = request.get("recover") is True
        missed = self._missed(request.get("epoch"), offset, stream) if recovers else None
        if missed:
            reply["publications"] = [self._publication(one) for one in missed]
        if missed is not None:
            reply["recovered"] = True
        if stands := offset if missed else stream.top:  # a zero is left out
            reply["offset"] = stands
        reply["positioned"] = True
        return reply | ({"was_recovering": True} if recovers else {})

    def _missed(self, epoch: Any, offset: Any, stream: Stream) -> Sequence[Publication] | None:
        behind = stream.top - offset if isinstance(offset, int) else -1
        if epoch != self._recovery.epoch or not 0 <= behind <= self._recovery.size:
            return None
        return stream.after(offset)

    def _news(self, now: Now) -> Iterator[object]:
        stream = self._advance(now)
        if self._told is None:
            return
        for publication in stream.after(self._told):
            if self._recovery.beside:
                yield self._of_another_channel(publication)
            self._told = publication.offset
            push = {"channel": self._channel, "pub": self._publication(publication)}
            yield {"push": push}

    def _of_another_channel(self, publication: Publication) -> object:
        """The same words in a channel that is not the account's, numbered on its own."""
        self._beside += 3
        pub = {"data": publication.events, "offset": self._beside}
        return {"push": {"channel": OTHER_CHANNEL, "pub": pub}}

    def _publication(self, publication: Publication) -> dict[str, Any]:
        shown: dict[str, Any] = {"data": publication.events}
        return shown | ({"offset": publication.offset} if self._recovery.size else {})


def _bad_request() -> Disconnect:
    return Disconnect(3501, "bad request")


def _command(line: str) -> dict[str, Any]:
    try:
        command = exact.decode(line)
    except exact.Malformed:
        raise _bad_request() from None
    number = command.get("id", 0) if isinstance(command, dict) else None
    if type(number) is not int or number < 0:
        raise _bad_request()
    return dict(command)


def _channel_of(request: Mapping[str, Any]) -> str:
    channel = request.get("channel", "")
    if not isinstance(channel, str) or not channel:
        raise _bad_request()
    return channel


def _frames(messages: Sequence[object]) -> list[Out]:
    """Messages wait for one another: up to 16 share a frame, a line each."""
    lines = [exact.encode(message).decode() for message in messages]
    starts = range(0, len(lines), MOST_IN_FRAME)
    return [Text("\n".join(lines[start : start + MOST_IN_FRAME])) for start in starts]
