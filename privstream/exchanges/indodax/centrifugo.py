"""Centrifugo's JSON protocol (client protocol v2), as Indodax's private stream speaks it.

The one rule: a frame holds one or many JSON objects, one per line, and each is read by
itself. What a publication says of the account is read elsewhere.
Source: https://centrifugal.dev/docs/transports/client_protocol and Centrifugo's own server
(github.com/centrifugal/centrifugo), checked 2026-11-30.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec
from msgspec import structs

from privstream.exchanges.base import JsonSession, unrecognised
from privstream.exchanges.indodax.bookmark import Bookmark, Position
from privstream.exchanges.indodax.codes import (
    ALREADY_SUBSCRIBED,
    UNRECOVERABLE,
    UNSUBSCRIBED_STATE_INVALIDATED,
    ReconnectRule,
    error_for,
)
from privstream.exchanges.kit.fast import leave
from privstream.exchanges.kit.pulse import Pulse, Rhythm, native_ping
from privstream.model.account import Token
from privstream.model.http_errors import excerpt
from privstream.model.reports import NoticeReport
from privstream.model.rest import Now, RestFlow, Stamp
from privstream.model.session import TICK, Action, Ask, Ping, Ready, Reconnect, Send, Synced

LOGIN = 10.0  # seconds until the subscription must be acknowledged
PING = 25.0  # the server's native pings, and its `{}` unless it states another period
GRACE = 10.0
STABLE = 30.0  # seconds after which a login was no mistake
RHYTHM = Rhythm(
    # Centrifugo answers pings of the WebSocket protocol in either ping mode, and past the queue
    # in which publications wait for a client that reads slowly (handler_websocket.go).
    every=5.0,
    overtakes=True,
    login=LOGIN,
    silence=PING + GRACE,
    sign="ping",
)
MARGIN = 300.0
"""Seconds before a login runs out in which to renew it; of a short one the last fifth."""
MARGIN_PART = 5
RETRIES = 10
"""How often a renewal that fails may be tried again within the margin."""

CONNECT, SUBSCRIBE = 1, 2
"""The ids of our first two commands."""
ASKED = {CONNECT: "the login on its stream", SUBSCRIBE: "the subscription"}
HIDDEN = "<token>"


def ping(number: int) -> Iterator[Ping]:
    """Centrifugo's own `ping` command is refused here."""
    yield native_ping(number)


