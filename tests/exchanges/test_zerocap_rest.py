"""Zerocap's REST API and what an account brings along: signing, lists, pictures, reading back."""

import json
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from privstream.exchanges import find
from privstream.exchanges.zerocap import Zerocap
from privstream.exchanges.zerocap.balances import ZerocapWallets
from privstream.exchanges.zerocap.rest import fetch_orders, signature
from privstream.model.account import Account, Endpoints, Secret
from privstream.model.errors import (
    LoginRefused,
    PermissionMissing,
    PrivstreamError,
    RateLimited,
    Refused,
    Unavailable,
    UsageError,
)
from privstream.model.events import Balance
from privstream.model.exact import decode, encode
from privstream.model.reports import BalanceReport, Fill, Known, Listed, NoticeReport, OrderReport
from privstream.model.rest import Call, HttpRequest, HttpResponse, Now, Stamp
from tests.playbook import ledger, like
from tests.rest_play import ALL_CHANNELS, STAMP, answer, play
from tests.valid import assert_valid

PAYLOADS = Path(__file__).parents[1] / "payloads" / "zerocap"
ORDERS = (PAYLOADS / "fetch_orders.json").read_text()
BALANCES = (PAYLOADS / "get_balances.json").read_text()
ORDER = "0b1c7c1e-5f0e-4f7b-9a34-3f3f2c9e5a01"
TRADE = "5d7e1f44-8e3a-4c0b-b1d2-66aa77bb8801"
USUAL = ("orders", "trades", "balances")
SECRET = "test-secret-0001"
SINCE = 1_780_000_000_000


def account(*symbols: str) -> Account:
    credentials = {"api_key": Secret("test-key"), "api_secret": Secret(SECRET)}
    return Account("zerocap", "zerocap", credentials, Zerocap.endpoints({}), symbols=symbols)


def row(order_id: str = ORDER, **changed: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ORDERS)["order_list"][0]
    return found | {"id": order_id} | changed


def an_open(order_id: str) -> dict[str, Any]:
    return row(order_id, status="open", filled=0, average=0, trades=[], time_in_force="GTC")


def page(*rows: Any, total: int | None = None) -> HttpResponse:
    total = len(rows) if total is None else total
    return answer({"order_list": list(rows), "status": "success", "total": total, "page": 1})


class Server:
    """Answers from what it was given, and remembers what it was asked."""

    def __init__(
        self,
        *,
        still_open: tuple[Any, ...] = (),
        placed: tuple[Any, ...] = (),
        named: tuple[Any, ...] = (),
        balances: HttpResponse | None = None,
    ) -> None:
        self.lists = {"open": still_open, "placed": placed, "named": named}
        self.balances = balances or answer(BALANCES)
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.refused: str | None = None

    def __call__(self, call: Call, request: HttpRequest) -> HttpResponse:
        body = json.loads(request.body) if request.body else {}
        self.asked.append((call.name, body))
        if call.name == "get_balances":
            return self.balances
        kind = "open" if body["status"] else "named" if body["ids"] else "placed"
        if kind == self.refused:
            return answer("not so", 422)
        return page(*self.lists[kind])

    def bodies(self) -> list[dict[str, Any]]:
        return [body for name, body in self.asked if name == "fetch_orders"]


def known(*open_orders: str, channels: tuple[str, ...] = USUAL) -> Known:
    return Known(
        since_ns=SINCE * 10**6,
        until_ns=(SINCE + 5000) * 10**6,
        channels=channels,
        open_orders=frozenset(open_orders),
        suspects=frozenset(open_orders),
    )


# --- who and where ---------------------------------------------------------------------


def test_the_known_answer_of_the_signature() -> None:
    assert signature(Secret(SECRET), "1692346145") == (
        "51430c9f9c0e3c2b3862a0210076cfa40e745e101f12dfa6ad1695dafd55a693"
    )


