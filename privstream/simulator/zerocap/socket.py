"""The private socket: greeting, subscriptions, pushes, and a sharp ear for silence.

The one rule: what happened before a subscription, or between two sockets, is never
told here.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from privstream.model import exact
from privstream.model.rest import Now
from privstream.simulator.base import Close, Connection, Out, Text
from privstream.simulator.market import Happening, Market
from privstream.simulator.zerocap.orders import OrderWriter
from privstream.simulator.zerocap.prices import Quotes
from privstream.simulator.zerocap.words import SUSPENDED, SYMBOLS, Dialect, PriceKey

LONGEST_SILENCE = 30.0  # seconds without a message of the client
PONG_EVERY = 5.0
GOING_AWAY = Close(1000)  # the documents name no code
SAID = {408: "Request Timeout"}
PING = {"type": "message", "message": "ping"}
ENDS = frozenset({"filled", "canceled", "expired"})
Message = dict[str, Any]


class Invalid(Exception):
    """A message that is refused."""


def error(code: int, text: str, dialect: Dialect) -> Message:
    """An error frame; its code was a string once."""
    spelled = str(code) if dialect == "old" else code
    return {"type": "error", "error_code": spelled, "error_message": text}


class RefusedSocket(Connection):
    """A handshake that was taken only to say no."""

    def __init__(self, dialect: Dialect, status: int) -> None:
        self._dialect: Dialect = dialect
        self._status = status

    def opened(self, now: Now) -> Iterable[Out]:  # noqa: ARG002 - the refusal needs no time
        said = SAID.get(self._status, "Unauthorized")
        return [_text(error(self._status, said, self._dialect)), GOING_AWAY]

    def received(self, text: str, now: Now) -> Iterable[Out]:  # noqa: ARG002 - nobody listens
        return ()

    def tick(self, now: Now) -> Iterable[Out]:  # noqa: ARG002 - nobody listens
        return ()


class Socket(Connection):
    """One socket of the account."""

    def __init__(
        self,
        market: Market,
        writer: OrderWriter,
        quotes: Quotes,
        dialect: Dialect,
        price_keys: frozenset[PriceKey],
    ) -> None:
        self._market, self._writer, self._quotes = market, writer, quotes
        self._dialect: Dialect = dialect
        self._price_keys = price_keys
        self._position = market.position
        self._channels: set[str] = set()
        self._priced: dict[str, int] = {}
        """The symbols whose prices are told, and the second of the last ones."""
        self._heard = self._ponged = 0.0
        self._over = False

    def opened(self, now: Now) -> Iterable[Out]:
        self._heard = self._ponged = now.monotonic
        return [_text(_message("Successfully connected."))]

    def received(self, text: str, now: Now) -> Iterable[Out]:
        if self._over:
            return ()
        self._heard = now.monotonic
        return [_text(m) for m in (*self._news(now), *self._replies(text, now))]

    def tick(self, now: Now) -> Iterable[Out]:
        if self._over:
            return ()
        messages = [_text(m) for m in (*self._news(now), *self._prices(now), *self._pongs(now))]
        if now.monotonic - self._heard < LONGEST_SILENCE:
            return messages
        self._over = True
        return [*messages, _text(error(400, "ping timeout", self._dialect)), GOING_AWAY]

    # --- requests ----------------------------------------------------------------------

    def _replies(self, text: str, now: Now) -> Iterator[Message]:
        try:
            yield from self._answers(_decoded(text), now)
        except Invalid:
            yield error(400, "invalid message", self._dialect)

    def _answers(self, message: Message, now: Now) -> Iterator[Message]:
        kind = message.get("type")
        if kind == "price":
            yield from self._price_subscription(message, now)
        elif kind in ("order", "trade") and len(message) == 1:
            self._channels.add(kind)
            yield _message(f"{kind} Subscription successful.")
        elif message != PING:
            raise Invalid
        elif self._dialect == "old":
            # A new server pushes its pongs by the clock; a ping only keeps it from closing.
            yield _message("pong")

    def _price_subscription(self, message: Message, now: Now) -> Iterator[Message]:
        names, wanted = self._price_request(message)
        if not wanted:
            for name in names:
                self._priced.pop(name, None)
            yield _message("price Unsubscription successful.")  # the words are not documented
            return
        self._priced |= {name: _second(now) for name in names if name != SUSPENDED.name}
        yield _message("price Subscription successful.")
        if SUSPENDED.name in names:
            yield _message("Price stream unavailable.")

    def _price_request(self, message: Message) -> tuple[list[str], bool]:
        """The symbols, and whether they are subscribed or given up."""
        keys = message.keys() - {"type", "is_subscribe"}
        wanted = message.get("is_subscribe", True)
        if len(keys) != 1 or not keys <= self._price_keys or not isinstance(wanted, bool):
            raise Invalid
        names = message["symbols"] if "symbols" in keys else [message["symbol"]]
        if not isinstance(names, list) or not names:
            raise Invalid
        known = SYMBOLS.keys() | {SUSPENDED.name}
        if not all(isinstance(name, str) and name in known for name in names):
            raise Invalid
        return names, wanted

    # --- pushes ------------------------------------------------------------------------

    def _news(self, now: Now) -> Iterator[Message]:
        self._market.advance(now)
        happenings = self._market.since(self._position)
        self._position = self._market.position
        for happening in happenings:
            for kind, element in self._told(happening):
                if kind in self._channels:
                    yield {"type": kind, "data": element}

    def _told(self, happening: Happening) -> Iterator[tuple[str, Message]]:
        """The order and its fill; for every other order the fill comes before it."""
        order, trade = happening.order, happening.trade
        if order is None:
            return
        fill_first = order.serial % 2 == 0
        # What completes an order is told with its end, not on its own.
        completes = trade is not None and not order.remaining
        if trade is not None and fill_first:
            yield "trade", self._writer.pushed_trade(trade)
        if happening.what in ENDS | {"opened"} or (trade is not None and not completes):
            yield "order", self._writer.pushed_order(order)
        if fill_first or completes:
            return
        if happening.what == "filled":
            trade = self._market.books.trades.get(order.trades[-1])
        if trade is not None:
            yield "trade", self._writer.pushed_trade(trade)

    def _prices(self, now: Now) -> Iterator[Message]:
        second = _second(now)
        for name, told in self._priced.items():
            if second > told:
                self._priced[name] = second
                yield {"type": "price", "data": self._quotes.quote(SYMBOLS[name], now)}

    def _pongs(self, now: Now) -> Iterator[Message]:
        if self._dialect == "new" and now.monotonic - self._ponged >= PONG_EVERY:
            self._ponged = now.monotonic
            yield _message("pong")


def _message(text: str) -> Message:
    return {"type": "message", "message": text}


def _text(message: Message) -> Text:
    return Text(exact.encode(message).decode())


def _decoded(text: str) -> Message:
    try:
        message = exact.decode(text)
    except exact.Malformed:
        raise Invalid from None
    if not isinstance(message, dict):
        raise Invalid
    return message


def _second(now: Now) -> int:
    return now.wall_ns // 1_000_000_000
