"""Indodax's REST calls, v1 and v2: signing, answers, the token, balances, open orders.

The one rule: `success` decides, not the HTTP status. Requests carry the time instead of
a nonce, which every program with the key would have to share.
Source: protocols/indodax.md sections 2 and 6 (checked 2026-11-20).
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Container, Iterator
from functools import partial
from typing import Any
from urllib.parse import urlencode

from privstream.exchanges.base import each
from privstream.exchanges.indodax import names
from privstream.exchanges.indodax.orders import Row, read_found, read_open, v1_order_id
from privstream.exchanges.indodax.refusals import BUSY, error_for
from privstream.model.account import Account, Secret, Token
from privstream.model.errors import Refused, Unavailable
from privstream.model.events import Source
from privstream.model.exact import Malformed, amount, decode
from privstream.model.http_errors import check, sent_at
from privstream.model.reports import AnyReport, BalanceReport, Listed
from privstream.model.rest import Call, HttpRequest, HttpResponse, RestFlow, Stamp

TITLE = "Indodax"
WINDOW = "5000"
"""Milliseconds that a request may take: the documents' default, said aloud."""
FORM = "application/x-www-form-urlencoded"


def signature(secret: Secret, text: str) -> str:
    """Of a form body or a query, exactly as it is sent, without a question mark."""
    return hmac.new(secret.reveal().encode(), text.encode(), hashlib.sha512).hexdigest()


# --- the token -------------------------------------------------------------------------


def fetch_token(account: Account) -> RestFlow[Token]:
    """A token for one connection, and the one channel that it opens."""
    sent = 0.0

    def build(stamp: Stamp) -> HttpRequest:
        nonlocal sent
        sent = stamp.now.wall_ns / 1e9
        # Not in the flow's own frame, which a traceback of a refusal would hold.
        body = urlencode({"client": "tapi", "tapi_key": account.api_key.reveal()})
        headers = {"Sign": signature(account.api_secret, body), "Content-Type": FORM}
        path = "/api/private_ws/v1/generate_token"
        return HttpRequest(method="POST", path=path, headers=headers, body=body.encode())

    response = yield Call(build=build, name="generate_token")
    result = read_v1(response, "generate_token")
    text, channel = result.get("connToken"), result.get("channel")
    if not isinstance(text, str) or not isinstance(channel, str):
        raise Unavailable(f"{TITLE} answered generate_token without a token", floor=BUSY)
    until = expiry(text)
    server_time = sent_at(response.headers) or sent
    return Token(
        Secret(text), expires=None if until is None else until - server_time, channel=channel
    )


def expiry(token: str) -> int | None:
    """When a JSON Web Token ends, in seconds since the epoch, where it says so."""
    payload = token.split(".")[1] if "." in token else ""
    try:
        claims = decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (binascii.Error, ValueError):
        return None
    until = claims.get("exp") if isinstance(claims, dict) else None
    return until if isinstance(until, int) else None


# --- v1 --------------------------------------------------------------------------------


def ask(account: Account, method: str, **parameters: str) -> RestFlow[dict[str, Any]]:
    """Call a private method of v1 and return its `return`."""

    def build(stamp: Stamp) -> HttpRequest:
        time = {"timestamp": milliseconds(stamp.now.wall_ns), "recvWindow": WINDOW}
        body = urlencode({"method": method, **parameters, **time})
        headers = {
            "Key": account.api_key.reveal(),
            "Sign": signature(account.api_secret, body),
            "Content-Type": FORM,
        }
        return HttpRequest(method="POST", path="/tapi", headers=headers, body=body.encode())

    response = yield Call(build=build, name=method)
    return read_v1(response, method)


