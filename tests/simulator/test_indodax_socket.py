"""The simulated Centrifugo of Indodax speaks as the real server was heard to speak."""

from typing import Any

import pytest

from privstream.simulator.base import Answer, Request
from tests.simulator.indodax_desk import START, Desk, Line, mint


@pytest.fixture
def desk() -> Desk:
    return Desk()


def connect(token: str, number: int = 1) -> Any:
    return {"connect": {"token": token}, "id": number}


def logged_in(desk: Desk, query: str = "cf_ws_frame_ping_pong=true") -> Line:
    line = desk.dial(query)
    line.say(connect(desk.login()[0]))
    return line


# --- the handshake ---------------------------------------------------------------------


def test_an_origin_header_is_refused(desk: Desk) -> None:
    handshake = Request("GET", "/ws/", "", {"origin": "https://example.com"})
    answer = desk.indodax.connect(handshake, START)
    assert isinstance(answer, Answer)
    assert (answer.status, answer.body) == (403, b"Forbidden\n")


def test_there_is_no_socket_elsewhere(desk: Desk) -> None:
    answer = desk.indodax.connect(Request("GET", "/", "", {}), START)
    assert isinstance(answer, Answer)
    assert answer.status == 404


# --- connect ---------------------------------------------------------------------------


def test_with_the_flag_the_login_names_no_ping(desk: Desk) -> None:
    (reply,) = desk.dial().say(connect(desk.login()[0]))
    assert list(reply["connect"]) == ["client", "version", "expires", "ttl"]
    assert reply["connect"]["ttl"] == 86_400
    assert reply["connect"]["expires"] is True


def test_without_the_flag_the_login_names_its_ping(desk: Desk) -> None:
    (reply,) = desk.dial("").say(connect(desk.login()[0]))
    assert (reply["connect"]["ping"], reply["connect"]["pong"]) == (25, True)


