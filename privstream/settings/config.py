"""The config file and the environment as frozen settings, and one account of them resolved.

The one rule: loading checks everything that can be checked without fetching a secret, so that
listing accounts never starts a command; every text of the file is a `Secret` until it is known
to be none.
"""

import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from msgspec import Struct, structs

from privstream import exchanges
from privstream.exchanges.base import Exchange, Option
from privstream.model.account import Account, Endpoints, Secret
from privstream.model.errors import ConfigError, PrivstreamError, UsageError
from privstream.model.exact import amount
from privstream.model.nearest import suggestion
from privstream.settings.core_dumps import hide_memory
from privstream.settings.credentials import (
    Environment,
    Origin,
    Plain,
    from_environment,
    prefixes_in_use,
    read_origin,
    resolve,
    variables_of,
)
from privstream.settings.endpoints import read_url
from privstream.settings.plain_names import may_be_secret, quoted
from privstream.settings.private_files import (
    OPEN_TO_OTHERS,
    WRITABLE_BY_OTHERS,
    base_folder,
    check_mode,
    read_private,
)

if TYPE_CHECKING:  # start-up time
    from privstream.settings.ha_section import HaSettings
    from privstream.settings.service_section import ServiceSettings
    from privstream.settings.sinks import SinkSettings

FILE_LIMIT: Final = 1024 * 1024
"""Bytes of a config file."""
ACCOUNT_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
NAME_RULE: Final = "a name has 1 to 32 letters, digits, hyphens or underscores"
TABLES: Final = ("accounts", "exchanges", "sinks", "service", "ha")
ACCOUNT_SETTINGS: Final = ("exchange", "read_only", "max_order")
"""What every account may have, besides its exchange's credentials and options."""

Find: TypeAlias = Callable[[str], type[Exchange]]
Names: TypeAlias = Callable[[], tuple[str, ...]]


class AccountSettings(Struct, frozen=True):
    """One account as it is configured, its secrets not fetched."""

    name: str
    exchange: str
    credentials: Mapping[str, Origin]
    options: Mapping[str, str]
    """Only those that are set."""
    read_only: bool = False
    """No order may be placed or canceled."""
    max_order: Mapping[str, str] = MappingProxyType({})
    """By quote currency: what an order may be worth at most."""


