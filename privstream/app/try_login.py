"""Tries whether an account can log in, before it is kept anywhere."""

from msgspec import structs

from privstream.app.assembly import client_for, tokens_for
from privstream.app.environment import Environment
from privstream.model.account import Account
from privstream.settings.config import AccountSettings, Config

LEFT = 60.0
"""Seconds that a token from the cache must have left; of the same key, from an account before."""


def account_of(settings: AccountSettings, config: Config) -> Account:
    """An account that is to be configured, with its secrets. Raises ConfigError."""
    return structs.replace(config, accounts={settings.name: settings}).account(settings.name)


def try_login(environment: Environment, account: Account) -> None:
    """Log in as a stream does, with all usual channels, and out. Raises PrivstreamError."""
    client = client_for(environment, account)
    exchange = client.exchange
    tokens = tokens_for(
        environment, exchange, client.rest, client.clock, client.stop, note=client.note
    )
    token = None if tokens is None else tokens.get(LEFT)[0]
    with client.logged_in(exchange.select(()), token):
        client.note("logged in")
