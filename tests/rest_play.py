"""Dialogues with a REST flow: what it asks, what it is answered, what it returns."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

from privstream.connection.rest.driving import driven
from privstream.model.rest import Call, HttpRequest, HttpResponse, Now, RestFlow, Stamp

T = TypeVar("T")
STAMP = Stamp(Now(wall_ns=1_780_000_000_000_000_000, monotonic=1000.0), nonce=1_780_000_000_000)

ALL_CHANNELS = ("orders", "trades", "balances")


def answer(body: Any, status: int = 200, **headers: str) -> HttpResponse:
    """A JSON answer; text and bytes are sent as they are."""
    raw = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else None
    kind = {"content-type": "application/json", **headers}
    return HttpResponse(status=status, headers=kind, body=raw or json.dumps(body).encode())


def play(flow: RestFlow[T], reply: Callable[[Call, HttpRequest], HttpResponse]) -> T:
    """Drive a flow to its result; `reply` is asked with each call and its built request."""
    return driven(flow, lambda call: reply(call, call.build(STAMP)), lambda _: None)
