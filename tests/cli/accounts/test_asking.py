"""`accounts add` at a terminal: what is asked, and that no secret shows."""

import os
import pty
import select
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from privstream.app.asking import Person
from privstream.model.account import Account, Secret
from privstream.settings.config import load
from privstream.simulator.server import Simulation
from tests.cli.accounts.conftest import Accounts, text_of
from tests.cli.conftest import Program
from tests.config_playground import CANARY, config_file
from tests.fake_keyring import Backend, KeyringLocked


def test_somebody_at_a_terminal_is_asked_for_everything(
    accounts: Accounts, home: Path, keyring: Backend, somebody: Callable[..., None]
) -> None:
    somebody("", f"{CANARY} \x1b", CANARY, f"{CANARY}xxxx", "")
    said = accounts("add", "desk", stdin="krakn\nkraken\n\nn\nmaybe\n\n")
    assert said.code == 0
    told = (
        "account desk goes into",
        "one of: bitfinex",
        "https://pro.kraken.com/app/settings/api",
        "Access WebSockets API",
        "Keep in [keyring]",
        "Try the login now? [Y/n]",
        "Only watch",
        "account desk (Kraken) is in",
    )
    assert sorted(told, key=said.err.index) == [*told]
    assert text_of(home).startswith('[accounts.desk]\nexchange = "kraken"\nread_only = true\n')
    assert set(keyring.entries.values()) == {CANARY, f"{CANARY}xxxx"}


def test_who_names_no_account_is_asked_on_which_exchange_it_is(
    accounts: Accounts, home: Path, somebody: Callable[..., None]
) -> None:
    somebody(CANARY, f"{CANARY}xxxx", "")
    said = accounts("add", "--keep", "config", "--read-only", stdin="krakn\nkraken\nn\n")
    assert said.code == 0
    assert "one of: bitfinex" in said.err
    assert text_of(home).startswith("[accounts.kraken]\nread_only = true\n")


def test_where_nothing_can_be_kept_nobody_is_asked(
    accounts: Accounts, home: Path, somebody: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    somebody()
    (home / "file").touch(mode=0o600)
    for variable in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        with monkeypatch.context() as changed:
            changed.setenv(variable, str(home / "file" / "x"))
            said = accounts("add", "kraken")
        assert said.code == 3
        assert f"cannot be made: {home}/file is no folder" in said.err
        assert "goes into" not in said.err


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
    def interrupted(self: Person) -> None:
        signal.raise_signal(signal.SIGINT)
        self._stop.event.wait()
        self._stop.check()

    monkeypatch.setattr(Person, "is_there", lambda _self: True)
    monkeypatch.setattr(Person, "_await_input", interrupted)
    said = accounts("add", "kraken", "--keep", "env")
    assert said.code == 130
    assert said.err.endswith(": \n")
    assert not (home / ".config").exists()


def test_an_account_that_comes_while_somebody_types_is_left_alone(
    accounts: Accounts, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = '[accounts.kraken]\napi_key = "of"\napi_secret = "another"\n'

    def type_slowly(_self: Person, _question: str) -> Secret:
        config_file(home, taken)
        return Secret(CANARY)

    monkeypatch.setattr(Person, "is_there", lambda _self: True)
    monkeypatch.setattr(Person, "secret", type_slowly)
    said = accounts("add", "kraken", "--keep", "config", "--read-only", stdin="n\n")
    assert said.code == 3
    assert "there is an account 'kraken'" in said.err
    assert text_of(home) == taken


def test_without_a_keyring_the_config_file_is_proposed(
    accounts: Accounts, keyring: Backend, somebody: Callable[..., None]
) -> None:
    keyring.refuses = KeyringLocked()
    somebody(CANARY, CANARY)
    said = accounts("add", "bitfinex", "--read-only", stdin="\nn\n")
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
    process = program.launch(*words, **streams, start_new_session=True)
    os.close(follower)
    shown = read_until(leader, b"api_key (not shown): ")
    os.write(leader, f"{CANARY}\n".encode())
    shown += read_until(leader, b"api_secret (not shown): ")
    os.write(leader, f"{CANARY}xxxx\n".encode())
    shown += read_until(leader, b"Try the login now? [Y/n]: ")
    os.write(leader, b"n\n")
    shown += read_until(leader, b"privstream doctor bitfinex")
    assert process.wait() == 0
    os.close(leader)
    assert CANARY.encode() not in shown
    assert b". 36 characters" in shown
    assert f'api_secret = "{CANARY}xxxx"' in text_of(tmp_path)


@pytest.fixture
def at_hand(home: Path, simulation: Simulation) -> Account:
    """An account on a simulated Kraken, which the config file names."""
    account = simulation.account("kraken", {})
    urls = f'rest_url = "{account.endpoints.rest_url}"\nws_url = "{account.endpoints.ws_url}"\n'
    config_file(home, f"[exchanges.kraken]\n{urls}")
    return account


def test_the_login_is_tried_with_what_was_typed_before_it_is_kept(
    accounts: Accounts, at_hand: Account, home: Path, somebody: Callable[..., None]
) -> None:
    somebody(at_hand.api_key.reveal(), at_hand.api_secret.reveal(), "")
    said = accounts("add", "kraken", "--keep", "config", stdin="y\nn\n")
    assert said.code == 0
    assert "the login works" in said.err
    assert at_hand.api_secret.reveal() in text_of(home)
    assert "read_only" not in text_of(home)


@pytest.mark.parametrize(("answers", "code"), [("y\nn\n", 4), ("\n\n", 4), ("y\ny\nn\n", 0)])
def test_a_key_that_cannot_log_in_is_kept_only_if_that_is_wanted(
    accounts: Accounts,
    at_hand: Account,
    somebody: Callable[..., None],
    answers: str,
    code: int,
) -> None:
    somebody(at_hand.api_key.reveal(), f"{CANARY}xxxx", "")
    said = accounts("add", "kraken", "--keep", "config", stdin=answers)
    assert said.code == code
    assert "the login did not work: " in said.err
    assert ("kraken" in load(os.environ).accounts) == (code == 0)


def test_a_login_that_cannot_be_tried_yet_is_not_asked_for(
    accounts: Accounts, home: Path, somebody: Callable[..., None]
) -> None:
    somebody()
    said = accounts("add", "bitfinex", "--keep", "env", stdin="\n\n\n")
    assert said.code == 0
    assert "the login cannot be tried yet" in said.err
    assert "BITFINEX_API_KEY" in text_of(home)


def test_half_a_secret_is_noticed_while_it_can_be_typed_again(
    accounts: Accounts, home: Path, somebody: Callable[..., None]
) -> None:
    somebody(CANARY, "c2Vjcm", "c2VjcmV0", "")
    said = accounts("add", "kraken", "--keep", "config", "--read-only", stdin="n\n")
    assert said.code == 0
    assert 'api_secret = "c2VjcmV0"' in text_of(home)


def test_piped_secrets_are_looked_at_too(accounts: Accounts, home: Path) -> None:
    said = accounts("add", "kraken", "--keep", "config", "--from-stdin", stdin="key\nc2Vjcm\n")
    assert said.code == 3
    assert "not the base64 text that Kraken gives out" in said.err
    assert not (home / ".config").exists()


def read_until(terminal: int, text: bytes) -> bytes:
    shown = b""
    while text not in shown:
        assert select.select([terminal], [], [], 10.0)[0], shown
        shown += os.read(terminal, 4096)
    return shown
