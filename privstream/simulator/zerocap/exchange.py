"""The simulated Zerocap: one account, its market, its doors."""

import hashlib
from collections.abc import Mapping

from privstream.model import exact
from privstream.model.account import Account, Endpoints, Secret
from privstream.model.rest import Now
from privstream.simulator.base import Answer, Connection, Refusal, Request, SimulatedExchange
from privstream.simulator.market import Fees, Market
from privstream.simulator.zerocap.keys import BUSY, Keys, ZerocapRefused
from privstream.simulator.zerocap.orders import OrderWriter
from privstream.simulator.zerocap.prices import Quotes
from privstream.simulator.zerocap.rest import Rest
from privstream.simulator.zerocap.socket import GOING_AWAY, RefusedSocket, Socket
from privstream.simulator.zerocap.words import (
    ASSETS,
    FREE,
    SYMBOLS,
    Dialect,
    PriceKey,
    TradePrice,
    identify,
)

API_KEY = "5e1f0e57-0a11-4bad-8c0d-51a1a7edface"
API_SECRET = hashlib.sha256(b"privstream simulated zerocap").hexdigest()
"""Invented and always the same, so that a restarted simulator knows its clients."""
PATH = "/v2"
ORDER_PATH, OK = "/v2/orders/create_order", 200
PRICE_KEYS: Mapping[Dialect, frozenset[PriceKey]] = {
    "new": frozenset({"symbols"}),
    "old": frozenset({"symbol"}),
}


class SimulatedZerocap(SimulatedExchange):
    """Zerocap with one account on it.

    The documents know two `dialect`s, and leave things open: with which keys prices
    can be asked for (`price_keys`; else those of the dialect), whether a refused
    handshake gets an error frame or HTTP 401 (`refuse_over_http`), what REST says a
    taker's fill was executed at (`rest_trade_price`: their samples say the order's
    limit). `ip_allowed` is the only right that a key has.
    """

    name = "zerocap"
    goodbye = GOING_AWAY

    def __init__(
        self,
        *,
        seed: int,
        rate: float,
        limits: bool = True,
        dialect: Dialect = "new",
        price_keys: frozenset[PriceKey] | None = None,
        refuse_over_http: bool = False,
        rest_trade_price: TradePrice = "limit",
        ip_allowed: bool = True,
        fees: Fees = FREE,
    ) -> None:
        self.market = Market(
            seed=seed,
            rate=rate,
            symbols=list(SYMBOLS.values()),
            opening={asset.code: asset.opening for asset in ASSETS.values()},
            fees=fees,
            identify=identify(seed),
        )
        self.keys = Keys(API_KEY, API_SECRET.encode(), ip_allowed)
        self._dialect: Dialect = dialect
        self._price_keys = PRICE_KEYS[dialect] if price_keys is None else price_keys
        self._refuse_over_http = refuse_over_http
        self._writer = OrderWriter(self.market.books, dialect, rest_trade_price)
        self._quotes = Quotes(self.market.books, seed)
        self.market.desk.quote, self.market.desk.deals_later = self._quotes.best, True
        self._rest = Rest(self.market, self._writer, self.keys, dialect, limits=limits)

    def account(self, base_url: str, options: Mapping[str, str]) -> Account:
        return Account(
            name="zerocap",
            exchange="zerocap",
            credentials={"api_key": Secret(API_KEY), "api_secret": Secret(API_SECRET)},
            endpoints=Endpoints(base_url, base_url.replace("http", "ws", 1) + PATH),
            options=options,
        )

    def request(self, request: Request, now: Now) -> Answer:
        self.market.advance(now)
        return self._rest.answer(request, now)

    def connect(self, handshake: Request, now: Now) -> Connection | Answer:
        if handshake.path != PATH:
            return Answer(404, b'{"detail":"Not Found"}')
        try:
            self.keys.check(handshake.headers, now)
        except ZerocapRefused as refusal:
            status = refusal.answer.status
            over_http = self._refuse_over_http or status == BUSY
            return refusal.answer if over_http else RefusedSocket(self._dialect, status)
        self.market.advance(now)
        return Socket(self.market, self._writer, self._quotes, self._dialect, self._price_keys)

    def confirmed(self, request: Request, answer: Answer) -> bool:
        return request.path == ORDER_PATH and answer.status == OK

    # --- what goes wrong ---------------------------------------------------------------

    def without_data(self, text: str) -> str | None:
        return None if "data" in exact.decode(text) else text

    def refuse(self, why: Refusal | None) -> bool:
        self.keys.refusal = why
        return True
