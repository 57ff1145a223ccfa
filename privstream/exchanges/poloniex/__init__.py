"""Poloniex spot: the private WebSocket, and REST for what it does not replay.

Login
    The first frame on the socket is a signed subscription to the channel `auth`; only
    after its success are the other channels subscribed, each acknowledged by itself.
    REST is signed by three headers. Both signatures are dated, so the clock must be right.

Wire examples
    > {"event":"subscribe","channel":["auth"],"params":{"key":…,"signTimestamp":…,"signature":…}}
    < {"channel":"auth","data":{"success":true,"ts":1780000000123}}
    > {"event":"subscribe","channel":["orders"],"symbols":["all"]}
    < {"event":"subscribe","channel":"orders","symbols":["ALL"]}
    < {"channel":"orders","data":[{"orderId":"410000000000000001","tradeId":"70000001",
      "eventType":"trade","state":"FILLED","tradeQty":"0.5","filledQuantity":"0.5",…}]}

Quirks
    * An order's change and its fill are one message; zeros and "" mean "nothing".
    * `price` is the limit, never the fill's price; `quantity` is "0" for a market buy by
      amount, whose size is `orderAmount` (over REST `amount`), in the quote currency.
    * The session ends without a word when nothing was said for 30 s; only the client pings.
    * Nothing is listed on subscribing and nothing is replayed: REST tells both.
    * Stops that wait for a price are told of by no channel, see `smart_orders`.
    * REST may number a fill otherwise than the stream did (see `fill_keys`).
    * Ids are beyond 2^53, and bare numbers in some places.

Source
    https://api-docs.poloniex.com/spot and https://github.com/poloniex/polo-sdk-python; captured frames;
    checked 2026-11-30.
"""

from collections.abc import Iterable, Mapping
from math import inf
from urllib.parse import urlsplit

from privstream.exchanges.base import Exchange, Limits, Right
from privstream.exchanges.poloniex import backfill, names
from privstream.exchanges.poloniex.balances import Holdings
from privstream.exchanges.poloniex.fill_keys import FillKeys
from privstream.exchanges.poloniex.rights import rights_of
from privstream.exchanges.poloniex.session import LOGIN, PoloniexSession
from privstream.exchanges.poloniex.smart_orders import is_smart
from privstream.model.account import Account, Endpoints, Token
from privstream.model.errors import ConfigError
from privstream.model.reports import AnyReport, Backfill, Known
from privstream.model.rest import RestFlow, Stamp
from privstream.model.session import Handshake, Session


class Poloniex(Exchange):
    """One Poloniex spot account."""

    name = "poloniex"
    title = "Poloniex"
    channels = ("orders", "trades", "balances")
    order_id_form = (r"[0-9]+", "410000000000000001")
    env_prefixes = ("POLO",)
    # No document tells the page's address (2026-12-01).
    keys_page = "poloniex.com, in its settings; documents: https://api-docs.poloniex.com/spot/api"
    rights = ("Read",)
    snapshot_over_rest = True
    open_path = "/timestamp"
    # The past is refused, the future was seen to pass.
    clock_limits = (300.0, inf)
    limits = Limits(
        # No rate of connecting is documented, only how many may be open:
        # as careful as where a ban is known.
        connects=(120, 600.0),
        # 50 calls a second per user, 10 for the histories, which cost 5.
        rest_budget=(50.0, 50.0),
        # Nothing is known of a lag: the time that the stream's own pushes lag, generously.
        rest_lag=10.0,
        login=LOGIN,
    )

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._fill_keys = FillKeys()
        self._holdings = Holdings()

    @classmethod
    def endpoints(cls, options: Mapping[str, str]) -> Endpoints:  # noqa: ARG003 - it has none
        return Endpoints(
            rest_url="https://api.poloniex.com", ws_url="wss://ws.poloniex.com/ws/private"
        )

    @classmethod
    def check_endpoints(cls, endpoints: Endpoints, options: Mapping[str, str]) -> None:  # noqa: ARG003 - it has none
        if urlsplit(endpoints.ws_url).path.rstrip("/").endswith("/public"):
            raise ConfigError(
                f"the Poloniex ws_url {endpoints.ws_url} serves no private channels",
                "the private socket's path is /ws/private",
            )

    @classmethod
    def symbol_of(cls, text: str) -> str | None:
        return names.symbol_of(text)

    def handshake(self, stamp: Stamp) -> Handshake:  # noqa: ARG002 - it is not signed
        return Handshake(url=self.account.endpoints.ws_url)

    def session(self, token: Token | None, channels: tuple[str, ...]) -> Session:  # noqa: ARG002 - it has none
        return PoloniexSession(self.account, channels, self._fill_keys, self._holdings)

    def picture(self, channels: tuple[str, ...]) -> RestFlow[Backfill]:
        return backfill.picture(self.account, self._fill_keys, self._holdings, channels)

    def is_streamed(self, report: AnyReport) -> bool:
        """All but smart orders, which wait for a price."""
        return not is_smart(report)

    def backfill(self, known: Known) -> RestFlow[Backfill]:
        return backfill.backfill(self.account, self._fill_keys, self._holdings, known)

    def look_up(self, order_ids: Iterable[str]) -> RestFlow[tuple[AnyReport, ...]]:
        return backfill.look_up(self.account, order_ids)

    def rights_of_key(self) -> RestFlow[tuple[Right, ...]]:
        return rights_of(self.account)


EXCHANGE = Poloniex
