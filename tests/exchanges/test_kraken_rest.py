"""Kraken's REST API: signatures, errors, tokens, reading back."""

from typing import Any
from urllib.parse import parse_qs

import pytest

from privstream.exchanges.kit.refusals import NonceRefused
from privstream.exchanges.kraken import Kraken
from privstream.exchanges.kraken.backfill import PAGE
from privstream.exchanges.kraken.refusals import error_for
from privstream.exchanges.kraken.rest import signature
from privstream.model.account import Account, Secret
from privstream.model.errors import (
    LoginRefused,
    PermissionMissing,
    RateLimited,
    Refused,
    TokenRefused,
    Unavailable,
)
from privstream.model.reports import Fill, Known, NoticeReport, OrderReport
from privstream.model.rest import Call, HttpRequest, HttpResponse
from tests.playbook import like
from tests.rest_play import STAMP, answer, play

DOCUMENTED = Secret(
    "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
)
TOKEN_PATH = "/0/private/GetWebSocketsToken"


@pytest.mark.parametrize(
    ("path", "nonce", "body", "expected"),
    [
        (
            "/0/private/AddOrder",
            "1616492376594",
            "nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25",
            "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ==",
        ),
        (
            TOKEN_PATH,
            "1616492376594",
            "nonce=1616492376594",
            "+mRDmY9Ks0Moc1zjv/BjfvYa98buO0x1yHChZR5onlfAzAUbfIYlLggUZzdQ0RsmXm4Sh+Q8iAIZdo2wSeHeiA==",
        ),
        (
            TOKEN_PATH,
            "1616492376594",
            "nonce=1616492376594&otp=123456",
            "Ar/xaIFCxoB9vYgmMdFa96Q4kobeliKYcsJVL0e/9WCP8p+91eHqwusA7xAg4PaDXeGRBOWqOD4e7jxeWmvvDQ==",
        ),
        (
            TOKEN_PATH,
            "1695828436",
            '{"nonce": 1695828436}',
            "VaAO4qIS/HC2hyXYu9ygIPP4blWepcp4ZAA04eu4NEtk9LL572/BD2cE1CfEoW+R3HuP7S+zPebU5RhzLw2lDA==",
        ),
    ],
)
def test_the_signature_is_the_documented_one(
    path: str, nonce: str, body: str, expected: str
) -> None:
    assert signature(DOCUMENTED, path, nonce, body.encode()) == expected


def test_a_secret_that_is_no_base64_is_refused_without_showing_it() -> None:
    with pytest.raises(LoginRefused) as caught:
        signature(Secret("not/base64!canary"), "/", "1", b"")
    assert "canary" not in repr(caught.value)
    assert caught.value.__cause__ is None


def kraken(**credentials: str) -> Kraken:
    texts = {"api_key": "KEY", "api_secret": DOCUMENTED.reveal(), **credentials}
    secrets = {name: Secret(text) for name, text in texts.items()}
    return Kraken(Account("kraken", "kraken", secrets, Kraken.endpoints({})))


def result(value: Any) -> HttpResponse:
    return answer({"error": [], "result": value})


def failure(text: str) -> HttpResponse:
    return answer({"error": [text]})


def form(request: HttpRequest) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


def test_a_token_is_asked_for_with_the_second_factor_in_the_signed_body() -> None:
    seen: list[tuple[Call, HttpRequest]] = []

    def reply(call: Call, request: HttpRequest) -> HttpResponse:
        seen.append((call, request))
        return result({"token": "T0K3N", "expires": 900})

    token = play(kraken(otp="123456").fetch_token(), reply)
    assert token is not None
    assert (token.secret.reveal(), token.expires) == ("T0K3N", 900.0)
    [(call, request)] = seen
    assert call.nonce
    assert (request.method, request.path) == ("POST", TOKEN_PATH)
    assert form(request) == {"nonce": str(STAMP.nonce), "otp": "123456"}
    signed = signature(DOCUMENTED, TOKEN_PATH, str(STAMP.nonce), request.body)
    assert request.headers["API-Sign"] == signed
    assert request.headers["API-Key"] == "KEY"


def test_a_refused_nonce_is_tried_once_more_and_then_never_again() -> None:
    calls: list[str] = []

    def reply(call: Call, _request: HttpRequest) -> HttpResponse:
        calls.append(call.name)
        return failure("EAPI:Invalid nonce")

    with pytest.raises(NonceRefused) as caught:
        play(kraken().fetch_token(), reply)
    assert len(calls) == 2
    assert "another program" in (caught.value.hint or "")


def test_a_nonce_that_is_taken_the_second_time_is_no_failure() -> None:
    replies = [failure("EAPI:Invalid nonce"), result({"token": "T", "expires": 900})]
    assert play(kraken().fetch_token(), lambda *_: replies.pop(0)) is not None


