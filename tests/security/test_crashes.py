"""A bug of ours shows no secret either: not in its sentence, its traceback or a core dump."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from privstream.cli.entry import run
from privstream.cli.simulate import _config_lines
from privstream.connection.socket.transport import Transport
from privstream.exchanges.base import JsonSession
from privstream.outputs.jsonl import JsonLines
from privstream.simulator.server import Simulation
from tests.security.treasure import Treasure, key_of, secret_of, trust_nobody

PLACES: dict[str, Any] = {
    "signing": "hmac.new",
    "connecting": Transport.connect,
    "parsing": JsonSession.receive,
    "rendering": JsonLines.write,
}
LIMIT = 20.0


def plant(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def planted(*_: object, **__: object) -> None:
        raise RuntimeError("planted")

    method = PLACES[place]
    if isinstance(method, str):
        monkeypatch.setattr(method, planted)
    else:
        module = sys.modules[method.__module__]
        monkeypatch.setattr(
            getattr(module, method.__qualname__.split(".")[0]), method.__name__, planted
        )


@pytest.fixture
def configured(
    treasure: Treasure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """The config file of a Kraken that is served on loopback, in use."""
    assert treasure.texts
    path = tmp_path / "config.toml"
    path.touch(0o600)
    monkeypatch.setenv("PRIVSTREAM_CONFIG", str(path))
    monkeypatch.setenv("HOME", str(tmp_path))
    trust_nobody(monkeypatch, tmp_path)
    with Simulation(["kraken"], seed=5, rate=60) as simulation:
        path.write_text(_config_lines(simulation.account("kraken", {})))
        yield path


@pytest.fixture
def own_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    usual = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    yield
    signal.signal(signal.SIGTERM, usual)


@pytest.mark.usefixtures("own_process", "configured")
@pytest.mark.parametrize("place", PLACES)
def test_a_bug_is_told_without_the_values_at_hand(
    place: str,
    treasure: Treasure,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    plant(place, monkeypatch)
    for level in ("--debug", "--json"):
        with pytest.raises(RuntimeError, match="planted") as bug:
            run(["watch", "kraken", "--count", "5", level])
        sys.excepthook(bug.type, bug.value, bug.tb)
        said = capfd.readouterr()
        assert "internal error: RuntimeError: planted" in said.err
        assert ("Traceback" in said.err) == (level == "--debug")
        assert treasure.leaks(said.out + said.err) == []


# --- a process of its own ------------------------------------------------------------------

CRASH = """
import atexit, ctypes, hmac, os, resource, sys
from privstream.__main__ import main

def planted(*_):
    raise RuntimeError("planted")

def last():
    print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), flush=True)
    os.abort()

hmac.new = planted
atexit.register(last)
sys.argv[:] = ["privstream", "watch", "kraken", "--debug"]
main()
"""
NOWHERE = '[exchanges.kraken]\nrest_url = "http://127.0.0.1:1"\nws_url = "ws://127.0.0.1:1/v2"\n'


def config_of_its_own(folder: Path) -> dict[str, str]:
    """An environment whose config file fetches the secret with a command that looks around."""
    (folder / "secret").write_text(secret_of("kraken"))
    look = "tr '\\\\0' ' ' < /proc/$PPID/cmdline > seen; env >> seen; cat secret"
    path = folder / "config.toml"
    path.touch(0o600)
    path.write_text(
        f'[accounts.kraken]\napi_key = "{key_of("kraken")}"\n'
        f'api_secret = {{ command = ["sh", "-c", "{look}"] }}\n{NOWHERE}'
    )
    return {"HOME": str(folder), "PATH": os.environ["PATH"], "PRIVSTREAM_CONFIG": str(path)}


def started(
    command: list[str], folder: Path, environ: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", 'ulimit -c unlimited; exec "$@"', "sh", *command],
        env=environ,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="/proc and prctl are Linux's")
def test_a_crash_leaves_no_dump_and_no_child_sees_what_the_config_holds(
    treasure: Treasure, tmp_path: Path
) -> None:
    talkative = {"PYTHONFAULTHANDLER": "1", "RICH_TRACEBACK": "1", "TYPER_STANDARD_TRACEBACK": "1"}
    environ = config_of_its_own(tmp_path) | talkative
    ended = started([sys.executable, "-c", CRASH], tmp_path, environ)
    assert ended.returncode == -signal.SIGABRT
    assert ended.stdout == "(0, 0) 0\n"
    assert "Fatal Python error: Aborted" in ended.stderr
    assert "RuntimeError: planted" in ended.stderr
    seen = (tmp_path / "seen").read_text()
    assert "PRIVSTREAM_CONFIG=" in seen
    assert treasure.leaks(ended.stdout + ended.stderr + seen) == []
    assert list(tmp_path.glob("core*")) == []


def test_the_console_script_imports_nothing_from_the_current_folder(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("privstream")
    assert script.exists(), "install the project: pip install --editable ."
    for name in ("requests", "json", "websocket", "hmac", "typer", "privstream", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text(f"open('{tmp_path}/imported-{name}', 'w')\n1 / 0\n")
    words = ["watch", "kraken", "--max-retries", "0"]
    ended = started([str(script), *words], tmp_path, config_of_its_own(tmp_path))
    assert ended.returncode == 5, ended.stderr
    assert "connection refused" in ended.stderr
    assert list(tmp_path.glob("imported-*")) == []
