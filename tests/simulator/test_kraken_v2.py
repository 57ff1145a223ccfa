"""WebSocket v2 of the simulated Kraken, as a client hears it."""

import json
import re
from collections import Counter
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from privstream.model.exact import Number
from privstream.simulator.base import Answer, Request
from privstream.simulator.kraken.exchange import RIGHTS
from tests.simulator.desk import Desk, Line

CHANGES = {
    "new": {"timestamp", "order_status", "exec_type", "order_userref", "order_id"},
    "filled": {
        "timestamp",
        "order_status",
        "exec_type",
        "cum_qty",
        "cum_cost",
        "fee_usd_equiv",
        "avg_price",
        "order_userref",
        "order_id",
    },
}
CHANGES["expired"] = CHANGES["filled"]
CHANGES["canceled"] = CHANGES["filled"] | {"reason", "cancel_reason"}
CHANGES["status"] = CHANGES["new"] | {"triggers"}


def subscribed(*channels: str, **options: Any) -> Line:
    line = Desk().dial()
    for channel in channels or ("executions",):
        assert line.subscribe(channel, **options)[0]["success"] is True
    return line


def elements(frames: list[Any], channel: str = "executions") -> list[Any]:
    return [e for frame in frames if frame["channel"] == channel for e in frame["data"]]


def error_of(frames: list[Any]) -> str:
    (frame,) = frames
    assert frame["success"] is False
    assert "result" not in frame
    assert {"time_in", "time_out"} <= frame.keys()
    return str(frame["error"])


def test_the_greeting_says_who_is_there() -> None:
    (text,) = Desk().dial().texts
    greeting = json.loads(text)
    assert greeting["channel"] == "status"
    assert greeting["data"][0].keys() == {"api_version", "connection_id", "system", "version"}


def test_another_path_is_not_found() -> None:
    desk = Desk()
    answer = desk.kraken.connect(Request("GET", "/v3", "", {}), desk.now)
    assert isinstance(answer, Answer)
    assert answer.status == 404


def test_a_ping_is_answered_and_takes_no_params() -> None:
    line = Desk().dial()
    (pong,) = line.say({"method": "ping", "req_id": 42})
    assert list(pong) == ["method", "req_id", "time_in", "time_out"]
    assert (pong["method"], pong["req_id"]) == ("pong", 42)
    assert "req_id" not in line.say({"method": "ping"})[0]
    refused = line.say({"method": "ping", "params": {}, "req_id": 1})
    assert error_of(refused) == "Unsupported field: 'params' for the given msg type: ping"


def test_what_kraken_refuses_is_refused_in_its_words() -> None:
    cases: list[tuple[Any, str]] = [
        ({"method": "edit_order", "params": {}, "req_id": 3}, "Unsupported event"),
        ({"method": ["subscribe"]}, "Unsupported event"),
        ({"params": {}}, "Unsupported event"),
        ({"method": "subscribe", "params": 0, "req_id": 0}, "Unsupported event"),
        ({"method": "subscribe", "params": {"channel": "ownTrades"}}, "Subscription name invalid"),
        ({"method": "subscribe", "params": {"channel": {}}}, "Subscription name invalid"),
        (
            {"method": "subscribe", "params": {"channel": "balances", "snap_trades": True}},
            "Unsupported field: 'snap_trades' for the given msg type: subscribe",
        ),
        (
            {"method": "subscribe", "params": {"channel": "executions"}, "reqid": 1},
            "Unsupported field: 'reqid' for the given msg type: subscribe",
        ),
        (
            {"method": "subscribe", "params": {"channel": "executions", "snap_orders": "true"}},
            "Snap_orders field must be a boolean",
        ),
        ({"method": "ping", "req_id": "1"}, "Req_id field must be a number_integer"),
        ({"method": "subscribe", "params": {"channel": "executions"}}, "Token(s) not found"),
        (
            {"method": "subscribe", "params": {"channel": "executions", "token": "stale"}},
            "ESession:Invalid session",
        ),
        ("{oops", "Malformed request"),
        ([], "Malformed request"),
    ]
    for message, error in cases:
        assert error_of(Desk().dial().say(message)) == error


def test_an_error_is_told_apart_by_its_req_id_only() -> None:
    (frame,) = Desk().dial().subscribe("executions", token="stale")
    assert frame["req_id"] == 1
    assert frame["status"] == "error"
    assert "channel" not in frame


