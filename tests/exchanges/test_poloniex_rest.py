"""Poloniex over REST: signatures, answers, the picture at the start."""

from typing import Any

import pytest

from privstream.exchanges.poloniex.refusals import OrderUnknown
from privstream.exchanges.poloniex.rest import ask, ask_for_list, signature
from privstream.model.errors import (
    LoginRefused,
    PermissionMissing,
    PrivstreamError,
    RateLimited,
    Refused,
    Unavailable,
)
from privstream.model.events import Balance, Notice, Order, Trade
from privstream.model.reports import BalanceReport, Fill, Listed, NoticeReport, OrderReport
from privstream.model.rest import Call, HttpRequest, HttpResponse
from tests.exchanges.poloniex_rest_desk import (
    ALL,
    ORDER,
    SECRET,
    Server,
    account,
    exchange,
    payload,
    told,
)
from tests.playbook import Playbook, ledger, like
from tests.rest_play import ALL_CHANNELS, STAMP, answer, play

# --- signing ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "parameters", "expected"),
    [
        ("/accounts/balances", {}, "0P+nqyLB8e+JsgXBSH1tnBW7sbpLpHFvUW2WKTtxb8I="),
        ("/orders", {"limit": "100"}, "wA4HoE4OOrF64ojOi2moXHtlaA/ATusVz2k1lZdxhfE="),
        (
            "/trades",
            {"symbols": "BTC_USDT,ETH_USDT", "startTime": "1699990000000", "limit": "100"},
            "2MPLepzFbWBz48Y0YJKbEit/ra3DRl2vUGrYKVdzkbU=",
        ),
    ],
)
def test_the_signature_is_the_sdks(path: str, parameters: dict[str, str], expected: str) -> None:
    assert signature(SECRET, path, parameters, "1700000000123") == expected


def test_a_call_is_signed_when_it_is_sent_and_sends_what_it_signed() -> None:
    requests: list[HttpRequest] = []

    def reply(_call: Call, request: HttpRequest) -> HttpResponse:
        requests.append(request)
        return answer([])

    play(ask(account(), "/trades", symbols="B_C,A_C", limit="1"), reply)
    [request] = requests
    # The signature's own time stamp is a header, and no part of the query.
    assert (request.method, request.path) == ("GET", "/trades?limit=1&symbols=B_C%2CA_C")
    stamped = str(STAMP.now.wall_ns // 10**6)
    signed = signature(SECRET, "/trades", {"symbols": "B_C,A_C", "limit": "1"}, stamped)
    expected = {"key": "KEY-0001", "signTimestamp": stamped, "signature": signed}
    assert request.headers == expected


# --- answers ---------------------------------------------------------------------------


def refused(body: Any, status: int = 400) -> PrivstreamError:
    with pytest.raises(PrivstreamError) as caught:
        play(ask(account(), "/orders"), lambda *_: answer(body, status))
    return caught.value


@pytest.mark.parametrize(
    ("status", "code", "text", "kind"),
    [
        (401, 401, "Signature has expired", LoginRefused),
        (401, 401, "Invalid api key", LoginRefused),
        (400, 400, "Signature has expired", LoginRefused),
        (403, 403, "no permission", PermissionMissing),
        (408, 408, "recvWindow exceeded", Unavailable),
        (429, 429, "too many", RateLimited),
        (200, 429, "too many", RateLimited),
        (400, 603, "internal", Unavailable),
        (400, 500, "internal", Unavailable),
        (500, 500, "internal", Unavailable),
        (400, 415, "System Error", Unavailable),
        (400, 24201, "Service busy", Unavailable),
        (400, 21707, "Internal accounts error", Unavailable),
        (200, 250000, "Internal error", Unavailable),
        (400, 21340, "maintenance", Unavailable),
        # The same number as an HTTP status means that the call itself is wrong.
        (415, 601, "Unsupported Media Type", Refused),
        (400, 21601, "Account locked", Refused),
        (404, 21301, "Order not exists", OrderUnknown),
        (400, 21355, "Invalid window", Refused),
        (400, 601, "Invalid params", Refused),
    ],
)
def test_every_error_has_its_meaning(
    status: int, code: int, text: str, kind: type[PrivstreamError]
) -> None:
    problem = refused({"code": code, "message": text}, status)
    assert type(problem) is kind
    assert "KEY-0001" not in problem.message
    assert SECRET.reveal() not in problem.message


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (400, {"code": 24201, "msg": "Service busy"}, Unavailable, "Service busy (24201)"),
        (400, {"code": "603", "msg": "Internal"}, Unavailable, "Internal (603)"),
        (403, {"code": 403, "msg": "no right"}, PermissionMissing, "no right (403)"),
        (200, {"code": 21600, "msg": "Account not found"}, Refused, "Account not found (21600)"),
        (400, {"msg": "Account not found"}, Refused, "Account not found (HTTP 400)"),
        (200, {"message": "Account not found"}, Refused, "Account not found (HTTP 200)"),
    ],
)
def test_an_error_is_read_in_whichever_words_it_comes(
    status: int, body: dict[str, Any], kind: type[PrivstreamError], said: str
) -> None:
    problem = refused(body, status)
    assert type(problem) is kind
    assert problem.message == f"Poloniex refuses GET /orders: {said}"


