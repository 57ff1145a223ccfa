"""Bitfinex's login, lists, frame numbers and signs of life, as a dialogue."""

import json
from typing import Any

import pytest

from privstream.exchanges.bitfinex import Bitfinex
from privstream.exchanges.bitfinex.refusals import error_for
from privstream.exchanges.bitfinex.signing import signature
from privstream.exchanges.kit.refusals import NonceRefused
from privstream.model.account import Endpoints, Secret
from privstream.model.errors import (
    ConfigError,
    LoginRefused,
    PermissionMissing,
    RateLimited,
    Refused,
    Unavailable,
    Unreachable,
)
from privstream.model.events import Notice
from privstream.model.reports import Listed, NoticeReport, OrderReport
from privstream.model.rest import Now, Stamp
from privstream.model.session import Handshake, Ready, Reconnect, Send, Synced
from tests.payloads.bitfinex.frames import (
    ALL,
    CONF,
    FEE,
    INFO,
    KEY,
    SECRET,
    SERVER_TIME,
    auth,
    caps,
    exchange,
    heartbeat,
    logged_in,
    numbered,
    opened,
    order,
    refused,
    trade,
)
from tests.playbook import Playbook, like

VECTORS = {
    "AUTHnonce1": "6e7e3ab737bac9d36b6c3170356c9483edb0079cb65a2afa81efa9a6b906e0c3"
    "aeb16b574a44073dff4c0f604adbdd7d",
    "AUTHnonce4": "3e424670c0fa4dcb293eea38b9fe62cca49cacc595da01a493d6b9328517a5c9"
    "40b22141fecf16f653c2662b298238f4",
}
SENT = "2026-05-28T20:26:44.000000Z"  # SERVER_TIME in our spelling
NONCE = 1_780_000_000_000_001
PING = {"event": "ping", "cid": 1}
PONG = {"event": "pong", "ts": 1780000001000, "cid": 1}


# --- login -----------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "expected"), VECTORS.items())
def test_the_vectors_are_signed_as_documented(text: str, expected: str) -> None:
    assert signature(Secret("apiSecret1"), text) == expected


def test_it_asks_for_numbers_and_times_and_then_logs_in_with_everything_signed() -> None:
    payload = f"AUTH{NONCE}"
    login = {
        "event": "auth",
        "apiKey": KEY,
        "authNonce": NONCE,
        "authPayload": payload,
        "authSig": signature(Secret(SECRET), payload),
    }
    book = Playbook(exchange().session(None, ALL)).opened(NONCE)
    book.sends({"event": "conf", "flags": 98304}, login).nothing()


def test_the_login_never_cancels_orders_when_the_socket_closes() -> None:
    for action in exchange().session(None, ALL).open(Stamp(Now(0, 0.0), NONCE)):
        assert isinstance(action, Send)
        assert "dms" not in json.loads(action.text)


def test_what_is_shown_of_the_login_holds_neither_key_nor_signature() -> None:
    _, login = exchange().session(None, ALL).open(Stamp(Now(0, 0.0), NONCE))
    assert isinstance(login, Send)
    signed = json.loads(login.text)
    shown = login.shown or ""
    assert signed["apiKey"] not in shown
    assert signed["authSig"] not in shown
    assert json.loads(shown)["authNonce"] == NONCE


def test_the_nonce_of_the_login_is_the_keys_own_in_microseconds() -> None:
    assert Bitfinex.login_nonce
    assert Bitfinex.limits.nonce_unit == 1000


def test_it_is_ready_when_the_login_is_acknowledged_and_synced_when_all_is_listed() -> None:
    book = opened().receives(INFO, CONF).nothing().receives(auth()).does(Ready()).nothing()
    book.receives([0, "ps", []]).does(Listed("positions", frozenset())).nothing()
    book.receives([0, "ws", []]).does(Listed("balances", frozenset())).nothing()
    book.receives([0, "os", []]).does(Listed("orders"), Synced()).nothing()


