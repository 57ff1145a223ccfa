"""What a key of the older kind (TAPI v1) can ask: balances, open orders, one order, histories.

The one rule: open orders are listed by number and, where they buy, in the quote currency;
histories are on a host of their own, per pair and week. Source:
https://github.com/btcid/indodax-official-api-docs, Private-RestAPI.md; checked 2026-11-30.
"""

from collections.abc import Container
from functools import partial
from typing import Any

from privstream.exchanges.base import Right, each, probed
from privstream.exchanges.indodax import names
from privstream.exchanges.indodax.orders import Row
from privstream.exchanges.indodax.rest import (
    ANSWERS,
    FORM,
    Query,
    millis,
    read_rows,
    read_v1,
    signature,
    stamped,
)
from privstream.exchanges.indodax.rows import (
    read_found,
    read_open,
    read_v1_balance,
    v1_order_id,
)
from privstream.exchanges.kit.answers import asked
from privstream.model.account import Account
from privstream.model.errors import Refused
from privstream.model.events import Source
from privstream.model.reports import AnyReport
from privstream.model.rest import Call, HttpRequest, RestFlow, Stamp

WITHOUT = "balances, open orders and histories cannot be read: gaps say complete: false"


class TapiV1:
    """REST for one key of the older kind."""

    kind = "TAPI v1"

    def __init__(self, account: Account) -> None:
        self._account = account

    @property
    def has_history(self) -> bool:
        """The demo has none that is documented."""
        return self._account.endpoints.history_url is not None

    def ask(self, method: str, **parameters: str) -> RestFlow[dict[str, Any]]:
        """Call a private method and return its `return`."""
        account = self._account

        def build(stamp: Stamp) -> HttpRequest:
            body = stamped({"method": method, **parameters}, stamp)
            headers = {
                "Key": account.api_key.reveal(),
                "Sign": signature(account.api_secret, body),
                "Content-Type": FORM,
            }
            return HttpRequest(method="POST", path="/tapi", headers=headers, body=body.encode())

        call = Call(build=build, name=method)
        return (yield from asked(call, lambda response: read_v1(response, method)))

    def history(self, path: str, query: Query) -> RestFlow[list[Row]]:
        """Rows of a history."""
        account, name = self._account, path.rpartition("/")[2]

        def build(stamp: Stamp) -> HttpRequest:
            text = stamped(query(millis(stamp)), stamp)
            headers = {
                "X-APIKEY": account.api_key.reveal(),
                "Sign": signature(account.api_secret, text),
                "Accept": "application/json",
                "Content-Type": "application/json",
            }
            return HttpRequest(
                method="GET", path=f"{path}?{text}", headers=headers, base="history_url"
            )

        call = Call(build=build, name=name)
        return (yield from asked(call, lambda response: read_rows(response, name)))

    def balances(self, source: Source) -> RestFlow[tuple[AnyReport, ...]]:
        """All balances; the rest of getInfo (name, address, …) is nobody's business."""
        result = yield from self.ask("getInfo")
        if "balance" not in result:
            raise ANSWERS.lacks("getInfo", "balances")
        available, hold = (_coins(result, key) for key in ("balance", "balance_hold"))
        coins = dict.fromkeys([*available, *hold])
        read = partial(read_v1_balance, available=available, hold=hold, source=source)
        return tuple(each(coins, read))

    def open_orders(
        self, source: Source, known: Container[str], streamed: Container[str]
    ) -> RestFlow[tuple[AnyReport, ...]]:
        """Open orders of all pairs but those `streamed`; of those `known` only what is news."""
        result = yield from self.ask("openOrders")
        if "orders" not in result:  # where there are none it is null
            raise ANSWERS.lacks("openOrders", "its pairs")
        pairs = ANSWERS.read_object(result["orders"] or {}, "openOrders", "its pairs")

        def read(item: tuple[str, Row]) -> Any:
            pair, row = item
            order_id = v1_order_id(pair, row)
            if order_id not in streamed:
                yield from read_open(pair, row, source, known=order_id in known)

        rows = [(pair, row) for pair, found in pairs.items() for row in _rows(found)]
        return tuple(each(rows, read))

    def find_order(self, order_id: str) -> RestFlow[tuple[AnyReport, ...]]:
        """One order, whatever became of it; nothing where the exchange does not know it."""
        parts = names.order_id_parts(order_id)
        coins = None if parts is None else names.split(parts.pair)
        if parts is None or coins is None or parts.kind != "limit":
            return ()  # numbers are counted per kind, and getOrder cannot be told which
        pair = "_".join(coins)
        try:
            result = yield from self.ask("getOrder", pair=pair, order_id=parts.number)
        except Refused as refusal:
            if type(refusal) is not Refused:  # the key's fault, not the order's
                raise
            return ()
        rows: list[Any] = [result.get("order")]
        return tuple(each(rows, lambda row: read_found(order_id, pair, row)))

    def rights(self) -> RestFlow[tuple[Right, ...]]:
        """Whether it may view; trying the others would not be harmless."""
        right = Right("view", without=WITHOUT, kind=self.kind)
        view = yield from probed(right, self.ask("getInfo"))
        return (view, Right("trade", use="trade"), Right("withdraw", use="withdraw"))


def _coins(result: Row, key: str) -> Row:
    """Amounts by coin; PHP writes an empty object as `[]`."""
    return ANSWERS.read_object(result.get(key) or {}, "getInfo", "balances")


def _rows(found: Any) -> list[Any]:
    """The orders of a pair; what is no list is handed on, to be told as unreadable."""
    return found if isinstance(found, list) else [found]
