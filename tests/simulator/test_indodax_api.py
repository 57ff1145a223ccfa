"""The simulated TAPI v2 of Indodax: its keys, its host, its words, its refusals."""

import hmac
from typing import Any
from urllib.parse import urlencode

import pytest

from privstream.simulator.base import Request
from privstream.simulator.indodax.exchange import API_V2_KEY, API_V2_SECRET
from privstream.simulator.indodax.keys import Credentials
from tests.simulator.indodax_desk import TAPI, TOKEN, Desk

WRONG_VERSION = {
    "success": 0,
    "error": "Invalid TAPI version key",
    "error_code": "invalid_version_key",
}


@pytest.fixture(scope="module")
def desk() -> Desk:
    desk = Desk(rate=6)
    desk.wait(60)
    desk.indodax.advance(desk.now)
    return desk


@pytest.mark.parametrize(
    ("query", "signature"),
    [
        (
            "timestamp=1700000000123&recvWindow=5000",
            "79754b15e76e19a1919a2c3f0c8267b62c61856d3489cbb521868c9ee3eeaa7f",
        ),
        (
            "symbol=BTCIDR&orderId=6423&timestamp=1700000000123&recvWindow=5000",
            "be5329e0715d49c477ee5a6e6400a3ad82a73106f292769d862a5c8654e6d01d",
        ),
    ],
)
def test_its_signatures_are_of_sha256(query: str, signature: str) -> None:
    key = Credentials("any", b"test-secret-0001", frozenset(), "v2")
    assert key.signed(query.encode(), signature)
    assert not key.signed(b"?" + query.encode(), signature)


def test_the_account_has_what_tapi_has_in_other_words(desk: Desk) -> None:
    info, account = desk.result("getInfo"), desk.api("account")
    assert [row["asset"].lower() for row in account["balances"]] == list(info["balance"])
    for row in account["balances"]:
        coin = row["asset"].lower()
        assert row["free"] == str(info["balance"][coin])
        assert row["locked"] == str(info["balance_hold"][coin])
    assert (account["canTrade"], account["canWithdraw"]) == (False, False)


def test_open_orders_of_all_pairs_are_in_base_amounts(desk: Desk) -> None:
    rows = desk.api("openOrders")
    assert len({row["symbol"] for row in rows}) > 1
    for row in rows:
        order = desk.books.orders[str(row["orderId"])]
        assert row["origQty"] == format(order.quantity, ".8f")
        assert row["fullOrderId"].endswith(f"-{row['orderId']}")
        assert row["status"] == ("PARTIALLY_FILLED" if order.filled else "NEW")
    one = rows[0]["symbol"]
    assert desk.api("openOrders", symbol=one) == [row for row in rows if row["symbol"] == one]


def test_one_order_is_found_by_its_number_in_its_pair(desk: Desk) -> None:
    ended = next(o for o in desk.books.orders.values() if o.closed_ns is not None)
    symbol = ended.symbol.name.replace("/", "")
    row = desk.api("order", symbol=symbol, orderId=ended.order_id)
    assert row["status"] in {"FILLED", "CANCELLED", "REJECTED"}
    assert desk.api("order", 404, symbol=symbol, orderId=1)["code"] == -2013
    assert desk.api("order", 400, symbol=symbol.lower(), orderId=1)["code"] == -1121
    assert desk.api("order", 400, symbol=symbol)["code"] == -1102


def test_histories_are_those_of_the_other_host(desk: Desk) -> None:
    for name in ("order/histories", "myTrades"):
        rows = desk.api(name, symbol="btcidr", limit=1000)
        assert rows["data"]
        assert rows == desk.get(name, symbol="btcidr", limit=1000)


def test_some_cancels_are_of_self_trade_prevention(desk: Desk) -> None:
    rows = desk.api("order/histories", symbol="btcidr", limit=1000)["data"]
    reasons = {row.get("cancelReason") for row in rows if row["status"] == "CANCELLED"}
    assert reasons == {None, "SELF_TRADE_PREVENTION"}


def test_a_wrong_question_is_refused_in_numbers(desk: Desk) -> None:
    cases: list[tuple[str, dict[str, Any], int, int]] = [
        ("nothing", {}, 404, -1099),
        ("openOrders", {"symbol": "XYZIDR"}, 400, -1121),
        ("myTrades", {}, 400, -1102),
        ("myTrades", {"symbol": "BTCIDR"}, 400, -1121),
        ("order/histories", {"symbol": "btcidr", "limit": 5}, 400, -1130),
        ("account", {"omitZeroBalances": "yes"}, 400, -1130),
    ]
    for name, fields, status, code in cases:
        assert desk.api(name, status, **fields)["code"] == code


def test_who_may_not_ask_is_told_why(desk: Desk) -> None:
    query = urlencode({"timestamp": desk.millis})
    late = urlencode({"timestamp": desk.millis - 5001})
    assert desk.api_with("account", late, 400)["code"] == -1021
    assert desk.api_with("account", query, 400, sign="00")["code"] == -1022
    assert desk.api_with("account", query, 400, **{"x-apikey": ""})["code"] == -2014
    assert desk.api_with("account", query, 401, **{"x-apikey": "SOMEBODY"})["code"] == -1002
    assert desk.api_with("account", query, 400, accept="*/*")["code"] == -1130
    blind = Desk(rights=frozenset({"trade"}))
    assert blind.api("account", 403) == {"code": -2015, "msg": "No permission."}


def test_a_key_of_one_kind_is_none_to_the_hosts_of_the_other(desk: Desk) -> None:
    query = urlencode({"timestamp": desk.millis})
    older = {"x-apikey": desk.key, "sign": desk.sign(query)}
    refused = desk.api_with("account", query, 403, **older)
    assert refused["code"] == -2015
    assert "version" in refused["msg"]
    body = urlencode({"method": "getInfo", "timestamp": desk.millis})
    assert desk.post(TAPI, body, 403, key=API_V2_KEY) == WRONG_VERSION
    assert desk.get_with("myTrades", query, 401, **{"x-apikey": API_V2_KEY})["code"] == 1001


def test_a_token_for_a_newer_key_is_given_or_not() -> None:
    desk = Desk()
    body = f"client=tapi&tapi_key={API_V2_KEY}"
    key = Credentials(API_V2_KEY, API_V2_SECRET.encode(), frozenset())
    sign = _sha512(key.secret, body)
    assert desk.post(TOKEN, body, sign=sign)["success"] == 1
    desk.indodax.rest.grants_newer = False
    assert desk.post(TOKEN, body, 403, sign=sign) == WRONG_VERSION


def _sha512(secret: bytes, text: str) -> str:
    return hmac.digest(secret, text.encode(), "sha512").hex()


def test_more_than_three_hundred_calls_a_minute_are_refused() -> None:
    desk = Desk()
    for _ in range(300):
        desk.api("openOrders")
    assert desk.api("openOrders", 429)["code"] == -1003
    assert desk.api("account")["balances"]
    desk.wait(61)
    assert isinstance(desk.api("openOrders"), list)


def test_nothing_is_written_there(desk: Desk) -> None:
    request = Request("POST", "/api.indodax.com/api/v2/order", "", {})
    assert desk.ask(request, 405)["code"] == -1000
