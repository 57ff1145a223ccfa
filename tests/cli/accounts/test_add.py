"""`accounts add`: credentials go where the user wants them, whole or not at all."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from privstream import exchanges
from privstream.app import add_account, credential_input
from privstream.cli.accounts import group
from privstream.exchanges.base import Exchange
from privstream.model.account import Secret
from privstream.model.errors import ConfigError
from privstream.settings import config_edit, keyring_store
from privstream.settings.config import load
from tests.cli.accounts.conftest import SECRETS, Accounts, entry, text_of
from tests.config_playground import CANARY, config_file
from tests.fake_keyring import Backend, KeyringLocked

# --- add: where credentials are kept ---------------------------------------------------------


def test_secrets_are_read_from_a_pipe_into_the_config_file(accounts: Accounts, home: Path) -> None:
    said = accounts("add", "kraken", "--from-stdin", "--keep", "config", stdin=SECRETS)
    assert said.code == 0
    assert "privstream doctor kraken" in said.err
    account = load(os.environ).account("kraken")
    assert (account.api_key, account.api_secret) == (Secret(CANARY), Secret(f"{CANARY}xxxx"))
    assert (home / ".config/privstream/config.toml").stat().st_mode & 0o777 == 0o600


def test_secrets_are_kept_in_the_keyring_and_fetched_from_there(
    accounts: Accounts, home: Path, keyring: Backend
) -> None:
    line = ("add", "desk", "--exchange", "bitfinex", "--keep", "keyring", "--from-stdin")
    assert accounts(*line, stdin=SECRETS).code == 0
    key, secret = (entry(home, f"desk-{part}") for part in ("api_key", "api_secret"))
    assert text_of(home) == (
        '[accounts.desk]\nexchange = "bitfinex"\n'
        f'api_key = {{ keyring = "{key}" }}\napi_secret = {{ keyring = "{secret}" }}\n'
    )
    assert keyring.entries == {
        ("privstream", key): CANARY,
        ("privstream", secret): f"{CANARY}xxxx",
    }
    assert load(os.environ).account("desk").api_secret == Secret(f"{CANARY}xxxx")


def test_the_exchanges_own_variables_are_noted_by_default(accounts: Accounts, home: Path) -> None:
    said = accounts("add", "zerocap", "--keep", "env", "--environment", "sandbox", "--read-only")
    assert text_of(home) == (
        '[accounts.zerocap]\nenvironment = "sandbox"\nread_only = true\n'
        'api_key = { env = "ZEROCAP_API_KEY" }\napi_secret = { env = "ZEROCAP_API_SECRET" }\n'
    )
    assert "still to be set where privstream runs: ZEROCAP_API_KEY, ZEROCAP_API_SECRET" in said.err


def test_each_credential_may_be_somewhere_else(accounts: Accounts, home: Path) -> None:
    places = ("--command", "api_key=pass show 'my key'", "--file", "api_secret=/run/s", "--env")
    said = accounts("add", "desk", "--exchange", "kraken", *places, "otp=DESK_OTP", "--json")
    assert said.code == 0
    assert text_of(home).endswith(
        "api_key = { command = \"pass show 'my key'\" }\n"
        'api_secret = { file = "/run/s" }\notp = { env = "DESK_OTP" }\n'
    )
    [row] = said.rows
    assert row["account"] == "desk"
    assert row["credentials"]["otp"] == {"kind": "env", "place": "DESK_OTP", "set": False}


def test_only_what_has_no_place_is_read_and_an_optional_one_may_follow(
    accounts: Accounts, home: Path
) -> None:
    line = ("add", "kraken", "--keep", "config", "--from-stdin", "--env", "api_key=K")
    assert accounts(*line, stdin=f"{CANARY}\r\n {CANARY}y \n\n").code == 0
    assert f'api_secret = "{CANARY}"\notp = "{CANARY}y"\n' in text_of(home)


# --- add: what is refused, and that nothing is changed then ----------------------------------


@pytest.mark.parametrize(
    ("words", "stdin", "told"),
    [
        (("add", "a b", "--keep", "env"), "", (3, "no account name")),
        (("add", CANARY + "=", "--keep", "env"), "", (3, "no account name")),
        (("add",), "", (2, "privstream accounts add bitfinex")),
        (("add", "x"), "", (2, "which exchange")),
        (("add", "x", "--exchange", "krakn"), "", (3, "did you mean kraken")),
        (("add", "x", "--exchange", CANARY + "=/"), "", (3, "no exchange of this name")),
        (("add", "kraken"), "", (2, "--keep with one of: keyring, config, env, file, command")),
        (("add", "kraken", "--keep", "config"), "", (2, "no terminal to ask")),
        (("add", "kraken", "--keep", "drawer"), "", (2, "--keep takes one of")),
        (("add", "kraken", "--keep", "file"), "", (2, "--file api_key=")),
        (("add", "kraken", "--keep", "env", "--from-stdin"), "", (2, "keeps none")),
        (("add", "kraken", "--keep", "env", "--env", CANARY), "", (2, "CREDENTIAL=PLACE")),
        (("add", "kraken", "--env", f"api_key={CANARY}/+"), "", (3, "environment variable")),
        (("add", "kraken", "--file", "api_key=secret"), "", (3, "begins with /")),
        (("add", "kraken", "--env", "otp=A", "--env", "otp=B"), "", (2, "two places")),
        (("add", "kraken", "--protocol", "v3", "--keep", "env"), "", (2, "v2 or v1")),
        (("add", "bitfinex", "--protocol", "v1", "--keep", "env"), "", (2, "has no --protocol")),
        (("add", "kraken", "--keep", "config", "--from-stdin"), "", (2, "0 lines")),
        (("add", "kraken", "--keep", "config", "--from-stdin"), SECRETS * 2, (2, "4 lines")),
        (("add", "kraken", "--keep", "config", "--from-stdin"), f"{CANARY}\n\nx", (3, "is empty")),
        (("add", "kraken", "--keep", "config", "--from-stdin"), f"{CANARY}ü\nx", (3, "not ASCII")),
        (
            ("add", "kraken", "--keep", "config", "--from-stdin"),
            f"{CANARY}\ta\nx",
            (3, "invisible"),
        ),
        (("add", "kraken", "--keep", "config", "--from-stdin"), "x" * 70_000, (2, "65536")),
        (("remove", "kraken", "--yes"), "", (3, "no account 'kraken'")),
    ],
)
def test_what_cannot_be_is_one_sentence_and_changes_nothing(
    words: tuple[str, ...], stdin: str, told: tuple[int, str], accounts: Accounts, home: Path
) -> None:
    left = accounts(*words, stdin=stdin)
    code, sentence = told
    assert left.code == code
    assert sentence in left.err
    assert len(left.err.splitlines()) == 1
    assert not left.out
    assert not (home / ".config").exists()


def test_a_command_line_that_leaves_nothing_to_keep_is_refused(accounts: Accounts) -> None:
    both = ("--env", "api_key=A", "--env", "api_secret=B")
    for more in (("--from-stdin",), ("--keep", "keyring")):
        assert "nothing is left to keep" in accounts("add", "kraken", *both, *more).err


def test_an_account_that_exists_is_left_alone_without_replace(
    accounts: Accounts, home: Path
) -> None:
    assert accounts("add", "kraken", "--keep", "env").code == 0
    before = text_of(home)
    said = accounts("add", "kraken", "--keep", "config", "--from-stdin", stdin=SECRETS)
    assert said.code == 3
    assert "--replace" in said.err
    assert text_of(home) == before


def test_new_credentials_leave_the_other_settings(
    accounts: Accounts, home: Path, keyring: Backend
) -> None:
    config_file(
        home,
        '[accounts.desk] # mine\nexchange = "kraken"\nprotocol = "v1"  # the bot\n'
        'read_only = true\napi_key = { keyring = "own" }\napi_secret = "s"\n',
    )
    keyring.set_password("privstream", "own", "old")
    keyring.set_password("privstream", "other", "stays")
    line = ("add", "desk", "--replace", "--keep", "keyring", "--from-stdin")
    said = accounts(*line, stdin=SECRETS)
    assert said.code == 0
    key, secret = (entry(home, f"desk-{part}") for part in ("api_key", "api_secret"))
    assert text_of(home) == (
        '[accounts.desk] # mine\nexchange = "kraken"\nprotocol = "v1"  # the bot\n'
        f'read_only = true\napi_key = {{ keyring = "{key}" }}\n'
        f'api_secret = {{ keyring = "{secret}" }}\n'
    )
    # What the file did not make stays: another file may name it too.
    assert {name for _, name in keyring.entries} == {key, secret, "own", "other"}
    assert "left in the keyring, since it may serve others: own" in said.err


def test_an_account_may_move_to_another_exchange_and_stays_read_only(accounts: Accounts) -> None:
    accounts("add", "kraken", "--keep", "env", "--protocol", "v1", "--read-only")
    said = accounts("add", "kraken", "--replace", "--exchange", "bitfinex", "--keep", "env")
    assert said.code == 0
    settings = load(os.environ).settings("kraken")
    assert (settings.exchange, settings.options) == ("bitfinex", {})
    assert settings.read_only


# --- add: the keyring and the file together or not at all ------------------------------------


def test_a_keyring_that_refuses_leaves_the_file_alone(
    accounts: Accounts, home: Path, keyring: Backend
) -> None:
    keyring.refuses = KeyringLocked()
    said = accounts("add", "kraken", "--keep", "keyring", "--from-stdin", stdin=SECRETS)
    assert said.code == 3
    assert "the keyring is locked" in said.err
    assert not (home / ".config/privstream/config.toml").exists()


def test_a_file_that_cannot_be_written_puts_the_keyring_back(
    accounts: Accounts, home: Path, keyring: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring.set_password("privstream", "kraken-api_key", "of before")

    def full(_self: Path, _target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    said = accounts("add", "kraken", "--keep", "keyring", "--from-stdin", stdin=SECRETS)
    assert said.code == 1
    assert "No space left" in said.err
    assert keyring.entries == {("privstream", "kraken-api_key"): "of before"}
    assert not list(home.rglob("*config.toml*"))


def test_ctrl_c_after_the_file_landed_leaves_the_entries_that_it_names(
    accounts: Accounts, keyring: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_folder: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(config_edit, "_sync_folder", interrupt)
    said = accounts("add", "kraken", "--keep", "keyring", "--from-stdin", stdin=SECRETS)
    assert said.code == 130
    assert load(os.environ).account("kraken").api_key == Secret(CANARY)
    assert len(keyring.entries) == 2


def test_two_config_files_with_an_account_of_one_name_keep_a_key_each(
    accounts: Accounts, home: Path, keyring: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = ("--keep", "keyring", "--from-stdin")
    accounts("add", "kraken", *line, stdin=SECRETS)
    first = dict(keyring.entries)
    monkeypatch.setenv("PRIVSTREAM_CONFIG", str(home / "other.toml"))
    accounts("add", "kraken", *line, stdin="other-key\nb3RoZXI=\n")
    assert first.items() <= keyring.entries.items()
    assert load(os.environ).account("kraken").api_key == Secret("other-key")
    accounts("remove", "kraken", "--yes")
    assert keyring.entries == first


def test_entries_of_before_are_still_read(home: Path, keyring: Backend) -> None:
    config_file(
        home,
        '[accounts.kraken]\napi_key = { keyring = "kraken-api_key" }\n'
        'api_secret = { keyring = "kraken-api_secret" }\n',
    )
    keyring.set_password("privstream", "kraken-api_key", "k")
    keyring.set_password("privstream", "kraken-api_secret", "s")
    assert load(os.environ).account("kraken").api_key == Secret("k")


def test_memory_is_hidden_before_anything_is_typed(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    monkeypatch.setattr(add_account, "hide_memory", lambda: order.append("hidden"))
    read = credential_input.from_stdin

    def reading(*given: Any) -> dict[str, Secret]:
        order.append("read")
        return read(*given)

    monkeypatch.setattr(add_account, "from_stdin", reading)
    accounts("add", "kraken", "--keep", "config", "--from-stdin", stdin=SECRETS)
    assert order == ["hidden", "read"]


@pytest.mark.parametrize("key", [CANARY, "AbC123dEf456GhI789jKl0"])
def test_a_key_that_is_given_as_the_name_of_its_variable_is_noticed(
    key: str, accounts: Accounts, home: Path
) -> None:
    said = accounts("add", "kraken", "--env", f"api_key={key}", "--env", "api_secret=S")
    assert said.code == 3
    assert "looks like a credential itself" in said.err
    assert key not in said.err
    assert not (home / ".config").exists()


def test_a_second_entry_that_cannot_be_kept_takes_the_first_out_again(
    accounts: Accounts, keyring: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = keyring_store.hold

    def fails(request: Any, *rest: Any) -> Any:
        if "secret" in request["entry"]:
            raise ConfigError("the keyring is full")
        return hold(request, *rest)

    monkeypatch.setattr(keyring_store, "hold", fails)
    said = accounts("add", "kraken", "--keep", "keyring", "--from-stdin", stdin=SECRETS)
    assert said.code == 3
    assert not keyring.entries


# --- add: what it says -----------------------------------------------------------------------


@pytest.mark.parametrize("name", exchanges.names())
def test_the_rights_that_a_key_needs_are_told_and_no_more(name: str, accounts: Accounts) -> None:
    exchange: type[Exchange] = exchanges.find(name)
    said = accounts("add", name, "--keep", "env")
    assert all(f"  {right}\n" in said.err for right in exchange.rights)
    assert bool(exchange.rights) != ("name no rights" in said.err)
    assert "never one to withdraw" in said.err
    assert "IP address" in said.err
    assert "read_only = true" in said.err
    assert not accounts("add", name, "--keep", "env", "--replace", "-q").err


def test_accounts_that_variables_made_are_named_when_they_end(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KRAKEN", "BITFINEX"):
        monkeypatch.setenv(f"{name}_API_KEY", CANARY)
        monkeypatch.setenv(f"{name}_API_SECRET", CANARY)
    assert [row["source"] for row in accounts("list").rows] == ["environment"] * 2
    said = accounts("add", "kraken", "--keep", "env")
    assert "bitfinex is no account any more" in said.err
    assert "accounts add bitfinex --keep env" in said.err
    assert [row["source"] for row in accounts("list").rows] == ["file"]
    refused = accounts("remove", "bitfinex", "--yes")
    assert refused.code == 3
    said = accounts("remove", "kraken", "--yes")
    assert "accounts that variables make count again: bitfinex" in said.err
    refused = accounts("remove", "bitfinex", "--yes")
    assert "unset BITFINEX_API_KEY, BITFINEX_API_SECRET" in refused.err


def test_one_key_under_two_names_is_warned_of(accounts: Accounts) -> None:
    accounts("add", "kraken", "--keep", "env")
    said = accounts("add", "desk", "--exchange", "kraken", "--keep", "env")
    assert "account kraken takes a credential from the same place" in said.err


def test_a_file_that_gets_closed_to_others_is_told(accounts: Accounts, home: Path) -> None:
    path = config_file(home, "# mine\n", mode=0o644)
    said = accounts("add", "kraken", "--keep", "config", "--from-stdin", stdin=SECRETS)
    assert "config.toml is now of mode 0600" in said.err
    assert path.stat().st_mode & 0o777 == 0o600


# --- no secret in a command line -------------------------------------------------------------


def test_no_option_takes_a_secret() -> None:
    commands = group()
    options = [
        option
        for name in ("add", "list", "remove")
        for parameter in commands.get_command(None, name).params
        for option in parameter.opts
    ]
    assert "--from-stdin" in options
    assert not [o for o in options if any(word in o for word in ("key", "secret", "otp", "pass"))]


def test_errors_are_json_when_asked_for(accounts: Accounts) -> None:
    said = accounts("add", "a b", "--json")
    assert json.loads(said.err)["error"] == "config"


def test_the_start_of_the_program_loads_nothing_of_this() -> None:
    code = (
        "import sys; from privstream.cli.entry import run; run(['--help']); "
        "assert not {'tomlkit', 'keyring', 'rich', 'privstream.settings.config_edit'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
