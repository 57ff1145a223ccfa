"""A client's half of the talk with the simulated Zerocap, in memory and with time in hand."""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

from privstream.model import exact
from privstream.model.rest import Now
from privstream.simulator.base import Answer, Close, Connection, Request, Text
from privstream.simulator.market import Books
from privstream.simulator.zerocap import SimulatedZerocap

START = Now(1_780_000_123_400_000_000, 500.0)
JSON = "application/json"
GREETING = {"type": "message", "message": "Successfully connected."}
PING = {"type": "message", "message": "ping"}


def sign(secret: str, timestamp: str) -> str:
    return hmac.new(secret.encode(), timestamp.encode(), hashlib.sha256).hexdigest()


class Desk:
    """Somebody with a key and a clock."""

    def __init__(self, *, rate: float = 4.0, seed: int = 7, **options: Any) -> None:
        self.zerocap = SimulatedZerocap(seed=seed, rate=rate, **options)
        self.now = START
        self.zerocap.market.advance(START)
        self.account = self.zerocap.account("http://127.0.0.1:8900", {})

    @property
    def books(self) -> Books:
        return self.zerocap.market.books

    @property
    def millis(self) -> int:
        return self.now.wall_ns // 1_000_000

    def wait(self, seconds: float) -> None:
        wall_ns, monotonic = self.now
        self.now = Now(wall_ns + round(seconds * 1e9), monotonic + seconds)

    def headers(self, late: float = 0, **changed: str) -> dict[str, str]:
        """What proves who asks; `late` is how many seconds ago it was signed."""
        timestamp = str(round(self.now.wall_ns // 10**9 - late))
        signed = {
            "api-key": self.account.api_key.reveal(),
            "timestamp": timestamp,
            "signature": sign(self.account.api_secret.reveal(), timestamp),
            "content-type": JSON,
        }
        return signed | {name.replace("_", "-"): value for name, value in changed.items()}

    # --- REST --------------------------------------------------------------------------

    def ask(
        self,
        method: str,
        name: str,
        *,
        query: str = "",
        body: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        headers = self.headers() if headers is None else headers
        return self.zerocap.request(Request(method, name, query, headers, body), self.now)

    def get(self, name: str, **fields: Any) -> Any:
        answer = self.ask("GET", f"/v2/orders/{name}", query=urlencode(fields))
        return result(answer)

    def post(self, name: str, **fields: Any) -> Any:
        return result(self.ask("POST", f"/v2/orders/{name}", body=json.dumps(fields).encode()))

    def refusal(self, name: str, **fields: Any) -> tuple[int, Any]:
        """Status and body of a POST that is refused."""
        answer = self.ask("POST", f"/v2/orders/{name}", body=json.dumps(fields).encode())
        assert answer.content_type == JSON
        return answer.status, exact.decode(answer.body)

    # --- sockets -----------------------------------------------------------------------

    def connect(self, path: str = "/v2", **headers: Any) -> Connection | Answer:
        handshake = Request("GET", path, "", self.headers(**headers))
        return self.zerocap.connect(handshake, self.now)

    def dial(self, **headers: Any) -> "Line":
        connection = self.connect(**headers)
        assert not isinstance(connection, Answer)
        return Line(self, connection)

    def stream(self, *channels: str) -> "Line":
        """A socket that is subscribed."""
        line = self.dial()
        for channel in channels:
            assert line.say({"type": channel})[-1] == {
                "type": "message",
                "message": f"{channel} Subscription successful.",
            }
        return line


def result(answer: Answer) -> Any:
    assert answer.status == 200, answer
    assert answer.content_type == JSON
    return exact.decode(answer.body)


class Line:
    """One socket; keeps what came in."""

    def __init__(self, desk: Desk, connection: Connection) -> None:
        self.desk, self.connection = desk, connection
        self.texts: list[str] = []
        self.close: Close | None = None
        self.greeting = self._take(connection.opened(desk.now))

    def say(self, message: Any) -> list[Any]:
        """Send; return the messages that come at once."""
        text = message if isinstance(message, str) else json.dumps(message)
        return self._take(self.connection.received(text, self.desk.now))

    def listen(self, seconds: float, step: float = 0.25, *, ping: bool = True) -> list[Any]:
        """Let time pass and return what came."""
        messages = []
        for number in range(round(seconds / step)):
            self.desk.wait(step)
            messages += self._take(self.connection.tick(self.desk.now))
            if ping and number % round(10 / step) == 0:
                messages += self.say(PING)
        return messages

    def told(self, kind: str, seconds: float) -> list[Any]:
        """The elements of one kind that are pushed meanwhile."""
        return [m["data"] for m in self.listen(seconds) if m["type"] == kind]

    def _take(self, outs: Any) -> list[Any]:
        messages = []
        for out in outs:
            assert self.close is None, "nothing may follow a close"
            if isinstance(out, Close):
                self.close = out
            else:
                assert isinstance(out, Text)
                self.texts.append(out.text)
                messages.append(exact.decode(out.text))
        return messages
