"""REST of the simulated Zerocap: who may ask, how often, and for what.

The one rule: whatever is refused is no 200; who it is comes as plain text, what is
wrong with the question as JSON.
"""

from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias
from urllib.parse import parse_qsl

from msgspec import Struct

from privstream.model import exact
from privstream.model.rest import Now
from privstream.simulator.base import Answer, Request
from privstream.simulator.market import Market
from privstream.simulator.zerocap.funds import Funds
from privstream.simulator.zerocap.history import History
from privstream.simulator.zerocap.keys import JSON, Keys, ZerocapRefused, invalid
from privstream.simulator.zerocap.orders import OrderWriter
from privstream.simulator.zerocap.trading import Trading
from privstream.simulator.zerocap.words import Dialect

Fields: TypeAlias = Mapping[str, Any]
MOST_A_SECOND = 50  # of each endpoint
SECOND_NS = 1_000_000_000


class Method(Struct, frozen=True):
    """One call: its verb, and the fields it knows."""

    verb: Literal["GET", "POST"]
    perform: Callable[[Fields, Now], object]
    fields: frozenset[str] = frozenset()
    public: bool = False


class Rest:
    """Everything under /v2 but the socket."""

    def __init__(
        self, market: Market, writer: OrderWriter, keys: Keys, dialect: Dialect, *, limits: bool
    ) -> None:
        history, funds = History(market.books, writer, dialect), Funds(market, dialect)
        trading = Trading(market, writer)
        self._methods = {
            "/v2/systems/get_time": Method("GET", self._time, public=True),
            "/v2/orders/create_order": Method("POST", trading.create, trading.FIELDS),
            "/v2/orders/fetch_order": Method("GET", history.order, frozenset({"id"})),
            "/v2/orders/fetch_orders": Method("POST", history.orders, history.FIELDS),
            "/v2/orders/get_balances": Method("GET", funds.balances),
            "/v2/orders/get_instruments": Method("GET", funds.instruments),
            "/v2/orders/get_risk": Method("GET", funds.risk),
            "/v2/orders/get_transfers": Method("POST", funds.transfers, funds.FIELDS),
        }
        self._keys, self._dialect, self._limits = keys, dialect, limits
        self._calls: dict[str, deque[float]] = {}

    def answer(self, request: Request, now: Now) -> Answer:
        try:
            return Answer(200, exact.encode(self._result(request, now)), JSON)
        except ZerocapRefused as refusal:
            return refusal.answer

    def _result(self, request: Request, now: Now) -> object:
        method = self._methods.get(request.path)
        if method is None:
            raise ZerocapRefused(404, '{"detail":"Not Found"}', JSON)
        if request.method != method.verb:
            raise ZerocapRefused(405, '{"detail":"Method Not Allowed"}', JSON)
        self._count(request.path, now)
        if not method.public:
            self._keys.check(request.headers, now)
        fields = _fields(request)
        for name in fields:
            if name not in method.fields:
                raise invalid(f"unknown field {name}")
        return method.perform(fields, now)

    def _count(self, path: str, now: Now) -> None:
        if not self._limits:
            return
        calls = self._calls.setdefault(path, deque())
        while calls and calls[0] <= now.monotonic - 1:
            calls.popleft()
        if len(calls) >= MOST_A_SECOND:
            raise ZerocapRefused(429, "Too Many Requests")
        calls.append(now.monotonic)

    def _time(self, fields: Fields, now: Now) -> object:  # noqa: ARG002 - it takes none
        seconds = now.wall_ns // SECOND_NS
        if self._dialect == "new":
            return {"server_time": str(seconds)}
        return {"server_time": f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"}


def _fields(request: Request) -> Fields:
    if request.method == "GET":
        return dict(parse_qsl(request.query, keep_blank_values=True))
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        fields = exact.decode(request.body)
    except exact.Malformed:
        raise invalid("the body is no JSON") from None
    if content_type != JSON or not isinstance(fields, dict):
        raise invalid("the body is no JSON object")
    return fields
