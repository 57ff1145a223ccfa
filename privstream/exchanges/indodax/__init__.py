"""Indodax: private WebSocket (Centrifugo 5, JSON), its fills, and balances over REST.

Login
    POST /api/private_ws/v1/generate_token (form body signed with HMAC-SHA512) gives a
    token of about a day and the one channel that it opens. Every connection fetches its
    own; before it runs out, another one renews the login in place.

Wire examples
    > {"connect":{"token":"…"},"id":1}
    < {"id":1,"connect":{"client":"…","version":"5.2.0","expires":true,"ttl":86133}}
    > {"subscribe":{"channel":"pws:#…"},"id":2}
    < {"id":2,"subscribe":{}}
    < {"push":{"channel":"pws:#…","pub":{"data":[{"eventType":"order_update","order":{
      "orderId":"aaveidr-limit-11","status":"FILL","tradeId":"72057594037930001",…}}]}}}

Quirks
    * A frame holds one or many objects, one per line, and a publication several events.
    * With `cf_ws_frame_ping_pong` in the URL the server pings natively, and answering `{}`
      is an error that ends the watch; without it, `{}` comes and must be answered.
    * An error 109 kills the socket: a new token needs a new connection.
    * A taker's price and the cost of a fill are not in the stream; FILL repeats in DONE.
    * No balances in the stream, and no snapshot: both are read over REST.
    * There are two kinds of API keys with hosts of their own (TAPI v1, TAPI v2); both sign
      the request for a token alike, and no document says that one of v2 gets one.
    * v1 lists open orders by number, buy orders in the quote currency. Both list history per
      pair and week. So a reading back is complete only for pairs that the user named, or
      where Centrifugo itself replays the channel, by epoch and offset.

Source
    https://github.com/btcid/indodax-official-api-docs (Private-websocket.md,
    Private-RestAPI.md, INDODAX-TradeAPI-2.md, Self-Trade Prevention), Centrifugo's own
    server (https://github.com/centrifugal/centrifugo), and samples; checked 2026-11-30.
"""

from collections.abc import Iterable, Mapping
from functools import partial

from privstream.exchanges.base import Exchange, Limits, Option, Right
from privstream.exchanges.indodax import names
from privstream.exchanges.indodax.backfill import read_back
from privstream.exchanges.indodax.bookmark import Bookmark
from privstream.exchanges.indodax.centrifugo import LOGIN
from privstream.exchanges.indodax.codes import STATE_INVALIDATED, ReconnectRule
from privstream.exchanges.indodax.histories import find_ended
from privstream.exchanges.indodax.key_kind import Key
from privstream.exchanges.indodax.orders import Updates
from privstream.exchanges.indodax.picture import balances_now, read_picture
from privstream.exchanges.indodax.session import AccountSession
from privstream.model.account import Account, Endpoints, Token
from privstream.model.errors import ConfigError, PrivstreamError
from privstream.model.reports import AnyReport, Backfill, Known
from privstream.model.rest import RestFlow, Stamp
from privstream.model.session import Handshake, Session

ENDPOINTS = {
    "production": Endpoints(
        rest_url="https://indodax.com",
        ws_url="wss://pws.indodax.com/ws/?cf_ws_frame_ping_pong=true",
        history_url="https://tapi.indodax.com",
        api_url="https://api.indodax.com",
    ),
    "demo": Endpoints(
        rest_url="https://demo-indodax.com",
        ws_url="wss://pws.demo-indodax.com/ws/?cf_ws_frame_ping_pong=true",
    ),
}


class Indodax(Exchange):
    """One Indodax account."""

    name = "indodax"
    title = "Indodax"
    channels = ("orders", "trades", "balances")
    order_id_form = (r"[a-z0-9]+-[a-z_]+-[0-9]+", "aaveidr-limit-3397")
    look_up_limit = "Indodax finds market and stop orders for a week after their end"
    options = (
        Option(
            name="environment",
            choices=("production", "demo"),
            default="production",
            help="the real exchange, or its demo, which has no history to read back",
        ),
        Option(
            name="api",
            choices=("auto", "v1", "v2"),
            default="auto",
            help="the kind of API key: of the older kind, of TAPI v2, or found out by one call",
        ),
    )
    keys_page = "https://indodax.com/trade_api"  # 2026-11-30
    rights = ("view",)
    snapshot_over_rest = True
    polls_balances = True
    clock_limits = (5.0, 1.0)  # recvWindow, and a second: Private-RestAPI.md
    limits = Limits(
        # Not documented for this stream: no more than any exchange here allows for sure.
        connects=(120, 600.0),
        # Not documented for reading; 180 a minute is what public calls are allowed.
        rest_budget=(20.0, 3.0),
        rest_lag=10.0,  # not documented either: one second look, soon
        login=LOGIN,
    )

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._bookmark, self._reconnect_rule = Bookmark(), ReconnectRule()
        self._updates = Updates()
        self._key = Key(account)

    @classmethod
    def endpoints(cls, options: Mapping[str, str]) -> Endpoints:
        return ENDPOINTS[options.get("environment", "production")]

    @classmethod
    def check_endpoints(cls, endpoints: Endpoints, options: Mapping[str, str]) -> None:
        if options.get("api") == "v2" and endpoints.api_url is None:
            raise ConfigError(
                "no host of Indodax's TAPI v2 is known that goes with these",
                'set api_url in [exchanges.indodax] too, or leave out api = "v2"',
            )

    @classmethod
    def symbol_of(cls, text: str) -> str | None:
        return names.symbol_of(text)

    def fetch_token(self) -> RestFlow[Token | None]:
        return (yield from self._key.fetch_token())

    def handshake(self, stamp: Stamp) -> Handshake:  # noqa: ARG002 - it is not signed
        return Handshake(url=self.account.endpoints.ws_url)

    def session(self, token: Token | None, channels: tuple[str, ...]) -> Session:
        self._updates = Updates()
        balances = partial(balances_now, self._key, "rest")
        return AccountSession(
            token,
            self._bookmark,
            self._reconnect_rule,
            self._key.fetch_token,
            updates=self._updates,
            balances=balances if "balances" in channels else None,
        )

    def closed(self, code: int, reason: str) -> PrivstreamError | None:
        if code == STATE_INVALIDATED:
            self._bookmark.forget()
        return self._reconnect_rule.closed(code, reason)

    def picture(self, channels: tuple[str, ...]) -> RestFlow[Backfill]:
        return read_picture(self._key, self._bookmark, channels, self._updates.seen)

    def backfill(self, known: Known) -> RestFlow[Backfill]:
        symbols = self.account.symbols
        return read_back(self._key, self._bookmark, known, self._updates.seen, symbols)

    def look_up(self, order_ids: Iterable[str]) -> RestFlow[tuple[AnyReport, ...]]:
        tapi = yield from self._key.tapi()
        found: list[AnyReport] = []
        for order_id in sorted(order_ids):
            known = yield from tapi.find_order(order_id)
            found += known or (yield from find_ended(tapi, order_id))
        return tuple(found)

    def rights_of_key(self) -> RestFlow[tuple[Right, ...]]:
        return self._key.rights()


EXCHANGE = Indodax