def test_a_warning_is_no_failure_and_slashes_may_be_escaped() -> None:
    body = '{"error":["WGeneral:Danger"],"result":{"token":"a\\/b","expires":900}}'
    token = play(kraken().fetch_token(), lambda *_: answer(body))
    assert token is not None
    assert token.secret.reveal() == "a/b"


@pytest.mark.parametrize(
    ("text", "kind", "retryable"),
    [
        ("EAPI:Invalid key", LoginRefused, False),
        ("EAPI:Invalid signature", LoginRefused, False),
        ("EAPI:Invalid nonce", NonceRefused, False),
        ("EGeneral:Permission denied", PermissionMissing, False),
        ("EAPI:Permission denied", PermissionMissing, False),
        ("EAccount:Invalid permissions", PermissionMissing, False),
        ("EGeneral:Temporary lockout", RateLimited, True),
        ("EAPI:Rate limit exceeded", RateLimited, True),
        ("EAuth:Too many requests", RateLimited, True),
        ("EService: Throttled: 1700000000", RateLimited, True),
        ("EService:Unavailable", Unavailable, True),
        ("EService:Market in cancel_only mode", Unavailable, True),
        ("EGeneral:Internal error:code", Unavailable, True),
        ("ESession:Invalid session", TokenRefused, True),
        ("Token(s) not found", TokenRefused, True),
        ("EGeneral:Invalid arguments:nonce", Refused, False),
    ],
)
def test_every_error_string_that_was_seen_is_known(
    text: str,
    kind: type[Exception],
    retryable: bool,  # noqa: FBT001 - a table
) -> None:
    error = error_for(text, "GetWebSocketsToken")
    assert type(error) is kind
    assert error.retryable is retryable
    assert text in error.message


@pytest.mark.parametrize(
    "response",
    [
        answer("<html>520</html>", 520, **{"content-type": "text/html"}),
        answer("<html>login</html>", 200, **{"content-type": "text/html"}),
        answer("", 502),
        answer("[]"),
        answer({"result": {}}),
        answer({"error": []}),
        answer({"error": [], "result": "text"}),
        answer({"error": "text"}),
        answer({"error": [7]}),
    ],
)
def test_an_answer_that_is_not_krakens_own_is_an_outage(response: HttpResponse) -> None:
    with pytest.raises((Unavailable, Refused)) as caught:
        play(kraken().fetch_token(), lambda *_: response)
    assert isinstance(caught.value, Unavailable)


# --- reading back ----------------------------------------------------------------------

ORDER = {
    "status": "closed",
    "opentm": 1700237532.1690326,
    "closetm": 1700237600.5,
    "descr": {"pair": "XBTEUR", "type": "buy", "ordertype": "limit", "price": "50000.0"},
    "vol": "0.50000000",
    "vol_exec": "0.50000000",
    "cost": "25000.0",
    "fee": "40.0",
    "price": "50000.0",
    "oflags": "fciq",
}
TRADE = {
    "ordertxid": "O1",
    "pair": "XXBTZEUR",
    "time": 1700237600.4999,
    "type": "buy",
    "ordertype": "stop limit",
    "price": "50000.0",
    "cost": "25000.0",
    "fee": "40.0",
    "vol": "0.50000000",
    "maker": True,
}
PAIRS = {"XXBTZEUR": {"altname": "XBTEUR", "wsname": "XBT/EUR"}}
SECOND = 10**9
KNOWN = Known(
    since_ns=1_700_237_500 * SECOND,
    until_ns=1_700_237_700 * SECOND,
    channels=("orders", "trades", "balances"),
    suspects=frozenset({"O2"}),
)