def test_the_handshake_is_signed_afresh_for_every_dial() -> None:
    exchange = Zerocap(account())
    first = exchange.handshake(Stamp(Now(1_692_346_145_999_999_999, 5.0), 0))
    second = exchange.handshake(Stamp(Now(1_692_346_175_000_000_000, 35.0), 0))
    assert first.url == "wss://dma-ws.zerocap.com/v2"
    assert dict(first.headers) == {
        "api-key": "test-key",
        "timestamp": "1692346145",
        "signature": "51430c9f9c0e3c2b3862a0210076cfa40e745e101f12dfa6ad1695dafd55a693",
    }
    assert second.headers["timestamp"] == "1692346175"
    assert second.headers["signature"] != first.headers["signature"]


def test_the_sandbox_is_an_option_and_production_the_default() -> None:
    assert find("zerocap") is Zerocap
    assert Zerocap.endpoints({}) == Endpoints(
        "https://dma-api.zerocap.com", "wss://dma-ws.zerocap.com/v2"
    )
    assert Zerocap.endpoints({"environment": "sandbox"}) == Endpoints(
        "https://sandbox-api.zerocap.com", "wss://sandbox-ws.zerocap.com/v2"
    )
    assert [option.choices for option in Zerocap.options] == [("production", "sandbox")]


def test_prices_are_streamed_only_where_they_are_named_with_symbols() -> None:
    assert Zerocap(account()).select(()) == USUAL
    chosen = Zerocap(account("usdt/aud, BTC/AUD", "USDT/AUD"))
    assert chosen.select(("prices",)) == ("prices",)
    assert chosen.symbols == ("USDT/AUD", "BTC/AUD")
    for symbols in ((), ("",), (" , ",)):
        with pytest.raises(UsageError) as refused:
            Zerocap(account(*symbols)).select(("orders", "prices"))
        assert "--symbol" in (refused.value.hint or "")


@pytest.mark.parametrize("text", ["USDT/AUD", "usdt/aud", "usdt-aud", "USDT_AUD", "usdtaud"])
def test_a_market_is_known_by_any_of_its_spellings(text: str) -> None:
    assert Zerocap.symbol_of(text) == "USDT/AUD"
    assert Zerocap(account(text)).symbols == ("USDT/AUD",)


@pytest.mark.parametrize("text", ["", "AUD", "A/B/C", "/AUD", "USDT"])
def test_what_is_no_market_has_no_symbol(text: str) -> None:
    assert Zerocap.symbol_of(text) is None


def test_the_session_asks_for_the_symbols_of_the_account() -> None:
    session = Zerocap(account("usdt/aud")).session(None, ("prices",))
    greeting = b'{"type":"message","message":"Successfully connected."}'
    (sent,) = session.receive(greeting, STAMP.now)
    assert json.loads(sent.text) == {"type": "price", "symbols": ["USDT/AUD"]}  # type: ignore[union-attr]  # a Send


# --- answers ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "kind", "part"),
    [
        (401, "Unauthorized.", LoginRefused, "API key or its signature"),
        (401, '"encryption check is fail"', LoginRefused, "API secret"),
        (401, '{"detail":"Unauthorized IP address."}', PermissionMissing, "address"),
        (401, "invalid timestamp", LoginRefused, "time"),
        (403, "forbidden", PermissionMissing, "does not let this key use"),
        (408, "request expired", LoginRefused, "the clock is off"),
        (422, '{"detail":[{"msg":"field required"}]}', Refused, "field required"),
        (404, "", Refused, "error 404"),
        (429, "slow down", RateLimited, "too many requests"),
        (500, "oops", Unavailable, "HTTP 500"),
        (403, "<html>blocked</html>", Unavailable, "HTTP 403"),
        (200, "<html>login</html>", Unavailable, "HTTP 200"),
        (200, '{"order_list"', Unavailable, "no answer of its own"),
        (200, "[]", Unavailable, "no answer of its own"),
        (200, '{"status":"failed"}', Unavailable, "failed"),
        (200, '{"status":"success"}', Unavailable, "no answer of its own"),
    ],
)
def test_each_answer_without_a_result_is_the_error_that_it_means(
    status: int, body: str, kind: type[PrivstreamError], part: str
) -> None:
    with pytest.raises(kind) as caught:
        play(fetch_orders(account()), lambda _call, _request: answer(body, status))
    assert type(caught.value) is kind
    assert part in caught.value.message
    assert SECRET not in f"{caught.value!r} {caught.value.hint}"


