"""The streams as a library: the same events, errors as exceptions, nothing left behind."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

import privstream
from privstream import Account, ConfigError, Order, Refused, Status, Trade, UsageError, watch
from privstream.simulator.server import Simulation
from tests.cli.conftest import config_of


@pytest.fixture(scope="module")
def simulation() -> Iterator[Simulation]:
    with Simulation(["kraken"], seed=5, rate=40, limits=False) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PRIVSTREAM_CONFIG", raising=False)
    return tmp_path


def in_code(simulation: Simulation, **changes: str) -> Account:
    there = simulation.account("kraken", {})
    settings = {key: secret.reveal() for key, secret in there.credentials.items()}
    places = {"rest_url": there.endpoints.rest_url, "ws_url": there.endpoints.ws_url}
    return privstream.account("kraken", "desk", **{**settings, **places, **changes})


@pytest.mark.usefixtures("home")
def test_an_account_given_in_code_tells_typed_events_and_leaves_no_thread(
    simulation: Simulation, capfd: pytest.CaptureFixture[str]
) -> None:
    threads = threading.active_count()
    with watch(in_code(simulation), ["orders", "trades"], symbols=["XBTEUR", "ETHEUR"]) as events:
        told = list(islice(events, 12))
    assert {type(event) for event in told} <= {Order, Trade, privstream.Notice}
    assert {event.account for event in told} == {"desk"}
    assert {event.symbol for event in told if isinstance(event, Order)} <= {"BTC/EUR", "ETH/EUR"}
    assert threading.active_count() == threads
    assert "".join(capfd.readouterr()) == ""


def test_an_account_of_the_config_file_is_called_by_its_name(
    simulation: Simulation, home: Path
) -> None:
    variables = {"HOME": str(home), "PRIVSTREAM_CONFIG": str(config_of(simulation, home))}
    with watch("kraken", status=True, variables=variables) as events:
        states = (event.state for event in events if isinstance(event, Status))
        assert list(islice(states, 2)) == ["connecting", "live"]
    with watch(variables=variables) as events:
        assert next(events).exchange == "kraken"


@pytest.mark.usefixtures("home")
def test_what_ends_an_account_is_raised(simulation: Simulation) -> None:
    wrong = in_code(simulation, api_secret="d3Jvbmc=")
    with pytest.raises(Refused) as caught, watch(wrong) as events:
        list(events)
    assert (caught.value.exchange, caught.value.account) == ("kraken", "desk")


@pytest.mark.usefixtures("home")
def test_what_cannot_be_is_raised_before_anything_is_sent() -> None:
    with pytest.raises(UsageError, match="no channel"), watch("kraken", ["x"], simulate=True):
        pass
    with pytest.raises(ConfigError, match="no account"), watch("kraken"):
        pass
    with pytest.raises(ConfigError, match="api_secret"):
        privstream.account("kraken", api_key="key")
    with pytest.raises(ConfigError):
        privstream.account("kraken", api_key="k", api_secret="s", ws_url="ws://example.com/v2")


def test_an_error_in_the_block_ends_the_threads_too(simulation: Simulation, home: Path) -> None:
    assert home.exists()
    threads = threading.active_count()
    with pytest.raises(ZeroDivisionError), watch(in_code(simulation)) as events:
        assert 1 // (next(events) is None)
    assert threading.active_count() == threads


def test_frames_are_replayed_into_the_same_events(tmp_path: Path) -> None:
    frames = tmp_path / "frames"
    frames.write_text('{"channel":"heartbeat"}\nwhat is this?\n')
    with privstream.replay(frames, exchange="kraken", raw=True) as events:
        [notice] = events
    assert isinstance(notice, privstream.Notice)
    assert notice.code == "unrecognised"


def test_importing_it_alone_loads_nothing() -> None:
    code = (
        "import sys; before = set(sys.modules); import privstream; "
        "print(sorted(set(sys.modules) - before)); print('typing' in sys.modules)"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"sys = __import__('sys'); sys.path.append({str(Path.cwd())!r}); {code}",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["['privstream']", "False"]


def test_all_that_is_promised_is_there() -> None:
    for name in privstream.__all__:
        assert getattr(privstream, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = privstream.nothing  # type: ignore[attr-defined]  # that is the point
