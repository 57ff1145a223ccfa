"""The simulated Poloniex: one account, its market, its doors."""

import hashlib
from collections.abc import Mapping

from privstream.model import exact
from privstream.model.account import Account, Endpoints, Secret
from privstream.model.rest import Now
from privstream.simulator.base import Answer, Connection, Refusal, Request, SimulatedExchange
from privstream.simulator.market import Market
from privstream.simulator.poloniex.history import History
from privstream.simulator.poloniex.keys import Key
from privstream.simulator.poloniex.pages import Paging
from privstream.simulator.poloniex.rest import JSON, Rest
from privstream.simulator.poloniex.socket import MAINTENANCE, OrderListeners, PoloniexSocket, Sixth
from privstream.simulator.poloniex.stream import Stream
from privstream.simulator.poloniex.words import FEES, OPENING, SYMBOLS, identify

RIGHTS = frozenset({"read"})
API_KEY = "SIMULATE-POLONIEX-0KEY0123-456789AB"
API_SECRET = hashlib.sha512(b"privstream simulated poloniex").hexdigest()
"""Invented and always the same, so that a restarted simulator knows its clients."""
WS_PATH = "/ws/private"
BUSY = Answer(503, b"Service Unavailable", "text/plain")


class SimulatedPoloniex(SimulatedExchange):
    """Poloniex with one account on it.

    `rights` is what its key may do. What the documents leave open can be chosen:
    `paging`, whether balances are `versioned` as by the newer servers, and what becomes
    of a `sixth` socket that wants to be told of orders. With `busy_every` each so manyth
    call over REST meets a passing fault.
    """

    name = "poloniex"

    def __init__(
        self,
        *,
        seed: int,
        rate: float,
        limits: bool = True,
        rights: frozenset[str] = RIGHTS,
        paging: Paging = Paging(),  # noqa: B008 - it never changes
        versioned: bool = True,
        sixth: Sixth = "refused",
        busy_every: int | None = None,
    ) -> None:
        self.market = Market(
            seed=seed,
            rate=rate,
            symbols=list(SYMBOLS.values()),
            opening=OPENING,
            fees=FEES,
            identify=identify(seed),
        )
        self.key = Key(API_KEY, API_SECRET.encode(), rights)
        history = History(self.market.books, paging)
        self.rest = Rest(history, self.key, limits=limits, busy_every=busy_every)
        self.in_maintenance = False
        """While it is, the socket answers nothing but pings."""
        self._busy_once = False
        self._versioned, self._limits = versioned, limits
        self._listeners = OrderListeners(sixth if limits else None)
        self._stream: Stream | None = None

    def account(self, base_url: str, options: Mapping[str, str]) -> Account:
        socket = base_url.replace("http", "ws", 1) + WS_PATH
        return Account(
            name="poloniex",
            exchange="poloniex",
            credentials={"api_key": Secret(API_KEY), "api_secret": Secret(API_SECRET)},
            endpoints=Endpoints(base_url, socket),
            options=options,
        )

    def request(self, request: Request, now: Now) -> Answer:
        self.advance(now)
        if self.in_maintenance:
            return Answer(503, exact.encode({"code": 503, "message": MAINTENANCE}), JSON)
        return self.rest.answer(request, now)

    def connect(self, handshake: Request, now: Now) -> Connection | Answer:
        if handshake.path != WS_PATH:
            return Answer(404, b"Not Found", "text/plain")
        self.advance(now)
        if self._busy_once:
            self._busy_once = False
            return BUSY
        return PoloniexSocket(
            self.advance,
            self.key,
            self._listeners,
            lambda: self.in_maintenance,
            limits=self._limits,
        )

    def advance(self, now: Now) -> Stream:
        """Let happen what is due, and tell of it what is due."""
        self.market.advance(now)
        if self._stream is None:  # nothing is ever replayed
            self._stream = Stream(self.market, versioned=self._versioned)
        self._stream.collect(now)
        return self._stream

    # --- what goes wrong ---------------------------------------------------------------

    def without_data(self, text: str) -> str | None:
        frame = exact.decode(text)
        return None if "data" in frame and frame.get("channel") != "auth" else text

    def refuse(self, why: Refusal | None) -> bool:
        # A login that fails is final there; what passes is being busy.
        self.key.refused, self._busy_once = why == "key", why == "nonce"
        return True

    def maintenance(self, *, on: bool) -> bool:
        self.in_maintenance = on
        return True
