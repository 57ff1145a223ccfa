"""Only 2xx is delivered; what each other answer means, and how a request is signed."""

import base64
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from typing import Any, cast

import pytest
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from privstream.model.errors import OutputFailed
from privstream.outputs.sinks.base import Rejected, Retry, Row
from privstream.outputs.sinks.webhook import ATTEMPTS, Webhook, signing_key

SECRET = "whsec_" + base64.b64encode(b"an invented key of some length").decode()


class Answer:
    def __init__(self, status: int, retry_after: str = "", body: bytes = b"") -> None:
        self.status = status
        self._retry_after = retry_after
        self._body = body

    def read(self, limit: int) -> bytes:
        return self._body[:limit]

    def getheader(self, name: str, default: str) -> str:
        return self._retry_after if name == "Retry-After" else default


class Server:
    """Gives one answer after the other, 204 at the end; an exception is a broken connection."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self.requests: list[tuple[str, str, bytes, dict[str, str]]] = []
        self.connections = 0
        self._answers = list(answers)

    def connect(self) -> HTTPConnection:
        self.connections += 1
        return cast("HTTPConnection", self)

    def request(self, *request: Any) -> None:
        self.requests.append(request)

    def getresponse(self) -> Answer:
        answer = self._answers.pop(0) if self._answers else Answer(204)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        """Counted by the next connect."""


def hook(
    server: Server, *keys: bytes, wall: Callable[[], float] = lambda: 1_796_000_000.9
) -> Webhook:
    return Webhook(server.connect, "/in?x=1", "https://hook", keys, wall=wall)


def rows(*names: str | None) -> list[Row]:
    return [
        Row("kraken", "desk", "17", number, "trade", name, b'{"id":"%d"}' % number)
        for number, name in enumerate(names, 1)
    ]


def test_each_event_is_one_post() -> None:
    server = Server()
    hook(server).deliver(rows("a", "b"))
    assert [request[:3] for request in server.requests] == [
        ("POST", "/in?x=1", b'{"id":"1"}'),
        ("POST", "/in?x=1", b'{"id":"2"}'),
    ]
    assert server.connections == 1, "the connection is kept"


def test_the_signature_is_the_standards() -> None:
    import time  # noqa: PLC0415 - the verifier looks at the real clock

    server = Server()
    hook(server, signing_key(SECRET), wall=time.time).deliver(rows("desk:order:O1:filled:0.5"))
    [(_, _, body, headers)] = server.requests
    assert Verifier(SECRET).verify(body, headers) == {"id": "1"}
    with pytest.raises(WebhookVerificationError):
        Verifier(SECRET).verify(body + b" ", headers)
    assert "." not in headers["webhook-id"]


def test_two_keys_while_they_are_changed() -> None:
    import time  # noqa: PLC0415 - the verifier looks at the real clock

    other = "whsec_" + base64.b64encode(b"the key that comes after it").decode()
    server = Server()
    hook(server, signing_key(SECRET), signing_key(other), wall=time.time).deliver(rows("a"))
    [(_, _, body, headers)] = server.requests
    for secret in (SECRET, other):
        assert Verifier(secret).verify(body, headers) == {"id": "1"}


def test_an_id_names_the_event_or_its_place() -> None:
    server = Server()
    hook(server).deliver(rows("a", None))
    hook(server).deliver(rows("a", None))
    ids = [request[3]["webhook-id"] for request in server.requests]
    assert ids[:2] == ids[2:]
    assert ids[0] != ids[1]


def test_without_a_secret_nothing_is_signed() -> None:
    server = Server()
    hook(server).deliver(rows("a"))
    assert "webhook-signature" not in server.requests[0][3]


@pytest.mark.parametrize("status", [301, 307, 401, 403, 404])
def test_what_a_person_must_mend_is_said_at_once_and_kept(status: int) -> None:
    with pytest.raises(Retry) as caught:
        hook(Server(Answer(204), Answer(status))).deliver(rows("a", "b"))
    assert caught.value.is_settled
    assert caught.value.delivered == 1
    assert caught.value.why == f"https://hook answered {status}"


@pytest.mark.parametrize("status", [408, 425, 500, 502, 504, 599])
def test_a_passing_fault_is_tried_again(status: int) -> None:
    with pytest.raises(Retry) as caught:
        hook(Server(Answer(status, "120"))).deliver(rows("a"))
    assert not caught.value.is_settled
    assert caught.value.after is None


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("120", 120),
        ("99999999", 3600),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("Sun, 29 Nov 2026 22:13:25 GMT", 4.1),
        ("Sat, 28 Nov 2026 00:00:00 GMT", 0),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_says_how_long(status: int, text: str, after: float | None) -> None:
    server = Server(Answer(status, text))
    with pytest.raises(Retry) as caught:
        hook(server, wall=lambda: 1_795_990_400.9).deliver(rows("a"))
    assert caught.value.after == (None if after is None else pytest.approx(after))


def test_one_that_is_gone_wants_no_more() -> None:
    with pytest.raises(OutputFailed, match="410"):
        hook(Server(Answer(410))).deliver(rows("a"))


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_is_called_wrong_five_times_is_a_dead_letter(status: int) -> None:
    one = hook(Server(*(Answer(status) for _ in range(ATTEMPTS))))
    for _ in range(ATTEMPTS - 1):
        with pytest.raises(Retry):
            one.deliver(rows("a"))
    with pytest.raises(Rejected) as caught:
        one.deliver(rows("a"))
    assert caught.value.attempts == ATTEMPTS


def test_a_kept_connection_that_was_closed_is_made_anew() -> None:
    server = Server(Answer(204), ConnectionResetError("reset"), Answer(204))
    hook(server).deliver(rows("a", "b"))
    assert server.connections == 2


@pytest.mark.parametrize(
    "problem", [OSError("no route"), HTTPException(), TimeoutError("timed out")]
)
def test_a_server_that_is_not_there_is_tried_again(problem: Exception) -> None:
    with pytest.raises(Retry, match="https://hook: "):
        hook(Server(problem)).deliver(rows("a"))


def test_an_endless_answer_is_not_read() -> None:
    server = Server(Answer(200, body=b"x" * 10**6), Answer(204))
    hook(server).deliver(rows("a", "b"))
    assert server.connections == 2


@pytest.mark.parametrize("secret", ["whsec_not base64", "whsec_*"])
def test_a_secret_that_is_none_is_said(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        signing_key(secret)
