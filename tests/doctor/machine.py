"""A home with a config file, accounts at simulated exchanges, and the doctor called in-process."""

import os
import re
import shlex
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import pytest

from privstream.connection.account_client import AccountClient
from privstream.connection.clock import SystemClock
from privstream.connection.rest.client import Rest
from privstream.connection.rest.nonces import Nonces
from privstream.connection.rest.pacing import Pacing
from privstream.connection.socket.websocket import Socket
from privstream.connection.tokens.cache import Tokens
from privstream.connection.tokens.file import TokenFile
from privstream.delivery.signals import Stop
from privstream.doctor.account import Equipment
from privstream.doctor.examination import examine
from privstream.doctor.findings import Finding, Level
from privstream.exchanges import find
from privstream.model.account import Account
from privstream.model.rest import Now
from privstream.simulator.server import Simulation

KRAKEN = frozenset({"websocket", "open_orders", "closed_orders", "funds"})
"""The rights of a simulated key that may only read."""
SHELL_COMMANDS = re.compile(r"(chmod|mv) [^;]+")


class ClockOff:
    """The computer's clock, so many seconds ahead of the right one."""

    def __init__(self, ahead: float = 0.0) -> None:
        self.ahead = ahead
        self.passed = 0.0
        """Seconds that went by without anybody waiting."""
        self._right = SystemClock()

    def now(self) -> Now:
        wall_ns, monotonic = self._right.now()
        return Now(wall_ns + round(self.ahead * 1e9), monotonic + self.passed)

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        return self._right.wait(seconds, stop)


class Machine:
    """One user's machine."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home = home
        self._patch = monkeypatch
        self.clock = ClockOff()
        self.equipped: list[Account] = []
        """Whoever was about to be logged in."""
        # 15 ms each time for what does not change; it is tested by itself.
        monkeypatch.setattr("privstream.doctor.examination.examine_installation", lambda: ())
        self.patch_environ({"HOME": str(home), "PATH": os.environ["PATH"]})

    def patch_environ(self, variables: Mapping[str, str]) -> None:
        """The whole environment; some of it is read where it is, not handed on."""
        for name in list(os.environ):
            if not name.startswith(("PYTEST", "COV")):
                self._patch.delenv(name)
        for name, value in variables.items():
            self._patch.setenv(name, value)

    @property
    def config(self) -> Path:
        return self.home / ".config/privstream/config.toml"

    @property
    def state(self) -> Path:
        return self.home / ".local/state/privstream"

    @property
    def cache(self) -> Path:
        return self.home / ".cache/privstream"

    def write(self, text: str, mode: int = 0o600) -> Self:
        self.config.parent.mkdir(parents=True, exist_ok=True)
        self.config.touch(mode)
        self.config.write_text(text)
        self.config.chmod(mode)
        return self

    def configure(self, simulation: Simulation, *names: str, **replaced: str) -> Self:
        """Configure accounts at simulated exchanges; `replaced` gives settings other values."""
        parts = [_section(simulation.account(name, {}), replaced) for name in names]
        return self.write("\n".join(parts))

    def examine(self, *names: str) -> "Report":
        """What the doctor finds."""
        return Report([*examine(os.environ, names, self.equip, self.clock, stop=Stop())])

    def equip(self, account: Account) -> Equipment:
        """As the command does, with this clock."""
        self.equipped.append(account)
        for folder in (self.state, self.cache):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        exchange = find(account.exchange)(account)
        clock, stop, limits = self.clock, threading.Event(), exchange.limits
        nonces = Nonces(self.state, account.api_key, limits.nonce_unit, clock, stop)
        rest = Rest(account.endpoints, nonces, Pacing(limits.rest_budget), clock, stop)
        client = AccountClient(
            exchange=exchange,
            clock=clock,
            rest=rest,
            socket=Socket,
            nonce=lambda: nonces.next(clock.now()),
            stop=stop,
        )
        tokens = None
        if exchange.has_token():
            tokens = Tokens(exchange, rest, clock, TokenFile(self.cache, account, clock))
        return Equipment(client, tokens)


def _section(account: Account, replaced: Mapping[str, str]) -> str:
    endpoints = account.endpoints
    urls = {"rest_url": endpoints.rest_url, "ws_url": endpoints.ws_url}
    beside = {"history_url": endpoints.history_url, "api_url": endpoints.api_url}
    urls |= {key: url for key, url in beside.items() if url is not None}
    secrets = {key: secret.reveal() for key, secret in account.credentials.items()}

    def lines(values: Mapping[str, str]) -> str:
        return "".join(f'{key} = "{replaced.get(key, value)}"\n' for key, value in values.items())

    name = account.exchange
    return f"[accounts.{name}]\n{lines(secrets)}[exchanges.{name}]\n{lines(urls)}"


class Report:
    """What was found."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings

    def of(self, check: str, account: str | None = None) -> list[Finding]:
        return [
            found
            for found in self.findings
            if found.check == check and account in {None, found.account}
        ]

    def one(self, check: str, account: str | None = None) -> Finding:
        [found] = self.of(check, account)
        return found

    def at(self, level: Level) -> list[Finding]:
        return [found for found in self.findings if found.level == level]

    def error(self) -> Finding:
        """The only error, which must say how to mend it."""
        [found] = self.at("error")
        assert found.hint
        return found

    def is_well(self) -> bool:
        """Besides that the exchanges are simulated ones."""
        return {found.check for found in self.findings if found.level != "ok"} <= {"override"}


def follow(hint: str | None) -> None:
    """Do what a hint says, to the letter."""
    command = SHELL_COMMANDS.search(hint or "")
    assert command, hint
    subprocess.run(shlex.split(command[0]), check=True)
