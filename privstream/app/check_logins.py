"""Checks accounts: each in a thread of its own, all of them within one deadline.

The one rule: an account that hangs holds up no other, and the command ends without it.
"""

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from privstream.app.assembly import client_for, tokens_for
from privstream.app.environment import Environment
from privstream.app.token_lines import Checked, Kind, Line, failed, spoken, token_line, with_token
from privstream.connection.account_client import AccountClient
from privstream.connection.ports import Life
from privstream.connection.tokens.cache import Tokens
from privstream.exchanges import find
from privstream.model.account import Token
from privstream.model.errors import ConfigError, PrivstreamError, Unreachable, UsageError
from privstream.settings.config import Config, first_steps, load

TOTAL: Final = 29.0
"""Seconds for all accounts together, credentials included: with the start of Python 30."""
LOOK: Final = 0.1
"""Seconds between two looks whether we were told to stop."""
OWN: Final = 27.0
"""Seconds for a token, so that its own error comes before the general one."""


def configured(environment: Environment, named: Iterable[str]) -> tuple[Config, tuple[str, ...]]:
    """The accounts to check: those named, else all there are. Raises ConfigError for none."""
    config = load(environment.variables)
    names = tuple(dict.fromkeys(named)) or config.names()
    if not names:
        raise ConfigError(
            "no account is configured",
            f"{first_steps('kraken')}; or write one into {config.path}, "
            "or set KRAKEN_API_KEY and KRAKEN_API_SECRET",
        )
    return config, names


def check_accounts(
    environment: Environment,
    config: Config,
    names: Sequence[str],
    min_ttl: float,
    *,
    total: float = TOTAL,
) -> Iterator[Checked]:
    """All of them at once; told in their order, each as soon as its turn has come.

    Raises Stopped.
    """
    until = time.monotonic() + total
    checks = [_Check(environment, config, name, min_ttl) for name in names]
    for check in checks:
        check.start()
    for check in checks:
        while check.is_alive() and (left := until - time.monotonic()) > 0:
            environment.stop.check()
            check.join(min(left, LOOK))
        yield check.result(total)


class _Check(threading.Thread):
    """One account's check; its owner waits for it, or ends without it."""

    def __init__(self, environment: Environment, config: Config, name: str, min_ttl: float) -> None:
        super().__init__(name=f"check {name}", daemon=True)
        self._environment = environment
        self._config = config
        self._account = name
        self._min_ttl = min_ttl
        self._checked: Checked | None = None
        self._bug: BaseException | None = None

    def run(self) -> None:
        try:
            self._checked = self._check()
        except BaseException as bug:  # noqa: BLE001 - raised again in the owner's thread
            self._bug = bug

    def result(self, total: float) -> Checked:
        if self._bug is not None:
            raise self._bug
        return self._checked or self._failed(
            Unreachable(f"the check was not done within {total:g} s")
        )

    def _check(self) -> Checked:
        try:
            client = client_for(self._environment, self._config.account(self._account))
            tokens = _tokens(self._environment, client)
            if tokens is not None:
                return self._with_life(client, *tokens.get(self._min_ttl))
            with client.logged_in(client.exchange.select(()), None):
                client.note("logged in")
        except PrivstreamError as problem:
            return self._failed(problem)
        return Checked(
            Line(account=self._account, exchange=client.exchange.name, ok=True, kind="login")
        )

    def _with_life(self, client: AccountClient, token: Token, life: Life) -> Checked:
        exchange = client.exchange
        client.note("got a new token" if life.renewed else "the token in the cache will do")
        line = token_line(self._account, exchange.name, life)
        if token.expires is None or token.expires >= self._min_ttl:
            return Checked(line)
        problem = UsageError(
            f"{exchange.title}'s tokens live for {spoken(token.expires)}, "
            f"less than the {spoken(self._min_ttl)} of --min-ttl",
            "ask for less; this way every check fetches a new one",
        )
        problem.about(exchange.name, self._account)
        return failed(line, problem)

    def _failed(self, problem: PrivstreamError) -> Checked:
        """As far as one knows what account it is."""
        try:
            exchange = self._config.settings(self._account).exchange
        except ConfigError:
            line = Line(account=self._account)
        else:
            line = Line(account=self._account, exchange=exchange, kind=_kind(exchange))
        problem.about(line.exchange, self._account)
        return failed(line, problem)


def kept(environment: Environment, name: str, *, reveal: bool) -> Checked:
    """The token that is in the cache; asks nobody. Raises ConfigError where there is none."""
    exchange, tokens = _tokens_of(environment, name)
    found = tokens.kept()
    if found is None:
        raise ConfigError(
            "there is no live token in the cache", f"privstream token refresh {name} fetches one"
        ).about(exchange, name)
    token, life = found
    line = token_line(name, exchange, life)
    return Checked(with_token(line, token.secret.reveal(), reveal=reveal))


def refreshed(environment: Environment, name: str) -> Checked:
    """A new token, kept in the cache."""
    exchange, tokens = _tokens_of(environment, name)
    try:
        _, life = tokens.refresh()
    except PrivstreamError as problem:
        raise problem.about(exchange, name) from None
    return Checked(token_line(name, exchange, life))


def _tokens_of(environment: Environment, name: str) -> tuple[str, Tokens]:
    config = load(environment.variables)
    exchange = find(config.settings(name).exchange)
    # Asked before any credential is fetched.
    tokens = None
    if exchange.has_token():
        tokens = _tokens(environment, client_for(environment, config.account(name)))
    if tokens is None:
        raise UsageError(
            f"{exchange.title} has no session tokens: it logs in with the key itself",
            f"privstream token check {name} logs in and out",
        ).about(exchange.name, name)
    return exchange.name, tokens


def _tokens(environment: Environment, client: AccountClient) -> Tokens | None:
    return tokens_for(
        environment, client.exchange, client.rest, client.clock, client.stop, limit=OWN
    )


def _kind(exchange: str) -> Kind:
    return "token" if find(exchange).has_token() else "login"
