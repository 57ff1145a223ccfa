"""REST of the simulated Kraken: who may ask, how often, and for what.

The one rule: refuse what Kraken refuses, in its words: HTTP 200, an `error` array
and no `result`.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from msgspec import Struct

from privstream.model import exact
from privstream.model.rest import Now
from privstream.simulator.base import Answer, Request
from privstream.simulator.base import Refusal as LoginRefusal
from privstream.simulator.kraken import public
from privstream.simulator.kraken.history import History, KrakenRefused
from privstream.simulator.kraken.key_info import api_key_info
from privstream.simulator.kraken.rest_orders import Orders
from privstream.simulator.kraken.socket import TOKEN_LIFE, UNAVAILABLE, Platform, Tokens
from privstream.simulator.kraken.trading import Refusal, Trading
from privstream.simulator.market import Market

Arguments = Mapping[str, str]
LARGEST_NONCE = 2**64 - 1
PRIVATE, PUBLIC = "/0/private/", "/0/public/"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"


class Method(Struct, frozen=True):
    """A private call: the right it takes, if any, what it costs, the arguments it knows."""

    right: str | None
    arguments: frozenset[str]
    cost: float = 1.0


_SPAN = {"start", "end", "ofs", "without_count"}
METHODS = {
    "GetApiKeyInfo": Method(None, frozenset()),
    # Which right an order call takes depends on the call; it counts what orders weigh.
    **{call: Method(None, frozenset(), 0.0) for call in Orders.CALLS},
    "GetWebSocketsToken": Method("websocket", frozenset()),
    "OpenOrders": Method("open_orders", frozenset({"trades", "userref", "cl_ord_id"})),
    "ClosedOrders": Method(
        "closed_orders",
        frozenset({"trades", "userref", "cl_ord_id", "closetime", "consolidate_taker", *_SPAN}),
        2,
    ),
    "QueryOrders": Method(
        "open_orders", frozenset({"trades", "userref", "cl_ord_id", "txid", "consolidate_taker"})
    ),
    "TradesHistory": Method(
        "closed_orders", frozenset({"type", "trades", "consolidate_taker", "ledgers", *_SPAN}), 2
    ),
    "Balance": Method("funds", frozenset()),
    "BalanceEx": Method("funds", frozenset()),
    "Ledgers": Method("ledger", frozenset({"asset", "aclass", "type", *_SPAN}), 2),
}


class Rest:
    """Everything under /0 for one key."""

    def __init__(
        self,
        market: Market,
        tokens: Tokens,
        key: str,
        secret: bytes,
        rights: frozenset[str],
        *,
        limits: bool,
        platform: Platform | None = None,
        trading: Trading | None = None,
    ) -> None:
        self._tokens, self._history = tokens, History(market)
        self._platform = platform or Platform()
        self._orders = Orders(market, trading or Trading(market, rights, limits=limits))
        self.refusal: LoginRefusal | None = None
        self._key, self._secret, self._rights = key, secret, rights
        self._limits = limits
        self._nonce = -1
        self._counter, self._counted_at = 0.0, 0.0

    def answer(self, request: Request, now: Now) -> Answer:
        try:
            result = self._result(request, now)
        except (KrakenRefused, Refusal) as refusal:
            return _json({"error": [str(refusal)]})
        return _json({"error": [], "result": result})

    def _result(self, request: Request, now: Now) -> object:
        if request.path.startswith(PUBLIC) and request.method in {"GET", "POST"}:
            name = request.path.removeprefix(PUBLIC)
            return public.result(name, request.query, self._platform.system, now)
        name = request.path.removeprefix(PRIVATE)
        if name not in METHODS or request.method != "POST":
            raise KrakenRefused("EGeneral:Unknown method")
        if self._platform.in_maintenance:
            raise KrakenRefused(UNAVAILABLE)
        method = METHODS[name]
        arguments = self._authenticated(request)
        self._count(method.cost, now)
        if method.right is not None and method.right not in self._rights:
            raise KrakenRefused("EGeneral:Permission denied")
        if name in Orders.CALLS:
            return self._orders.answer(name, arguments, now)
        for argument in arguments:
            if argument not in method.arguments:
                raise KrakenRefused("EGeneral:Invalid arguments")
        return self._perform(name, arguments, now)

    def _perform(self, name: str, arguments: Arguments, now: Now) -> object:
        if name == "GetApiKeyInfo":
            return api_key_info(self._key, self._rights, str(self._nonce))
        if name == "GetWebSocketsToken":
            return {"token": self._tokens.issue(now), "expires": int(TOKEN_LIFE)}
        perform: Mapping[str, Callable[[Arguments], object]] = {
            "OpenOrders": self._history.open_orders,
            "ClosedOrders": self._history.closed_orders,
            "QueryOrders": self._history.query_orders,
            "TradesHistory": self._history.trades,
            "Balance": self._history.balance,
            "BalanceEx": self._history.balance_ex,
            "Ledgers": self._history.ledgers,
        }
        return perform[name](arguments)

    # --- who asks ----------------------------------------------------------------------

    def _authenticated(self, request: Request) -> Arguments:
        if request.headers.get("api-key") != self._key or self.refusal == "key":
            raise KrakenRefused("EAPI:Invalid key")
        arguments = _arguments(request)
        nonce = arguments.pop("nonce", "")
        arguments.pop("otp", None)
        if not self._is_signed(request, nonce):
            raise KrakenRefused("EAPI:Invalid signature")
        if self.refusal == "nonce":
            self.refusal = None
            raise KrakenRefused("EAPI:Invalid nonce")
        if not (nonce.isascii() and nonce.isdigit() and self._nonce < int(nonce) <= LARGEST_NONCE):
            raise KrakenRefused("EAPI:Invalid nonce")
        self._nonce = int(nonce)
        return arguments

    def _is_signed(self, request: Request, nonce: str) -> bool:
        inner = hashlib.sha256(nonce.encode() + request.body).digest()
        wanted = hmac.digest(self._secret, request.path.encode() + inner, "sha512")
        given = request.headers.get("api-sign", "")
        return hmac.compare_digest(base64.b64encode(wanted), given.encode())

    def _count(self, cost: float, now: Now) -> None:
        if not self._limits:
            return
        decayed = (now.monotonic - self._counted_at) * self._platform.tier.rest_decay
        self._counter = max(0.0, self._counter - decayed)
        self._counted_at = now.monotonic
        if self._counter + cost > self._platform.tier.rest_calls:
            raise KrakenRefused("EAPI:Rate limit exceeded")
        self._counter += cost


def _arguments(request: Request) -> dict[str, str]:
    """The arguments as texts, whether they came as a form or as JSON."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == FORM:
        try:
            return dict(
                parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True)
            )
        except ValueError:
            raise KrakenRefused("EGeneral:Invalid arguments") from None
    if content_type != JSON:
        raise KrakenRefused("EGeneral:Invalid arguments")
    try:
        fields = exact.decode(request.body)
    except exact.Malformed:
        raise KrakenRefused("EGeneral:Invalid arguments") from None
    if not isinstance(fields, dict):
        raise KrakenRefused("EGeneral:Invalid arguments")
    return {key: _text(value) for key, value in fields.items()}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | str):
        return str(value)
    raise KrakenRefused("EGeneral:Invalid arguments")


def _json(body: object) -> Answer:
    # Kraken escapes slashes; they only ever stand inside strings.
    return Answer(200, exact.encode(body).replace(b"/", b"\\/"))
