"""Indodax's REST calls of whatever kind: signatures, answers, and the token for the stream.

The one rule: what the answer says decides, not the HTTP status. Requests carry the time
instead of a nonce, which every program with the key would have to share. Source:
https://github.com/btcid/indodax-official-api-docs, Private-websocket.md,
Private-RestAPI.md and INDODAX-TradeAPI-2.md; checked 2026-11-30.
"""

import base64
import binascii
import hmac
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeAlias
from urllib.parse import urlencode

from privstream.exchanges.indodax.refusals import BUSY, error_for
from privstream.exchanges.kit.answers import Answers, asked
from privstream.exchanges.kit.complaints import words_of
from privstream.model.account import Account, Secret, Token
from privstream.model.errors import PrivstreamError, Unavailable
from privstream.model.exact import decode
from privstream.model.http_errors import sent_at, unavailable
from privstream.model.rest import Call, HttpRequest, HttpResponse, RestFlow, Stamp

TITLE = "Indodax"
ANSWERS = Answers(TITLE)
WINDOW = "5000"
"""Milliseconds that a request may take: the documents' default, said aloud."""
FORM = "application/x-www-form-urlencoded"
Query: TypeAlias = Callable[[int], dict[str, Any]]
"""What is asked for, given the moment of asking in milliseconds."""


def signature(secret: Secret, text: str, digest: str = "sha512") -> str:
    """Of a form body or a query, exactly as it is sent, without a question mark."""
    return hmac.new(secret.reveal().encode(), text.encode(), digest).hexdigest()


def stamped(parameters: dict[str, Any], stamp: Stamp) -> str:
    """The parameters and the time of sending, as they are signed and sent."""
    return urlencode({**parameters, "timestamp": millis(stamp), "recvWindow": WINDOW})


def millis(stamp: Stamp) -> int:
    """The moment of sending, in milliseconds."""
    return stamp.now.wall_ns // 10**6


# --- answers ---------------------------------------------------------------------------


def read_v1(response: HttpResponse, doing: str) -> dict[str, Any]:
    """What an answer of tapi, or the one with the token, brings. Raises what its error means."""
    answer = ANSWERS.read_object(ANSWERS.decoded(response, doing), doing)
    if answer.get("success") != 1:
        raise _refusal(answer, doing)
    return ANSWERS.read_object(answer.get("return"), doing, "a result")


def read_v2(response: HttpResponse, doing: str) -> Any:
    """What an answer of v2 is, whichever host it is of. Raises what its error means."""
    answer = ANSWERS.decoded(response, doing)
    is_error = response.status >= HTTPStatus.BAD_REQUEST
    if isinstance(answer, dict) and (_is_refusal(answer) or (is_error and words_of(answer))):
        raise _refusal(answer, doing)
    if is_error:  # an empty list is then no list of nothing
        raise unavailable(response, "Indodax")
    return answer


def read_rows(response: HttpResponse, doing: str) -> list[Any]:
    """The rows of a history of v2."""
    answer = read_v2(response, doing)
    if isinstance(answer, dict) and "data" in answer:
        # An empty list may be null, as in openOrders; a bare null is no answer at all.
        answer = [] if answer["data"] is None else answer["data"]
    return ANSWERS.read_list(answer, doing, "rows")


def _is_refusal(answer: dict[str, Any]) -> bool:
    """TAPI v2 has a code and words, with or without `success`; no result has these keys."""
    return answer.get("success", 1) in {0, "0"} or bool(words_of(answer, ("msg", "error")))


def _refusal(answer: dict[str, Any], doing: str) -> PrivstreamError:
    word = answer.get("error_code") or answer.get("code")
    return error_for(word, words_of(answer), doing)


# --- the token -------------------------------------------------------------------------


def fetch_token(account: Account) -> RestFlow[Token]:
    """A token for one connection, and the one channel that it opens; alike for keys of both kinds."""
    sent = 0.0

    def build(stamp: Stamp) -> HttpRequest:
        nonlocal sent
        sent = stamp.now.wall_ns / 1e9
        # Not in the flow's own frame, which a traceback of a refusal would hold.
        body = urlencode({"client": "tapi", "tapi_key": account.api_key.reveal()})
        headers = {"Sign": signature(account.api_secret, body), "Content-Type": FORM}
        path = "/api/private_ws/v1/generate_token"
        return HttpRequest(method="POST", path=path, headers=headers, body=body.encode())

    def read(response: HttpResponse) -> Token:
        return _read_token(read_v1(response, name), sent_at(response.headers) or sent)

    name = "generate_token"
    return (yield from asked(Call(build=build, name=name), read))


def _read_token(result: dict[str, Any], now: float) -> Token:
    """The token and its channel. Raises where either is missing, or an empty text."""
    text, channel = result.get("connToken"), result.get("channel")
    if not (isinstance(text, str) and text and isinstance(channel, str) and channel):
        raise Unavailable(f"{TITLE} answered generate_token without a token", floor=BUSY)
    until = expiry(text)
    return Token(Secret(text), expires=None if until is None else until - now, channel=channel)


def expiry(token: str) -> int | None:
    """When a JSON Web Token ends, in seconds since the epoch, where it says so."""
    payload = token.split(".")[1] if "." in token else ""
    try:
        claims = decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (binascii.Error, ValueError):
        return None
    until = claims.get("exp") if isinstance(claims, dict) else None
    return until if isinstance(until, int) else None
