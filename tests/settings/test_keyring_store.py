"""The keyring in a process of its own: what it answers, and what becomes of one that does not."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from privstream.model.account import Secret
from privstream.model.errors import ConfigError
from privstream.settings import keyring_store
from privstream.settings.credentials import Environment, FromKeyring, resolve
from privstream.settings.keyring_access import Stamp
from tests.config_playground import CANARY, assert_silent

WHOSE = "account 'desk': api_key"
ERRORS = """
class KeyringError(Exception): pass
class PasswordDeleteError(KeyringError): pass
class KeyringLocked(KeyringError): pass
class NoKeyringError(KeyringError): pass
"""
ON_DISK = """
import os
class Keyring:
    def _path(self, service, name): return os.path.join(os.environ["HOME"], f"{service}+{name}")
    def get_password(self, service, name):
        print("back ends may print")
        path = self._path(service, name)
        return open(path).read() if os.path.exists(path) else None
    def set_password(self, service, name, secret):
        with open(self._path(service, name), "w") as file: file.write(secret)
    def delete_password(self, service, name): os.unlink(self._path(service, name))
def get_keyring(): return Keyring()
"""

Environ = Callable[[str], dict[str, str]]


@pytest.fixture
def environ(tmp_path: Path) -> Environ:
    """The environment of a process that finds this package `keyring`."""

    def make(source: str) -> dict[str, str]:
        package = tmp_path / "keyring"
        package.mkdir(exist_ok=True)
        (package / "__init__.py").write_text(source)
        (package / "errors.py").write_text(ERRORS)
        return {
            "HOME": str(tmp_path),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "/none")]),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    return make


@dataclass
class Change:
    """Of a file that is not there before it."""

    path: Path
    stamp: Stamp = None
    landed: bool = False


def keep(variables: dict[str, str], secret: str) -> None:
    change = Change(Path(variables["HOME"], "config"))
    with keyring_store.kept({"desk-api_key": Secret(secret)}, change, variables, 10.0):
        change.landed = True


def remove(variables: dict[str, str]) -> None:
    change = Change(Path(variables["HOME"], "config"))
    with keyring_store.removed(["desk-api_key"], change, variables, 10.0):
        assert found(variables) is not None
        change.landed = True


def found(variables: dict[str, str]) -> Secret | None:
    return keyring_store.find("desk-api_key", variables, 10.0)


def refusal(environ: dict[str, str]) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        resolve(FromKeyring("desk-api_key"), WHOSE, Environment(environ))
    assert caught.value.message.startswith(WHOSE)
    assert_silent(caught.value)
    return caught.value


def test_a_secret_goes_into_the_keyring_and_comes_back(environ: Environ) -> None:
    variables = environ(ON_DISK)
    keep(variables, CANARY)
    fetched = resolve(FromKeyring("desk-api_key"), WHOSE, Environment(variables))
    assert fetched == Secret(CANARY)
    remove(variables)
    assert found(variables) is None


@pytest.mark.parametrize("before", [None, f"{CANARY}-of-before"])
def test_a_change_that_does_not_come_about_leaves_what_was_there(
    environ: Environ, before: str | None
) -> None:
    variables = environ(ON_DISK)
    if before is not None:
        keep(variables, before)
    change = Change(Path(variables["HOME"], "config"))
    new = {"desk-api_key": Secret(CANARY)}
    with keyring_store.kept(new, change, variables, 10.0):
        assert found(variables) == Secret(CANARY)
    assert found(variables) == (None if before is None else Secret(before))


KILLED = f"""
import os, sys
from pathlib import Path
from types import SimpleNamespace
from privstream.model.account import Secret
from privstream.settings import keyring_store

file = Path(os.environ["HOME"], "config")
change = SimpleNamespace(path=file, stamp=None, landed=False)
with keyring_store.kept({{"desk-api_key": Secret({CANARY!r})}}, change, os.environ, 10.0):
    if sys.argv[1] == "changed":
        file.touch()
    os.kill(os.getpid(), 9)
