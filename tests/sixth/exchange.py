"""Sixtex, an invented exchange: one frame per fill.

Login
    The key in the first message.

Wire examples
    {"fill":"7","order":"3","pair":"BTC/EUR","side":"buy","price":"50000","size":"0.1"}

Quirks
    * It has only trades, and never closes.

Source
    Invented for a test, 2026-11-20.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from privstream.exchanges.base import Exchange, JsonSession, Limits, Option
from privstream.model.account import Endpoints, Token
from privstream.model.exact import amount
from privstream.model.reports import AnyReport, Backfill, Fill, Known
from privstream.model.rest import Now, RestFlow, Stamp
from privstream.model.session import Action, Handshake, Ready, Send, Session, Synced


class SixtexSession(JsonSession):
    """One connection."""

    def __init__(self, key: str) -> None:
        self._key = key

    def open(self, stamp: Stamp) -> Iterator[Action]:  # noqa: ARG002 - it is not signed
        yield Send(json.dumps({"key": self._key}), shown='{"key":"<key>"}')

    def tick(self, now: Now) -> Iterable[Action]:  # noqa: ARG002 - it never sleeps
        return ()

    def read(self, message: Any, now: Now) -> Iterator[Action]:  # noqa: ARG002
        if message.get("hello"):
            yield Ready()
            yield Synced()
            return
        yield Fill(
            trade_id=message["fill"],
            order_id=message["order"],
            symbol=message["pair"],
            exchange_symbol=message["pair"],
            side=message["side"],
            price=amount(message["price"]),
            quantity=amount(message["size"]),
            cost=None,
            fee=None,
            fee_currency=None,
            element=message,
        )


class Sixtex(Exchange):
    """One account there."""

    name = "sixtex"
    title = "Sixtex"
    channels = ("trades",)
    options = (Option(name="mood", choices=("calm", "wild"), default="calm", help="its mood"),)
    limits = Limits(connects=(10, 10.0), rest_budget=(1.0, 1.0), rest_lag=1.0)

    @classmethod
    def endpoints(cls, options: Mapping[str, str]) -> Endpoints:  # noqa: ARG003
        return Endpoints("https://sixtex.example", "wss://sixtex.example")

    def handshake(self, stamp: Stamp) -> Handshake:  # noqa: ARG002 - it is not signed
        return Handshake(self.account.endpoints.ws_url)

    def session(self, token: Token | None, channels: tuple[str, ...]) -> Session:  # noqa: ARG002
        return SixtexSession(self.account.api_key.reveal())

    def backfill(self, known: Known) -> RestFlow[Backfill]:  # noqa: ARG002
        return Backfill((), complete=False, detail="Sixtex has no history")
        yield

    def look_up(self, order_ids: Iterable[str]) -> RestFlow[tuple[AnyReport, ...]]:  # noqa: ARG002
        return ()
        yield


EXCHANGE = Sixtex
