"""Indodax over REST: signatures, the token, and what errors mean."""

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest

from privstream.exchanges.indodax import histories, rest
from privstream.exchanges.indodax.tapi_v1 import TapiV1
from privstream.model.account import Secret
from privstream.model.errors import (
    LoginRefused,
    PermissionMissing,
    PrivstreamError,
    RateLimited,
    Refused,
    Unavailable,
)
from privstream.model.rest import HttpResponse
from tests.exchanges.indodax_account import (
    CHANNEL,
    indodax,
)
from tests.rest_play import STAMP, answer, play

DOCUMENTED = Secret("f60617a68fcce028f0a90bc9eb765d17379eb548cc935c01a7ee3186eecf870e9b68f27a31bcfe8d")  # fmt: skip


# --- signatures ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("secret", "text", "expected"),
    [
        (
            Secret("test-secret-0001"),
            "client=tapi&tapi_key=TESTKEY-0001",
            "cdaad36645f04af4261679f97bb467f10b8908aaa5471da98db5a092312efc4b82cb50b7b1bc831add150c064c02058e1038e4592206d8ea283c086437246b23",
        ),
        (
            DOCUMENTED,
            "method=getInfo&timestamp=1578304294000&recvWindow=1578303937000",
            "bab004e5a518740d7a33b38b44dbebecd3fb39f40b42391af39fcce06edabff5233b3e8064a07c528d1c751a6923d5116026c7786e01b22e2d35277a098cae99",
        ),
        (
            DOCUMENTED,
            "symbol=btcidr&limit=100&timestamp=1578304294000&recvWindow=1578303937000",
            "9f8c7120bd79b4d7d64145c926fab31e131e40c24e539b399d98955a24538721ef3192607d3a39469db82c8f9b91c93a081998cd25d647fd04ef012768229932",
        ),
    ],
)
def test_the_signatures_are_the_known_ones(secret: Secret, text: str, expected: str) -> None:
    assert rest.signature(secret, text) == expected


def test_the_token_is_asked_for_with_exactly_the_signed_body() -> None:
    request = next(rest.fetch_token(indodax().account)).build(STAMP)
    assert (request.method, request.base) == ("POST", "rest_url")
    assert request.path == "/api/private_ws/v1/generate_token"
    assert request.body == b"client=tapi&tapi_key=TESTKEY-0001"
    assert request.headers["Sign"].startswith("cdaad36645f04af4")
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Key" not in request.headers


def test_a_v1_call_signs_its_body_and_carries_the_time_of_sending() -> None:
    account = indodax().account
    call = next(TapiV1(account).ask("getInfo"))
    request = call.build(STAMP)
    assert not call.nonce
    assert request.path == "/tapi"
    assert request.body == b"method=getInfo&timestamp=1780000000000&recvWindow=5000"
    assert request.headers["Key"] == "TESTKEY-0001"
    assert request.headers["Sign"] == rest.signature(account.api_secret, request.body.decode())


def test_a_v2_call_signs_its_query_and_goes_to_the_host_of_histories() -> None:
    account = indodax().account
    request = next(TapiV1(account).history(*week(histories.TRADES))).build(STAMP)
    path, _, query = request.path.partition("?")
    assert (request.method, request.base, path) == ("GET", "history_url", "/api/v2/myTrades")
    assert parse_qs(query) | {"limit": ["1000"]} == parse_qs(
        "symbol=btcidr&startTime=1&endTime=2&limit=1000&sort=asc&timestamp=1780000000000&recvWindow=5000"
    )
    assert request.headers["X-APIKEY"] == "TESTKEY-0001"
    assert request.headers["Sign"] == rest.signature(account.api_secret, query)
    assert request.headers["Accept"] == request.headers["Content-Type"] == "application/json"
    assert account.endpoints.history_url == "https://tapi.indodax.com"


def week(path: str) -> tuple[str, rest.Query]:
    """A history of a pair and some time."""
    return path, histories.between(histories.Asked(path, "btcidr", 1, 2))


# --- the token -------------------------------------------------------------------------


def jwt(claims: object) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzI1NiJ9.{body}.c2lnbmF0dXJl"


def granted(text: str) -> dict[str, Any]:
    return {"success": 1, "return": {"connToken": text, "channel": CHANNEL}}


