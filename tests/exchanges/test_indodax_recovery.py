"""How Centrifugo replays what a connection of Indodax missed, and what that proves."""

from typing import Any

import pytest

from privstream.exchanges.indodax import Indodax
from privstream.model.reports import NoticeReport, OrderReport
from privstream.model.session import Ready, Reconnect, Synced
from tests.exchanges.indodax_account import (
    ALL,
    CHANNEL,
    CONNECTED,
    NEW,
    fill,
    indodax,
    opened,
    pushed,
    streaming,
)
from tests.exchanges.indodax_desk import Desk, known
from tests.exchanges.test_indodax_stream import error, subscribe
from tests.playbook import like
from tests.rest_play import answer, play

EPOCH = "AbCd"
RECOVERABLE: dict[str, Any] = {
    "id": 2,
    "subscribe": {"recoverable": True, "epoch": EPOCH, "positioned": True},
}
NOTHING = {"success": 1, "return": {"balance": {}, "balance_hold": {}, "orders": {}}}
"""What any of its questions is answered where nothing is held or open."""


def caught_up(exchange: Indodax) -> None:
    """What was missed has been read back, and everything read from here on is told."""
    body = NOTHING
    last = known(channels=("balances",), catches_up=True, second_look=True)
    play(exchange.backfill(last), lambda _call, _request: answer(body))


def left_at(offset: int) -> Indodax:
    """An exchange whose last connection told publications up to this one."""
    exchange = indodax()
    book = opened(exchange).receives(CONNECTED, RECOVERABLE)
    play(exchange.picture(ALL), lambda _call, _request: answer(NOTHING))
    for number in range(1, offset + 1):
        book.receives(pushed(NEW, offset=number))
    return exchange


def test_a_new_connection_asks_for_what_came_since() -> None:
    book = opened(left_at(2)).forget().receives(CONNECTED)
    book.sends(subscribe(recover=True, epoch=EPOCH, offset=2)).nothing()


def test_what_the_server_replays_is_stream_and_then_it_is_ready() -> None:
    exchange = left_at(1)
    book = opened(exchange).receives(CONNECTED).forget()
    replayed = pushed(fill("0.1"), offset=2)["push"]["pub"]
    reply = {"publications": [replayed], "recovered": True, "offset": 1, "was_recovering": True}
    book.receives({"id": 2, "subscribe": RECOVERABLE["subscribe"] | reply})
    book.does(
        like(object, source="stream", sequence=2, price="4000000"),
        like(OrderReport, source="stream", sequence=2),
        Ready(),
        Synced(),
    ).nothing()
    caught_up(exchange)
    again = opened(exchange).forget().receives(CONNECTED)
    again.sends(subscribe(recover=True, epoch=EPOCH, offset=2))


def test_what_stands_now_says_nothing_of_what_was_missed() -> None:
    exchange = left_at(1)
    opened(exchange).receives(CONNECTED, RECOVERABLE, pushed(NEW, offset=9))
    play(exchange.picture(ALL), lambda _call, _request: answer(NOTHING))
    again = opened(exchange).forget().receives(CONNECTED)
    again.sends(subscribe(recover=True, epoch=EPOCH, offset=1))


@pytest.mark.parametrize(
    "reply",
    [
        {"recoverable": True, "recovered": True, "offset": 1},
        {"recoverable": True, "recovered": True, "offset": 1, "epoch": ""},
        {"recoverable": True, "recovered": True, "offset": 1, "epoch": "Other"},
        {"recovered": True, "epoch": EPOCH, "offset": 1},
        {"recoverable": True, "recovered": True, "offset": "1", "epoch": EPOCH},
        {"recoverable": True, "epoch": EPOCH, "offset": 1},
    ],
)
def test_a_replay_is_believed_only_of_the_very_history_that_was_left(reply: Any) -> None:
    exchange, desk = left_at(1), Desk()
    opened(exchange).receives(CONNECTED, {"id": 2, "subscribe": reply})
    found = play(exchange.backfill(known("aaveidr", catches_up=True)), desk)
    assert not found.complete
    assert "myTrades" in desk.names()


