"""A simulated Kraken on loopback, and the program as a user starts it."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from privstream.cli import entry
from privstream.delivery.signals import Stop
from privstream.simulator.server import Simulation
from tests.forked import Forked

LIMIT = 50.0
"""Seconds after which a program is taken to hang; no test looks at less."""
QUIET = 2.2e-6
"""A rate at which nothing happens; orders stand until 2050, where a life of weeks has days without."""
PIPES = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}


@dataclass
class Ended:
    """What a run left."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


class Program:
    """The program in an environment of its own."""

    def __init__(
        self,
        home: Path,
        config: Path | None = None,
        launcher: tuple[str, ...] = ("-m", "privstream"),
    ) -> None:
        self.home = home
        self.launcher = launcher
        self.environ = {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONDEVMODE": ""}
        if config is not None:
            self.environ["PRIVSTREAM_CONFIG"] = str(config)

    def start(
        self, *words: str, environ: Mapping[str, str] | None = None, **streams: Any
    ) -> Forked:
        """Start it and go on."""
        return Forked(
            words,
            env={**self.environ, **(environ or {})},
            cwd=self.home,
            launcher=self.launcher,
            **{**PIPES, **streams},
        )

    def run(self, *words: str, environ: Mapping[str, str] | None = None, **streams: Any) -> Ended:
        """Start it and wait for its end."""
        with self.start(*words, environ=environ, **streams) as process:
            out, err = process.communicate(timeout=LIMIT)
        return Ended(process.wait(), out, err)

    def launch(self, *words: str, **settings: Any) -> subprocess.Popen[str]:
        """Start it as a user does, with an interpreter of its own, and go on."""
        return subprocess.Popen(
            [sys.executable, *self.launcher, *words],
            env=self.environ,
            cwd=self.home,
            text=True,
            **{**PIPES, **settings},
        )

    def from_nothing(self, *words: str) -> Ended:
        """Launch it and wait for its end."""
        with self.launch(*words) as process:
            out, err = process.communicate(timeout=LIMIT)
        return Ended(process.returncode, out, err)

    def __call__(self, *words: str, **settings: Any) -> Ended:
        return self.run(*words, **settings)


@contextmanager
def surroundings(home: Path, environ: Mapping[str, str]) -> Iterator[None]:
    """What a process would have of its own; nothing of it outlives the block."""
    with (
        mock.patch.dict(os.environ, environ, clear=True),
        mock.patch.object(sys, "excepthook", sys.excepthook),
        mock.patch.object(sys, "stdin", io.StringIO()),
        chdir(home),
    ):
        yield


class InProcess(Program):
    """Runs to the end without a process; what is started is one."""

    def __init__(self, program: Program, capfd: pytest.CaptureFixture[str]) -> None:
        super().__init__(program.home, launcher=program.launcher)
        self.environ = program.environ
        self._capfd = capfd

    def run(self, *words: str, environ: Mapping[str, str] | None = None, **streams: Any) -> Ended:
        """As the program does it; a thread that stayed would keep a process from its end."""
        assert not streams
        threads = threading.enumerate()
        # Without the process's signals, which end a process that is late with its end.
        with surroundings(self.home, {**self.environ, **(environ or {})}), Stop() as stop:
            code = entry.run(words, stop)
        for thread in {*threading.enumerate()} - {*threads}:
            thread.join(LIMIT)
            assert not thread.is_alive()
        return Ended(code, *self._capfd.readouterr())

    def in_a_process(self, *words: str, **streams: Any) -> Ended:
        """With streams of its own."""
        return super().run(*words, **streams)


Inside = Callable[[Program], InProcess]


def wait_for(process: Forked, text: str) -> str:
    """Read stderr until a line holds the text; returns what was read."""
    assert process.stderr is not None
    read = ""
    for line in process.stderr:
        read += line
        if text in line:
            return read
    raise AssertionError(f"never said {text!r}, but: {read}")


def end(process: Forked, number: int = signal.SIGTERM) -> Ended:
    """Send a signal and wait for the end; what was read before is not told again."""
    process.send_signal(number)
    with process:  # closes its pipes
        out, err = process.communicate(timeout=LIMIT)
    return Ended(process.wait(), out, err)


def shown_on(terminal: int, *texts: str) -> str:
    """What a program shows on a terminal until all these texts have come; else until its end."""
    screen = ""
    while not texts or any(text not in screen for text in texts):
        try:
            screen += os.read(terminal, 65536).decode()
        except OSError:  # the terminal is gone with its last user
            break
    return screen


@pytest.fixture(scope="session")
def simulation() -> Iterator[Simulation]:
    """A lively Kraken."""
    with Simulation(["kraken"], seed=5, rate=40, limits=False) as running:
        yield running


def config_of(simulation: Simulation, folder: Path, **changes: str) -> Path:
    """A config file that leads to the simulation; `changes` replace lines' values."""
    account = simulation.account("kraken", {"protocol": changes.pop("protocol", "v2")})
    values = {
        "api_key": account.api_key.reveal(),
        "api_secret": account.api_secret.reveal(),
        "rest_url": account.endpoints.rest_url,
        "ws_url": account.endpoints.ws_url,
        **changes,
    }
    path = folder / "config.toml"
    path.touch(0o600)
    path.write_text(
        "[accounts.kraken]\n"
        f'api_key = "{values["api_key"]}"\n'
        f'api_secret = "{values["api_secret"]}"\n'
        "[exchanges.kraken]\n"
        f'rest_url = "{values["rest_url"]}"\n'
        f'ws_url = "{values["ws_url"]}"\n'
    )
    return path


@pytest.fixture
def inside(capfd: pytest.CaptureFixture[str]) -> Inside:
    """A program that needs no process for what it runs to the end."""
    return lambda program: InProcess(program, capfd)


@pytest.fixture
def program(simulation: Simulation, tmp_path: Path, inside: Inside) -> InProcess:
    """The program, configured for the simulation."""
    return inside(Program(tmp_path, config_of(simulation, tmp_path)))