def test_a_second_subscription_and_an_unknown_unsubscription_are_refused() -> None:
    line = subscribed("executions")
    token = line.desk.token()
    assert error_of(line.subscribe("executions", token)) == "Already subscribed"
    params = {"channel": "balances", "token": token}
    unknown = line.say({"method": "unsubscribe", "params": params, "req_id": 5})
    assert error_of(unknown) == "Subscription Not Found"


def test_a_key_without_the_right_may_not_subscribe() -> None:
    line = Desk(rights=RIGHTS - {"funds"}).dial()
    assert error_of(line.subscribe("balances")) == "EGeneral:Permission denied"
    assert line.subscribe("executions")[0]["success"] is True


def test_the_ack_names_channel_options_and_warnings() -> None:
    ack = subscribed("executions", snap_trades=True).texts[1]
    result = json.loads(ack)["result"]
    assert result.pop("warnings")[0] == "cancel_reason is deprecated, use reason"
    assert result == {
        "channel": "executions",
        "maxratecount": 60,
        "snap_orders": True,
        "snap_trades": True,
    }


def test_the_snapshot_holds_the_open_orders_and_the_last_fifty_trades_newest_first() -> None:
    desk = Desk()
    ack, snapshot = desk.dial().subscribe("executions", snap_orders=True, snap_trades=True)
    assert ack["method"] == "subscribe"
    assert (snapshot["type"], snapshot["sequence"]) == ("snapshot", 1)
    trades = [e for e in snapshot["data"] if e["exec_type"] == "trade"]
    orders = [e for e in snapshot["data"] if e["exec_type"] != "trade"]
    assert [e["exec_id"] for e in trades] == list(reversed(desk.books.trades))[:50]
    assert {e["order_id"] for e in orders} == desk.books.open.keys()
    assert not {"cum_qty", "cum_cost", "order_qty"} & trades[0].keys()
    assert {"symbol", "side", "order_qty", "cum_qty"} <= orders[0].keys()


def test_by_default_there_are_no_trades_in_the_snapshot() -> None:
    _, snapshot = Desk().dial().subscribe("executions")
    assert "trade" not in {e["exec_type"] for e in snapshot["data"]}


def test_an_empty_snapshot_takes_a_sequence_number_too() -> None:
    desk = Desk()
    for name in list(desk.books.open):
        desk.books.cancel(name)
    _, snapshot = desk.dial().subscribe("executions")
    assert (snapshot["data"], snapshot["sequence"]) == ([], 1)


def test_without_snapshots_the_first_update_has_number_one() -> None:
    line = subscribed("executions", snap_orders=False)
    assert next(f["sequence"] for f in line.listen(10) if f["channel"] == "executions") == 1


def test_each_subscription_counts_for_itself_and_misses_no_number() -> None:
    line = subscribed("executions", "balances")
    frames = line.listen(30)
    for channel in ("executions", "balances"):
        numbers = [f["sequence"] for f in frames if f["channel"] == channel]
        assert numbers == list(range(2, len(numbers) + 2))


def test_an_update_carries_the_fields_of_its_kind_and_no_others() -> None:
    seen = Counter[str]()
    for element in elements(subscribed().listen(300)):
        kind = element["exec_type"]
        seen[kind] += 1
        if kind in CHANGES:
            expected = CHANGES[kind] | ({"cl_ord_id"} & element.keys() if kind == "new" else set())
            assert element.keys() == expected
        else:
            assert {"symbol", "side", "order_type"} <= element.keys()
    assert seen.keys() == {"pending_new", "new", "trade"} | CHANGES.keys()


def test_the_fill_that_completes_is_told_with_either_word_and_followed_by_filled() -> None:
    told = elements(subscribed().listen(200))
    words = Counter[str]()
    for before, after in pairwise(told):
        if after["exec_type"] == "filled":
            assert before["exec_type"] == "trade"
            assert before["order_id"] == after["order_id"]
            assert before["cum_qty"] == after["cum_qty"]
            words[before["order_status"]] += 1
    assert words.keys() == {"partially_filled", "filled"}


