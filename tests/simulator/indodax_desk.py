"""A client's half of the talk with the simulated Indodax, in memory and with time in hand."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from privstream.model import exact
from privstream.model.rest import Now
from privstream.simulator.base import Answer, Close, Connection, Ping, Request, Text
from privstream.simulator.indodax.exchange import (
    API_HOST,
    API_V2_KEY,
    API_V2_SECRET,
    SimulatedIndodax,
)
from privstream.simulator.indodax.tokens import SECRET
from privstream.simulator.market import Books

START = Now(1_780_000_123_400_000_000, 500.0)
FORM = "application/x-www-form-urlencoded"
NATIVE = "cf_ws_frame_ping_pong=true"
TAPI, TOKEN = "/tapi", "/api/private_ws/v1/generate_token"


def mint(user: str, expires: int, secret: bytes = SECRET) -> str:
    """A token as the exchange makes them, made without its code."""
    text = ".".join(
        _coded(json.dumps(p)) for p in ({"alg": "HS256"}, {"sub": user, "exp": expires})
    )
    digest = hmac.digest(secret, text.encode(), hashlib.sha256)
    return f"{text}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def _coded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


class Desk:
    """Somebody with a key and a clock."""

    def __init__(self, *, rate: float = 4.0, seed: int = 7, **options: Any) -> None:
        self.indodax = SimulatedIndodax(seed=seed, rate=rate, **options)
        self.now = START
        self.indodax.advance(START)
        self.account = self.indodax.account("http://127.0.0.1:8900", {})
        self.key = self.account.api_key.reveal()

    @property
    def books(self) -> Books:
        return self.indodax.market.books

    @property
    def millis(self) -> int:
        return self.now.wall_ns // 1_000_000

    def wait(self, seconds: float) -> None:
        wall_ns, monotonic = self.now
        self.now = Now(wall_ns + round(seconds * 1e9), monotonic + seconds)

    def sign(self, text: str) -> str:
        secret = self.account.api_secret.reveal().encode()
        return hmac.digest(secret, text.encode(), "sha512").hex()

    # --- REST --------------------------------------------------------------------------

    def ask(self, request: Request, status: int = 200) -> Any:
        answer = self.indodax.request(request, self.now)
        assert answer.status == status
        assert answer.content_type == "application/json"
        return exact.decode(answer.body)

    def post(self, path: str, body: str, status: int = 200, **headers: str) -> Any:
        signed = {"content-type": FORM, "sign": self.sign(body), **headers}
        return self.ask(Request("POST", path, "", signed, body.encode()), status)

    def call(self, method: str, **fields: Any) -> Any:
        stamped = {"method": method, "timestamp": self.millis, **fields}
        return self.post(TAPI, urlencode(stamped), key=self.key)

    def result(self, method: str, **fields: Any) -> Any:
        answer = self.call(method, **fields)
        assert answer["success"] == 1, answer
        return answer["return"]

    def get(self, name: str, status: int = 200, **fields: Any) -> Any:
        query = urlencode({"timestamp": self.millis, **fields})
        return self.get_with(name, query, status)

    def get_with(self, name: str, query: str, status: int = 200, **headers: str) -> Any:
        signed = {
            "accept": "application/json",
            "content-type": "application/json",
            "x-apikey": self.key,
            "sign": self.sign(query),
        }
        request = Request("GET", f"/api/v2/{name}", query, signed | headers)
        return self.ask(request, status)

    def api(self, name: str, status: int = 200, **fields: Any) -> Any:
        """TAPI v2, with the key of its kind."""
        query = urlencode({**fields, "timestamp": self.millis, "recvWindow": 5000})
        return self.api_with(name, query, status)

    def api_with(self, name: str, query: str, status: int = 200, **headers: str) -> Any:
        signed = {
            "accept": "application/json",
            "x-apikey": API_V2_KEY,
            "sign": hmac.digest(API_V2_SECRET.encode(), query.encode(), "sha256").hex(),
        }
        path = f"{API_HOST}/api/v2/{name}"
        return self.ask(Request("GET", path, query, signed | headers), status)

    def login(self) -> tuple[str, str]:
        """A token and its channel."""
        answer = self.post(TOKEN, f"client=tapi&tapi_key={self.key}")
        return answer["return"]["connToken"], answer["return"]["channel"]

    # --- sockets -----------------------------------------------------------------------

    def dial(self, query: str = NATIVE) -> "Line":
        connection = self.indodax.connect(Request("GET", "/ws/", query, {}), self.now)
        assert not isinstance(connection, Answer)
        return Line(self, connection)

    def stream(self, query: str = NATIVE) -> "Line":
        """A socket that is logged in and subscribed."""
        token, channel = self.login()
        line = self.dial(query)
        line.say({"connect": {"token": token}, "id": 1})
        assert "subscribe" in line.say({"subscribe": {"channel": channel}, "id": 2})[0]
        return line


class Line:
    """One socket; keeps what came in."""

    def __init__(self, desk: Desk, connection: Connection) -> None:
        self.desk, self.connection = desk, connection
        self.frames: list[str] = []
        self.pings = 0
        self.close: Close | None = None
        self._take(connection.opened(desk.now))

    @property
    def ended(self) -> tuple[int, str] | None:
        return None if self.close is None else (self.close.code, self.close.reason)

    def say(self, *messages: Any) -> list[Any]:
        """Send one frame; return the messages that come at once."""
        texts = [m if isinstance(m, str) else json.dumps(m) for m in messages]
        return self._take(self.connection.received("\n".join(texts), self.desk.now))

    def listen(self, seconds: float, step: float = 0.25, *, pong: bool = True) -> list[Any]:
        """Let time pass and return what came."""
        messages = []
        for _ in range(round(seconds / step)):
            self.desk.wait(step)
            if self.close is not None:
                continue
            before = self.pings
            messages += self._take(self.connection.tick(self.desk.now))
            if pong and self.pings > before:
                self.connection.ponged(self.desk.now)
        return messages

    def orders(self, seconds: float) -> list[Any]:
        """The orders of what is pushed meanwhile."""
        return list(orders_in(self.listen(seconds)))

    def _take(self, outs: Any) -> list[Any]:
        messages: list[Any] = []
        for out in outs:
            assert self.close is None, "nothing may follow a close"
            if isinstance(out, Close):
                self.close = out
            elif isinstance(out, Ping):
                self.pings += 1
            else:
                assert isinstance(out, Text)
                self.frames.append(out.text)
                messages += [exact.decode(line) for line in out.text.split("\n")]
        return messages


def orders_in(messages: list[Any]) -> Iterator[Any]:
    for message in messages:
        for event in message.get("push", {}).get("pub", {}).get("data", []):
            assert event["eventType"] == "order_update"
            yield event["order"]
