"""Sixtex, an invented exchange: one frame per fill.

Login
    The key in the first message, and over REST in a header.

Wire examples
    {"fill":"7","order":"3","pair":"BTC/EUR","side":"buy","price":"50000","size":"0.1"}

Quirks
    * It has only trades, says nothing on a quiet account, and answers native pings only.

Source
    Invented for a test, 2026-11-20.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from privstream.exchanges.base import Exchange, JsonSession, Limits, Option, each
from privstream.exchanges.kit.answers import Answers, asked
from privstream.exchanges.kit.pulse import Pulse, Rhythm, native_ping
from privstream.exchanges.kit.reading_back import Found, Part, in_parts
from privstream.model.account import Endpoints, Token
from privstream.model.events import Source
from privstream.model.exact import amount
from privstream.model.reports import AnyReport, Backfill, Fill, Known
from privstream.model.rest import Call, HttpRequest, HttpResponse, Now, RestFlow, Stamp
from privstream.model.session import Action, Handshake, Ping, Ready, Send, Session, Synced

RHYTHM = Rhythm(every=5.0, login=10.0, silence=20.0, sign="pong")
ANSWERS = Answers("Sixtex")


def ping(number: int) -> Iterator[Ping]:
    yield native_ping(number)


class SixtexSession(JsonSession):
    """One connection."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._pulse = Pulse(RHYTHM, ping)
        self._is_ready = False

    def open(self, stamp: Stamp) -> Iterator[Action]:
        self._pulse.opened(stamp.now)
        yield Send(json.dumps({"key": self._key}), shown='{"key":"<key>"}')

    def tick(self, now: Now) -> Iterable[Action]:
        return self._pulse.check(now, None if self._is_ready else "hello")

    def alive(self, now: Now, pong: bytes | None = None) -> None:
        self._pulse.felt(now)
        self._pulse.ponged(pong)

    def read(self, message: Any, now: Now) -> Iterator[Action]:
        self._pulse.felt(now)
        if message.get("hello"):
            self._is_ready = True
            yield Ready()
            yield Synced()
            return
        yield from each([message], partial(read_fill, source="stream"))


def read_fill(row: Any, source: Source) -> Iterator[Fill]:
    """A fill, as the stream and the history write it."""
    yield Fill(
        trade_id=row["fill"],
        order_id=row["order"],
        symbol=row["pair"],
        exchange_symbol=row["pair"],
        side=row["side"],
        price=amount(row["price"]),
        quantity=amount(row["size"]),
        cost=None,
        fee=None,
        fee_currency=None,
        source=source,
        element=row,
    )


def read_rows(response: HttpResponse, doing: str) -> list[Any]:
    return ANSWERS.read_list(ANSWERS.decoded(response, doing), doing, "fills")


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

    def backfill(self, known: Known) -> RestFlow[Backfill]:  # noqa: ARG002 - it tells all
        return in_parts([Part("fills", self._fills)])

    def _fills(self, found: Found) -> RestFlow[None]:
        call = Call(build=self._request, name="fills")
        rows = yield from asked(call, lambda response: read_rows(response, call.name))
        found.take(each(rows, partial(read_fill, source="rest")))

    def _request(self, stamp: Stamp) -> HttpRequest:  # noqa: ARG002 - it is not signed
        return HttpRequest("GET", "/fills", {"key": self.account.api_key.reveal()})

    def look_up(self, order_ids: Iterable[str]) -> RestFlow[tuple[AnyReport, ...]]:  # noqa: ARG002
        return ()
        yield


EXCHANGE = Sixtex
