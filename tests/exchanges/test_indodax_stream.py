"""Centrifugo's protocol as Indodax speaks it, as a dialogue."""

import json
from typing import Any

import pytest

from privstream.exchanges.indodax import Indodax
from privstream.model.errors import (
    Exit,
    Interrupted,
    LoginRefused,
    PermissionMissing,
    PrivstreamError,
    RateLimited,
    Refused,
    TokenRefused,
    Unavailable,
)
from privstream.model.events import Trade
from privstream.model.reports import Fill, NoticeReport, OrderReport
from privstream.model.rest import Now, Stamp
from privstream.model.session import Ask, Ready, Reconnect, Send, Synced
from tests.exchanges.indodax_account import (
    ALL,
    CHANNEL,
    CONNECTED,
    NEW,
    STREAM,
    SUBSCRIBED,
    fill,
    indodax,
    opened,
    pushed,
    streaming,
    token,
)
from tests.playbook import START, Playbook, ledger, like
from tests.rest_play import answer, play

APP_PINGS = {"id": 1, "connect": CONNECTED["connect"] | {"ping": 25, "pong": True}}
FRESH = {"success": 1, "return": {"connToken": "FRESH", "channel": CHANNEL}}


def error(number: int, code: int, message: str, **more: Any) -> dict[str, Any]:
    return {"id": number, "error": {"code": code, "message": message, **more}}


def subscribe(number: int = 2, **since: Any) -> dict[str, Any]:
    return {"subscribe": {"channel": CHANNEL, "recoverable": True, **since}, "id": number}


# --- login -----------------------------------------------------------------------------


def test_login_and_subscription_follow_each_other_and_then_it_is_ready() -> None:
    book = opened().sends({"connect": {"token": "TOKEN"}, "id": 1}).nothing()
    book.receives(CONNECTED).sends(subscribe()).nothing()
    book.receives(SUBSCRIBED).does(Ready(), Synced()).nothing()


def test_both_replies_may_come_in_one_frame() -> None:
    frame = json.dumps(CONNECTED) + "\n" + json.dumps(SUBSCRIBED) + "\n"
    opened().forget().receives(frame).sends(subscribe()).does(Ready(), Synced()).nothing()


def test_a_recording_does_not_keep_the_token() -> None:
    for action in indodax().session(token(), ALL).open(Stamp(START, 0)):
        assert isinstance(action, Send)
        assert "TOKEN" in action.text
        assert "TOKEN" not in (action.shown or "TOKEN")


def test_an_expired_token_asks_for_a_new_token_and_a_new_socket() -> None:
    problem = opened().refuses(error(1, 109, "token expired"), TokenRefused)
    assert problem.retryable
    assert "token expired" in problem.message


@pytest.mark.parametrize(
    ("number", "code", "kind"),
    [
        (1, 101, LoginRefused),
        (2, 103, PermissionMissing),
        (2, 102, Refused),
        (2, 109, TokenRefused),
        (1, 100, Unavailable),
        (2, 111, RateLimited),
    ],
)
def test_a_refusal_says_what_was_refused_and_why(
    number: int, code: int, kind: type[PrivstreamError]
) -> None:
    problem = opened().refuses(error(number, code, "some reason"), kind)
    what = "login" if number == 1 else "subscription"
    assert what in problem.message
    assert "some reason" in problem.message
    assert problem.hint or problem.retryable


def test_an_error_that_is_temporary_is_retried() -> None:
    assert opened().refuses(error(2, 108, "not now", temporary=True), Unavailable).retryable


def test_a_channel_that_the_server_subscribed_itself_is_subscribed() -> None:
    book = opened().receives(CONNECTED).forget()
    book.receives(error(2, 105, "already subscribed")).does(Ready(), Synced()).nothing()


def test_an_acknowledgement_that_never_comes_is_noticed() -> None:
    opened().receives(CONNECTED).forget().after(11).does(like(Reconnect, cause="silence"))


# --- frames ----------------------------------------------------------------------------


def test_every_object_of_a_frame_is_read_and_a_broken_one_hides_no_neighbour() -> None:
    lines = [json.dumps(pushed(NEW)), "{broken", "", "[1]", json.dumps(pushed(fill("0.1")))]
    streaming().receives("\n".join(lines)).does(
        like(OrderReport, status="open"),
        like(NoticeReport, code="unrecognised", element="{broken"),
        like(NoticeReport, code="unrecognised", element=[1]),
        like(Fill, quantity="0.1"),
        like(OrderReport, filled="0.1"),
    ).nothing()


def test_an_unreadable_event_hides_no_neighbour_in_its_publication() -> None:
    frame = pushed(NEW)
    frame["push"]["pub"]["data"] += [{"eventType": "tea"}, None, {"eventType": "order_update"}]
    frame["push"]["pub"]["data"] += pushed(NEW)["push"]["pub"]["data"]
    bad = like(NoticeReport, code="unrecognised")
    good = like(OrderReport, status="open")
    streaming().receives(frame).does(good, bad, bad, bad, good).nothing()


