"""Getting into the simulated Bitfinex: it refuses whom Bitfinex refuses."""

from typing import Any

import pytest

from privstream.simulator.base import Answer, Request
from privstream.simulator.bitfinex.keys import BitfinexRefused, Keys
from tests.simulator.bitfinex_desk import Desk, kinds, rows, sign

# Vectors: the payload is signed as docs.bitfinex.com/docs/ws-auth has it (checked 2026-11-30).
SECRET = "apiSecret1"
VECTORS = {
    "AUTHnonce1": "6e7e3ab737bac9d36b6c3170356c9483edb0079cb65a2afa81efa9a6b906e0c3"
    "aeb16b574a44073dff4c0f604adbdd7d",
    "AUTHnonce4": "3e424670c0fa4dcb293eea38b9fe62cca49cacc595da01a493d6b9328517a5c9"
    "40b22141fecf16f653c2662b298238f4",
}


def failed(code: int, text: str) -> list[Any]:
    return [{"event": "auth", "status": "FAILED", "chanId": 0, "code": code, "msg": text}]


def error(code: int, text: str) -> dict[str, Any]:
    return {"event": "error", "msg": text, "code": code}


@pytest.fixture(scope="module")
def desk() -> Desk:
    """One for all tests that leave nothing behind: a life takes a while to make up."""
    return Desk(limits=False)


@pytest.mark.parametrize("payload", list(VECTORS))
def test_the_documented_signatures_are_taken_and_a_changed_one_is_not(payload: str) -> None:
    keys = Keys("key", SECRET)
    login = {"apiKey": "key", "authPayload": payload, "authSig": VECTORS[payload], "authNonce": 1}
    assert sign(payload, SECRET) == VECTORS[payload]
    with pytest.raises(BitfinexRefused, match="apikey: digest invalid"):
        keys.check_login(login | {"authPayload": payload + "0"})
    keys.check_login(login)


def test_the_greeting_names_the_version_and_the_state_of_the_platform() -> None:
    (greeting,) = Desk().dial().greeting
    assert list(greeting) == ["event", "version", "serverId", "platform"]
    assert (greeting["event"], greeting["version"]) == ("info", 2)
    assert greeting["platform"] == {"status": 1}


def test_a_login_is_answered_with_what_the_key_may_do() -> None:
    answer = Desk().dial().log_in()[0]
    assert list(answer) == ["event", "status", "chanId", "userId", "auth_id", "caps"]
    assert answer["caps"]["orders"] == {"read": 1, "write": 0}
    assert answer["caps"]["withdraw"] == {"read": 0, "write": 0}


def test_a_key_that_may_write_says_so() -> None:
    caps = Desk(write=frozenset({"orders"})).dial().log_in()[0]["caps"]
    assert caps["orders"] == {"read": 1, "write": 1}


def test_a_sub_id_is_echoed() -> None:
    assert Desk().dial().log_in(subId="nonce1")[0]["subId"] == "nonce1"


def test_a_wrong_login_is_refused_and_a_right_one_on_the_same_socket_taken(desk: Desk) -> None:
    cases: list[tuple[dict[str, Any], int, str]] = [
        ({"apiKey": "another"}, 10100, "apikey: invalid"),
        ({"authSig": "00"}, 10100, "apikey: digest invalid"),
        ({"authPayload": "AUTH1"}, 10100, "apikey: digest invalid"),
        ({"authNonce": 1000}, 10114, "nonce: small"),
        ({"authNonce": 2**53}, 10114, "nonce: small"),
        ({"authNonce": "soon"}, 10114, "nonce: small"),
        ({"authPayload": None}, 10111, "auth: payload invalid"),
        ({"authSig": None}, 10112, "auth: signature invalid"),
        ({"filter": ["everything"]}, 10020, "filter: invalid"),
        ({"filter": ["trading-tNOSUCH"]}, 10020, "filter: invalid"),
    ]
    for fields, code, text in cases:
        desk.post("r/permissions")  # the nonce is larger than 1000 now
        line = desk.dial()
        assert line.log_in(**fields) == failed(code, text)
        assert not kinds(line.listen(20))
        assert line.log_in()[0]["status"] == "OK"


