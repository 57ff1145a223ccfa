"""Zerocap DMA, WebSocket v2: orders, trades and prices; balances over REST.

Login
    Three headers, on the handshake as on every REST call: `api-key`, `timestamp` (whole
    seconds) and `signature`, the hex HMAC-SHA256 of the timestamp's text alone. Each is
    good for 30 seconds and for any call, so they are made afresh for every dial and are
    never shown. The server greets, or says 401 in a text frame after a good handshake.

Wire examples
    {"type":"message","message":"Successfully connected."}
    {"type":"order","data":{"id":"f7fc…","status":"open","symbol":"USDT/AUD","amount":3,
     "filled":0,"remaining":3,"cost":9,"fee":"0","trades":[],…}}
    old {"type":"trade","data":{"id":"fa9c…","timestamp":"1692354083000","order":"f7fc…",
         "takerOrMaker":"taker","price":1.474899,"amount":3,"cost":4.424,…}}
    new {"type":"trade","data":{"id":"fa9c…","timestamp":1692354083000,"order":"f7fc…",
         "taker_or_maker":"taker","price":1.474899,"amount":3,"cost":4.424,"fee":0,…}}

Quirks
    * Two dialects are served: camelCase with texts, snake_case with numbers. Both are read.
    * The old one tells a fill without its fee and repeats it with the fee inside the
      order; such a fill waits for that, then REST is asked, then it is told without.
    * Errors name no request, so the subscriptions are sent one after the other.
    * An order's `cost` on the stream is price times amount, also of an open order: the
      costs of its fills are taken instead. `closed` says nothing of how it ended.
    * Old servers name the counterparty of a fill: it is in `raw` on demand, nowhere else.
    * No snapshot, no replay, no balances on the stream: all of that is read over REST.

Source
    https://pypi.org/project/zerocap-api/ (0.1.1 to 0.1.38) and https://docs.zerocap.com;
    checked 2026-11-30. No live capture is known.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import ClassVar

from privstream.exchanges.base import Exchange, Limits, Option, Right
from privstream.exchanges.zerocap import backfill, names, rest
from privstream.exchanges.zerocap.balances import ZerocapWallets
from privstream.exchanges.zerocap.ordering import ZerocapEntry
from privstream.exchanges.zerocap.rights import rights_of
from privstream.exchanges.zerocap.session import ZerocapSession
from privstream.model.account import Account, Endpoints, Token
from privstream.model.errors import PrivstreamError, UsageError
from privstream.model.order_entry import OrderEntry
from privstream.model.reports import AnyReport, Backfill, Known
from privstream.model.rest import HttpResponse, Now, RestFlow, Stamp
from privstream.model.session import Handshake, Session

ENVIRONMENTS = {
    "production": Endpoints(
        rest_url="https://dma-api.zerocap.com", ws_url="wss://dma-ws.zerocap.com/v2"
    ),
    "sandbox": Endpoints(
        rest_url="https://sandbox-api.zerocap.com", ws_url="wss://sandbox-ws.zerocap.com/v2"
    ),
}


class Zerocap(Exchange):
    """One Zerocap account."""

    name = "zerocap"
    title = "Zerocap"
    channels = ("orders", "trades", "balances", "prices")
    extra_channels = ("prices",)
    order_id_form = (
        r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
        "f7fc1234-0000-4000-8000-000000000001",
    )
    symbol_channels: ClassVar[tuple[str, ...]] = ("prices",)
    """Channels that are subscribed per symbol: the user's come in `account.symbols`."""
    options = (
        Option(
            name="environment",
            choices=tuple(ENVIRONMENTS),
            default="production",
            help="which Zerocap to connect to; the sandbox has keys of its own",
        ),
    )
    snapshot_over_rest = True
    polls_balances = True
    open_path = "/v2/systems/get_time"
    clock_limits = (30.0, 30.0)
    limits = Limits(
        # None is documented; as many as other exchanges bear before they block an address.
        connects=(120, 600.0),
        # 50 a second per endpoint and address; others may share the address.
        rest_budget=(10.0, 10.0),
        rest_lag=10.0,  # nothing is documented: a second look costs one list
    )

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._wallets = ZerocapWallets()

    @classmethod
    def endpoints(cls, options: Mapping[str, str]) -> Endpoints:
        return ENVIRONMENTS[options.get("environment", "production")]

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols whose prices are wanted, as Zerocap writes them."""
        named = ",".join(self.account.symbols).upper().split(",")
        pairs = (self.symbol_of(name) or name.strip() for name in named)
        return tuple(dict.fromkeys(filter(None, pairs)))

    def select(self, channels: Iterable[str]) -> tuple[str, ...]:
        chosen = super().select(channels)
        if "prices" in chosen and not self.symbols:
            raise UsageError(
                "Zerocap's prices are streamed per symbol, and none is named",
                "add --symbol, like --symbol USDT/AUD",
            )
        return chosen

    @classmethod
    def symbol_of(cls, text: str) -> str | None:
        return names.symbol_of(text)

    def no_socket(self, answer: HttpResponse, signed: Now) -> PrivstreamError | None:
        return rest.handshake_refused(answer, signed.wall_ns)

    def handshake(self, stamp: Stamp) -> Handshake:
        return Handshake(
            url=self.account.endpoints.ws_url, headers=rest.signed_headers(self.account, stamp)
        )

    def session(self, token: Token | None, channels: tuple[str, ...]) -> Session:  # noqa: ARG002
        return ZerocapSession(
            channels,
            self.symbols,
            read_balances=partial(backfill.balances, self.account, self._wallets, "rest"),
            look_up=self.look_up,
        )

    def picture(self, channels: tuple[str, ...]) -> RestFlow[Backfill]:
        return backfill.picture(self.account, self._wallets, channels)

    def backfill(self, known: Known) -> RestFlow[Backfill]:
        # Balances that moved since they were read did so of themselves, and are polled.
        self._wallets.is_due = self._wallets.is_due or not known.second_look
        wallets = self._wallets if self._wallets.is_due else None
        return backfill.backfill(self.account, wallets, known)

    @property
    def order_entry(self) -> OrderEntry | None:
        return ZerocapEntry(self.account)

    def look_up(self, order_ids: Iterable[str]) -> RestFlow[tuple[AnyReport, ...]]:
        return backfill.look_up(self.account, order_ids)

    def rights_of_key(self) -> RestFlow[tuple[Right, ...]]:
        return rights_of(self.account)


EXCHANGE = Zerocap
