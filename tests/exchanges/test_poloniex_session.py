"""Poloniex's login, acknowledgements, pings and complaints, as a dialogue."""

import json
from typing import Any

import pytest

from privstream.exchanges import find
from privstream.exchanges.poloniex import Poloniex
from privstream.exchanges.poloniex.session import login_signature
from privstream.model.account import Account, Secret
from privstream.model.errors import (
    Interrupted,
    LoginRefused,
    PrivstreamError,
    RateLimited,
    Refused,
    Unavailable,
)
from privstream.model.events import Notice
from privstream.model.reports import NoticeReport
from privstream.model.rest import Stamp
from privstream.model.session import Ready, Reconnect, Send, Synced
from privstream.settings.credentials import Environment, prefixes_in_use, variables_of
from tests.playbook import START, Playbook, ledger, like

ALL = ("orders", "trades", "balances")
ACCEPTED = {"channel": "auth", "data": {"success": True, "ts": 1780000000050}}
ORDERS = {"event": "subscribe", "channel": ["orders"], "symbols": ["all"]}
BALANCES = {"event": "subscribe", "channel": ["balances"]}
ORDERS_ACK = {"event": "subscribe", "channel": "orders", "symbols": ["ALL"]}
BALANCES_ACK = {"event": "subscribe", "channel": "balances"}
PING = {"event": "ping"}
PONG = {"event": "pong"}
SECRET = "test-secret-0001"


def exchange() -> Poloniex:
    credentials = {"api_key": Secret("KEY-0001"), "api_secret": Secret(SECRET)}
    return Poloniex(Account("poloniex", "poloniex", credentials, Poloniex.endpoints({})))


def opened(*channels: str) -> Playbook:
    session = exchange().session(None, channels or ALL)
    return Playbook(session, ledger("poloniex")).opened()


def ready(*channels: str) -> Playbook:
    return opened(*channels).receives(ACCEPTED, ORDERS_ACK, BALANCES_ACK).forget()


def error(text: str) -> dict[str, str]:
    return {"event": "error", "message": text}


# --- login -----------------------------------------------------------------------------


def test_the_login_is_signed_as_the_sdk_computes_it() -> None:
    known = "TNQmkfJAXX9nkHU5dfImBu7qpV57HWfblonrJw4DDYw="
    assert login_signature(Secret(SECRET), "1700000000123") == known


def test_the_login_is_the_first_word_and_the_only_one_until_it_is_answered() -> None:
    signed = login_signature(Secret(SECRET), "1780000000000")
    params = {"key": "KEY-0001", "signTimestamp": 1780000000000, "signature": signed}
    login = {"event": "subscribe", "channel": ["auth"], "params": params}
    opened().sends(login).nothing()


def test_a_recording_of_the_login_holds_neither_key_nor_signature() -> None:
    [login] = exchange().session(None, ALL).open(Stamp(START, 0))
    assert isinstance(login, Send)
    signed = json.loads(login.text)["params"]["signature"]
    shown = login.shown or ""
    assert "signTimestamp" in shown
    assert not [secret for secret in ("KEY-0001", SECRET, signed) if secret in shown]


def test_only_an_accepted_login_is_followed_by_the_subscriptions() -> None:
    opened().forget().receives(ACCEPTED).sends(ORDERS, BALANCES).nothing()


def test_fills_come_with_the_channel_orders() -> None:
    opened("trades").forget().receives(ACCEPTED).sends(ORDERS).nothing()
    opened("balances").forget().receives(ACCEPTED).sends(BALANCES).nothing()


def test_a_second_success_does_not_subscribe_again() -> None:
    opened().receives(ACCEPTED).forget().receives(ACCEPTED).nothing()


@pytest.mark.parametrize("success", [False, None, "true", 1, 0])
def test_a_login_without_a_plain_success_is_refused_with_a_word_about_the_clock(
    success: object,
) -> None:
    answer = {"data": {"success": success, "message": "Authentication failed!"}, "channel": "auth"}
    problem = opened().refuses(answer, LoginRefused)
    assert problem.message == "Poloniex refuses the login: Authentication failed!"
    assert "clock" in (problem.hint or "")
    assert SECRET not in repr(problem) + str(problem.hint)


