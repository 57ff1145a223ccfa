"""A row is acknowledged only after its sink took it, or a file of dead letters did."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from privstream.delivery.courier import FIRST_WAIT, IDLE, LONGEST_WAIT, Source
from privstream.delivery.dead_letters import LetterFile
from privstream.delivery.resume_file import State
from privstream.model.errors import ConfigError, OutputFailed
from privstream.outputs.sinks.base import Rejected, Retry, Row
from tests.delivery.sink_world import (
    RECEIVED,
    Delivery,
    ScriptedSink,
    keep,
    line_of,
    owed,
    state_for,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kraken.sqlite"


@pytest.fixture
def state(path: Path) -> Iterator[State]:
    with state_for(path, "hook") as state:
        yield state


def test_what_was_taken_is_acknowledged(path: Path, state: State) -> None:
    keep(state, "a", "b")
    sink = ScriptedSink()
    delivery = Delivery(path, sink)
    assert delivery.round() == 0
    assert delivery.round() == IDLE
    assert sink.given == [["a", "b"]]
    assert owed(path, "hook") == []


def test_what_was_not_taken_comes_again_from_where_it_stopped(path: Path, state: State) -> None:
    keep(state, "a", "b", "c")
    sink = ScriptedSink(Retry("no route", delivered=1), None)
    delivery = Delivery(path, sink)
    assert delivery.round() > 0
    delivery.round()
    assert sink.given == [["a", "b", "c"], ["b", "c"]]
    assert delivery.said == [
        "https://hook does not take events now, they are kept: no route",
        "https://hook takes events again",
    ]


def test_since_when_a_row_waits_is_known_where_it_is_not_taken(path: Path, state: State) -> None:
    keep(state, "a")
    delivery = Delivery(path, ScriptedSink(Retry("no route")))
    delivery.round()
    assert delivery.courier.health.oldest == RECEIVED
    delivery.round()
    delivery.round()
    assert delivery.courier.health.oldest is None


def test_a_crash_before_the_acknowledgement_makes_it_come_again(path: Path, state: State) -> None:
    class Killed(BaseException):
        pass

    class Dies(ScriptedSink):
        def deliver(self, _rows: object, /) -> None:
            raise Killed

    keep(state, "a")
    with pytest.raises(Killed):
        Delivery(path, Dies()).round()
    assert owed(path, "hook") == ["a"]


def test_attempts_wait_longer_and_longer(path: Path, state: State) -> None:
    keep(state, "a")
    delivery = Delivery(path, ScriptedSink(*(Retry("down") for _ in range(12))))
    waits = [delivery.round() for _ in range(12)]
    assert 0.8 * FIRST_WAIT <= waits[0] <= 1.2 * FIRST_WAIT
    assert all(later > earlier for earlier, later in pairwise(waits[:8]))
    assert max(waits) <= 1.2 * LONGEST_WAIT
    assert len(delivery.said) == 1, "it is said once"


def test_the_other_side_says_how_long(path: Path, state: State) -> None:
    keep(state, "a")
    assert Delivery(path, ScriptedSink(Retry("busy", after=90.0))).round() == 90.0


def test_a_row_refused_for_good_is_a_dead_letter_and_its_neighbours_go_on(
    path: Path, state: State
) -> None:
    keep(state, "a", "b", "c")
    sink = ScriptedSink(Rejected("answered 422", delivered=1, attempts=5))
    delivery = Delivery(path, sink)
    delivery.round()
    delivery.round()
    assert delivery.letters.kept == [("b", "answered 422", 5)]
    assert sink.given == [["a", "b", "c"], ["c"]]
    assert owed(path, "hook") == []


def test_a_dead_letter_that_cannot_be_written_keeps_its_row(path: Path, state: State) -> None:
    keep(state, "a")
    delivery = Delivery(path, ScriptedSink(Rejected("no", delivered=0)))
    delivery.courier._dead_letters = LetterFile(path.parent / "none" / "dead", "hook")
    with pytest.raises(OutputFailed, match="dead letters"):
        delivery.round()
    assert owed(path, "hook") == ["a"]


def test_what_a_sink_does_not_want_is_passed_over(path: Path, state: State) -> None:
    keep(state, "a")
    sink = ScriptedSink()
    Delivery(path, sink, types=("order",)).round()
    assert sink.given == []
    assert owed(path, "hook") == []


def test_what_was_delivered_makes_room(path: Path, state: State) -> None:
    keep(state, "four")
    delivery = Delivery(path, ScriptedSink())
    delivery.buffer.add(len(line_of("four")), 1)
    delivery.round()
    assert delivery.buffer.events == 0
    assert delivery.buffer.wait(0)


def test_a_bug_stops_the_sink_keeps_what_it_is_owed_and_is_raised_elsewhere(
    path: Path, state: State
) -> None:
    keep(state, "a")
    delivery = Delivery(path, ScriptedSink(OverflowError("too large")))
    delivery.courier.start()
    delivery.courier.finish(30)
    assert isinstance(delivery.courier.bug, OverflowError)
    assert not delivery.courier.health.is_up
    assert delivery.said == [
        "https://hook is stopped, what it is owed is kept: internal error: OverflowError"
    ]
    assert owed(path, "hook") == ["a"]


class Doorkeeper(ScriptedSink):
    """Says at the door whether it lets anybody in."""

    def __init__(self, answer: Exception) -> None:
        super().__init__()
        self._answer = answer

    def connect(self) -> None:
        raise self._answer


@pytest.mark.usefixtures("state")
def test_who_is_not_let_in_hears_it_before_there_is_anything_to_deliver(path: Path) -> None:
    refusal = ConfigError("https://hook does not let us in")
    delivery = Delivery(path, Doorkeeper(refusal))
    delivery.courier.start()
    delivery.courier.finish(30)
    assert delivery.courier.refusal is refusal


def test_a_door_that_is_shut_for_now_is_tried_again(path: Path, state: State) -> None:
    keep(state, "a")
    sink = Doorkeeper(Retry("no route"))
    delivery = Delivery(path, sink)
    delivery.courier.start()
    delivery.courier.finish(30)
    assert sink.given == [["a"]]


def test_what_was_taken_before_a_failure_counts_as_sent(path: Path, state: State) -> None:
    keep(state, "a", "b")
    delivery = Delivery(path, ScriptedSink(Retry("full", delivered=1)))
    delivery.round()
    assert delivery.courier.health.sent == 1


def test_a_sink_that_takes_its_time_for_each_row_is_given_fewer(path: Path, state: State) -> None:
    class Slow(ScriptedSink):
        at_once = 2

    keep(state, "a", "b", "c")
    sink = Slow()
    delivery = Delivery(path, sink)
    delivery.round()
    delivery.round()
    assert sink.given == [["a", "b"], ["c"]]


def test_a_courier_serves_accounts_that_come_later(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite"
    with state_for(path, "hook"), state_for(other, "hook") as state:
        keep(state, "a")
        sink = ScriptedSink()
        delivery = Delivery(path, sink)
        delivery.courier.start()
        delivery.courier.serve(Source(other, "kraken", "other"))
        delivery.courier.finish(30)
        assert sink.given == [["a"]]
        delivery.courier.leave("other")
        assert delivery.courier.owed("other") == 0


def test_a_thread_delivers_what_waited_and_ends(path: Path, state: State) -> None:
    keep(state, "a", "b")
    sink = ScriptedSink()
    delivery = Delivery(path, sink)
    delivery.courier.start()
    delivery.courier.finish(30)
    assert sink.given == [["a", "b"]]
    assert delivery.courier.owed() == 0


def test_a_sink_that_stops_for_good_keeps_what_it_is_owed(path: Path, state: State) -> None:
    keep(state, "a")
    delivery = Delivery(path, ScriptedSink(OutputFailed("answered 410")))
    delivery.courier.start()
    delivery.courier._thread.join()
    delivery.courier.finish(0)
    assert delivery.courier.error is not None
    assert delivery.courier.owed() == 1
    assert delivery.said == ["https://hook is stopped, what it is owed is kept: answered 410"]


def test_a_dead_letter_says_what_why_and_when(tmp_path: Path) -> None:
    row = Row("kraken", "kraken", "1", 7, "trade", "x", b'{"type":"trade"}')
    LetterFile(tmp_path / "dead.jsonl", "hook").keep(row, "answered 400", 5)
    letter = json.loads((tmp_path / "dead.jsonl").read_text())
    assert letter.pop("at")
    assert letter == {
        "event": {"type": "trade"},
        "sink": "hook",
        "why": "answered 400",
        "attempts": 5,
    }
    assert (tmp_path / "dead.jsonl").stat().st_mode & 0o777 == 0o600