def test_the_token_brings_its_channel_and_ends_when_it_says_by_the_servers_clock() -> None:
    text = jwt({"sub": "00aa", "exp": 1_780_086_400})
    reply = answer(granted(text), date="Thu, 28 May 2026 20:26:50 GMT")  # 10 s after ours
    found = play(indodax().fetch_token(), lambda _call, _request: reply)
    assert found is not None
    assert (found.secret.reveal(), found.channel, found.expires) == (text, CHANNEL, 86390)
    assert text not in repr(found)


def test_without_a_date_the_token_ends_by_our_clock() -> None:
    reply = answer(granted(jwt({"exp": 1_780_086_400})))
    found = play(indodax().fetch_token(), lambda _call, _request: reply)
    assert found is not None
    assert found.expires == 86400


@pytest.mark.parametrize(
    "text", ["x", "a.b.c", "a.!.c", "a.Zm9v.c", "a.é.c", jwt({"sub": "112"}), jwt([1])]
)
def test_a_token_that_does_not_say_when_it_ends_is_a_token_all_the_same(text: str) -> None:
    found = play(indodax().fetch_token(), lambda _call, _request: answer(granted(text)))
    assert found is not None
    assert found.expires is None


@pytest.mark.parametrize("code", ["invalid_tapi_key", "invalid_credentials", "bad_sign"])
@pytest.mark.parametrize("status", [200, 401])
def test_a_refused_key_is_final_whatever_the_http_status(code: str, status: int) -> None:
    body = {"success": 0, "error": "Some words", "error_code": code}
    problem = refused(lambda: indodax().fetch_token(), answer(body, status), LoginRefused)
    assert "Some words" in problem.message
    assert ("api_secret" if code == "bad_sign" else "api_key") in (problem.hint or "")


@pytest.mark.parametrize(
    "reply",
    [
        answer("<html>Attention required</html>", 403),
        answer("{", 200),
        answer([], 200),
        answer({"success": 1}, 200),
        answer({"success": 1, "return": {"channel": CHANNEL}}, 200),
        answer({"success": 1, "return": {"connToken": "", "channel": CHANNEL}}, 200),
        answer({"code": 1000, "error": "Internal error"}, 503),
    ],
)
def test_what_is_no_answer_of_the_exchange_is_retried(reply: HttpResponse) -> None:
    refused(lambda: indodax().fetch_token(), reply, Unavailable)


def refused(
    flow: Callable[[], Any], reply: HttpResponse, kind: type[PrivstreamError]
) -> PrivstreamError:
    with pytest.raises(kind) as caught:
        play(flow(), lambda _call, _request: reply)
    assert "TESTKEY" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"success": 0, "error": "Invalid credentials. Bad sign."}, LoginRefused),
        ({"success": 0, "error": "Invalid timestamp.", "error_code": ""}, LoginRefused),
        ({"success": 0, "error": "No permission"}, PermissionMissing),
        ({"success": 0, "error": "slow down", "error_code": "too_many_requests"}, RateLimited),
        ({"success": 0, "error": "invalid order."}, Refused),
        ({"error": "invalid_pair", "error_description": "Invalid Pair"}, Refused),
        ({"success": 0}, Refused),
    ],
)
def test_v1_says_what_is_wrong_in_words(body: object, kind: type[PrivstreamError]) -> None:
    problem = refused(lambda: TapiV1(indodax().account).ask("getInfo"), answer(body), kind)
    assert type(problem) is kind
    assert "getInfo" in problem.message


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1000, Unavailable),
        (1001, LoginRefused),
        (1002, LoginRefused),
        (1003, LoginRefused),
        (1101, LoginRefused),
        (1106, PermissionMissing),
        (1109, Refused),
    ],
)
def test_v2_says_what_is_wrong_in_numbers(code: int, kind: type[PrivstreamError]) -> None:
    account = indodax().account
    reply = answer({"code": code, "error": "Words"}, 400)
    flow = lambda: TapiV1(account).history(*week(histories.ORDERS))  # noqa: E731 - shortest so
    problem = refused(flow, reply, kind)
    assert type(problem) is kind
    assert "histories" in problem.message
