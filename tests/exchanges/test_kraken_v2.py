"""Kraken WebSocket v2, as a dialogue."""

import json
from typing import Any

import pytest

from privstream.exchanges.kraken.v2 import SessionV2
from privstream.model.errors import PermissionMissing, RateLimited, TokenRefused
from privstream.model.events import Balance, Notice, Order, Trade
from privstream.model.reports import Fill, Listed, NoticeReport, OrderReport
from privstream.model.session import Delivered, Ready, Reconnect, Synced
from tests.playbook import Playbook, ledger, like

ALL = ("orders", "trades", "balances")
ORDER = "OABCDE-12345-FGHIJK"


def subscribe(channel: str, req_id: int, **options: Any) -> dict[str, Any]:
    params = {"channel": channel, "token": "TOKEN", **options}
    return {"method": "subscribe", "params": params, "req_id": req_id}


def ack(channel: str, req_id: int) -> dict[str, Any]:
    result = {"channel": channel, "snapshot": True}
    return {"method": "subscribe", "req_id": req_id, "result": result, "success": True}


def executions(sequence: int, *elements: dict[str, Any], kind: str = "update") -> dict[str, Any]:
    return {"channel": "executions", "type": kind, "data": list(elements), "sequence": sequence}


def opened(*channels: str) -> Playbook:
    return Playbook(SessionV2("TOKEN", channels or ALL)).opened()


def subscribed(*channels: str) -> Playbook:
    book = opened(*channels).forget().receives(ack("executions", 1))
    return book.forget().receives(executions(1, kind="snapshot")).forget()


NEW: dict[str, Any] = {
    "order_id": ORDER,
    "symbol": "BTC/EUR",
    "order_qty": 0.5,
    "cum_cost": 0,
    "time_in_force": "GTC",
    "exec_type": "pending_new",
    "side": "buy",
    "order_type": "limit",
    "limit_price": 50000.0,
    "order_status": "pending_new",
    "timestamp": "2026-05-18T12:01:56.165888Z",
}
LIVE = {
    "timestamp": "2026-05-18T12:01:56.165999Z",
    "order_status": "new",
    "exec_type": "new",
    "order_userref": 0,
    "order_id": ORDER,
}
FILL: dict[str, Any] = {
    "order_id": ORDER,
    "exec_id": "TABCDE-12345-FGHIJK",
    "exec_type": "trade",
    "trade_id": 4711,
    "symbol": "BTC/EUR",
    "side": "buy",
    "last_qty": 0.2,
    "last_price": 49999.9,
    "liquidity_ind": "m",
    "cost": 9999.98,
    "order_status": "partially_filled",
    "order_type": "limit",
    "timestamp": "2026-05-18T12:02:00.000001Z",
    "cum_qty": 0.2,
    "cum_cost": 9999.98,
    "avg_price": 49999.9,
    "fees": [{"asset": "EUR", "qty": 15.99}],
}
CANCELED = {
    "timestamp": "2026-05-18T12:03:00.000000Z",
    "order_status": "canceled",
    "exec_type": "canceled",
    "cum_qty": 0.2,
    "cum_cost": 9999.98,
    "avg_price": 49999.9,
    "reason": "User requested",
    "order_id": ORDER,
}


def test_both_snapshots_are_asked_for_by_name() -> None:
    opened().sends(
        subscribe("executions", 1, snap_orders=True, snap_trades=True),
        subscribe("balances", 2, snapshot=True),
    ).nothing()


def test_it_is_ready_when_the_last_subscription_is_acknowledged() -> None:
    book = opened().forget().receives(ack("executions", 1)).nothing()
    book.receives(ack("balances", 2)).does(Ready()).nothing()


def test_it_is_synced_when_every_channel_has_listed_also_where_lists_come_first() -> None:
    book = opened("orders").forget().receives(executions(1, kind="snapshot"))
    book.forget().receives(ack("executions", 1)).does(Ready(), Synced()).nothing()


def test_a_delta_without_symbol_and_side_becomes_a_whole_order() -> None:
    whole = {"order_id": ORDER, "symbol": "BTC/EUR", "side": "buy", "quantity": "0.5"}
    book = subscribed().receives(executions(2, NEW))
    book.tells(like(Order, **whole, status="pending", filled="0", remaining="0.5"))
    book.receives(executions(3, LIVE)).tells(like(Order, **whole, status="open"))
    book.receives(executions(4, CANCELED)).tells(
        like(Order, **whole, status="canceled", filled="0.2", reason="user_requested")
    )


