"""Reads the config file as a run would; where that refuses it, finds all that is wrong at once.

The one rule: an account is examined only where it is sure what the file means by it, because
its key would otherwise go to a host that nobody named.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from msgspec import Struct, structs

from privstream import exchanges
from privstream.doctor.findings import Finding, failed, passed, skipped, warned, wrong
from privstream.exchanges.base import Exchange
from privstream.model.errors import ConfigError
from privstream.model.nearest import nearest, suggestion
from privstream.settings.config import (
    FILE_LIMIT,
    TABLES,
    AccountSettings,
    Config,
    Table,
    account_settings,
    config_path,
    endpoint_settings,
    load,
    parse,
    read_account,
    read_endpoints,
)
from privstream.settings.credentials import Environment, Plain
from privstream.settings.private_files import (
    OPEN_TO_OTHERS,
    WRITABLE_BY_OTHERS,
    Content,
    check_mode,
    read_private,
)

COMPARE = "compare it with config.example.toml"


class Settings(Struct, frozen=True):
    """What can be relied on of the configuration."""

    findings: tuple[Finding, ...]
    config: Config | None = None
    """Without the accounts that are in doubt; `None` where nothing can be relied on."""
    names: tuple[str, ...] = ()
    """All accounts, also those in doubt."""
    in_doubt: frozenset[str] = frozenset()


def examine_settings(environ: Mapping[str, str]) -> Settings:
    """The configuration, and what is wrong with it."""
    try:
        config = load(environ)
    except ConfigError as problem:
        return _survey(environ, problem)
    return Settings((_sound(config),), config, config.names())


def _sound(config: Config) -> Finding:
    names = config.names()
    count = f"{len(names)} account{'' if len(names) == 1 else 's'}"
    if not names:
        hint = f"privstream accounts add, or write [accounts.NAME] into {config.path}"
        return wrong("config", f"no account is configured in {config.path}", hint)
    if config.accounts:
        return passed("config", f"config file {config.path}: {count}")
    absent = f"{config.path} has none" if config.exists else f"there is no {config.path}"
    return passed("config", f"{count} from the environment; {absent}")


def examine_overrides(config: Config, exchange: str) -> Iterator[Finding]:
    """Who relies on an exchange should know when it is not the exchange that answers."""
    urls = config.overridden(exchange)
    if urls:
        moved = ", ".join(f"{key} {url.partition('?')[0]}" for key, url in urls.items())
        title = config.find(exchange).title
        hint = f"for the real {title}: remove [exchanges.{exchange}] from {config.path}"
        yield warned(
            "override",
            f"connects elsewhere than to {title} itself, by the config file: {moved}",
            hint,
        )


def _survey(environ: Mapping[str, str], refusal: ConfigError) -> Settings:
    """All that is wrong with a file that a run refuses."""
    path = config_path(environ)
    try:
        content = read_private(
            path, "the config file", limit=FILE_LIMIT, forbidden=WRITABLE_BY_OTHERS
        )
        top = parse(content.text, path)
    except (ConfigError, FileNotFoundError):
        return Settings((failed("config", refusal, f"see that {path} can be read"),))
    empty = Config(path, True, {}, {}, Environment(environ), exchanges.find, exchanges.names())
    survey = _LenientReading(empty)
    survey.read(top)
    survey.check_mode(content)
    config = structs.replace(empty, accounts=survey.accounts, endpoints=survey.endpoints)
    # Never without a word on why a run refuses it.
    problems = survey.problems or [failed("config", refusal, COMPARE)]
    findings = tuple(problems)
    names = tuple(survey.names)
    if survey.lost:
        return Settings(findings, None, names, frozenset(names))
    return Settings(findings, config, names, frozenset(names) - survey.accounts.keys())


class _LenientReading:
    """Reads on after a mistake: a misspelt key is taken for the one that it resembles."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.problems: list[Finding] = []
        self.accounts: dict[str, AccountSettings] = {}
        self.endpoints: dict[str, Mapping[str, str]] = {}
        self.names: list[str] = []
        self.lost = False
        """Something may have said where an exchange is, and cannot be understood."""
        self._moved: set[str] = set()
        """Exchanges of which it is not known where they are."""

    def read(self, top: Table) -> None:
        """Take all that can be read."""
        known = self._corrected(top, TABLES)
        self.lost = len(known.values) < len(top.values)
        places = self._table(known, "exchanges")
        if places is not None:
            named = self._corrected(places, self._config.known)
            self.lost |= len(named.values) < len(places.values)
            for name in named.values:
                self._read_place(named, name)
        accounts = self._table(known, "accounts")
        if accounts is not None:
            self.names = list(accounts.values)
            for name in accounts.values:
                self._read_account(accounts, name)

    def check_mode(self, content: Content) -> None:
        """Others must not read a file with secrets in it."""
        origins = [o for a in self.accounts.values() for o in a.credentials.values()]
        if any(isinstance(origin, Plain) for origin in origins):
            self._tried(
                lambda: check_mode(
                    content.mode,
                    self._config.path,
                    "the config file with secrets",
                    OPEN_TO_OTHERS,
                )
            )

    def _table(self, parent: Table, key: str) -> Table | None:
        found: list[Table] = []
        self._tried(lambda: found.append(parent.table(key)))
        self.lost |= not found
        return found[0] if found else None

    def _read_place(self, places: Table, name: str) -> None:
        exchange = self._config.find(name)
        table = self._table(places, name)
        if table is None:
            return
        known = self._corrected(table, endpoint_settings(exchange))
        sound = len(known.values) == len(table.values)
        urls: dict[str, str] = {}
        for key, value in known.values.items():
            one = Table(table.path, table.name, {key: value})
            sound &= self._tried(partial(_read_url, one, exchange, urls))
        self.endpoints[name] = urls
        if not sound:
            self._moved.add(name)

    def _read_account(self, accounts: Table, name: str) -> None:
        values = accounts.values[name]
        exchange = self._exchange_of(accounts, name)
        whole = True
        if isinstance(values, dict) and exchange is not None:
            table = self._corrected(accounts.table(name), account_settings(exchange))
            whole = len(table.values) == len(values)
            values = dict(table.values)
        one = Table(accounts.path, accounts.name, {name: values})
        found: list[AccountSettings] = []
        self._tried(lambda: found.append(read_account(one, name, self._config)))
        for settings in found:
            if whole and settings.exchange not in self._moved:
                self.accounts[name] = settings

    def _exchange_of(self, accounts: Table, name: str) -> type[Exchange] | None:
        try:
            table = accounts.table(name)
            named = table.text("exchange") if "exchange" in table.values else name
        except ConfigError:
            return None  # told by whoever reads the account
        return self._config.find(named) if named in self._config.known else None

    def _corrected(self, table: Table, known: Iterable[str]) -> Table:
        """The table with its misspelt keys told and put right, and what means nothing left out."""
        allowed = tuple(known)
        values: dict[str, Any] = {k: v for k, v in table.values.items() if k in allowed}
        for key, value in table.values.items():
            if key in allowed:
                continue
            problem = table.wrong(key, "is not a setting", suggestion(key, allowed))
            self.problems.append(failed("config", problem, COMPARE))
            if meant := nearest(key, allowed):
                values.setdefault(meant, value)
        return Table(table.path, table.name, values)

    def _tried(self, read: Callable[[], object]) -> bool:
        try:
            read()
        except ConfigError as problem:
            self.problems.append(
                failed("config", problem, COMPARE).about(problem.exchange, problem.account)
            )
            return False
        return True


def _read_url(table: Table, exchange: type[Exchange], urls: dict[str, str]) -> None:
    urls |= read_endpoints(table, exchange)


def doubtful(name: str) -> Finding:
    """Why an account is not examined."""
    return skipped("account", f"{name}: not examined, the config file must be mended first")
