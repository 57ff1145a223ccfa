"""An account begins here when our word is in the stream, and ends before another host may have it."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from privstream.delivery.ha import held_accounts
from privstream.delivery.ha.held_accounts import HeldAccounts
from privstream.delivery.ha.lease import Terms
from privstream.delivery.ha.lease_keeper import SETTLE
from privstream.delivery.ha.ports import Stored
from privstream.delivery.stream import EventBatch
from privstream.model.account import Account, Endpoints
from privstream.model.errors import PrivstreamError
from privstream.model.events import Notice
from tests.delivery.ha.shared import SUBJECT, Holder, Shared
from tests.delivery.ha.test_flow import notice
from tests.delivery.sink_world import Letters

DESK = Account("desk", "kraken", {}, Endpoints("https://kraken.example", "wss://kraken.example"))
TERMS = Terms(20.0)


class World:
    """A host without a service: what it would add and remove is written down."""

    def __init__(self, shared: Shared, me: str = "a") -> None:
        self.shared, self.now = shared, 100.0
        self.deeds: list[str] = []
        self.said: list[str] = []
        self.failed: list[PrivstreamError] = []
        self.work: list[Callable[[], None]] = []
        self.held = HeldAccounts(
            shared,
            "p",
            me,
            TERMS,
            self,
            letters=Letters(),
            room=lambda: None,
            now=lambda: self.now,
            say=self.said.append,
            fail=self.failed.append,
        )
        self.held.follow([DESK])

    def add(self, account: Account, /) -> None:
        self.deeds.append(f"add {account.name}")

    def remove(self, name: str, /) -> None:
        self.deeds.append(f"remove {name}")

    def do(self, work: Callable[[], None], /) -> None:
        self.work.append(work)

    async def look(self, rounds: int = SETTLE + 2) -> None:
        for _ in range(rounds):
            self.now += 0.5
            await self.held.keeper.round()
        await self.settle()

    async def settle(self) -> None:
        for _ in range(50):
            await asyncio.sleep(0)

    async def end(self) -> None:
        for flow in self.held.flows.values():
            flow.close()  # as the service does before
        await self.held.end()

    def tell(self, text: str) -> None:
        self.held.flows["desk"].put(EventBatch("desk", [notice(text)], []))


def play(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 20))


def texts(shared: Shared) -> list[str]:
    return [json.loads(line)["text"] for line in shared.lines("notice")]


def test_an_account_is_streamed_once_its_first_word_is_in() -> None:
    async def story() -> None:
        world = World(Shared())
        await world.look()
        assert world.deeds == ["add desk"]
        assert len(world.shared.words()) == 1
        [(account, flow)] = world.held.begun.values()
        assert account == DESK
        assert flow.publisher.memory.is_new
        assert world.held.takeovers == {}
        world.tell("1")
        await world.settle()
        assert texts(world.shared) == ["1"]
        await world.end()

    play(story)


def test_the_word_of_another_host_ends_it_at_once() -> None:
    async def story() -> None:
        world = World(Shared())
        await world.look()
        other = Holder(world.shared)
        await other.open("b")
        world.tell("1")
        await world.settle()
        assert world.deeds == ["add desk", "remove desk"]
        assert texts(world.shared) == []
        assert world.held.fenced == {"desk": world.now}
        assert world.said[-1] == "desk: this host streams it no more: b streams it"
        assert json.loads(world.shared.keys["account.desk"].body)["holder"] == ""
        await world.end()

    play(story)


def test_a_lease_that_is_over_ends_it_whatever_the_engine_does() -> None:
    async def story() -> None:
        world = World(Shared())
        await world.look()
        world.shared.is_there = False
        world.now += 18.1
        world.held.keeper.expire()
        assert world.deeds == ["add desk", "remove desk"]
        world.tell("1")
        await world.settle()
        world.shared.is_there = True
        await world.look()
        assert texts(world.shared) == []
        assert world.deeds[2:] == ["add desk"], "it takes its own again"
        assert world.held.takeovers == {"desk": 1}
        await world.end()

    play(story)


def test_at_the_end_everything_is_told_and_given_back() -> None:
    async def story() -> None:
        world = World(Shared())
        await world.look()
        world.tell("1")
        await world.end()
        assert texts(world.shared) == ["1"]
        assert json.loads(world.shared.keys.pop("account.desk").body)["holder"] == ""
        assert world.shared.keys == {}
        assert world.shared.is_closed

    play(story)


def test_an_engine_that_is_not_there_yet_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_accounts, "AGAIN", 0.0)

    async def story() -> None:
        world = World(Shared())
        world.shared.is_there = False
        await world.held.begin()
        assert world.held.missing == "away"
        assert world.said == ["away: it is tried again"]
        world.shared.is_there = True
        while world.held.missing is not None:  # noqa: ASYNC110 - it says no more
            await asyncio.sleep(0)
        await world.end()

    play(story)


def test_words_that_are_gone_are_told_of() -> None:
    async def story() -> None:
        shared = Shared()
        first = Holder(shared)
        await first.open("b")
        await first.tell("x")
        await first.tell("y")
        await shared.purge(f"{SUBJECT}.word", shared.words()[-1].sequence)
        world = World(shared)
        await world.look()
        [told] = [json.loads(line) for line in shared.lines("notice")]
        assert (told["level"], told["code"]) == ("error", "memory_lost")
        assert set(told) == {"type", *Notice.__struct_fields__} - {"raw"}
        await world.end()

    play(story)


def test_what_nobody_understands_is_left_to_others() -> None:
    async def story() -> None:
        world = World(Shared())
        await Holder(world.shared).open("b")
        [word] = world.shared.words()
        world.shared.stored = [type(word)(word.subject, word.sequence, b"\xc1")]
        await world.look()
        [error] = world.failed
        assert "is damaged" in error.message
        assert (error.exchange, error.account) == ("kraken", "desk")
        await world.look()
        assert len(world.failed) == 1, "it is not tried again here"
        await world.end()

    play(story)


def test_an_account_that_leaves_the_config_while_it_begins_does_not() -> None:
    async def story() -> None:
        world = World(Shared())
        world.shared.faults = ["away"]  # its first word waits for a moment
        await world.look()
        assert world.held.keeper.leases["desk"].is_ours
        world.held.follow([])
        await asyncio.wait(world.held._tasks.values())
        assert "add desk" not in world.deeds
        assert json.loads(world.shared.keys["account.desk"].body)["holder"] == ""
        await world.look()
        assert "add desk" not in world.deeds
        await world.end()

    play(story)


def test_a_bug_ends_the_service() -> None:
    async def story() -> None:
        world = World(Shared())

        async def last(subject: str) -> Stored | None:
            raise ZeroDivisionError(subject)

        world.shared.last = last  # type: ignore[method-assign]  # a bug that is not there
        await world.look()
        work = world.work[0]
        with pytest.raises(ZeroDivisionError):
            work()
        await world.end()

    play(story)
