"""Bitfinex's REST API: signed calls, answers, reading back."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from privstream.exchanges.bitfinex import Bitfinex, rest
from privstream.exchanges.bitfinex.signing import signature
from privstream.exchanges.kit.refusals import NonceRefused
from privstream.model.account import Secret
from privstream.model.errors import (
    Interrupted,
    LoginRefused,
    PermissionMissing,
    PrivstreamError,
    RateLimited,
    Refused,
    Unavailable,
    Unreachable,
)
from privstream.model.reports import Backfill, BalanceReport, Fill, Known, NoticeReport, OrderReport
from privstream.model.rest import Call, HttpRequest, HttpResponse
from tests.joined import World
from tests.payloads.bitfinex.frames import (
    FEE,
    KEY,
    SECRET,
    account,
    exchange,
    order,
    trade,
)
from tests.playbook import like
from tests.rest_play import STAMP, answer, play

PAYLOADS = Path(__file__).parents[1] / "payloads" / "bitfinex"
SINCE_MS, UNTIL_MS = 1_780_000_000_000, 1_780_000_100_000
KNOWN = Known(
    since_ns=SINCE_MS * 10**6,
    until_ns=UNTIL_MS * 10**6,
    channels=("orders", "trades", "balances", "positions", "notices"),
    placed_since_ns=SINCE_MS * 10**6,
)
FILLS, HISTORY, OPEN = "auth/r/trades/hist", "auth/r/orders/hist", "auth/r/orders"
Reply = Callable[[Call, HttpRequest], HttpResponse]


class Server:
    """Answers each path with its rows in turn, and remembers what it was asked."""

    def __init__(self, **answers: Any) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._answers: dict[str, list[Any]] = {FILLS: [[]], HISTORY: [[]], OPEN: [[]]}
        for name, pages in answers.items():
            self._answers[{"fills": FILLS, "history": HISTORY, "open_": OPEN}[name]] = pages

    def __call__(self, call: Call, request: HttpRequest) -> HttpResponse:
        self.asked.append((call.name, json.loads(request.body)))
        pages = self._answers[call.name]
        page = pages.pop(0) if len(pages) > 1 else pages[0]
        return page if isinstance(page, HttpResponse) else answer(page)

    def bodies(self, path: str) -> list[dict[str, Any]]:
        return [body for name, body in self.asked if name == path]


def read_back(server: Reply, known: Known = KNOWN) -> Backfill:
    return play(exchange().backfill(known), server)


def ask(reply: Reply) -> list[Any]:
    return play(rest.ask(account(), OPEN), reply)


def error(body: Any, status: int = 500) -> PrivstreamError:
    """What an answer is refused with."""
    with pytest.raises(PrivstreamError) as caught:
        ask(lambda *_: answer(body, status))
    return caught.value


# --- asking ----------------------------------------------------------------------------


def test_a_call_is_signed_over_path_nonce_and_the_body_as_it_is_sent() -> None:
    requests: list[HttpRequest] = []

    def reply(call: Call, request: HttpRequest) -> HttpResponse:
        assert call.nonce
        requests.append(request)
        return answer([])

    play(rest.ask(account(), OPEN, id=[1, 2]), reply)
    (request,) = requests
    assert (request.method, request.path) == ("POST", "/v2/auth/r/orders")
    assert request.body == b'{"id":[1,2]}'
    signed = f'/api/v2/auth/r/orders{STAMP.nonce}{{"id":[1,2]}}'
    assert request.headers == {
        "bfx-nonce": str(STAMP.nonce),
        "bfx-apikey": KEY,
        "bfx-signature": signature(Secret(SECRET), signed),
        "Content-Type": "application/json",
    }


def test_a_small_nonce_is_tried_once_more() -> None:
    answers = [answer(["error", 10114, "nonce: small"], 500), answer([])]
    assert ask(lambda *_: answers.pop(0)) == []
    answers = [answer(["error", 10114, "nonce: small"], 500) for _ in range(3)]
    with pytest.raises(NonceRefused):
        ask(lambda *_: answers.pop(0))
    assert len(answers) == 1
    assert isinstance(error({"message": "Nonce is too small."}, 400), NonceRefused)


@pytest.mark.parametrize(
    ("body", "kind", "word"),
    [
        (["error", 10100, "apikey: invalid"], LoginRefused, "api_key"),
        (["error", 10100, "apikey: digest invalid"], LoginRefused, "api_secret"),
        (["error", 10001, "permission: invalid"], PermissionMissing, "read"),
        (["error", 10001, "This currency cannot be used"], Refused, None),
        (["error", 10020, "id: invalid"], Refused, None),
        (["error", 11010, "ratelimit: error"], RateLimited, None),
        ({"error": "ERR_RATE_LIMIT"}, RateLimited, None),
        (["error", 20060, "maintenance"], Unavailable, None),
        ({"code": 503, "error": "temporarily_unavailable"}, Unavailable, None),
        ([], Unavailable, None),
        ("<html>busy</html>", Unavailable, "proxy"),
        ("[1,", Unavailable, None),
        ("7", Unavailable, None),
        (["error"], Refused, None),
    ],
    ids=str,
)
def test_the_body_decides_whatever_the_status(
    body: Any, kind: type[PrivstreamError], word: str | None
) -> None:
    problem = error(body)
    assert type(problem) is kind
    assert word is None or word in (problem.hint or "")


def test_an_answer_that_is_no_list_is_none_of_bitfinex() -> None:
    assert type(error("7", 200)) is Unavailable


def test_no_error_shows_the_secret_or_the_signature() -> None:
    problem = error(["error", 10100, "apikey: invalid"])
    assert SECRET not in f"{problem} {problem.hint}"
    assert KEY not in f"{problem} {problem.hint}"


# --- reading back ----------------------------------------------------------------------


def test_fills_and_closed_orders_are_read_from_a_minute_before_on() -> None:
    rows = json.loads((PAYLOADS / "trades_hist.json").read_bytes())
    closed = json.loads((PAYLOADS / "orders_hist.json").read_bytes())
    server = Server(fills=[rows], history=[closed])
    found = read_back(server)
    start = SINCE_MS - 60_000
    assert server.bodies(FILLS) == [{"start": start, "limit": 1000, "sort": 1}]
    assert server.bodies(HISTORY) == [{"start": start, "limit": 500}]
    assert found.complete
    assert list(found.reports) == [
        like(Fill, trade_id="1700000011", side="sell", fee="0.26", source="rest"),
        like(Fill, trade_id="1700000012", side="buy", fee="0.00000006", fee_currency="BTC"),
        like(OrderReport, order_id="1900000000021", status="canceled", filled="0.02799232"),
        like(OrderReport, order_id="1900000000022", status="filled", source="rest"),
    ]


@pytest.mark.parametrize(("ahead_ms", "start"), [(300_000, -360_000), (-300_000, -60_000)])
def test_a_clock_ahead_of_the_servers_does_not_shorten_the_reading(
    ahead_ms: int, start: int
) -> None:
    bitfinex, server = exchange(), Server()
    ours = STAMP.now.wall_ns // 10**6
    frame = json.dumps([0, "hb", 1, ours - ahead_ms]).encode()
    assert not list(bitfinex.session(None, ("trades",)).receive(frame, STAMP.now))
    play(bitfinex.backfill(KNOWN), server)
    assert server.bodies(FILLS)[0]["start"] == SINCE_MS + start


def test_only_what_is_streamed_is_read_back() -> None:
    server = Server()
    only = Known(since_ns=KNOWN.since_ns, until_ns=KNOWN.until_ns, channels=("balances",))
    assert read_back(server, only) == Backfill((), complete=True)
    assert server.asked == []


def test_fills_are_read_page_by_page_each_once() -> None:
    first = [trade(id=1000 + n, mts=SINCE_MS + n, **FEE) for n in range(1000)]
    second = [first[-1], trade(id=9000, mts=SINCE_MS + 999, **FEE)]
    server = Server(fills=[first, second])
    found = read_back(server)
    fills = [report for report in found.reports if isinstance(report, Fill)]
    assert [body["start"] for body in server.bodies(FILLS)] == [SINCE_MS - 60_000, SINCE_MS + 999]
    assert len(fills) == 1001
    assert fills[-1].trade_id == "9000"


def test_a_page_of_one_moment_does_not_hold_up_the_reading() -> None:
    page = [trade(id=1000 + n, mts=SINCE_MS - 60_000, **FEE) for n in range(1000)]
    server = Server(fills=[page, []])
    found = read_back(server)
    assert not found.complete
    assert "more fills of one moment" in (found.detail or "")
    assert [body["start"] for body in server.bodies(FILLS)] == [
        SINCE_MS - 60_000,
        SINCE_MS - 59_999,
    ]


def test_closed_orders_are_read_page_by_page_backwards() -> None:
    first = [order(id=5000 - n, mts_update=UNTIL_MS - n, status="CANCELED") for n in range(500)]
    second = [first[-1], order(id=1, mts_update=SINCE_MS, status="CANCELED")]
    server = Server(history=[first, second])
    found = read_back(server)
    assert [body.get("end") for body in server.bodies(HISTORY)] == [None, UNTIL_MS - 499]
    assert len(found.reports) == 501
    assert found.complete


def test_closed_orders_that_come_again_and_again_are_not_all() -> None:
    page = [order(id=n + 1, status="CANCELED") for n in range(500)]
    found = read_back(Server(history=[page]))
    assert not found.complete
    assert "more closed orders" in (found.detail or "")
    assert len(found.reports) == 500


@pytest.mark.parametrize("older", [False, True])
def test_orders_may_be_listed_by_when_they_began_unless_the_rows_show_that_they_are_not(
    *,
    older: bool,
) -> None:
    """An order of long ago that nobody held may have ended lately."""
    began = SINCE_MS - (10**8 if older else -1000)
    recent = order(id=31, mts_create=began, mts_update=SINCE_MS + 2000, status="CANCELED")
    late = order(id=32, mts_create=SINCE_MS - 10**9, mts_update=SINCE_MS + 3000, status="CANCELED")
    past = order(id=33, mts_create=SINCE_MS - 10**9, mts_update=SINCE_MS - 10**8, status="CANCELED")
    server = Server(history=[[recent], [late, past]])
    found = read_back(server, structs.replace(KNOWN, channels=("orders",), placed_since_ns=None))
    told = [r.order_id for r in found.reports if isinstance(r, OrderReport)]
    assert told == (["31"] if older else ["31", "32"])
    assert found.complete


def test_what_is_older_than_two_weeks_may_be_missing() -> None:
    old = Known(
        since_ns=KNOWN.until_ns - 15 * 86_400 * 10**9,
        until_ns=KNOWN.until_ns,
        channels=("orders",),
    )
    found = read_back(Server(), old)
    assert not found.complete
    assert "two weeks" in (found.detail or "")


def suspecting(*order_ids: str) -> Known:
    return Known(
        since_ns=KNOWN.since_ns,
        until_ns=KNOWN.until_ns,
        channels=("orders",),
        suspects=frozenset(order_ids),
        placed_since_ns=KNOWN.since_ns,
    )


def test_orders_in_doubt_are_looked_up_among_the_open_and_the_closed() -> None:
    open_, closed = order(id=11), order(id=12, status="CANCELED")
    server = Server(open_=[[open_]], history=[[], [closed]])
    found = read_back(server, suspecting("11", "12"))
    assert server.bodies(OPEN) == [{"id": [11, 12]}]
    assert server.bodies(HISTORY)[1] == {"id": [12], "limit": 500}
    assert found.complete
    assert list(found.reports) == [
        like(OrderReport, order_id="11", status="open", source="rest"),
        like(OrderReport, order_id="12", status="canceled", source="rest"),
    ]


def test_orders_found_open_are_told_though_the_history_stays_away() -> None:
    busy = answer(["error", 10008, "ERR_READY"], 500)
    server = Server(open_=[[order(id=11)]], history=[[], busy])
    found = read_back(server, suspecting("11", "12"))
    assert list(found.reports) == [like(OrderReport, order_id="11", status="open")]
    assert (found.detail or "").startswith("orders that were open: Bitfinex is not ready")


def test_an_order_that_is_nowhere_is_said_to_be_missing() -> None:
    found = read_back(Server(), suspecting("13"))
    assert not found.complete
    assert "order 13" in (found.detail or "")


def test_what_is_refused_does_not_hide_the_rest() -> None:
    denied = answer(["error", 10001, "permission: invalid"], 500)
    found = read_back(Server(fills=[denied], history=[[order(status="CANCELED")]]))
    assert not found.complete
    assert FILLS in (found.detail or "")
    assert "let the key read" in (found.detail or "")
    assert list(found.reports) == [like(OrderReport, status="canceled")]


def test_an_outage_of_one_call_costs_only_what_it_would_have_told() -> None:
    out = answer({"code": 503, "error": "temporarily_unavailable"}, 503)
    found = read_back(Server(fills=[out], history=[[order(status="CANCELED")]]))
    assert not found.complete
    assert (found.detail or "").startswith("fills: Bitfinex is not ready")
    assert list(found.reports) == [like(OrderReport, status="canceled")]


def test_what_pages_before_an_outage_told_is_told() -> None:
    first = [trade(id=1000 + n, mts=SINCE_MS + n, **FEE) for n in range(1000)]
    found = read_back(Server(fills=[first, answer(["error", 11010, "ratelimit: error"], 500)]))
    assert len(found.reports) == 1000
    assert not found.complete


def test_a_passing_error_is_asked_again_from_where_it_stopped() -> None:
    first = [trade(id=1000 + n, mts=SINCE_MS + n, **FEE) for n in range(1000)]
    out = answer(["error", 10000, "busy"], 500)
    server = Server(fills=[first, out, [trade(id=9000, mts=SINCE_MS + 999, **FEE)]])
    flow = exchange().backfill(KNOWN)
    found = play(flow, server, tries=3)
    assert found.complete
    assert len(found.reports) == 1001
    starts = [body["start"] for body in server.bodies(FILLS)]
    assert starts == [SINCE_MS - 60_000, SINCE_MS + 999, SINCE_MS + 999]


def test_a_row_that_cannot_be_read_is_a_notice_beside_its_neighbours() -> None:
    found = read_back(Server(fills=[["junk", trade(**FEE)]]))
    assert list(found.reports) == [like(NoticeReport, code="unrecognised"), like(Fill)]
    assert found.detail == "fills: one row could not be read"


def test_a_row_with_an_odd_side_value_lacks_nothing() -> None:
    found = read_back(Server(fills=[[trade(**FEE, maker="both")]]))
    assert list(found.reports) == [like(Fill), like(NoticeReport, once="trade:liquidity")]
    assert found.complete


def test_an_odd_time_does_not_end_the_history() -> None:
    first = [order(id=5000 - n, mts_update=UNTIL_MS - n, status="CANCELED") for n in range(500)]
    first[7] = order(id=4993, mts_update="soon", status="CANCELED")
    server = Server(history=[first, []])
    assert len([r for r in read_back(server).reports if isinstance(r, OrderReport)]) == 500
    assert [body.get("end") for body in server.bodies(HISTORY)] == [None, UNTIL_MS - 499]


@pytest.mark.parametrize("mts", [None, "soon"])
def test_a_page_without_any_time_is_not_the_last(mts: Any) -> None:
    fills = [trade(id=1000 + n, mts=mts, **FEE) for n in range(1000)]
    orders = [order(id=5000 - n, mts_update=mts, status="CANCELED") for n in range(500)]
    found = read_back(Server(fills=[fills, []], history=[orders]))
    assert "more fills" in (found.detail or "")
    assert "more closed orders" in (found.detail or "")


# --- names -------------------------------------------------------------------------------


def names_told_by(listed: Any, status: int = 200) -> tuple[Bitfinex, list[str]]:
    """An account whose balances were compared where the exchange has this list of names."""
    bitfinex, asked = exchange(), []

    def reply(call: Call, request: HttpRequest) -> HttpResponse:
        asked.append(request.path)
        if call.name.startswith("conf/"):
            assert not call.nonce
            return answer(listed, status)
        return answer([["exchange", "NEW", 5, 0, 5, None, None], ["exchange", "UDC", 5, 0, 5]])

    for _ in range(2):
        told = play(bitfinex.balances_now(), reply)
    asked.append(", ".join(balance.currency for balance in told))
    return bitfinex, asked


def test_the_exchanges_own_names_are_asked_for_once() -> None:
    names = [[["NEW", "Newer"], ["UDC", "USDc"], ["USTF0", "USDt0"], ["CNHT", "CNHt"]]]
    bitfinex, asked = names_told_by(names)
    conf, wallets = "/v2/conf/pub:map:currency:sym", "/v2/auth/r/wallets"
    assert asked == [conf, wallets, wallets, "NEWER, USDC"]
    session = bitfinex.session(None, ("balances",))
    frame = json.dumps([0, "wu", ["margin", "NEW", 5, 0, 5, None, None]]).encode()
    assert list(session.receive(frame, STAMP.now)) == [like(BalanceReport, currency="NEWER")]


@pytest.mark.parametrize(
    ("listed", "status"),
    [
        (["error", 10020, "config: invalid"], 500),
        ("<html>", 503),
        ([], 200),
        ([[]], 200),
        ([["x", 7, [], ["A"], ["B", None], [1, "C"], ["D", ""]]], 200),
        ({}, 200),
        (7, 200),
    ],
    ids=str,
)
def test_without_them_the_table_in_the_code_counts(listed: Any, status: int) -> None:
    assert names_told_by(listed, status)[1][-1] == "NEW, USDC"


def test_names_that_cannot_be_asked_for_cost_nothing() -> None:
    flow = exchange().balances_now()
    assert next(flow).name.startswith("conf/")
    assert flow.throw(Unreachable("no route")).name == "auth/r/wallets"
    flow = exchange().balances_now()
    next(flow)
    with pytest.raises(Interrupted):
        flow.throw(Interrupted("stopped"))


def test_orders_are_looked_up_by_their_ids() -> None:
    server = Server(open_=[[order(id=11)]])
    found = play(exchange().look_up(["11", "junk"]), server)
    assert list(found) == [like(OrderReport, order_id="11")]
    assert server.asked == [(OPEN, {"id": [11]})]


def test_a_fill_that_was_read_back_waits_no_longer_and_is_not_forgotten() -> None:
    bitfinex = exchange()
    session = bitfinex.session(None, ("trades",))
    frame = json.dumps([0, "te", trade()]).encode()
    assert not list(session.receive(frame, STAMP.now))
    play(bitfinex.backfill(KNOWN), Server(fills=[[trade(**FEE)]]))
    # Whether what was read is told is not for the session to know.
    assert list(session.tick(STAMP.now)) == [like(Fill, fee="0.0004", source="stream")]
    assert not list(session.tick(STAMP.now))


def test_an_order_in_the_history_is_over_whatever_its_words_say() -> None:
    rows = [
        order(id=1, amount=0.2, status="PARTIALLY FILLED @ 60000.0(0.3)"),
        order(id=2, status="ACTIVE"),
        order(id=3, amount=0, status="SOMETHING NEW"),
    ]
    server = Server(history=[rows, [order(id=4, status="ACTIVE")]])
    found = read_back(server, suspecting("4"))
    assert list(found.reports) == [
        like(OrderReport, order_id="1", status="canceled", filled="0.3"),
        like(OrderReport, order_id="2", status="canceled", filled="0"),
        like(OrderReport, order_id="3", status="filled", filled="0.5"),
        like(OrderReport, order_id="4", status="canceled"),
    ]


def test_an_order_in_the_list_of_open_ones_is_not_over() -> None:
    rows = [order(id=5, status="PARTIALLY FILLED @ 60000.0(0.3)", amount=0.2)]
    found = play(exchange().look_up(["5"]), Server(open_=[rows]))
    assert list(found) == [like(OrderReport, status="partially_filled", filled="0.3")]


def test_the_names_are_the_first_question_beside_the_stream() -> None:
    bitfinex = exchange()
    ask = bitfinex.first_question()
    assert ask is not None
    assert play(ask.flow, lambda _call, _request: answer([[["NEW", "Newer"]]])) == ()
    frame = json.dumps([0, "wu", ["margin", "NEW", 5, 0, 5, None, None]]).encode()
    session = bitfinex.session(None, ("balances",))
    assert list(session.receive(frame, STAMP.now)) == [like(BalanceReport, currency="NEWER")]


def test_a_run_asks_for_the_names_at_its_start_and_not_again() -> None:
    world = World("bitfinex", rate=0.01, limits=False).at(20, World.cut)
    world.watch(60)
    assert [what for what in world.requests if "currency:sym" in what] == world.requests[:1]


def test_names_that_nobody_answered_are_asked_for_again() -> None:
    bitfinex = exchange()
    flow = bitfinex.balances_now()
    next(flow)
    flow.throw(Unreachable("no route"))
    assert next(bitfinex.balances_now()).name.startswith("conf/")


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (1_780_000_000_123, 1_780_000_000_123),
        ("1780000000123.5", 1_780_000_000_123),
        *[(odd, 0) for odd in (None, "", "x", 3.5, 1_780_000_000, "١٢", -5, 10**40, True, [1])],
    ],
)
def test_a_time_that_cannot_be_puts_no_row_before_the_gap(value: object, moment: int) -> None:
    assert rest.moment_of([value], 0) == moment
