"""The private socket of the simulated Poloniex: login first, one ack per channel, no mercy."""

from typing import Any

import pytest

from privstream.model.rest import Now
from privstream.simulator.base import Answer, Request
from privstream.simulator.poloniex.keys import Key
from privstream.simulator.poloniex.socket import MOST_REQUESTS, MOST_SEATS
from tests.simulator.poloniex_desk import START, Desk

ALL_ORDERS = {"event": "subscribe", "channel": ["orders"], "symbols": ["all"]}
BALANCES = {"event": "subscribe", "channel": ["balances"]}
PING = {"event": "ping"}
KNOWN_ANSWER = {
    "key": "anybody",
    "signTimestamp": 1700000000123,
    "signature": "TNQmkfJAXX9nkHU5dfImBu7qpV57HWfblonrJw4DDYw=",
}


@pytest.fixture(scope="module")
def door() -> Desk:
    """Where everybody may knock: of what these tests do, nothing stays."""
    return Desk()


# --- login -----------------------------------------------------------------------------


def test_the_known_answer_of_the_sdk_is_a_login() -> None:
    key = Key("anybody", b"test-secret-0001", frozenset({"read"}))
    now = Now(1_700_000_001_000_000_000, 1.0)
    assert key.logs_in(KNOWN_ANSWER, "1700000000123", now)
    assert not key.logs_in(KNOWN_ANSWER, "1700000000124", now)


def test_a_good_login_is_answered_after_a_while(door: Desk) -> None:
    line = door.dial()
    assert line.say(line.desk.login()) == []
    line.listen(0.25)
    assert line.texts == [f'{{"channel":"auth","data":{{"success":true,"ts":{line.desk.millis}}}}}']


@pytest.mark.parametrize("spelling", [str, int])
def test_the_time_may_be_a_number_or_a_text(door: Desk, spelling: Any) -> None:
    line = door.dial()
    assert line.log_in(signTimestamp=spelling(line.desk.millis))["success"] is True


@pytest.mark.parametrize("method", ["HmacSHA256", "hmacSHA256"])
def test_a_login_may_name_how_it_was_signed(door: Desk, method: str) -> None:
    line = door.dial()
    assert line.log_in(signatureMethod=method, signatureVersion="2")["success"] is True


def test_a_wrong_login_fails_in_the_data_and_opens_nothing(door: Desk) -> None:
    cases: list[Any] = [
        {"key": "somebody"},
        {"signature": "AAAA"},
        {"signature": None},
        {"signTimestamp": 1},
        {"signatureMethod": "HmacSHA512"},
        {"signatureVersion": "1"},
    ]
    for changes in cases:
        line = door.dial()
        reply = line.log_in(**changes)
        assert reply == {
            "success": False,
            "message": "Authentication failed!",
            "ts": line.desk.millis,
        }
        assert line.texts[-1].startswith('{"data":{"success":false,')
        assert line.error(ALL_ORDERS) == "user must be authenticated!"


def test_a_key_that_may_not_read_cannot_log_in() -> None:
    assert Desk(rights=frozenset({"trade"})).dial().log_in()["success"] is False


@pytest.mark.parametrize(("age", "good"), [(300, False), (120, True), (-3600, True)])
def test_a_login_may_come_from_the_future_but_not_from_long_ago(
    door: Desk, *, age: int, good: bool
) -> None:
    line = door.dial()
    assert line.log_in(timestamp=line.desk.millis - age * 1000)["success"] is good


def test_a_malformed_login_is_an_error_of_its_own_shape(door: Desk) -> None:
    cases: list[Any] = [
        None,
        [],
        {},
        {"key": "k", "signTimestamp": 1},
        KNOWN_ANSWER | {"recvWindow": 5000},
        KNOWN_ANSWER | {"signTimestamp": "now"},
        KNOWN_ANSWER | {"signTimestamp": True},
        KNOWN_ANSWER | {"signTimestamp": 1.5},
    ]
    for params in cases:
        message = {"event": "subscribe", "channel": ["auth"], "params": params}
        assert door.dial().error(message).startswith("Invalid ")


def test_a_subscription_sent_together_with_the_login_comes_too_early(door: Desk) -> None:
    line = door.dial()
    line.say(line.desk.login())
    assert line.error(ALL_ORDERS) == "user must be authenticated!"
    assert line.listen(0.25)[0]["data"]["success"] is True
    assert line.say(ALL_ORDERS)[0]["event"] == "subscribe"


