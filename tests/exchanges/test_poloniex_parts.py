"""Poloniex read back in parts: each stands alone, and goes on where it stopped."""

import json
from typing import Any

import pytest

from privstream.exchanges.poloniex.rest import PAGE
from privstream.model.errors import PrivstreamError, Refused, Unavailable
from privstream.model.events import Notice, Order
from privstream.model.reports import (
    Backfill,
    BalanceReport,
    Fill,
    Listed,
    NoticeReport,
    OrderReport,
)
from privstream.model.rest import HttpResponse
from tests.exchanges.poloniex_rest_desk import (
    ALL,
    ORDER,
    SINCE,
    Server,
    exchange,
    known,
    missing,
    payload,
    told,
)
from tests.exchanges.test_poloniex_history import lister
from tests.playbook import ledger, like
from tests.rest_play import STAMP, answer, play

STOP = "410000000000000077"
SET_OFF = "410000000000000078"
SMART: dict[str, Any] = {
    "id": STOP,
    "clientOrderId": "my-stop",
    "symbol": "SOL_USDT",
    "state": "PENDING_NEW",
    "accountType": "SPOT",
    "side": "SELL",
    "type": "STOP_LIMIT",
    "timeInForce": "GTC",
    "quantity": "4.50",
    "price": "139.00",
    "amount": "0.00",
    "stopPrice": "140.25",
    "createTime": SINCE,
    "updateTime": SINCE,
}


def busy(code: int = 24201) -> HttpResponse:
    return answer({"code": code, "message": "Service busy"}, 400)


def full(**changes: Any) -> Server:
    """A server with something on every list."""
    usual = {
        "__orders__history": payload("rest_orders_history"),
        "__trades": payload("rest_trades"),
        "__smartorders": [SMART],
    }
    return Server(**usual | changes)


# --- parts -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/trades", "fills"),
        ("/orders", "open orders"),
        ("/smartorders", "stop orders"),
        ("/orders/history", "ended orders"),
        ("/smartorders/history", "ended stop orders"),
        ("/accounts/balances", "balances"),
    ],
)
@pytest.mark.parametrize("code", [601, 403, 21600])
def test_what_one_list_refuses_is_named_and_the_others_are_told(
    path: str, name: str, code: int
) -> None:
    refused = answer({"code": code, "message": "not for you"}, 400)
    whole = play(exchange().backfill(known()), full())
    assert whole.complete
    server = full()
    server.answers[path] = refused
    found = play(exchange().backfill(known()), server)
    assert not found.complete
    assert (found.detail or "").startswith(f"{name}: Poloniex refuses GET {path}")
    kinds = {type(report) for report in whole.reports} - lost_with(path)
    assert {type(report) for report in found.reports} == kinds
    assert (Listed("orders") in found.reports) == (path not in {"/orders", "/smartorders"})


def lost_with(path: str) -> set[type]:
    lost: dict[str, set[type]] = {
        "/trades": {Fill},
        "/accounts/balances": {BalanceReport},
        "/orders": {Listed},
        "/smartorders": {Listed},
    }
    return lost.get(path, set())


def test_the_pages_that_came_before_a_refusal_are_told() -> None:
    [row] = payload("rest_trades")[1:]
    rows = [row | {"id": str(n), "pageId": str(SINCE + n)} for n in range(1, 2 * PAGE + 1)]
    page = lister(rows, newest_first=True, next_is_older=True, inclusive=False, ascending=False)

    def refusing(query: dict[str, str]) -> Any:
        return answer({"code": 21344, "message": "limit"}, 400) if "from" in query else page(query)

    found = play(exchange().backfill(known(("trades",))), Server(__trades=refusing))
    assert len([r for r in found.reports if isinstance(r, Fill)]) == PAGE
    assert not found.complete


@pytest.mark.parametrize("code", [500, 603, 415, 24201, 21707, 250000])
def test_a_passing_fault_is_asked_for_again_where_it_stopped(code: int) -> None:
    """The runner performs the call again, and no page is read twice."""
    [row] = payload("rest_trades")[1:]
    rows = [row | {"id": str(n), "pageId": str(SINCE + n)} for n in range(1, 2 * PAGE + 1)]
    page = lister(rows, newest_first=True, next_is_older=True, inclusive=False, ascending=False)
    faults = [busy(code), busy(code)]

    def flaky(query: dict[str, str]) -> Any:
        return faults.pop() if "from" in query and faults else page(query)

    server = Server(__trades=flaky)
    found, after = patiently(exchange().backfill(known(("trades",))), server)
    assert [type(problem) for problem in after] == [Unavailable] * 2
    assert found.complete
    assert len([r for r in found.reports if isinstance(r, Fill)]) == 2 * PAGE
    assert len([path for path in server.asked if "from" not in path]) == 1


def test_a_fault_that_stays_is_a_lack_of_its_part_alone() -> None:
    found = play(exchange().backfill(known()), full(__trades=busy()))
    assert (found.detail or "").startswith("fills: Poloniex refuses GET /trades: Service busy")
    assert like(OrderReport, order_id=ORDER) in list(found.reports)


def patiently(flow: Any, server: Server) -> tuple[Backfill, list[PrivstreamError]]:
    """Perform every call again that a passing error asks for."""
    after: list[PrivstreamError] = []
    call = next(flow)
    while True:
        if call.after is not None:
            after.append(call.after)
        try:
            call = flow.send(server(call, call.build(STAMP)))
        except StopIteration as end:
            return end.value, after


