"""REST of the simulated Bitfinex: who may ask, how often, and for what.

The one rule: refuse what Bitfinex refuses, in its words: HTTP 500 and
`["error",CODE,"text"]`.
"""

import re
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from privstream.model import exact
from privstream.model.rest import Now
from privstream.simulator.base import Answer, Request
from privstream.simulator.bitfinex import public
from privstream.simulator.bitfinex.backend import Backend
from privstream.simulator.bitfinex.history import History
from privstream.simulator.bitfinex.keys import BitfinexRefused
from privstream.simulator.bitfinex.query import Query

PRIVATE, PUBLIC = "/v2/auth/", "/v2/"
MINUTE, PER_MINUTE = 60.0, 90  # so many of each call
BLOCKED = 10.0  # seconds that an address is blocked after too many
JSON = "application/json"
Arguments = Mapping[str, Any]
Perform = Callable[..., object]


class Call(Struct, frozen=True):
    """A private call: its path, the right it takes, the arguments it knows."""

    path: str
    right: str | None
    arguments: frozenset[str]
    method: str


_SYMBOL = "(?P<symbol>t[A-Z0-9:]+)"
_ORDERS = frozenset({"id", "gid", "cid", "cid_date"})
_SPAN = frozenset({"start", "end", "limit"})
CALLS = (
    Call("r/orders", "orders", _ORDERS, "open_orders"),
    Call(f"r/orders/{_SYMBOL}", "orders", _ORDERS, "open_orders"),
    Call("r/orders/hist", "orders", _SPAN | {"id"}, "closed_orders"),
    Call(f"r/orders/{_SYMBOL}/hist", "orders", _SPAN | {"id"}, "closed_orders"),
    Call("r/trades/hist", "orders", _SPAN | {"sort"}, "trades"),
    Call(f"r/trades/{_SYMBOL}/hist", "orders", _SPAN | {"sort"}, "trades"),
    Call(f"r/order/{_SYMBOL}:(?P<order>[0-9]+)/trades", "orders", frozenset(), "order_trades"),
    Call("r/wallets", "wallets", frozenset(), "wallets"),
    Call("r/positions", "positions", frozenset(), "positions"),
    Call("r/positions/hist", "positions", _SPAN, "closed_positions"),
    Call("r/ledgers/hist", "history", _SPAN | {"category"}, "ledgers"),
    Call("r/ledgers/(?P<currency>[A-Z0-9]+)/hist", "history", _SPAN | {"category"}, "ledgers"),
    Call("r/permissions", None, frozenset(), "permissions"),
    Call("r/info/margin/base", "positions", frozenset(), "margin_base"),
    Call("r/funding/offers(/f[A-Z]+)?", "funding", frozenset(), "funding_offers"),
)


class Rest:
    """Everything under /v2 for one key."""

    def __init__(self, backend: Backend) -> None:
        self._backend, self._history = backend, History(backend)
        self._times: dict[str, deque[float]] = {}
        self._blocked_until = 0.0

    def answer(self, request: Request, now: Now) -> Answer:
        if now.monotonic < self._blocked_until:
            return Answer(429, b'{"error":"ERR_RATE_LIMIT"}')
        try:
            return Answer(200, exact.encode(self._result(request, now)))
        except BitfinexRefused as refusal:
            return Answer(500, exact.encode(["error", refusal.code, refusal.text]))
        except LookupError:
            return Answer(404, b"Not Found", "text/plain")

    def _result(self, request: Request, now: Now) -> object:
        if not request.path.startswith(PRIVATE):
            if request.method != "GET" or not request.path.startswith(PUBLIC):
                raise LookupError
            return public.result(request.path.removeprefix(PUBLIC), self._backend)
        if request.method != "POST":
            raise LookupError
        call, parts = _find(request.path.removeprefix(PRIVATE))
        body = _body(request)
        self._backend.keys.check_request(request.headers, request.path, body)
        self._count(call, now)
        self._backend.platform.check()
        if call.right is not None and call.right not in self._backend.keys.read:
            raise BitfinexRefused(10001, "api_key: permission invalid")
        return self._perform(call, parts, Query(_arguments(call, body), now))

    def _perform(self, call: Call, parts: Mapping[str, str], query: Query) -> object:
        perform: Perform = getattr(self._history, call.method)
        return perform(query, **parts)

    def _count(self, call: Call, now: Now) -> None:
        if not self._backend.limits:
            return
        times = self._times.setdefault(call.path, deque(maxlen=PER_MINUTE))
        if len(times) == PER_MINUTE and now.monotonic - times[0] < MINUTE:
            self._blocked_until = now.monotonic + BLOCKED
            raise BitfinexRefused(11010, "ratelimit: error")
        times.append(now.monotonic)


def _find(path: str) -> tuple[Call, Mapping[str, str]]:
    for call in CALLS:
        match = re.fullmatch(call.path, path)
        if match:
            return call, match.groupdict()
    raise LookupError


def _body(request: Request) -> bytes:
    """What the server takes for the body: nothing that is not said to be JSON."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return request.body if content_type == JSON else b""


def _arguments(call: Call, body: bytes) -> Arguments:
    if not body:
        return {}
    try:
        arguments = exact.decode(body)
    except exact.Malformed:
        raise BitfinexRefused(10020, "body: invalid") from None
    if not isinstance(arguments, dict):
        raise BitfinexRefused(10020, "body: invalid")
    for name in arguments:
        if name not in call.arguments:
            raise BitfinexRefused(10020, f"{name}: invalid")
    return {name: value for name, value in arguments.items() if value is not None}
