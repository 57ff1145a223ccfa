"""The simulated REST of Indodax refuses what the real one refuses, in its words."""

from typing import Any
from urllib.parse import urlencode

import pytest

from privstream.simulator.base import Request
from privstream.simulator.indodax.keys import Credentials
from tests.simulator.indodax_desk import FORM, START, TAPI, TOKEN, Desk

DOCUMENTED = "f60617a68fcce028f0a90bc9eb765d17379eb548cc935c01a7ee3186eecf870e9b68f27a31bcfe8d"
NO_KEY = {
    "success": 0,
    "error": "Invalid credentials. API not found or session has expired.",
    "error_code": "invalid_credentials",
}
BAD_SIGN = {"success": 0, "error": "Invalid credentials. Bad sign.", "error_code": "bad_sign"}
NO_TAPI_KEY = {"success": 0, "error": "Invalid TAPI key", "error_code": "invalid_tapi_key"}


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_documented_signatures_are_taken() -> None:
    cases: list[tuple[str, str, str]] = [
        (
            "test-secret-0001",
            "client=tapi&tapi_key=TESTKEY-0001",
            (
                "cdaad36645f04af4261679f97bb467f10b8908aaa5471da98db5a092312efc4b"
                "82cb50b7b1bc831add150c064c02058e1038e4592206d8ea283c086437246b23"
            ),
        ),
        (
            DOCUMENTED,
            "method=getInfo&timestamp=1578304294000&recvWindow=1578303937000",
            (
                "bab004e5a518740d7a33b38b44dbebecd3fb39f40b42391af39fcce06edabff5"
                "233b3e8064a07c528d1c751a6923d5116026c7786e01b22e2d35277a098cae99"
            ),
        ),
        (
            DOCUMENTED,
            "symbol=btcidr&limit=100&timestamp=1578304294000&recvWindow=1578303937000",
            (
                "9f8c7120bd79b4d7d64145c926fab31e131e40c24e539b399d98955a24538721"
                "ef3192607d3a39469db82c8f9b91c93a081998cd25d647fd04ef012768229932"
            ),
        ),
    ]
    for secret, text, signature in cases:
        credentials = Credentials("any", secret.encode(), frozenset())
        assert credentials.signed(text.encode(), signature)
        assert credentials.signed(text.encode(), signature.upper())
        assert not credentials.signed(b"?" + text.encode(), signature)


# --- the token -------------------------------------------------------------------------


def test_the_token_comes_with_its_channel(desk: Desk) -> None:
    token, channel = desk.login()
    claims = desk.indodax.tokens.read(token)
    assert channel == f"pws:#{claims.user}"
    assert len(claims.user) == 40
    assert claims.ttl(desk.now) == 86_400


def test_only_the_documented_form_gets_a_token(desk: Desk) -> None:
    cases: list[tuple[str, Any]] = [
        ("client=tapi", NO_TAPI_KEY),
        ("client=tapi&tapi_key=", NO_TAPI_KEY),
        ("tapi_key={key}&client=tapi", NO_TAPI_KEY),
        ("client=tapi&tapi_key={key}&nonce=1", NO_TAPI_KEY),
        ("client=tapi&tapi_key=SOMEBODY", NO_KEY),
    ]
    for body, answer in cases:
        assert desk.post(TOKEN, body.format(key=desk.key)) == answer


def test_a_token_takes_the_signature_of_the_very_body(desk: Desk) -> None:
    body = f"client=tapi&tapi_key={desk.key}"
    assert desk.post(TOKEN, body, sign=desk.sign("?" + body)) == BAD_SIGN
    assert desk.post(TOKEN, body, sign="") == BAD_SIGN


def test_a_token_is_asked_for_as_a_form(desk: Desk) -> None:
    body = f"client=tapi&tapi_key={desk.key}"
    headers = {"content-type": "application/json", "sign": desk.sign(body)}
    assert desk.ask(Request("POST", TOKEN, "", headers, body.encode())) == NO_TAPI_KEY


def test_what_does_not_exist_is_answered_with_a_page(desk: Desk) -> None:
    for method, path in (("GET", TOKEN), ("GET", TAPI), ("POST", "/")):
        answer = desk.indodax.request(Request(method, path, "", {}), START)
        assert (answer.status, answer.content_type) == (404, "text/html")


# --- who may call tapi -----------------------------------------------------------------


def test_tapi_takes_key_and_signature_in_headers(desk: Desk) -> None:
    body = urlencode({"method": "getInfo", "timestamp": desk.millis})
    assert desk.post(TAPI, body) == NO_KEY
    assert desk.post(TAPI, body, key="SOMEBODY") == NO_KEY
    assert desk.post(TAPI, body, key=desk.key, sign=desk.sign(body + "&")) == BAD_SIGN
    assert desk.post(TAPI, body, key=desk.key)["success"] == 1


