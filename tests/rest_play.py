"""Dialogues with a REST flow: what it asks, what it is answered, what it returns."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

from privstream.connection.rest.job import Job, Manner
from privstream.model.rest import Call, HttpRequest, HttpResponse, Now, RestFlow, Stamp
from tests.fake_clock import FakeClock

T = TypeVar("T")
STAMP = Stamp(Now(wall_ns=1_780_000_000_000_000_000, monotonic=1000.0), nonce=1_780_000_000_000)

ALL_CHANNELS = ("orders", "trades", "balances")


def answer(body: Any, status: int = 200, **headers: str) -> HttpResponse:
    """A JSON answer; text and bytes are sent as they are."""
    raw = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else None
    kind = {"content-type": "application/json", **headers}
    return HttpResponse(status=status, headers=kind, body=raw or json.dumps(body).encode())


def play(
    flow: RestFlow[T], reply: Callable[[Call, HttpRequest], HttpResponse], *, tries: int = 1
) -> T:
    """Drive a flow to its result; `reply` is asked with each call and its built request."""
    clock = FakeClock()
    job = Job(flow, AnswersAtOnce(reply), clock, manner=Manner(tries=tries))
    while not job.poll():
        clock.advance(job.patience)
    return job.result()


class AnswersAtOnce:
    """Sends a flow's calls to a function, which answers or raises."""

    def __init__(
        self,
        reply: Callable[[Call, HttpRequest], HttpResponse],
        stamp: Callable[[], Stamp] = lambda: STAMP,
    ) -> None:
        self._reply = reply
        self._stamp = stamp

    def wait_for(self, call: Call, spare: float) -> float:
        del call, spare
        return 0.0

    def send(self, call: Call, limit: float | None) -> "Answered":
        del limit
        return Answered(lambda: self._reply(call, call.build(self._stamp())))


class Answered:
    """A request that is answered as soon as somebody looks."""

    def __init__(self, reply: Callable[[], HttpResponse]) -> None:
        self._reply = reply

    def is_over(self) -> bool:
        return True

    def result(self) -> HttpResponse:
        return self._reply()

    def abandon(self) -> None:
        """There is nothing to abandon."""
