"""The [service] section: where a service is looked after, on this machine unless told otherwise."""

from pathlib import Path

import pytest

from privstream.model.errors import ConfigError
from privstream.settings.service_section import Address, address_of
from tests.config_playground import loaded


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9464", Address("127.0.0.1", 9464)),
        (":9464", Address("127.0.0.1", 9464)),
        ("9464", Address("127.0.0.1", 9464)),
        ("[::1]:9464", Address("::1", 9464)),
        ("192.0.2.7:9464", Address("192.0.2.7", 9464)),
        ("localhost:0", Address("localhost", 0)),
    ],
)
def test_an_address_is_a_port_and_perhaps_a_host(text: str, address: Address) -> None:
    assert address_of(text) == address


@pytest.mark.parametrize("text", ["", "no port", "127.0.0.1", "::1:9464", "1:65536", "9464\n", "٩"])
def test_what_is_no_address(text: str) -> None:
    assert address_of(text) is None


def test_an_address_is_shown_as_it_is_written() -> None:
    assert str(Address("::1", 9464)) == "[::1]:9464"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('[service]\nmetrics = "here"', "'metrics' must be an address"),
        ("[service]\nmetrics = 9464", "'metrics' must be text in quotes"),
        ('[service]\nmetric = "9464"', "'metric' is not a setting"),
        ('[servce]\nmetrics = "9464"', "'servce' is not a setting"),
    ],
)
def test_what_is_written_wrongly_is_named(lines: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, lines)
    assert said in caught.value.message


def test_without_the_section_nobody_listens(tmp_path: Path) -> None:
    assert loaded(tmp_path, "").service is None
    empty = loaded(tmp_path, "[service]").service
    assert empty is not None
    assert empty.metrics is None
