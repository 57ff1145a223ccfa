"""One account out of the config file or the environment, its secrets fetched late and shown never."""

import logging
import pickle
from pathlib import Path

import pytest

from privstream.exchanges.base import Exchange
from privstream.model.account import Endpoints, Secret
from privstream.model.errors import ConfigError, UsageError
from privstream.settings.config import load
from privstream.settings.credentials import FromVariable
from tests.config_playground import (
    CANARY,
    EXCHANGES,
    KEYS,
    VARIABLES,
    assert_silent,
    config_file,
    loaded,
    refusal,
)

# --- one account -----------------------------------------------------------------------


def test_an_account_has_its_secrets_endpoints_and_options(tmp_path: Path) -> None:
    account = loaded(tmp_path, f"[accounts.moon]\n{KEYS}").account("moon")
    assert (account.name, account.exchange) == ("moon", "moon")
    assert account.credentials == {"api_key": Secret(CANARY), "api_secret": Secret(f"{CANARY}x")}
    assert account.endpoints == Endpoints("https://moon.test", "wss://moon.test/v2")
    assert account.options == {"protocol": "v2"}


def test_accounts_stand_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = f"[accounts.z]\nexchange='moon'\n{KEYS}[accounts.moon]\n[accounts.a]\nexchange='mars'\n"
    config = loaded(tmp_path, text + KEYS)
    assert config.names() == ("z", "moon", "a")
    assert config.settings("a").exchange == "mars"


def test_options_of_the_command_line_go_before_those_of_the_file(tmp_path: Path) -> None:
    config = loaded(tmp_path, f"[accounts.moon]\nprotocol = 'v1'\n{KEYS}")
    assert config.account("moon").endpoints.ws_url == "wss://moon.test/v1"
    chosen = config.account("moon", options={"protocol": "v2"})
    assert chosen.options == {"protocol": "v2"}
    assert chosen.endpoints.ws_url == "wss://moon.test/v2"


@pytest.mark.parametrize("options", [{"protocol": "v3"}, {"protokoll": "v1"}])
def test_a_wrong_option_of_the_command_line_is_a_usage_error(
    tmp_path: Path, options: dict[str, str]
) -> None:
    with pytest.raises(UsageError, match="Moon: 'proto"):
        loaded(tmp_path, f"[accounts.moon]\n{KEYS}").account("moon", options=options)


def test_read_only_is_off_unless_it_is_on(tmp_path: Path) -> None:
    config = loaded(tmp_path, "[accounts.moon]\nread_only = true\n[accounts.mars]")
    assert config.settings("moon").read_only
    assert not config.settings("mars").read_only


def test_the_file_moves_an_exchange_and_the_environment_does_not(tmp_path: Path) -> None:
    text = "[exchanges.mars]\nrest_url = 'http://127.0.0.1:89/'\nhistory_url = 'https://h.test'\n"
    places = {
        "MARS_REST_URL": "https://evil.test",
        "MARS_WS_URL": "wss://evil.test",
        "PRIVSTREAM_REST_URL": "https://evil.test",
    }
    config = loaded(tmp_path, f"{text}[accounts.mars]\n{KEYS}[accounts.moon]\n{KEYS}", **places)
    expected = Endpoints("http://127.0.0.1:89", "wss://mars.test", "https://h.test")
    assert config.account("mars").endpoints == expected
    assert config.overridden("mars") == {
        "rest_url": "http://127.0.0.1:89",
        "history_url": "https://h.test",
    }
    assert not config.overridden("moon")
    assert config.account("moon").endpoints.rest_url == "https://moon.test"


def test_beside_rest_that_was_moved_no_key_is_shown_to_a_host_that_was_not(
    tmp_path: Path,
) -> None:
    account = f"[accounts.mars]\n{KEYS}"
    moved = "[exchanges.mars]\nrest_url = 'http://127.0.0.1:89'\n"
    api = "api_url = 'http://127.0.0.1:89/api'\n"
    assert loaded(tmp_path, account).account("mars").endpoints.api_url == "https://api.mars.test"
    assert loaded(tmp_path, moved + account).account("mars").endpoints.api_url is None
    both = loaded(tmp_path, moved + api + account)
    assert both.account("mars").endpoints.api_url == "http://127.0.0.1:89/api"