class Config(Struct, frozen=True):
    """What is configured. Nothing secret is fetched before `account` is called."""

    path: Path
    """The config file, or where it would be."""
    exists: bool
    accounts: Mapping[str, AccountSettings]
    """Those of the file, in its order."""
    endpoints: Mapping[str, Mapping[str, str]]
    """By exchange: the URLs that the file gives."""
    environment: Environment
    find: Find
    known: tuple[str, ...]
    """The exchanges there are."""
    sinks: "Mapping[str, SinkSettings]" = MappingProxyType({})
    ha: "HaSettings | None" = None
    """What several hosts share, for `run --ha`."""
    service: "ServiceSettings | None" = None

    def names(self) -> tuple[str, ...]:
        """The configured accounts. The environment makes some only where the file has none."""
        if self.accounts:
            return tuple(self.accounts)
        return tuple(name for name in self.known if self._in_environment(name))

    def chosen(self, name: str | None, exchange: str) -> str:
        """The account that is meant on an exchange: the one named, or the only one there is.

        Raises ConfigError where there are several and none is called like the exchange.
        """
        own = [one.name for one in self.accounts.values() if one.exchange == exchange]
        if name is not None or exchange in own or not own:
            return name or exchange
        if len(own) == 1:
            return own[0]
        message = f"there are several accounts on {exchange}; which one?"
        raise ConfigError(message, self._accounts_of(exchange)).about(exchange, None)

    def settings(self, name: str, *, exchange: str | None = None) -> AccountSettings:
        """How an account is configured. Raises ConfigError where there is none, or elsewhere."""
        if not ACCOUNT_NAME.fullmatch(name):
            raise ConfigError(f"{quoted(name)} is no account name", NAME_RULE)
        if name in self.accounts:
            found = self.accounts[name]
        elif not self.accounts and name in self.known and self._in_environment(name):
            found = AccountSettings(
                name, name, from_environment(self.find(name), self.environment), {}
            )
        else:
            raise self._no_account(name, exchange).about(exchange, name)
        if exchange not in {None, found.exchange}:
            message = f"account {name!r} is on {found.exchange}, not on {exchange}"
            raise ConfigError(message, self._accounts_of(exchange)).about(exchange, name)
        return found

    def account(
        self,
        name: str,
        *,
        exchange: str | None = None,
        options: Mapping[str, str] = MappingProxyType({}),
    ) -> Account:
        """One account, its secrets fetched; `options` go before those of the file."""
        settings = self.settings(name, exchange=exchange)
        kind = self.find(settings.exchange)
        try:
            chosen = all_options(kind, settings.options, options)
            endpoints = _moved(kind.endpoints(chosen), self.overridden(settings.exchange))
            kind.check_endpoints(endpoints, chosen)
            secrets = {
                key: resolve(origin, f"account {name!r}: {key}", self.environment)
                for key, origin in settings.credentials.items()
            }
        except PrivstreamError as problem:
            raise problem.about(settings.exchange, name) from None
        return Account(name, settings.exchange, _frozen(secrets), endpoints, _frozen(chosen))

    def overridden(self, exchange: str) -> Mapping[str, str]:
        """The URLs of an exchange that the file replaces, to be named at the start of a run."""
        return self.endpoints.get(exchange, {})

    def _in_environment(self, exchange: str) -> bool:
        # Half a pair counts: leaving the account out silently would hide the mistake.
        return bool(prefixes_in_use(self.find(exchange), self.environment))

    def _no_account(self, name: str, exchange: str | None) -> ConfigError:
        message = f"there is no account {quoted(name, 'of this name')} in {self.path}"
        if not self.exists:
            message = f"there is no account {quoted(name, 'of this name')}, and no config file {self.path}"
        section = f"write [accounts.{'NAME' if may_be_secret(name) else name}] into {self.path}"
        if not self.accounts and name in self.known:
            variables = " and ".join(variables_of(self.find(name), name.upper()).values())
            return ConfigError(message, f"{first_steps(name)}; or set {variables}, or {section}")
        if not self.accounts:
            return ConfigError(message, section)
        if name in self.known and self._in_environment(name):
            # Else one key could be streamed twice, by its section and by its variables.
            return ConfigError(message, f"{section}, since variables alone do not add to a file")
        return ConfigError(message, suggestion(name, self.names(), self._accounts_of(exchange)))

    def _accounts_of(self, exchange: str | None) -> str | None:
        found = [s.name for s in self.accounts.values() if s.exchange == exchange]
        return f"use --account with one of: {', '.join(found)}" if found else None


def first_steps(name: str) -> str:
    """What to do who has no account here yet."""
    return (
        f"privstream accounts add {name} asks for its key; "
        f"privstream watch {name} --simulate needs none"
    )


def load(
    environ: Mapping[str, str],
    *,
    find: Find = exchanges.find,
    names: Names = exchanges.names,
) -> Config:
    """Read the config file, if there is one, and check it. Raises ConfigError."""
    hide_memory()
    path = config_path(environ)
    empty = Config(path, False, {}, {}, Environment(environ), find, names())
    try:
        content = read_private(
            path, "the config file", limit=FILE_LIMIT, forbidden=WRITABLE_BY_OTHERS
        )
    except FileNotFoundError:
        if environ.get("PRIVSTREAM_CONFIG"):
            message = f"there is no config file {path}, which PRIVSTREAM_CONFIG names"
            raise ConfigError(message) from None
        return empty
    config = read_config(parse(content.text, path), structs.replace(empty, exists=True))
    if any(
        isinstance(origin, Plain)
        for settings in config.accounts.values()
        for origin in settings.credentials.values()
    ):
        check_mode(content.mode, path, "the config file with secrets", OPEN_TO_OTHERS)
    return config


def config_path(environ: Mapping[str, str]) -> Path:
    """Where the config file is or would be; never looked for in the current folder."""
    if named := environ.get("PRIVSTREAM_CONFIG"):
        return Path(named)
    return base_folder(environ, "XDG_CONFIG_HOME", ".config") / "privstream" / "config.toml"


# --- the file --------------------------------------------------------------------------


