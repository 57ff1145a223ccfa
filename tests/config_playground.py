"""Two invented exchanges, a home folder with a config file, and a canary for its secrets."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from privstream.exchanges.base import Exchange, Option
from privstream.model.account import Endpoints
from privstream.model.errors import ConfigError
from privstream.settings.config import Config, load

CANARY = "PSCANARY00112233445566778899aabbccdd"


class Moon(Exchange):
    """An exchange with an option, an optional credential and a second prefix."""

    name = "moon"
    title = "Moon"
    channels = ("orders",)
    options = (Option(name="protocol", choices=("v2", "v1"), default="v2", help=""),)
    optional_credentials = ("otp",)
    env_prefixes = ("LUNA",)

    @classmethod
    def endpoints(cls, options: Mapping[str, str]) -> Endpoints:
        return Endpoints("https://moon.test", f"wss://moon.test/{options['protocol']}")

    @classmethod
    def check_endpoints(cls, endpoints: Endpoints, options: Mapping[str, str]) -> None:
        if not endpoints.ws_url.endswith(options["protocol"]):
            raise ConfigError("the Moon ws_url does not fit", f"end it in {options['protocol']}")


class Mars(Exchange):
    """An exchange whose history is on another host."""

    name = "mars"
    title = "Mars"
    channels = ("orders",)

    @classmethod
    def endpoints(cls, options: Mapping[str, str]) -> Endpoints:
        assert not options
        history, api = "https://history.mars.test", "https://api.mars.test"
        return Endpoints("https://mars.test", "wss://mars.test", history, api)


EXCHANGES: dict[str, type[Exchange]] = {
    "mars": Mars,  # type: ignore[type-abstract]  # only asked about, never made
    "moon": Moon,  # type: ignore[type-abstract]
}


def config_file(home: Path, text: str, mode: int = 0o600) -> Path:
    path = home / ".config/privstream/config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def loaded(home: Path, text: str | None = None, **variables: str) -> Config:
    if text is not None:
        config_file(home, text)
    environ = {"HOME": str(home), "PATH": os.environ["PATH"], **variables}
    return load(environ, find=EXCHANGES.__getitem__, names=lambda: tuple(EXCHANGES))


def refusal(home: Path, text: str | None = None, **variables: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        loaded(home, text, **variables)
    assert_silent(caught.value)
    return caught.value


def assert_silent(problem: BaseException) -> None:
    """The canary is in no word of an error, and in no local of our frames on its way."""
    link: BaseException | None = problem
    while link:
        assert CANARY not in f"{link!r} {link!s} {link.args} {vars(link)}"
        for values in locals_of(link.__traceback__):
            assert CANARY not in repr(values)
        link = link.__cause__ or link.__context__


def locals_of(trace: TracebackType | None) -> Iterator[Mapping[str, Any]]:
    while trace:
        if "/privstream/" in trace.tb_frame.f_code.co_filename:
            # `environ` is what the caller gave: the environment of the process as it is.
            yield {k: v for k, v in trace.tb_frame.f_locals.items() if k != "environ"}
        trace = trace.tb_next


KEYS = f'api_key = "{CANARY}"\napi_secret = "{CANARY}x"\n'
VARIABLES = {"MOON_API_KEY": CANARY, "MOON_API_SECRET": f"{CANARY}x"}