def test_a_fill_is_one_trade_and_the_word_filled_is_none() -> None:
    last = FILL | {"last_qty": 0.5, "cum_qty": 0.5}
    done = {"order_id": ORDER, "exec_type": "filled", "order_status": "filled", "cum_qty": 0.5}
    book = subscribed().receives(executions(2, NEW, LIVE)).forget_events()
    book.receives(executions(3, last)).tells(
        like(Trade, trade_id="TABCDE-12345-FGHIJK", quantity="0.5", fee="15.99", liquidity="maker"),
        like(Order, status="filled", filled="0.5", fee="15.99", fee_currency="EUR"),
    )
    book.receives(executions(4, done)).tells()


def test_who_streams_only_fills_gets_no_reports_of_their_orders() -> None:
    subscribed("trades").receives(executions(2, FILL)).does(like(Fill)).nothing()


def test_the_digits_of_the_frame_survive() -> None:
    frame = (
        '{"channel":"executions","type":"update","sequence":2,"data":[{"order_id":"O1",'
        '"exec_id":"T1","exec_type":"trade","symbol":"BTC/EUR","side":"sell",'
        '"last_qty":0.12345678901234567890,"last_price":1e-8,"cost":500,"order_type":"limit",'
        '"order_status":"filled","timestamp":"2026-05-18T12:02:00.000001Z",'
        '"fees":[{"asset":"EUR","qty":25.00000000}]}]}'
    )
    subscribed().receives(frame).does(
        like(
            Fill,
            quantity="0.12345678901234567890",
            price="0.00000001",
            cost="500",
            fee="25.00000000",
        )
    )


def test_orders_and_fills_mixed_in_one_snapshot_are_told_apart() -> None:
    old = {k: v for k, v in FILL.items() if not k.startswith("cum_")} | {"order_id": "OLD"}
    book = opened().forget().receives(executions(1, old, NEW, kind="snapshot"))
    book.tells(
        like(Trade, trade_id="TABCDE-12345-FGHIJK", source="snapshot"),
        like(Order, order_id=ORDER, source="snapshot"),
    )


def test_an_element_that_cannot_be_read_does_not_hide_its_neighbours() -> None:
    subscribed().receives(executions(2, {"exec_type": "new"}, NEW)).does(
        like(NoticeReport, code="unrecognised", element={"exec_type": "new"}),
        like(OrderReport, order_id=ORDER),
    ).nothing()


def test_an_unknown_order_is_parked_until_it_is_looked_up() -> None:
    book = subscribed().receives(executions(2, LIVE)).tells()
    assert book.ledger.wanted == {ORDER}


def test_a_jump_in_the_sequence_is_a_lost_frame() -> None:
    book = subscribed().receives(executions(2, NEW)).forget()
    book.receives(executions(4, LIVE)).does(
        like(OrderReport, order_id=ORDER), Reconnect("sequence", "frames 3 to 3 were lost")
    )


def test_a_frame_that_comes_twice_is_read_once() -> None:
    subscribed().receives(executions(2, NEW)).forget().receives(executions(2, NEW)).nothing()


def test_numbers_that_begin_again_hide_nothing() -> None:
    back = Reconnect("sequence", "frame 1 came after 3")
    book = subscribed().receives(executions(2, NEW)).receives(executions(3, LIVE)).forget()
    book.receives(executions(1, LIVE)).does(back)
    book = subscribed().receives(executions(2, NEW)).receives(executions(3, LIVE)).forget()
    listed = like(OrderReport, order_id=ORDER, source="snapshot")
    book.receives(executions(1, NEW, kind="snapshot")).does(listed, like(Listed), back)


def test_sequences_of_the_channels_are_independent() -> None:
    entry = {"asset": "BTC", "asset_class": "currency", "balance": 1.2, "wallets": []}
    frame = {"channel": "balances", "type": "snapshot", "data": [entry], "sequence": 1}
    book = subscribed().receives(executions(2, NEW)).forget().receives(frame)
    book.tells(like(Balance, currency="BTC", total="1.2", wallet=None))