# --- subscriptions ---------------------------------------------------------------------


def test_every_channel_has_its_own_acknowledgement(door: Desk) -> None:
    line = door.enter()
    line.say({"event": "subscribe", "channel": ["orders", "balances"], "symbols": ["all"]})
    assert line.texts[-2:] == [
        '{"event":"subscribe","channel":"orders","symbols":["ALL"]}',
        '{"event":"subscribe","channel":"balances"}',
    ]


def test_balances_take_no_notice_of_symbols(door: Desk) -> None:
    line = door.enter()
    acks = line.say(BALANCES | {"symbols": ["BTC_USDT"]})
    assert acks == [{"event": "subscribe", "channel": "balances"}]


def test_what_cannot_be_understood_is_refused_and_the_socket_goes_on(door: Desk) -> None:
    cases: list[tuple[Any, str]] = [
        ({"event": "subscribe", "channel": ["ordersss"]}, 'Invalid channel value ["ordersss"]'),
        ({"event": "subscribe", "channel": ["ticker"]}, 'Invalid channel value ["ticker"]'),
        ({"event": "subscribe", "channel": "orders"}, 'Invalid channel value "orders"'),
        ({"event": "subscribe", "channel": [1]}, "Invalid channel value [1]"),
        ({"event": "subscribe", "channel": []}, "Invalid channel value []"),
        ({"event": "subscribe"}, "Invalid channel value null"),
        ({"event": "subscribe", "channel": ["orders"]}, "Symbols required"),
        (ALL_ORDERS | {"symbols": "all"}, "Symbols required"),
        (ALL_ORDERS | {"symbols": ["BTCUSDT"]}, 'Invalid symbols value ["BTCUSDT"]'),
        (ALL_ORDERS | {"snapshot": True}, "Invalid parameter snapshot"),
        ({"event": "createOrder"}, 'Invalid event value "createOrder"'),
        ({}, "Invalid event value null"),
        ("ping", "Invalid message"),
        ('"{}"', "Invalid message"),
        ("[]", "Invalid message"),
    ]
    for message, text in cases:
        line = door.enter()
        assert line.error(message) == text
        assert line.say(PING) == [{"event": "pong"}]


def test_nothing_is_told_before_a_subscription_and_nothing_of_before_after_it() -> None:
    line = Desk(rate=20.0).enter()
    assert line.listen(5) == []
    seen = len(line.desk.books.trades)
    assert line.say(ALL_ORDERS) == [{"event": "subscribe", "channel": "orders", "symbols": ["ALL"]}]
    since = line.desk.millis
    items = line.items(5, "orders")
    assert items
    assert len(line.desk.books.trades) > seen
    assert all(item["ts"] > since for item in items)


def test_a_subscription_may_name_symbols_and_take_them_back() -> None:
    line = Desk(rate=20.0).stream("orders", symbols=["TRX_USDT", "ETH_BTC"])
    assert {item["symbol"] for item in line.items(30, "orders")} == {"TRX_USDT", "ETH_BTC"}
    line.say({"event": "unsubscribe", "channel": ["orders"], "symbols": ["ETH_BTC"]})
    assert line.texts[-1] == '{"event":"unsubscribe","channel":"orders","symbols":["ETH_BTC"]}'
    assert {item["symbol"] for item in line.items(30, "orders")} == {"TRX_USDT"}
    line.say(ALL_ORDERS)
    assert len({item["symbol"] for item in line.items(30, "orders")}) == 6
    line.say({"event": "unsubscribe", "channel": ["orders"], "symbols": ["all"]})
    assert line.items(30, "orders") == []


def test_subscriptions_can_be_listed_and_ended_together() -> None:
    line = Desk(rate=20.0).stream()
    (listed,) = line.say({"event": "list_subscriptions"})
    assert listed["subscriptions"] == ["orders", "balances"]
    line.say({"event": "unsubscribe_all"})
    assert line.listen(10) == []


def test_without_a_login_subscriptions_cannot_even_be_listed(door: Desk) -> None:
    assert door.dial().error({"event": "list_subscriptions"}) == "user must be authenticated!"


