"""What both WebSocket protocols of the simulated Kraken have in common.

Heartbeats come once a second where nothing else does, from the first subscription
on; each subscription counts its frames from 1; an idle socket without any is closed.
"""

import base64
import hashlib
import itertools
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from privstream.model import exact
from privstream.model.rest import Now
from privstream.simulator.base import Close, Connection, Out, Text
from privstream.simulator.kraken.tiers import TIERS, Tier
from privstream.simulator.kraken.trading import PERMISSION, Refusal, Trading
from privstream.simulator.market import Happening, Market

TOKEN_LIFE = 900.0  # seconds, unless a subscription keeps it alive
HEARTBEAT = 1.0
IDLE = 60.0  # seconds without a request and without a subscription
UNAVAILABLE = "EService:Unavailable"
SNAPSHOT_TRADES = 50
NEEDED_RIGHT = {
    "executions": "open_orders",
    "openOrders": "open_orders",
    "ownTrades": "closed_orders",
    "balances": "funds",
}


class Tokens:
    """The tokens given out, and which of them subscriptions keep alive."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._numbers = itertools.count(1)
        self._issued: dict[str, float] = {}
        self._users: dict[str, int] = {}

    def issue(self, now: Now) -> str:
        text = f"{self._seed}/{next(self._numbers)}/{now.wall_ns}".encode()
        token = base64.b64encode(hashlib.sha256(text).digest()).decode().rstrip("=")
        self._issued = {t: at for t, at in self._issued.items() if self.alive(t, now)}
        self._issued[token] = now.monotonic
        return token

    def alive(self, token: str, now: Now) -> bool:
        if self._users.get(token):
            return True
        issued = self._issued.get(token)
        return issued is not None and now.monotonic - issued < TOKEN_LIFE

    def revoke_all(self) -> None:
        """What an upgrade at Kraken does: every token is dead, the sockets stay."""
        self._issued.clear()
        self._users.clear()

    def hold(self, token: str) -> None:
        self._users[token] = self._users.get(token, 0) + 1

    def release(self, token: str) -> None:
        self._users[token] = max(0, self._users.get(token, 0) - 1)


class Platform:
    """How Kraken is; every socket is told when that changes."""

    def __init__(self, *, numbers_errors: bool = True, tier: Tier = TIERS["starter"]) -> None:
        self.tier = tier
        self.changes = 0
        self.numbers_errors = numbers_errors
        """Errors repeat the number of their request; not all were seen to."""

    @property
    def system(self) -> str:
        return "maintenance" if self.in_maintenance else "online"

    @property
    def in_maintenance(self) -> bool:
        return self.changes % 2 == 1

    def maintain(self, *, on: bool) -> None:
        self.changes += on != self.in_maintenance


class Subscription(Struct):
    """One channel on one socket."""

    channel: str
    token: str
    options: dict[str, Any]
    sequence: int = 0

    def next(self) -> int:
        self.sequence += 1
        return self.sequence


class KrakenSocket(Connection):
    """One private socket, whatever its protocol."""

    def __init__(
        self,
        market: Market,
        tokens: Tokens,
        platform: Platform,
        trading: Trading,
        number: int,
    ) -> None:
        self.market, self.tokens, self.trading = market, tokens, trading
        self.platform, self.number = platform, number
        self._changes = platform.changes
        self.subscriptions: dict[str, Subscription] = {}
        self._position = market.position
        self._beating = False
        self._last_out = self._last_request = 0.0

    def opened(self, now: Now) -> Iterable[Out]:
        self._last_request = now.monotonic
        return self._sent([self.greeting()], now)

    def received(self, text: str, now: Now) -> Iterable[Out]:
        self._last_request = now.monotonic
        # What an order brought about is told right after its answer.
        return self._sent([*self._news(now), *self._replies(text, now), *self._news(now)], now)

    def tick(self, now: Now) -> Iterable[Out]:
        frames = [*self._changed(), *self._news(now)]
        if not frames and self._beating and now.monotonic - self._last_out >= HEARTBEAT:
            frames = [self.heartbeat()]
        if not self.subscriptions and now.monotonic - self._last_request >= IDLE:
            return [Close(1000)]
        return self._sent(frames, now)

    def closed(self, now: Now) -> None:  # noqa: ARG002 - the token's life needs no time here
        for subscription in self.subscriptions.values():
            self.tokens.release(subscription.token)
        self.subscriptions.clear()

    # --- what a protocol says ----------------------------------------------------------

    @abstractmethod
    def greeting(self) -> object:
        """The first frame."""

    @abstractmethod
    def heartbeat(self) -> object:
        """The frame for when there is nothing to say."""

    @abstractmethod
    def reply(self, message: Any, now: Now) -> Iterator[object]:
        """Answer a request."""

    @abstractmethod
    def malformed(self, now: Now) -> object:
        """Answer what is no JSON."""

    @abstractmethod
    def tell(self, subscription: Subscription, happening: Happening) -> object | None:
        """The frame that tells of a happening, if this subscription does."""

    # --- subscriptions -----------------------------------------------------------------

    def add(self, channel: str, token: Any, options: dict[str, Any], now: Now) -> Subscription:
        """Take a subscription, or refuse it."""
        if self.platform.in_maintenance:
            raise Refusal(UNAVAILABLE)
        self.check_token(token, now)
        if NEEDED_RIGHT[channel] not in self.trading.rights:
            raise Refusal(PERMISSION)
        if channel in self.subscriptions:
            raise Refusal("Already subscribed")
        self.tokens.hold(token)
        self._beating = True
        self.subscriptions[channel] = Subscription(channel, token, options)
        return self.subscriptions[channel]

    def remove(self, channel: str, token: Any, now: Now) -> None:
        self.check_token(token, now)
        subscription = self.subscriptions.pop(channel, None)
        if subscription is None:
            raise Refusal("Subscription Not Found")
        self.tokens.release(subscription.token)

    def check_token(self, token: Any, now: Now) -> None:
        if not isinstance(token, str) or not token:
            raise Refusal("Token(s) not found")
        if not self.tokens.alive(token, now):
            raise Refusal("ESession:Invalid session")

    def may_trade(self, token: Any, now: Now, *, placing: bool) -> None:
        """Refuse an order call without a token or the right to it, or in maintenance."""
        if self.platform.in_maintenance:
            raise Refusal(UNAVAILABLE)
        self.check_token(token, now)
        self.trading.permit(placing=placing)

    def rate_count(self) -> int:
        """A plausible trading rate counter: what stands open weighs on it."""
        return min(len(self.market.open_orders()), self.platform.tier.order_calls)

    # --- below -------------------------------------------------------------------------

    def _replies(self, text: str, now: Now) -> Iterator[object]:
        try:
            message = exact.decode(text)
        except exact.Malformed:
            yield self.malformed(now)
            return
        yield from map(self._numbered, self.reply(message, now))

    def _numbered(self, frame: object) -> object:
        """The frame, without the number of its request where it is an error that leaves it out."""
        if self.platform.numbers_errors or not isinstance(frame, dict):
            return frame
        if "error" not in frame and "errorMessage" not in frame:
            return frame
        return {key: frame[key] for key in frame if key not in {"req_id", "reqid"}}

    def _changed(self) -> list[object]:
        """The greeting again, when the state of the platform has changed."""
        if self._changes == self.platform.changes:
            return []
        self._changes = self.platform.changes
        return [self.greeting()]

    def _news(self, now: Now) -> Iterator[object]:
        self.market.advance(now)
        if self.platform.in_maintenance:
            return  # it is told afterwards
        happenings = self.market.since(self._position)
        self._position = self.market.position
        if not self.subscriptions:
            return
        for happening in happenings:
            for subscription in self.subscriptions.values():
                frame = self.tell(subscription, happening)
                if frame is not None:
                    yield frame

    def _sent(self, frames: Iterable[object], now: Now) -> list[Out]:
        texts: list[Out] = [Text(exact.encode(frame).decode()) for frame in frames]
        if texts:
            self._last_out = now.monotonic
        return texts