def test_a_publication_that_is_no_list_is_a_notice() -> None:
    frame = {"push": {"channel": CHANNEL, "pub": {"data": {"a": 1}, "offset": 5}}}
    streaming().receives(frame).does(like(NoticeReport, element={"a": 1}, sequence=5)).nothing()


def test_what_is_known_and_no_event_is_silent() -> None:
    joined: dict[str, Any] = {"channel": CHANNEL, "join": {"info": {"user": "x"}}}
    other = {"channel": "srv:x", "subscribe": {}}
    streaming().receives({"push": joined}, {"push": other}, {}).nothing()


def test_what_nobody_knows_is_a_notice() -> None:
    streaming().receives(
        {"push": {"message": {"data": 1}}},
        {"result": {"channel": CHANNEL}},
        error(77, 108, "not available"),
    ).does(
        like(NoticeReport, code="unrecognised"),
        like(NoticeReport, code="unrecognised"),
        like(NoticeReport, code="108", level="error"),
    ).nothing()


# --- pings -----------------------------------------------------------------------------


def test_with_native_pings_an_empty_object_is_never_answered() -> None:
    streaming().receives({}).nothing()


def test_with_json_pings_each_is_answered_also_beside_a_push() -> None:
    book = opened().receives(APP_PINGS, SUBSCRIBED).forget()
    book.receives("{}").sends({}).nothing()
    book.receives(json.dumps(pushed(NEW)) + "\n{}").does(like(OrderReport)).sends({}).nothing()


def test_a_ping_that_wants_no_answer_gets_none() -> None:
    silent = {"id": 1, "connect": {"ping": 25}}
    opened().receives(silent, SUBSCRIBED).forget().receives({}).nothing()


def test_silence_is_noticed_ten_seconds_after_the_ping_that_did_not_come() -> None:
    streaming(None, "orders").after(34).nothing().after(2).does(like(Reconnect, cause="silence"))
    quick = {"id": 1, "connect": {"ping": 5, "pong": True}}
    book = opened().receives(quick, SUBSCRIBED).forget()
    book.after(14).nothing().after(2).does(like(Reconnect, cause="silence"))


def test_pushes_and_empty_objects_are_life() -> None:
    book = streaming(None, "orders").after(30).receives({}).after(30).nothing()
    book.receives({"push": {"channel": "x", "leave": {}}}).after(30).nothing()


def test_native_pings_are_life_on_a_quiet_account() -> None:
    session = indodax().session(token(), ALL)
    book = Playbook(session, ledger("indodax")).opened().receives(CONNECTED, SUBSCRIBED).forget()
    book.after(30).nothing()
    session.alive(Now(START.wall_ns, START.monotonic + 30))
    book.after(30).nothing().after(6).does(like(Reconnect, cause="silence"))


def test_the_answer_to_a_native_ping_proves_what_was_told_until_the_ping_before() -> None:
    book = streaming().after(5).nothing()
    assert book.pings == [b"1"]
    sent = book.now
    book.after(1).ponged(b"").after(1).ponged(b"1").after(1).nothing()
    # Centrifugo answers past the queue in which publications wait for a slow reader.
    assert book.delivered == []
    book.after(1).after(1).nothing()
    assert book.pings == [b"1", b"2"]
    book.ponged(b"2").after(1).nothing()
    assert book.delivered == [sent]


# --- renewal of the login --------------------------------------------------------------


def test_the_login_is_renewed_in_place_before_it_runs_out() -> None:
    exchange = indodax()
    book = opened(exchange).receives(CONNECTED, SUBSCRIBED).forget()
    for _ in range(3):
        ask = _token_asked_for(book, 86133 - 300)
        play(ask.flow, lambda call, _: answer(FRESH if call.name == "generate_token" else {}))
        number = _refreshed(book.after(0.5))
        book.receives({"id": number, "refresh": {"expires": True, "ttl": 86133}}).nothing()


def test_a_short_login_is_renewed_in_its_last_fifth() -> None:
    reply = {"id": 1, "connect": {"expires": True, "ttl": 5}}
    book = opened().receives(reply, SUBSCRIBED).forget()
    book.after(3.9).nothing().after(0.2).does(like(Ask))


def test_a_renewal_that_fails_is_tried_again_before_the_login_runs_out() -> None:
    book = streaming()
    _token_asked_for(book, 86133 - 300)  # and nobody answers
    _kept_alive(book, 25).nothing()
    _kept_alive(book, 10).does(like(Ask)).nothing()


def test_a_renewal_that_the_server_refuses_takes_a_new_connection() -> None:
    book = streaming()
    play(_token_asked_for(book, 86133 - 300).flow, lambda _call, _request: answer(FRESH))
    number = _refreshed(book.after(0.5))
    book.receives(error(number, 108, "not available")).does(like(Reconnect, cause="token"))