def test_open_orders_are_told_though_their_fills_cannot_be_read() -> None:
    refused = answer({"code": 601, "message": "no"}, 400)
    found = play(exchange().picture(ALL), Server(**{f"__orders__{ORDER}__trades": refused}))
    assert not found.complete
    assert like(OrderReport, order_id=ORDER, filled="1.50") in list(found.reports)


# --- stop orders that wait -----------------------------------------------------------------


def test_a_stop_that_waits_is_among_the_open_orders_and_what_is_not_streamed_is_said() -> None:
    book = ledger("poloniex")
    events = told(book, play(exchange().picture(ALL), Server(__orders=[], __smartorders=[SMART])))
    assert [event for event in events if isinstance(event, Order | Notice)] == [
        like(Notice, level="info", code="not_streamed"),
        like(
            Order,
            order_id=STOP,
            client_order_id="my-stop",
            source="snapshot",
            symbol="SOL/USDT",
            order_type="stop_limit",
            status="pending",
            exchange_status="PENDING_NEW",
            time_in_force="gtc",
            price="139.00",
            stop_price="140.25",
            quantity="4.50",
            quote_quantity=None,
            filled="0",
            remaining="4.50",
            average_price=None,
            reason=None,
        ),
    ]
    assert book.open_orders == {STOP}


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        (
            {"type": "STOP", "price": "0.00"},
            {"order_type": "stop", "price": "(absent)", "stop_price": "140.25"},
        ),
        (
            {"type": "STOP", "side": "BUY", "quantity": "0", "amount": "30.00"},
            {"quote_quantity": "30.00", "quantity": "(absent)"},
        ),
        # Its stopPrice is only the price from which it trails.
        ({"type": "TRAILING_STOP"}, {"order_type": "trailing_stop", "stop_price": "(absent)"}),
        ({"state": "CANCELED"}, {"status": "canceled", "reason": "(absent)"}),
        ({"state": "FAILED"}, {"status": "rejected"}),
        ({"stopPrice": []}, {"stop_price": "(absent)", "price": "139.00"}),
    ],
)
def test_every_kind_of_stop_is_told_in_its_own_terms(
    changes: dict[str, Any], fields: dict[str, Any]
) -> None:
    found = play(exchange().picture(ALL), Server(__orders=[], __smartorders=[SMART | changes]))
    assert like(OrderReport, order_id=STOP, **fields) in list(found.reports)
    assert found.complete


def test_a_stop_that_was_set_off_is_over_and_its_order_another_one() -> None:
    own = payload("rest_open_orders")[0] | {"id": SET_OFF, "orderSource": "SMART"}
    over = SMART | {"state": "TRIGGERED", "triggeredOrder": own}
    server = full(__smartorders=[])
    server.answers |= {f"/orders/{STOP}": missing(), f"/smartorders/{STOP}": [over]}
    found = play(exchange().backfill(known(("orders",), suspects=frozenset({STOP}))), server)
    assert found.complete
    expected = {"status": "canceled", "exchange_status": "TRIGGERED", "reason": "triggered"}
    assert like(OrderReport, order_id=STOP, **expected) in list(found.reports)
    assert like(OrderReport, order_id=SET_OFF, status="partially_filled") in list(found.reports)
    assert server.asked[-2:] == [f"/orders/{STOP}", f"/smartorders/{STOP}"]


def test_stops_that_ended_meanwhile_are_read_from_their_own_history() -> None:
    server = full(__smartorders__history=[SMART | {"state": "CANCELED"}], __orders=[])
    found = play(exchange().backfill(known(("orders",), suspects=frozenset({STOP}))), server)
    assert like(OrderReport, order_id=STOP, status="pending") in list(found.reports)
    assert like(OrderReport, order_id=STOP, status="canceled") in list(found.reports)
    window = f"endTime={SINCE + 60_000}&limit=100&startTime={SINCE - 60_000}"
    assert f"/smartorders/history?{window}" in server.asked


def test_a_list_of_stops_that_may_be_cut_is_not_called_whole() -> None:
    stops = [SMART | {"id": str(n)} for n in range(1, PAGE + 1)]
    found = play(exchange().picture(ALL), Server(__orders=[], __smartorders=stops))
    assert not found.complete
    assert found.detail == "stop orders: Poloniex listed 100, and may have cut the list there"
    assert Listed("orders") not in found.reports


def test_a_stop_without_its_id_is_a_row_that_could_not_be_read() -> None:
    odd = [json.loads("{}"), SMART]
    found = play(exchange().picture(ALL), Server(__orders=[], __smartorders=odd))
    assert found.detail == "stop orders: one row could not be read"
    assert like(OrderReport, order_id=STOP) in list(found.reports)
    assert like(NoticeReport, code="unrecognised") in list(found.reports)


def test_a_look_up_finds_a_stop_where_the_orders_know_none() -> None:
    server = Server(**{f"__orders__{STOP}": missing(), f"__smartorders__{STOP}": SMART})
    [report] = play(exchange().look_up([STOP]), server)
    assert report == like(OrderReport, order_id=STOP, source="rest", status="pending")


def test_a_refusal_of_a_look_up_is_no_unknown_order() -> None:
    with pytest.raises(Refused):
        play(exchange().look_up([STOP]), Server(**{f"__orders__{STOP}": busy(21601)}))


def test_nothing_of_stops_is_read_where_orders_are_not_streamed() -> None:
    server = Server()
    assert play(exchange().picture(("trades", "balances")), server).complete
    assert "/smartorders" not in server.paths()
