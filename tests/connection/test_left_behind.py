"""What ends of connections leave behind in memory: nothing."""

import gc
from collections import Counter

import pytest

from privstream import exchanges
from tests.joined import World

every_exchange = pytest.mark.parametrize("name", exchanges.names())
ROOMS = ("privstream.connection", "privstream.exchanges")
PAUSE, EARLY, LATE = 15, 4, 16


def alive() -> Counter[str]:
    """Objects of connections and exchanges, by their class; what is remembered are tuples."""
    gc.collect()
    kinds = (type(thing) for thing in gc.get_objects())
    return Counter(
        kind.__qualname__
        for kind in kinds
        if str(kind.__module__).startswith(ROOMS) and not issubclass(kind, tuple)
    )


@every_exchange
def test_many_connections_leave_no_more_behind_than_a_few(name: str) -> None:
    counts: list[Counter[str]] = []

    def look(run: World) -> None:
        del run.sockets[:-1]  # they hold the errors with which they ended, and what raised those
        counts.append(alive())

    run = World(name, rate=0.5, limits=False, audit_every=30.0)
    for number in range(LATE):
        run.at(PAUSE * (number + 1), World.cut)
    for number in (EARLY, LATE):
        run.at(PAUSE * (number + 1) - 1, look)
    run.watch(PAUSE * (LATE + 1))
    assert run.states().count("connecting") > LATE // 2
    early, late = counts
    assert {
        kind: (early[kind], count) for kind, count in late.items() if count > early[kind] + 2
    } == {}