def test_the_server_may_renew_the_login_itself() -> None:
    book = streaming().receives({"push": {"refresh": {"expires": True, "ttl": 50}}}).nothing()
    _kept_alive(book, 39).nothing().after(2).does(like(Ask))


def test_a_login_without_an_end_is_not_renewed() -> None:
    book = opened().receives({"id": 1, "connect": {"client": "x"}}, SUBSCRIBED).forget()
    _kept_alive(book, 90000).nothing()


def _kept_alive(book: Playbook, seconds: float) -> Playbook:
    """So long, and a ping at its end."""
    wall_ns = book._now.wall_ns + int(seconds * 1e9)
    book._session.alive(Now(wall_ns, book._now.monotonic + seconds))
    return book.after(seconds)


def _token_asked_for(book: Playbook, seconds: float) -> Ask:
    """The next wait of so many seconds asks for a token, and one second less does not."""
    _kept_alive(book, seconds - 1).nothing()
    asked = book.after(1)._next("an Ask")
    assert isinstance(asked, Ask)
    return asked


def _refreshed(book: Playbook) -> int:
    """The fetched token is sent, once; returns the request's number."""
    sent = book._next("a refresh")
    book.nothing()
    assert isinstance(sent, Send)
    assert "FRESH" not in (sent.shown or "FRESH")
    message = json.loads(sent.text)
    assert message["refresh"] == {"token": "FRESH"}
    number: int = message["id"]
    return number


# --- close codes -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "code", [1000, 1001, 1005, 1006, 1011, 1012, 3000, 3001, 3004, 3005, 3008, 3010]
)
def test_these_closes_just_connect_again(code: int) -> None:
    assert indodax().closed(code, "why") is None


@pytest.mark.parametrize("code", [3011, 3012, 3499, 3502, 4000, 4499, 5000])
def test_so_do_these(code: int) -> None:
    assert indodax().closed(code, "why") is None


@pytest.mark.parametrize("code", [3503, 3505, 3507, 3999, 4500, 4999])
def test_closes_of_the_terminal_ranges_get_one_fresh_login(code: int) -> None:
    exchange = indodax()
    once = exchange.closed(code, "force disconnect")
    assert isinstance(once, Interrupted)
    assert once.retryable
    problem = exchange.closed(code, "force disconnect")
    assert type(problem) is Refused
    assert str(code) in problem.message
    assert "force disconnect" in problem.message


def test_a_connection_that_lasted_earns_another_fresh_login() -> None:
    exchange = indodax()
    for _ in range(3):
        assert isinstance(exchange.closed(3503, "force disconnect"), Interrupted)
        streaming(exchange, "orders").after(31)


def test_a_connection_of_ours_that_is_not_yet_noticed_as_dead_may_hold_its_place() -> None:
    exchange = indodax()
    for _ in range(2):
        problem = exchange.closed(3504, "connection limit")
        assert isinstance(problem, Interrupted)
        assert problem.floor >= 30
    refusal = exchange.closed(3504, "connection limit")
    assert type(refusal) is Refused
    assert "other programs" in (refusal.hint or "")


@pytest.mark.parametrize("code", [3500, 1008])
def test_a_refused_token_is_tried_a_few_times_with_a_new_one(code: int) -> None:
    assert isinstance(indodax().closed(code, "invalid token"), TokenRefused)


def test_a_request_that_the_server_does_not_understand_is_our_bug() -> None:
    exchange = indodax()
    assert isinstance(exchange.closed(3501, "bad request"), Interrupted)
    problem = exchange.closed(3501, "bad request")
    assert problem is not None
    assert (problem.exit, problem.retryable) == (Exit.OURS, False)


def test_too_many_requests_are_waited_for() -> None:
    problem = indodax().closed(3013, "too many requests")
    assert isinstance(problem, RateLimited)
    assert problem.floor >= 10


def test_no_origin_is_sent_and_no_secret_is_in_the_address() -> None:
    handshake = indodax().handshake(Stamp(START, 0))
    assert handshake.url == "wss://pws.indodax.com/ws/?cf_ws_frame_ping_pong=true"
    assert not handshake.headers


def test_the_demo_is_an_option() -> None:
    handshake = indodax(environment="demo").handshake(Stamp(START, 0))
    assert handshake.url.startswith("wss://pws.demo-indodax.com/")
    assert Indodax.endpoints({"environment": "demo"}).rest_url == "https://demo-indodax.com"


def test_a_session_without_a_token_can_be_replayed() -> None:
    session = indodax().session(None, ALL)
    book = Playbook(session, ledger("indodax")).receives(CONNECTED, SUBSCRIBED, *STREAM)
    assert sum(isinstance(event, Trade) for event in book.told_now().events) == 2
    book.after(600).does(like(Ask)).nothing()  # which nobody answers, in a replay