def test_an_expired_token_makes_the_socket_useless(desk: Desk) -> None:
    user = desk.indodax.tokens.user
    line = desk.dial()
    old = mint(user, START.wall_ns // 10**9 - 1)
    assert line.say(connect(old)) == [{"id": 1, "error": {"code": 109, "message": "token expired"}}]
    assert line.say(connect(desk.login()[0], 2)) == []
    line.listen(9.5)
    assert line.ended is None
    line.listen(0.5)
    assert line.ended == (3502, "stale")


def test_a_socket_that_does_not_log_in_is_stale_after_ten_seconds(desk: Desk) -> None:
    line = desk.dial()
    line.listen(9.75)
    assert line.ended is None
    line.listen(0.25)
    assert line.ended == (3502, "stale")


def test_a_token_that_is_none_of_ours_ends_the_socket(desk: Desk) -> None:
    cases: list[str] = ["a.b.c", "nonsense", "strange"]
    for token in cases:
        line = desk.dial()
        user = desk.indodax.tokens.user
        line.say(connect(mint(user, 2**33, b"another secret") if token == "strange" else token))
        assert line.ended == (3500, "invalid token")


def test_what_is_no_login_ends_a_new_socket(desk: Desk) -> None:
    cases: list[Any] = [
        {"connect": {}, "id": 1},
        {"connect": {"token": ""}, "id": 1},
        {"subscribe": {"channel": "pws:#x"}, "id": 1},
        {"params": {"token": "x"}, "id": 1},
        {},
        "{",
        "hello",
        "[]",
        {"connect": {"token": "x"}, "id": -1},
        {"connect": {"token": "x"}, "id": "1"},
    ]
    for frame in cases:
        line = desk.dial()
        assert line.say(frame) == []
        assert line.ended == (3501, "bad request")


def test_a_bad_request_ends_a_logged_in_socket(desk: Desk) -> None:
    cases: list[Any] = [
        {"connect": {"token": "x"}, "id": 2},
        {"foo": {}, "id": 5},
        {"ping": {}, "id": 7},
        {"subscribe": {"channel": "pws:#x"}},
        {"subscribe": {}, "id": 2},
        {"refresh": {"token": ""}, "id": 3},
        {"method": 1, "params": {"channel": "pws:#x"}, "id": 2},
        {},
        "hello",
    ]
    for frame in cases:
        line = logged_in(desk)
        assert line.say(frame) == []
        assert line.ended == (3501, "bad request")


# --- subscribe -------------------------------------------------------------------------


def test_two_commands_in_one_frame_are_answered_in_one_frame(desk: Desk) -> None:
    token, channel = desk.login()
    line = desk.dial()
    replies = line.say(connect(token), {"subscribe": {"channel": channel}, "id": 2})
    assert len(line.frames) == 1
    assert replies[1] == {"id": 2, "subscribe": {}}


def test_only_the_own_channel_can_be_subscribed(desk: Desk) -> None:
    cases: list[tuple[str, int, str]] = [
        ("pws:#c12d3ca099785ede15c37c9b7642ab89d19bc96e", 103, "permission denied"),
        ("anything", 103, "permission denied"),
        ("foo:#x", 102, "unknown channel"),
    ]
    for channel, code, message in cases:
        line = logged_in(desk)
        reply = line.say({"subscribe": {"channel": channel}, "id": 2})
        assert reply == [{"id": 2, "error": {"code": code, "message": message}}]
        assert line.ended is None


def test_the_channel_cannot_be_subscribed_twice(desk: Desk) -> None:
    line = desk.stream()
    reply = line.say({"subscribe": {"channel": desk.login()[1]}, "id": 3})[0]
    assert reply == {"id": 3, "error": {"code": 105, "message": "already subscribed"}}


def test_after_an_unsubscription_nothing_is_told_until_the_next(desk: Desk) -> None:
    line, channel = desk.stream(), desk.login()[1]
    reply = line.say({"unsubscribe": {"channel": channel}, "id": 3})
    assert reply[0] == {"id": 3, "unsubscribe": {}}
    assert line.orders(20) == []
    line.say({"subscribe": {"channel": channel}, "id": 4})
    assert line.orders(20)


def test_a_reader_may_only_read(desk: Desk) -> None:
    cases: list[str] = ["publish", "presence", "presence_stats", "history"]
    for command in cases:
        (reply,) = logged_in(desk).say({command: {"channel": "pws:#x"}, "id": 7})
        assert reply == {"id": 7, "error": {"code": 103, "message": "permission denied"}}


def test_there_are_no_remote_calls_and_no_messages(desk: Desk) -> None:
    line = logged_in(desk)
    (reply,) = line.say({"rpc": {"method": "x", "data": {}}, "id": 7})
    assert reply == {"id": 7, "error": {"code": 108, "message": "not available"}}
    line.say({"send": {"data": {}}})
    assert line.ended == (3508, "not available")


# --- pings -----------------------------------------------------------------------------


def test_native_pings_come_every_25_seconds(desk: Desk) -> None:
    line = logged_in(desk)
    line.listen(24.75)
    assert line.pings == 0
    line.listen(75.5)
    assert line.pings == 4
    assert line.ended is None


def test_a_client_that_does_not_pong_is_cut_off(desk: Desk) -> None:
    line = logged_in(desk)
    line.listen(27.75, pong=False)
    assert line.ended is None
    line.listen(0.25, pong=False)
    assert line.ended == (1006, "")


def test_a_json_ping_is_answered_with_the_same(desk: Desk) -> None:
    line = logged_in(desk, "")
    assert {} in line.listen(25)
    assert line.say({}) == []
    assert line.listen(20) == []
    assert line.ended is None


def test_a_json_ping_that_is_not_answered_ends_the_socket(desk: Desk) -> None:
    line = logged_in(desk, "")
    line.listen(32.75)
    assert line.ended is None
    line.listen(0.25)
    assert line.ended == (3012, "no pong")


def test_a_second_pong_is_one_too_many(desk: Desk) -> None:
    line = logged_in(desk, "")
    line.listen(25)
    line.say({}, {})
    assert line.ended == (3501, "bad request")


def test_a_json_ping_shares_a_frame_with_pushes() -> None:
    line = Desk(rate=20).stream("")
    frames = 0
    while frames == 0:
        line.listen(25.25)
        frames = sum("\n{}" in frame for frame in line.frames)
        line.say({})
    assert line.ended is None


# --- the token's end -------------------------------------------------------------------


def test_a_fresh_token_keeps_the_socket_open() -> None:
    desk = Desk(token_life=60)
    line = desk.stream()
    line.listen(55)
    reply = line.say({"refresh": {"token": desk.login()[0]}, "id": 3})[0]
    assert reply == {"id": 3, "refresh": {"expires": True, "ttl": 60}}
    line.listen(80)
    assert line.ended is None
    line.listen(10)
    assert line.ended == (3005, "connection expired")


def test_without_a_fresh_token_the_socket_ends_a_little_after_the_token() -> None:
    line = Desk(token_life=10).stream()
    line.listen(34)
    assert line.ended is None
    line.listen(1)
    assert line.ended == (3005, "connection expired")


def test_an_expired_refresh_ends_the_socket(desk: Desk) -> None:
    line = desk.stream()
    line.say({"refresh": {"token": mint(desk.indodax.tokens.user, 1_780_000_000)}, "id": 3})
    assert line.ended == (3005, "connection expired")


def test_a_refresh_with_the_token_of_somebody_else_ends_the_socket(desk: Desk) -> None:
    line = desk.stream()
    line.say({"refresh": {"token": mint("someoneelse", 2**33)}, "id": 3})
    assert line.ended == (3500, "invalid token")


# --- recovery --------------------------------------------------------------------------


def subscribe(desk: Desk, **position: Any) -> tuple[Line, Any]:
    line = logged_in(desk)
    request = {"channel": desk.login()[1], "recoverable": True, **position}
    return line, line.say({"subscribe": request, "id": 2})[0]["subscribe"]


def test_without_history_there_are_no_offsets() -> None:
    line = Desk().stream()
    pushes = [m["push"] for m in line.listen(20) if m]
    assert pushes
    assert all(list(push["pub"]) == ["data"] for push in pushes)


def test_with_history_every_push_has_the_next_offset() -> None:
    desk = Desk(history=100)
    line, reply = subscribe(desk)
    assert reply["recoverable"] is reply["positioned"] is True
    assert "was_recovering" not in reply
    offsets = [m["push"]["pub"]["offset"] for m in line.listen(30)]
    assert offsets == list(range(1, len(offsets) + 1))


def test_a_client_that_does_not_ask_for_recovery_is_told_of_none() -> None:
    _, reply = subscribe(Desk(history=100), recoverable=False)
    assert reply == {}


def test_a_channel_beside_has_places_of_its_own() -> None:
    desk = Desk(history=100, beside=True)
    line, _ = subscribe(desk)
    channels = {m["push"]["channel"] for m in line.listen(20)}
    assert len(channels) == 2


def test_what_was_missed_is_told_at_the_next_subscription() -> None:
    desk = Desk(history=300)
    line, reply = subscribe(desk)
    told = [m["push"]["pub"] for m in line.listen(30)]
    _, again = subscribe(desk, recover=True, epoch=reply["epoch"], offset=3)
    assert again.pop("publications") == told[3:]
    assert again == reply | {"recovered": True, "offset": 3, "was_recovering": True}


def test_where_nothing_was_missed_nothing_is_repeated() -> None:
    desk = Desk(history=100)
    line, reply = subscribe(desk)
    top = line.listen(30)[-1]["push"]["pub"]["offset"]
    _, again = subscribe(desk, recover=True, epoch=reply["epoch"], offset=top)
    assert again == reply | {"recovered": True, "offset": top, "was_recovering": True}


def test_a_position_that_is_not_known_is_not_recovered() -> None:
    cases: list[dict[str, Any]] = [{"epoch": "zzzz"}, {"offset": 9999}, {"offset": 0}]
    for wrong in cases:
        desk = Desk(history=5)
        line, reply = subscribe(desk)
        top = line.listen(60)[-1]["push"]["pub"]["offset"]
        position = {"recover": True, "epoch": reply["epoch"], "offset": top - 1} | wrong
        _, again = subscribe(desk, **position)
        assert again == reply | {"offset": top, "was_recovering": True}
