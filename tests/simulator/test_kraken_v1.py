"""WebSocket v1 of the simulated Kraken, as a client hears it."""

import json
from typing import Any

from privstream.simulator.kraken.exchange import RIGHTS
from tests.simulator.desk import Desk, Line

TOTALS = {"vol_exec", "cost", "fee", "avg_price", "userref"}


def subscribed(name: str = "openOrders", **options: Any) -> Line:
    line = Desk().dial("/")
    assert line.subscribe_v1(name, **options)[0]["status"] == "subscribed"
    return line


def told(frames: list[Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (name, fields)
        for frame in frames
        if isinstance(frame, list)
        for element in frame[0]
        for name, fields in element.items()
    ]


def error_of(frames: list[Any]) -> str:
    (frame,) = frames
    assert frame["status"] == "error"
    return str(frame["errorMessage"])


def test_the_greeting_says_who_is_there() -> None:
    greeting = json.loads(Desk().dial("/").texts[0])
    assert list(greeting) == ["connectionID", "event", "status", "version"]


def test_a_ping_is_answered() -> None:
    line = Desk().dial("/")
    assert line.say({"event": "ping", "reqid": 42}) == [{"event": "pong", "reqid": 42}]
    assert line.say({"event": "ping"}) == [{"event": "pong"}]


def test_what_kraken_refuses_is_refused_in_its_words() -> None:
    cases: list[tuple[Any, str]] = [
        ({"name": "ticker"}, "Public channels not available in this endpoint"),
        ({"name": "executions"}, "Subscription name invalid"),
        ({"name": []}, "Subscription name invalid"),
        ({"name": "openOrders", "snap": True}, "Subscription object unsupported field"),
        ({"name": "openOrders", "ratecounter": [1]}, "Malformed request"),
        ({"name": "openOrders"}, "Token(s) not found"),
        ({"name": "openOrders", "token": "stale"}, "ESession:Invalid session"),
        ("openOrders", "Malformed request"),
    ]
    for subscription, error in cases:
        message = {"event": "subscribe", "reqid": 7, "subscription": subscription}
        answer = Desk().dial("/").say(message)
        assert error_of(answer) == error
        assert answer[0]["reqid"] == 7
        assert "token" not in str(answer)


def test_unknown_events_and_broken_messages_are_refused() -> None:
    line = Desk().dial("/")
    assert error_of(line.say({"event": "editOrder", "reqid": 1})) == "Event(s) not found"
    broken: Any
    for broken in ("{oops", [], {"event": "ping", "reqid": "x"}):
        assert error_of(line.say(broken)) == "Malformed request"


def test_a_second_subscription_and_an_unknown_unsubscription_are_refused() -> None:
    line = subscribed("openOrders")
    token = line.desk.token()
    assert error_of(line.subscribe_v1("openOrders", token)) == "Already subscribed"
    message = {"event": "unsubscribe", "subscription": {"name": "ownTrades", "token": token}}
    assert error_of(line.say(message)) == "Subscription Not Found"


def test_a_key_without_the_right_may_not_subscribe() -> None:
    line = Desk(rights=RIGHTS - {"closed_orders"}).dial("/")
    assert error_of(line.subscribe_v1("ownTrades")) == "EGeneral:Permission denied"


def test_the_ack_has_no_channel_id_and_the_snapshot_is_number_one() -> None:
    desk = Desk()
    ack, snapshot = desk.dial("/").subscribe_v1("openOrders", ratecounter="true")
    assert list(ack) == ["channelName", "event", "reqid", "status", "subscription"]
    assert ack["subscription"] == {"maxratecount": 60, "name": "openOrders"}
    assert snapshot[1:] == ["openOrders", {"sequence": 1}]
    assert [name for name, _ in told([snapshot])] == list(desk.books.open)


def test_own_trades_begin_with_the_last_fifty_newest_first_unless_not_wanted() -> None:
    desk = Desk()
    _, snapshot = desk.dial("/").subscribe_v1("ownTrades", consolidate_taker=False)
    trades = told([snapshot])
    assert [name for name, _ in trades] == list(reversed(desk.books.trades))[:50]
    assert not any({"userref", "cl_ord_id"} & fields.keys() for _, fields in trades)
    assert {fields["postxid"] for _, fields in trades} == {"TKH2SE-M7IF5-CFI7LT"}
    assert len(desk.dial("/").subscribe_v1("ownTrades", snapshot=False)) == 1


def test_an_empty_snapshot_takes_a_sequence_number_too() -> None:
    desk = Desk()
    for name in list(desk.books.open):
        desk.books.cancel(name)
    _, snapshot = desk.dial("/").subscribe_v1("openOrders")
    assert snapshot == [[], "openOrders", {"sequence": 1}]


def test_an_order_lives_as_in_captures() -> None:
    shapes: dict[str, set[str]] = {}
    for _, fields in told(subscribed().listen(300)):
        status = fields.get("status", "misc" if "misc" in fields else "fill")
        shapes.setdefault(status, set(fields))
        assert status == "pending" or set(fields) - {"cancel_reason"} == shapes[status] - {
            "cancel_reason"
        }
    assert "descr" in shapes.pop("pending")
    assert shapes == {
        "open": {"status", "userref"},
        "fill": TOTALS,
        "misc": {"misc", "userref"},
        "closed": TOTALS | {"lastupdated", "status"},
        "expired": TOTALS | {"lastupdated", "status"},
        "canceled": TOTALS | {"lastupdated", "status", "cancel_reason"},
    }


def test_every_amount_is_a_string() -> None:
    for _, fields in told(subscribed("ownTrades").listen(60)):
        amounts = [fields[key] for key in ("cost", "fee", "margin", "price", "time", "vol")]
        assert all(type(amount) is str for amount in amounts)
        assert fields["userref"] >= 0


def test_both_channels_count_for_themselves() -> None:
    line = subscribed("openOrders")
    line.subscribe_v1("ownTrades")
    frames = [frame for frame in line.listen(30) if isinstance(frame, list)]
    for channel in ("openOrders", "ownTrades"):
        numbers = [frame[2]["sequence"] for frame in frames if frame[1] == channel]
        assert numbers == list(range(2, len(numbers) + 2))


def test_the_rate_counter_is_there_when_asked_for() -> None:
    line = subscribed(ratecounter="true")
    assert all("ratecount" in fields for _, fields in told(line.listen(10)))


def test_heartbeats_fill_the_silence_and_idleness_ends_the_socket() -> None:
    line, idle = Desk(rate=0.001).dial("/"), Desk(rate=0.001).dial("/")
    line.subscribe_v1("ownTrades")
    assert line.listen(3) == [{"event": "heartbeat"}] * 3
    idle.listen(61)
    assert idle.closed is not None