def test_the_payload_is_verified_as_it_was_sent_whatever_stands_in_it() -> None:
    desk = Desk()
    payload = "AUTH77777777"
    answer = desk.dial().log_in(
        authNonce="7777", authPayload=payload, authSig=sign(payload, desk.secret)
    )
    assert answer[0]["status"] == "OK"


def test_sockets_and_rest_share_one_nonce() -> None:
    desk = Desk()
    desk.nonce = 5000
    desk.logged_in()
    assert desk.error("r/wallets", bfx_nonce="5001") == [10114, "nonce: small"]
    desk.nonce = 6000
    desk.post("r/wallets")
    desk.nonce = 5999
    assert desk.dial().log_in()[0]["msg"] == "nonce: small"


def test_a_second_login_on_a_socket_is_an_error_event() -> None:
    assert Desk().logged_in().log_in() == [error(10100, "auth: dup")]


def test_nothing_is_answered_on_channel_0_before_the_login() -> None:
    line = Desk().dial()
    assert line.calc("balance") == [error(10100, "auth: invalid")]
    assert not line.listen(30)


def test_events_are_answered_as_documented(desk: Desk) -> None:
    cases: list[tuple[Any, dict[str, Any]]] = [
        ("{", error(10000, "json: invalid")),
        ('"auth"', error(10000, "event: unknown")),
        ({"event": "order"}, error(10000, "event: unknown")),
        (
            {"event": "subscribe", "channel": "wallet"},
            {"channel": "wallet"} | error(10300, "channel: unknown"),
        ),
        (
            {"event": "unsubscribe", "chanId": 5},
            {"chanId": 5} | error(10401, "unsubscribe: invalid"),
        ),
        ({"event": "conf", "flags": 1}, error(10050, "conf: invalid")),
        ({"event": "conf", "flags": "98304"}, error(10050, "conf: invalid")),
        ({"event": "unauth"}, error(10200, "unauth: invalid")),
        (
            {"event": "conf", "flags": 98304},
            {"event": "conf", "status": "OK", "flags": 98304},
        ),
        ({"event": "ping", "cid": 7}, {"event": "pong", "ts": 1780000123400, "cid": 7}),
        ({"event": "ping"}, {"event": "pong", "ts": 1780000123400}),
    ]
    for message, answer in cases:
        if "ts" in answer:
            answer |= {"ts": desk.now.wall_ns // 1_000_000}
        assert desk.dial().say(message) == [answer]


def test_after_an_unauth_nothing_of_the_account_is_told() -> None:
    line = Desk().logged_in()
    assert line.say({"event": "unauth"}) == [{"event": "unauth", "status": "OK", "chanId": 0}]
    assert not line.listen(20)


def test_a_sixth_dial_within_fifteen_seconds_is_answered_429() -> None:
    desk = Desk()
    handshake = Request("GET", "/ws/2", "", {})
    for _ in range(5):
        desk.dial()
        desk.wait(2)
    answer = desk.bitfinex.connect(handshake, desk.now)
    assert isinstance(answer, Answer)
    assert answer.status == 429
    desk.wait(15)
    desk.dial()


def test_without_limits_one_may_dial_as_often_as_one_likes() -> None:
    desk = Desk(limits=False)
    for _ in range(12):
        desk.dial()


def test_another_path_is_not_found() -> None:
    desk = Desk()
    answer = desk.bitfinex.connect(Request("GET", "/ws/1", "", {}), desk.now)
    assert isinstance(answer, Answer)
    assert answer.status == 404


def test_the_dead_man_switch_cancels_every_order_when_the_socket_closes() -> None:
    desk = Desk()
    witness, dead_man = desk.logged_in(), desk.logged_in(dms=4)
    standing = list(desk.books.open)
    dead_man.connection.closed(desk.now)
    assert standing
    assert not desk.books.open
    canceled = {str(row[0]) for row in rows(witness.listen(1), "oc")}
    assert set(standing) <= canceled
    assert "on" in kinds(witness.listen(30))  # life goes on


def test_without_the_dead_man_switch_a_closed_socket_cancels_nothing() -> None:
    desk = Desk()
    line = desk.logged_in(dms=0)
    standing = dict(desk.books.open)
    line.connection.closed(desk.now)
    assert standing == desk.books.open