def test_a_ledger_entry_names_its_wallet_and_its_change() -> None:
    entry = {
        "ledger_id": "LABCDE-12345-FGHIJK",
        "timestamp": "2026-05-12T12:11:57.525134Z",
        "type": "trade",
        "asset": "EUR",
        "wallet_type": "spot",
        "wallet_id": "main",
        "amount": -19.9743,
        "fee": 0.0499,
        "balance": 118.0677,
    }
    frame = {"channel": "balances", "type": "update", "data": [entry, entry], "sequence": 2}
    subscribed().receives(frame).tells(
        like(
            Balance,
            id="kraken:balance:LABCDE-12345-FGHIJK",
            wallet="spot/main",
            total="118.0677",
            change="-19.9743",
            reason="trade",
            available=None,
        )
    )


def test_a_refused_subscription_names_the_channel_by_its_request() -> None:
    refusal = {"error": "EGeneral:Permission denied", "method": "subscribe", "req_id": 2}
    error = opened().refuses(refusal | {"success": False}, PermissionMissing)
    assert "balances" in error.message
    assert "Access WebSockets API" in (error.hint or "")


@pytest.mark.parametrize("req_id", ["1", 1.5, None, True, []])
@pytest.mark.parametrize("said", ["EGeneral:Permission denied", ["EGeneral:Permission denied"]])
def test_a_refusal_of_no_number_that_can_be_read_is_of_what_waits(req_id: Any, said: Any) -> None:
    refusal = {"error": said, "method": "subscribe", "req_id": req_id, "success": False}
    opened().refuses(refusal, PermissionMissing)


def test_a_dead_token_asks_for_a_new_connection() -> None:
    refusal = {"error": "ESession:Invalid session", "method": "subscribe", "req_id": 1}
    assert opened().refuses(refusal | {"success": False}, TokenRefused).retryable


def test_too_many_messages_is_said_and_waited_for() -> None:
    error = subscribed().refuses({"Error": "Exceeded msg rate"}, RateLimited)
    assert isinstance(error, RateLimited)
    assert error.floor >= 5


def test_maintenance_is_a_notice() -> None:
    status = {"channel": "status", "type": "update", "data": [{"system": "maintenance"}]}
    subscribed().receives(status).tells(like(Notice, level="warning", code="maintenance"))


def test_what_is_known_and_no_event_is_silent() -> None:
    pong = {"method": "pong", "req_id": 1, "time_in": "x", "time_out": "y"}
    online = {"channel": "status", "type": "update", "data": [{"system": "online"}]}
    subscribed().receives({"channel": "heartbeat"}, pong, online).nothing()


def test_silence_is_noticed_after_ten_seconds_and_a_pong_is_no_sign_of_life() -> None:
    book = subscribed("orders").after(9).nothing()
    book.receives({"method": "pong", "req_id": 1}).after(2)
    book.does(like(Reconnect, cause="silence"))


def test_a_pong_and_a_heartbeat_after_it_prove_what_was_told_until_the_ping() -> None:
    book = subscribed("orders").after(5)
    assert [json.loads(ping) for ping in book.pings] == [{"method": "ping", "req_id": 1_000_001}]
    sent = book.now
    heartbeat, pong = {"channel": "heartbeat"}, {"method": "pong", "req_id": 1_000_001}
    book.receives(heartbeat, pong).after(1).nothing()
    assert book.delivered == []
    book.receives(heartbeat).after(1).nothing()
    assert book.delivered == [sent]


def test_heartbeats_are_life() -> None:
    subscribed("orders").after(9).receives({"channel": "heartbeat"}).after(9).nothing()


def test_an_acknowledgement_that_never_comes_is_noticed() -> None:
    book = opened().forget().receives({"channel": "heartbeat"}).after(6)
    book.receives({"channel": "heartbeat"}).after(6).does(like(Reconnect, cause="silence"))


def test_no_json_is_a_notice_with_the_frame_in_it() -> None:
    book = Playbook(SessionV2("TOKEN", ALL), ledger())
    book.receives("CloudFlare WebSocket proxy restarting").tells(
        like(Notice, code="unrecognised", level="warning")
    )
    raw = book.events[-1].raw  # type: ignore[union-attr]  # a notice has one
    assert bytes(raw) == b'"CloudFlare WebSocket proxy restarting"'  # type: ignore[arg-type]  # Raw