def test_without_a_channel_that_is_listed_it_is_synced_at_once() -> None:
    opened("notices").receives(auth()).does(Ready(), Synced()).nothing()


def test_a_wrong_key_ends_it_with_a_hint() -> None:
    error = opened().refuses(refused(10100, "apikey: invalid"), LoginRefused)
    assert "10100: apikey: invalid" in error.message
    assert "api_key" in (error.hint or "")
    assert error.exit == 4


def test_a_wrong_secret_is_named_as_such() -> None:
    error = opened().refuses(refused(10100, "apikey: digest invalid"), LoginRefused)
    assert "api_secret" in (error.hint or "")


@pytest.mark.parametrize("status", ["FAIL", "FAILED"])
def test_a_refusal_without_a_code_is_one_too(status: str) -> None:
    opened().refuses({"event": "auth", "status": status, "chanId": 0}, LoginRefused)


def test_a_small_nonce_is_tried_once_more_on_a_new_connection_and_then_refused() -> None:
    bitfinex = exchange()
    small = refused(10114, "nonce: small")
    assert opened(of=bitfinex).refuses(small, Unreachable).retryable
    error = opened(of=bitfinex).refuses(small, LoginRefused)
    assert "another program" in (error.hint or "")


def test_a_login_in_between_gives_the_nonce_a_new_chance() -> None:
    bitfinex = exchange()
    small = refused(10114, "nonce: small")
    opened(of=bitfinex).refuses(small, Unreachable)
    logged_in(of=bitfinex)
    opened(of=bitfinex).refuses(small, Unreachable)


@pytest.mark.parametrize(
    ("code", "kind", "word"),
    [
        (10100, LoginRefused, "api_key"),
        (10111, LoginRefused, "api_secret"),
        (10112, LoginRefused, "api_secret"),
        (10113, LoginRefused, "api_secret"),
        (10114, NonceRefused, "another program"),
        (10000, Unavailable, ""),
        (10008, Unavailable, ""),
        (11000, Unavailable, ""),
        (20060, Unavailable, ""),
        (503, Unavailable, ""),
        (11010, RateLimited, ""),
        (10001, Refused, ""),
        (None, Refused, ""),
    ],
)
def test_every_code_has_its_meaning(code: int | None, kind: type[Refused], word: str) -> None:
    problem = error_for(code, "no", "the login")
    assert type(problem) is kind
    assert word in (problem.hint or "")
    assert "the login" in problem.message
    assert getattr(problem, "floor", 0.0) in {0.0, 5.0, 30.0}


@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        (11000, "not ready, try again later", Unavailable),
        (11010, "ratelimit: error", RateLimited),
        (20060, "maintenance", Unavailable),
    ],
)
def test_a_login_that_is_refused_for_now_is_tried_again(
    code: int, text: str, kind: type[Unreachable]
) -> None:
    assert opened().refuses(refused(code, text), kind).retryable


def test_an_error_event_of_the_login_is_a_refusal() -> None:
    event = {"event": "error", "msg": "auth: invalid", "code": 10100}
    opened().refuses(event, LoginRefused)


def test_an_error_event_about_something_else_is_a_notice() -> None:
    event = {"channel": "wallet", "event": "error", "msg": "channel: unknown", "code": 10300}
    told = like(NoticeReport, level="error", code="10300", text="channel: unknown")
    opened().receives(event).does(told).nothing()
    logged_in().receives({"event": "error", "msg": "auth: dup", "code": 10100}).does(
        like(NoticeReport, level="error", code="10100")
    )


@pytest.mark.parametrize(
    ("channel", "section"),
    [
        ("orders", "orders"),
        ("trades", "orders"),
        ("balances", "wallets"),
        ("positions", "positions"),
    ],
)
def test_a_key_that_may_not_read_a_channel_is_refused_aloud(channel: str, section: str) -> None:
    error = opened(channel).refuses(auth(caps=caps(**{section: 0})), PermissionMissing)
    assert section in error.message
    assert section in (error.hint or "")
    opened("notices").receives(auth(caps=caps(**{section: 0}))).does(Ready())


