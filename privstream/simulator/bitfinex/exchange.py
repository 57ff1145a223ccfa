"""The simulated Bitfinex: one account, its market, its doors."""

import hashlib
import itertools
from collections import deque
from collections.abc import Mapping

from privstream.model import exact
from privstream.model.account import Account, Endpoints, Secret
from privstream.model.rest import Now
from privstream.simulator.base import Answer, Connection, Refusal, Request, SimulatedExchange
from privstream.simulator.bitfinex.backend import MAINTENANCE, RESUMED, Backend, Platform
from privstream.simulator.bitfinex.keys import READ, Keys
from privstream.simulator.bitfinex.margin import Margin
from privstream.simulator.bitfinex.rest import Rest
from privstream.simulator.bitfinex.socket import Socket
from privstream.simulator.bitfinex.tape import Tape
from privstream.simulator.bitfinex.wallets import Wallets
from privstream.simulator.bitfinex.words import CURRENCIES, FEES, PAIRS, identify
from privstream.simulator.market import Market

API_KEY = hashlib.sha256(b"privstream simulated bitfinex key").hexdigest()[:43]
API_SECRET = hashlib.sha256(b"privstream simulated bitfinex secret").hexdigest()[:43]
"""Invented and always the same, so that a restarted simulator knows its clients."""
PATH = "/ws/2"
MOST_DIALS, DIALS_WITHIN = 5, 15.0


class SimulatedBitfinex(SimulatedExchange):
    """Bitfinex with one account on it; `read` and `write` is what its key may do.

    With `odd`, sockets tell some rows with odd values.
    """

    name = "bitfinex"

    def __init__(
        self,
        *,
        seed: int,
        rate: float,
        limits: bool = True,
        odd: bool = False,
        read: frozenset[str] = READ,
        write: frozenset[str] = frozenset(),
    ) -> None:
        self.market = Market(
            seed=seed,
            rate=rate,
            symbols=[pair.symbol for pair in PAIRS.values()],
            opening={currency.code: currency.opening for currency in CURRENCIES.values()},
            fees=FEES,
            identify=identify(seed),
        )
        self.margin = Margin(seed=seed, rate=rate)
        wallets = Wallets(self.market.books, self.margin)
        self.tape = Tape(self.market, self.margin, wallets)
        self.platform = Platform()
        self.keys = Keys(API_KEY, API_SECRET, read, write)
        self._backend = Backend(
            self.market, self.margin, wallets, self.tape, self.keys, self.platform, limits, odd
        )
        self._rest = Rest(self._backend)
        self._dials: deque[float] = deque(maxlen=MOST_DIALS)
        self._numbers = itertools.count(1)

    def announce(self, code: int, text: str | None = None) -> None:
        """Tell every socket 20051, 20060 or 20061, or anything else; from any thread."""
        self.platform.announce(code, text)

    def account(self, base_url: str, options: Mapping[str, str]) -> Account:
        return Account(
            name="bitfinex",
            exchange="bitfinex",
            credentials={"api_key": Secret(API_KEY), "api_secret": Secret(API_SECRET)},
            endpoints=Endpoints(base_url, base_url.replace("http", "ws", 1) + PATH),
            options=options,
        )

    def request(self, request: Request, now: Now) -> Answer:
        self.tape.advance(now)
        return self._rest.answer(request, now)

    def connect(self, handshake: Request, now: Now) -> Connection | Answer:
        if handshake.path != PATH:
            return Answer(404, b"Not Found", "text/plain")
        if self._backend.limits and self._is_over_limit(now):
            return Answer(429, b"Too Many Requests", "text/plain")
        self.tape.advance(now)
        return Socket(self._backend, f"{next(self._numbers)}/{now.wall_ns}")

    def _is_over_limit(self, now: Now) -> bool:
        # A refused dial counts too: who redials at once stays outside.
        full = len(self._dials) == MOST_DIALS and now.monotonic - self._dials[0] < DIALS_WITHIN
        self._dials.append(now.monotonic)
        return full

    # --- what goes wrong ---------------------------------------------------------------

    def without_data(self, text: str) -> str | None:
        frame = exact.decode(text)
        is_data = isinstance(frame, list) and frame[1:2] != ["hb"]
        return None if is_data else text

    def refuse(self, why: Refusal | None) -> bool:
        self.keys.refusal = why
        return True

    def maintenance(self, *, on: bool) -> bool:
        self.announce(MAINTENANCE if on else RESUMED)
        return True