def test_a_clock_that_is_off_says_what_to_do() -> None:
    with pytest.raises(LoginRefused) as caught:
        play(fetch_orders(account()), lambda _call, _request: answer("Timeout", 408))
    assert "set this computer's clock" in (caught.value.hint or "")


def dated(body: str, status: int, late: int) -> HttpResponse:
    """An answer with the exchange's time in it, so many seconds after the signature's."""
    seconds = STAMP.now.wall_ns // 10**9 + late
    return answer(body, status, date=formatdate(seconds, usegmt=True))


@pytest.mark.parametrize(
    ("late", "said"),
    [(45, "clock is 45 s behind Zerocap's"), (-3600, "clock is 3600 s ahead of Zerocap's")],
)
def test_a_clock_that_is_off_is_measured_where_zerocap_tells_the_time(late: int, said: str) -> None:
    with pytest.raises(LoginRefused) as caught:
        play(fetch_orders(account()), lambda _call, _request: dated("Timeout", 408, late))
    assert said in caught.value.message
    assert "set this computer's clock" in (caught.value.hint or "")


@pytest.mark.parametrize("late", [0, 3, -20])
def test_a_timeout_although_the_clock_is_right_is_tried_again(late: int) -> None:
    with pytest.raises(Unavailable) as caught:
        play(fetch_orders(account()), lambda _call, _request: dated("Timeout", 408, late))
    assert f"clock is {abs(late)} s" in caught.value.message
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("status", "late", "kind"),
    [(408, 45, LoginRefused), (408, 1, Unavailable), (503, 45, None), (426, 0, None)],
)
def test_a_refused_handshake_names_the_clock_where_it_is_the_clock(
    status: int, late: int, kind: type[PrivstreamError] | None
) -> None:
    problem = Zerocap(account()).no_socket(dated("Request Timeout", status, late), STAMP.now)
    assert (None if problem is None else type(problem)) is kind
    if kind is LoginRefused:
        assert "45 s behind" in str(problem)


def test_every_call_is_signed_and_sends_all_keys_of_the_filter() -> None:
    requests: list[HttpRequest] = []

    def reply(call: Call, request: HttpRequest) -> HttpResponse:
        requests.append(request)
        assert not call.nonce
        return page()

    play(fetch_orders(account(), status="open"), reply)
    (request,) = requests
    assert (request.method, request.path) == ("POST", "/v2/orders/fetch_orders")
    assert request.headers["timestamp"] == "1780000000"
    assert request.headers["signature"] == signature(Secret(SECRET), "1780000000")
    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(request.body) == {
        "symbol": "",
        "start_datetime": 0,
        "end_datetime": 0,
        "page": 1,
        "limit": 500,
        "ids": "",
        "status": "open",
        "sort_order": "desc",
        "order_type": "",
        "side": "",
    }


def test_all_pages_are_read_also_where_they_are_shorter_than_asked_for() -> None:
    pages: list[int] = []

    def reply(_call: Call, request: HttpRequest) -> HttpResponse:
        pages.append(json.loads(request.body)["page"])
        return page(*[an_open(f"O{pages[-1]}-{n}") for n in range(2)], total=5)

    found = play(fetch_orders(account()), reply)
    assert pages == [1, 2, 3]
    assert len(found.rows) == 6
    assert found.whole


def test_a_list_that_ends_too_early_is_not_whole() -> None:
    answers = iter([page(an_open("O1"), total=9), page(total=9)])
    found = play(fetch_orders(account()), lambda _call, _request: next(answers))
    assert not found.whole


