"""Reading back what Zerocap did meanwhile."""

import json
from typing import Any

import pytest
from msgspec import structs

from privstream.exchanges.zerocap import Zerocap
from privstream.model.exact import encode
from privstream.model.reports import Fill, Known, Listed, NoticeReport, OrderReport
from privstream.model.rest import Call, HttpRequest, HttpResponse
from tests.exchanges.zerocap_rest_desk import (
    BALANCES,
    ORDER,
    SINCE,
    TRADE,
    USUAL,
    Server,
    account,
    an_open,
    known,
    page,
    row,
)
from tests.playbook import like
from tests.rest_play import answer, play


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


def test_orders_that_the_new_connection_ended_are_asked_for_by_name_too() -> None:
    """What filled of them in the outage came before this connection, and REST tells it."""
    server = Server(named=(row("ENDED"),))
    exchange = Zerocap(account())
    found = play(
        exchange.backfill(structs.replace(known(), were_open=frozenset({"ENDED"}))), server
    )
    assert [body["ids"] for body in server.bodies()] == ["", "", "ENDED"]
    assert [r.order_id for r in found.reports if isinstance(r, OrderReport)] == ["ENDED"]
    assert found.complete


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


def test_balances_that_the_first_look_did_not_get_are_due_in_the_second() -> None:
    exchange = Zerocap(account())
    refusing = Server(balances=answer("no", 403))
    for look in (known(), structs.replace(known(), second_look=True)):
        assert not play(exchange.backfill(look), refusing).complete
    second = play(exchange.backfill(structs.replace(known(), second_look=True)), Server())
    assert second.complete
    assert Listed("balances") in second.reports


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


# --- orders are listed by when they were placed --------------------------------------------


def days_before(days: int, **changed: Any) -> dict[str, Any]:
    """An order placed so many days before the time that is read back, without a fill."""
    placed = SINCE - days * 86_400_000
    empty = {"filled": 0, "trades": [], "last_trade_timestamp": placed, "time_in_force": "GTC"}
    return row(f"D{days}", **{"timestamp": placed, "status": "closed", **empty, **changed})


def filled(order_id: str, at: int, placed: int) -> dict[str, Any]:
    """An order of which one fill happened at that time."""
    one = row(order_id, timestamp=placed, last_trade_timestamp=at)
    return one | {"trades": [one["trades"][0] | {"timestamp": at}]}


def test_an_order_placed_before_may_have_fills_of_the_time_that_is_read() -> None:
    """Nobody held it as open: so all orders are read, and those that matter are told."""
    old = filled("OLD", SINCE - 10**9, SINCE - 10**9)
    late = filled("LATE", SINCE + 1000, SINCE - 10**9)
    server = Server(placed=(row("NEW"), late, old))
    found = play(Zerocap(account()).backfill(first_known()), server)
    assert server.bodies()[1]["start_datetime"] == 0
    told = [r.order_id for r in found.reports if isinstance(r, OrderReport)]
    assert told == ["NEW", "LATE"]
    assert found.complete


def test_what_was_placed_just_before_the_list_of_open_orders_is_read_from_there() -> None:
    server = Server()
    play(
        Zerocap(account()).backfill(
            structs.replace(known(), placed_since_ns=(SINCE - 20_000) * 10**6)
        ),
        server,
    )
    assert server.bodies()[1]["start_datetime"] == SINCE - 80_000


@pytest.mark.parametrize(("channel", "is_told"), [("orders", False), ("trades", True)])
def test_when_an_older_order_was_canceled_nobody_can_say(channel: str, *, is_told: bool) -> None:
    server = Server(placed=(days_before(3),))
    found = play(Zerocap(account()).backfill(first_known(channel)), server)
    assert found.complete == is_told
    assert is_told or "does not say when an order was canceled" in (found.detail or "")


@pytest.mark.parametrize("odd", [{"trades": 7}, {"trades": [{}]}, {"timestamp": None}])
def test_a_row_whose_times_cannot_be_read_is_not_passed_over(odd: dict[str, Any]) -> None:
    server = Server(placed=(days_before(3, **odd),))
    found = play(Zerocap(account()).backfill(first_known("orders")), server)
    assert any(getattr(report, "order_id", None) == "D3" for report in found.reports) or any(
        isinstance(report, NoticeReport) for report in found.reports
    )


def first_known(*channels: str) -> Known:
    return structs.replace(known(channels=channels or USUAL), placed_since_ns=None)