class Table(Struct, frozen=True):
    """One table of the file: its full name, which is "" for the top level, and what is in it."""

    path: Path
    name: str
    values: Mapping[str, Any]

    def setting(self, key: str) -> str:
        """What messages call a setting."""
        sections = (part if not may_be_secret(part) else "…" for part in self.name.split("."))
        section = f"[{'.'.join(sections)}] " if self.name else ""
        return f"{self.path}: {section}{quoted(key)}"

    def wrong(self, key: str, problem: str, hint: str | None = None) -> ConfigError:
        return ConfigError(f"{self.setting(key)} {problem}", hint)

    def check_keys(self, known: Iterable[str]) -> None:
        allowed = tuple(known)
        for key in self.values:
            if key not in allowed:
                raise self.wrong(key, "is not a setting", suggestion(key, allowed))

    def text(self, key: str) -> str:
        value = self.values[key]
        if not isinstance(value, Secret):
            raise self.wrong(key, "must be text in quotes")
        return value.reveal()

    def table(self, key: str) -> "Table":
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, "must be a table")
        return Table(self.path, f"{self.name}.{key}" if self.name else key, value)


def parse(text: Secret, path: Path) -> Table:
    """The whole file; every text in it is a `Secret`."""
    try:
        return Table(path, "", _concealed(tomllib.loads(text.reveal())))
    except (ValueError, RecursionError) as problem:
        found = re.search(r"at line (\d+)", str(problem))
    # Raised out here with words of our own: a TOMLDecodeError may carry the whole text.
    line = found[1] if found else text.reveal().count("\n") + 1
    raise ConfigError(f"{path}: line {line} is not valid TOML", "text goes in double quotes")


def _concealed(value: Any) -> Any:
    if isinstance(value, str):
        return Secret(value)
    if isinstance(value, dict):
        return {key: _concealed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_concealed(item) for item in value]
    return value


def read_config(top: Table, config: Config) -> Config:
    """The settings of a file. Raises ConfigError for the first thing that cannot be."""
    top.check_keys(TABLES)
    places, accounts = top.table("exchanges"), top.table("accounts")
    endpoints = {
        name: _frozen(read_endpoints(places.table(name), _exchange(places, name, name, config)))
        for name in places.values
    }
    found = {name: read_account(accounts, name, config) for name in accounts.values}
    return structs.replace(
        config,
        accounts=_frozen(found),
        endpoints=_frozen(endpoints),
        sinks=_frozen(_read_sinks(top.table("sinks"), {*found, *config.known})),
        ha=_read_ha(top),
        service=_read_service(top),
    )


def _read_sinks(sinks: Table, accounts: Collection[str]) -> "dict[str, SinkSettings]":
    """Those of the file; what an account may be called that they name is in `accounts`."""
    if not sinks.values:
        return {}
    from privstream.settings.sink_sections import read_sink  # noqa: PLC0415 - start-up time

    return {name: read_sink(sinks, name, accounts) for name in sinks.values}


def _read_ha(top: Table) -> "HaSettings | None":
    if "ha" not in top.values:
        return None
    from privstream.settings.ha_section import read_ha  # noqa: PLC0415 - start-up time

    return read_ha(top.table("ha"))


def _read_service(top: Table) -> "ServiceSettings | None":
    if "service" not in top.values:
        return None
    from privstream.settings.service_section import read_service  # noqa: PLC0415 - start-up time

    return read_service(top)


def _frozen(mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(mapping))


def _exchange(table: Table, key: str, name: str, config: Config) -> type[Exchange]:
    if name in config.known:
        return config.find(name)
    # Quoted only where it can be a name: it might be a key that was pasted into the wrong line.
    shown = f": {name!r}" if key != name and not may_be_secret(name) else ""
    raise table.wrong(key, f"is no known exchange{shown}", suggestion(name, config.known))


def read_endpoints(table: Table, exchange: type[Exchange]) -> dict[str, str]:
    """The URLs that an [exchanges.NAME] table gives."""
    table.check_keys(endpoint_settings(exchange))
    urls = {}
    for key in table.values:
        try:
            urls[key] = read_url(key, table.text(key))
        except ValueError as problem:
            # Without the URL: somebody may have written a password into it.
            raise table.wrong(key, str(problem)).about(exchange.name, None) from None
    return urls


