"""What the doctor finds on the machine: folders, files, variables, versions."""

import os
import sqlite3
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import pytest

from privstream.delivery.resume_file import State, StateOwner, examine
from privstream.doctor.findings import Finding
from privstream.doctor.folders import examine_folders
from privstream.doctor.installation import Needed, examine_installation, fits, read_requirement
from privstream.doctor.variables import examine_variables
from privstream.simulator.server import Simulation
from tests.doctor.machine import Machine, follow


def folders(machine: Machine) -> list[Finding]:
    return [f for f in examine_folders({"HOME": str(machine.home)}) if f.level != "ok"]


def test_folders_that_are_not_there_are_well_and_none_is_made(machine: Machine) -> None:
    assert not folders(machine)
    assert list(machine.home.iterdir()) == []


def test_a_folder_that_others_can_write_to_is_found_and_its_advice_mends_it(
    machine: Machine,
) -> None:
    machine.state.mkdir(parents=True, mode=0o700)
    machine.state.chmod(0o777)
    [found] = folders(machine)
    assert found.level == "error"
    assert found.check == "state_folder"
    follow(found.hint)
    assert not folders(machine)


def test_nobody_logs_in_while_a_folder_is_open_to_others(
    machine: Machine, simulation: Simulation
) -> None:
    machine.state.mkdir(parents=True, mode=0o700)
    machine.state.chmod(0o777)
    found = machine.configure(simulation, "kraken").examine()
    assert found.error().check == "state_folder"
    assert found.one("rest_host").ok
    assert found.one("login").message == "login: the state and cache folders must be mended first"
    assert not machine.equipped


def test_a_folder_in_which_anybody_may_replace_ours_is_found_and_mended(machine: Machine) -> None:
    machine.cache.mkdir(parents=True, mode=0o700)
    machine.cache.parent.chmod(0o777)
    [found] = folders(machine)
    follow(found.hint)
    assert not folders(machine)


def test_a_folder_that_others_can_list_is_a_warning(machine: Machine) -> None:
    machine.state.mkdir(parents=True, mode=0o700)
    machine.state.chmod(0o755)
    [found] = folders(machine)
    assert found.level == "warning"
    follow(found.hint)
    assert not folders(machine)


def test_a_file_that_others_can_read_is_found_and_its_advice_mends_it(machine: Machine) -> None:
    (machine.state / "resume").mkdir(parents=True, mode=0o700)
    for folder in (machine.state, machine.state / "resume"):
        folder.chmod(0o700)
    file = machine.state / "resume" / "kraken.sqlite"
    file.touch()
    file.chmod(0o644)
    [found] = folders(machine)
    assert "0644" in found.message
    follow(found.hint)
    assert not folders(machine)


def test_a_link_among_our_files_is_found(machine: Machine) -> None:
    machine.cache.mkdir(parents=True, mode=0o700)
    (machine.cache / "token-x").symlink_to("/etc/passwd")
    [found] = folders(machine)
    assert "not a regular file" in found.message


def test_a_folder_that_cannot_be_made_is_found(machine: Machine) -> None:
    if os.geteuid() == 0:
        blocked = "/proc"  # where root cannot write either
        found = [f for f in examine_folders({"HOME": blocked}) if f.level == "error"]
        assert not found or all(f.hint for f in found)
        return
    machine.home.chmod(0o500)
    try:
        assert {f.level for f in folders(machine)} == {"error"}
    finally:
        machine.home.chmod(0o700)


# --- the state of --resume ---------------------------------------------------------------


def resumed(machine: Machine, account: str) -> Path:
    folder = machine.state / "resume"
    folder.mkdir(parents=True, mode=0o700)
    machine.state.chmod(0o700)
    path = folder / f"{account}.sqlite"
    owner = StateOwner("poloniex", account, "127.0.0.1", ("orders",))
    with State(path, owner, 1):
        examine(path)  # while another run holds it
    return path


def test_a_whole_state_is_well_and_is_left_as_it_is(
    machine: Machine, simulation: Simulation
) -> None:
    path = resumed(machine, "poloniex")
    before = path.read_bytes()
    found = machine.configure(simulation, "poloniex").examine()
    assert found.one("resume").ok
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_damaged_state_is_found_and_its_advice_mends_it(
    machine: Machine, simulation: Simulation
) -> None:
    path = resumed(machine, "poloniex")
    path.write_bytes(path.read_bytes()[:5000] + b"\xff" * 9000)
    found = machine.configure(simulation, "poloniex").examine()
    assert found.error().check == "resume"
    assert found.one("login").ok
    follow(found.error().hint)
    assert not machine.examine().at("error")