def test_an_error_instead_of_the_login_is_a_refused_login() -> None:
    problem = opened().refuses(error("Error Message"), LoginRefused)
    assert not problem.retryable


@pytest.mark.parametrize(
    "text", ["System Error", "Service busy", "Internal accounts error", "Internal Server Error"]
)
def test_a_passing_fault_at_the_login_is_waited_for(text: str) -> None:
    answer = {"channel": "auth", "data": {"success": False, "message": text}}
    for frame in (error(text), answer):
        assert opened().refuses(frame, Unavailable).retryable


def test_an_error_in_the_other_spelling_is_as_final() -> None:
    problem = opened().refuses({"event": "error", "msg": "Error Message"}, LoginRefused)
    assert problem.message == "Poloniex refuses the login: Error Message"
    answer = {"channel": "auth", "data": {"success": False, "msg": "No such key"}}
    assert "No such key" in opened().refuses(answer, LoginRefused).message


def test_maintenance_at_the_login_is_waited_for() -> None:
    problem = opened().refuses(error("Platform in maintenance mode"), Unavailable)
    assert isinstance(problem, Unavailable)
    assert (problem.cause, problem.floor) == ("maintenance", 5.0)


# --- acknowledgements ------------------------------------------------------------------


def test_it_is_ready_when_every_channel_is_acknowledged_by_itself_in_any_order() -> None:
    book = opened().receives(ACCEPTED).forget().receives(BALANCES_ACK).nothing()
    book.receives(ORDERS_ACK).does(Ready(), Synced()).nothing()


def test_an_acknowledgement_without_symbols_and_in_other_letters_is_one() -> None:
    book = opened("orders").receives(ACCEPTED).forget()
    book.receives({"channel": "ORDERS", "event": "Subscribe"}).does(Ready(), Synced()).nothing()


def test_being_acknowledged_twice_is_being_ready_once() -> None:
    ready().receives(ORDERS_ACK, BALANCES_ACK).nothing()


def test_a_refused_subscription_names_what_waits_for_its_acknowledgement() -> None:
    book = opened().receives(ACCEPTED, ORDERS_ACK).forget()
    problem = book.refuses(error('Invalid channel value ["balances"]'), Refused)
    assert "the subscription to balances" in problem.message
    assert not problem.retryable


def test_a_login_that_the_exchange_forgot_is_tried_again() -> None:
    book = opened().receives(ACCEPTED).forget()
    assert book.refuses(error("user must be authenticated!"), Interrupted).retryable


def test_a_login_that_is_never_answered_is_noticed() -> None:
    book = opened().forget().after(9).nothing().after(2)
    book.does(Reconnect("silence", "no answer to the login within 10 s"))


def test_a_missing_acknowledgement_is_noticed_and_named_though_pongs_come() -> None:
    book = opened().receives(ACCEPTED, BALANCES_ACK, PONG).forget().after(11)
    text = (
        "no answer to the subscription to orders (the channel orders serves 5 connections "
        "per user: are there others?) within 10 s"
    )
    book.does(Reconnect("silence", text))


def test_a_channel_that_the_exchange_ends_is_no_quiet_account() -> None:
    end = {"channel": "orders", "event": "unsubscribe", "symbols": ["all"]}
    ready().receives(end).does(like(Reconnect, cause="unsubscribed"))


# --- life ------------------------------------------------------------------------------


def test_a_ping_goes_out_well_inside_of_the_thirty_seconds() -> None:
    ready().after(9).nothing().after(1).sends(PING).nothing()


def test_a_pong_is_life_and_the_next_ping_follows_in_its_time() -> None:
    book = ready().after(10).sends(PING).receives(PONG).nothing()
    book.after(9).nothing().after(1).sends(PING).nothing()


def test_a_pong_proves_what_was_told_until_its_ping() -> None:
    book = ready().after(10).sends(PING)
    sent = book.now
    book.receives(PONG).after(3).nothing()
    assert book.delivered == [sent]