# --- what stands when we connect ---------------------------------------------------------


def test_the_picture_is_open_orders_with_their_fills_and_balances() -> None:
    part = row("O1", status="open", filled=100)
    server = Server(still_open=(part,))
    exchange = Zerocap(account())
    exchange.session(None, USUAL)
    found = play(exchange.picture(ALL_CHANNELS), server)
    assert found.complete
    assert found.reports[:3] == (
        like(Fill, trade_id=TRADE, source="snapshot", fee="0.25"),
        like(OrderReport, order_id="O1", source="snapshot", status="open", cost="388.305"),
        Listed("orders"),
    )
    assert {r.source for r in found.reports if isinstance(r, BalanceReport)} == {"snapshot"}
    assert found.reports[-1] == Listed("balances")
    assert [body["status"] for body in server.bodies()] == ["open"]


def test_the_picture_reads_only_what_is_streamed() -> None:
    for channels, calls in (
        (("trades",), ["fetch_orders"]),
        (("balances",), ["get_balances"]),
        (("prices",), []),
    ):
        server, exchange = Server(), Zerocap(account("USDT/AUD"))
        assert play(exchange.picture(channels), server).complete
        assert [name for name, _ in server.asked] == calls


def test_an_open_order_has_cost_nothing_whatever_its_row_says() -> None:
    found = play(Zerocap(account()).look_up(["O1"]), Server(named=(an_open("O1"),)))
    assert found == (like(OrderReport, order_id="O1", filled="0", cost="0"),)


# --- reading back ----------------------------------------------------------------------


def test_what_was_placed_meanwhile_is_read_from_a_minute_before() -> None:
    server = Server(placed=(row(),))
    found = play(Zerocap(account()).backfill(known()), server)
    assert found.complete
    assert found.detail is None
    placed = server.bodies()[1]
    assert (placed["start_datetime"], placed["end_datetime"]) == (SINCE - 60_000, SINCE + 65_000)
    assert found.reports[:3] == (
        Listed("orders"),
        like(Fill, trade_id=TRADE, client_order_id="desk-7", source="rest"),
        like(OrderReport, order_id=ORDER, status="filled", source="rest", cost="388.305"),
    )
    assert found.reports[-1] == Listed("balances")


def test_orders_held_as_open_that_no_list_names_are_asked_for_by_name() -> None:
    server = Server(still_open=(an_open("OPEN"),), placed=(row("NEW"),), named=(row("OLD"),))
    found = play(Zerocap(account()).backfill(known("OPEN", "NEW", "OLD")), server)
    assert [body["ids"] for body in server.bodies()] == ["", "", "OLD"]
    assert found.complete
    told = [r.order_id for r in found.reports if isinstance(r, OrderReport)]
    assert told == ["OPEN", "NEW", "OLD"]


def test_an_order_of_which_nobody_says_what_became_makes_it_incomplete() -> None:
    found = play(Zerocap(account()).backfill(known("LOST")), Server())
    assert not found.complete
    assert "LOST" in (found.detail or "")


def test_a_list_that_is_not_whole_makes_it_incomplete() -> None:
    def reply(call: Call, request: HttpRequest) -> HttpResponse:
        if call.name == "get_balances":
            return answer(BALANCES)
        rows = [row()] if json.loads(request.body)["page"] == 1 else []
        return page(*rows, total=3)

    found = play(Zerocap(account()).backfill(known()), reply)
    assert not found.complete
    assert "only 1 of the orders" in (found.detail or "")
    assert Listed("orders") not in found.reports


