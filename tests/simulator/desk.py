"""A client's half of the talk with the simulated Kraken, in memory and with time in hand."""

import base64
import hashlib
import hmac
import json
from typing import Any, Self
from urllib.parse import urlencode

from privstream.model import exact
from privstream.model.rest import Now
from privstream.simulator.base import Answer, Close, Connection, Out, Request, Text
from privstream.simulator.kraken import SimulatedKraken
from privstream.simulator.market import Books

# The middle of a chapter at the rates used here, so that orders are open.
START = Now(1_780_000_123_400_000_000, 500.0)
FORM = "application/x-www-form-urlencoded"


def sign(path: str, nonce: str, body: bytes, secret: str) -> str:
    digest = hashlib.sha256(nonce.encode() + body).digest()
    key = base64.b64decode(secret)
    return base64.b64encode(hmac.digest(key, path.encode() + digest, "sha512")).decode()


class Desk:
    """Somebody with a key, a pencil for nonces and a clock."""

    def __init__(self, *, rate: float = 4.0, seed: int = 7, **options: Any) -> None:
        self.kraken = SimulatedKraken(seed=seed, rate=rate, **options)
        self.now = START
        self.kraken.market.advance(START)
        self.account = self.kraken.account("http://127.0.0.1:8900", {})
        self.nonce = 1000

    @property
    def books(self) -> Books:
        return self.kraken.market.books

    def wait(self, seconds: float) -> None:
        wall_ns, monotonic = self.now
        self.now = Now(wall_ns + round(seconds * 1e9), monotonic + seconds)

    # --- REST --------------------------------------------------------------------------

    def post(self, name: str, **arguments: Any) -> Any:
        self.nonce += 1
        return self.post_with(name, {"nonce": str(self.nonce), **arguments})

    def post_with(self, name: str, fields: dict[str, Any], **headers: str) -> Any:
        path, body = f"/0/private/{name}", urlencode(fields).encode()
        signature = sign(path, str(fields.get("nonce", "")), body, self.account.api_secret.reveal())
        signed = {
            "content-type": FORM,
            "api-key": self.account.api_key.reveal(),
            "api-sign": signature,
        }
        return self.ask(Request("POST", path, "", signed | headers, body))

    def ask(self, request: Request) -> Any:
        answer = self.kraken.request(request, self.now)
        assert answer.status == 200
        decoded = exact.decode(answer.body)
        assert bool(decoded["error"]) != ("result" in decoded)
        return decoded

    def result(self, name: str, **arguments: Any) -> Any:
        answer = self.post(name, **arguments)
        assert answer["error"] == []
        return answer["result"]

    def error(self, name: str, **arguments: Any) -> str:
        (text,) = self.post(name, **arguments)["error"]
        return str(text)

    def token(self) -> str:
        return str(self.result("GetWebSocketsToken")["token"])

    # --- sockets -----------------------------------------------------------------------

    def dial(self, path: str = "/v2") -> "Line":
        connection = self.kraken.connect(Request("GET", path, "", {}), self.now)
        assert not isinstance(connection, Answer)
        return Line(self, connection)


class Line:
    """One socket; keeps what came in."""

    def __init__(self, desk: Desk, connection: Connection) -> None:
        self.desk, self.connection = desk, connection
        self.texts: list[str] = []
        self.closed: Close | None = None
        self._take(connection.opened(desk.now))

    def say(self, message: Any) -> list[Any]:
        """Send; return the frames that come at once."""
        text = message if isinstance(message, str) else json.dumps(message)
        return self._take(self.connection.received(text, self.desk.now))

    def subscribe(self, channel: str, token: str | None = None, **options: Any) -> list[Any]:
        params = {"channel": channel, "token": token or self.desk.token(), **options}
        return self.say({"method": "subscribe", "params": params, "req_id": 1})

    def subscribe_v1(self, name: str, token: str | None = None, **options: Any) -> list[Any]:
        subscription = {"name": name, "token": token or self.desk.token(), **options}
        return self.say({"event": "subscribe", "reqid": 1, "subscription": subscription})

    def listen(self, seconds: float, step: float = 0.25) -> list[Any]:
        """Let time pass and return what came."""
        frames = []
        for _ in range(round(seconds / step)):
            self.desk.wait(step)
            frames += self._take(self.connection.tick(self.desk.now))
        return frames

    def hang_up(self) -> Self:
        self.connection.closed(self.desk.now)
        return self

    def _take(self, outs: Any) -> list[Any]:
        frames = []
        for out in outs:
            frames += self._frame(out)
        return frames

    def _frame(self, out: Out) -> list[Any]:
        if isinstance(out, Close):
            self.closed = out
            return []
        assert isinstance(out, Text)
        self.texts.append(out.text)
        return [exact.decode(out.text)]
