"""Which open orders are surely held, so that no older one need be looked for."""

import json

import pytest

from privstream.connection.account.exchange_time import ExchangeTime
from privstream.connection.account.held_orders import HeldOrders
from privstream.memory.event_maker import View
from privstream.memory.journal import Journal
from privstream.memory.ledger import Ledger
from privstream.model.events import Gap, Notice
from privstream.model.rest import HttpRequest, Now
from tests.joined import World

LAG = 10.0
SECOND = 10**9


def at(second: float) -> Now:
    return Now(round(second * SECOND), second)


def ledger(journal: Journal | None = None, *symbols: str) -> Ledger:
    shown = frozenset(symbols)
    return Ledger(View("zerocap", "mine", frozenset({"trades"}), symbols=shown), journal=journal)


def held(memory: Ledger | None = None) -> HeldOrders:
    world = World("zerocap")
    return HeldOrders(memory or ledger(), ExchangeTime(world, world.clock), LAG)


def test_before_any_list_nobody_knows_which_orders_stand() -> None:
    assert held().placed_since(0) is None


def test_a_list_tells_nothing_of_what_ended_before_it() -> None:
    orders = held()
    orders.listed(at(100))
    assert orders.placed_since(99 * SECOND) is None


def test_one_list_may_lag_and_a_later_one_makes_up_for_it() -> None:
    orders = held()
    orders.listed(at(100))
    assert orders.placed_since(200 * SECOND) == 90 * SECOND
    orders.listed(at(105))
    assert orders.placed_since(200 * SECOND) == 90 * SECOND
    orders.listed(at(110))
    assert orders.placed_since(200 * SECOND) == 200 * SECOND


def test_what_the_stream_lists_does_not_lag() -> None:
    orders = held()
    orders.listed(at(100), is_stream=True)
    assert orders.placed_since(101 * SECOND) == 101 * SECOND


def test_after_an_interruption_that_was_not_proven_another_list_is_needed() -> None:
    orders = held()
    orders.listed(at(100), is_stream=True)
    orders.doubt()
    assert orders.placed_since(200 * SECOND) is None
    orders.listed(at(150), is_stream=True)
    assert orders.placed_since(200 * SECOND) == 200 * SECOND


def test_the_next_run_knows_it_unless_it_shows_other_symbols() -> None:
    journal = Journal()
    orders = held(ledger(journal))
    orders.listed(at(100), is_stream=True)
    notes = [(note.kind, note.key, note.value or b"") for note in journal.take(())]
    same, other = ledger(), ledger(None, "BTC/EUR")
    for memory in (same, other):
        memory.restore(notes)
    assert held(same).placed_since(200 * SECOND) == 200 * SECOND
    assert held(other).placed_since(200 * SECOND) is None


def test_a_list_that_may_lag_is_known_to_the_next_run_too() -> None:
    journal = Journal()
    held(ledger(journal)).listed(at(100))
    memory = ledger()
    memory.restore((note.kind, note.key, note.value or b"") for note in journal.take(()))
    orders = held(memory)
    assert orders.placed_since(200 * SECOND) == 90 * SECOND
    orders.listed(at(300))
    assert orders.placed_since(400 * SECOND) == 400 * SECOND


def test_a_doubt_is_known_to_the_next_run_too() -> None:
    journal = Journal()
    orders = held(ledger(journal))
    orders.listed(at(100), is_stream=True)
    orders.doubt()
    notes = journal.take(())
    assert [(note.kind, note.value is None) for note in notes] == [("held", False), ("held", True)]


def test_connections_that_break_one_after_the_other_do_not_read_the_whole_history() -> None:
    run, starts = World("zerocap", limits=False), list[int]()

    def note(request: HttpRequest) -> None:
        body = json.loads(request.body or b"{}")
        if body.get("ids") == body.get("status") == "":
            starts.append(body["start_datetime"])

    run.refuse = note
    for second in (30, 36, 42, 50):
        run.at(second, World.cut)
    run.watch(120)
    assert len(starts) > 2
    assert 0 not in starts


@pytest.mark.parametrize("name", ["zerocap", "bitfinex"])
def test_a_reading_that_lacked_something_does_not_spoil_the_next(name: str) -> None:
    """Zerocap cannot say when orders of before were canceled; its lists were whole all the same."""
    run = World(name, since=300.0, rate=0.5, limits=False)
    run.at(60, World.cut).watch(140)
    [gap] = run.told(Gap)
    assert gap.complete, gap.detail
    notices = [notice for notice in run.told(Notice) if notice.code == "incomplete"]
    assert bool(notices) == (name == "zerocap")