def test_a_state_that_is_not_ours_is_found(machine: Machine, simulation: Simulation) -> None:
    path = resumed(machine, "poloniex")
    path.unlink()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE x (y)")
    database.close()
    path.chmod(0o600)
    assert "is not ours" in machine.configure(simulation, "poloniex").examine().error().message


# --- variables -----------------------------------------------------------------------------


def variables(**named: str) -> list[Finding]:
    return list(examine_variables(named))


def test_an_environment_without_any_is_well() -> None:
    [found] = variables()
    assert found.ok
    assert found.level == "ok"


def test_a_key_log_is_named_with_what_becomes_of_it(
    machine: Machine, simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = machine.home / "keys"
    monkeypatch.setenv("SSLKEYLOGFILE", str(log))
    machine.configure(simulation, "kraken")
    found = machine.examine().one("environment")
    assert found.level == "warning"
    assert found.hint == "unset SSLKEYLOGFILE"
    assert not log.exists(), "as it says, nothing is written there"
    monkeypatch.delenv("SSLKEYLOGFILE")
    assert machine.examine().is_well()


@pytest.mark.parametrize(
    "name", ["REQUESTS_CA_BUNDLE", "WEBSOCKET_CLIENT_CA_BUNDLE", "CURL_CA_BUNDLE", "ALL_PROXY"]
)
def test_a_variable_that_others_obey_is_said_to_do_nothing(name: str) -> None:
    [found] = variables(**{name: "/etc/bundle.pem"})
    assert found.level == "warning"
    assert "does not obey" in found.message
    assert f"unset {name}" in str(found.hint)


def test_a_trust_store_of_ones_own_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    [found] = variables(SSL_CERT_FILE=str(tmp_path / "ca.pem"))
    assert found.level == "warning"
    [found] = variables(SSL_CERT_FILE=str(tmp_path / "gone.pem"))
    assert found.level == "error"
    assert str(found.hint).startswith("unset SSL_CERT_FILE")


PROXY = "http://me:hunter2@proxy.test:3128"


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"https_proxy": PROXY}, "through proxy.test:3128"),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "a.test"}, "but those that NO_PROXY excepts"),
        ({"https_proxy": PROXY, "no_proxy": "*"}, "excepts every host"),
        ({"https_proxy": "socks5://me:hunter2@proxy.test"}, "names no proxy"),
    ],
)
def test_a_proxy_is_named_without_its_password(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, named: Mapping[str, str], said: str
) -> None:
    assert machine.home
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    [found] = examine_variables(os.environ)
    assert said in found.message
    assert found.level in {"warning", "error"}
    assert "hunter2" not in repr(found)


# --- versions ------------------------------------------------------------------------------


def test_what_is_installed_here_is_well() -> None:
    assert {found.level for found in examine_installation()} == {"ok"}


def test_an_old_library_is_found_with_the_command_that_mends_it() -> None:
    found = [f for f in examine_installation(old_requests) if f.level == "error"]
    [error] = found
    assert error.message == "library requests is version 2.31.0, but >=2.32.4 is needed"
    assert str(error.hint).endswith("-m pip install 'requests>=2.32.4'")


def old_requests(name: str) -> str:
    return "2.31.0" if name == "requests" else metadata.version(name)


def test_a_library_that_is_missing_is_found_unless_it_is_optional() -> None:
    def without(name: str) -> str:
        if name in {"rich", "aiohttp"}:
            raise metadata.PackageNotFoundError(name)
        return metadata.version(name)

    errors = [f for f in examine_installation(without) if f.level == "error"]
    assert [error.message for error in errors] == ["library rich is not installed"]


def test_requirements_are_read_as_the_metadata_writes_them() -> None:
    assert read_requirement("typer<0.29,>=0.23") == Needed("typer", "<0.29,>=0.23", optional=False)
    extra = 'privstream[sim]>=1.0 ; extra == "test"'
    assert read_requirement(extra) == Needed("privstream", ">=1.0", optional=True)


@pytest.mark.parametrize(
    ("version", "bounds", "whether"),
    [
        ("2.32.4", ">=2.32.4", True),
        ("2.32", ">=2.32.4", False),
        ("2.32.10", ">=2.32.4", True),
        ("0.29.0", ">=0.23,<0.29", False),
        ("0.28.9", "<0.29,>=0.23", True),
        ("3.11.2+deb12", ">=3.11", True),
        ("2.0", "!=2.0.0", False),
        ("1.2", "", True),
    ],
)
def test_versions_are_compared_by_their_numbers(
    version: str,
    bounds: str,
    whether: bool,  # noqa: FBT001 - what is expected
) -> None:
    assert fits(version, bounds) is whether