def test_a_refusal_without_its_request_is_that_of_the_subscription_under_way() -> None:
    refusal = {"error": "EGeneral:Permission denied", "method": "subscribe", "success": False}
    error = opened("orders").refuses(refusal, PermissionMissing)
    assert "the executions channel" in error.message
    both = opened().refuses(refusal, PermissionMissing)
    assert "the executions and balances channels" in both.message


def test_an_error_that_names_nothing_refuses_what_is_not_acknowledged_yet() -> None:
    assert opened().refuses({"error": "EGeneral:Permission denied"}, PermissionMissing)
    subscribed("orders").receives({"error": "EGeneral:Permission denied"}).does(
        like(NoticeReport, level="error", text="EGeneral:Permission denied")
    )


def test_an_amendment_tells_every_term_that_it_changes() -> None:
    amended = {
        "order_id": ORDER,
        "exec_type": "amended",
        "order_status": "new",
        "timestamp": "2026-05-18T12:02:30.000000Z",
        "order_type": "limit",
        "order_qty": 0.75,
        "limit_price": 51000.5,
        "limit_price_type": "static",
        "time_in_force": "GTD",
        "cum_qty": 0.2,
        "reason": "User requested",
        "amended": True,
    }
    subscribed().receives(executions(2, amended)).does(
        like(
            OrderReport,
            time="2026-05-18T12:02:30.000000Z",
            quantity="0.75",
            price="51000.5",
            time_in_force="gtd",
            order_type="limit",
            filled="0.2",
        )
    )
    posted = amended | {"post_only": True}
    subscribed().receives(executions(2, posted)).does(like(OrderReport, time_in_force="post_only"))


def test_a_price_that_is_a_distance_is_none_until_the_market_has_made_one() -> None:
    trailing = {
        **NEW,
        "order_type": "trailing-stop-limit",
        "limit_price": 1.5,
        "limit_price_type": "quote",
        "triggers": {"price": 2.5, "price_type": "pct"},
    }
    book = subscribed().receives(executions(2, trailing))
    book.does(like(OrderReport, price=None, stop_price=None))
    moved: dict[str, Any] = {"triggers": trailing["triggers"] | {"actual_price": 48750.0}}
    book.receives(executions(3, trailing | moved)).does(like(OrderReport, stop_price="48750.0"))


def test_the_kind_of_an_element_tells_the_end_where_the_status_is_missing() -> None:
    canceled = {key: value for key, value in CANCELED.items() if key != "order_status"}
    book = subscribed().receives(executions(2, NEW)).forget_events()
    book.receives(executions(3, canceled)).tells(like(Order, status="canceled", filled="0.2"))


def test_an_insignificant_remainder_is_filled_and_stays_untraded() -> None:
    over = CANCELED | {"reason": "Insignificant volume remaining", "cum_qty": 0.4999999}
    book = subscribed().receives(executions(2, NEW)).forget_events()
    book.receives(executions(3, over)).tells(like(Order, status="filled", remaining="0.0000001"))


def test_an_order_that_settles_a_position_is_partly_filled_until_it_is_over() -> None:
    settle = NEW | {"order_type": "settle-position", "order_qty": 0}
    whole = {key: value for key, value in settle.items() if key != "limit_price"}
    book = subscribed().receives(executions(2, whole, FILL))
    book.told_now()
    book.events += book.ledger.settle("2026-11-20T00:00:00.000000Z")
    last = [event for event in book.events if isinstance(event, Order)][-1]
    assert last == like(Order, status="partially_filled", quantity=None, remaining=None)
    done = {"order_id": ORDER, "exec_type": "filled", "order_status": "filled", "cum_qty": 0.2}
    book.receives(executions(3, done)).tells(like(Order, status="filled", quantity=None))


def test_a_server_that_answers_no_ping_is_alive_while_its_heartbeats_come() -> None:
    book = subscribed("orders").after(6).forget()
    for _ in range(6):
        book.receives({"channel": "heartbeat"}).after(6)
        assert not [action for action in book._pending if isinstance(action, Reconnect | Delivered)]
        book.forget()
