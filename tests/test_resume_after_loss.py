"""A frame lost without a trace, and a run that is killed before any audit: the next run tells it."""

from typing import Any

import pytest

from privstream import exchanges
from privstream.connection.account.supervisor import Supervisor
from privstream.memory.journal import Journal
from privstream.memory.ledger import Ledger
from privstream.model.events import AnyEvent, Gap, Trade
from privstream.model.times import from_nanos, to_nanos
from privstream.simulator.faults import Faults
from tests.joined import World

LOST_AT, KILLED_AT = 20.0, 100.0
"""More than the minute that every reading back overlaps."""
SECOND = 10**9
DATA = {
    "indodax": ('"FILL"',),
    "poloniex": ('"eventType":"trade"',),
    "zerocap": ('"type":"trade"', '"type":"order"'),
}


class Resumed:
    """Runs of one account with --resume, one after the other, the last one killed."""

    def __init__(self, name: str, *, audit_every: float = 300.0, **settings: Any) -> None:
        self.name = name
        self._settings = {"limits": False, "audit_every": audit_every, **settings}
        self.worlds: list[World] = []
        self.cursors: list[int] = []
        self._notes: dict[tuple[str, str], bytes] = {}

    def run(self, seconds: float, *, losing: bool = False, after: float = 0.0) -> World:
        """The next run, some seconds later; it hears what the runs before left."""
        world = World(self.name, **self._settings)
        journal = Journal()
        if self.worlds:
            self._follow(world, journal, after)
        else:
            world.supervisor._ledger._run.journal = journal
        world._outbox.whole = self.cursors.append  # type: ignore[method-assign,assignment]  # seen here
        if losing:
            world.spoil = _losing(world, DATA[self.name])
        world.watch(seconds)
        for note in journal.take({event.id for event in world.events}):
            self._notes.pop((note.kind, note.key), None)
            if note.value is not None:
                self._notes[note.kind, note.key] = note.value
        self.worlds.append(world)
        return world

    def _follow(self, world: World, journal: Journal, after: float) -> None:
        """The same exchange later, and a ledger that knows what was delivered."""
        before = self.worlds[-1]
        passed = before.clock.now().monotonic - world.clock.now().monotonic
        world.clock.advance(passed + after)
        world.simulated = before.simulated
        world.faults = Faults([], seed=1, exchange=before.simulated)
        world.faults.begin(world.clock.now())
        old = world.supervisor
        ledger = Ledger(old._ledger.view, journal=journal)
        ledger.reconnected()
        ledger.restore((kind, key, value) for (kind, key), value in self._notes.items())
        world.supervisor = Supervisor(
            old.exchange,
            world.channels,
            ledger,
            old._outside,
            stop=world.stop,
            resume_from_ns=self.cursors[-1],
            audit_every=self._settings["audit_every"],
        )

    @property
    def events(self) -> list[AnyEvent]:
        return [event for world in self.worlds for event in world.events]

    def trades(self) -> list[str]:
        return [event.trade_id for event in self.events if isinstance(event, Trade)]


def _losing(world: World, words: tuple[str, ...]) -> Any:
    """What tells of one fill is lost, wherever it stands, without a trace."""
    begin = world.clock.now().monotonic + LOST_AT

    def spoil(text: str) -> list[str]:
        late = begin <= world.clock.now().monotonic < begin + 5
        return [] if late and any(word in text for word in words) else [text]

    return spoil


@pytest.mark.parametrize("name", sorted(DATA))
def test_a_lost_fill_is_told_by_the_next_run_though_no_audit_came_in_between(name: str) -> None:
    account = Resumed(name, seed=2)
    first = account.run(KILLED_AT, losing=True)
    books = first.simulated.market.books  # type: ignore[attr-defined]  # it has them
    since = to_nanos(next(e for e in first.events if getattr(e, "state", "") == "live").received)
    due = {t.trade_id for t in books.trades.values() if t.time_ns >= since}
    lost = due - set(account.trades())
    assert lost
    second = account.run(30)
    told = account.trades()
    assert lost <= set(told)
    assert len(told) == len(set(told))
    [gap] = second.told(Gap)
    assert (gap.cause, gap.from_) == ("restart", from_nanos(account.cursors[0]))
    ids = [event.id for event in account.events if event.id is not None]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", sorted(DATA))
def test_who_watches_only_trades_is_told_those_of_orders_that_were_open_before(name: str) -> None:
    account = Resumed(name, seed=1, rate=0.5, audit_every=20.0, channels=["trades"])
    account.run(150)
    world = account.run(40, after=150)
    books = world.simulated.market.books  # type: ignore[attr-defined]  # it has them
    began = to_nanos(account.events[0].received) + SECOND
    until = world.clock.now().wall_ns - 6 * SECOND
    due = {t.trade_id for t in books.trades.values() if began <= t.time_ns <= until}
    told = account.trades()
    assert due - set(told) == set()
    assert len(told) == len(set(told))


@pytest.mark.parametrize("name", exchanges.names())
def test_the_cursor_is_where_nothing_can_be_missing(name: str) -> None:
    """Behind the last comparison, or up to the last frame where a lost one would show."""
    account = Resumed(name, audit_every=40.0)
    world = account.run(100)
    now = world.clock.now().wall_ns
    held = [(now - cursor) / SECOND for cursor in account.cursors]
    assert held[-1] < (20 if world.supervisor.exchange.numbers_frames else 70)
    if not world.supervisor.exchange.numbers_frames:
        assert len(set(account.cursors)) <= 5


def test_without_an_audit_the_cursor_follows_the_frames() -> None:
    account = Resumed("poloniex", audit_every=0.0)
    world = account.run(60)
    assert (world.clock.now().wall_ns - account.cursors[-1]) / SECOND < 35
    assert len(set(account.cursors)) >= 5
