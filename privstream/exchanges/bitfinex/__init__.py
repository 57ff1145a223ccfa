"""Bitfinex: WebSocket v2, account channel (chanId 0).

Login
    A signed message on the socket: HMAC-SHA384 over `AUTH` and a nonce in microseconds,
    from the same counter as REST's. A refused nonce (10114) is tried once more on a new
    connection. No subscription follows: the server lists positions, wallets and orders.

Wire examples
    [0,"oc",[1000000001,null,77,"tBTCUST",1780000000000,1780000001000,0,-0.002,
        "EXCHANGE LIMIT",…,"EXECUTED @ 65000.0(-0.002)",…],12,15214,1780000001003]
    [0,"tu",[5001,"tBTCUST",1780000001000,1000000001,-0.002,65000,"EXCHANGE LIMIT",65000,
        -1,-0.26,"UST",77],13,15215,1780000001250]
    [0,"hb",14,1780000016250]

Quirks
    * `te` comes first and lacks the fee; `tu` repeats the fill with it and may stay away
      for long. A fill waits for `tu`, then REST is asked, then it is told without a fee.
    * Amounts are signed; what is left of an order loses its sign at 0, so the side is the
      sign of the original amount. Fees are negative when charged.
    * The available balance is often null, and placing an order may change it without a
      word: it is asked for with `calc`.
    * Sequence numbers stand right after the payload. Heartbeats have theirs one place
      earlier, and answers to requests lack the second, the account's, which may jump.
    * Of a status text only the head before "was" counts: `IOC CANCELED was: PARTIALLY …`;
      but an order in `oc` or in the history is over, whatever the head says.
    * `dms` in the login would cancel all orders when the socket closes: it is never sent.

Source
    docs.bitfinex.com (WebSocket v2, REST v2), issue threads of the official libraries and
    captures; checked 2026-11-30.
"""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from privstream.exchanges.base import Exchange, Limits, Right
from privstream.exchanges.bitfinex.backfill import ReadingBack
from privstream.exchanges.bitfinex.memory import Memory
from privstream.exchanges.bitfinex.names import symbol_of
from privstream.exchanges.bitfinex.rest import BitfinexRest
from privstream.exchanges.bitfinex.rights import rights_of
from privstream.exchanges.bitfinex.session import LOGIN, BitfinexSession
from privstream.exchanges.kit.reading_back import in_parts
from privstream.model.account import Account, Endpoints, Token
from privstream.model.errors import ConfigError
from privstream.model.reports import AnyReport, Backfill, BalanceReport, Known
from privstream.model.rest import RestFlow, Stamp
from privstream.model.session import Ask, Handshake, Session


class Bitfinex(Exchange):
    """One Bitfinex account."""

    name = "bitfinex"
    title = "Bitfinex"
    channels = ("orders", "trades", "balances", "positions", "notices")
    order_id_form = (r"[0-9]+", "1000000001")
    look_up_limit = "Bitfinex forgets orders about two weeks after their end"
    env_prefixes = ("BFX",)
    keys_page = "https://setting.bitfinex.com/api"  # 2026-11-30
    rights = ("orders: read", "wallets: read", "positions: read", "history: read")
    login_nonce = True
    numbers_frames = True
    balance_digits = 8  # of REST; the socket tells more
    open_path = "/v2/platform/status"
    limits = Limits(
        connects=(5, 15.0),  # per address, to the private host
        # 90 calls of each path in a minute; all paths share this budget.
        rest_budget=(30.0, 1.0),
        rest_per_address=True,
        rest_lag=10.0,  # an order's fills were seen missing at first
        login=LOGIN,
        nonce_unit=1000,  # microseconds, like the official libraries
    )

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._memory = Memory()
        self._rest = BitfinexRest(account, self._memory)

    @classmethod
    def endpoints(cls, options: Mapping[str, str]) -> Endpoints:  # noqa: ARG003 - there are none
        return Endpoints(rest_url="https://api.bitfinex.com", ws_url="wss://api.bitfinex.com/ws/2")

    @classmethod
    def check_endpoints(cls, endpoints: Endpoints, options: Mapping[str, str]) -> None:  # noqa: ARG003 - there are none
        if urlsplit(endpoints.ws_url).hostname == "api-pub.bitfinex.com":
            raise ConfigError(
                f"the Bitfinex ws_url {endpoints.ws_url} has public channels only",
                "the private ones are at wss://api.bitfinex.com/ws/2",
            )

    @classmethod
    def symbol_of(cls, text: str) -> str | None:
        return symbol_of(text)

    def handshake(self, stamp: Stamp) -> Handshake:  # noqa: ARG002 - it is not signed
        return Handshake(url=self.account.endpoints.ws_url)

    def session(self, token: Token | None, channels: tuple[str, ...]) -> Session:  # noqa: ARG002 - there is none
        return BitfinexSession(self.account, channels, self._memory, self._rest.fills_since)

    def first_question(self) -> Ask | None:
        return Ask(self._rest.names_of_currencies(), "Bitfinex's names of currencies")

    def backfill(self, known: Known) -> RestFlow[Backfill]:
        return in_parts(ReadingBack(self._rest, self._memory, known).parts())

    def picture(self, channels: tuple[str, ...]) -> RestFlow[Backfill]:  # noqa: ARG002 - orders only
        return self._rest.open_orders()

    def balances_now(self) -> RestFlow[tuple[BalanceReport, ...]]:
        return self._rest.balances()

    def look_up(self, order_ids: Iterable[str]) -> RestFlow[tuple[AnyReport, ...]]:
        return self._rest.look_up(order_ids)

    def rights_of_key(self) -> RestFlow[tuple[Right, ...]]:
        return rights_of(self.account)


EXCHANGE = Bitfinex
