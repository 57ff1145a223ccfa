"""The example of the contract and config.example.toml, with the real exchanges."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from privstream import exchanges
from privstream.model.account import Secret
from privstream.model.errors import ConfigError
from privstream.settings.config import TABLES, account_settings, endpoint_settings, load
from tests.config_playground import config_file

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"


def test_the_example_of_the_contract_loads(tmp_path: Path) -> None:
    path = config_file(
        tmp_path,
        """
        [accounts.kraken]
        api_key    = { env = "KRAKEN_API_KEY" }
        api_secret = { command = "pass show kraken/secret" }

        [accounts.desk]
        exchange   = "kraken"
        protocol   = "v1"
        api_key    = "…"
        api_secret = { keyring = "kraken-desk" }

        [exchanges.kraken]
        rest_url = "http://127.0.0.1:8900"
        ws_url   = "ws://127.0.0.1:8901/v2"
        """,
    )
    config = load({"HOME": str(tmp_path)})
    assert config.path == path
    assert config.names() == ("kraken", "desk")
    assert config.settings("desk").options == {"protocol": "v1"}
    # Both accounts are at the one ws_url, and only one of them speaks its protocol.
    with pytest.raises(ConfigError, match="protocol v1"):
        config.account("desk")


def switched_on(text: str) -> str:
    """The example with every optional setting switched on."""
    return re.sub(r"^# (?=\[[a-z.]+\]|[a-z_]+ = )", "", text, flags=re.MULTILINE)


def uncommented() -> dict[str, Any]:
    return tomllib.loads(switched_on(EXAMPLE.read_text(encoding="utf-8")))


def test_the_example_config_loads_as_it_is(tmp_path: Path) -> None:
    config_file(tmp_path, EXAMPLE.read_text(encoding="utf-8"), mode=0o644)
    config = load({"HOME": str(tmp_path), "KRAKEN_API_KEY": "k", "KRAKEN_API_SECRET": "s"})
    assert config.names() == ("kraken",)
    assert config.account("kraken").api_key == Secret("k")
    assert not config.overridden("kraken")


@pytest.mark.parametrize("name", exchanges.names())
def test_the_example_config_has_every_setting_with_its_default(name: str) -> None:
    exchange, example = exchanges.find(name), uncommented()
    account, places = example["accounts"][name], example["exchanges"][name]
    assert set(places) == set(endpoint_settings(exchange))
    assert set(account) <= set(account_settings(exchange))
    own = {*exchange.credentials, *exchange.optional_credentials}
    defaults = {option.name: option.default for option in exchange.options}
    assert own | set(defaults) <= set(account)
    assert {key: account[key] for key in defaults} == defaults
    real = exchange.endpoints(defaults)
    assert places == {key: getattr(real, key) for key in places}


def test_the_example_config_has_the_settings_of_every_account() -> None:
    example = uncommented()
    assert example.keys() >= {"accounts", "exchanges", "sinks", "service", "ha"}
    assert example.keys() <= {*TABLES}
    assert example["accounts"]["kraken"]["exchange"] == "kraken"
    assert example["accounts"]["kraken"]["read_only"] is False


def test_the_example_config_switched_on_as_a_whole_is_valid(tmp_path: Path) -> None:
    sinks = {"archive", "bus", "cache", "hook"}
    known = {*exchanges.names(), "desk"}
    blocks = switched_on(EXAMPLE.read_text(encoding="utf-8")).split("\n\n")
    tables = {
        block: table[1]
        for block in blocks
        if (table := re.search(r"^\[(?:[a-z]+\.)?([a-z]+)\]", block, re.MULTILINE))
    }
    config_file(
        tmp_path,
        "\n".join(
            block for block, name in tables.items() if name in known | sinks | {"service", "ha"}
        ),
    )
    config = load({"HOME": str(tmp_path)})
    assert {*config.names()} == known
    assert {*config.endpoints} == {*exchanges.names()}
    assert {*config.sinks} == sinks
    assert config.service is not None
    assert str(config.service.metrics) == "127.0.0.1:9464"
