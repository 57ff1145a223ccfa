"""Every exchange against its strict simulator in memory: nothing lost, doubled or untrue."""

from typing import Any

import pytest

from privstream import exchanges
from privstream.events import Balance, Gap, Notice, Order, Status, Trade
from privstream.times import to_nanos
from tests.joined import World
from tests.valid import assert_valid

every_exchange = pytest.mark.parametrize("name", exchanges.names())
LATEST = 6 * 10**9
"""What happened in the last seconds may not have been told yet: a fee may be waited for."""


def world(name: str, **settings: Any) -> World:
    return World(name, limits=False, **settings)


def assert_true(run: World) -> None:
    """Every fill of the simulator's books since the start once; no id twice; all valid."""
    ids = [event.id for event in run.events if event.id is not None]
    assert len(ids) == len(set(ids)), "an id came twice"
    for event in run.events:
        assert_valid(event)
    unread = [n for n in run.told(Notice) if n.code in {"unrecognised", "look_up", "incomplete"}]
    assert unread == []
    books = run.simulated.market.books  # type: ignore[attr-defined]  # every simulated one has it
    live = next(status for status in run.told(Status) if status.state == "live")
    since, until = to_nanos(live.received), run.clock.now().wall_ns - LATEST
    truth = {t.trade_id: t for t in books.trades.values() if t.time_ns >= since}
    told = {trade.trade_id: trade for trade in run.told(Trade)}
    lost = {name for name, trade in truth.items() if trade.time_ns < until} - told.keys()
    assert lost == set(), "trades were lost"
    for name in told.keys() & truth.keys():
        # Indodax puts pair and type before the number.
        assert (told[name].order_id or "").endswith(truth[name].order.order_id)
        assert told[name].side == truth[name].order.side
    early = {t.trade_id for t in books.trades.values()} - truth.keys()
    assert_no_untrue_trades(run, told.keys() - truth.keys() - early)


def assert_no_untrue_trades(run: World, extra: set[str]) -> None:
    """Only Bitfinex's margin desk trades besides the market's books."""
    assert not extra or run.supervisor.exchange.name == "bitfinex"


@every_exchange
def test_two_undisturbed_minutes_are_told_whole(name: str) -> None:
    run = world(name)
    run.watch(120)
    assert run.states() == ["connecting", "live", "stopped"]
    assert run.told(Gap) == []
    assert len(run.told(Trade)) > 20
    assert {type(event) for event in run.events} >= {Order, Trade, Balance, Status}
    assert_true(run)


@every_exchange
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_interruption_is_read_back_and_ends_in_a_gap(name: str, seed: int) -> None:
    run = world(name, seed=seed).at(30, World.down, 15)
    run.watch(120)
    [gap] = run.told(Gap)
    assert gap.recovered.trades > 0
    assert gap.cause == "disconnected"
    assert gap.complete or gap.detail
    assert_true(run)


@every_exchange
def test_many_cuts_lose_and_double_nothing(name: str) -> None:
    run = world(name, seed=4)
    for second in range(20, 200, 23):
        run.at(second, World.cut)
    run.watch(260)
    assert len(run.told(Gap)) >= 6
    assert_true(run)


@every_exchange
def test_a_socket_that_stays_open_and_says_nothing_is_replaced(name: str) -> None:
    run = world(name, seed=5).at(30, World.mute, 60)
    run.watch(180)
    assert [gap.cause for gap in run.told(Gap)][:1] == ["silence"]
    assert_true(run)


@every_exchange
def test_every_frame_twice_doubles_nothing(name: str) -> None:
    if name == "bitfinex":
        return  # its frames are numbered: a number that comes again is itself a fault there
    run = world(name, seed=6)
    run.spoil = lambda text: [text, text] if '"order' in text or '"trade' in text else [text]
    run.watch(60)
    assert_true(run)


@every_exchange
def test_the_events_end_where_the_stream_is_stopped(name: str) -> None:
    run = world(name)
    run.watch(3)
    assert run.states()[-1] == "stopped"
