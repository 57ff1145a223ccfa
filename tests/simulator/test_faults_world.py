"""The same faults where client and simulator are joined in memory."""

import pytest

from privstream import exchanges
from privstream.model.errors import PrivstreamError
from privstream.model.events import Gap, Trade
from tests.joined import World

ENDS = [
    ("bitfinex", "drop"),
    ("indodax", "reset"),
    ("kraken", "drop=half"),
    ("poloniex", "close=1012"),
    ("zerocap", "huge"),
    ("bitfinex", "huge=17000000"),
]


@pytest.mark.parametrize(("name", "fault"), ENDS)
def test_what_ends_a_socket_makes_a_client_come_back(name: str, fault: str) -> None:
    world = World(name, limits=False, faults=[f"{fault}@10s"])
    world.watch(30)
    assert len(world.sockets) == 2
    assert len(world.told(Gap)) == 1
    [happened] = world.faults.happened
    assert happened.sockets == 1


def test_repeated_frames_are_told_once() -> None:
    world = World("kraken", limits=False, faults=["duplicate=3:50@5s"])
    world.watch(60)
    told = world.told_trades()
    assert len(told) == len(set(told)) > 10


def test_a_stall_that_ends_loses_nothing() -> None:
    calm, stalled = (World("poloniex", limits=False, faults=f) for f in ([], ["stall=4@10s"]))
    for world in (calm, stalled):
        world.watch(30)
    assert set(stalled.told_trades()) == set(calm.told_trades())


@pytest.mark.parametrize("name", ["kraken", "zerocap"])
def test_an_outage_refuses_handshakes_and_requests(name: str) -> None:
    world = World(name, limits=False, faults=["http=503:15@10s", "drop@10s"])
    world.watch(70)
    assert "retrying" in world.states()
    assert world.states()[-2:] == ["live", "stopped"]


@pytest.mark.parametrize("name", exchanges.names())
def test_a_key_that_is_refused_ends_a_client(name: str) -> None:
    world = World(name, limits=False, faults=["refuse@10s", "drop@11s"])
    with pytest.raises(PrivstreamError) as ended:
        world.watch(600)
    assert not ended.value.retryable
    assert world.told(Trade)


def test_a_slow_frame_arrives_late_and_an_endless_one_is_given_up() -> None:
    slow = World("indodax", limits=False, faults=["drip=3@10s"])
    slow.watch(20)
    assert len(slow.sockets) == 1
    endless = World("indodax", limits=False, faults=["drip=45@10s"])
    endless.watch(70)
    assert len(endless.sockets) > 1


def test_the_same_seed_is_the_same_soak() -> None:
    def run() -> list[str]:
        world = World("zerocap", limits=False, seed=3, chaos_every=4.0)
        world.watch(30)
        return [str(one) for one in world.faults.happened]

    assert run() == run()
    assert len(run()) > 5
