"""A client's half of the talk with the simulated Poloniex, in memory and with time in hand."""

import base64
import hmac
import json
from typing import Any
from urllib.parse import quote, urlencode

from privstream.model import exact
from privstream.model.rest import Now
from privstream.simulator.base import Answer, Close, Connection, Request, Text
from privstream.simulator.market import Books
from privstream.simulator.poloniex.exchange import SimulatedPoloniex

START = Now(1_780_000_123_400_000_000, 500.0)
MILLI = 1_000_000


def sign(text: str, secret: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), "sha256")).decode()


class Desk:
    """Somebody with a key and a clock."""

    def __init__(self, *, rate: float = 4.0, seed: int = 7, **options: Any) -> None:
        self.poloniex = SimulatedPoloniex(seed=seed, rate=rate, **options)
        self.now = START
        self.poloniex.advance(START)
        self.account = self.poloniex.account("http://127.0.0.1:8900", {})
        self.key = self.account.api_key.reveal()
        self.secret = self.account.api_secret.reveal()

    @property
    def books(self) -> Books:
        return self.poloniex.market.books

    @property
    def millis(self) -> int:
        return self.now.wall_ns // MILLI

    def wait(self, seconds: float) -> None:
        wall_ns, monotonic = self.now
        self.now = Now(wall_ns + round(seconds * 1e9), monotonic + seconds)

    # --- REST --------------------------------------------------------------------------

    def headers(self, path: str, timestamp: int, **fields: Any) -> dict[str, str]:
        pairs = sorted({**fields, "signTimestamp": timestamp}.items())
        text = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in pairs)
        signature = sign(f"GET\n{path}\n{text}", self.secret)
        return {"key": self.key, "signtimestamp": str(timestamp), "signature": signature}

    def answer(self, path: str, *, age: float = 0, changes: Any = None, **fields: Any) -> Answer:
        """Ask with a signature; `changes` are headers that are other than they should be."""
        fields = {name.rstrip("_"): value for name, value in fields.items()}
        headers = self.headers(path, self.millis - round(age * 1000), **fields) | (changes or {})
        request = Request("GET", path, urlencode(fields), headers)
        return self.poloniex.request(request, self.now)

    def get(self, path: str, **fields: Any) -> Any:
        answer = self.answer(path, **fields)
        assert (answer.status, answer.content_type) == (200, "application/json"), answer.body
        return exact.decode(answer.body)

    def refusal(self, path: str, **fields: Any) -> tuple[int, int, str]:
        """Status, code and message."""
        answer = self.answer(path, **fields)
        body = exact.decode(answer.body)
        assert list(body) == ["code", "message"]
        return answer.status, body["code"], body["message"]

    # --- sockets -----------------------------------------------------------------------

    def dial(self) -> "Line":
        connection = self.poloniex.connect(Request("GET", "/ws/private", "", {}), self.now)
        assert not isinstance(connection, Answer)
        return Line(self, connection)

    def login(self, timestamp: int | None = None, **changes: Any) -> dict[str, Any]:
        timestamp = self.millis if timestamp is None else timestamp
        signature = sign(f"GET\n/ws\nsignTimestamp={timestamp}", self.secret)
        params = {"key": self.key, "signTimestamp": timestamp, "signature": signature}
        return {"event": "subscribe", "channel": ["auth"], "params": {**params, **changes}}

    def enter(self) -> "Line":
        """A socket that is logged in."""
        line = self.dial()
        line.say(self.login())
        assert line.listen(0.25)[0]["data"]["success"] is True
        return line

    def stream(self, *channels: str, symbols: Any = ("all",)) -> "Line":
        """A socket that is logged in and subscribed."""
        line = self.enter()
        channels = channels or ("orders", "balances")
        acks = line.say({"event": "subscribe", "channel": list(channels), "symbols": list(symbols)})
        assert [ack["event"] for ack in acks] == ["subscribe"] * len(channels)
        return line


class Line:
    """One socket; keeps what came in."""

    def __init__(self, desk: Desk, connection: Connection) -> None:
        self.desk, self.connection = desk, connection
        self.texts: list[str] = []
        self.close: Close | None = None
        self._take(connection.opened(desk.now))

    def say(self, message: Any) -> list[Any]:
        """Send; return the frames that come at once."""
        text = message if isinstance(message, str) else json.dumps(message)
        return self._take(self.connection.received(text, self.desk.now))

    def error(self, message: Any) -> str:
        """Send what is refused; return why."""
        (frame,) = self.say(message)
        assert list(frame) == ["event", "message"]
        assert frame["event"] == "error"
        return str(frame["message"])

    def log_in(self, **changes: Any) -> Any:
        """The reply to a login."""
        assert self.say(self.desk.login(**changes)) == []
        (reply,) = self.listen(0.25)
        assert reply["channel"] == "auth"
        return reply["data"]

    def listen(self, seconds: float, step: float = 0.25, *, ping: bool = False) -> list[Any]:
        """Let time pass and return what came."""
        frames = []
        for number in range(round(seconds / step)):
            self.desk.wait(step)
            if self.close is not None:
                continue
            if ping and number % 40 == 0:
                frames += self.say({"event": "ping"})
            frames += self._take(self.connection.tick(self.desk.now))
        return frames

    def items(self, seconds: float, channel: str) -> list[Any]:
        """The elements of what a channel tells meanwhile."""
        frames = self.listen(seconds, ping=True)
        return [item for f in frames if f.get("channel") == channel for item in f["data"]]

    def _take(self, outs: Any) -> list[Any]:
        frames: list[Any] = []
        for out in outs:
            assert self.close is None, "nothing may follow a close"
            if isinstance(out, Close):
                self.close = out
            else:
                assert isinstance(out, Text)
                self.texts.append(out.text)
                frames.append(exact.decode(out.text))
        return frames