@pytest.mark.parametrize(
    ("age", "window", "taken"),
    [
        (-1000, {}, False),
        (-999, {}, True),
        (5000, {}, True),
        (5001, {}, False),
        (5001, {"recvWindow": 6000}, True),
        (0, {"recvWindow": "x"}, False),
    ],
)
def test_a_timestamp_is_good_for_its_window(
    desk: Desk, age: int, window: dict[str, Any], *, taken: bool
) -> None:
    answer = desk.call("getInfo", timestamp=desk.millis - age, **window)
    assert answer["success"] == int(taken)
    assert taken or answer["error_code"] == "invalid_timestamp"


def test_a_nonce_must_grow(desk: Desk) -> None:
    def ask(nonce: str) -> Any:
        return desk.post(TAPI, f"method=getInfo&nonce={nonce}", key=desk.key)

    assert [ask(nonce)["success"] for nonce in ("5", "5", "4", "6", "x", "")] == [1, 0, 0, 1, 0, 0]
    assert ask("6")["error_code"] == "invalid_nonce"
    assert desk.post(TAPI, "method=getInfo", key=desk.key)["error_code"] == "invalid_nonce"


def test_a_key_does_what_it_may() -> None:
    blind = Desk(rights=frozenset({"trade"}))
    assert blind.call("getInfo")["error_code"] == "no_permission"
    assert blind.get("myTrades", 403, symbol="btcidr")["code"] == 1106
    assert Desk().call("cancelOrder")["error_code"] == "no_permission"


def test_what_was_switched_off_is_no_method(desk: Desk) -> None:
    cases: list[str] = ["orderHistory", "tradeHistory", "unknown", ""]
    for method in cases:
        assert desk.call(method)["error_code"] == "invalid_method"


def test_too_many_calls_in_a_second_are_followed_by_a_pause(desk: Desk) -> None:
    for _ in range(20):
        desk.result("getInfo")
    body = urlencode({"method": "getInfo", "timestamp": desk.millis})
    assert desk.post(TAPI, body, 429, key=desk.key)["error_code"] == "too_many_requests"
    desk.wait(4.9)
    desk.post(TAPI, body, 429, key=desk.key)
    desk.wait(0.2)
    desk.result("getInfo")


def test_without_limits_nobody_counts() -> None:
    desk = Desk(limits=False)
    for _ in range(50):
        desk.result("getInfo")


# --- tapi ------------------------------------------------------------------------------


def test_rupiah_are_numbers_and_coins_are_texts(desk: Desk) -> None:
    info = desk.result("getInfo")
    assert type(info["balance"]["idr"]) is int
    assert type(info["balance_hold"]["idr"]) is int
    assert len(info["balance"]["1inch"].partition(".")[2]) == 8
    assert info["server_time"] == desk.millis // 1000


def test_open_orders_come_by_pair_or_of_one_pair(desk: Desk) -> None:
    by_pair = desk.result("openOrders")["orders"]
    assert sum(map(len, by_pair.values())) == len(desk.books.open)
    for key, rows in by_pair.items():
        assert desk.result("openOrders", pair=key)["orders"] == rows
        for row in rows:
            order = desk.books.open[row["order_id"]]
            base, quote = key.split("_")
            assert row["type"] == order.side
            if order.side == "sell":
                assert row[f"remain_{base}"] == f"{order.remaining:.8f}"
            else:
                assert f"order_{quote}" in row


def test_without_open_orders_there_is_nothing_to_list(desk: Desk) -> None:
    for order_id in list(desk.books.open):
        desk.books.cancel(order_id)
    assert desk.result("openOrders") == {"orders": None}
    assert desk.result("openOrders", pair="btc_idr") == {"orders": None}


def test_an_order_is_found_by_either_name(desk: Desk) -> None:
    rows = desk.get("order/histories", symbol="aaveidr", startTime=desk.millis - 10**8)["data"]
    named = next(row for row in rows if row["clientOrderId"])
    number = named["orderId"].rpartition("-")[2]
    found = desk.result("getOrder", pair="aave_idr", order_id=number)["order"]
    by_client = {"client_order_id": named["clientOrderId"]}
    assert found == desk.result("getOrderByClientOrderId", **by_client)["order"]
    assert found["order_id"] == number
    assert found["status"] in {"filled", "cancelled"}