def test_no_place_counts_before_the_second_look_at_what_was_missed() -> None:
    exchange, desk = left_at(1), Desk()
    opened(exchange).receives(CONNECTED, RECOVERABLE, pushed(NEW, offset=9))
    play(exchange.backfill(known("aaveidr", catches_up=True)), desk)
    again = opened(exchange).forget().receives(CONNECTED)
    again.sends(subscribe(recover=True, epoch=EPOCH, offset=1))


def test_no_place_counts_while_what_was_missed_may_be_read_yet() -> None:
    exchange, desk = left_at(1), Desk(myTrades=answer({"code": 1000, "error": "x"}, 503))
    opened(exchange).receives(CONNECTED, RECOVERABLE, pushed(NEW, offset=9))
    play(exchange.backfill(known("aaveidr", catches_up=True, second_look=True)), desk)
    again = opened(exchange).forget().receives(CONNECTED)
    again.sends(subscribe(recover=True, epoch=EPOCH, offset=1))


def test_with_a_history_that_is_owed_from_the_start_no_place_counts_before_it_is_read() -> None:
    exchange, desk = indodax(), Desk()
    opened(exchange).receives(CONNECTED, RECOVERABLE, pushed(NEW, offset=9))
    play(exchange.picture(ALL), desk)
    play(exchange.backfill(known("aaveidr", catches_up=True)), desk)
    opened(exchange).forget().receives(CONNECTED).sends(subscribe()).nothing()


def test_without_an_epoch_no_place_is_kept() -> None:
    exchange = indodax()
    book = opened(exchange).receives(CONNECTED, {"id": 2, "subscribe": {"recoverable": True}})
    caught_up(exchange)
    book.receives(pushed(NEW, offset=1))
    opened(exchange).forget().receives(CONNECTED).sends(subscribe()).nothing()


def test_an_audit_of_a_replayed_connection_reads_history() -> None:
    exchange, desk = left_at(1), Desk()
    reply = RECOVERABLE["subscribe"] | {"recovered": True, "offset": 1}
    opened(exchange).receives(CONNECTED, {"id": 2, "subscribe": reply})
    for second_look in (False, True):
        catch_up = known("aaveidr", catches_up=True, second_look=second_look)
        found = play(exchange.backfill(catch_up), desk)
        assert found.complete
    assert desk.names() == ["getInfo", "getInfo"]
    play(exchange.backfill(known("aaveidr")), desk)
    assert "myTrades" in desk.names()


def test_what_is_said_in_another_channel_is_not_ours() -> None:
    exchange = left_at(1)
    book = opened(exchange).receives(CONNECTED, RECOVERABLE).forget()
    caught_up(exchange)
    for offset in (900, 950):
        other = pushed(NEW, offset=offset)["push"] | {"channel": "pws:announcements"}
        book.receives({"push": other})
    gone = {"channel": "pws:announcements", "unsubscribe": {"code": 2000, "reason": "over"}}
    book.receives({"push": gone}).nothing()
    book.receives(pushed(NEW, offset=1)).does(like(OrderReport)).nothing()
    again = opened(exchange).forget().receives(CONNECTED)
    again.sends(subscribe(recover=True, epoch=EPOCH, offset=1))


@pytest.mark.parametrize("channel", [7, [], -1, {}, True])
def test_a_push_whose_channel_cannot_be_read_is_said_to_be_so(channel: object) -> None:
    other = pushed(NEW, offset=1)["push"] | {"channel": channel}
    streaming(left_at(1)).receives({"push": other}).does(
        like(NoticeReport, code="unrecognised", text="the channel of this push is no text")
    )


@pytest.mark.parametrize("forgets", ["close", "unsubscribe"])
def test_a_place_that_the_server_calls_invalid_is_dropped(forgets: str) -> None:
    exchange = left_at(3)
    if forgets == "close":
        assert exchange.closed(3014, "state invalidated") is None
    else:
        over = {"channel": CHANNEL, "unsubscribe": {"code": 2502, "reason": "invalidated"}}
        streaming(exchange).receives({"push": over}).does(like(Reconnect))
    opened(exchange).forget().receives(CONNECTED).sends(subscribe()).nothing()


