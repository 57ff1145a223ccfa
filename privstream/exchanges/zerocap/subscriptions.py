"""Asks for the channels one after the other, because an error does not say what it is about.

Source: https://pypi.org/project/zerocap-api/, checked 2026-11-30.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from privstream.model.session import Send

# Fills of the old dialect have their fee in the order, and balances move with orders.
_WIRE = {
    "orders": ("order",),
    "trades": ("order", "trade"),
    "balances": ("order",),
    "prices": ("price",),
}


class Request(NamedTuple):
    """One subscription."""

    channel: str
    text: str
    is_new_spelling: bool = False


class Subscriptions:
    """What is subscribed on one connection, what is asked just now, and what comes next."""

    def __init__(self, channels: Iterable[str], symbols: Iterable[str]) -> None:
        self._symbols = list(symbols)
        wire = dict.fromkeys(name for channel in channels for name in _WIRE[channel])
        self._waiting = deque(self._request(name) for name in wire)
        self._asked: Request | None = None
        self._begun = False

    @property
    def asked(self) -> str | None:
        """The channel whose acknowledgement is awaited."""
        return self._asked.channel if self._asked is not None else None

    @property
    def awaited(self) -> str | None:
        """What the server still owes us, in words for a person."""
        if not self._begun:
            return "greeting"
        return None if self._asked is None else f"answer about the {self._asked.channel} channel"

    def begin(self) -> Iterator[Send]:
        """The server has greeted."""
        if not self._begun:
            self._begun = True
            yield from self.proceed()

    def proceed(self) -> Iterator[Send]:
        """The last one is settled: ask for the next."""
        self._asked = self._waiting.popleft() if self._waiting else None
        if self._asked is not None:
            yield Send(self._asked.text)

    def respell(self) -> Iterator[Send]:
        """Prices were refused: old servers take one symbol at a time. Nothing where that failed."""
        if self._asked is not None and self._asked.is_new_spelling:
            old = [_subscribe("price", symbol=symbol) for symbol in self._symbols]
            self._waiting.extendleft(Request("price", text) for text in reversed(old))
            yield from self.proceed()

    def again(self, channel: str) -> Iterator[Send]:
        """Subscribe anew what the server has let go; an earlier try may be unanswered."""
        self._waiting.appendleft(self._request(channel))
        yield from self.proceed()

    def _request(self, channel: str) -> Request:
        if channel == "price":
            return Request(channel, _subscribe(channel, symbols=self._symbols), True)
        return Request(channel, _subscribe(channel))


def _subscribe(channel: str, **about: Any) -> str:
    return msgspec.json.encode({"type": channel, **about}).decode()
