"""What an account tells goes into the stream in batches, with what is to be remembered of it."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

from privstream.delivery.ha.flow import FULL, MOST, Flow
from privstream.delivery.stream import EventBatch, Whole
from privstream.memory.journal import Note
from privstream.model.events import Notice, Source, Status
from tests.delivery.ha.shared import NS, Holder, Shared, notes
from tests.delivery.sink_world import Letters

STREAM: Source = "stream"
HEAD = ("kraken", "desk", None, None, "2026-11-20T11:32:00.000000Z", STREAM, None)


def notice(text: str) -> Notice:
    return Notice(*HEAD, "info", None, text)


def told(*texts: str, kept: list[Note] | None = None) -> EventBatch:
    return EventBatch("desk", [notice(text) for text in texts], kept or [])


class World:
    """A flow into a stream in memory."""

    async def begin(self) -> None:
        self.shared, self.letters, self.rooms = Shared(), Letters(), list[None]()
        holder = Holder(self.shared)
        await holder.open("a")
        self.flow = Flow(
            holder.publisher,
            "kraken",
            "desk",
            letters=self.letters,
            room=lambda: self.rooms.append(None),
        )

    def texts(self) -> list[str]:
        return [json.loads(line)["text"] for line in self.shared.lines("notice")]

    async def next_host(self) -> Holder:
        holder = Holder(self.shared)
        await holder.open("b")
        return holder


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to that")


def play(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 20))


def test_all_that_waits_goes_together_and_the_word_says_until_when() -> None:
    async def story() -> None:
        world = World()
        await world.begin()
        world.flow.put(told("1", "2", kept=notes("x")))
        world.flow.put(Whole("desk", NS + 7, notes("y")))
        world.flow.put(told("3"))
        world.flow.close()
        await world.flow.run()
        assert world.texts() == ["1", "2", "3"]
        assert len(world.shared.words()) == 2, "the first, and one of all this"
        after = await world.next_host()
        assert after.known() == ["x", "y"]
        assert after.publisher.memory.whole_ns == NS + 7
        assert world.flow.is_drained

    play(story())


def test_what_is_said_last_is_said_at_the_end() -> None:
    async def story() -> None:
        world = World()
        await world.begin()
        running = asyncio.create_task(world.flow.run())
        world.flow.put(Whole("desk", NS + 7, notes("y")))
        await asyncio.sleep(0)
        assert len(world.shared.words()) == 1, "a word by itself has time"
        world.flow.close()
        await running
        assert (await world.next_host()).publisher.memory.whole_ns == NS + 7

    play(story())


def test_states_of_the_connection_are_not_published_and_hold_up_nothing() -> None:
    async def story() -> None:
        world = World()
        await world.begin()
        running = asyncio.create_task(world.flow.run())
        world.flow.put(EventBatch("desk", [Status(*HEAD, "live", None, None, None)], []))
        await until(lambda: world.flow.is_drained)
        world.flow.close()
        await running
        assert [one.subject for one in world.shared.stored] == ["p.kraken.desk.word"]

    play(story())


def test_batches_are_no_larger_than_the_server_takes() -> None:
    async def story() -> None:
        world = World()
        await world.begin()
        for number in range(5):
            world.flow.put(told(*[f"{number}"] * 200))
        world.flow.close()
        await world.flow.run()
        assert len(world.texts()) == 1000
        assert len(world.shared.words()) == 4, "the first, and two times two and one"
        assert MOST >= 400

    play(story())


def test_what_is_too_large_is_a_dead_letter_and_a_notice() -> None:
    async def story() -> None:
        world = World()
        await world.begin()
        world.flow.put(told("before", "x" * (1 << 20), "after"))
        world.flow.close()
        await world.flow.run()
        first, second, third = world.texts()
        assert (first, third) == ("before", "after")
        assert "is larger than the server takes" in second
        assert "dead letters" in second
        assert len(world.letters.kept) == 1

    play(story())


def test_a_full_flow_says_so_and_one_that_is_over_takes_nothing() -> None:
    async def story() -> None:
        world = World()
        await world.begin()
        for number in range(FULL):
            world.flow.put(told(f"{number}"))
        assert world.flow.is_full
        running = asyncio.create_task(world.flow.run())
        await until(lambda: not world.flow.is_full)
        assert world.rooms
        running.cancel()
        await asyncio.wait([running])
        for number in range(FULL):
            world.flow.put(told(f"{number}"))
        assert not world.flow.is_full
        assert world.flow.is_drained

    play(story())
