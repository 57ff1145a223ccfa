"""`privstream accounts` in this process, with a keyring and somebody at the keys."""

import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from privstream.app.asking import Person
from privstream.cli.entry import run
from privstream.model.account import Secret
from privstream.settings.keyring_entries import entry_name
from tests.config_playground import CANARY
from tests.fake_keyring import Backend, answer_here, backend_of

SECRETS = f"{CANARY}\n{CANARY}xxxx\n"
SECRET_SERVICE = "keyring.backends.SecretService.Keyring"


class Said:
    """What a command line left: its exit code, and all that it printed."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err
        assert CANARY not in out + err

    @property
    def rows(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


Accounts = Callable[..., Said]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in list(os.environ):
        if name.startswith(("XDG_", "PRIVSTREAM_")) or name.endswith(("_API_KEY", "_API_SECRET")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def accounts(
    home: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Accounts:
    """`privstream accounts …` in this process; `stdin` is what is piped into it."""
    assert home.exists()
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)

    def call(*words: str, stdin: str = "") -> Said:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        code = run(["accounts", *words])
        return Said(code, *capfd.readouterr())

    return call


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Backend:
    backend = backend_of(SECRET_SERVICE)
    answer_here(monkeypatch, backend)
    return backend


@pytest.fixture
def somebody(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets somebody sit there who types these secrets."""

    def sits_there(*secrets: str) -> None:
        typed = iter(secrets)
        monkeypatch.setattr(Person, "is_there", lambda _self: True)
        monkeypatch.setattr(Person, "secret", lambda _self, _question: Secret(next(typed)))

    return sits_there


def text_of(home: Path) -> str:
    return (home / ".config/privstream/config.toml").read_text()


def entry(home: Path, name: str) -> str:
    """The keyring entry that the usual config file makes for a credential, `desk-api_key`."""
    account, _, credential = name.partition("-")
    return entry_name(account, credential, home / ".config/privstream/config.toml")
