"""The simulated Indodax: one account, its market, its tokens, its doors."""

import hashlib
import itertools
import uuid
from collections.abc import Mapping
from urllib.parse import parse_qs

from msgspec import structs

from privstream.model import exact
from privstream.model.account import Account, Endpoints, Secret
from privstream.model.rest import Now
from privstream.simulator.base import (
    Answer,
    Close,
    Connection,
    Refusal,
    Request,
    SimulatedExchange,
)
from privstream.simulator.indodax.api import Api
from privstream.simulator.indodax.keys import Credentials
from privstream.simulator.indodax.rest import Rest
from privstream.simulator.indodax.socket import CentrifugoSocket, Recovery
from privstream.simulator.indodax.stream import Stream
from privstream.simulator.indodax.tokens import Tokens
from privstream.simulator.indodax.words import FEES, OPENING, PAIRS, identify
from privstream.simulator.market import Market

RIGHTS = frozenset({"view"})
API_KEY = "SIMULATE-INDODAX1-0KEY0123-456789AB-CDEFGHIJ"
API_SECRET = hashlib.sha1(b"privstream simulated indodax", usedforsecurity=False).hexdigest() * 2
API_V2_KEY = "SIMULATE-INDODAX2-0KEY0123-456789AB-CDEFGHIJ"
API_V2_SECRET = (
    hashlib.sha1(b"privstream simulated indodax v2", usedforsecurity=False).hexdigest() * 2
)
"""Invented and always the same, so that a restarted simulator knows its clients."""
API_HOST = "/api.indodax.com"
"""Stands for the host of TAPI v2, so that a request to a wrong host is noticed here too."""
USER = hashlib.sha1(b"privstream simulated indodax user", usedforsecurity=False).hexdigest()
TOKEN_LIFE = 86_400
WS_PATH, FLAG = "/ws/", "cf_ws_frame_ping_pong"


class SimulatedIndodax(SimulatedExchange):
    """Indodax with one account on it, which has a key of each kind.

    `rights` is what its keys may do, `token_life` how many seconds a token lasts, and
    `history` how many publications the channel keeps for recovery: none, as far as
    anybody knows of the real one. With `beside` the server subscribes its user to another
    channel as well.
    """

    name = "indodax"
    goodbye = Close(3001, "shutdown")

    def __init__(
        self,
        *,
        seed: int,
        rate: float,
        limits: bool = True,
        rights: frozenset[str] = RIGHTS,
        token_life: int = TOKEN_LIFE,
        history: int = 0,
        beside: bool = False,
    ) -> None:
        self.market = Market(
            seed=seed,
            rate=rate,
            symbols=[pair.symbol for pair in PAIRS.values()],
            opening=OPENING,
            fees=FEES,
            identify=identify(seed),
        )
        self.tokens = Tokens(USER, token_life)
        older = Credentials(API_KEY, API_SECRET.encode(), rights)
        newer = Credentials(API_V2_KEY, API_V2_SECRET.encode(), rights, "v2")
        self.rest = Rest(self.market.books, self.tokens, older, newer, limits=limits)
        self.api = Api(self.market.books, newer, older, limits=limits)
        self._seed, self._history, self._beside = seed, history, beside
        self._stream: Stream | None = None
        self._epoch = ""
        self._connections = itertools.count(1)

    def account(self, base_url: str, options: Mapping[str, str]) -> Account:
        """With the key of TAPI v2 where `options` say `api = "v2"`."""
        socket = base_url.replace("http", "ws", 1) + f"{WS_PATH}?{FLAG}=true"
        is_v2 = options.get("api") == "v2"
        key, secret = (API_V2_KEY, API_V2_SECRET) if is_v2 else (API_KEY, API_SECRET)
        return Account(
            name="indodax",
            exchange="indodax",
            credentials={"api_key": Secret(key), "api_secret": Secret(secret)},
            endpoints=Endpoints(
                base_url, socket, history_url=base_url, api_url=f"{base_url}{API_HOST}"
            ),
            options=options,
        )

    def request(self, request: Request, now: Now) -> Answer:
        self.advance(now)
        if request.path.startswith(f"{API_HOST}/"):
            inside = structs.replace(request, path=request.path.removeprefix(API_HOST))
            return self.api.answer(inside, now)
        return self.rest.answer(request, now)

    def connect(self, handshake: Request, now: Now) -> Connection | Answer:
        if handshake.path != WS_PATH:
            return Answer(404, b"404 page not found\n", "text/plain; charset=utf-8")
        if "origin" in handshake.headers:
            return Answer(403, b"Forbidden\n", "text/plain; charset=utf-8")
        self.advance(now)
        native = parse_qs(handshake.query).get(FLAG) == ["true"]
        number = f"{self._seed}/{next(self._connections)}/{now.wall_ns}"
        client = str(uuid.UUID(bytes=hashlib.md5(number.encode(), usedforsecurity=False).digest()))
        recovery = Recovery(self._epoch, self._history, self._beside)
        return CentrifugoSocket(self.advance, self.tokens, recovery, client, native=native)

    def advance(self, now: Now) -> Stream:
        """Let happen what is due, and publish it."""
        self.market.advance(now)
        if self._stream is None:  # what was before its start, a Centrifugo cannot replay
            self._stream = Stream(self.market)
            digest = hashlib.sha256(f"{self._seed}/{now.wall_ns}".encode()).hexdigest()
            self._epoch = "".join(chr(ord("a") + int(digit, 16)) for digit in digest[:4])
        self._stream.collect()
        return self._stream

    # --- what goes wrong ---------------------------------------------------------------

    def without_data(self, text: str) -> str | None:
        lines = text.split("\n")
        kept = [line for line in lines if "push" not in exact.decode(line)]
        return "\n".join(kept) or None

    def expire(self, now: Now) -> bool:  # noqa: ARG002 - it is dead from now on
        self.tokens.expire()
        return True

    def refuse(self, why: Refusal | None) -> bool:
        # A token is refused for good or not at all; what passes is an error of Centrifugo.
        self.rest.knows_key = self.api.knows_key = why != "key"
        self.tokens.refuses_once = why == "nonce"
        return True
