"""`privstream simulate` from outside."""

import signal
import stat
import tomllib
from pathlib import Path

import pytest

from privstream.cli.simulate import Protocol, simulate
from privstream.model.errors import ConfigError
from privstream.simulator.server import Simulation
from tests.cli.conftest import Program
from tests.outside import context


def test_it_prints_config_lines_into_a_private_file_and_serves_until_ctrl_c(
    tmp_path: Path,
) -> None:
    path = tmp_path / "config.toml"
    with path.open("wb") as config:
        path.chmod(0o644)
        process = Program(tmp_path).start(
            "simulate", "kraken", "--port", "0", "--protocol", "v1", stdout=config.fileno()
        )
    with process:
        assert process.stderr is not None
        sentence = process.stderr.readline()
        written = tomllib.loads(path.read_text())
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
    assert "until Ctrl-C" in sentence
    assert "PRIVSTREAM_CONFIG" in sentence
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert written["accounts"]["kraken"].keys() == {"api_key", "api_secret", "protocol"}
    assert written["exchanges"]["kraken"]["rest_url"].startswith("http://127.0.0.1:")
    assert written["exchanges"]["kraken"]["ws_url"].endswith("/")


def test_a_taken_port_is_said_in_one_sentence() -> None:
    with Simulation(["kraken"]) as simulation:
        url = simulation.account("kraken", {}).endpoints.rest_url
        port = int(url.rpartition(":")[2])
        with pytest.raises(ConfigError, match=f"cannot serve on port {port}"):
            simulate(context(), ["kraken"], port=port, protocol=Protocol.V2)
