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
    * REST v1 lists open orders by number, buy orders in the quote currency; v2 lists
      history per pair and week. So a reading back is complete only where Centrifugo
      itself replays the channel, by epoch and offset.

Source
    protocols/indodax.md: btcid/indodax-official-api-docs, Centrifugo's own server, and
    samples; checked 2026-11-20.
"""

from collections.abc import Iterable, Mapping
from functools import partial

from privstream.exchanges.base import Exchange, Limits, Option, Right
from privstream.exchanges.indodax import codes, histories, rest
from privstream.exchanges.indodax.bookmark import Bookmark
from privstream.exchanges.indodax.centrifugo import LOGIN
from privstream.exchanges.indodax.orders import Updates
from privstream.exchanges.indodax.picture import read_picture
from privstream.exchanges.indodax.rights import rights_of
from privstream.exchanges.indodax.session import AccountSession
from privstream.model.account import Account, Endpoints, Token
from privstream.model.errors import PrivstreamError
from privstream.model.reports import AnyReport, Backfill, Known
from privstream.model.rest import RestFlow, Stamp
from privstream.model.session import Handshake, Session

ENDPOINTS = {
    "production": Endpoints(
        rest_url="https://indodax.com",
        ws_url="wss://pws.indodax.com/ws/?cf_ws_frame_ping_pong=true",
        history_url="https://tapi.indodax.com",
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
    )
    rights = ("view",)
    snapshot_over_rest = True
    polls_balances = True
    clock_limits = (5.0, 1.0)  # recvWindow, and a second (sheet section 6)
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
        self._bookmark = Bookmark()
        self._updates = Updates()

    @classmethod
    def endpoints(cls, options: Mapping[str, str]) -> Endpoints:
        return ENDPOINTS[options.get("environment", "production")]

    def fetch_token(self) -> RestFlow[Token | None]:
        return (yield from rest.fetch_token(self.account))

    def handshake(self, stamp: Stamp) -> Handshake:  # noqa: ARG002 - it is not signed
        return Handshake(url=self.account.endpoints.ws_url)

    def session(self, token: Token | None, channels: tuple[str, ...]) -> Session:
        self._updates = Updates()
        balances = partial(rest.read_balances, self.account, "rest")
        return AccountSession(
            token,
            self._bookmark,
            partial(rest.fetch_token, self.account),
            self._updates,
            balances if "balances" in channels else None,
        )

    def closed(self, code: int, reason: str) -> PrivstreamError | None:
        return codes.closed(code, reason)

    def picture(self, channels: tuple[str, ...]) -> RestFlow[Backfill]:
        return read_picture(self.account, self._bookmark, channels, self._updates.seen)

    def backfill(self, known: Known) -> RestFlow[Backfill]:
        return histories.read_back(self.account, self._bookmark, known, self._updates.seen)

    def look_up(self, order_ids: Iterable[str]) -> RestFlow[tuple[AnyReport, ...]]:
        found: list[AnyReport] = []
        for order_id in sorted(order_ids):
            known = yield from rest.find_order(self.account, order_id)
            found += known or (yield from histories.find_ended(self.account, order_id))
        return tuple(found)

    def rights_of_key(self) -> RestFlow[tuple[Right, ...]]:
        return rights_of(self.account)


EXCHANGE = Indodax