def test_a_quiet_account_is_alive_as_long_as_pongs_come() -> None:
    book = ready()
    for _ in range(50):
        book.after(10).sends(PING).receives(PONG).nothing()


def test_a_pong_that_does_not_come_ends_the_connection() -> None:
    book = ready().after(10).sends(PING).listens(8).nothing().after(0.5)
    book.does(Reconnect("silence", "no answer to a ping within 8 s")).nothing()


def test_data_is_no_pong_since_what_hides_a_pong_hides_fills_too() -> None:
    book = ready().after(10).sends(PING).receives({"channel": "orders", "data": []})
    book.listens(8).after(0.5).does(like(Reconnect, cause="silence"))


def test_what_came_before_the_ping_is_no_answer_to_it() -> None:
    book = ready().after(9.9).receives({"channel": "orders", "data": []}).after(0.1)
    book.sends(PING).listens(8).after(0.5).does(like(Reconnect, cause="silence"))


def test_after_a_sleep_the_session_is_known_to_have_ended() -> None:
    ready().after(45).does(like(Reconnect, cause="silence")).nothing()


# --- complaints ------------------------------------------------------------------------


def test_a_complaint_in_the_stream_is_told_and_ends_the_connection() -> None:
    book = ready()
    assert book.refuses(error("Error Message"), Interrupted).retryable
    book.tells(like(Notice, level="error", code="error", text="Error Message"))


def test_maintenance_in_the_stream_is_waited_for_by_its_name() -> None:
    problem = ready().refuses(error("Platform in maintenance mode"), Unavailable)
    assert isinstance(problem, Unavailable)
    assert problem.cause == "maintenance"


def test_too_many_messages_is_waited_for() -> None:
    problem = ready().refuses(error("Too many requests"), RateLimited)
    assert isinstance(problem, RateLimited)
    assert problem.floor >= 5


def test_a_replay_of_refusals_tells_them_and_goes_on() -> None:
    refused = {"channel": "auth", "data": {"success": False, "message": "Authentication failed!"}}
    book = Playbook(exchange().session(None, ALL), ledger("poloniex"))
    book.receives(refused, error("user must be authenticated!")).tells(
        like(Notice, code="auth", level="error"), like(Notice, code="error", level="error")
    )
    book.receives({"channel": "orders", "event": "unsubscribe"}).nothing()
    book.after(60).nothing()


@pytest.mark.parametrize(
    "frame",
    [
        {"event": "welcome"},
        {"channel": "candles", "data": []},
        {"channel": "orders", "data": "1"},
        {"channel": "orders"},
        {"id": "7", "data": [{"code": 200}]},
        ["orders"],
        "no JSON",
        {"event": ["error"]},
    ],
)
def test_what_is_not_known_is_a_notice_with_the_frame_in_it(frame: Any) -> None:
    ready().receives(frame).does(like(NoticeReport, code="unrecognised", element=frame)).nothing()


# --- the exchange itself ---------------------------------------------------------------


def test_it_is_found_by_its_name_and_dials_the_private_socket() -> None:
    assert find("poloniex") is Poloniex
    handshake = exchange().handshake(Stamp(START, 0))
    assert (handshake.url, handshake.headers) == ("wss://ws.poloniex.com/ws/private", {})


def test_its_variables_may_begin_with_polo() -> None:
    environment = Environment({"POLO_API_KEY": "k", "POLO_API_SECRET": "s"})
    assert prefixes_in_use(Poloniex, environment) == ("POLO",)
    assert variables_of(Poloniex, "POLO")["api_secret"] == "POLO_API_SECRET"


def test_the_public_socket_is_refused_as_ws_url() -> None:
    places = Poloniex.endpoints({})
    Poloniex.check_endpoints(places, {})
    public = type(places)(places.rest_url, "wss://ws.poloniex.com/ws/public")
    with pytest.raises(PrivstreamError, match="no private channels"):
        Poloniex.check_endpoints(public, {})
