"""The simulated Indodax: one account, its market, its tokens, its doors."""

import hashlib
import itertools
import uuid
from collections.abc import Mapping
from urllib.parse import parse_qs

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
from privstream.simulator.indodax.rest import Credentials, Rest
from privstream.simulator.indodax.socket import CentrifugoSocket, Recovery
from privstream.simulator.indodax.stream import Stream
from privstream.simulator.indodax.tokens import Tokens
from privstream.simulator.indodax.words import FEES, OPENING, PAIRS, identify
from privstream.simulator.market import Market

RIGHTS = frozenset({"view"})
API_KEY = "SIMULATE-INDODAX1-0KEY0123-456789AB-CDEFGHIJ"
API_SECRET = hashlib.sha1(b"privstream simulated indodax", usedforsecurity=False).hexdigest() * 2
"""Invented and always the same, so that a restarted simulator knows its clients."""
USER = hashlib.sha1(b"privstream simulated indodax user", usedforsecurity=False).hexdigest()
TOKEN_LIFE = 86_400
WS_PATH, FLAG = "/ws/", "cf_ws_frame_ping_pong"


class SimulatedIndodax(SimulatedExchange):
    """Indodax with one account on it.

    `rights` is what its key may do, `token_life` how many seconds a token lasts, and
    `history` how many publications the channel keeps for recovery: none, as far as
    anybody knows of the real one.
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
        credentials = Credentials(API_KEY, API_SECRET.encode(), rights)
        self.rest = Rest(self.market.books, self.tokens, credentials, limits=limits)
        self._seed, self._history = seed, history
        self._stream: Stream | None = None
        self._epoch = ""
        self._connections = itertools.count(1)

    def account(self, base_url: str, options: Mapping[str, str]) -> Account:
        socket = base_url.replace("http", "ws", 1) + f"{WS_PATH}?{FLAG}=true"
        return Account(
            name="indodax",
            exchange="indodax",
            credentials={"api_key": Secret(API_KEY), "api_secret": Secret(API_SECRET)},
            endpoints=Endpoints(base_url, socket, history_url=base_url),
            options=options,
        )

    def request(self, request: Request, now: Now) -> Answer:
        self.advance(now)
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
        recovery = Recovery(self._epoch, self._history)
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
        self.rest.knows_key = why != "key"
        self.tokens.refuses_once = why == "nonce"
        return True
