"""A desk that answers Indodax's REST calls in tests, and what is asked of it there."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from privstream.memory.ledger import Ledger
from privstream.model.reports import Backfill, Known
from privstream.model.rest import Call, HttpRequest, HttpResponse
from tests.exchanges.indodax_account import (
    ALL,
)
from tests.playbook import ledger
from tests.rest_play import answer
from tests.valid import assert_valid

RECEIVED = "2026-05-28T20:30:00.000000Z"
SINCE = 1_780_000_010_000  # milliseconds
UNTIL = 1_780_000_030_000
NOTHING = {"success": 1, "return": {"orders": None}}
NO_BALANCES = {"success": 1, "return": {"balance": [], "balance_hold": []}}


class Desk:
    """Answers by the name of the call, and remembers what was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {"openOrders": NOTHING, "getInfo": NO_BALANCES, **answers}
        self.asked: list[tuple[str, dict[str, str]]] = []

    def __call__(self, call: Call, request: HttpRequest) -> HttpResponse:
        text = urlsplit(request.path).query if request.method == "GET" else request.body.decode()
        self.asked.append((call.name, dict(parse_qsl(text))))
        body = self.answers.get(call.name, {"data": []})
        if isinstance(body, HttpResponse):
            return body
        return answer(body(self.asked[-1][1]) if callable(body) else body)

    def names(self) -> list[str]:
        return [name for name, _ in self.asked]


def known(*symbols: str, channels: tuple[str, ...] = ALL, **more: Any) -> Known:
    known = {"since_ns": SINCE * 10**6, "until_ns": UNTIL * 10**6, **more}
    known.setdefault("placed_since_ns", known["since_ns"])
    return Known(channels=channels, symbols=frozenset(symbols), **known)


def told(found: Backfill, book: Ledger | None = None) -> list[Any]:
    book = book or ledger("indodax")
    events = [event for report in found.reports for event in book.take(report, RECEIVED)]
    for event in events:
        assert_valid(event)
    return events
