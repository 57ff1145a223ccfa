"""Kraken spot: private WebSocket v2 (default) and v1.

Login
    A token from REST GetWebSocketsToken (API-Sign) opens every subscription. It lives
    15 minutes until its first use and then as long as the subscription does; it may
    die without a word, so every connection fetches its own.

Wire examples
    v2  {"channel":"executions","type":"update","data":[{"order_id":"OAAAAA-BBBBB-CCCCCC",
        "exec_type":"canceled","order_status":"canceled","cum_qty":0.5,…}],"sequence":20}
    v1  [[{"OAAAAA-BBBBB-CCCCCC":{"status":"open","userref":0}}],"openOrders",{"sequence":3}]

Quirks
    * v2 deltas lack symbol and side, v1 updates hold only what changed: the ledger
      merges them, and asks QueryOrders about an order it does not know.
    * `filled` (v2) and `closed` (v1) repeat totals; only elements with an `exec_id`,
      and rows of ownTrades, are fills.
    * The last 50 fills are replayed on every subscription.
    * REST may tell an order as open for up to 60 s after the socket told its fill.

Source
    docs.kraken.com (Spot REST, WebSocket v1, WebSocket v2), and frames that were captured;
    checked 2026-11-30.
"""

from collections.abc import Iterable, Mapping

from msgspec import structs

from privstream.exchanges.base import Exchange, Limits, Option, Right
from privstream.exchanges.kraken import backfill, names, rest
from privstream.exchanges.kraken.learnt import BUDGETS, Learnt
from privstream.exchanges.kraken.rights import rights_of
from privstream.exchanges.kraken.v1 import SessionV1
from privstream.exchanges.kraken.v2 import SessionV2
from privstream.model.account import Account, Endpoints, Token
from privstream.model.errors import ConfigError, UsageError
from privstream.model.order_entry import OrderEntry
from privstream.model.reports import AnyReport, Backfill, BalanceReport, Known
from privstream.model.rest import RestFlow, Stamp
from privstream.model.session import Handshake, Session

WS_URLS = {"v2": "wss://ws-auth.kraken.com/v2", "v1": "wss://ws-auth.kraken.com"}


class Kraken(Exchange):
    """One Kraken account."""

    name = "kraken"
    title = "Kraken"
    channels = ("orders", "trades", "balances")
    order_id_form = (r"[A-Z0-9]{6}-[A-Z0-9]{5}-[A-Z0-9]{6}", "OAAAAA-BBBBB-CCCCCC")
    options = (
        Option(
            name="protocol",
            choices=("v2", "v1"),
            default="v2",
            help="WebSocket protocol; v1 has no balances",
        ),
        Option(
            name="tier",
            choices=tuple(BUDGETS),
            default="starter",
            help="the account's tier, which says how often REST may be asked",
        ),
    )
    optional_credentials = ("otp",)
    keys_page = "https://pro.kraken.com/app/settings/api"  # 2026-12-01
    base64_credentials = frozenset({"api_secret"})
    rights = (
        "Access WebSockets API",
        "Query funds",
        "Query open orders & trades",
        "Query closed orders & trades",
    )
    lists_fills = True
    numbers_frames = True
    open_path = "/0/public/Time"
    limits = Limits(
        # Cloudflare bans an address for 10 minutes after about 150 connects in 10 minutes;
        # Kraken's own command line keeps to 120 (docs.kraken.com, reconnection guide).
        connects=(120, 600.0),
        rest_budget=BUDGETS["starter"],
        # An order was told as open 60 s after its fill (kraken-infinity-grid issue 82).
        rest_lag=60.0,
    )

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._assets: rest.Assets = {}
        self._learnt = Learnt(self._have_tier)
        self._pairs, self._spread = self._learnt.pairs, self._learnt.spread
        self._have_tier(account.options.get("tier", "starter"))

    def _have_tier(self, tier: str) -> None:
        """As configured, until Kraken says it better."""
        self.limits = structs.replace(type(self).limits, rest_budget=BUDGETS[tier])

    @property
    def _v1(self) -> bool:
        return self.account.options.get("protocol") == "v1"

    @classmethod
    def endpoints(cls, options: Mapping[str, str]) -> Endpoints:
        return Endpoints(
            rest_url="https://api.kraken.com", ws_url=WS_URLS[options.get("protocol", "v2")]
        )

    @classmethod
    def check_endpoints(cls, endpoints: Endpoints, options: Mapping[str, str]) -> None:
        is_v2 = endpoints.ws_url.rstrip("/").endswith("/v2")
        protocol = options.get("protocol", "v2")
        if is_v2 != (protocol == "v2"):
            raise ConfigError(
                f"the Kraken ws_url {endpoints.ws_url} does not speak protocol {protocol}",
                "with protocol v2 it ends in /v2, with v1 it does not",
            )

    @classmethod
    def symbol_of(cls, text: str) -> str | None:
        return names.symbol_of(text)

    def select(self, channels: Iterable[str]) -> tuple[str, ...]:
        chosen = tuple(channels)
        if not self._v1:
            return super().select(chosen)
        if "balances" in chosen:
            raise UsageError(
                "Kraken's protocol v1 has no balances", "leave them out, or use --protocol v2"
            )
        return super().select(chosen or ("orders", "trades"))

    def fetch_token(self) -> RestFlow[Token | None]:
        return (yield from rest.fetch_token(self.account))

    def handshake(self, stamp: Stamp) -> Handshake:  # noqa: ARG002 - it is not signed
        return Handshake(url=self.account.endpoints.ws_url)

    def session(self, token: Token | None, channels: tuple[str, ...]) -> Session:
        text = "" if token is None else token.secret.reveal()
        if self._v1:
            return SessionV1(text, channels, self._learnt)
        return SessionV2(text, channels, self._learnt)

    def backfill(self, known: Known) -> RestFlow[Backfill]:
        return backfill.backfill(self.account, self._pairs, known)

    def picture(self, channels: tuple[str, ...]) -> RestFlow[Backfill]:  # noqa: ARG002 - orders only
        return backfill.open_orders(self.account, self._pairs)

    def balances_now(self) -> RestFlow[tuple[BalanceReport, ...]]:
        return rest.balances(self.account, self._assets, self._spread)

    def look_up(self, order_ids: Iterable[str]) -> RestFlow[tuple[AnyReport, ...]]:
        return backfill.look_up(self.account, self._pairs, order_ids)

    @property
    def order_entry(self) -> OrderEntry:
        from privstream.exchanges.kraken.ordering import KrakenEntry  # noqa: PLC0415 - start-up

        return KrakenEntry(self.account, self._pairs)

    def rights_of_key(self) -> RestFlow[tuple[Right, ...]]:
        return rights_of(self.account)


EXCHANGE = Kraken