class Rest:
    """A Kraken that answers from tables, and remembers what it was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {
            "TradesHistory": {"trades": {"T1": TRADE}, "count": 1},
            "ClosedOrders": {"closed": {"O1": ORDER}, "count": 1},
            "QueryOrders": {"O2": ORDER | {"status": "canceled", "reason": "User requested"}},
            "AssetPairs": PAIRS,
            **answers,
        }
        self.asked: list[tuple[str, dict[str, str]]] = []

    def __call__(self, call: Call, request: HttpRequest) -> HttpResponse:
        fields = form(request)
        fields.pop("nonce", None)
        self.asked.append((call.name, fields))
        found = self.answers[call.name]
        if callable(found):
            found = found(fields)
        return found if isinstance(found, HttpResponse) else result(found)


def test_fills_closed_orders_and_suspects_are_read_back() -> None:
    rest = Rest()
    found = play(kraken().backfill(KNOWN), rest)
    assert found.complete
    assert list(found.reports) == [
        like(
            Fill,
            trade_id="T1",
            symbol="BTC/EUR",
            exchange_symbol="XXBTZEUR",
            liquidity="maker",
            order_type="stop_loss_limit",
            time="2023-11-17T16:13:20.499900Z",
            source="rest",
        ),
        like(
            OrderReport, order_id="O1", status="filled", symbol="BTC/EUR", average_price="50000.0"
        ),
        like(OrderReport, order_id="O2", status="canceled", reason="user_requested"),
    ]
    window = {"start": "1700237440.000000", "end": "1700237760.000000", "ofs": "0"}
    assert rest.asked[0] == ("TradesHistory", {**window, "consolidate_taker": "false"})
    assert ("QueryOrders", {"txid": "O2"}) in rest.asked


def test_all_pages_are_read_within_a_fixed_window() -> None:
    rows = {f"T{number:03}": TRADE for number in range(PAGE + 7)}

    def page(fields: dict[str, str]) -> dict[str, Any]:
        start = int(fields["ofs"])
        names = sorted(rows)[start : start + PAGE]
        return {"trades": {name: rows[name] for name in names}, "count": len(rows)}

    rest = Rest(TradesHistory=page)
    found = play(kraken().backfill(KNOWN), rest)
    assert sum(isinstance(report, Fill) for report in found.reports) == PAGE + 7
    windows = {(f["start"], f["end"]) for name, f in rest.asked if name == "TradesHistory"}
    assert len(windows) == 1


def test_fills_that_the_socket_listed_are_not_asked_for_again() -> None:
    listed = Known(
        since_ns=KNOWN.since_ns,
        until_ns=KNOWN.until_ns,
        channels=KNOWN.channels,
        fills_since_ns=KNOWN.since_ns - 60 * SECOND,
    )
    rest = Rest()
    play(kraken().backfill(listed), rest)
    assert "TradesHistory" not in [name for name, _ in rest.asked]


def test_pairs_are_asked_for_once() -> None:
    exchange, rest = kraken(), Rest()
    play(exchange.backfill(KNOWN), rest)
    play(exchange.backfill(KNOWN), rest)
    assert [name for name, _ in rest.asked].count("AssetPairs") == 1


def test_a_missing_right_is_named_and_the_rest_is_read_all_the_same() -> None:
    rest = Rest(ClosedOrders=failure("EGeneral:Permission denied"))
    found = play(kraken().backfill(KNOWN), rest)
    assert not found.complete
    assert "ClosedOrders" in (found.detail or "")
    assert "Query closed orders & trades" in (found.detail or "")
    assert {type(report) for report in found.reports} == {Fill, OrderReport}


def test_a_row_that_cannot_be_read_does_not_hide_its_neighbours() -> None:
    broken = {"T0": "TRADE", "T1": TRADE}
    found = play(kraken().backfill(KNOWN), Rest(TradesHistory={"trades": broken, "count": 2}))
    assert [getattr(report, "code", None) for report in found.reports[:2]] == ["unrecognised", None]


def test_an_odd_value_of_a_row_costs_only_itself() -> None:
    odd_trade = TRADE | {"price": "a lot", "maker": "yes", "pair": 7, "leverage": "-3"}
    described: Any = ORDER["descr"]
    odd_order = ORDER | {"fee": [], "descr": described | {"price": {}}, "opentm": "soon"}
    rest = Rest(
        TradesHistory={"trades": {"T1": odd_trade}, "count": 1},
        ClosedOrders={"closed": {"O1": odd_order}, "count": 1},
        QueryOrders={},
    )
    reports = play(kraken().backfill(KNOWN), rest).reports
    told = [report for report in reports if not isinstance(report, NoticeReport)]
    assert told == [
        like(Fill, trade_id="T1", price=None, liquidity=None, symbol=None, quantity="0.50000000"),
        like(OrderReport, order_id="O1", price=None, created=None, filled="0.50000000"),
    ]
    assert {report.once for report in reports if isinstance(report, NoticeReport)} == {
        "trade:price",
        "trade:maker",
        "trade:pair",
        "order:fee",
        "order:price",
        "order:opentm",
    }


def test_only_what_is_streamed_is_read_back() -> None:
    only = Known(since_ns=KNOWN.since_ns, until_ns=KNOWN.until_ns, channels=("balances",))
    rest = Rest()
    assert play(kraken().backfill(only), rest).complete
    assert rest.asked == []


def test_looked_up_orders_come_in_batches_of_fifty() -> None:
    rest = Rest(QueryOrders={})
    play(kraken().look_up([f"O{number}" for number in range(PAGE + 1)]), rest)
    assert [len(fields["txid"].split(",")) for _, fields in rest.asked] == [50, 1]


@pytest.mark.parametrize("odd", [{"altname": ""}, {"altname": 7}, {}, None, "XBT"])
def test_an_odd_name_of_an_asset_costs_no_balance(odd: Any) -> None:
    answers = {"Balance": {"XXBT": "1.5", "ZUSD": "2.5"}, "Assets": {"XXBT": odd}}
    told = play(
        kraken().balances_now(),
        lambda call, _: answer({"error": [], "result": answers[call.name]}),
    )
    assert {report.currency: report.total for report in told} == {"BTC": "1.5", "USD": "2.5"}
