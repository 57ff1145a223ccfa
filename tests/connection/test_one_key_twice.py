"""Two whole runs with one key at once: both stream, and their nonces never collide."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from privstream import exchanges
from privstream.app.assembly import Wanted, add_account
from privstream.delivery.stream import Ended, Stream
from privstream.exchanges import find
from privstream.model.errors import Refused
from privstream.model.events import AnyEvent, Notice, Status, Trade
from privstream.simulator.server import Simulation
from tests.joined import World
from tests.outside import environment

TOGETHER = 15.0
"""Seconds at most until every run has told something."""


@pytest.fixture(scope="module")
def simulation() -> Iterator[Simulation]:
    """All five, busy."""
    with Simulation(exchanges.names(), seed=3, rate=20.0) as running:
        yield running


class Run:
    """One `watch all`, in this process."""

    def __init__(self, simulation: Simulation, environ: Mapping[str, str]) -> None:
        self.stream = Stream()
        self.told: list[AnyEvent] = []
        self.errors: list[BaseException | None] = []
        for name in exchanges.names():
            account = simulation.account(name, {})
            channels = find(name)(account).select(())
            add_account(environment(environ), self.stream, account, channels, Wanted())

    def take(self, done: threading.Event) -> None:
        """Collect until every account has told a trade."""
        for item in self.stream.items(0.05):
            if isinstance(item, list):
                self.told += item
            elif isinstance(item, Ended):
                self.errors.append(item.error)
            if done.is_set() or self.traders() == set(exchanges.names()):
                return

    def traders(self) -> set[str]:
        return {event.account for event in self.told if isinstance(event, Trade)}


def test_two_runs_of_all_accounts_with_one_key_each_both_stream(
    simulation: Simulation, tmp_path: Path
) -> None:
    environ = {"HOME": str(tmp_path)}
    runs = [Run(simulation, environ) for _ in range(2)]
    done = threading.Event()
    with ExitStack() as streams:
        for run in runs:
            streams.enter_context(run.stream)
        takers = [threading.Thread(target=run.take, args=(done,)) for run in runs]
        for taker in takers:
            taker.start()
        for taker in takers:
            taker.join(TOGETHER)
        done.set()
        for taker in takers:
            taker.join()
    for run in runs:
        assert run.errors == []
        assert run.traders() == set(exchanges.names())
        states = [event for event in run.told if isinstance(event, Status)]
        assert {s.state for s in states} == {"connecting", "live"}, [s.detail for s in states]
        assert not [n for n in run.told if isinstance(n, Notice) and n.code == "look_up"]


def test_a_sixth_connection_to_poloniex_is_refused_with_its_reason() -> None:
    run = World("poloniex", rate=0.1)
    taken = {object(): float("inf") for _ in range(5)}
    run.simulated._listeners._taken = taken  # type: ignore[attr-defined]  # others have none
    with pytest.raises(Refused) as caught:
        run.watch(20)
    assert "Exceeded the limit of 5 connections per user" in caught.value.message
    assert caught.value.exit == 4