def test_capabilities_are_read_from_a_text_too() -> None:
    text = json.dumps({"orders": {"read": "0", "write": "0"}, "wallets": {"read": "1"}})
    opened("orders").refuses(auth(caps=text), PermissionMissing)
    opened("balances").receives(auth(caps=text)).does(Ready())


@pytest.mark.parametrize("odd", ["{", 7, [], {"orders": 1}, {"orders": {"read": None}}, "7"])
def test_capabilities_that_cannot_be_read_cost_no_login(odd: Any) -> None:
    opened().receives(auth(caps=odd)).does(Ready())


def test_a_right_that_is_false_is_none() -> None:
    opened("orders").refuses(auth(caps={"orders": {"read": False}}), PermissionMissing)


@pytest.mark.parametrize("version", [2, "2", 2.0, None, "two", []])
def test_a_version_is_read_in_any_spelling(version: Any) -> None:
    opened().receives({"event": "info", "version": version}).nothing()


@pytest.mark.parametrize("message", [None, 7, {}, [], ""])
def test_an_odd_text_of_the_exchange_is_not_quoted(message: Any) -> None:
    event = {"event": "error", "msg": message, "code": 10300}
    logged_in().receives(event).tells(like(Notice, code="10300", text="no reason given"))
    info = {"event": "info", "msg": message, "code": 5000}
    logged_in().receives(info).tells(like(Notice, code="5000", text="info 5000"))


def test_a_login_without_capabilities_is_taken() -> None:
    opened().receives({"event": "auth", "status": "OK", "chanId": 0}).does(Ready())


def test_another_version_of_the_protocol_ends_it() -> None:
    error = opened().refuses({"event": "info", "version": 3}, Refused)
    assert "version 3" in error.message


def test_the_public_host_is_no_place_for_a_private_socket() -> None:
    public = Endpoints(rest_url="https://x", ws_url="wss://api-pub.bitfinex.com/ws/2")
    with pytest.raises(ConfigError, match="public channels only"):
        Bitfinex.check_endpoints(public, {})
    Bitfinex.check_endpoints(Bitfinex.endpoints({}), {})


def test_the_socket_is_dialled_where_the_account_says_with_no_secret_in_it() -> None:
    shake = exchange().handshake(Stamp(Now(0, 0.0), NONCE))
    assert shake == Handshake(url="wss://api.bitfinex.com/ws/2")


def test_it_stays_within_five_connections_in_fifteen_seconds() -> None:
    assert Bitfinex.limits.connects == (5, 15.0)


# --- numbers ---------------------------------------------------------------------------


def test_every_event_bears_the_connections_own_number_and_the_servers_time() -> None:
    frame = numbered([0, "on", order(mts_update=None)], 3)
    logged_in().receives(frame).does(like(OrderReport, sequence=3, time=SENT))


def test_a_lost_frame_is_noticed_after_the_frame_that_shows_it_was_read() -> None:
    book = logged_in().receives(numbered([0, "bu", [1, 1]], 3), heartbeat(4)).nothing()
    book.receives(numbered([0, "on", order()], 6)).does(
        like(OrderReport, sequence=6), like(Reconnect, cause="sequence")
    )


def test_heartbeats_are_counted_where_their_number_stands() -> None:
    logged_in().receives(heartbeat(1), heartbeat(2), numbered([0, "bu", [1, 1]], 3)).nothing()
    logged_in().receives(heartbeat(1), heartbeat(3)).does(like(Reconnect, cause="sequence"))


def test_an_answer_to_a_request_lacks_the_accounts_number() -> None:
    note = [None, "on-req", None, None, order(), None, "SUCCESS", "Submitting"]
    book = logged_in().receives(heartbeat(11), [0, "n", note, 12, SERVER_TIME], heartbeat(13))
    book.does(like(NoticeReport, sequence=12, time=SENT)).nothing()