def milliseconds(nanos: int) -> str:
    return str(nanos // 10**6)


def read_v1(response: HttpResponse, doing: str) -> dict[str, Any]:
    """What an answer of v1 brings. Raises what its error means."""
    answer = read_object(response, doing)
    result = answer.get("return")
    if answer.get("success") != 1:
        raise error_for(answer.get("error_code"), answer.get("error"), doing)
    if not isinstance(result, dict):
        raise Unavailable(f"{TITLE} answered {doing} without a result", floor=BUSY)
    return result


def read_object(response: HttpResponse, doing: str) -> dict[str, Any]:
    """The JSON object of an answer. Raises where it cannot be the exchange's own."""
    check(response, TITLE)
    try:
        answer = decode(response.body)
    except Malformed as problem:
        raise Unavailable(f"{TITLE} answered {doing} with no JSON", floor=BUSY) from problem
    if not isinstance(answer, dict):
        raise Unavailable(f"{TITLE} answered {doing} with no answer of its own", floor=BUSY)
    return answer


# --- balances --------------------------------------------------------------------------


def read_balances(account: Account, source: Source) -> RestFlow[tuple[AnyReport | Listed, ...]]:
    """All balances; the rest of getInfo (name, address, …) is nobody's business."""
    result = yield from ask(account, "getInfo")
    available, hold = _coins(result, "balance"), _coins(result, "balance_hold")

    def read(coin: str) -> Iterator[AnyReport]:
        rows = {"balance": available, "balance_hold": hold}
        yield BalanceReport(
            currency=names.currency(coin),
            exchange_currency=coin,
            available=amount(available.get(coin)),
            hold=amount(hold.get(coin)),
            source=source,
            element={key: {coin: row[coin]} for key, row in rows.items() if coin in row},
        )

    coins = dict.fromkeys([*available, *hold])
    return (*each(coins, read), Listed("balances"))


def _coins(result: Row, key: str) -> Row:
    """Amounts by coin; PHP writes an empty object as `[]`."""
    coins = result.get(key) or {}
    if not isinstance(coins, dict):
        raise Unavailable(f"{TITLE} answered getInfo without balances", floor=BUSY)
    return coins


# --- orders ----------------------------------------------------------------------------


def open_orders(
    account: Account,
    source: Source,
    known: Container[str] = (),
    streamed: Container[str] = (),
) -> RestFlow[tuple[AnyReport | Listed, ...]]:
    """All open orders of all pairs; of those that are known only what is news.

    Not those that the new connection itself has told of.
    """
    result = yield from ask(account, "openOrders")
    pairs = result.get("orders") or {}
    if not isinstance(pairs, dict):
        raise Unavailable(f"{TITLE} answered openOrders without its pairs", floor=BUSY)

    def read(item: tuple[str, Row]) -> Iterator[AnyReport]:
        pair, row = item
        order_id = v1_order_id(pair, row)
        if order_id not in streamed:
            yield read_open(pair, row, source, known=order_id in known)

    rows = [(pair, row) for pair, found in pairs.items() for row in _rows(found)]
    return (*each(rows, read), Listed("orders"))


def _rows(found: Any) -> list[Any]:
    """The orders of a pair; what is no list is handed on, to be told as unreadable."""
    return found if isinstance(found, list) else [found]


def find_order(account: Account, order_id: str) -> RestFlow[tuple[AnyReport, ...]]:
    """One order, whatever became of it; nothing where the exchange does not know it."""
    parts = names.order_id_parts(order_id)
    coins = None if parts is None else names.split(parts.pair)
    if parts is None or coins is None or parts.kind != "limit":
        return ()  # numbers are counted per kind, and getOrder cannot be told which
    pair = "_".join(coins)
    try:
        result = yield from ask(account, "getOrder", pair=pair, order_id=parts.number)
    except Refused as refusal:
        if type(refusal) is not Refused:  # the key's fault, not the order's
            raise
        return ()
    read = partial(_read_found, order_id, pair)
    return tuple(each([result.get("order")], read))


def _read_found(order_id: str, pair: str, row: Any) -> Iterator[AnyReport]:
    yield read_found(order_id, pair, row)