def read_account(accounts: Table, name: str, config: Config) -> AccountSettings:
    """The settings of an [accounts.NAME] table."""
    if not ACCOUNT_NAME.fullmatch(name):
        raise accounts.wrong(name, "is no account name", NAME_RULE)
    table = accounts.table(name)
    if "exchange" not in table.values and name not in config.known:
        raise table.wrong("exchange", "is missing", suggestion(name, config.known))
    named = table.text("exchange") if "exchange" in table.values else name
    exchange = _exchange(table, "exchange", named, config)
    try:
        table.check_keys(account_settings(exchange))
        return AccountSettings(
            name=name,
            exchange=named,
            credentials=_frozen(_read_credentials(table, name, exchange, config)),
            options=_frozen(_read_options(table, exchange)),
            read_only=_read_flag(table, "read_only"),
            max_order=_frozen(_read_max_order(table)),
        )
    except ConfigError as problem:
        raise problem.about(named, name) from None


def _read_flag(table: Table, key: str) -> bool:
    value = table.values.get(key, False)
    if not isinstance(value, bool):
        raise table.wrong(key, "must be true or false, without quotes")
    return value


def _read_max_order(table: Table) -> dict[str, str]:
    limits = table.table("max_order")
    return {code.upper(): _positive(limits, code) for code in limits.values}


def _positive(table: Table, key: str) -> str:
    try:
        text = amount(table.text(key))
        if text is not None and Decimal(text) > 0:
            return text
    except (ValueError, ArithmeticError):
        pass
    raise table.wrong(key, "must be an amount above 0, in quotes", 'like EUR = "1000"')


def _read_options(table: Table, exchange: type[Exchange]) -> dict[str, str]:
    chosen = {}
    for option in exchange.options:
        if option.name in table.values:
            chosen[option.name] = table.text(option.name)
            if problem := _not_a_choice(option, chosen[option.name]):
                raise table.wrong(option.name, problem)
    return chosen


def _read_credentials(
    table: Table, name: str, exchange: type[Exchange], config: Config
) -> dict[str, Origin]:
    """Those of the table; where it has none that are needed, those of the environment."""
    written = {
        key: read_origin(table.values[key], table.setting(key))
        for key in (*exchange.credentials, *exchange.optional_credentials)
        if key in table.values
    }
    missing = [key for key in exchange.credentials if key not in written]
    if not missing:
        return written
    # Only the account of the exchange's own name: another one would silently be a second
    # stream of the same key.
    if name == exchange.name and len(missing) == len(exchange.credentials):
        return {**from_environment(exchange, config.environment), **written}
    hint = f'{missing[0]} = {{ env = "NAME" }}, or {{ file = … }}, {{ command = … }}, or text'
    raise table.wrong(missing[0], "is missing", hint)


# --- what an exchange takes ------------------------------------------------------------


def account_settings(exchange: type[Exchange]) -> tuple[str, ...]:
    """The keys that an account of this exchange may have."""
    options = (option.name for option in exchange.options)
    return (*ACCOUNT_SETTINGS, *exchange.credentials, *exchange.optional_credentials, *options)


def endpoint_settings(exchange: type[Exchange]) -> tuple[str, ...]:
    """The keys that [exchanges.NAME] may have: the URLs that this exchange has."""
    defaults = exchange.endpoints({option.name: option.default for option in exchange.options})
    return tuple(f.name for f in fields(Endpoints) if getattr(defaults, f.name) is not None)


def _moved(endpoints: Endpoints, urls: Mapping[str, str]) -> Endpoints:
    """With the URLs of the file. Beside REST that was moved a key is shown to no other host."""
    api_url = None if "rest_url" in urls else endpoints.api_url
    return replace(replace(endpoints, api_url=api_url), **urls)


def all_options(
    exchange: type[Exchange], written: Mapping[str, str], given: Mapping[str, str]
) -> dict[str, str]:
    """All options of an account, by what is written of it and given. Raises UsageError."""
    known = {option.name: option for option in exchange.options}
    for name, value in given.items():
        problem = _not_a_choice(known[name], value) if name in known else "is not an option"
        if problem:
            raise UsageError(f"{exchange.title}: {quoted(name)} {problem}")
    return {name: option.default for name, option in known.items()} | {**written, **given}


def _not_a_choice(option: Option, value: str) -> str | None:
    if value in option.choices:
        return None
    return f"must be {' or '.join(option.choices)}"
