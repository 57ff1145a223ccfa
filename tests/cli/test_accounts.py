"""`privstream accounts`: credentials go where the user wants them, and are seen by nobody."""

import io
import json
import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from privstream import config_edit, exchanges, keyring_store
from privstream.cli import asking
from privstream.cli.account_listing import place_of
from privstream.cli.accounts import group
from privstream.cli.entry import run
from privstream.config import load
from privstream.credentials import Environment, FromCommand
from privstream.errors import ConfigError
from privstream.exchanges.base import Exchange
from privstream.wire import Secret
from tests.cli.conftest import Program
from tests.config_playground import CANARY, config_file
from tests.fake_keyring import Backend, KeyringLocked, answer_here, backend_of

SECRETS = f"{CANARY}\n{CANARY}x\n"
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
) -> Iterator[Accounts]:
    """`privstream accounts …` in this process; `stdin` is what is piped into it."""
    assert home.exists()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)

    def call(*words: str, stdin: str = "") -> Said:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        code = run(["accounts", *words])
        return Said(code, *capfd.readouterr())

    yield call
    for number, usual in before.items():
        signal.signal(number, usual)


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
        monkeypatch.setattr(asking, "somebody_there", lambda: True)
        monkeypatch.setattr(asking, "ask_secret", lambda _question: Secret(next(typed)))

    return sits_there


def text_of(home: Path) -> str:
    return (home / ".config/privstream/config.toml").read_text()


# --- add: where credentials are kept ---------------------------------------------------------


def test_secrets_are_read_from_a_pipe_into_the_config_file(accounts: Accounts, home: Path) -> None:
    said = accounts("add", "kraken", "--from-stdin", "--keep", "config", stdin=SECRETS)
    assert said.code == 0
    assert "privstream doctor kraken" in said.err
    account = load(os.environ).account("kraken")
    assert (account.api_key, account.api_secret) == (Secret(CANARY), Secret(f"{CANARY}x"))
    assert (home / ".config/privstream/config.toml").stat().st_mode & 0o777 == 0o600


def test_secrets_are_kept_in_the_keyring_and_fetched_from_there(
    accounts: Accounts, home: Path, keyring: Backend
) -> None:
    line = ("add", "desk", "--exchange", "bitfinex", "--keep", "keyring", "--from-stdin")
    assert accounts(*line, stdin=SECRETS).code == 0
    assert text_of(home) == (
        '[accounts.desk]\nexchange = "bitfinex"\n'
        'api_key = { keyring = "desk-api_key" }\napi_secret = { keyring = "desk-api_secret" }\n'
    )
    assert keyring.entries == {
        ("privstream", "desk-api_key"): CANARY,
        ("privstream", "desk-api_secret"): f"{CANARY}x",
    }
    assert load(os.environ).account("desk").api_secret == Secret(f"{CANARY}x")


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
    assert accounts(*line, stdin=SECRETS).code == 0
    assert text_of(home) == (
        '[accounts.desk] # mine\nexchange = "kraken"\nprotocol = "v1"  # the bot\n'
        'read_only = true\napi_key = { keyring = "desk-api_key" }\n'
        'api_secret = { keyring = "desk-api_secret" }\n'
    )
    # What no account uses any more is gone.
    names = {name for _, name in keyring.entries}
    assert names == {"desk-api_key", "desk-api_secret", "other"}


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
    assert said.code == 3
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


