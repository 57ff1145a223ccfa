"""The private socket: login, then subscriptions, then pushes and pings.

The one rule: nothing is subscribed before the login's success has come, and nothing is
ready before every channel has been acknowledged by itself. Source:
https://api-docs.poloniex.com/spot/websocket, checked 2026-11-20.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import msgspec

from privstream.exchanges.base import JsonSession, each, unrecognised
from privstream.exchanges.kit.pulse import Pulse, Rhythm
from privstream.exchanges.poloniex import balances, fast, names, orders
from privstream.exchanges.poloniex.balances import Holdings
from privstream.exchanges.poloniex.fill_keys import FillKeys
from privstream.exchanges.poloniex.refusals import complaint, login_refused, words_of
from privstream.exchanges.poloniex.rest import millis, sign
from privstream.model.account import Account, Secret
from privstream.model.exact import Unreadable, kind_of
from privstream.model.reports import AnyReport, NoticeReport
from privstream.model.rest import Now, Stamp
from privstream.model.session import Action, Ready, Reconnect, Send, Synced

LOGIN = 10.0
"""Seconds from the open socket to the last acknowledgement: live, each takes some 10 ms."""
RHYTHM = Rhythm(
    # Only the client pings, and a session in which it said nothing for 30 s ends without a word.
    # Silence of the account proves nothing, and its news prove little: every ping must be
    # answered, since what hides a pong hides fills too.
    every=10.0,
    patience=30.0,
    answer=8.0,  # the documents state none; live it is a round trip
    login=LOGIN,
)
CONNECTIONS = "the channel orders serves 5 connections per user: are there others?"


def ping(_number: int) -> Iterator[Send]:
    """Its answer has no number."""
    yield Send('{"event":"ping"}')


class PoloniexSession(JsonSession):
    """One connection. `keys` and `holdings` outlive it: REST tells of the same facts."""

    def __init__(
        self, account: Account, channels: tuple[str, ...], keys: FillKeys, holdings: Holdings
    ) -> None:
        self._account = account
        self._holdings = holdings
        self._keys = keys
        self._wanted = subscriptions(channels)
        self._acknowledged: set[str] = set()
        self._pulse = Pulse(RHYTHM, ping)
        self._is_logged_in = False
        self._is_ready = False
        self._readers: dict[str, Callable[[Any], Iterator[AnyReport]]] = {
            "orders": partial(orders.read_push, keys=keys),
            "balances": partial(balances.read_push, holdings=holdings),
        }

    def open(self, stamp: Stamp) -> Iterator[Action]:
        self._pulse.opened(stamp.now)
        self._holdings.connected()
        key, timestamp = self._account.api_key, millis(stamp.now)
        signed = login_signature(self._account.api_secret, timestamp)
        yield Send(
            login_message(key.reveal(), timestamp, signed),
            shown=login_message("<key>", timestamp, "<signature>"),
        )

    def patience(self, now: Now) -> float:
        return self._pulse.patience(now)

    def tick(self, now: Now) -> Iterable[Action]:
        awaited = None if self._is_ready else f"answer to {self._doing()}"
        return self._pulse.check(now, awaited)

    def read_fast(self, frame: bytes, now: Now) -> Iterable[Action]:  # noqa: ARG002 - it needs none
        return fast.read(frame, self._keys, self._holdings)

    def read(self, message: Any, now: Now) -> Iterator[Action]:
        # An acknowledgement names its channel too.
        if "event" in message:
            yield from self._read_event(names.word(message["event"]), message)
        else:
            yield from self._read_channel(names.word(message["channel"]), message, now)

    # --- events ------------------------------------------------------------------------

    def _read_event(self, event: str, message: dict[str, Any]) -> Iterator[Action]:
        if event == "subscribe":
            yield from self._read_acknowledgement(message["channel"])
        elif event == "error":
            yield from self._read_complaint(message)
        elif event == "unsubscribe":
            yield from self._read_end(message["channel"])
        elif event == "pong":
            self._pulse.answered()
        else:
            yield unrecognised(message, f"no event that is known: {event}")

    def _read_acknowledgement(self, channel: str) -> Iterator[Action]:
        self._acknowledged.add(names.word(channel))
        if self._acknowledged.issuperset(self._wanted) and not self._is_ready:
            self._is_ready = True
            yield Ready()
            yield Synced()  # it lists nothing by itself

    def _read_end(self, channel: str) -> Iterator[Action]:
        """We never unsubscribe: a channel that ends would leave us blind."""
        if self._pulse.is_live and names.word(channel) in self._wanted:
            yield Reconnect("unsubscribed", f"Poloniex ended the channel {channel}")

    def _read_complaint(self, message: dict[str, Any]) -> Iterator[Action]:
        """It names no channel: before all is acknowledged, it is what we just asked for."""
        text = words_of(message)
        if not text:
            raise Unreadable("no words")
        if self._is_ready or not self._pulse.is_live:
            yield NoticeReport(level="error", code="error", text=text, element=message)
        if not self._pulse.is_live:  # a replay tells what went wrong, and goes on
            return
        if not self._is_logged_in:
            raise login_refused(text)
        raise complaint(text, None if self._is_ready else self._doing())

    def _doing(self) -> str:
        """What waits for an answer, in words."""
        if not self._is_logged_in:
            return "the login"
        missing = [name for name in self._wanted if name not in self._acknowledged]
        hint = f" ({CONNECTIONS})" if "orders" in missing else ""
        return f"the subscription to {' and '.join(missing)}{hint}"

    # --- channels ----------------------------------------------------------------------

    def _read_channel(self, channel: str, message: dict[str, Any], now: Now) -> Iterator[Action]:
        if channel == "auth":
            yield from self._read_login(message, now)
        elif channel in self._readers:
            yield from each(elements(message), self._readers[channel])
        else:
            yield unrecognised(message, f"no channel that is known: {channel}")

    def _read_login(self, message: dict[str, Any], now: Now) -> Iterator[Action]:
        answer = message["data"]
        if answer.get("success") is True:
            yield from self._subscribe(now)
            return
        problem = login_refused(words_of(answer))
        if self._pulse.is_live:
            raise problem
        # A replay tells what went wrong, and goes on.
        yield NoticeReport(level="error", code="auth", text=problem.message, element=message)

    def _subscribe(self, now: Now) -> Iterator[Action]:
        if self._is_logged_in:
            return
        self._is_logged_in = True
        self._pulse.spoke(now)
        for channel in self._wanted:
            yield Send(subscribe_message(channel))


def elements(message: dict[str, Any]) -> list[Any]:
    """The items of a push: one in all that was seen, but in a list."""
    items = message["data"]
    if isinstance(items, dict):
        return [items]
    if not isinstance(items, list):
        raise Unreadable(f"it is {kind_of(items)}, not a list", items)
    return items


def subscriptions(channels: Iterable[str]) -> tuple[str, ...]:
    """The wire's channels for ours: fills come with orders."""
    wire = {"orders": "orders", "trades": "orders", "balances": "balances"}
    return tuple(dict.fromkeys(wire[channel] for channel in channels))


def login_signature(secret: Secret, timestamp: str) -> str:
    """The path in it is `/ws`, whatever the socket's own path."""
    return sign(secret, f"GET\n/ws\nsignTimestamp={timestamp}")


def login_message(key: str, timestamp: str, signed: str) -> str:
    params = {"key": key, "signTimestamp": int(timestamp), "signature": signed}
    request = {"event": "subscribe", "channel": ["auth"], "params": params}
    return msgspec.json.encode(request).decode()


def subscribe_message(channel: str) -> str:
    """Orders must say of which symbols; balances would ignore it."""
    request: dict[str, Any] = {"event": "subscribe", "channel": [channel]}
    if channel == "orders":
        request["symbols"] = ["all"]
    return msgspec.json.encode(request).decode()
