"""The two kinds of keys of Indodax: what each asks of which host, and how the kind is found."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from privstream.exchanges.indodax import Indodax, rest
from privstream.exchanges.indodax.tapi_v2 import TapiV2
from privstream.model.account import Secret
from privstream.model.errors import (
    ConfigError,
    LoginRefused,
    PermissionMissing,
    PrivstreamError,
    RateLimited,
    Refused,
    Unavailable,
    UnknownOrder,
)
from privstream.model.events import Balance, Order, Trade
from privstream.model.reports import BalanceReport, Listed, OrderReport
from privstream.model.rest import Call, HttpRequest, HttpResponse
from tests.exchanges.indodax_account import ALL, indodax, opened, payload
from tests.exchanges.indodax_desk import UNTIL, Desk, known, told
from tests.playbook import like
from tests.rest_play import STAMP, answer, play

ACCOUNT: dict[str, Any] = {
    "canTrade": True,
    "canWithdraw": False,
    "accountType": "Regular",
    "balances": [
        {"asset": "IDR", "free": "1250000", "locked": "0"},
        {"asset": "STR", "free": "0.51000000", "locked": "0.10000000"},
    ],
    "uid": 1700000001,
}
SOLD: dict[str, Any] = {
    "symbol": "BTCIDR",
    "orderId": 7001,
    "clientOrderId": "c-1",
    "side": "SELL",
    "price": "1500000000",
    "stopPrice": "1490000000",
    "origQty": "0.02000000",
    "executedQty": "0",
    "status": "NEW",
    "type": "LIMIT",
    "time": 1779990000123,
    "fullOrderId": "btcidr-limit-7001",
}
BOUGHT = SOLD | {
    "orderId": 7002,
    "fullOrderId": "aaveidr-limit-7002",
    "symbol": "AAVEIDR",
    "side": "BUY",
    "executedQty": "0.00500000",
    "status": "PARTIALLY_FILLED",
}
WRONG_VERSION = {"code": -2015, "msg": "Invalid TAPI version key.\n\nPlease make a new one."}


def v2(**answers: Any) -> tuple[Indodax, Desk]:
    """An account with a key of TAPI v2, and a desk that knows it."""
    return indodax(api="v2"), Desk(account=ACCOUNT, openOrders=[], **answers)


# --- what it asks ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            "timestamp=1700000000123&recvWindow=5000",
            "79754b15e76e19a1919a2c3f0c8267b62c61856d3489cbb521868c9ee3eeaa7f",
        ),
        (
            "symbol=BTCIDR&orderId=6423&timestamp=1700000000123&recvWindow=5000",
            "be5329e0715d49c477ee5a6e6400a3ad82a73106f292769d862a5c8654e6d01d",
        ),
        (
            (
                "symbol=btcidr&startTime=1699990000000&endTime=1700000000000&limit=1000&sort=asc"
                "&timestamp=1700000000123&recvWindow=5000"
            ),
            "73b80d009d7df1715e827537f2d2fb966c75e7e75ace4ceeb179989991d4db95",
        ),
    ],
)
def test_its_signatures_are_the_known_ones(query: str, expected: str) -> None:
    assert rest.signature(Secret("test-secret-0001"), query, "sha256") == expected


def test_a_call_signs_its_query_and_goes_to_its_own_host() -> None:
    exchange = indodax(api="v2")
    request = next(TapiV2(exchange.account).account()).build(STAMP)
    query = "timestamp=1780000000000&recvWindow=5000"
    assert (request.method, request.base, request.body) == ("GET", "api_url", b"")
    assert request.path == f"/api/v2/account?{query}"
    assert request.headers == {
        "X-APIKEY": "TESTKEY-0001",
        "Sign": rest.signature(exchange.account.api_secret, query, "sha256"),
        "Accept": "application/json",
    }
    assert exchange.account.endpoints.api_url == "https://api.indodax.com"


# --- what it tells -----------------------------------------------------------------------


def test_its_picture_is_whole_with_two_questions() -> None:
    exchange, desk = v2()
    desk.answers["openOrders"] = [SOLD, BOUGHT]
    found = play(exchange.picture(ALL), desk)
    assert found.complete
    assert desk.names() == ["openOrders", "account"]
    assert told(found) == [
        like(
            Order,
            order_id="btcidr-limit-7001",
            symbol="BTC/IDR",
            status="open",
            quantity="0.02000000",
            filled="0",
            stop_price=None,
            client_order_id="c-1",
            time="2026-05-28T17:40:00.123000Z",
            source="snapshot",
        ),
        like(
            Order,
            order_id="aaveidr-limit-7002",
            side="buy",
            status="partially_filled",
            quantity="0.02000000",
            filled="0.00500000",
            quote_quantity=None,
            time=None,
        ),
        like(Balance, currency="IDR", available="1250000", hold="0", total="1250000"),
        like(Balance, currency="XLM", exchange_currency="STR", total="0.61000000"),
    ]


def test_nothing_of_the_person_is_reported() -> None:
    exchange, desk = v2()
    assert "1700000001" not in repr(play(exchange.picture(ALL), desk))


def test_a_stop_price_is_read_only_where_the_id_says_that_there_is_one() -> None:
    exchange, desk = v2()
    desk.answers["openOrders"] = [SOLD | {"fullOrderId": "btcidr-stoplimit-7001"}]
    (order, *_) = told(play(exchange.picture(("orders",)), desk))
    assert order == like(Order, order_type="stop_limit", stop_price="1490000000")


def test_what_is_listed_as_open_is_open_whatever_word_stands_there() -> None:
    exchange, desk = v2()
    desk.answers["openOrders"] = [SOLD | {"status": "RESTING"}, BOUGHT | {"status": 5}]
    orders = told(play(exchange.picture(("orders",)), desk))
    assert [order.status for order in orders if isinstance(order, Order)] == [
        "open",
        "partially_filled",
    ]


def test_an_open_order_without_its_full_id_is_a_notice_and_no_neighbours_fault() -> None:
    exchange, desk = v2()
    desk.answers["openOrders"] = [SOLD | {"fullOrderId": None}, BOUGHT]
    found = play(exchange.picture(("orders",)), desk)
    assert not found.complete
    assert "one row could not be read" in (found.detail or "")
    assert Listed("orders") not in found.reports
    assert like(OrderReport, order_id="aaveidr-limit-7002") in found.reports


def test_what_an_interruption_hid_comes_from_its_own_host() -> None:
    asked: list[HttpRequest] = []
    exchange, desk = v2(myTrades=payload("my_trades.json"), histories=payload("histories.json"))

    def reply(call: Call, request: HttpRequest) -> HttpResponse:
        asked.append(request)
        return desk(call, request)

    found = play(exchange.backfill(known("aaveidr")), reply)
    assert {request.base for request in asked} == {"api_url"}
    assert [urlsplit(request.path).path for request in asked] == [
        "/api/v2/openOrders",
        "/api/v2/myTrades",
        "/api/v2/order/histories",
        "/api/v2/account",
    ]
    assert told(found)[:3] == [
        like(Trade, trade_id="72057594039000001"),
        like(Trade, trade_id="72057594039000002"),
        like(Order, order_id="aaveidr-limit-41001", status="filled"),
    ]


def test_one_order_of_any_kind_is_looked_up_by_pair_and_number() -> None:
    ended = SOLD | {"status": "CANCELLED", "fullOrderId": "btcidr-stoplimit-7001"}
    exchange, desk = v2(order=ended)
    found = play(exchange.look_up(["btcidr-stoplimit-7001"]), desk)
    assert found == (like(OrderReport, status="canceled", order_type="stop_limit"),)
    ((_, query),) = desk.asked
    assert (query["symbol"], query["orderId"]) == ("BTCIDR", "7001")


@pytest.mark.parametrize(
    "order",
    [answer({"code": -2013, "msg": "Order does not exist."}, 404), SOLD],
)
def test_an_order_that_is_not_that_one_is_looked_for_in_the_history(order: Any) -> None:
    exchange, desk = v2(order=order, histories=payload("histories.json"))
    found = play(exchange.look_up(["aaveidr-limit-41001"]), desk)
    assert found == (like(OrderReport, order_id="aaveidr-limit-41001", status="filled"),)
    assert desk.names() == ["order", "histories"]


def test_an_order_in_doubt_is_found() -> None:
    exchange, desk = v2(order=SOLD | {"status": "CANCELLED", "executedQty": "0"})
    doubt = frozenset({"btcidr-limit-7001"})
    found = play(exchange.backfill(known(suspects=doubt, open_orders=doubt)), desk)
    assert "could not be found" not in (found.detail or "")
    assert like(Order, order_id="btcidr-limit-7001", status="canceled") in told(found)


# --- which kind it is --------------------------------------------------------------------


def test_one_call_finds_out_that_a_key_is_of_the_older_kind() -> None:
    exchange = indodax(api="auto")
    opened(exchange)
    desk = Desk(account=answer(WRONG_VERSION, 403))
    for _ in range(2):
        assert play(exchange.picture(ALL), desk).complete
    assert desk.names() == ["account", "openOrders", "getInfo", "openOrders", "getInfo"]


@pytest.mark.parametrize(
    "body",
    [
        {"success": 0, "error": "Invalid TAPI version key", "error_code": "invalid_version_key"},
        {"success": 0, "code": -2015, "msg": "invalid_version_key"},
        {"success": 0, "error": "Invalid TAPI version key", "error_code": ""},
    ],
)
def test_the_word_for_a_key_of_the_older_kind_may_come_in_either_dress(body: Any) -> None:
    exchange, desk = indodax(api="auto"), Desk(account=answer(body, 403))
    assert play(exchange.picture(("balances",)), desk).complete
    assert desk.names() == ["account", "getInfo"]


def test_one_call_finds_out_that_a_key_is_of_tapi_v2() -> None:
    exchange, desk = indodax(api="auto"), Desk(account=ACCOUNT, openOrders=[])
    assert play(exchange.picture(ALL), desk).complete
    assert desk.names() == ["account", "openOrders", "account"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"code": -2015, "msg": "No permission"}, 403),
        ({"code": -1002, "msg": "Unauthorized"}, 401),
        ("<html>Attention required</html>", 403),
    ],
)
def test_any_other_refusal_is_the_answer_and_not_remembered(body: Any, status: int) -> None:
    exchange, desk = indodax(api="auto"), Desk(account=answer(body, status))
    found = play(exchange.picture(("balances",)), desk)
    assert (found.complete, found.reports) == (False, ())
    desk.answers["account"] = ACCOUNT
    assert play(exchange.picture(("balances",)), desk).complete


def test_the_demo_and_a_moved_host_have_keys_of_the_older_kind() -> None:
    exchange, desk = indodax(api="auto", environment="demo"), Desk()
    play(exchange.picture(("balances",)), desk)
    assert desk.names() == ["getInfo"]
    demo = Indodax.endpoints({"environment": "demo"})
    Indodax.check_endpoints(demo, {"api": "auto"})
    with pytest.raises(ConfigError, match="TAPI v2"):
        Indodax.check_endpoints(demo, {"api": "v2"})


def test_a_key_of_the_wrong_kind_is_told_what_to_set() -> None:
    wrong = {"success": 0, "error": "Invalid TAPI version key", "error_code": "invalid_version_key"}
    found = play(indodax(api="v1").picture(("balances",)), Desk(getInfo=answer(wrong, 403)))
    assert "the setting `api`" in (found.detail or "")
    found = play(indodax(api="v2").picture(("balances",)), Desk(account=answer(WRONG_VERSION, 403)))
    assert "the setting `api`" in (found.detail or "")


# --- the token ---------------------------------------------------------------------------


def refused_token(exchange: Indodax, desk: Desk) -> PrivstreamError:
    with pytest.raises(LoginRefused) as caught:
        play(exchange.fetch_token(), desk)
    return caught.value


@pytest.mark.parametrize("code", ["bad_sign", "invalid_credentials", "invalid_version_key"])
@pytest.mark.parametrize("api", ["auto", "v2"])
def test_where_no_token_is_given_for_a_key_of_tapi_v2_that_is_said(code: str, api: str) -> None:
    no = {"success": 0, "error": "Some words", "error_code": code}
    problem = refused_token(indodax(api=api), Desk(generate_token=no, account=ACCOUNT))
    assert "Some words" in problem.message
    assert "may need a key of the older kind" in (problem.hint or "")


def test_a_key_of_the_older_kind_that_gets_no_token_hears_what_it_heard() -> None:
    no = {"success": 0, "error": "Bad sign", "error_code": "bad_sign"}
    for account in (answer(WRONG_VERSION, 403), answer({"code": -1001, "msg": "x"}, 500)):
        desk = Desk(generate_token=no, account=account)
        assert "api_secret" in (refused_token(indodax(api="auto"), desk).hint or "")


# --- what its errors mean ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "text", "kind"),
    [
        (401, -1002, "generate new Key", LoginRefused),
        (400, -1021, "Timestamp outside recvWindow", LoginRefused),
        (400, -1022, "Signature is not valid", LoginRefused),
        (400, -2014, "no key", LoginRefused),
        (403, -2015, "IP address is not allowed", PermissionMissing),
        (403, -2015, "Trade API is disabled", PermissionMissing),
        (429, -1003, "Too many requests", RateLimited),
        (500, -1001, "Internal error", Unavailable),
        (400, -1016, "Market suspended", Unavailable),
        (404, -2013, "Order does not exist", UnknownOrder),
        (400, -1121, "Invalid symbol", Refused),
        (404, -1099, "Not found", Refused),
    ],
)
def test_every_code_has_its_meaning(
    status: int, code: int, text: str, kind: type[PrivstreamError]
) -> None:
    flow = TapiV2(indodax(api="v2").account).account()
    with pytest.raises(kind) as caught:
        play(flow, lambda _call, _request: answer({"code": code, "msg": text}, status))
    assert caught.value.exit == kind.exit
    assert caught.value.hint or kind in {RateLimited, Unavailable, UnknownOrder, Refused}


def test_a_time_outside_of_its_window_is_tried_once_more() -> None:
    late = answer({"code": -1021, "msg": "Timestamp for this request is outside"}, 400)
    replies = [late, answer(ACCOUNT)]
    flow = TapiV2(indodax(api="v2").account).balances("rest")
    found = play(flow, lambda _call, _request: replies.pop(0))
    assert [report for report in found if isinstance(report, BalanceReport)]
    assert not replies


def test_a_refused_nonce_of_the_older_kind_has_the_nonces_hint() -> None:
    no = {"success": 0, "error": "Nonce must be greater", "error_code": "invalid_nonce"}
    found = play(indodax(api="v1").picture(("balances",)), Desk(getInfo=no))
    assert "another program uses this key with nonces" in (found.detail or "")


# --- pages of history ----------------------------------------------------------------------


def test_a_burst_is_read_on_from_its_last_row() -> None:
    rows = [ended(number, UNTIL - 60_000 + number // 4) for number in range(8_000)]

    def orders(query: dict[str, str]) -> Any:
        start, end = int(query["startTime"]), int(query["endTime"])
        return {"data": [row for row in rows if start <= row["submitTime"] <= end][:1000]}

    exchange, desk = v2(histories=orders)
    found = play(exchange.backfill(known("btcidr")), desk)
    ids = {report.order_id for report in found.reports if isinstance(report, OrderReport)}
    assert len(ids) == 8_000
    assert desk.names().count("histories") < 12
    assert "not enough" not in (found.detail or "")


def test_rows_in_no_order_are_read_by_halves() -> None:
    rows = [ended(n, UNTIL - 60_000 + n * 7919 % 60_000) for n in range(3_000)]

    def orders(query: dict[str, str]) -> Any:
        start, end = int(query["startTime"]), int(query["endTime"])
        return {"data": [row for row in rows if start <= row["submitTime"] <= end][:1000]}

    exchange, desk = v2(histories=orders)
    found = play(exchange.backfill(known("btcidr")), desk)
    ids = {report.order_id for report in found.reports if isinstance(report, OrderReport)}
    assert len(ids) == 3_000


def ended(number: int, time: int) -> dict[str, Any]:
    return {
        "orderId": f"btcidr-limit-{number}",
        "symbol": "btcidr",
        "side": "SELL",
        "type": "LIMIT",
        "status": "CANCELLED",
        "price": "1",
        "oriQty": "1",
        "executedQty": "0",
        "submitTime": time,
        "finishTime": time,
    }


# --- pairs that the user named -------------------------------------------------------------


def test_the_pairs_that_are_shown_are_read_though_none_was_seen_and_are_everything() -> None:
    desk = Desk(account=ACCOUNT, openOrders=[])
    found = play(indodax("AAVE/IDR", "str_idr", api="v2").backfill(known("btcidr")), desk)
    assert {query["symbol"] for name, query in desk.asked if name == "myTrades"} == {
        "aaveidr",
        "stridr",
    }
    assert (found.complete, found.detail) == (True, None)


@pytest.mark.parametrize("older", [False, True])
def test_an_order_of_long_ago_that_ended_lately_may_be_missing_unless_the_list_has_such(
    *,
    older: bool,
) -> None:
    began = UNTIL - (8 if older else 1) * 24 * 3600 * 1000
    row = {**ended(1, UNTIL - 1000), "submitTime": began}
    desk = Desk(openOrders=[], account=ACCOUNT, histories={"data": [row]})
    key = indodax("AAVE/IDR", api="v2")
    first = play(key.backfill(known(placed_since_ns=None)), desk)
    assert first.complete == older
    assert older or "does not say by which time" in (first.detail or "")
    assert play(key.backfill(known()), desk).complete


def test_an_order_in_doubt_of_another_pair_is_not_looked_for() -> None:
    desk = Desk(account=ACCOUNT, openOrders=[])
    doubt = frozenset({"btcidr-limit-7001"})
    found = play(indodax("AAVE/IDR", api="v2").backfill(known(suspects=doubt)), desk)
    assert "order" not in desk.names()
    assert found.complete


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("btc_idr", "BTC/IDR"),
        ("BTCIDR", "BTC/IDR"),
        ("btc/usdt", "BTC/USDT"),
        ("doge_btc", "DOGE/BTC"),
        ("dogebtc", "DOGE/BTC"),
        ("str_idr", "XLM/IDR"),
        ("XLM/IDR", "XLM/IDR"),
        ("nothing", None),
        ("", None),
    ],
)
def test_a_pair_is_known_by_any_of_its_spellings(text: str, symbol: str | None) -> None:
    assert Indodax.symbol_of(text) == symbol
