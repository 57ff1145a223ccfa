"""Zerocap's REST API and what an account brings along: signing, lists, pictures, reading back."""

import json
from email.utils import formatdate

import pytest

from privstream.exchanges import find
from privstream.exchanges.zerocap import Zerocap
from privstream.exchanges.zerocap.rest import fetch_orders, signature
from privstream.model.account import Endpoints, Secret
from privstream.model.errors import (
    LoginRefused,
    PermissionMissing,
    PrivstreamError,
    RateLimited,
    Refused,
    Unavailable,
    UsageError,
)
from privstream.model.reports import BalanceReport, Fill, Listed, OrderReport
from privstream.model.rest import Call, HttpRequest, HttpResponse, Now, Stamp
from tests.exchanges.zerocap_rest_desk import (
    SECRET,
    TRADE,
    USUAL,
    Server,
    account,
    an_open,
    page,
    row,
)
from tests.playbook import like
from tests.rest_play import ALL_CHANNELS, STAMP, answer, play

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


def test_a_list_that_shifts_while_it_is_read_is_whole_only_with_every_row() -> None:
    """One order is placed: it pushes another over to the next page, which comes twice."""
    first = page(an_open("O3"), an_open("O2"), total=3)
    shifted = iter([first, page(an_open("O2"), an_open("O1"), total=4)])
    found = play(fetch_orders(account()), lambda _call, _request: next(shifted))
    assert found.whole
    assert found.ids() == {"O1", "O2", "O3"}


def test_rows_that_come_twice_or_slip_to_an_earlier_page_do_not_make_a_list_whole() -> None:
    two = page(an_open("O3"), an_open("O2"), total=4)
    again = iter([two, two])
    assert not play(fetch_orders(account()), lambda _call, _request: next(again)).whole
    slipped = iter([page(an_open("O3"), an_open("O2"), total=3), page(total=2)])
    assert not play(fetch_orders(account()), lambda _call, _request: next(slipped)).whole


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