"""


DELETING = KILLED.replace(
    f'kept({{"desk-api_key": Secret({CANARY!r})}}', 'removed(["desk-api_key"]'
)
OLD = f"{CANARY}-old"


@pytest.mark.parametrize(
    ("program", "file", "left"),
    [
        (KILLED, "as before", OLD),
        (KILLED, "changed", CANARY),
        (DELETING, "as before", OLD),
        (DELETING, "changed", None),
    ],
    ids=["set, as before", "set, changed", "deleted, as before", "deleted, changed"],
)
def test_who_is_killed_leaves_the_entries_that_fit_the_file(
    environ: Environ, tmp_path: Path, program: str, file: str, left: str | None
) -> None:
    keep(environ(ON_DISK), OLD)
    variables = environ(
        f'{ON_DISK}\nalive = open(os.path.join(os.environ["HOME"], "alive"), "w")\n'
    )
    os.mkfifo(tmp_path / "alive")
    is_touched = program == KILLED or file == "changed"  # else no keyring is ever opened
    how = os.O_RDONLY if is_touched else os.O_RDONLY | os.O_NONBLOCK
    with subprocess.Popen([sys.executable, "-c", program, file], env=variables) as process:
        alive = os.open(tmp_path / "alive", how)  # waits for the process that watches
        assert process.wait() == -9
    os.set_blocking(alive, True)
    assert os.read(alive, 1) == b""  # it has ended too
    assert found(variables) == (None if left is None else Secret(left))
    os.close(alive)


def test_a_missing_entry_is_named(environ: Environ) -> None:
    problem = refusal(environ(ON_DISK))
    assert "has no entry 'desk-api_key' of service 'privstream'" in problem.message


def test_a_secret_of_the_keyring_is_checked_like_any_other(environ: Environ) -> None:
    variables = environ(ON_DISK)
    keep(variables, f"{CANARY}\nX-Evil: 1")
    assert "invisible character" in refusal(variables).message


def test_a_missing_package_is_told_with_the_command_that_brings_it(environ: Environ) -> None:
    problem = refusal(environ("raise ModuleNotFoundError(name='keyring')"))
    assert "which is not installed" in problem.message
    assert problem.hint == "pip install '.[keyring]' in the folder of privstream"


def test_what_a_back_end_raises_is_told_by_its_type_alone(environ: Environ) -> None:
    problem = refusal(environ(f"def get_keyring(): raise LookupError({CANARY!r})"))
    assert "cannot be used (LookupError)" in problem.message


def test_a_keyring_that_is_killed_is_one_sentence(environ: Environ) -> None:
    assert "(no answer)" in refusal(environ("import os; os.kill(os.getpid(), 9)")).message


def test_a_keyring_that_hangs_is_ended_with_all_that_it_started(
    environ: Environ, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring_store, "LIMIT", 0.5)
    os.mkfifo(tmp_path / "alive")
    alive = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    try:
        problem = refusal(
            environ(
                "import subprocess, threading\n"
                f"subprocess.Popen(['sh', '-c', 'exec 3>{tmp_path}/alive; echo x >&3; sleep 600'])\n"
                "threading.Event().wait()"
            )
        )
        assert "did not answer within 0.5 s" in problem.message
        # All ends of the FIFO are closed: it and its child are gone.
        os.set_blocking(alive, True)
        assert os.read(alive, 10) in {b"x\n", b""}
        assert os.read(alive, 10) == b""
    finally:
        os.close(alive)


@pytest.mark.parametrize("status", sorted(keyring_store._SENTENCES))
def test_every_refusal_says_what_to_do(status: str) -> None:
    reply = {"status": status, "backend": "mine.Keyring", "type": "OSError"}
    problem = keyring_store.refusal(reply, WHOSE, "desk-api_key")
    assert problem.message.startswith(f"{WHOSE}: ")
    assert problem.hint
    assert "{entry" not in problem.message


def test_an_unknown_status_is_a_failure() -> None:
    reply = {"status": "strange", "type": None}
    assert "cannot be used" in keyring_store.refusal(reply, WHOSE, "x").message


def test_no_keyring_at_all_names_the_other_places() -> None:
    problem = keyring_store.refusal({"status": "no_backend"}, WHOSE, "x")
    assert "D-Bus" in problem.message
    assert problem.hint is not None
    assert all(word in problem.hint for word in ("env", "file", "command"))
