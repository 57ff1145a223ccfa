"""Indodax over REST: signatures, the token, what stands, and what an interruption hid."""

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from privstream.errors import (
    LoginRefused,
    PermissionMissing,
    PrivstreamError,
    RateLimited,
    Refused,
    Unavailable,
)
from privstream.events import Balance, Order, Trade
from privstream.exchanges.indodax import histories, rest
from privstream.exchanges.indodax.histories import LIMIT, QUERIES, SPAN, windows
from privstream.ledger import Ledger
from privstream.wire import (
    Backfill,
    BalanceReport,
    Call,
    Fill,
    HttpRequest,
    HttpResponse,
    Known,
    Listed,
    NoticeReport,
    OrderReport,
    Secret,
)
from tests.exchanges.indodax_account import (
    ALL,
    CHANNEL,
    CONNECTED,
    STREAM,
    indodax,
    opened,
    payload,
    streaming,
)
from tests.playbook import ledger, like
from tests.rest_play import STAMP, answer, play
from tests.valid import assert_valid

RECEIVED = "2026-05-28T20:30:00.000000Z"
DOCUMENTED = Secret("f60617a68fcce028f0a90bc9eb765d17379eb548cc935c01a7ee3186eecf870e9b68f27a31bcfe8d")  # fmt: skip
SINCE = 1_780_000_010_000  # milliseconds
UNTIL = 1_780_000_030_000
NOTHING = {"success": 1, "return": {"orders": None}}
NO_BALANCES = {"success": 1, "return": {"balance": [], "balance_hold": []}}

Reply = Callable[[Call, HttpRequest], HttpResponse]


