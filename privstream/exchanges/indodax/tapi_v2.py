"""What a key of TAPI v2 can ask: balances, open orders, one order of any kind, histories.

The one rule: all of it is on the host of TAPI v2, signed with HMAC-SHA256 over the query
as it is sent, and amounts of orders are of the base currency. Source:
https://github.com/btcid/indodax-official-api-docs, INDODAX-TradeAPI-2.md; checked 2026-11-30.
"""

from collections.abc import Callable, Container
from typing import Any, TypeVar

from privstream.exchanges.base import Right, each
from privstream.exchanges.indodax import names
from privstream.exchanges.indodax.orders import Row
from privstream.exchanges.indodax.rest import (
    ANSWERS,
    Query,
    millis,
    read_rows,
    read_v2,
    signature,
    stamped,
)
from privstream.exchanges.indodax.rows import read_v2_balance, read_v2_order
from privstream.exchanges.indodax.tapi_v1 import WITHOUT
from privstream.exchanges.kit.answers import asked
from privstream.model.account import Account
from privstream.model.errors import PermissionMissing, Refused
from privstream.model.events import Source
from privstream.model.reports import AnyReport
from privstream.model.rest import Call, HttpRequest, HttpResponse, RestFlow, Stamp

T = TypeVar("T")


class TapiV2:
    """REST for one key of TAPI v2."""

    kind = "TAPI v2"
    has_history = True

    def __init__(self, account: Account) -> None:
        self._account = account

    def ask(
        self,
        path: str,
        read: Callable[[HttpResponse, str], T],
        query: Query = lambda _now: {},
    ) -> RestFlow[T]:
        """Read from below `/api/v2/`."""
        account, name = self._account, path.rpartition("/")[2]

        def build(stamp: Stamp) -> HttpRequest:
            text = stamped(query(millis(stamp)), stamp)
            headers = {
                "X-APIKEY": account.api_key.reveal(),
                "Sign": signature(account.api_secret, text, "sha256"),
                "Accept": "application/json",
            }
            return HttpRequest(method="GET", path=f"{path}?{text}", headers=headers, base="api_url")

        call = Call(build=build, name=name)
        return (yield from asked(call, lambda response: read(response, name)))

    def account(self) -> RestFlow[dict[str, Any]]:
        """Balances and what the key may do; `uid` is nobody's business."""
        return (yield from self.ask("/api/v2/account", _read_account))

    def history(self, path: str, query: Query) -> RestFlow[list[Row]]:
        """Rows of a history."""
        return (yield from self.ask(path, read_rows, query))

    def balances(self, source: Source) -> RestFlow[tuple[AnyReport, ...]]:
        """All balances."""
        answer = yield from self.account()
        return tuple(each(answer["balances"], lambda row: read_v2_balance(row, source)))

    def open_orders(
        self, source: Source, known: Container[str], streamed: Container[str]
    ) -> RestFlow[tuple[AnyReport, ...]]:
        """Open orders of all pairs but those `streamed`."""
        del known  # they are whole, so that they may always be told
        rows = yield from self.ask("/api/v2/openOrders", _read_list)

        def read(row: Row) -> Any:
            if row["fullOrderId"] not in streamed:
                yield from read_v2_order(row, source, is_open=True)

        return tuple(each(rows, read))

    def find_order(self, order_id: str) -> RestFlow[tuple[AnyReport, ...]]:
        """One order, whatever became of it; nothing where the exchange does not know it."""
        parts = names.order_id_parts(order_id)
        if parts is None:
            return ()
        named = {"symbol": parts.pair.upper(), "orderId": parts.number}
        try:
            row = yield from self.ask("/api/v2/order", read_v2, lambda _now: named)
        except PermissionMissing:
            raise
        except Refused as refusal:
            if refusal.category not in {"refused", "unknown_order"}:
                raise
            return ()
        own = [row] if isinstance(row, dict) and row.get("fullOrderId") == order_id else []
        return tuple(each(own, lambda row: read_v2_order(row, "rest", is_open=False)))

    def rights(self) -> RestFlow[tuple[Right, ...]]:
        """As `account` says. It takes the right to read, which it proves by its answer."""
        answer = yield from self.account()
        return (
            Right("Reading", held=True, without=WITHOUT, kind=self.kind),
            Right("Spot trading", held=_flag(answer, "canTrade"), use="trade"),
            Right("Withdrawal", held=_flag(answer, "canWithdraw"), use="withdraw"),
        )


def _read_account(response: HttpResponse, doing: str) -> dict[str, Any]:
    answer = ANSWERS.read_object(read_v2(response, doing), doing)
    ANSWERS.read_list(answer.get("balances"), doing, "balances")
    return answer


def _read_list(response: HttpResponse, doing: str) -> list[Any]:
    return ANSWERS.read_list(read_v2(response, doing), doing, "orders")


def _flag(answer: dict[str, Any], key: str) -> bool | None:
    value = answer.get(key)
    return value if isinstance(value, bool) else None
