"""What the doctor finds in the config file, all at once."""

import pytest

from privstream.doctor.settings import examine_settings
from privstream.model.errors import Exit
from privstream.simulator.server import Simulation
from tests.config_playground import CANARY
from tests.doctor.clinic import Clinic, follow

KEYS = f'api_key = "{CANARY}"\napi_secret = "{CANARY}"\n'


def test_a_file_that_others_can_read_is_found_and_its_advice_mends_it(
    clinic: Clinic, simulation: Simulation
) -> None:
    clinic.admit(simulation, "poloniex").config.chmod(0o644)
    found = clinic.look()
    assert found.error().check == "config"
    assert found.error().exit is Exit.CONFIG
    assert found.one("login").ok, "what is independent goes on"
    follow(found.error().hint)
    assert not clinic.look().at("error")


def test_a_wrong_mode_is_told_beside_a_misspelt_key(clinic: Clinic, simulation: Simulation) -> None:
    clinic.admit(simulation, "kraken")
    clinic.write(clinic.config.read_text().replace("ws_url", "ws_urk"), 0o644)
    hints = [found.hint for found in clinic.look().at("error")]
    assert hints == ["did you mean ws_url?", f"chmod 600 {clinic.config}"]


def test_a_file_that_others_can_write_is_not_believed(
    clinic: Clinic, simulation: Simulation
) -> None:
    clinic.admit(simulation, "kraken").config.chmod(0o666)
    found = clinic.look("kraken")
    assert not clinic.equipped
    assert found.one("account").level == "skipped"
    follow(found.error().hint)
    assert clinic.look().is_well()


def test_a_misspelt_key_is_taken_for_what_it_resembles_and_the_advice_mends_it(
    clinic: Clinic, simulation: Simulation
) -> None:
    clinic.admit(simulation, "kraken")
    clinic.write(clinic.config.read_text().replace("api_secret", "api_sercet"))
    found = clinic.look()
    assert "'api_sercet' is not a setting" in found.error().message
    assert found.error().hint == "did you mean api_secret?"
    assert found.one("login").ok
    clinic.write(clinic.config.read_text().replace("api_sercet", "api_secret"))
    assert clinic.look().is_well()


def test_every_mistake_is_told_at_once(clinic: Clinic) -> None:
    clinic.write(
        f"[accounts.kraken]\n{KEYS}protocol = 'v3'\nread_onyl = true\n"
        "[accounts.poloniex]\napi_key = 'x'\n"
        "[accounts.krakne]\napi_key = 'x'\n"
        "[exchanges.kraken]\nrest_url = 'http://example.com'\nws_urk = 'ws://127.0.0.1/v2'\n"
        "[acounts.x]\n"
    )
    told = [found.message for found in clinic.look().at("error")]
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
    clinic: Clinic, mistake: str
) -> None:
    clinic.write(f"[accounts.kraken]\n{KEYS}{mistake}")
    found = clinic.look()
    assert found.one("account", "kraken").level == "skipped"
    assert not clinic.equipped


def test_no_key_is_sent_where_the_account_has_a_word_that_means_nothing(clinic: Clinic) -> None:
    clinic.write(f"[accounts.kraken]\n{KEYS}host = 'http://127.0.0.1'\n")
    assert clinic.look().one("account", "kraken").level == "skipped"
    assert not clinic.equipped


def test_a_sound_account_is_examined_beside_one_in_doubt(
    clinic: Clinic, simulation: Simulation
) -> None:
    clinic.admit(simulation, "poloniex")
    clinic.write(clinic.config.read_text() + "[accounts.kraken]\napi_key = 'x'\n")
    found = clinic.look()
    assert found.one("account", "kraken").level == "skipped"
    assert found.one("login", "poloniex").ok


def test_what_is_no_toml_is_told_with_its_line(clinic: Clinic) -> None:
    clinic.write("[accounts.kraken]\napi_key = unquoted\n")
    assert "line 2 is not valid TOML" in clinic.look().error().message


def test_nothing_configured_says_how_to_begin(clinic: Clinic) -> None:
    error = clinic.look().error()
    assert error.message.startswith("no account is configured")
    assert str(error.hint).startswith("privstream accounts add")


def test_a_named_file_that_is_not_there_is_an_error(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRIVSTREAM_CONFIG", "/nowhere/at/all.toml")
    assert "which PRIVSTREAM_CONFIG names" in clinic.look().error().message


def test_an_account_that_is_not_there_is_an_error(clinic: Clinic) -> None:
    clinic.write(f"[accounts.kraken]\n{KEYS}")
    found = clinic.look("krakne")
    assert found.error().account == "krakne"
    assert found.error().hint == "did you mean kraken?"
    assert not found.of("login", "kraken")


def test_accounts_of_the_environment_are_examined(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ZEROCAP_API_KEY", "ZEROCAP_API_SECRET"):
        monkeypatch.setenv(name, CANARY)
    settings = examine_settings({"HOME": str(clinic.home), "ZEROCAP_API_KEY": CANARY})
    assert settings.names == ("zerocap",)
    assert "1 account from the environment" in settings.findings[0].message


def test_a_url_of_the_config_file_is_named(clinic: Clinic, simulation: Simulation) -> None:
    found = clinic.admit(simulation, "poloniex").look().one("override", "poloniex")
    account = simulation.account("poloniex", {})
    assert found.level == "warning"
    assert account.endpoints.rest_url in found.message
    assert account.endpoints.ws_url in found.message


def test_a_socket_url_of_the_other_protocol_is_found_and_its_advice_mends_it(
    clinic: Clinic, simulation: Simulation
) -> None:
    url = simulation.account("kraken", {}).endpoints.ws_url
    clinic.admit(simulation, "kraken", ws_url=url.removesuffix("/v2"))
    found = clinic.look()
    assert found.error().hint == "with protocol v2 it ends in /v2, with v1 it does not"
    assert not clinic.equipped
    clinic.admit(simulation, "kraken", ws_url=url)
    assert clinic.look().is_well()


def test_a_variable_that_is_not_set_is_found_and_the_host_is_tried_all_the_same(
    clinic: Clinic, simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic.admit(simulation, "kraken")
    secret = simulation.account("kraken", {}).api_secret.reveal()
    clinic.write(clinic.config.read_text().replace(f'"{secret}"', '{ env = "MY_SECRET" }'))
    found = clinic.look()
    assert found.error().check == "credentials"
    assert found.error().hint == "set MY_SECRET"
    assert found.one("rest_host").ok
    assert found.one("login").level == "skipped"
    monkeypatch.setenv("MY_SECRET", secret)
    assert clinic.look().is_well()


def test_where_credentials_come_from_is_told_and_what_they_are_is_not(
    clinic: Clinic, simulation: Simulation
) -> None:
    file = clinic.home / "secret"
    file.touch(0o600)
    secret = simulation.account("poloniex", {}).api_secret.reveal()
    file.write_text(secret)
    clinic.admit(simulation, "poloniex")
    text = clinic.config.read_text()
    clinic.write(text.replace(f'"{secret}"', f'{{ file = "{file}" }}'))
    found = clinic.look()
    expected = f"api_key from the config file; api_secret from the file {file}"
    assert found.one("credentials").message == expected
    assert secret not in repr(found.findings)
    file.chmod(0o640)
    follow(clinic.look().error().hint)
    assert not clinic.look().at("error")
