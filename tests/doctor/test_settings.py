"""What the doctor finds in the config file, all at once."""

import pytest

from privstream.doctor.settings import examine_settings
from privstream.model.errors import Exit
from privstream.simulator.server import Simulation
from tests.config_playground import CANARY
from tests.doctor.machine import Machine, follow

KEYS = f'api_key = "{CANARY}"\napi_secret = "{CANARY}"\n'


def test_a_file_that_others_can_read_is_found_and_its_advice_mends_it(
    machine: Machine, simulation: Simulation
) -> None:
    machine.configure(simulation, "poloniex").config.chmod(0o644)
    found = machine.examine()
    assert found.error().check == "config"
    assert found.error().exit is Exit.CONFIG
    assert found.one("login").ok, "what is independent goes on"
    follow(found.error().hint)
    assert not machine.examine().at("error")


def test_a_wrong_mode_is_told_beside_a_misspelt_key(
    machine: Machine, simulation: Simulation
) -> None:
    machine.configure(simulation, "kraken")
    machine.write(machine.config.read_text().replace("ws_url", "ws_urk"), 0o644)
    hints = [found.hint for found in machine.examine().at("error")]
    assert hints == ["did you mean ws_url?", f"chmod 600 {machine.config}"]


def test_a_file_that_others_can_write_is_not_believed(
    machine: Machine, simulation: Simulation
) -> None:
    machine.configure(simulation, "kraken").config.chmod(0o666)
    found = machine.examine("kraken")
    assert not machine.equipped
    assert found.one("account").level == "skipped"
    follow(found.error().hint)
    assert machine.examine().is_well()


def test_a_misspelt_key_is_taken_for_what_it_resembles_and_the_advice_mends_it(
    machine: Machine, simulation: Simulation
) -> None:
    machine.configure(simulation, "kraken")
    machine.write(machine.config.read_text().replace("api_secret", "api_sercet"))
    found = machine.examine()
    assert "'api_sercet' is not a setting" in found.error().message
    assert found.error().hint == "did you mean api_secret?"
    assert found.one("login").ok
    machine.write(machine.config.read_text().replace("api_sercet", "api_secret"))
    assert machine.examine().is_well()


def test_every_mistake_is_told_at_once(machine: Machine) -> None:
    machine.write(
        f"[accounts.kraken]\n{KEYS}protocol = 'v3'\nread_onyl = true\n"
        "[accounts.poloniex]\napi_key = 'x'\n"
        "[accounts.krakne]\napi_key = 'x'\n"
        "[exchanges.kraken]\nrest_url = 'http://example.com'\nws_urk = 'ws://127.0.0.1/v2'\n"
        "[acounts.x]\n"
    )
    told = [found.message for found in machine.examine().at("error")]
    for part in (
        "acounts",
        "protocol",
        "read_onyl",
        "api_secret",
        "exchange",
        "rest_url",
        "ws_urk",
    ):
        assert sum(f"'{part}'" in message for message in told) == 1, (part, told)
    assert len(told) == 7
    assert CANARY not in "".join(told)


@pytest.mark.parametrize(
    "mistake",
    [
        "[exchanges.kraken]\nrest_url = 'ftp://127.0.0.1'\n",
        "[exchanges.kraken]\nplace = 'http://127.0.0.1'\n",
        "[exchanges.nowhere]\nrest_url = 'http://127.0.0.1'\n",
        "[places.kraken]\nrest_url = 'http://127.0.0.1'\n",
        "[exchanges]\nkraken = 'http://127.0.0.1'\n",
    ],
)
def test_no_key_is_sent_where_the_file_may_have_meant_another_host(
    machine: Machine, mistake: str
) -> None:
    machine.write(f"[accounts.kraken]\n{KEYS}{mistake}")
    found = machine.examine()
    assert found.one("account", "kraken").level == "skipped"
    assert not machine.equipped


def test_no_key_is_sent_where_the_account_has_a_word_that_means_nothing(machine: Machine) -> None:
    machine.write(f"[accounts.kraken]\n{KEYS}host = 'http://127.0.0.1'\n")
    assert machine.examine().one("account", "kraken").level == "skipped"
    assert not machine.equipped


