"""A scripted server on loopback and a client of it: what tests of REST flows share."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from privstream.connection.clock import Clock, SystemClock
from privstream.connection.rest.client import Rest
from privstream.connection.rest.nonces import Nonces
from privstream.connection.rest.pacing import Pacing
from privstream.model.account import Endpoints, Secret
from privstream.model.errors import PrivstreamError
from privstream.model.rest import Call, HttpRequest, HttpResponse, RestFlow, Stamp
from tests.connection.loopback import (
    Script,
    Server,
    read_head,
    serve,
)

CANARY = "PSCANARY0123456789abcdef"
NOTHING = b""


def request(path: str = "/0/private/X", body: bytes = b"") -> HttpRequest:
    headers = {"API-Sign": CANARY}
    return HttpRequest("POST" if body else "GET", path, headers, body)


def ask(
    *requests: HttpRequest, nonce: bool = False, cost: float = 1.0
) -> RestFlow[list[HttpResponse]]:
    answers: list[HttpResponse] = []
    for one in requests or (request(),):
        response = yield Call(partial(_same, one), "GetThing", nonce=nonce, cost=cost)
        answers.append(response)
    return answers


def _same(one: HttpRequest, stamp: Stamp) -> HttpRequest:
    del stamp
    return one


class Maker:
    """Makes Rests, and closes them."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self._made: list[Rest] = []

    def __call__(
        self,
        port: int,
        clock: Clock | None = None,
        *,
        scheme: str = "http",
        host: str = "127.0.0.1",
        pacing: Pacing | None = None,
        stop: threading.Event | None = None,
    ) -> Rest:
        clock = clock or SystemClock()
        endpoints = Endpoints(f"{scheme}://{host}:{port}", "ws://127.0.0.1:1/")
        nonces = Nonces(self.state, Secret("key"), 1, clock)
        rest = Rest(endpoints, nonces, pacing or Pacing((100.0, 1.0)), clock, stop)
        self._made.append(rest)
        return rest

    def close(self) -> None:
        for rest in self._made:
            rest.close()


def says(*texts: bytes, heads: list[bytes] | None = None) -> Script:
    """Answers the requests of one connection with these texts, then hangs up."""

    def script(connection: socket.socket) -> None:
        for text in texts:
            head = read_head(connection)
            if heads is not None:
                heads.append(head)
            connection.sendall(text)

    return script


@contextmanager
def serving(*texts: bytes) -> Iterator[tuple[Server, list[bytes]]]:
    heads: list[bytes] = []
    with serve(says(*texts, heads=heads)) as server:
        yield server, heads


def whole(error: PrivstreamError) -> PrivstreamError:
    """The error, after a look whether it or any of its causes tells a secret."""
    seen: BaseException | None = error
    while seen is not None:
        assert CANARY not in str(seen) + repr(seen) + str(getattr(seen, "hint", ""))
        seen = seen.__cause__ or seen.__context__
    return error


def failure(
    rest: Rest, flow: RestFlow[list[HttpResponse]] | None = None, **options: float
) -> PrivstreamError:
    secret = request(f"/x?signature={CANARY}", CANARY.encode())
    with pytest.raises(PrivstreamError) as caught:
        rest.run(flow or ask(secret), **options)  # type: ignore[arg-type] # only `deadline`
    assert "GetThing" in caught.value.message
    return whole(caught.value)
