"""A service streams accounts that come and go; each sink gets all that they tell, once."""

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from privstream.app.assembly import Wanted
from privstream.app.service import Service
from privstream.app.service_sinks import Sinks
from privstream.delivery.signals import Stop
from privstream.model.account import Account
from privstream.model.errors import Exit, OutputFailed, PrivstreamError
from privstream.model.events import AnyEvent, Status
from privstream.model.times import to_nanos
from privstream.outputs.sinks.base import Retry
from privstream.outputs.sinks.sqlite import SqliteSink
from privstream.settings.sinks import from_command_line
from privstream.simulator.server import Simulation
from tests.outside import environment

LONG = 30.0
"""Seconds that sinks may take; none does."""


@pytest.fixture
def simulation() -> Iterator[Simulation]:
    with Simulation(["kraken", "poloniex"], rate=100.0) as served:
        yield served


class Script:
    """Does things as events come: `at` so many of an account's, the steps one after the other."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.ids: list[str] = []
        self.said: list[str] = []
        self.looking: Callable[[], object] = bool
        self.live_ns = 0
        self.when_live: Callable[[], object] = bool
        self.when_ended: dict[str, Callable[[], None]] = {}
        self._steps: list[tuple[str, int, Callable[[], None]]] = []

    def at(self, account: str, count: int, deed: Callable[[], None]) -> None:
        """Once it has told so many more since the step before."""
        self._steps.append((account, count, deed))

    def began(self, account: str, _exchange: str, /) -> None:
        self.said.append(f"{account} began")

    def take(self, account: str, events: Sequence[AnyEvent], /) -> None:
        self.seen[account] += sum(event.id is not None for event in events)
        self.ids += [event.id for event in events if event.id is not None]
        for event in events:
            if isinstance(event, Status) and event.state == "live":
                self.live_ns = to_nanos(event.received)
                self.when_live()
        if self._steps and self.seen[self._steps[0][0]] >= self._steps[0][1]:
            _, _, deed = self._steps.pop(0)
            self.seen.clear()
            deed()

    def ended(self, account: str, error: PrivstreamError | None, /) -> None:
        self.said.append(f"{account} ended" + (f": {error.exit.name}" if error else ""))
        if deed := self.when_ended.get(account):
            deed()

    def look(self) -> None:
        self.looking()


class World:
    """A service with one SQLite sink, in a folder of its own."""

    def __init__(self, folder: Path, simulation: Simulation) -> None:
        self.stop, self.script, self.path = Stop(), Script(), folder / "e.db"
        variables = {"HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")}
        self.environment = environment(variables, self.stop)
        self.simulation = simulation
        wanted = Wanted()
        self.sinks = Sinks(self.environment, wanted, simulated="test")
        self.put()
        self.service = Service(
            self.environment,
            self.sinks,
            wanted,
            observers=[self.script],
            is_simulated=True,
        )

    def put(self) -> None:
        self.sinks.put(from_command_line(f"sqlite:{self.path}"), SqliteSink(self.path))

    def account(self, name: str) -> Account:
        return self.simulation.account(name, {})

    def run(self) -> Exit:
        code = self.service.run()
        self.sinks.finish(LONG)
        return code

    def kept(self) -> list[str]:
        tables = ("orders", "trades", "balances", "positions")
        with closing(sqlite3.connect(self.path)) as database:
            rows = [database.execute(f"SELECT id FROM {table}") for table in tables]  # noqa: S608 - our own names
            return sorted(found for of_table in rows for (found,) in of_table)


@pytest.fixture
def world(tmp_path: Path, simulation: Simulation) -> World:
    return World(tmp_path, simulation)


def test_accounts_come_and_go_and_the_sink_has_all_of_both(world: World) -> None:
    service, script = world.service, world.script
    service.add(world.account("kraken"))
    script.at("kraken", 5, lambda: service.add(world.account("poloniex")))
    script.at("poloniex", 5, lambda: service.remove("kraken"))
    script.at("poloniex", 5, lambda: service.add(world.account("kraken")))
    script.at("kraken", 5, world.stop.tell)
    assert world.run() == Exit.DONE
    assert script.said[:4] == ["kraken began", "poloniex began", "kraken ended", "kraken began"]
    assert world.kept() == sorted(script.ids)
    assert len(set(script.ids)) == len(script.ids)


def test_whoever_removes_an_account_hears_when_all_of_it_is_kept(world: World) -> None:
    service, script = world.service, world.script
    heard: list[list[str]] = []

    def gone() -> None:
        heard.append(list(service.names))
        world.stop.tell()

    service.add(world.account("kraken"))
    script.at("kraken", 5, lambda: service.remove("kraken", gone))
    world.run()
    assert heard == [[]]


def test_an_account_in_place_of_its_former_self_goes_on_where_that_stopped(world: World) -> None:
    service, script = world.service, world.script
    service.add(world.account("kraken"))
    script.at("kraken", 5, lambda: service.add(world.account("kraken")))
    script.at("kraken", 5, world.stop.tell)
    world.run()
    assert script.said[:3] == ["kraken began", "kraken ended", "kraken began"]
    assert len(set(script.ids)) == len(script.ids)


def test_an_account_refused_for_good_leaves_the_others_alone(world: World) -> None:
    service, script = world.service, world.script
    world.simulation.exchanges["kraken"].refuse("key")
    service.add(world.account("kraken"))
    script.when_ended["kraken"] = lambda: service.add(world.account("poloniex"))
    script.at("poloniex", 5, world.stop.tell)
    assert world.run() == Exit.REFUSED
    assert script.said[:3] == ["kraken began", "kraken ended: REFUSED", "poloniex began"]


def test_a_service_of_which_every_account_was_refused_ends_by_itself(world: World) -> None:
    world.simulation.exchanges["kraken"].refuse("key")
    world.service.add(world.account("kraken"))
    assert world.run() == Exit.REFUSED


def test_a_sink_that_is_taken_out_gets_what_it_was_owed_until_then(world: World) -> None:
    service, script = world.service, world.script
    [name] = world.sinks.served
    without: list[int] = []

    def drop() -> None:
        world.sinks.drop(name)
        without.append(len(script.ids))

    def put_back() -> None:
        world.put()
        without.append(len(script.ids))

    service.add(world.account("kraken"))
    script.at("kraken", 5, drop)
    script.at("kraken", 5, put_back)
    script.at("kraken", 5, world.stop.tell)
    world.run()
    first, last = without
    assert world.kept() == sorted(script.ids[:first] + script.ids[last:])


class Never:
    """A sink that takes nothing."""

    def deliver(self, _rows: Any, /) -> None:
        raise Retry("no route")

    def close(self) -> None:
        """Nothing is held."""


def test_a_sink_that_blocks_the_stream_can_be_taken_out(world: World) -> None:
    tiny = structs.replace(from_command_line("https://hook.example/"), name="never", max_size=1)
    service, script = world.service, world.script
    world.sinks.put(tiny, Never())

    def look() -> None:
        if not world.sinks.has_room(0.0):  # from here on nothing is taken any more
            world.sinks.drop("never")
            script.at("kraken", 5, world.stop.tell)

    script.looking = look
    service.add(world.account("kraken"))
    assert world.run() == Exit.DONE
    assert world.kept() == sorted(script.ids)


@pytest.fixture
def slowly() -> Iterator[Simulation]:
    """So that reading back is quick."""
    with Simulation(["poloniex"], rate=10.0) as served:
        yield served


def test_a_full_disk_ends_it_and_the_next_run_loses_nothing(
    tmp_path: Path, slowly: Simulation
) -> None:
    first = World(tmp_path, slowly)
    [name] = first.sinks.served

    def fill() -> None:
        first.sinks.drop(name)  # a row that a sink has taken would make room again
        database = first.sinks.keepers["poloniex"].state._database
        [pages] = database.execute("PRAGMA page_count").fetchone()
        database.execute(f"PRAGMA max_page_count = {pages}")

    first.service.add(first.account("poloniex"))
    first.script.at("poloniex", 3, fill)
    with pytest.raises(OutputFailed, match="database or disk is full") as caught:
        first.run()
    assert "make room" in str(caught.value.hint)
    first.sinks.finish(0.0)
    second, until = World(tmp_path, slowly), time.time_ns()
    second.service.add(second.account("poloniex"))
    second.script.when_live = second.stop.tell  # by then all is read back
    second.run()
    books: Any = slowly.exchanges["poloniex"]
    due = {
        trade.trade_id
        for trade in books.market.books.trades.values()
        if first.script.live_ns <= trade.time_ns <= until
    }
    told = {*first.script.ids, *second.script.ids}
    assert due <= {name.rpartition(":")[2] for name in told if ":trade:" in name}
