"""TAPI v2 on a host of its own, as its keys reach it: `account`, orders, histories.

The one rule: a refusal is `{"code": negative, "msg": text}`, and amounts of orders are of the
base currency on both sides. From Indodax's "TAPI v2: Private Endpoints", checked 2026-11-30.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from privstream.model import exact
from privstream.model.rest import Now
from privstream.simulator.base import Answer, Request
from privstream.simulator.indodax.history import ENDS, History, Wrong, WrongSymbol
from privstream.simulator.indodax.keys import Credentials, Timeliness
from privstream.simulator.indodax.words import (
    BY_ID,
    OPENING,
    client_order_id,
    eight,
    millis,
    order_id,
    pair_of,
    plain,
    status,
)
from privstream.simulator.market import Books, Order

Fields = Mapping[str, str]
JSON = "application/json"
MOST_A_MINUTE = 300  # of each call
CODES = {1108: -1102, 1109: -1130}
"""This host's numbers for what is wrong with a question about history."""


class ApiRefused(Exception):
    """The call is answered with this code and text."""

    def __init__(self, code: int, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.body, self.status = {"code": code, "msg": text}, status


class Api:
    """The account as TAPI v2 tells it."""

    def __init__(
        self, books: Books, credentials: Credentials, older: Credentials, *, limits: bool
    ) -> None:
        self._books, self._credentials, self._older = books, credentials, older
        self._limits = limits
        self._calls: defaultdict[str, deque[float]] = defaultdict(deque)
        self._timeliness = Timeliness()
        self.knows_key = True
        """Whether the key is still one."""
        reads: Mapping[str, Callable[[Fields, Now], object]] = {
            "account": self._account,
            "openOrders": self._open_orders,
            "order": self._order,
        }
        self._reads = {**reads, **History(books).calls}

    def answer(self, request: Request, now: Now) -> Answer:
        """To a request whose path begins behind the host."""
        try:
            body, status = self._read(request, now), 200
        except ApiRefused as refusal:
            body, status = refusal.body, refusal.status
        return Answer(status, exact.encode(body), JSON)

    def _read(self, request: Request, now: Now) -> object:
        name = request.path.removeprefix("/api/v2/")
        if name not in self._reads or name == request.path:
            raise ApiRefused(-1099, "The requested resource does not exist.", 404)
        if request.method != "GET":
            raise ApiRefused(-1000, "Method not allowed.", 405)
        self._count(name, now)
        self._authorise(request)
        fields = dict(parse_qsl(request.query, keep_blank_values=True))
        fields.pop("signature", None)
        if problem := self._timeliness.untimely(fields, now):
            is_nonce = problem[1] == "invalid_nonce"
            raise ApiRefused(-1022 if is_nonce else -1021, problem[0])
        return self._told(name, fields, now)

    def _told(self, name: str, fields: Fields, now: Now) -> object:
        try:
            told = self._reads[name](fields, now)
        except WrongSymbol:
            raise ApiRefused(-1121, "Invalid symbol.") from None
        except Wrong as wrong:
            raise ApiRefused(CODES.get(wrong.code, -1130), str(wrong)) from None
        return {"data": told} if name in {"order/histories", "myTrades"} else told

    # --- who may ask -------------------------------------------------------------------

    def _authorise(self, request: Request) -> None:
        headers, credentials = request.headers, self._credentials
        key, sign = headers.get("x-apikey", ""), headers.get("sign", "")
        if headers.get("accept") != JSON:
            raise ApiRefused(-1130, "Invalid Accept header.")
        if not key:
            raise ApiRefused(-2014, "API key not found in header.")
        if key == self._older.key:
            raise ApiRefused(-2015, "Invalid TAPI version key.\n\nMake a new one.", 403)
        if key != credentials.key or not self.knows_key:
            raise ApiRefused(-1002, "Unauthorized. Please generate new Key.", 401)
        if not credentials.signed(request.query.encode(), sign):
            raise ApiRefused(-1022, "Signature for this request is not valid.")
        if "view" not in credentials.rights:
            raise ApiRefused(-2015, "No permission.", 403)

    def _count(self, name: str, now: Now) -> None:
        calls = self._calls[name]
        while calls and calls[0] <= now.monotonic - 60:
            calls.popleft()
        if self._limits and len(calls) >= MOST_A_MINUTE:
            raise ApiRefused(-1003, "Too many requests.", 429)
        calls.append(now.monotonic)

    # --- what it tells -----------------------------------------------------------------

    def _account(self, fields: Fields, now: Now) -> object:  # noqa: ARG002 - no time here
        omits = fields.get("omitZeroBalances", "false")
        if omits not in {"true", "false"}:
            raise ApiRefused(-1130, "Invalid parameter 'omitZeroBalances'.")
        rows = [self._asset(coin) for coin in OPENING]
        rights = self._credentials.rights
        return {
            "canTrade": "trade" in rights,
            "canWithdraw": "withdraw" in rights,
            "accountType": "Regular",
            "balances": [
                r for r in rows if omits == "false" or float(r["free"]) + float(r["locked"])
            ],
            "uid": 1700000001,
        }

    def _asset(self, coin: str) -> dict[str, str]:
        held = self._books.holds[coin]
        free = self._books.balances[coin] - held
        digits = plain if coin == "IDR" else eight
        return {"asset": coin, "free": digits(free), "locked": digits(held)}

    def _open_orders(self, fields: Fields, now: Now) -> object:  # noqa: ARG002 - no time here
        wanted = _pair_id(fields) if "symbol" in fields else None
        newest_first = reversed(self._books.open.values())
        return [_row(o) for o in newest_first if wanted in {None, pair_of(o).id}]

    def _order(self, fields: Fields, now: Now) -> object:  # noqa: ARG002 - no time here
        wanted = _pair_id(fields)
        name = fields.get("orderId") or fields.get("origClientOrderId")
        if not name:
            raise ApiRefused(-1102, "Mandatory parameter 'orderId' was not sent.")
        for order in self._books.orders.values():
            names = {order.order_id} if "orderId" in fields else {client_order_id(order)}
            if pair_of(order).id == wanted and name in names:
                return _row(order)
        raise ApiRefused(-2013, "Order does not exist.", 404)


def _pair_id(fields: Fields) -> str:
    symbol = fields.get("symbol", "")
    if not symbol:
        raise ApiRefused(-1102, "Mandatory parameter 'symbol' was not sent.")
    if symbol != symbol.upper() or symbol.lower() not in BY_ID:
        raise ApiRefused(-1121, "Invalid symbol.")
    return symbol.lower()


def _row(order: Order) -> dict[str, Any]:
    """An order; `stopPrice` stands there whatever its kind, and only the id tells that."""
    return {
        "symbol": pair_of(order).id.upper(),
        "orderId": int(order.order_id),
        "clientOrderId": client_order_id(order) or "",
        "side": order.side.upper(),
        **({} if order.price is None else {"price": plain(order.price)}),
        "stopPrice": plain(order.stop_price or order.price),
        "origQty": eight(order.quantity),
        "executedQty": plain(order.filled),
        "status": _status(order),
        "type": "MARKET" if order.type == "market" else "LIMIT",
        "time": millis(order.created_ns),
        "fullOrderId": order_id(order),
    }


def _status(order: Order) -> str:
    if order.closed_ns is not None:
        return ENDS.get(order.status) or status("expired", order)
    return "PARTIALLY_FILLED" if order.filled else "NEW"
