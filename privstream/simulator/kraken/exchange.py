"""The simulated Kraken: one account, its market, its tokens, its doors."""

import base64
import hashlib
import itertools
from collections.abc import Mapping
from decimal import Decimal

from privstream.model import exact
from privstream.model.account import Account, Endpoints, Secret
from privstream.model.rest import Now
from privstream.simulator.base import Answer, Connection, Refusal, Request, SimulatedExchange
from privstream.simulator.kraken.rest import Rest
from privstream.simulator.kraken.socket import Platform, Tokens
from privstream.simulator.kraken.tiers import TIERS
from privstream.simulator.kraken.trading import Trading
from privstream.simulator.kraken.v1 import SocketV1
from privstream.simulator.kraken.v2 import SocketV2
from privstream.simulator.kraken.words import ALL_ASSETS, ALL_PAIRS, ASSETS, FEES, PAIRS, identify
from privstream.simulator.market import Market

RIGHTS = frozenset(
    {"websocket", "open_orders", "closed_orders", "funds", "ledger", "trade", "cancel"}
)
API_KEY = "SIMULATEDxKrakenxKeyx0123456789xABCDEFGHIJKLMNOPQRSTUVWX"
API_SECRET = base64.b64encode(hashlib.sha512(b"privstream simulated kraken").digest()).decode()
"""Invented and always the same, so that a restarted simulator knows its clients."""
PATHS = {"v1": "/", "v2": "/v2"}
ORDER_METHODS = frozenset({"add_order", "amend_order", "cancel_order", "cancel_all"})
ORDER_EVENTS = frozenset({"cancelOrderStatus", "cancelAllStatus"})
ORDER_PATHS = frozenset(f"/0/private/{name}" for name in ("AddOrder", "CancelOrder", "CancelAll"))
DATA_CHANNELS = frozenset({"executions", "balances"})


class SimulatedKraken(SimulatedExchange):
    """Kraken with one account on it; `rights` is what its key may do.

    With `checks_late` an order without funds, or one that may only make and would take, is
    answered as taken and then canceled with the reason; both were seen. With `odd_pairs` it
    also trades a tokenized, a delisted and a listed but nameless pair. `restricted` are assets
    that may not be traded from the account's country.
    """

    name = "kraken"

    def __init__(
        self,
        *,
        seed: int,
        rate: float,
        limits: bool = True,
        rights: frozenset[str] = RIGHTS,
        checks_late: bool = False,
        odd_pairs: bool = False,
        numbers_errors: bool = True,
        restricted: frozenset[str] = frozenset(),
        tier: str = "starter",
    ) -> None:
        pairs = ALL_PAIRS if odd_pairs else PAIRS
        assets = ALL_ASSETS if odd_pairs else ASSETS
        self.market = Market(
            seed=seed,
            rate=rate,
            symbols=[pair.symbol for pair in pairs.values()],
            opening={c: a.opening if c in assets else Decimal(0) for c, a in ALL_ASSETS.items()},
            fees=FEES,
            identify=identify(seed),
        )
        self.tokens = Tokens(seed)
        self.platform = Platform(numbers_errors=numbers_errors, tier=TIERS[tier])
        self.trading = Trading(
            self.market,
            rights,
            limits=limits,
            checks_late=checks_late,
            restricted=restricted,
            tier=TIERS[tier],
        )
        self.rest = Rest(
            self.market,
            self.tokens,
            API_KEY,
            base64.b64decode(API_SECRET),
            rights,
            limits=limits,
            platform=self.platform,
            trading=self.trading,
        )
        self._connections = itertools.count(1)

    def account(self, base_url: str, options: Mapping[str, str]) -> Account:
        path = PATHS[options.get("protocol", "v2")]
        return Account(
            name="kraken",
            exchange="kraken",
            credentials={"api_key": Secret(API_KEY), "api_secret": Secret(API_SECRET)},
            endpoints=Endpoints(base_url, base_url.replace("http", "ws", 1) + path),
            options=options,
        )

    def request(self, request: Request, now: Now) -> Answer:
        self.market.advance(now)
        return self.rest.answer(request, now)

    def connect(self, handshake: Request, now: Now) -> Connection | Answer:
        socket = {"/": SocketV1, "/v2": SocketV2}.get(handshake.path)
        if socket is None:
            return Answer(404, b"Not Found", "text/plain")
        self.market.advance(now)
        seed = f"{next(self._connections)}/{now.wall_ns}".encode()
        number = int.from_bytes(hashlib.blake2b(seed, digest_size=8).digest(), "big")
        return socket(self.market, self.tokens, self.platform, self.trading, number)

    def confirms(self, told: str) -> bool:
        frame = exact.decode(told)
        if not isinstance(frame, dict):
            return False
        if frame.get("method") in ORDER_METHODS:  # a validated order has no result to speak of
            return bool(frame.get("result"))
        if frame.get("event") == "addOrderStatus":
            return "txid" in frame
        return frame.get("event") in ORDER_EVENTS and frame.get("status") == "ok"

    def confirmed(self, request: Request, answer: Answer) -> bool:
        if request.path not in ORDER_PATHS:
            return False
        result = exact.decode(answer.body).get("result", {})
        return "txid" in result or "count" in result

    # --- what goes wrong ---------------------------------------------------------------

    def without_data(self, text: str) -> str | None:
        frame = exact.decode(text)
        if isinstance(frame, dict):
            return None if frame.get("channel") in DATA_CHANNELS else text
        return None

    def expire(self, now: Now) -> bool:  # noqa: ARG002 - what is dead stays dead
        self.tokens.revoke_all()
        return True

    def refuse(self, why: Refusal | None) -> bool:
        self.rest.refusal = why
        return True

    def maintenance(self, *, on: bool) -> bool:
        self.platform.maintain(on=on)
        return True