def test_a_sound_account_is_examined_beside_one_in_doubt(
    machine: Machine, simulation: Simulation
) -> None:
    machine.configure(simulation, "poloniex")
    machine.write(machine.config.read_text() + "[accounts.kraken]\napi_key = 'x'\n")
    found = machine.examine()
    assert found.one("account", "kraken").level == "skipped"
    assert found.one("login", "poloniex").ok


def test_what_is_no_toml_is_told_with_its_line(machine: Machine) -> None:
    machine.write("[accounts.kraken]\napi_key = unquoted\n")
    assert "line 2 is not valid TOML" in machine.examine().error().message


def test_nothing_configured_says_how_to_begin(machine: Machine) -> None:
    error = machine.examine().error()
    assert error.message.startswith("no account is configured")
    assert str(error.hint).startswith("privstream accounts add")


def test_a_named_file_that_is_not_there_is_an_error(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRIVSTREAM_CONFIG", "/nowhere/at/all.toml")
    assert "which PRIVSTREAM_CONFIG names" in machine.examine().error().message


def test_an_account_that_is_not_there_is_an_error(machine: Machine) -> None:
    machine.write(f"[accounts.kraken]\n{KEYS}")
    found = machine.examine("krakne")
    assert found.error().account == "krakne"
    assert found.error().hint == "did you mean kraken?"
    assert not found.of("login", "kraken")


def test_accounts_of_the_environment_are_examined(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ZEROCAP_API_KEY", "ZEROCAP_API_SECRET"):
        monkeypatch.setenv(name, CANARY)
    settings = examine_settings({"HOME": str(machine.home), "ZEROCAP_API_KEY": CANARY})
    assert settings.names == ("zerocap",)
    assert "1 account from the environment" in settings.findings[0].message


def test_a_url_of_the_config_file_is_named(machine: Machine, simulation: Simulation) -> None:
    found = machine.configure(simulation, "poloniex").examine().one("override", "poloniex")
    account = simulation.account("poloniex", {})
    assert found.level == "warning"
    assert account.endpoints.rest_url in found.message
    assert account.endpoints.ws_url in found.message


def test_a_socket_url_of_the_other_protocol_is_found_and_its_advice_mends_it(
    machine: Machine, simulation: Simulation
) -> None:
    url = simulation.account("kraken", {}).endpoints.ws_url
    machine.configure(simulation, "kraken", ws_url=url.removesuffix("/v2"))
    found = machine.examine()
    assert found.error().hint == "with protocol v2 it ends in /v2, with v1 it does not"
    assert not machine.equipped
    machine.configure(simulation, "kraken", ws_url=url)
    assert machine.examine().is_well()


def test_a_variable_that_is_not_set_is_found_and_the_host_is_tried_all_the_same(
    machine: Machine, simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.configure(simulation, "kraken")
    secret = simulation.account("kraken", {}).api_secret.reveal()
    machine.write(machine.config.read_text().replace(f'"{secret}"', '{ env = "MY_SECRET" }'))
    found = machine.examine()
    assert found.error().check == "credentials"
    assert found.error().hint == "set MY_SECRET"
    assert found.one("rest_host").ok
    assert found.one("login").level == "skipped"
    monkeypatch.setenv("MY_SECRET", secret)
    assert machine.examine().is_well()


def test_where_credentials_come_from_is_told_and_what_they_are_is_not(
    machine: Machine, simulation: Simulation
) -> None:
    file = machine.home / "secret"
    file.touch(0o600)
    secret = simulation.account("poloniex", {}).api_secret.reveal()
    file.write_text(secret)
    machine.configure(simulation, "poloniex")
    text = machine.config.read_text()
    machine.write(text.replace(f'"{secret}"', f'{{ file = "{file}" }}'))
    found = machine.examine()
    expected = f"api_key from the config file; api_secret from the file {file}"
    assert found.one("credentials").message == expected
    assert secret not in repr(found.findings)
    file.chmod(0o640)
    follow(machine.examine().error().hint)
    assert not machine.examine().at("error")