@pytest.mark.parametrize(
    ("kind", "name", "told"),
    [
        ("open", "open orders", {"P", "N"}),
        ("placed", "orders placed meanwhile", {"O", "N"}),
        ("named", "orders in doubt", {"O", "P"}),
    ],
)
def test_what_one_list_refuses_is_named_and_the_others_are_told(
    kind: str, name: str, told: set[str]
) -> None:
    server = Server(still_open=(an_open("O"),), placed=(row("P"),), named=(row("N"),))
    server.refused = kind
    found = play(Zerocap(account()).backfill(known("O", "P", "N")), server)
    assert not found.complete
    assert (found.detail or "").startswith(f"{name}: Zerocap does not take")
    assert {r.order_id for r in found.reports if isinstance(r, OrderReport)} == told
    assert Listed("balances") in found.reports
    assert (Listed("orders") in found.reports) == (kind != "open")


def test_pages_that_came_before_a_fault_are_told_and_not_read_again() -> None:
    asked: list[int] = []

    def reply(call: Call, request: HttpRequest) -> HttpResponse:
        if call.name == "get_balances":
            return answer(BALANCES)
        body = json.loads(request.body)
        if body["status"] or body["ids"]:
            return page()
        asked.append(body["page"])
        return page(row(f"P{body['page']}"), total=3) if body["page"] < 3 else answer("no", 422)

    found = play(Zerocap(account()).backfill(known()), reply)
    assert asked == [1, 2, 3]
    assert {r.order_id for r in found.reports if isinstance(r, OrderReport)} == {"P1", "P2"}
    assert (found.detail or "").startswith("orders placed meanwhile: ")


def test_refused_balances_do_not_hide_the_orders() -> None:
    server = Server(placed=(row(),), balances=answer("no", 403))
    found = play(Zerocap(account()).backfill(known()), server)
    assert not found.complete
    assert "get_balances" in (found.detail or "")
    assert like(OrderReport, order_id=ORDER) in found.reports


def test_a_second_look_at_the_same_interruption_leaves_balances_to_the_polling() -> None:
    """They may have moved of themselves meanwhile, which is no recovery."""
    exchange, server = Zerocap(account()), Server()
    first = play(exchange.backfill(known()), server)
    second = play(exchange.backfill(structs.replace(known(), second_look=True)), server)
    assert [Listed("balances") in look.reports for look in (first, second)] == [True, False]
    assert Listed("orders") in second.reports


def test_only_what_is_streamed_is_read_back() -> None:
    server = Server()
    assert play(Zerocap(account()).backfill(known(channels=("balances",))), server).complete
    assert [name for name, _ in server.asked] == ["get_balances"]


def test_a_cancellation_nobody_knew_of_gets_the_only_time_it_states() -> None:
    """Else the ledger could not tell it from one before the start."""
    canceled = {"status": "closed", "filled": 0, "trades": [], "time_in_force": "GTC"}
    server = Server(placed=(row("NEW", **canceled), row("HELD", **canceled)))
    found = play(Zerocap(account()).backfill(known("HELD")), server)
    times = {r.order_id: r.time for r in found.reports if isinstance(r, OrderReport)}
    assert times == {"NEW": "2026-05-28T20:26:42.000000Z", "HELD": None}


def test_orders_are_looked_up_by_hundreds() -> None:
    server = Server(named=(row(),))
    wanted = [f"O{n:03}" for n in range(101)]
    found = play(Zerocap(account()).look_up(wanted), server)
    assert [len(body["ids"].split(",")) for body in server.bodies()] == [100, 1]
    assert like(OrderReport, order_id=ORDER, source="rest") in found
    assert play(Zerocap(account()).look_up([]), server) == ()


def test_a_row_that_cannot_be_read_is_a_notice_without_the_counterparty() -> None:
    bad = row()
    bad["trades"][0]["side"] = "up"
    found = play(Zerocap(account()).look_up([ORDER]), Server(named=(bad, 7)))
    notices = [report for report in found if isinstance(report, NoticeReport)]
    assert len(notices) == 2
    assert like(OrderReport, order_id=ORDER) in found
    assert b"Ann Example" not in b"".join(encode(notice.element) for notice in notices)


