"""`privstream run`: every account and sink of the config, as a service that is reloaded."""

import http.client
import json
import re
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from signal import SIGTERM

import pytest

from privstream.model.errors import ConfigError, Exit
from privstream.model.times import from_nanos
from privstream.simulator.server import Simulation
from tests.app.service_world import LONG, Hook, Serving, nobody_in


@pytest.fixture(scope="module")
def simulation() -> Iterator[Simulation]:
    with Simulation(["kraken", "poloniex"], rate=50.0) as served:
        yield served


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as served:
        yield served


@pytest.fixture
def serving(tmp_path: Path, simulation: Simulation) -> Serving:
    return Serving(tmp_path, simulation)


def to(hook: Hook, more: str = "") -> dict[str, str]:
    return {"hook": f'url = "{hook.url}"\n{more}'}


def test_every_account_goes_to_every_sink(
    serving: Serving, hook: Hook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("privstream.app.run.LEAVING_WHEN_TOLD", LONG)
    sinks = to(hook) | {"archive": f'url = "sqlite:{tmp_path}/e.db"'}
    with serving.configure("kraken", "poloniex", sinks=sinks).ready_to_serve():
        hook.next_of("kraken")
        hook.next_of("poloniex")
        serving.stop.tell(SIGTERM)
        assert serving.over() == Exit.DONE
        assert "STOPPING=1" in serving.manager.rest()
    with closing(sqlite3.connect(tmp_path / "e.db")) as database:
        tables = ("orders", "trades", "balances")
        kept = {
            account
            for table in tables
            for (account,) in database.execute(f"SELECT account FROM {table}")  # noqa: S608 - our own
        }
    assert kept == {"kraken", "poloniex"}


def test_without_a_sink_nobody_would_get_the_events(serving: Serving) -> None:
    with serving.configure("kraken", sinks={}):
        serving.over()
    assert isinstance(serving.error, ConfigError)
    assert "[sinks.archive]" in str(serving.error.hint)


def test_without_an_account_there_is_nothing_to_stream(serving: Serving, hook: Hook) -> None:
    with serving.configure(sinks=to(hook)):
        serving.over()
    assert isinstance(serving.error, ConfigError)
    assert "no account" in serving.error.message


def test_an_account_that_is_written_into_the_config_comes_with_a_reload(
    serving: Serving, hook: Hook, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving.configure("kraken", sinks=to(hook)).ready_to_serve():
        serving.configure("kraken", "poloniex", sinks=to(hook)).reload()
        hook.next_of("poloniex")
        hook.next_of("kraken")
    assert "again: new account poloniex" in capfd.readouterr().err


def test_an_account_that_is_taken_out_goes_and_the_other_stays(
    serving: Serving, hook: Hook, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving.configure("kraken", "poloniex", sinks=to(hook)).ready_to_serve():
        hook.next_of("poloniex")
        serving.configure("kraken", sinks=to(hook)).reload()
        hook.next_of("kraken")
    said = capfd.readouterr().err
    assert "again: removed account poloniex" in said
    assert said.count("kraken: connecting") == 1


def test_a_config_that_cannot_be_read_leaves_all_as_it_is(
    serving: Serving, hook: Hook, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving.configure("kraken", sinks=to(hook)).ready_to_serve():
        serving.configure("kraken", sinks=to(hook, 'tpyes = ["trade"]')).reload()
        hook.next_of("kraken")
    said = capfd.readouterr().err
    assert "'tpyes' is not a setting (did you mean types?)" in said
    assert "the settings stay as they were" in said


def test_a_sink_that_comes_with_a_reload_gets_what_happens_from_then_on(
    serving: Serving, hook: Hook, capfd: pytest.CaptureFixture[str]
) -> None:
    with Hook() as other, serving.configure("kraken", sinks=to(hook)).ready_to_serve():
        hook.next_of("kraken")
        both = to(hook) | {"other": f'url = "{other.url}"'}
        serving.configure("kraken", sinks=both).reload()
        other.next_of("kraken")
        serving.configure("kraken", sinks={"other": both["other"]}).reload()
        other.next_of("kraken")
    said = capfd.readouterr().err
    assert "again: new sink other" in said
    assert "again: removed sink hook" in said


def test_a_sink_that_lets_nobody_in_ends_the_start(serving: Serving, hook: Hook) -> None:
    pytest.importorskip("redis", reason="needs the extra `redis`")
    with nobody_in() as url:
        sinks = to(hook) | {"cache": f'url = "{url}"'}
        with serving.configure("kraken", sinks=sinks):
            serving.over()
    assert isinstance(serving.error, ConfigError)
    assert "does not let us in" in serving.error.message


def test_a_sink_that_lets_nobody_in_after_a_reload_leaves_the_rest_alone(
    serving: Serving, hook: Hook
) -> None:
    pytest.importorskip("redis", reason="needs the extra `redis`")
    with nobody_in() as url, serving.configure("kraken", sinks=to(hook)).ready_to_serve():
        sinks = to(hook) | {"cache": f'url = "{url}"'}
        serving.configure("kraken", sinks=sinks).reload()
        serving.manager.wait_for("STATUS", holds=lambda told: "cache: stopped (" in told)
        hook.next_of("kraken")
        serving.stop.tell(SIGTERM)
        assert serving.over() == Exit.DONE


def test_a_sink_that_was_mended_is_tried_at_once_with_a_reload(
    serving: Serving, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("privstream.delivery.courier.FIRST_WAIT", 3600.0)
    monkeypatch.setattr("privstream.delivery.courier.LONGEST_WAIT", 3600.0)
    hook.status = 503
    with serving.configure("kraken", sinks=to(hook)).ready_to_serve():
        serving.manager.wait_for("STATUS", holds=lambda told: "hook: down" in told)
        hook.status = 204
        serving.reload()
        hook.next_of("kraken")


def test_where_it_is_watched_takes_a_restart(
    serving: Serving, hook: Hook, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving.configure("kraken", sinks=to(hook)).ready_to_serve():
        with serving.config.open("a") as config:
            config.write('[service]\nmetrics = "9464"\n')
        serving.reload()
    assert "again: [service] takes a restart" in capfd.readouterr().err


def test_a_secret_that_was_changed_in_its_place_is_a_changed_sink(
    serving: Serving, hook: Hook, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "secret"
    secret.touch(0o600)
    secret.write_text("whsec_Zmlyc3Q=")
    sinks = to(hook, f'secret = {{ file = "{secret}" }}')
    with serving.configure("kraken", sinks=sinks).ready_to_serve():
        serving.reload()
        assert "again: nothing has changed" in capfd.readouterr().err
        secret.write_text("whsec_c2Vjb25k")
        serving.reload()
    said = capfd.readouterr().err
    assert "again: changed sink hook" in said
    assert "c2Vjb25k" not in said


def test_what_a_run_did_not_deliver_the_next_one_does(
    tmp_path: Path, simulation: Simulation, hook: Hook, capfd: pytest.CaptureFixture[str]
) -> None:
    hook.status = 503
    archive = {"archive": f'url = "sqlite:{tmp_path}/e.db"'}
    with Serving(tmp_path, simulation).configure("kraken", sinks=to(hook) | archive) as first:
        first.ready()
        first.manager.wait_for("STATUS", holds=lambda text: "hook" in text)
    assert "they are kept for the next start" in capfd.readouterr().err
    hook.status, second_start = 204, from_nanos(time.time_ns())
    with Serving(tmp_path, simulation).configure("kraken", sinks=to(hook) | archive) as second:
        second.ready()
        assert json.loads(hook.next_of("kraken"))["received"] < second_start


# --- what is shown to who watches it -------------------------------------------------------------


def page(said: str, path: str) -> tuple[int, str]:
    """Ask for a page of the service that said where they are."""
    found = re.search(r"health on http://127\.0\.0\.1:([0-9]+)", said)
    assert found is not None, said
    connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=LONG)
    connection.request("GET", path)
    answer = connection.getresponse()
    text = answer.status, answer.read().decode()
    connection.close()
    return text


def test_numbers_and_health_are_there_for_who_asks(
    tmp_path: Path, simulation: Simulation, hook: Hook, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("prometheus_client", reason="needs the extra `metrics`")
    metrics = '[service]\nmetrics = "127.0.0.1:0"'
    serving = Serving(tmp_path, simulation, before=metrics).configure("kraken", sinks=to(hook))
    with serving.ready_to_serve():
        hook.next_of("kraken")
        said = capfd.readouterr().err
        assert page(said, "/livez") == (200, '{"ok":true,"reasons":[]}\n')
        assert page(said, "/healthz") == (200, '{"ok":true,"reasons":[]}\n')
        status, text = page(said, "/metrics")
        assert status == 200
        assert 'privstream_account_live{account="kraken"} 1.0' in text
        hook.status = 503
        serving.manager.wait_for("STATUS", holds=lambda told: "hook: down" in told)
        status, text = page(said, "/healthz")
        assert status == 503
        assert '"reason":"down"' in text
        assert page(said, "/livez")[0] == 200


def test_an_address_that_is_taken_is_said_at_the_start(
    tmp_path: Path, simulation: Simulation, hook: Hook
) -> None:
    pytest.importorskip("prometheus_client", reason="needs the extra `metrics`")
    metrics = f'[service]\nmetrics = "127.0.0.1:{hook.server_address[1]}"'
    serving = Serving(tmp_path, simulation, before=metrics).configure("kraken", sinks=to(hook))
    with serving:
        serving.over()
    assert isinstance(serving.error, ConfigError)
    assert "cannot listen on 127.0.0.1:" in serving.error.message


def test_without_its_library_it_is_said_how_to_get_it(
    tmp_path: Path, simulation: Simulation, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "privstream.app.service_metrics", raising=False)
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    serving = Serving(tmp_path, simulation, before='[service]\nmetrics = "127.0.0.1:0"')
    with serving.configure("kraken", sinks=to(hook)):
        serving.over()
    assert isinstance(serving.error, ConfigError)
    assert serving.error.hint == "pip install 'privstream[metrics]'"


def test_signs_of_life_come_while_the_threads_turn(
    tmp_path: Path, simulation: Simulation, hook: Hook
) -> None:
    serving = Serving(tmp_path, simulation, variables={"WATCHDOG_USEC": "2000"})
    with serving.configure("kraken", sinks=to(hook)).ready_to_serve():
        serving.manager.wait_for("WATCHDOG")
        serving.manager.wait_for("WATCHDOG")