def test_a_socket_url_that_does_not_fit_the_protocol_is_refused_when_it_is_used(
    tmp_path: Path,
) -> None:
    text = "[exchanges.moon]\nws_url = 'ws://localhost/v2'\n[accounts.moon]\n"
    config = loaded(tmp_path, text + KEYS)
    assert config.account("moon").endpoints.ws_url == "ws://localhost/v2"
    with pytest.raises(ConfigError, match="does not fit") as caught:
        config.account("moon", options={"protocol": "v1"})
    assert (caught.value.exchange, caught.value.account) == ("moon", "moon")


def test_an_account_of_another_exchange_is_refused(tmp_path: Path) -> None:
    text = f"[accounts.desk]\nexchange = 'moon'\n{KEYS}[accounts.mars]\n{KEYS}"
    config = loaded(tmp_path, text)
    assert config.account("desk", exchange="moon").exchange == "moon"
    with pytest.raises(ConfigError, match="account 'mars' is on mars, not on moon") as caught:
        config.account("mars", exchange="moon")
    assert caught.value.hint == "use --account with one of: desk"


def test_an_account_that_is_not_there_is_told_with_a_way_on(tmp_path: Path) -> None:
    def hint(text: str | None, name: str, exchange: str, **variables: str) -> str:
        with pytest.raises(ConfigError, match=f"there is no account '{name}'") as caught:
            loaded(tmp_path, text, **variables).account(name, exchange=exchange)
        assert (caught.value.exchange, caught.value.account) == (exchange, name)
        return str(caught.value.hint)

    assert "set MOON_API_KEY and MOON_API_SECRET, or write [accounts.moon]" in hint(
        None, "moon", "moon"
    )
    assert "write [accounts.desk] into" in hint(None, "desk", "moon")
    text = f"[accounts.desk]\nexchange = 'moon'\n{KEYS}"
    assert hint(text, "dsk", "moon") == "did you mean desk?"
    assert hint(text, "moon", "moon") == "use --account with one of: desk"
    assert hint(text, "mars", "mars") == "known are: desk"
    assert "variables alone do not add" in hint(text, "moon", "moon", **VARIABLES)


# --- the environment -------------------------------------------------------------------


def test_without_a_file_the_environment_makes_accounts(tmp_path: Path) -> None:
    config = loaded(tmp_path, **VARIABLES)
    assert config.names() == ("moon",)
    assert config.settings("moon").credentials == {
        "api_key": FromVariable("MOON_API_KEY"),
        "api_secret": FromVariable("MOON_API_SECRET"),
    }
    assert config.account("moon").api_key == Secret(CANARY)


def test_an_exchange_may_have_a_second_prefix(tmp_path: Path) -> None:
    config = loaded(tmp_path, LUNA_API_KEY="k", LUNA_API_SECRET="s", LUNA_OTP="o")
    assert config.names() == ("moon",)
    assert {k: v.reveal() for k, v in config.account("moon").credentials.items()} == {
        "api_key": "k",
        "api_secret": "s",
        "otp": "o",
    }


def test_a_file_without_accounts_leaves_that_to_the_environment(tmp_path: Path) -> None:
    config = loaded(tmp_path, "[exchanges.moon]\nrest_url='https://here.test'", **VARIABLES)
    assert config.names() == ("moon",)
    assert config.account("moon").endpoints.rest_url == "https://here.test"


def test_a_file_with_an_account_is_not_added_to_by_the_environment(tmp_path: Path) -> None:
    text = "[accounts.desk]\nexchange = 'moon'\n"
    text += "api_key = { env = 'MOON_API_KEY' }\napi_secret = { env = 'MOON_API_SECRET' }"
    assert loaded(tmp_path, text, **VARIABLES).names() == ("desk",)


@pytest.mark.parametrize(
    "variables", [{}, {"MOON_API_KEY": ""}, {"MOON_API_KEY": "", "MOON_API_SECRET": ""}]
)
def test_an_empty_variable_is_an_unset_one(tmp_path: Path, variables: dict[str, str]) -> None:
    assert loaded(tmp_path, **variables).names() == ()


@pytest.mark.parametrize(
    ("variables", "missing"),
    [
        ({"MOON_API_KEY": CANARY}, "MOON_API_SECRET"),
        ({"MOON_API_SECRET": CANARY, "MOON_API_KEY": ""}, "MOON_API_KEY"),
        ({"MOON_API_KEY": CANARY, "LUNA_API_SECRET": CANARY}, "MOON_API_SECRET"),
        ({"LUNA_API_KEY": CANARY}, "LUNA_API_SECRET"),
    ],
)
def test_half_a_pair_is_an_account_that_cannot_be_used(
    tmp_path: Path, variables: dict[str, str], missing: str
) -> None:
    config = loaded(tmp_path, **variables)
    assert config.names() == ("moon",)
    with pytest.raises(ConfigError, match=f"variable {missing}, which is not set") as caught:
        config.account("moon")
    assert_silent(caught.value)


