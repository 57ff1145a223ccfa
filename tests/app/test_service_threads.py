"""Whether the threads turn: an exchange or a sink that is away is no reason to be restarted."""

from typing import Any

import pytest

from privstream.app.service_threads import MAIN_STUCK, STUCK, Threads
from privstream.delivery.courier import Courier
from privstream.delivery.spool import Buffer
from privstream.delivery.stream import Turns
from privstream.model.errors import OutputFailed
from tests.delivery.sink_world import ScriptedSink


class World:
    """Threads whose counts are set by hand, and a clock too."""

    def __init__(self) -> None:
        self.now, self.turns = 1000.0, {"desk": Turns(0, 0.0)}
        letters: Any = None
        self.courier = Courier(
            "hook",
            ScriptedSink(),
            [],
            Buffer("hook", 100, "block"),
            wanted=lambda _row: True,
            dead_letters=letters,
            say=lambda _text: None,
            where="https://hook",
            patience=15.0,
        )
        self.threads = Threads(
            lambda: self.turns, lambda: [self.courier], monotonic=lambda: self.now
        )
        self.threads.look()

    def later(self, seconds: float, *, sink_turns: bool = True) -> bool:
        self.now += seconds
        self.courier.turns += sink_turns
        return self.threads.look()


@pytest.fixture
def world() -> World:
    return World()


def test_a_count_that_rises_is_a_thread_that_turns(world: World) -> None:
    for count in range(1, 5):
        world.turns["desk"] = Turns(count, 0.0)
        assert world.later(STUCK - 1)


def test_a_count_that_stands_still_is_a_thread_that_hangs(world: World) -> None:
    assert world.later(STUCK - 1)
    assert not world.later(1)
    assert world.threads.stuck() == ["account desk"]
    world.turns["desk"] = Turns(1, 0.0)
    assert world.later(1)


def test_who_waits_on_purpose_does_not_hang_until_he_has_waited_enough(world: World) -> None:
    world.turns["desk"] = Turns(0, world.now + 3600)
    assert world.later(3600 + STUCK - 1)
    assert not world.later(1)


def test_an_account_that_has_left_is_forgotten(world: World) -> None:
    world.turns.clear()
    assert world.later(STUCK)


def test_a_sink_may_wait_for_its_answers(world: World) -> None:
    world.turns.clear()
    assert world.later(STUCK, sink_turns=False)
    assert not world.later(2 * 10 * 15, sink_turns=False)
    assert world.threads.stuck() == ["sink hook"]


def test_a_sink_that_has_stopped_for_good_is_another_matter(world: World) -> None:
    world.turns.clear()
    world.courier.error = OutputFailed("it wants no more")
    assert world.later(10 * STUCK, sink_turns=False)


def test_a_main_thread_that_does_not_look_hangs(world: World) -> None:
    world.now += MAIN_STUCK
    assert world.threads.stuck() == ["main"]