def test_what_earns_is_a_wallet_of_its_own_and_part_of_the_total() -> None:
    _, snapshot = Desk().dial().subscribe("balances")
    for element in snapshot["data"]:
        main, *others = element["wallets"]
        assert (main["type"], main["id"]) == ("spot", "main")
        assert [(w["type"], w["id"]) for w in others] == (
            [("earn", "flexible")] if element["asset"] == "ETH" else []
        )
        parts = [Decimal(wallet["balance"]) for wallet in element["wallets"]]
        assert sum(parts) == Decimal(element["balance"])


def test_each_ledger_entry_is_a_frame_of_its_own_and_adds_up() -> None:
    line = Desk().dial()
    _, snapshot = line.subscribe("balances")
    totals = {e["asset"]: e["wallets"][0]["balance"] for e in snapshot["data"]}
    assert snapshot["data"][0]["wallets"][0].keys() == {"type", "id", "balance"}
    frames = [f for f in line.listen(60) if f["channel"] == "balances"]
    assert all(len(frame["data"]) == 1 for frame in frames)
    for entry in elements(frames, "balances"):
        before = float(totals[entry["asset"]])
        moved = float(entry["amount"]) - float(entry["fee"])
        assert before + moved == pytest.approx(float(entry["balance"]))
        totals[entry["asset"]] = entry["balance"]
    assert len(frames) > 20


def test_amounts_are_bare_numbers_with_their_trailing_zeros() -> None:
    line = subscribed()
    fills = [e for e in elements(line.listen(60)) if e["exec_type"] == "trade"]
    assert all(type(e["last_qty"]) is type(e["last_price"]) is Number for e in fills)
    assert any(re.search(r'"order_qty":\d+\.\d*00,', text) for text in line.texts)
    bare = [re.sub(r'"[^"]*"', "", text) for text in line.texts]
    assert not any("E" in text or "e-" in text for text in bare)


def test_order_status_false_leaves_the_changes_in_between_out() -> None:
    kinds = {e["exec_type"] for e in elements(subscribed(order_status=False).listen(100))}
    assert not {"pending_new", "status"} & kinds
    assert {"new", "trade", "filled", "canceled"} <= kinds


def test_the_rate_counter_is_there_when_asked_for() -> None:
    assert all("ratecount" in e for e in elements(subscribed(ratecounter=True).listen(10)))
    assert not any("ratecount" in e for e in elements(subscribed().listen(10)))


def test_heartbeats_begin_with_the_first_subscription_and_fill_the_silence() -> None:
    line = Desk(rate=0.001).dial()
    assert line.listen(5) == []
    line.subscribe("executions")
    assert line.listen(5) == [{"channel": "heartbeat"}] * 5


def test_an_idle_socket_without_subscription_is_closed_after_a_minute() -> None:
    idle, pinging, subscribing = Desk().dial(), Desk().dial(), subscribed()
    idle.listen(59)
    assert idle.closed is None
    idle.listen(2)
    assert idle.closed is not None
    for _ in range(4):
        pinging.listen(30, step=5)
        pinging.say({"method": "ping"})
    assert pinging.closed is None
    subscribing.listen(120, step=5)
    assert subscribing.closed is None


def test_a_token_dies_unused_after_fifteen_minutes_but_not_while_it_is_used() -> None:
    desk = Desk(rate=0.01)
    unused, used = desk.token(), desk.token()
    line = desk.dial()
    line.subscribe("executions", used)
    desk.wait(901)
    assert error_of(desk.dial().subscribe("executions", unused)) == "ESession:Invalid session"
    assert desk.dial().subscribe("executions", used)[0]["success"] is True
    line.hang_up()


def test_a_token_whose_last_socket_is_gone_is_dead_in_the_end() -> None:
    desk = Desk(rate=0.01)
    token = desk.token()
    line = desk.dial()
    line.subscribe("executions", token)
    desk.wait(901)
    line.hang_up()
    assert error_of(desk.dial().subscribe("executions", token)) == "ESession:Invalid session"


def test_after_unsubscribing_nothing_more_is_told_and_counting_starts_anew() -> None:
    line = subscribed("executions")
    line.listen(5)
    params = {"channel": "executions", "token": line.desk.token()}
    *_, ack = line.say({"method": "unsubscribe", "params": params, "req_id": 2})
    assert ack["result"] == {"channel": "executions"}
    assert {frame["channel"] for frame in line.listen(10)} == {"heartbeat"}
    assert line.subscribe("executions")[-1]["sequence"] == 1
