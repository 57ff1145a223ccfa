"""`accounts list` and `remove`: where credentials are, and what goes with an account."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from privstream.app.list_accounts import place_of
from privstream.settings.credentials import Environment, FromCommand
from tests.cli.accounts.conftest import SECRETS, Accounts, entry, text_of
from tests.config_playground import CANARY, config_file
from tests.fake_keyring import Backend, KeyringLocked

# --- list ------------------------------------------------------------------------------------


EVERY_PLACE = f"""
[accounts.kraken]
api_key = "{CANARY}"
api_secret = {{ command = "echo {CANARY}" }}
otp = {{ command = "{CANARY}" }}
[accounts.desk]
exchange = "kraken"
protocol = "v1"
read_only = true
api_key = {{ env = "DESK_KEY" }}
api_secret = {{ file = "/run/none" }}
otp = {{ keyring = "desk-otp" }}
"""


def test_the_list_says_where_credentials_are_and_fetches_none(
    accounts: Accounts, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config_file(home, EVERY_PLACE)
    monkeypatch.setenv("DESK_KEY", CANARY)
    kraken, desk = accounts("list").rows
    assert kraken["credentials"] == {
        "api_key": {"kind": "config", "place": None, "set": True},
        "api_secret": {"kind": "command", "place": "echo", "set": None},
        "otp": {"kind": "command", "place": None, "set": None},
    }
    assert desk == {
        "account": "desk",
        "exchange": "kraken",
        "options": {"protocol": "v1"},
        "read_only": True,
        "source": "file",
        "credentials": {
            "api_key": {"kind": "env", "place": "DESK_KEY", "set": True},
            "api_secret": {"kind": "file", "place": "/run/none", "set": None},
            "otp": {"kind": "keyring", "place": "desk-otp", "set": None},
        },
    }


def test_the_list_on_a_terminal_is_a_table(
    accounts: Accounts, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config_file(home, EVERY_PLACE.replace("/run/none", "/run/none[red]"))
    monkeypatch.setattr(os, "isatty", lambda fd: fd == 1)
    said = accounts("list", "--no-color")
    for cell in (
        "api_key: config file ****",
        "api_secret: command echo …",
        "otp: command **** …",
        "protocol=v1",
        "no (read_only)",
        "api_key: env DESK_KEY (not set)",
        "api_secret: file /run/none[red]",
        "otp: keyring desk-otp",
    ):
        assert cell in said.out
    assert "\x1b" not in said.out


def test_no_account_at_all_is_said(accounts: Accounts) -> None:
    said = accounts("list")
    assert (said.code, said.out) == (0, "")
    assert "no account is configured" in said.err


def test_the_program_of_a_command_is_named_only_when_it_is_one() -> None:
    environment = Environment({"PATH": os.environ["PATH"]})
    assert place_of(FromCommand(("/bin/sh", "-c", CANARY)), environment).place == "sh"
    assert place_of(FromCommand((CANARY,)), environment).place is None


# --- remove ----------------------------------------------------------------------------------


def test_removing_takes_the_section_and_its_entries_and_nothing_else(
    accounts: Accounts, home: Path, keyring: Backend
) -> None:
    line = ("--keep", "keyring", "--from-stdin")
    for name in ("kraken", "bitfinex"):
        accounts("add", name, *line, stdin=SECRETS)
    path = home / ".config/privstream/config.toml"
    path.write_text(f"# mine\n{path.read_text()}# end\n")
    said = accounts("remove", "kraken", "--yes", "--json")
    assert said.code == 0
    assert said.rows[0]["account"] == "kraken"
    assert {name for _, name in keyring.entries} == {
        entry(home, f"bitfinex-{part}") for part in ("api_key", "api_secret")
    }
    assert text_of(home).startswith("# mine\n\n[accounts.bitfinex]\n")
    assert text_of(home).endswith("# end\n")


def test_an_entry_that_another_account_uses_stays(
    accounts: Accounts, home: Path, keyring: Backend
) -> None:
    keys = 'api_key = { keyring = "one" }\napi_secret = { keyring = "two" }\n'
    config_file(home, f'[accounts.kraken]\n{keys}[accounts.z]\nexchange = "kraken"\n{keys}')
    keyring.set_password("privstream", "one", CANARY)
    accounts("remove", "z", "--yes")
    assert keyring.entries == {("privstream", "one"): CANARY}
    said = accounts("remove", "kraken", "--yes")
    assert keyring.entries  # the file did not make it, so another one may name it too
    assert "keyring del privstream one" in said.err


def test_entries_that_cannot_be_removed_are_named(
    accounts: Accounts, home: Path, keyring: Backend
) -> None:
    accounts("add", "kraken", "--keep", "keyring", "--from-stdin", stdin=SECRETS)
    keyring.refuses = KeyringLocked()
    said = accounts("remove", "kraken", "--yes")
    assert said.code == 3
    assert (
        f"left there: {entry(home, 'kraken-api_key')}, {entry(home, 'kraken-api_secret')}"
        in said.err
    )
    assert "kraken" not in text_of(home)


def test_removing_asks_and_takes_no_for_an_answer(
    accounts: Accounts, home: Path, somebody: Callable[..., None]
) -> None:
    accounts("add", "kraken", "--keep", "env")
    before = text_of(home)
    assert accounts("remove", "kraken").code == 2
    somebody()
    said = accounts("remove", "kraken", stdin="\n")
    assert "nothing was changed" in said.err
    assert text_of(home) == before
    assert accounts("remove", "kraken", stdin="y\n").code == 0
    assert text_of(home) == ""