def test_an_unknown_order_or_pair_is_refused(desk: Desk) -> None:
    unknown = {"success": 0, "error": "invalid order."}
    assert desk.call("getOrder", pair="btc_idr", order_id=1) == unknown
    assert desk.call("getOrderByClientOrderId", client_order_id="") == unknown
    order_id, order = next(iter(desk.books.open.items()))
    other = "eth_idr" if order.symbol.base != "ETH" else "btc_idr"
    assert desk.call("getOrder", pair=other, order_id=order_id) == unknown
    invalid = {"error": "invalid_pair", "error_description": "Invalid Pair"}
    assert desk.call("openOrders", pair="btcidr") == invalid


# --- v2 --------------------------------------------------------------------------------


def test_v2_wants_its_headers_and_the_signature_of_the_query(desk: Desk) -> None:
    query = urlencode({"symbol": "btcidr", "timestamp": desk.millis})

    def ask(status: int, **headers: str) -> Any:
        return desk.get_with("myTrades", query, status, **headers)["code"]

    assert ask(400, sign="") == 1101
    assert ask(400, **{"x-apikey": ""}) == 1102
    assert ask(401, **{"x-apikey": "SOMEBODY"}) == 1001
    assert ask(401, sign=desk.sign("?" + query)) == 1001
    assert ask(400, accept="*/*") == 1109
    assert ask(400, **{"content-type": FORM}) == 1109
    assert desk.get_with("myTrades", query)["data"]


def test_v2_refuses_wrong_parameters(desk: Desk) -> None:
    cases: list[tuple[dict[str, Any], int]] = [
        ({}, 1108),
        ({"symbol": ""}, 1108),
        ({"symbol": "btc_idr"}, 1109),
        ({"symbol": "btcidr", "limit": 9}, 1109),
        ({"symbol": "btcidr", "limit": 1001}, 1109),
        ({"symbol": "btcidr", "sort": "up"}, 1109),
        ({"symbol": "btcidr", "from_id": 1}, 1109),
        ({"symbol": "btcidr", "startTime": "yesterday"}, 1109),
        ({"symbol": "btcidr", "startTime": 0, "endTime": 604_800_001}, 1109),
        ({"symbol": "btcidr", "startTime": 2, "endTime": 1}, 1109),
        ({"symbol": "btcidr", "orderId": "x", "startTime": 1}, 1109),
        ({"symbol": "btcidr", "orderId": "x", "clientOrderId": "y"}, 1109),
        ({"symbol": "btcidr", "timestamp": 1}, 1002),
    ]
    for fields, code in cases:
        assert desk.get("myTrades", 400, **fields)["code"] == code


def test_the_order_history_does_not_know_the_filters_of_trades(desk: Desk) -> None:
    answer = desk.get("order/histories", 400, symbol="btcidr", orderId="x")
    assert answer["code"] == 1109


def test_other_methods_and_paths_of_v2_are_refused(desk: Desk) -> None:
    assert desk.ask(Request("POST", "/api/v2/myTrades", "", {}), 405)["code"] == 1111
    assert desk.ask(Request("GET", "/api/v2/orders", "", {}), 404)["code"] == 1113


def test_a_nonce_serves_v2_as_well(desk: Desk) -> None:
    query = "symbol=btcidr&nonce=7"
    assert desk.get_with("myTrades", query)["data"]
    assert desk.get_with("myTrades", query, 400)["code"] == 1003


def test_pages_are_cut_by_limit_and_continued_by_time(desk: Desk) -> None:
    everything = desk.get("myTrades", symbol="btcidr", limit=1000)["data"]
    assert len(everything) > 40
    times = [row["time"] for row in everything]
    assert times == sorted(times, reverse=True)
    first = desk.get("myTrades", symbol="btcidr", limit=15)["data"]
    assert first == everything[:15]
    before = {"startTime": times[-1], "endTime": times[15]}
    assert desk.get("myTrades", symbol="btcidr", **before)["data"] == everything[15:]
    upwards = desk.get("myTrades", symbol="btcidr", sort="asc", limit=1000)["data"]
    assert upwards == everything[::-1]


def test_the_span_of_v2_ends_a_day_back_unless_asked() -> None:
    desk = Desk(rate=0.1)
    desk.wait(90_000)
    day_ago = desk.millis - 86_400_000
    recent = desk.get("order/histories", symbol="btcidr", limit=1000)["data"]
    assert min(row["submitTime"] for row in recent) >= day_ago
    older = desk.get("order/histories", symbol="btcidr", endTime=day_ago - 1)["data"]
    assert max(row["submitTime"] for row in older) < day_ago


def test_trades_are_found_by_their_order(desk: Desk) -> None:
    row = desk.get("myTrades", symbol="ethidr")["data"][0]
    found = desk.get("myTrades", symbol="ethidr", orderId=row["orderId"])["data"]
    assert row in found
    assert {one["orderId"] for one in found} == {row["orderId"]}
    assert desk.get("myTrades", symbol="btcidr", orderId=row["orderId"]) == {"data": []}
