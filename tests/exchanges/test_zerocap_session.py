"""Zerocap's socket, as a dialogue: greeting, subscriptions, pings, errors, prices, polling."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from privstream.exchanges.zerocap.session import ZerocapSession
from privstream.model.errors import (
    LoginRefused,
    PermissionMissing,
    RateLimited,
    Refused,
    Unavailable,
)
from privstream.model.events import Notice, Price, Trade
from privstream.model.reports import AnyReport, NoticeReport
from privstream.model.rest import Call, RestFlow
from privstream.model.session import Ask, Ready, Reconnect, Synced
from tests.playbook import Playbook, ledger, like
from tests.valid import assert_valid

PAYLOADS = Path(__file__).parents[1] / "payloads" / "zerocap"
GREETING = {"type": "message", "message": "Successfully connected."}
PING = {"type": "message", "message": "ping"}
PONG = {"type": "message", "message": "pong"}
UNAVAILABLE = {"type": "message", "message": "Price stream unavailable."}
USUAL = ("orders", "trades", "balances")
NEW_SPELLING = {"type": "price", "symbols": ["USDT/AUD", "BTC/AUD"]}


def ack(channel: str) -> dict[str, str]:
    return {"type": "message", "message": f"{channel} Subscription successful."}


def error(code: int | str, text: str) -> dict[str, Any]:
    return {"type": "error", "error_code": code, "error_message": text}


def asked(what: str) -> RestFlow[tuple[AnyReport, ...]]:
    """A flow that is never run here: which one it is shows in its call."""
    yield Call(build=lambda _: pytest.fail("not run"), name=what)
    return ()


def session(*channels: str, symbols: tuple[str, ...] = ("USDT/AUD", "BTC/AUD")) -> ZerocapSession:
    def look_up(order_ids: Iterable[str]) -> RestFlow[tuple[AnyReport, ...]]:
        return asked(" ".join(order_ids))

    return ZerocapSession(
        channels or USUAL,
        symbols,
        read_balances=lambda: asked("balances"),
        look_up=look_up,
    )


def opened(*channels: str) -> Playbook:
    return Playbook(session(*channels), ledger("zerocap")).opened()


def ready(*channels: str) -> Playbook:
    book = opened(*channels).receives(GREETING)
    wanted = channels or USUAL
    if set(wanted) & set(USUAL):
        book.receives(ack("order"))
    if "trades" in wanted:
        book.receives(ack("trade"))
    if "prices" in wanted:
        book.receives(ack("price"))
    return book.forget()


def lines(name: str) -> list[str]:
    return (PAYLOADS / name).read_text().splitlines()


# --- login -----------------------------------------------------------------------------


def test_the_server_speaks_first_and_then_one_channel_is_asked_for_after_the_other() -> None:
    book = opened().nothing().receives(GREETING).sends({"type": "order"}).nothing()
    book.receives(ack("order")).sends({"type": "trade"}).nothing()
    book.receives(ack("trade")).does(Ready(), Synced()).nothing()


def test_a_fill_has_its_fee_in_the_order_so_trades_alone_subscribe_to_orders_too() -> None:
    opened("trades").receives(GREETING, ack("order")).sends({"type": "order"}, {"type": "trade"})


def test_balances_alone_follow_the_orders() -> None:
    opened("balances").receives(GREETING).sends({"type": "order"}).nothing()


def test_whatever_the_server_says_first_is_a_greeting() -> None:
    opened("orders").receives(PONG).sends({"type": "order"}).nothing()


def test_a_greeting_that_comes_twice_subscribes_once() -> None:
    opened("orders").receives(GREETING, GREETING).sends({"type": "order"}).nothing()


def test_an_acknowledgement_of_another_channel_does_not_count() -> None:
    book = opened("orders").receives(GREETING).forget()
    book.receives(ack("trade")).nothing().receives(ack("order")).does(Ready(), Synced())


@pytest.mark.parametrize("code", [401, "401"])
def test_an_error_instead_of_the_greeting_is_a_refused_login(code: int | str) -> None:
    problem = opened().refuses(error(code, "Unauthorized"), LoginRefused)
    assert "Zerocap refuses the API key or its signature" in problem.message
    assert "api_secret" in (problem.hint or "")


@pytest.mark.parametrize(
    ("code", "text", "kind", "hint"),
    [
        (401, "encryption check is fail", LoginRefused, "api_secret"),
        ("401", "Unauthorized IP address.", PermissionMissing, "IP address"),
        (401, "invalid timestamp", LoginRefused, "clock"),
        (400, "invalid timestamp", LoginRefused, "clock"),
        (408, "timestamp expired", LoginRefused, "clock"),
        (403, "no", PermissionMissing, "rights"),
    ],
)
def test_each_refusal_says_what_to_do(
    code: int | str, text: str, kind: type[Refused], hint: str
) -> None:
    problem = opened().refuses(error(code, text), kind)
    assert text in problem.message
    assert hint in (problem.hint or "")


def test_a_refused_subscription_names_its_channel() -> None:
    book = opened().receives(GREETING, ack("order"))
    assert "trade channel" in book.refuses(error("400", "invalid message"), Refused).message


def test_a_login_that_finds_the_server_busy_or_strange_is_tried_again() -> None:
    assert opened().refuses(error(503, "later"), Unavailable).retryable
    assert opened().refuses({"type": "error", "error_message": "odd"}, Unavailable).retryable
    limited = opened().refuses(error(429, "slow down"), RateLimited)
    assert isinstance(limited, RateLimited)
    assert limited.floor >= 5


def test_a_missing_greeting_and_a_missing_acknowledgement_are_noticed() -> None:
    opened().after(9).nothing().after(2).does(
        Reconnect("silence", "no greeting within 10 s")
    ).nothing()
    opened().receives(GREETING).forget().after(9).after(2).does(
        Reconnect("silence", "no answer about the order channel within 10 s")
    )


# --- life ------------------------------------------------------------------------------


def test_it_pings_every_ten_seconds() -> None:
    book = ready("orders").after(9).nothing().after(1).sends(PING).nothing()
    book.receives(PONG).after(9.5).nothing().after(0.5).sends(PING).nothing()


def test_twenty_seconds_without_a_frame_are_a_dead_socket() -> None:
    book = ready("orders").after(10).sends(PING).after(9.9).nothing()
    book.after(0.2).does(Reconnect("silence", "no word for 20 s"))


def test_a_native_pong_and_a_word_after_it_prove_what_was_told_until_the_ping() -> None:
    book = ready("orders").after(10).sends(PING)
    assert book.pings == [b"1"]
    sent = book.now
    book.receives(PONG).after(1).nothing()
    assert book.delivered == [], "its pongs are no answers"
    book.ponged(b"1").after(1).nothing()
    assert book.delivered == []
    book.receives(PONG).after(1).nothing()
    assert book.delivered == [sent]


def test_any_frame_is_life() -> None:
    book = ready("orders")
    frames: tuple[Any, ...] = (PONG, [], "no json", {"type": "unknown"})
    for life in frames:
        book.receives(life).forget().after(15).sends(PING).nothing()


def test_a_ping_timeout_is_an_interruption_and_no_error_of_the_user() -> None:
    book = ready().receives(error(400, "ping timeout"))
    book.does(like(Reconnect, cause="silence")).nothing()


def test_a_key_that_is_withdrawn_ends_the_session() -> None:
    assert "API key" in ready().refuses(error(401, "Unauthorized"), LoginRefused).message


def test_an_error_that_refuses_nothing_is_a_notice() -> None:
    ready().receives(error("400", "invalid message")).tells(
        like(Notice, level="error", code="400", text="invalid message")
    )


def test_an_error_without_code_and_text_is_told_as_it_is() -> None:
    ready().receives({"type": "error"}).tells(like(Notice, level="error", code=None, text="error"))


def test_words_that_nobody_knows_are_a_notice_and_pongs_are_not() -> None:
    ready().receives(PONG, GREETING).nothing()
    ready().receives({"type": "message", "message": "Maintenance at noon"}).tells(
        like(Notice, level="info", text="Maintenance at noon")
    )


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "margin", "data": {}},
        {"type": "order"},
        {"type": "message", "message": ""},
        {"message": "x"},
        [1],
        "no json",
    ],
)
def test_a_frame_that_nobody_knows_is_a_notice(frame: object) -> None:
    ready().receives(frame).tells(like(Notice, level="warning", code="unrecognised"))


# --- prices ----------------------------------------------------------------------------


def test_prices_are_asked_for_all_symbols_at_once() -> None:
    book = opened("prices").receives(GREETING).sends(NEW_SPELLING).nothing()
    book.receives(ack("price")).does(Ready(), Synced()).nothing()


def test_an_old_server_is_asked_again_in_its_own_spelling_one_symbol_at_a_time() -> None:
    book = opened("prices").receives(GREETING).sends(NEW_SPELLING)
    book.receives(error("400", "invalid message"))
    book.sends({"type": "price", "symbol": "USDT/AUD"}).nothing()
    book.receives(ack("price")).sends({"type": "price", "symbol": "BTC/AUD"}).nothing()
    book.receives(ack("price")).does(Ready(), Synced()).nothing()


def test_prices_that_are_refused_in_both_spellings_are_refused() -> None:
    book = opened("prices").receives(GREETING, error(400, "invalid message"))
    assert "price channel" in book.refuses(error(400, "no symbol"), Refused).message


def test_a_quote_keeps_its_digits_and_its_order() -> None:
    book = ready("prices").receives((PAYLOADS / "price.json").read_text())
    book.tells(
        like(
            Price,
            id=None,
            time="2026-05-28T20:26:43.428347Z",
            symbol="USDT/AUD",
            bids=(("1.54990", "5000.0"), ("1.54810", "10000.0")),
            asks=(("1.55120", "5000.0"), ("1.55300", "10000.0")),
        )
    )
    assert_valid(book.events[0])


def test_unavailable_prices_hold_up_nobody_and_are_said_once() -> None:
    book = opened("orders", "prices").receives(GREETING, ack("order")).forget()
    book.receives(UNAVAILABLE)
    book.does(like(NoticeReport, code="price_stream_unavailable", level="warning"))
    book.does(Ready(), Synced()).receives(UNAVAILABLE, UNAVAILABLE).nothing()


def test_unavailable_prices_are_subscribed_anew_until_that_is_acknowledged() -> None:
    book = ready("prices").receives(UNAVAILABLE).forget()
    for _ in range(3):
        book.receives(PONG).after(15).sends(PING)
        book.receives(PONG).after(15).sends(NEW_SPELLING, PING).receives(UNAVAILABLE).nothing()
    book.receives(ack("price"))
    for _ in range(3):
        book.receives(PONG).after(15).sends(PING).nothing()


def test_prices_that_are_refused_anew_are_a_notice_for_each_symbol() -> None:
    book = ready("prices").receives(UNAVAILABLE).forget().receives(PONG).after(30).forget()
    refusal = error(400, "invalid message")
    book.receives(refusal).sends({"type": "price", "symbol": "USDT/AUD"})
    told = like(NoticeReport, level="error", text="invalid message")
    book.receives(refusal).does(told).sends({"type": "price", "symbol": "BTC/AUD"})
    book.receives(refusal).does(told).nothing().receives(refusal).does(told).nothing()


def test_unavailability_is_said_again_after_prices_came_between() -> None:
    price = (PAYLOADS / "price.json").read_text()
    book = ready("prices").receives(UNAVAILABLE, price).forget().receives(UNAVAILABLE)
    book.tells(like(Notice, code="price_stream_unavailable"))


# --- balances --------------------------------------------------------------------------


def balances_read() -> Any:
    return like(Ask, what="the balances")


def test_balances_are_read_two_seconds_after_the_last_order_event() -> None:
    order = lines("stream_new.jsonl")[0]
    book = ready().receives(order).forget().after(1.5).nothing()
    book.receives(order).forget().after(1.5).nothing().after(0.5).does(balances_read()).nothing()
    book.after(3).nothing()


def test_a_burst_of_orders_does_not_put_that_off_beyond_five_seconds() -> None:
    order = lines("stream_new.jsonl")[0]
    book = ready()
    for _ in range(4):
        book.receives(order).forget().after(1).nothing()
    book.receives(order).forget().after(1).does(balances_read()).nothing()


def test_a_fill_moves_balances_like_an_order() -> None:
    ready().receives(lines("stream_new.jsonl")[1]).forget().after(2).does(balances_read())


def test_balances_are_read_once_a_minute_because_a_deposit_is_no_order_event() -> None:
    book = ready()
    for _ in range(5):
        book.receives(PONG).after(10).sends(PING).nothing()
    book.receives(PONG).after(10).does(balances_read()).sends(PING).nothing()


def test_nothing_is_read_for_who_does_not_stream_balances() -> None:
    ready("orders").receives(lines("stream_new.jsonl")[0]).forget().after(9).nothing()


def test_a_replay_without_an_open_socket_never_dies() -> None:
    book = Playbook(session(), ledger("zerocap")).receives(*lines("stream_old.jsonl")[1:2])
    book.after(1000).forget_events().after(1000)
    book.told_now()
    assert [type(event) for event in book.events] == [Trade]