def test_maintenance_over_rest_is_named_as_the_cause() -> None:
    problem = refused({"code": 21340, "message": "in maintenance"}, 400)
    assert isinstance(problem, Unavailable)
    assert problem.cause == "maintenance"


def test_an_expired_signature_points_to_the_clock() -> None:
    problem = refused({"code": 401, "message": "Signature has expired"}, 401)
    assert "clock" in (problem.hint or "")


@pytest.mark.parametrize(
    ("body", "status"),
    [("<html>blocked</html>", 403), ("", 200), ("{", 200), ({"code": []}, 404), ([], 418)],
)
def test_what_is_no_answer_of_its_own_is_an_error_all_the_same(body: Any, status: int) -> None:
    assert isinstance(refused(body if body != "" else b" ", status), Unavailable | Refused)


def test_an_empty_list_may_be_null_but_an_object_is_no_list() -> None:
    assert play(ask_for_list(account(), "/trades"), lambda *_: answer("null")) == []
    with pytest.raises(Unavailable):
        play(ask_for_list(account(), "/trades"), lambda *_: answer({"rows": []}))


# --- the picture at the start ----------------------------------------------------------


def test_the_picture_is_the_open_orders_and_the_balances_as_a_snapshot() -> None:
    server, book = Server(), ledger("poloniex")
    book.started = "2026-05-28T20:27:00.000000Z"
    found = play(exchange().picture(ALL_CHANNELS), server)
    assert found.complete
    assert Listed("orders") in found.reports
    assert told(book, found) == [
        like(
            Order,
            order_id=ORDER,
            source="snapshot",
            status="partially_filled",
            filled="1.50",
            remaining="3.00",
            price="150.25",
            quote_quantity=None,
            average_price="150.25",
            time_in_force="gtc",
            client_order_id=None,
            # The fill before the start is not told, but its fee counts.
            fee="0.4507500",
            fee_currency="USDT",
            time="2026-05-28T20:26:45.200000Z",
        ),
        like(Notice, level="info", code="not_streamed"),
        like(Balance, currency="USDT", source="snapshot", total="1000.00", hold="0"),
        like(Balance, currency="SOL", source="snapshot", total="3.00", available="0"),
    ]
    assert server.asked == [
        "/orders?limit=100",
        f"/orders/{ORDER}/trades",
        "/smartorders?limit=100",
        "/accounts/balances?accountType=SPOT",
    ]


def test_an_order_that_ends_while_its_fills_are_asked_for_spoils_nothing() -> None:
    gone = answer({"code": 21301, "message": "Order not exists"}, 404)
    found = play(exchange().picture(ALL_CHANNELS), Server(**{f"__orders__{ORDER}__trades": gone}))
    assert found.complete
    assert like(OrderReport, order_id=ORDER) in list(found.reports)


def test_a_stream_order_and_its_row_are_one_state() -> None:
    book = ledger("poloniex")
    client = exchange()
    frames = payload("limit_sell")[:2]
    playing = Playbook(client.session(None, ALL), book).receives(*frames).told_now()
    assert [type(event) for event in playing.events] == [Order, Trade, Order]
    orders = [
        event
        for event in told(book, play(client.picture(ALL), Server()))
        if isinstance(event, Order)
    ]
    assert orders == []


def test_a_missing_right_is_said_and_the_rest_is_read() -> None:
    forbidden = answer({"code": 403, "message": "no permission"}, 403)
    found = play(exchange().picture(ALL_CHANNELS), Server(__orders=forbidden))
    assert not found.complete
    assert "right to read" in (found.detail or "")
    assert like(BalanceReport, currency="USDT") in list(found.reports)
    assert Listed("orders") not in found.reports


def test_a_row_that_cannot_be_read_is_a_notice_and_the_picture_not_complete() -> None:
    broken = [{"id": ""}, *payload("rest_open_orders"), 5]
    found = play(exchange().picture(ALL_CHANNELS), Server(__orders=broken))
    assert not found.complete
    assert Listed("orders") not in found.reports
    told_of = [r for r in found.reports if not isinstance(r, BalanceReport)]
    assert told_of == [
        like(NoticeReport, code="unrecognised"),
        like(Fill, order_id=ORDER),
        like(OrderReport, order_id=ORDER),
        like(NoticeReport, code="unrecognised"),
        like(NoticeReport, code="not_streamed"),
    ]