# --- balances --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "odd", "field"),
    [("free", "much", "available"), ("total", [], "total"), ("used", {"a": 1}, "hold")],
)
def test_an_odd_part_of_a_balance_is_unknown_and_said(key: str, odd: Any, field: str) -> None:
    held = {"free": 5, "total": 7, "used": 2}
    listed = {"status": "successful", "timestamp": "soon", "AUD": {"custody": held | {key: odd}}}
    report, *said, end = ZerocapWallets().read(listed, "rest")
    expected = {"available": "5", "total": "7", "hold": "2"} | {field: None}
    assert report == like(BalanceReport, currency="AUD", time=None, **expected)
    assert {notice.once for notice in said if isinstance(notice, NoticeReport)} == {
        "list of balances:timestamp",
        f"balance:{key}",
    }
    assert end == Listed("balances")


def test_both_map_orders_are_one_balance_for_each_asset_in_each_account() -> None:
    book = ledger("zerocap")
    reports = ZerocapWallets().read(decode(BALANCES), "snapshot")
    events = [event for report in reports for event in book.take(report, "")]
    assert all(isinstance(event, Balance) for event in events)
    told = {
        (e.currency, e.wallet): (e.total, e.available, e.hold)
        for e in events
        if isinstance(e, Balance)
    }
    assert told == {
        ("BTC", "custody"): ("1.50", "1.25", "0.25"),
        ("AUD", "YieldNotes"): ("3", "3", "0"),
        ("AUD", "custody"): ("3092.07032787879", "3092.07032787879", "0"),
        ("WBTC", "custody"): ("0.10", "0.10", "0"),
        ("USDT_ETH", "term_3M"): ("0.99", "0.99", "0"),
    }
    assert {event.time for event in events} == {"2026-05-28T20:26:43.277000Z"}


def test_a_later_list_tells_only_what_changed_and_what_is_gone() -> None:
    book, wallets = ledger("zerocap"), ZerocapWallets()
    for report in wallets.read(decode(BALANCES), "snapshot"):
        book.take(report, "")
    later = decode(BALANCES.replace("1.50", "1.60"))
    del later["AUD"]["YieldNotes"]
    for _ in range(2):
        events = [e for report in wallets.read(later, "rest") for e in book.take(report, "")]
        if _ == 0:
            assert events == [
                like(Balance, currency="BTC", total="1.60", source="rest"),
                like(Balance, currency="AUD", wallet="YieldNotes", total="0", hold="0"),
            ]
    assert events == []


def test_what_cannot_be_read_is_said_once_and_nothing_is_called_gone() -> None:
    wallets = ZerocapWallets()
    wallets.read(decode(BALANCES), "snapshot")
    broken = decode(BALANCES)
    broken["BTC"]["custody"] = {"free": "lots"}
    broken["OTC"] = {"EUR": {"free": 1, "total": 1, "used": 0}}
    first, second = wallets.read(broken, "rest"), wallets.read(broken, "rest")
    assert [r.element for r in first if isinstance(r, NoticeReport)] == [
        {"BTC": {"custody": {"free": "lots"}}},
        {"OTC": {"EUR": {"free": 1, "total": 1, "used": 0}}},
    ]
    assert not [r for r in second if isinstance(r, NoticeReport | Listed)]
    assert like(BalanceReport, total="0", currency="BTC") not in first


def test_an_asset_without_accounts_has_no_wallet() -> None:
    answered = {"ETH": {"free": 1, "total": 2, "used": 1}, "status": "successful"}
    assert ZerocapWallets().read(answered, "rest") == (
        like(BalanceReport, currency="ETH", wallet=None, total="2"),
        Listed("balances"),
    )


def test_every_event_read_over_rest_is_valid() -> None:
    book = ledger("zerocap", raw=True)
    found = play(Zerocap(account()).backfill(known()), Server(placed=(row(),)))
    events = [
        event
        for report in found.reports
        for event in book.take(report, "2026-05-28T20:26:43.277000Z")
    ]
    assert len(events) > 5
    for event in events:
        assert_valid(event)
