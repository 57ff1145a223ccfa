"""The same faults where client and simulator are joined in memory."""

import pytest

from privstream import exchanges
from privstream.model.errors import PrivstreamError
from privstream.model.events import Gap, Trade
from tests.joined import World

every_exchange = pytest.mark.parametrize("name", exchanges.names())
ENDS = ["drop", "reset", "drop=half", "close=1012", "huge", "huge=17000000"]


@every_exchange
@pytest.mark.parametrize("fault", ENDS)
def test_what_ends_a_socket_makes_a_client_come_back(name: str, fault: str) -> None:
    world = World(name, limits=False, faults=[f"{fault}@20s"])
    world.watch(60)
    assert len(world.sockets) == 2
    assert len(world.told(Gap)) == 1
    [happened] = world.faults.happened
    assert happened.sockets == 1


@every_exchange
def test_repeated_frames_are_told_once(name: str) -> None:
    world = World(name, limits=False, faults=["duplicate=3:50@5s"])
    world.watch(60)
    told = world.told_trades()
    assert len(told) == len(set(told)) > 10


@every_exchange
def test_a_stall_that_ends_loses_nothing(name: str) -> None:
    calm, stalled = (World(name, limits=False, faults=f) for f in ([], ["stall=4@20s"]))
    for world in (calm, stalled):
        world.watch(60)
    assert set(stalled.told_trades()) == set(calm.told_trades())


@every_exchange
def test_an_outage_refuses_handshakes_and_requests(name: str) -> None:
    world = World(name, limits=False, faults=["http=503:15@20s", "drop@20s"])
    world.watch(90)
    assert "retrying" in world.states()
    assert world.states()[-2:] == ["live", "stopped"]


@every_exchange
def test_a_key_that_is_refused_ends_a_client(name: str) -> None:
    world = World(name, limits=False, faults=["refuse@20s", "drop@21s"])
    with pytest.raises(PrivstreamError) as ended:
        world.watch(600)
    assert not ended.value.retryable
    assert world.told(Trade)


@every_exchange
def test_a_slow_frame_arrives_late_and_an_endless_one_is_given_up(name: str) -> None:
    slow = World(name, limits=False, faults=["drip=3@20s"])
    slow.watch(60)
    assert len(slow.sockets) == 1
    endless = World(name, limits=False, faults=["drip=45@20s"])
    endless.watch(90)
    assert len(endless.sockets) > 1


@every_exchange
def test_the_same_seed_is_the_same_soak(name: str) -> None:
    def run() -> list[str]:
        world = World(name, limits=False, seed=3, chaos_every=6.0)
        world.watch(60)
        return [str(one) for one in world.faults.happened]

    assert run() == run()
    assert len(run()) > 5