def test_a_subscription_by_the_server_itself_has_its_place_too() -> None:
    exchange = indodax()
    by_server = {CHANNEL: {"recoverable": True, "epoch": EPOCH, "offset": 7}}
    connected = {"id": 1, "connect": CONNECTED["connect"] | {"subs": by_server}}
    opened(exchange).receives(connected, error(2, 105, "already subscribed"))
    caught_up(exchange)
    again = opened(exchange).forget().receives(CONNECTED)
    again.sends(subscribe(recover=True, epoch=EPOCH, offset=7))


def test_an_odd_publication_among_those_replayed_hides_no_neighbour() -> None:
    book = opened(left_at(1)).receives(CONNECTED).forget()
    good = pushed(NEW, offset=2)["push"]["pub"]
    reply = RECOVERABLE["subscribe"] | {"publications": [None, good], "recovered": True}
    book.receives({"id": 2, "subscribe": reply})
    book.does(like(NoticeReport), like(OrderReport), Ready(), Synced()).nothing()


def test_a_place_is_kept_only_once_what_was_read_has_been_told() -> None:
    exchange = left_at(1)
    opened(exchange).receives(CONNECTED, RECOVERABLE, pushed(NEW, offset=9))
    # That connection broke before anything was read back, and what it held with it.
    book = opened(exchange).forget().receives(CONNECTED)
    book.sends(subscribe(recover=True, epoch=EPOCH, offset=1))


def test_a_lost_publication_is_noticed_and_replayed_to_the_next_connection() -> None:
    exchange = left_at(1)
    book = opened(exchange).receives(CONNECTED)
    reply = RECOVERABLE["subscribe"] | {"recovered": True, "offset": 1}
    book.receives({"id": 2, "subscribe": reply}).forget()
    caught_up(exchange)
    book.receives(pushed(NEW, offset=4)).does(
        like(OrderReport), Reconnect("sequence", "publications 2 to 3 were lost")
    )
    book = opened(exchange).forget().receives(CONNECTED)
    book.sends(subscribe(recover=True, epoch=EPOCH, offset=1))


def test_a_place_that_the_server_lost_is_not_asked_for_again() -> None:
    book = opened(left_at(1)).receives(CONNECTED).forget()
    book.receives(error(2, 112, "unrecoverable position")).sends(subscribe(3))
    book.receives({"id": 3, "subscribe": {}}).does(Ready(), Synced()).nothing()


def test_without_recovery_offsets_are_followed_all_the_same() -> None:
    book = streaming().receives(pushed(NEW, offset=7), pushed(NEW, offset=8)).forget()
    book.receives(pushed(NEW, offset=10)).does(
        like(OrderReport), Reconnect("sequence", "publications 9 to 9 were lost")
    )


def test_a_hole_in_what_is_replayed_is_a_loss_too() -> None:
    book = opened(left_at(1)).receives(CONNECTED).forget()
    replayed = pushed(NEW, offset=3)["push"]["pub"]
    reply = {"publications": [replayed], "recovered": True, "offset": 3, "was_recovering": True}
    book.receives({"id": 2, "subscribe": RECOVERABLE["subscribe"] | reply})
    book.does(like(OrderReport), Reconnect("sequence", "publications 2 to 2 were lost"))


def test_a_late_repetition_does_not_move_the_place_back() -> None:
    exchange = indodax()
    book = opened(exchange).receives(CONNECTED, RECOVERABLE)
    caught_up(exchange)
    book.receives(*(pushed(NEW, offset=number) for number in (1, 2, 3, 2)))
    again = opened(exchange).forget().receives(CONNECTED)
    again.sends(subscribe(recover=True, epoch=EPOCH, offset=3))


def test_a_publication_that_comes_twice_changes_nothing() -> None:
    book = streaming().receives(pushed(NEW, fill("0.1"), offset=7)).forget_events()
    book.receives(pushed(NEW, fill("0.1"), offset=7)).tells()


@pytest.mark.parametrize("code", [2000, 2500])
def test_an_ended_subscription_takes_a_new_connection_so_that_the_gap_is_read_back(
    code: int,
) -> None:
    push = {"channel": CHANNEL, "unsubscribe": {"code": code, "reason": "server unsubscribe"}}
    streaming().receives({"push": push}).does(like(Reconnect, cause="unsubscribed"))