class Centrifugo(JsonSession):
    """One connection: login, one subscription, pings, renewal of the login."""

    def __init__(
        self,
        token: Token | None,
        bookmark: Bookmark,
        reconnect_rule: ReconnectRule,
        fetch_token: Callable[[], RestFlow[Token]],
    ) -> None:
        self._token = "" if token is None else token.secret.reveal()
        self._channel = "" if token is None else token.channel or ""
        self._bookmark = bookmark
        self._reconnect_rule = reconnect_rule
        self._fetch_token = fetch_token
        self._fresh: Token | None = None
        """A token that was fetched for the renewal and has not been sent yet."""
        self._pulse = Pulse(RHYTHM, ping)
        self._answers_pings = False
        self._ready = False
        self._ready_at: float | None = None
        self._last_id = SUBSCRIBE
        self._asked = dict(ASKED)
        self._renewals: set[int] = set()
        self._renew_at: float | None = None
        self._retry = 0.0
        self._replay_from: Position | None = None
        self._subscribed_to: Any = {}
        """What the login said of the channel, where the server subscribed to it by itself."""
        self._epoch: str | None = None
        self._offset: int | None = None

    # --- what happens ------------------------------------------------------------------

    def open(self, stamp: Stamp) -> Iterator[Action]:
        self._pulse.opened(stamp.now)
        self._bookmark.opened(stamp.now.wall_ns)
        text = connect_message(self._token, CONNECT)
        yield Send(text, shown=connect_message(HIDDEN, CONNECT))

    def receive(self, frame: bytes, now: Now) -> Iterable[Action]:
        if b"\n" not in frame and frame.strip():  # nearly always
            return super().receive(frame, now)
        return self._receive_lines(frame, now)

    def _receive_lines(self, frame: bytes, now: Now) -> Iterator[Action]:
        for line in frame.split(b"\n"):
            if line.strip():
                yield from super().receive(line, now)

    def alive(self, now: Now, pong: bytes | None = None) -> None:
        """The server's native pings, or its answer to ours: a quiet account has no other sign."""
        self._pulse.felt(now)
        self._pulse.ponged(pong)

    def patience(self, now: Now) -> float:
        return min(TICK, self._pulse.patience(now))

    def tick(self, now: Now) -> Iterator[Action]:
        yield from self._pulse.check(now, None if self._ready else "acknowledgement")
        if self._pulse.is_live:
            if self._ready_at is not None and now.monotonic - self._ready_at >= STABLE:
                self._reconnect_rule.lasted()
            yield from self._renew(now)

    @abstractmethod
    def published(self, elements: Any, offset: int | None, now: Now) -> Iterator[Action]:
        """A publication of the channel; must read whatever it is without raising."""

    # --- frames ------------------------------------------------------------------------

    def read(self, message: Any, now: Now) -> Iterator[Action]:
        self._pulse.felt(now)
        if message == {}:
            # Unasked-for, an answer is a bad request: the server would close for good.
            if self._answers_pings:
                yield Send("{}")
        elif "push" in message:
            yield from self._read_push(message["push"], message, now)
        elif "error" in message:
            yield from self._read_error(message, now)
        elif "connect" in message:
            yield from self._connected(message["connect"], now)
        elif "subscribe" in message:
            yield from self._subscribed(message["subscribe"], now)
        elif "refresh" in message:
            self._renews(message["refresh"], now)
        elif "unsubscribe" not in message:  # which we never ask for
            yield unrecognised(message, "neither a push nor a reply that is known")

    def _read_push(self, push: Any, message: Any, now: Now) -> Iterator[Action]:
        channel = push.get("channel")
        if not (channel is None or isinstance(channel, str)):
            yield unrecognised(message, "the channel of this push is no text")
            return
        if not self._is_ours(channel):
            return  # what is said in other channels, and how it is numbered, is not the account's
        if "pub" in push:
            yield from self._read_publication(push["pub"], now)
        elif "unsubscribe" in push:
            yield self._unsubscribed(push["unsubscribe"])
        elif "refresh" in push:
            self._renews(push["refresh"], now)
        elif not KNOWN_PUSHES & push.keys():
            yield unrecognised(message, "no push that is known")

    def _is_ours(self, channel: str | None) -> bool:
        """The channel of the token, or of whoever a replay without a token is of."""
        if not channel:
            return True
        return channel == self._channel if self._channel else "#" in channel

    def _unsubscribed(self, push: Any) -> Reconnect:
        """A new connection: only so is what happens meanwhile read back, or replayed."""
        if push.get("code") == UNSUBSCRIBED_STATE_INVALIDATED:
            self._bookmark.forget()
        reason = excerpt(str(push.get("reason", "")))
        detail = f"the server ended the subscription: {push.get('code', 0)} {reason}"
        return Reconnect("unsubscribed", detail.rstrip())

    def _read_error(self, message: Any, now: Now) -> Iterator[Action]:
        number, error = message.get("id"), message["error"]
        code, text = int(error["code"]), str(error.get("message", ""))
        doing = self._asked.get(number)
        if doing is None:
            yield NoticeReport(level="error", code=str(code), text=text, element=message)
        elif number in self._renewals:
            yield Reconnect("token", f"the login cannot be renewed in place: {excerpt(text)}")
        elif code == ALREADY_SUBSCRIBED:
            yield from self._subscribed(self._subscribed_to, now)
        elif code == UNRECOVERABLE and self._replay_from is not None:
            self._bookmark.forget()
            yield self._subscribe(self._next_id(doing))
        else:
            raise error_for(code, text, doing, temporary=bool(error.get("temporary")))

    # --- login and subscription ----------------------------------------------------------

    def _connected(self, reply: Any, now: Now) -> Iterator[Action]:
        period = reply.get("ping", 0)
        period = period if type(period) is int else 0
        self._answers_pings = period > 0 and reply.get("pong") is True
        silence = (period or PING) + GRACE
        self._pulse.rhythm = structs.replace(RHYTHM, silence=silence)
        self._renews(reply, now)
        subscribed = reply.get("subs")
        if isinstance(subscribed, dict) and isinstance(subscribed.get(self._channel), dict):
            self._subscribed_to = subscribed[self._channel]
        yield self._subscribe(SUBSCRIBE)

    def _subscribe(self, number: int) -> Send:
        self._replay_from = self._bookmark.told
        return Send(subscribe_message(self._channel, self._replay_from, number))

    def _next_id(self, doing: str) -> int:
        self._last_id += 1
        self._asked[self._last_id] = doing
        return self._last_id

    def _subscribed(self, reply: Any, now: Now) -> Iterator[Action]:
        since, stands = self._replay_from, _position(reply)
        if stands is not None:
            self._epoch = stands.epoch
            is_replayed = reply.get("recovered") is True
            # What is replayed counts on from where we were.
            if is_replayed and since is not None and since.epoch == stands.epoch:
                self._bookmark.recovered = True
                stands = since
            self._reached(stands.offset)
        for publication in reply.get("publications") or ():
            yield from self._read_publication(publication, now)
        if not self._ready:
            self._ready, self._ready_at = True, now.monotonic
            yield Ready()
            yield Synced()  # the stream lists nothing by itself

    # --- publications ------------------------------------------------------------------

    def _expect(self, channel: str, offset: int | None) -> None:
        """For a fast reader: it must be the account's next publication, or none is numbered."""
        is_next = offset is None or (self._offset is not None and offset == self._offset + 1)
        if not (is_next and self._is_ours(channel)):
            leave("not the next publication")

    def _read_publication(self, publication: Any, now: Now) -> Iterator[Action]:
        if not isinstance(publication, dict):
            yield unrecognised(publication, "a publication is no object")
            return
        offset, last = publication.get("offset"), self._offset
        if type(offset) is not int:
            offset = None
        yield from self.published(publication.get("data"), offset, now)
        if offset is None:
            return
        if last is not None and offset > last + 1:
            # The place stays, so that the next connection has all of it replayed.
            yield Reconnect("sequence", f"publications {last + 1} to {offset - 1} were lost")
        elif last is None or offset > last:
            self._reached(offset)

    def _reached(self, offset: int) -> None:
        self._offset = offset
        if self._epoch is not None:
            self._bookmark.reached(Position(self._epoch, offset))

    # --- renewal -----------------------------------------------------------------------

    def _renews(self, reply: Any, now: Now) -> None:
        """Plan the renewal of a login that runs out."""
        ttl = reply.get("ttl", 0)
        if reply.get("expires") is not True or type(ttl) is not int:
            self._renew_at = None
            return
        margin = min(MARGIN, ttl / MARGIN_PART)
        self._renew_at = now.monotonic + ttl - margin
        self._retry = max(margin / RETRIES, 1.0)

    def _renew(self, now: Now) -> Iterator[Action]:
        if self._fresh is not None:
            text, self._fresh = self._fresh.secret.reveal(), None
            number = self._next_id("a longer login")
            self._renewals.add(number)
            yield Send(refresh_message(text, number), shown=refresh_message(HIDDEN, number))
        elif self._renew_at is not None and now.monotonic >= self._renew_at:
            self._renew_at = now.monotonic + self._retry  # unless it works before
            yield Ask(self._fetch_fresh(), "a token to renew the login")

    def _fetch_fresh(self) -> RestFlow[tuple[()]]:
        self._fresh = yield from self._fetch_token()
        return ()


def _position(reply: Any) -> Position | None:
    """Where the channel stands, for the next connection to be replayed from there.

    Without an epoch offsets say nothing: they may be of a history that is no more.
    """
    epoch, offset = reply.get("epoch"), reply.get("offset", 0)
    is_known = isinstance(epoch, str) and epoch and type(offset) is int
    return Position(epoch, offset) if is_known and reply.get("recoverable") is True else None


KNOWN_PUSHES: frozenset[str] = frozenset({"subscribe", "join", "leave"})


def connect_message(token: str, number: int) -> str:
    return _encoded({"connect": {"token": token}, "id": number})


def subscribe_message(channel: str, since: Position | None, number: int) -> str:
    """Subscribe, with places to come back to; from a place on, to everything after it."""
    request: dict[str, Any] = {"channel": channel, "recoverable": True}
    if since is not None:
        request |= {"recover": True, "epoch": since.epoch, "offset": since.offset}
    return _encoded({"subscribe": request, "id": number})


def refresh_message(token: str, number: int) -> str:
    return _encoded({"refresh": {"token": token}, "id": number})


def _encoded(command: object) -> str:
    return msgspec.json.encode(command).decode()
