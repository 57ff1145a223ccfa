"""A Zerocap over REST that says what a test wants it to."""

import json
from pathlib import Path
from typing import Any

from privstream.exchanges.zerocap import Zerocap
from privstream.model.account import Account, Secret
from privstream.model.reports import Known
from privstream.model.rest import Call, HttpRequest, HttpResponse
from tests.rest_play import answer

PAYLOADS = Path(__file__).parents[1] / "payloads" / "zerocap"
ORDERS = (PAYLOADS / "fetch_orders.json").read_text()
BALANCES = (PAYLOADS / "get_balances.json").read_text()
ORDER = "0b1c7c1e-5f0e-4f7b-9a34-3f3f2c9e5a01"
TRADE = "5d7e1f44-8e3a-4c0b-b1d2-66aa77bb8801"
USUAL = ("orders", "trades", "balances")
SECRET = "test-secret-0001"
SINCE = 1_780_000_000_000


def account(*symbols: str) -> Account:
    credentials = {"api_key": Secret("test-key"), "api_secret": Secret(SECRET)}
    return Account("zerocap", "zerocap", credentials, Zerocap.endpoints({}), symbols=symbols)


def row(order_id: str = ORDER, **changed: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ORDERS)["order_list"][0]
    return found | {"id": order_id} | changed


def an_open(order_id: str) -> dict[str, Any]:
    return row(order_id, status="open", filled=0, average=0, trades=[], time_in_force="GTC")


def page(*rows: Any, total: int | None = None) -> HttpResponse:
    total = len(rows) if total is None else total
    return answer({"order_list": list(rows), "status": "success", "total": total, "page": 1})


class Server:
    """Answers from what it was given, and remembers what it was asked."""

    def __init__(
        self,
        *,
        still_open: tuple[Any, ...] = (),
        placed: tuple[Any, ...] = (),
        named: tuple[Any, ...] = (),
        balances: HttpResponse | None = None,
    ) -> None:
        self.lists = {"open": still_open, "placed": placed, "named": named}
        self.balances = balances or answer(BALANCES)
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.refused: str | None = None

    def __call__(self, call: Call, request: HttpRequest) -> HttpResponse:
        body = json.loads(request.body) if request.body else {}
        self.asked.append((call.name, body))
        if call.name == "get_balances":
            return self.balances
        kind = "open" if body["status"] else "named" if body["ids"] else "placed"
        if kind == self.refused:
            return answer("not so", 422)
        return page(*self.lists[kind])

    def bodies(self) -> list[dict[str, Any]]:
        return [body for name, body in self.asked if name == "fetch_orders"]


def known(*open_orders: str, channels: tuple[str, ...] = USUAL) -> Known:
    return Known(
        since_ns=SINCE * 10**6,
        until_ns=(SINCE + 5000) * 10**6,
        channels=channels,
        open_orders=frozenset(open_orders),
        suspects=frozenset(open_orders),
        placed_since_ns=SINCE * 10**6,
    )