def test_a_transfer_that_is_no_answer_has_both_numbers() -> None:
    note = [1_780_000_000_000, "wallet_transfer", None, None, None, None, "SUCCESS", "moved"]
    frame = [0, "n", note, 143, 15214, SERVER_TIME]
    book = logged_in().receives(heartbeat(142), frame, heartbeat(144))
    book.does(like(NoticeReport, sequence=143)).nothing()


def test_the_accounts_number_may_jump_or_stand_still() -> None:
    book = logged_in().receives(numbered([0, "bu", [1, 1]], 5, 71))
    book.receives(
        numbered([0, "bu", [1, 1]], 6, 192), numbered([0, "bu", [1, 1]], 7, 192)
    ).nothing()


def test_a_frame_that_comes_twice_is_read_once() -> None:
    frame = numbered([0, "on", order()], 5)
    logged_in().receives(frame).forget().receives(frame).nothing()


def test_a_frame_that_comes_late_is_not_read_but_the_account_read_back() -> None:
    book = logged_in().receives(heartbeat(5), heartbeat(6)).nothing()
    book.receives(numbered([0, "on", order()], 5)).does(like(Reconnect, cause="sequence")).nothing()


def test_a_frame_that_cannot_be_read_is_counted_all_the_same() -> None:
    book = logged_in().receives(heartbeat(5), [0, "on", "junk", 6, 15000, SERVER_TIME])
    book.does(like(NoticeReport, code="unrecognised")).receives(heartbeat(7)).nothing()


def test_without_numbers_it_says_so_and_goes_on() -> None:
    book = logged_in().receives({"event": "conf", "status": "FAILED"})
    book.tells(like(Notice, level="warning", code="conf"))
    book.receives([0, "hb"], [0, "bu", [1, 1]]).nothing()


def test_a_servers_time_is_never_taken_for_a_number() -> None:
    book = logged_in().receives([0, "hb", SERVER_TIME], [0, "hb", SERVER_TIME + 15000]).nothing()
    book.receives(heartbeat(9)).nothing()


# --- life ------------------------------------------------------------------------------


def test_a_login_that_is_not_answered_is_noticed() -> None:
    opened().after(9).nothing().after(2).does(like(Reconnect, cause="silence"))


def test_forty_seconds_without_a_heartbeat_are_the_end() -> None:
    book = logged_in("orders").after(39).nothing()
    book.after(2).does(Reconnect("silence", "no heartbeat for 40 s"))


def test_a_pong_is_no_sign_of_life_of_the_channel() -> None:
    book = logged_in("orders").after(31).nothing()
    assert [json.loads(ping) for ping in book.pings] == [PING]
    book.receives(PONG).after(10).does(like(Reconnect, cause="silence"))


def test_a_pong_and_a_heartbeat_after_it_prove_what_was_told_until_the_ping() -> None:
    book = logged_in("orders").after(10)
    sent = book.now
    book.receives([0, "hb"], PONG).after(1).nothing()
    assert book.delivered == []
    book.receives([0, "hb"]).after(1).nothing()
    assert book.delivered == [sent]


def test_nothing_is_proven_while_a_fill_that_came_before_waits_for_its_fee() -> None:
    book = logged_in("trades").after(10)
    sent = book.now
    book.receives([0, "te", trade()], PONG, [0, "hb"]).after(1).after(0.5)
    book.receives([0, "te", trade(id=5)]).after(0.5)
    assert book.delivered == []
    book.receives([0, "tu", trade(**FEE)]).after(0)
    assert book.delivered == [sent]  # what came after the answer may wait


def test_a_quiet_account_lives_by_its_heartbeats() -> None:
    book = logged_in("orders")
    for _ in range(10):
        book.after(15).receives([0, "hb"])
    book.after(29).nothing()


def test_maintenance_is_said_once_and_its_silence_is_no_fault() -> None:
    begin = {"event": "info", "code": 20060, "msg": "entering maintenance"}
    book = logged_in("orders").receives(begin, begin)
    book.tells(like(Notice, level="warning", code="maintenance"))
    book.after(119).nothing().after(2).does(like(Reconnect, cause="maintenance"))