def test_a_section_without_keys_takes_both_from_the_environment(tmp_path: Path) -> None:
    text = "[accounts.moon]\nprotocol = 'v1'\notp = '123456'"
    account = loaded(tmp_path, text, **VARIABLES, MOON_OTP="not this").account("moon")
    assert account.api_secret == Secret(f"{CANARY}x")
    assert account.credentials["otp"] == Secret("123456")
    assert account.options == {"protocol": "v1"}


@pytest.mark.parametrize(
    ("written", "missing"), [("api_key", "api_secret"), ("api_secret", "api_key")]
)
def test_key_and_secret_never_come_one_from_each(
    tmp_path: Path, written: str, missing: str
) -> None:
    problem = refusal(tmp_path, f"[accounts.moon]\n{written} = '{CANARY}'", **VARIABLES)
    assert f"[accounts.moon] '{missing}' is missing" in problem.message


def test_keys_in_the_file_are_not_completed_by_the_environment(tmp_path: Path) -> None:
    config = loaded(tmp_path, f"[accounts.moon]\n{KEYS}", MOON_API_KEY="other", MOON_OTP="123456")
    assert config.account("moon").credentials.keys() == {"api_key", "api_secret"}
    assert config.account("moon").api_key == Secret(CANARY)


def test_an_account_of_another_name_does_not_take_the_variables(tmp_path: Path) -> None:
    problem = refusal(tmp_path, "[accounts.desk]\nexchange = 'moon'", **VARIABLES)
    assert "[accounts.desk] 'api_key' is missing" in problem.message


def test_a_variable_that_would_add_a_header_is_refused(tmp_path: Path) -> None:
    config = loaded(tmp_path, MOON_API_KEY=f"{CANARY}\r\nX: 1", MOON_API_SECRET="s")
    with pytest.raises(ConfigError, match=r"account 'moon': api_key \(from MOON_API_KEY\)") as bad:
        config.account("moon")
    assert_silent(bad.value)


# --- secrets are fetched late, and shown never -----------------------------------------


def test_listing_accounts_starts_no_command(tmp_path: Path) -> None:
    command = f"{{ command = ['touch', '{tmp_path}/ran'] }}"
    text = f"[accounts.moon]\napi_key = {command}\napi_secret = {command}"
    config = loaded(tmp_path, text)
    assert config.names() == ("moon",)
    assert config.settings("moon").exchange == "moon"
    assert not (tmp_path / "ran").exists()
    with pytest.raises(ConfigError, match="account 'moon': api_key is empty"):
        config.account("moon")
    assert (tmp_path / "ran").exists()


def test_only_the_exchanges_that_are_named_are_imported(tmp_path: Path) -> None:
    found: list[str] = []

    def find(name: str) -> type[Exchange]:
        found.append(name)
        return EXCHANGES[name]

    config_file(tmp_path, f"[accounts.moon]\n{KEYS}")
    config = load({"HOME": str(tmp_path)}, find=find, names=lambda: tuple(EXCHANGES))
    config.account("moon")
    assert set(found) == {"moon"}


def test_no_word_of_a_config_shows_a_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = f"[accounts.moon]\n{KEYS}otp = {{ command = 'echo {CANARY}' }}\n"
    config = loaded(tmp_path, text, OTHER=CANARY)
    account = config.account("moon")
    assert account.credentials["otp"] == Secret(CANARY)
    for carrier in (config, config.settings("moon"), account):
        logging.getLogger("test").warning("%r %s", carrier, carrier)
        assert CANARY not in f"{carrier!r} {carrier!s} {carrier} {getattr(carrier, '__dict__', {})}"
        with pytest.raises(TypeError):
            pickle.dumps(carrier)
    assert CANARY not in caplog.text
    assert "Secret(****)" in repr(config)


@pytest.mark.parametrize("attribute", ["path", "accounts", "environment"])
def test_a_config_does_not_change(tmp_path: Path, attribute: str) -> None:
    config = loaded(tmp_path, "[accounts.moon]")
    with pytest.raises(AttributeError):
        setattr(config, attribute, None)
    with pytest.raises(TypeError):
        config.accounts["x"] = config.accounts["moon"]  # type: ignore[index]  # the point of it