def test_a_second_entry_that_cannot_be_kept_takes_the_first_out_again(
    accounts: Accounts, keyring: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = keyring_store.keep

    def fails(entry_: str, *rest: Any) -> None:
        if entry_.endswith("secret"):
            raise ConfigError("the keyring is full")
        keep(entry_, *rest)

    monkeypatch.setattr(keyring_store, "keep", fails)
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


# --- add: asked on a terminal ----------------------------------------------------------------


def test_somebody_at_a_terminal_is_asked_for_everything(
    accounts: Accounts, home: Path, keyring: Backend, somebody: Callable[..., None]
) -> None:
    somebody("", f"{CANARY} \x1b", CANARY, f"{CANARY}x", "")
    said = accounts("add", "desk", stdin="krakn\nkraken\nmaybe\n\n\n")
    assert said.code == 0
    assert said.err.index("Access WebSockets API") < said.err.index("Keep in [keyring]")
    assert text_of(home).startswith('[accounts.desk]\nexchange = "kraken"\nread_only = true\n')
    assert set(keyring.entries.values()) == {CANARY, f"{CANARY}x"}


def test_somebody_who_types_nothing_right_three_times_is_told(
    accounts: Accounts, home: Path, somebody: Callable[..., None]
) -> None:
    somebody("", "", "")
    said = accounts("add", "kraken", "--keep", "config", "--read-only")
    assert said.code == 3
    assert "api_key is empty" in said.err
    assert not (home / ".config").exists()


def test_somebody_who_goes_away_changes_nothing(
    accounts: Accounts, home: Path, somebody: Callable[..., None]
) -> None:
    somebody()
    said = accounts("add", "desk", stdin="kraken\n")
    assert said.code == 2
    assert "there was no answer (nothing was changed)" in said.err
    assert not (home / ".config").exists()


def test_ctrl_c_at_a_question_changes_nothing_and_ends_its_line(
    accounts: Accounts, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_question: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(asking, "somebody_there", lambda: True)
    monkeypatch.setattr("getpass.getpass", interrupt)
    said = accounts("add", "kraken", "--keep", "config", "--read-only")
    assert said.code == 130
    assert said.err.endswith("\n\n")
    assert not (home / ".config").exists()


def test_an_account_that_comes_while_somebody_types_is_left_alone(
    accounts: Accounts, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = '[accounts.kraken]\napi_key = "of"\napi_secret = "another"\n'

    def type_slowly(_question: str) -> Secret:
        config_file(home, taken)
        return Secret(CANARY)

    monkeypatch.setattr(asking, "somebody_there", lambda: True)
    monkeypatch.setattr(asking, "ask_secret", type_slowly)
    said = accounts("add", "kraken", "--keep", "config", "--read-only")
    assert said.code == 3
    assert "there is an account 'kraken'" in said.err
    assert text_of(home) == taken


def test_without_a_keyring_the_config_file_is_proposed(
    accounts: Accounts, keyring: Backend, somebody: Callable[..., None]
) -> None:
    keyring.refuses = KeyringLocked()
    somebody(CANARY, CANARY)
    said = accounts("add", "bitfinex", "--read-only", stdin="\n")
    assert "Keep in [config]" in said.err
    assert said.code == 0


def test_places_are_asked_for_with_the_usual_ones_proposed(
    accounts: Accounts, home: Path, somebody: Callable[..., None]
) -> None:
    somebody()
    accounts("add", "bitfinex", "--keep", "env", "--no-read-only", stdin="\nMINE\n")
    assert '{ env = "BITFINEX_API_KEY" }\napi_secret = { env = "MINE" }' in text_of(home)


def test_what_is_typed_as_a_secret_does_not_show_on_the_terminal(tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    program = Program(tmp_path)
    words = ("accounts", "add", "bitfinex", "--keep", "config", "--read-only")
    streams = {"stdin": follower, "stdout": follower, "stderr": follower}
    process = program.start(*words, **streams, start_new_session=True)
    os.close(follower)
    shown = read_until(leader, b"api_key (not shown): ")
    os.write(leader, f"{CANARY}\n".encode())
    shown += read_until(leader, b"api_secret (not shown): ")
    os.write(leader, f"{CANARY}x\n".encode())
    shown += read_until(leader, b"privstream doctor bitfinex")
    assert process.wait(10) == 0
    os.close(leader)
    assert CANARY.encode() not in shown
    assert f'api_secret = "{CANARY}x"' in text_of(tmp_path)


def read_until(terminal: int, text: bytes) -> bytes:
    shown = b""
    while text not in shown:
        assert select.select([terminal], [], [], 10.0)[0], shown
        shown += os.read(terminal, 4096)
    return shown


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
    assert {name for _, name in keyring.entries} == {"bitfinex-api_key", "bitfinex-api_secret"}
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
    accounts("remove", "kraken", "--yes")
    assert not keyring.entries


def test_entries_that_cannot_be_removed_are_named(
    accounts: Accounts, home: Path, keyring: Backend
) -> None:
    accounts("add", "kraken", "--keep", "keyring", "--from-stdin", stdin=SECRETS)
    keyring.refuses = KeyringLocked()
    said = accounts("remove", "kraken", "--yes")
    assert said.code == 3
    assert "left there: kraken-api_key, kraken-api_secret" in said.err
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
        "assert not {'tomlkit', 'keyring', 'rich', 'privstream.config_edit'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