def test_silence_long_after_a_maintenance_is_silence() -> None:
    book = logged_in("orders").receives({"event": "info", "code": 20060}).forget()
    book.after(121).forget().receives([0, "hb"]).after(41).does(like(Reconnect, cause="silence"))


def test_a_greeting_in_maintenance_keeps_the_socket() -> None:
    book = opened().receives({**INFO, "platform": {"status": 0}})
    book.tells(like(Notice, code="maintenance")).after(100).nothing()
    book.receives(auth()).does(Ready())


@pytest.mark.parametrize("code", [20061, "20061"])
def test_the_end_of_maintenance_is_a_new_connection(code: Any) -> None:
    logged_in().receives({"event": "info", "code": code}).does(like(Reconnect, cause="maintenance"))


def test_a_restart_of_the_server_is_a_new_connection_at_once() -> None:
    logged_in().receives({"event": "info", "code": 20051, "msg": "Stop/Restart"}).does(
        like(Reconnect, cause="server_restart", floor=0.0)
    )


def test_any_other_information_is_a_notice() -> None:
    logged_in().receives({"event": "info", "code": 5000, "msg": "hello"}).tells(
        like(Notice, level="info", code="5000", text="hello")
    )


# --- what is silent and what is not ----------------------------------------------------


@pytest.mark.parametrize(
    "frame",
    [
        [0, "bu", [1004.28, 1004.28]],
        [0, "miu", ["base", [-2.5, 0, 19150.1, 19147.4]]],
        [0, "fiu", ["sym", "fUSD", [0, 0, 0, 0]]],
        [0, "fos", []],
        [0, "fcn", [26, "fUSD", -1]],
        [0, "flu", [26, "fUSD", -1]],
        [0, "fte", [636854, "fUSD", 1575282446000, 41238905, -1000, 0.002, 7, None]],
        [0, "ats", []],
        [0, "hb"],
        {"event": "pong", "ts": SERVER_TIME},
        CONF,
    ],
    ids=str,
)
def test_funding_and_account_value_are_known_and_silent(frame: Any) -> None:
    logged_in().receives(frame).nothing()


@pytest.mark.parametrize(
    "frame",
    [
        [0, "xyz", [1]],
        [17, [1, 2, 3]],
        [0],
        [],
        "text",
        7,
        {"event": "subscribed"},
        {"hello": 1},
        [0, "on", []],
        [0, "wu", {}],
        [0, ["os"], []],
    ],
    ids=str,
)
def test_what_is_not_understood_is_a_notice_with_the_frame_in_it(frame: Any) -> None:
    book = logged_in("trades").receives(json.dumps(frame))
    book.tells(like(Notice, level="warning", code="unrecognised"))
    assert json.loads(bytes(book.events[-1].raw)) == frame  # type: ignore[union-attr,arg-type]  # a notice has one


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        ([0, "on", 7], "cannot read this element: it brings a number, not a list"),
        ([0, "on", [[1] * 32, "x"]], "cannot read this element: it is text, not a list"),
        ([0, "on", []], "cannot read this element: it brings no row"),
        (
            [0, "wu", [7, "BTC", 1, 0, 1]],
            "cannot read this element: its wallet is a number, not a text",
        ),
        ([0, "on", [None] * 32], "cannot read this element: it has no id that is a number"),
        ([0], "cannot read this frame: it is too short"),
        ([0, ["os"], []], "no message that is known"),
    ],
)
def test_what_is_said_of_it_is_for_people(frame: Any, why: str) -> None:
    book = logged_in().receives(frame).told_now()
    assert why in [event.text for event in book.events if isinstance(event, Notice)]


def test_orders_listed_anew_are_read_back() -> None:
    logged_in().receives([0, "os", [order()]]).does(
        like(OrderReport, source="stream"), Listed("orders"), like(Reconnect, cause="resync")
    )
