"""A client's half of the talk with the simulated Bitfinex, in memory and with time in hand."""

import hmac
import json
from collections.abc import Iterable
from typing import Any

from privstream.model import exact
from privstream.model.rest import Now
from privstream.simulator.base import Answer, Close, Connection, Out, Request, Text
from privstream.simulator.bitfinex import SimulatedBitfinex
from privstream.simulator.market import Books

START = Now(1_780_000_123_400_000_000, 500.0)
SEQ_ALL, TIMESTAMP = 65536, 32768


def sign(message: str, secret: str) -> str:
    return hmac.new(secret.encode(), message.encode(), "sha384").hexdigest()


class Desk:
    """Somebody with a key, a pencil for nonces and a clock."""

    def __init__(self, *, rate: float = 4.0, seed: int = 3, **options: Any) -> None:
        self.bitfinex = SimulatedBitfinex(seed=seed, rate=rate, **options)
        self.now = START
        account = self.bitfinex.account("http://127.0.0.1:8900", {})
        self.key, self.secret = account.api_key.reveal(), account.api_secret.reveal()
        self.nonce = 1000

    @property
    def books(self) -> Books:
        return self.bitfinex.market.books

    def wait(self, seconds: float) -> None:
        wall_ns, monotonic = self.now
        self.now = Now(wall_ns + round(seconds * 1e9), monotonic + seconds)

    # --- REST --------------------------------------------------------------------------

    def ask(self, call: str, body: bytes = b"{}", **headers: str) -> Answer:
        self.nonce += 1
        path, nonce = f"/v2/auth/{call}", headers.pop("bfx_nonce", str(self.nonce))
        signed = {
            "bfx-nonce": nonce,
            "bfx-apikey": self.key,
            "bfx-signature": sign(f"/api{path}{nonce}{body.decode()}", self.secret),
            "content-type": "application/json",
        }
        signed |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.bitfinex.request(Request("POST", path, "", signed, body), self.now)

    def post(self, call: str, **arguments: Any) -> Any:
        """What a call that succeeds brings."""
        answer = self.ask(call, json.dumps(arguments).encode())
        assert answer.status == 200, answer.body
        return exact.decode(answer.body)

    def error(self, call: str, body: bytes = b"{}", **headers: str) -> Any:
        """`[CODE, text]` of a call that fails."""
        answer = self.ask(call, body, **headers)
        assert answer.status == 500
        word, code, text = exact.decode(answer.body)
        assert word == "error"
        return [code, text]

    def get(self, path: str) -> Answer:
        return self.bitfinex.request(Request("GET", path, "", {}), self.now)

    # --- sockets -----------------------------------------------------------------------

    def dial(self) -> "Line":
        connection = self.bitfinex.connect(Request("GET", "/ws/2", "", {}), self.now)
        assert not isinstance(connection, Answer)
        return Line(self, connection)

    def logged_in(self, flags: int = 0, **fields: Any) -> "Line":
        """A socket whose snapshots have come."""
        line = self.dial()
        if flags:
            line.say({"event": "conf", "flags": flags})
        answer = line.log_in(**fields)
        assert answer[0]["status"] == "OK", answer
        return line


class Line:
    """One socket; keeps the texts that came in."""

    def __init__(self, desk: Desk, connection: Connection) -> None:
        self.desk, self.connection = desk, connection
        self.texts: list[str] = []
        self.closed: Close | None = None
        self.greeting = self._take(connection.opened(desk.now))

    def say(self, message: Any) -> list[Any]:
        """Send; return the frames that come at once."""
        text = message if isinstance(message, str) else json.dumps(message)
        return self._take(self.connection.received(text, self.desk.now))

    def log_in(self, **fields: Any) -> list[Any]:
        self.desk.nonce += 1
        payload = f"AUTH{self.desk.nonce}"
        message = {
            "event": "auth",
            "apiKey": self.desk.key,
            "authNonce": self.desk.nonce,
            "authPayload": payload,
            "authSig": sign(payload, self.desk.secret),
        }
        return self.say(message | fields)

    def calc(self, *names: str) -> list[Any]:
        return self.say([0, "calc", None, [[name] for name in names]])

    def listen(self, seconds: float, step: float = 0.25) -> list[Any]:
        """Let time pass and return what came."""
        frames = []
        for _ in range(round(seconds / step)):
            self.desk.wait(step)
            frames += self._take(self.connection.tick(self.desk.now))
        return frames

    def _take(self, outs: Iterable[Out]) -> list[Any]:
        frames = []
        for out in outs:
            if isinstance(out, Close):
                self.closed = out
                continue
            assert isinstance(out, Text)
            self.texts.append(out.text)
            frames.append(exact.decode(out.text))
        return frames


def rows(frames: Iterable[Any], *kinds: str) -> list[Any]:
    """The payloads of the frames of these kinds."""
    return [frame[2] for frame in frames if isinstance(frame, list) and frame[1] in kinds]


def kinds(frames: Iterable[Any]) -> list[str]:
    return [frame[1] for frame in frames if isinstance(frame, list)]