def test_maintenance_is_named() -> None:
    line = Desk().enter()
    line.desk.poloniex.in_maintenance = True
    assert line.error(ALL_ORDERS) == "Platform in maintenance mode"
    assert line.error(line.desk.login()) == "Platform in maintenance mode"
    assert line.say(PING) == [{"event": "pong"}]


# --- keeping the connection ------------------------------------------------------------


def test_a_ping_is_answered_even_before_the_login(door: Desk) -> None:
    line = door.dial()
    line.say(PING)
    assert line.texts == ['{"event":"pong"}']


def test_a_silent_client_is_cut_off_without_a_word(door: Desk) -> None:
    line = door.stream()
    line.listen(29)
    assert line.close is None
    line.listen(1.25)
    assert line.close is not None
    assert line.close.code == 1006


def test_pings_keep_the_connection(door: Desk) -> None:
    line = door.stream()
    line.listen(120, ping=True)
    assert line.close is None


def test_too_many_requests_are_refused_for_a_second(door: Desk) -> None:
    line = door.dial()
    for _ in range(MOST_REQUESTS):
        assert line.say(PING) == [{"event": "pong"}]
    assert line.error(PING) == "Too many requests"
    line.desk.wait(1)
    assert line.say(PING) == [{"event": "pong"}]


def test_there_is_no_other_socket(door: Desk) -> None:
    for path in ("/ws/public", "/", "/ws/v3/private"):
        answer = door.poloniex.connect(Request("GET", path, "", {}), START)
        assert isinstance(answer, Answer)
        assert answer.status == 404


# --- a sixth socket --------------------------------------------------------------------


def test_a_sixth_socket_is_not_told_of_orders_until_another_leaves() -> None:
    desk = Desk()
    lines = [desk.enter() for _ in range(MOST_SEATS + 1)]
    for line in lines[:-1]:
        assert line.say(ALL_ORDERS)[0]["event"] == "subscribe"
    assert "limit of 5" in lines[-1].error(ALL_ORDERS)
    assert lines[-1].say(BALANCES)[0]["event"] == "subscribe"
    lines[0].connection.closed(desk.now)
    assert lines[-1].say(ALL_ORDERS)[-1]["event"] == "subscribe"


def test_a_socket_that_nobody_serves_any_more_takes_no_seat() -> None:
    desk = Desk()
    lines = [desk.enter() for _ in range(MOST_SEATS + 1)]
    for line in lines[:-1]:
        line.say(ALL_ORDERS)
    lines[-1].listen(2.25)
    assert lines[-1].say(ALL_ORDERS)[0]["event"] == "subscribe"


def test_sockets_that_are_served_keep_their_seats() -> None:
    desk = Desk()
    lines = [desk.enter() for _ in range(MOST_SEATS + 1)]
    for line in lines[:-1]:
        line.say(ALL_ORDERS)
    for _ in range(20):
        for line in lines[:-1]:
            line.listen(0.05, step=0.05)
    assert "limit of 5" in lines[-1].error(ALL_ORDERS)


@pytest.mark.parametrize(
    "farewell",
    [
        {"event": "unsubscribe", "channel": ["orders"], "symbols": ["all"]},
        {"event": "unsubscribe_all"},
    ],
    ids=str,
)
def test_who_wants_no_orders_any_more_leaves_the_seat(farewell: Any) -> None:
    desk = Desk()
    lines = [desk.enter() for _ in range(MOST_SEATS + 1)]
    for line in lines[:-1]:
        line.say(ALL_ORDERS)
    lines[0].say(farewell)
    assert lines[-1].say(ALL_ORDERS)[0]["event"] == "subscribe"


def test_a_sixth_socket_may_also_be_left_deaf() -> None:
    desk = Desk(sixth="deaf", rate=20.0)
    lines = [desk.enter() for _ in range(MOST_SEATS + 1)]
    for line in lines:
        assert line.say(ALL_ORDERS)[0]["event"] == "subscribe"
    assert lines[-1].items(5, "orders") == []
    assert [f for f in lines[0].listen(0.25) if f.get("channel") == "orders"]


def test_without_limits_there_is_no_sixth() -> None:
    desk = Desk(limits=False)
    lines = [desk.enter() for _ in range(MOST_SEATS + 2)]
    assert all(line.say(ALL_ORDERS)[0]["event"] == "subscribe" for line in lines)