class Desk:
    """Answers by the name of the call, and remembers what was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {"openOrders": NOTHING, "getInfo": NO_BALANCES, **answers}
        self.asked: list[tuple[str, dict[str, str]]] = []

    def __call__(self, call: Call, request: HttpRequest) -> HttpResponse:
        text = urlsplit(request.path).query if request.method == "GET" else request.body.decode()
        self.asked.append((call.name, dict(parse_qsl(text))))
        body = self.answers.get(call.name, {"data": []})
        if isinstance(body, HttpResponse):
            return body
        return answer(body(self.asked[-1][1]) if callable(body) else body)

    def names(self) -> list[str]:
        return [name for name, _ in self.asked]


def known(*symbols: str, channels: tuple[str, ...] = ALL, **more: Any) -> Known:
    known = {"since_ns": SINCE * 10**6, "until_ns": UNTIL * 10**6, **more}
    return Known(channels=channels, symbols=frozenset(symbols), **known)


def told(found: Backfill, book: Ledger | None = None) -> list[Any]:
    book = book or ledger("indodax")
    events = [event for report in found.reports for event in book.take(report, RECEIVED)]
    for event in events:
        assert_valid(event)
    return events


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
    call = next(rest.ask(account, "getInfo"))
    request = call.build(STAMP)
    assert not call.nonce
    assert request.path == "/tapi"
    assert request.body == b"method=getInfo&timestamp=1780000000000&recvWindow=5000"
    assert request.headers["Key"] == "TESTKEY-0001"
    assert request.headers["Sign"] == rest.signature(account.api_secret, request.body.decode())


def test_a_v2_call_signs_its_query_and_goes_to_the_host_of_histories() -> None:
    account = indodax().account
    request = next(histories.ask_history(account, histories.TRADES, "btcidr", 1, 2)).build(STAMP)
    path, _, query = request.path.partition("?")
    assert (request.method, request.base, path) == ("GET", "history_url", "/api/v2/myTrades")
    assert parse_qs(query) | {"limit": ["1000"]} == parse_qs(
        "symbol=btcidr&startTime=1&endTime=2&limit=1000&sort=asc&timestamp=1780000000000&recvWindow=5000"
    )
    assert request.headers["X-APIKEY"] == "TESTKEY-0001"
    assert request.headers["Sign"] == rest.signature(account.api_secret, query)
    assert request.headers["Accept"] == request.headers["Content-Type"] == "application/json"
    assert account.endpoints.history_url == "https://tapi.indodax.com"


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
    "text", ["", "x", "a.b.c", "a.!.c", "a.Zm9v.c", "a.é.c", jwt({"sub": "112"}), jwt([1])]
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
    problem = refused(lambda: rest.ask(indodax().account, "getInfo"), answer(body), kind)
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
    flow = lambda: histories.ask_history(account, histories.ORDERS, "btcidr", 1, 2)  # noqa: E731 - shortest so
    problem = refused(flow, reply, kind)
    assert type(problem) is kind
    assert "histories" in problem.message


# --- what stands -----------------------------------------------------------------------


def test_the_picture_is_open_orders_and_balances() -> None:
    exchange = indodax()
    exchange.session(None, ALL)
    desk = Desk(openOrders=payload("open_orders.json"), getInfo=payload("get_info.json"))
    found = play(exchange.picture(), desk)
    assert found.complete
    assert Listed("orders") in found.reports
    assert Listed("balances") in found.reports
    assert told(found) == [
        like(
            Order,
            order_id="btcidr-limit-881",
            source="snapshot",
            symbol="BTC/IDR",
            exchange_symbol="btcidr",
            status="partially_filled",
            quantity="0.02000000",
            filled="0.01500000",
            remaining="0.00500000",
            client_order_id="clientx-aa1",
            created="2026-05-28T17:40:00.000000Z",
            time=None,
        ),
        like(
            Order,
            order_id="btcidr-stoplimit-12",
            order_type="stop_limit",
            side="buy",
            quantity=None,
            quote_quantity="1266293.00000000",
            filled="0",
            status="open",
            price="421003000.00000000",
            time="2026-05-28T17:48:20.000000Z",
        ),
        like(Order, order_id="aaveidr-limit-41001", status="open", symbol="AAVE/IDR"),
        like(Balance, currency="IDR", total="1250000", source="snapshot"),
        like(Balance, currency="BTC", total="0.02000000", exchange_currency="btc"),
        like(Balance, currency="AAVE", total="1.25000000", hold="0.05000000"),
    ]


BOUGHT: dict[str, Any] = {
    "order_id": "41001",
    "submit_time": "1779990000",
    "price": "4100100",
    "type": "buy",
    "order_type": "limit",
    "order_idr": "410010",
    "remain_idr": "205005",
}


def bought(**more: str) -> dict[str, Any]:
    """An open buy order that is filled in part."""
    return {"success": 1, "return": {"orders": {"aave_idr": [BOUGHT | more]}}}


def test_how_much_of_a_buy_order_was_filled_is_read_from_its_fills() -> None:
    exchange = indodax()
    opened(exchange)
    desk = Desk(openOrders=bought(), myTrades=payload("my_trades.json"))
    book = ledger("indodax")
    book.started = RECEIVED  # fills from before the start are counted, and not told
    assert told(play(exchange.picture(), desk), book) == [
        like(
            Order,
            status="partially_filled",
            quantity=None,
            quote_quantity="410010",
            filled="0.05000000",
            fee="657",
        )
    ]
    ((_, query),) = (asked for asked in desk.asked if asked[0] == "myTrades")
    assert int(query["startTime"]) == 1779990000000


@pytest.mark.parametrize(
    "trades",
    [
        {"data": []},
        {"data": [{"tradeId": "1"}]},
        {"data": [{}] * LIMIT},
        {"code": 1110, "error": "Invalid symbol."},
    ],
)
def test_where_its_fills_are_not_whole_that_stays_unknown(trades: Any) -> None:
    exchange = indodax()
    opened(exchange)
    found = play(exchange.picture(), Desk(openOrders=bought(), myTrades=trades))
    assert told(found) == [like(Order, status="partially_filled", filled=None, remaining=None)]


def test_of_an_old_order_and_in_the_demo_it_stays_unknown_without_a_question() -> None:
    for exchange, submitted in (
        (indodax(), "1770000000"),
        (indodax(environment="demo"), "1779990000"),
    ):
        opened(exchange)
        desk = Desk(openOrders=bought(submit_time=submitted))
        (order,) = told(play(exchange.picture(), desk))
        assert order == like(Order, status="partially_filled", filled=None)
        assert desk.names() == ["openOrders", "getInfo"]


def test_only_what_is_streamed_is_read() -> None:
    exchange, desk = indodax(), Desk()
    exchange.session(None, ("balances",))
    play(exchange.picture(), desk)
    exchange.session(None, ("orders",))
    play(exchange.picture(), desk)
    assert desk.names() == ["getInfo", "openOrders"]


def test_nothing_of_the_person_is_reported() -> None:
    info = payload("get_info.json")
    found = play(rest.read_balances(indodax().account, "rest"), lambda _c, _r: answer(info))
    assert {"balance": {"idr": 1250000}, "balance_hold": {"idr": 0}} in [
        report.element for report in found if isinstance(report, BalanceReport)
    ]
    assert not any(word in repr(found) for word in ("Invented", "person@", "17invented", "00099"))


def test_an_open_order_that_cannot_be_read_hides_no_neighbour() -> None:
    rows = {"btc_idr": [{"order_id": "1"}, *json.loads(payload("open_orders.json"))["return"]["orders"]["btc_idr"]]}  # fmt: skip
    desk = Desk(openOrders={"success": 1, "return": {"orders": rows}})
    found = play(rest.open_orders(indodax().account, "snapshot"), desk)
    assert [type(report) for report in found] == [NoticeReport, OrderReport, OrderReport, Listed]


@pytest.mark.parametrize("orders", [None, [], {}])
def test_no_open_orders_is_an_empty_list(orders: object) -> None:
    desk = Desk(openOrders={"success": 1, "return": {"orders": orders}})
    assert play(rest.open_orders(indodax().account, "rest"), desk) == (Listed("orders"),)


def test_the_stream_goes_on_with_the_orders_of_the_picture() -> None:
    exchange = indodax()
    book = streaming(exchange)
    desk = Desk(openOrders=payload("open_orders.json"))
    told(play(exchange.picture(), desk), book.ledger)
    book.receives(STREAM[0]).tells()  # told already: the ids are the same
    book.receives(STREAM[1]).told_now()
    assert book.events[-1] == like(Order, order_id="aaveidr-limit-41001", status="filled")


# --- what an interruption hid ------------------------------------------------------------


def test_fills_and_ended_orders_are_read_for_every_pair_that_is_known() -> None:
    desk = Desk(
        myTrades=payload("my_trades.json"),
        histories=payload("histories.json"),
        getInfo=payload("get_info.json"),
    )
    found = play(indodax().backfill(known("aaveidr")), desk)
    assert [report for report in found.reports if isinstance(report, Listed)] == [
        Listed("orders"),
        Listed("balances"),
    ]
    assert told(found)[:3] == [
        like(Trade, trade_id="72057594039000001", fee="263", cost="82002", source="rest"),
        like(
            Trade,
            side="sell",
            price="4100100",
            quantity="0.03000000",
            liquidity="taker",
            estimated=(),
            order_type="limit",
            fee_currency="IDR",
            time="2026-05-28T20:26:57.697000Z",
        ),
        like(
            Order,
            order_id="aaveidr-limit-41001",
            status="filled",
            filled="0.05",
            fee="657",
            side="sell",
            order_type="limit",
            time="2026-05-28T20:26:57.697000Z",
            created="2026-05-28T20:26:41.374000Z",
        ),
    ]
    assert desk.names() == ["openOrders", "myTrades", "histories", "getInfo"]
    trades, orders = desk.asked[1][1], desk.asked[2][1]
    assert int(trades["startTime"]) == SINCE - 60_000
    assert int(orders["endTime"]) - int(orders["startTime"]) == SPAN


def test_a_fill_is_the_same_fact_over_rest_and_stream() -> None:
    exchange = indodax()
    book = streaming(exchange).receives(*STREAM).told_now()
    desk = Desk(myTrades=payload("my_trades.json"), histories=payload("histories.json"))
    assert not told(play(exchange.backfill(known("aaveidr")), desk), book.ledger)


def test_history_of_one_pair_at_a_time_is_never_said_to_be_everything() -> None:
    found = play(indodax().backfill(known("aaveidr")), Desk())
    assert not found.complete
    assert "aaveidr" in (found.detail or "")


def test_without_a_pair_that_is_known_that_is_said() -> None:
    found = play(indodax().backfill(known()), Desk())
    assert not found.complete
    assert "no pair is known" in (found.detail or "")


def test_pairs_of_open_orders_are_known() -> None:
    desk = Desk(openOrders=payload("open_orders.json"))
    play(indodax().backfill(known()), desk)
    assert {row["symbol"] for name, row in desk.asked if name == "myTrades"} == {
        "aaveidr",
        "btcidr",
    }


def test_balances_alone_are_always_complete() -> None:
    desk = Desk(getInfo=payload("get_info.json"))
    found = play(indodax().backfill(known(channels=("balances",))), desk)
    assert (found.complete, found.detail, desk.names()) == (True, None, ["getInfo"])


def test_what_the_server_replayed_is_not_read_back_and_is_complete() -> None:
    exchange = indodax()
    subscribed = {"recoverable": True, "epoch": "E", "recovered": True}
    for _ in range(2):  # the second connection has a place to be replayed from
        opened(exchange).receives(CONNECTED, {"id": 2, "subscribe": subscribed}).forget()
        desk = Desk(getInfo=payload("get_info.json"))
        found = play(exchange.backfill(known("aaveidr")), desk)
    assert (found.complete, desk.names()) == (True, ["getInfo"])


def test_the_demo_has_no_history_and_says_so() -> None:
    desk = Desk()
    found = play(indodax(environment="demo").backfill(known("aaveidr")), desk)
    assert not found.complete
    assert "demo" in (found.detail or "")
    assert desk.names() == ["openOrders", "getInfo"]


def test_a_pair_that_is_no_more_hides_no_other() -> None:
    def trades(query: dict[str, str]) -> Any:
        gone = {"code": 1110, "error": "Invalid symbol."}
        return gone if query["symbol"] == "lendidr" else json.loads(payload("my_trades.json"))

    found = play(indodax().backfill(known("lendidr", "aaveidr")), Desk(myTrades=trades))
    assert sum(isinstance(report, Fill) for report in found.reports) == 2
    assert "lendidr" in (found.detail or "")
    assert "Invalid symbol" in (found.detail or "")


def test_a_refused_key_ends_the_reading_at_once() -> None:
    desk = Desk(myTrades={"code": 1001, "error": "Invalid credentials."})
    with pytest.raises(LoginRefused):
        play(indodax().backfill(known("lendidr", "aaveidr")), desk)
    assert desk.names() == ["openOrders", "myTrades"]


def test_longer_interruptions_are_read_week_by_week_newest_first() -> None:
    since = (UNTIL - 15 * 24 * 3600 * 1000) * 10**6
    desk = Desk()
    play(indodax().backfill(known("aaveidr", since_ns=since)), desk)
    spans = [
        (int(row["startTime"]), int(row["endTime"]))
        for name, row in desk.asked
        if name == "myTrades"
    ]
    assert len(spans) == 3
    assert all(0 < end - start < 7 * 24 * 3600 * 1000 for start, end in spans)
    assert [start for start, _ in spans[:-1]] == [end for _, end in spans[1:]]
    assert spans[0][1] > UNTIL
    assert spans[-1][0] < since // 10**6


def test_windows_cover_all_of_the_time_without_a_hole() -> None:
    assert windows(0, 10) == [(0, 10)]
    assert windows(0, SPAN) == [(0, SPAN)]
    assert windows(0, SPAN + 1) == [(1, SPAN + 1), (0, 1)]


def test_a_full_list_may_be_cut_off_so_its_halves_are_read() -> None:
    rows = [row(number, SINCE + number * 10) for number in range(LIMIT + 500)]

    def trades(query: dict[str, str]) -> Any:
        start, end = int(query["startTime"]), int(query["endTime"])
        return {"data": [r for r in rows if start <= r["time"] <= end][:LIMIT]}

    found = play(indodax().backfill(known("aaveidr")), Desk(myTrades=trades))
    fills = {report.trade_id for report in found.reports if isinstance(report, Fill)}
    assert len(fills) == len(rows)


def test_lists_that_stay_full_are_not_read_for_ever() -> None:
    rows = [row(number, SINCE) for number in range(LIMIT)]
    desk = Desk(myTrades={"data": rows})
    found = play(indodax().backfill(known("aaveidr")), desk)
    assert not found.complete
    assert "not enough" in (found.detail or "")
    assert len(desk.asked) <= QUERIES + 3


def row(number: int, time: int) -> dict[str, Any]:
    trade: dict[str, Any] = json.loads(payload("my_trades.json"))["data"][0]
    return trade | {"tradeId": str(number), "time": time}


# --- orders in doubt -------------------------------------------------------------------

FOUND = {
    "order_id": "500",
    "price": "4000000",
    "type": "sell",
    "order_aave": "0.1",
    "remain_aave": "0.06",
    "submit_time": "1779000000",
    "finish_time": "1780000020",
    "status": "cancelled",
    "client_order_id": "mine-1",
}
DOUBT = frozenset({"aaveidr-limit-500"})


def test_an_order_that_is_open_no_more_is_looked_for_in_the_history_then_by_itself() -> None:
    desk = Desk(getOrder={"success": 1, "return": {"order": FOUND}})
    found = play(indodax().backfill(known(suspects=DOUBT, open_orders=DOUBT)), desk)
    name, query = desk.asked[-2]
    assert (name, query["pair"], query["order_id"]) == ("getOrder", "aave_idr", "500")
    assert "could not be found" not in (found.detail or "")
    assert told(found) == [
        like(
            Order,
            order_id="aaveidr-limit-500",
            status="canceled",
            filled="0.04",
            order_type="limit",
            time="2026-05-28T20:27:00.000000Z",
        )
    ]


def test_an_order_in_doubt_that_the_history_tells_is_not_asked_for() -> None:
    desk = Desk(histories=payload("histories.json"))
    old = frozenset({"aaveidr-limit-40000"})  # ended before the interruption, they say
    found = play(indodax().backfill(known(suspects=old, open_orders=old)), desk)
    assert "getOrder" not in desk.names()
    assert like(Order, order_id="aaveidr-limit-40000", status="canceled", filled="0") in told(found)


@pytest.mark.parametrize("order_id", ["aaveidr-limit-500", "aaveidr-stoplimit-500", "strange"])
def test_an_order_that_nobody_knows_any_more_is_said_to_be_missing(order_id: str) -> None:
    desk = Desk(getOrder={"success": 0, "error": "Order not found"})
    ids = frozenset({order_id})
    found = play(indodax().backfill(known(suspects=ids, open_orders=ids)), desk)
    assert not found.complete
    assert f"order {order_id} could not be found" in (found.detail or "")


def test_an_order_that_is_open_still_is_not_looked_for() -> None:
    ids = frozenset({"btcidr-limit-881", "btcidr-stoplimit-12", "aaveidr-limit-41001"})
    desk = Desk(openOrders=payload("open_orders.json"))
    play(indodax().backfill(known(suspects=ids, open_orders=ids)), desk)
    assert "getOrder" not in desk.names()


def test_reading_open_orders_again_tells_nothing_that_was_told() -> None:
    exchange, book = indodax(), ledger("indodax")
    exchange.session(None, ALL)
    desk = Desk(openOrders=payload("open_orders.json"), getInfo=payload("get_info.json"))
    assert told(play(exchange.picture(), desk), book)
    book.reconnected()
    again = known(suspects=book.suspects, open_orders=book.open_orders)
    assert not told(play(exchange.backfill(again), desk), book)


def test_a_buy_order_known_from_the_stream_is_not_told_again_in_the_quote_currency() -> None:
    exchange = indodax()
    book = streaming(exchange).receives(STREAM[0].replace("SELL", "BUY")).told_now()
    rows = [
        {
            "order_id": "41001",
            "submit_time": "1780000001",
            "price": "4100100",
            "type": "buy",
            "order_type": "limit",
            "order_idr": "205005",
            "remain_idr": "123003",
        }
    ]
    desk = Desk(
        openOrders={"success": 1, "return": {"orders": {"aave_idr": rows}}},
        myTrades={"data": json.loads(payload("my_trades.json"))["data"][:1]},
    )
    again = known(open_orders=book.ledger.open_orders)
    opened(exchange)  # a new connection, which has told of nothing yet
    assert told(play(exchange.backfill(again), desk), book.ledger) == [
        like(Trade, quantity="0.02000000"),
        like(Order, status="partially_filled", filled="0.02000000", quote_quantity=None),
    ]


def test_what_the_new_connection_told_itself_is_not_told_over_rest() -> None:
    exchange = indodax()
    book = streaming(exchange).receives(STREAM[0]).told_now()
    desk = Desk(openOrders=payload("open_orders.json").replace('"sell"', '"buy"'))
    ids = frozenset({"aaveidr-limit-41001"})
    found = play(exchange.backfill(known(suspects=ids)), desk)
    assert not any(getattr(report, "order_id", None) in ids for report in found.reports)
    assert "getOrder" not in desk.names()
    assert "aaveidr" in {query.get("symbol") for _, query in desk.asked}
    assert not any(event.order_id in ids for event in told(found, book.ledger))


def test_look_up_answers_for_every_order_it_can() -> None:
    desk = Desk(
        getOrder=lambda query: (
            {"success": 1, "return": {"order": FOUND}}
            if query["order_id"] == "500"
            else {"success": 0, "error": "invalid order."}
        )
    )
    found = play(indodax().look_up(["aaveidr-limit-500", "aaveidr-limit-501"]), desk)
    assert found == (like(OrderReport, order_id="aaveidr-limit-500", status="canceled"),)


def test_a_look_up_with_a_refused_key_is_refused() -> None:
    desk = Desk(getOrder={"success": 0, "error": "x", "error_code": "bad_sign"})
    with pytest.raises(LoginRefused):
        play(indodax().look_up(["aaveidr-limit-500"]), desk)
