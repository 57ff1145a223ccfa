"""A scripted Poloniex over REST: what its tests share."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from privstream.exchanges.poloniex import Poloniex
from privstream.memory.ledger import Ledger
from privstream.model.account import Account, Secret
from privstream.model.reports import Backfill, Known
from privstream.model.rest import Call, HttpRequest, HttpResponse
from tests.rest_play import answer
from tests.valid import assert_valid

PAYLOADS = Path(__file__).parents[1] / "payloads" / "poloniex"
SECRET = Secret("test-secret-0001")
ORDER = "410000000000000001"
ALL = ("orders", "trades", "balances")
SINCE = 1_780_000_000_000
DAY = 24 * 3600 * 1000
RECEIVED = "2026-05-28T20:30:00.000000Z"


def payload(name: str) -> list[Any]:
    rows: list[Any] = json.loads((PAYLOADS / f"{name}.json").read_text())
    return rows


def account() -> Account:
    credentials = {"api_key": Secret("KEY-0001"), "api_secret": SECRET}
    return Account("poloniex", "poloniex", credentials, Poloniex.endpoints({}))


def exchange() -> Poloniex:
    return Poloniex(account())


def known(channels: tuple[str, ...] = ALL, *, days: int = 0, **more: Any) -> Known:
    since = SINCE * 10**6
    return Known(since_ns=since, until_ns=since + days * DAY * 10**6, channels=channels, **more)


class Server:
    """Answers by path, and keeps what it was asked."""

    def __init__(self, **changes: Any) -> None:
        self.asked: list[str] = []
        self.calls: list[Call] = []
        self.answers: dict[str, Any] = {
            "/orders": payload("rest_open_orders"),
            "/orders/history": [],
            "/smartorders": [],
            "/smartorders/history": [],
            "/trades": [],
            f"/orders/{ORDER}/trades": payload("rest_trades")[1:],
            "/accounts/balances": payload("rest_accounts_balances"),
        }
        self.answers |= {path.replace("__", "/"): body for path, body in changes.items()}

    def __call__(self, call: Call, request: HttpRequest) -> HttpResponse:
        self.asked.append(request.path)
        self.calls.append(call)
        parts = urlsplit(request.path)
        body = self.answers[parts.path]
        if callable(body):
            body = body({key: value[0] for key, value in parse_qs(parts.query).items()})
        return body if isinstance(body, HttpResponse) else answer(body)

    def paths(self) -> list[str]:
        return [path.partition("?")[0] for path in self.asked]


def missing() -> HttpResponse:
    """The answer where there is no order of an id."""
    return answer({"code": 21301, "message": "Order not exists"}, 400)


def told(book: Ledger, found: Backfill) -> list[Any]:
    events = [event for report in found.reports for event in book.take(report, RECEIVED)]
    for event in events:
        assert_valid(event)
    return events
