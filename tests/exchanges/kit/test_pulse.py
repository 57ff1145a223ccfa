"""A connection's pings, signs of life, and what an answer proves."""

from collections.abc import Iterator
from math import inf
from typing import Any, Self

from privstream.exchanges.kit.pulse import LISTEN, LISTENING, Pulse, Rhythm, native_ping
from privstream.model.rest import Now
from privstream.model.session import TICK, Delivered, Ping, Reconnect, Send
from tests.playbook import START


def rhythm(**changes: Any) -> Rhythm:
    return Rhythm(**{"every": 5.0, "login": 10.0, "silence": 10.0, **changes})


def text_ping(number: int) -> Iterator[Send]:
    yield Send(f"ping {number}")


class Beats:
    """A pulse by a clock that a test advances."""

    def __init__(self, **changes: Any) -> None:
        self.pulse = Pulse(rhythm(**changes), text_ping)
        every = self.pulse.rhythm.every
        self.pulse.opened(Now(START.wall_ns - int(every * 1e9), START.monotonic - every))
        self.now = START
        """The first ping is due."""
        self.awaited: str | None = None

    def after(self, seconds: float) -> Self:
        self.now = Now(self.now.wall_ns + int(seconds * 1e9), self.now.monotonic + seconds)
        return self

    def feels(self) -> Self:
        self.pulse.felt(self.now)
        return self

    def does(self, *expected: object) -> Self:
        assert list(self.pulse.check(self.now, self.awaited)) == list(expected)
        return self

    def is_answered(self, number: object = None) -> Self:
        self.pulse.answered(number)
        return self


def test_an_answer_proves_what_was_told_until_its_ping_was_sent() -> None:
    beats = Beats().does(Send("ping 1"))
    beats.after(3).feels().is_answered(1).does(Delivered(START)).does()


def test_an_old_answer_in_a_backlog_proves_no_more_than_its_ping() -> None:
    beats = Beats(silence=inf).does(Send("ping 1")).after(120).does(Send("ping 2"))
    beats.is_answered(1).does(Delivered(START))


def test_one_answer_answers_the_pings_before_it() -> None:
    beats = Beats(silence=inf).does(Send("ping 1")).after(5).does(Send("ping 2"))
    sent = beats.now
    beats.after(1).is_answered(2).does(Delivered(sent)).is_answered(1).does()


def test_answers_without_a_number_answer_one_ping_each_the_oldest_first() -> None:
    beats = Beats(silence=inf).does(Send("ping 1")).after(5).does(Send("ping 2"))
    second = beats.now
    beats.is_answered().does(Delivered(START)).is_answered().does(Delivered(second))
    beats.is_answered().does()


def test_an_answer_that_nothing_asked_for_proves_nothing() -> None:
    for number in (None, 7, "1", [1]):
        Beats().is_answered(number).does(Send("ping 1")).after(1).does()
    beats = Beats().does(Send("ping 1")).is_answered("1").is_answered(0).is_answered(2)
    beats.after(1).does()


def test_where_answers_prove_the_socket_only_a_sign_of_the_channel_must_follow() -> None:
    beats = Beats(needs_sign=True).does(Send("ping 1")).feels()
    beats.after(1).is_answered(1).does().after(1).feels().does(Delivered(START))


def test_nothing_is_pinged_before_the_login_is_through() -> None:
    beats = Beats()
    beats.awaited = "answer"
    beats.after(4).does().after(2).does(Reconnect("silence", "no answer within 10 s"))


def test_silence_is_counted_from_the_last_sign_of_life() -> None:
    beats = Beats(every=8.0).does(Send("ping 1")).feels().after(7).does().feels()
    beats.after(11).does(Reconnect("silence", "no heartbeat for 10 s"))


def test_an_answer_that_stays_away_ends_the_connection() -> None:
    beats = Beats(every=60.0, answer=4.0, silence=inf).does(Send("ping 1"))
    for _ in range(4):
        beats.after(1).does()
    beats.after(1).does(Reconnect("silence", "no answer to a ping within 4 s"))


def test_time_in_which_we_did_not_listen_is_not_the_exchanges_silence() -> None:
    beats = Beats(every=60.0, answer=4.0, silence=inf).does(Send("ping 1"))
    beats.after(50).does().is_answered().does(Delivered(START))


def test_who_said_nothing_for_too_long_is_not_heard_any_more() -> None:
    beats = Beats(patience=30.0, silence=inf).does(Send("ping 1")).is_answered()
    [fault] = Pulse.check(beats.pulse, beats.after(31).now)
    assert fault == Reconnect("silence", "we said nothing for 31 s: the session has ended")


def test_in_maintenance_silence_is_no_fault_for_a_while_and_then_has_its_cause() -> None:
    beats = Beats().does(Send("ping 1"))
    assert beats.pulse.pause(beats.now, 60)
    assert not beats.pulse.pause(beats.now, 60)
    beats.after(59).does().after(2).does(Reconnect("maintenance", "no heartbeat for 10 s"))


def test_what_was_never_opened_never_dies() -> None:
    pulse = Pulse(rhythm(), text_ping)
    pulse.answered(1)
    pulse.ponged(b"1")
    assert not pulse.is_live
    assert list(pulse.check(Now(0, 10_000.0))) == []


def test_a_native_ping_is_answered_by_its_own_payload() -> None:
    pulse = Pulse(rhythm(), lambda number: [native_ping(number)])
    pulse.opened(Now(START.wall_ns, START.monotonic - 5))
    assert list(pulse.check(START)) == [Ping(b"1")]
    for foreign in (None, b"", b"x", b"2", "²".encode()):
        pulse.ponged(foreign)
        assert list(pulse.check(START)) == []
    pulse.ponged(b"1")
    assert list(pulse.check(START)) == [Delivered(START)]


def listened(beats: Beats, seconds: int) -> Beats:
    """So many seconds in which we looked at the clock, and the next ping is not due."""
    for _ in range(seconds):
        beats.after(1).feels()
        assert not [did for did in beats.pulse.check(beats.now) if not isinstance(did, Send)]
    return beats


def test_an_answer_that_may_overtake_proves_what_came_before_the_ping_before() -> None:
    beats = Beats(overtakes=True).does(Send("ping 1")).is_answered(1).does()
    listened(beats, 5).is_answered(2).does(Delivered(START))


def test_what_was_not_drained_meanwhile_is_not_proven_by_it() -> None:
    beats = Beats(overtakes=True, silence=inf).does(Send("ping 1")).is_answered(1).does()
    # A reader held us up: what waited at the exchange before the first ping may wait still.
    beats.after(300).does(Send("ping 2")).is_answered(2).does()
    second = beats.now
    listened(beats, 5).is_answered(3).does(Delivered(second))


def test_it_may_be_left_alone_until_its_next_ping_is_due() -> None:
    beats = Beats(silence=inf).does(Send("ping 1"))
    assert beats.pulse.patience(beats.now) == LISTEN
    beats.after(4.25).does()
    assert beats.pulse.patience(beats.now) == 0.75
    assert LISTEN < LISTENING, "what nobody looked at would count as absence"


def test_it_is_looked_at_often_while_it_may_not_ping() -> None:
    beats = Beats(silence=inf)
    beats.awaited = "acknowledgement"
    beats.does()
    assert beats.pulse.patience(beats.now) == TICK
    beats.awaited = None
    beats.does(Send("ping 1")).pulse.pause(beats.now, 60)
    assert beats.after(30).pulse.patience(beats.now) == TICK
