"""Fetches an account's credentials one by one, and says where each comes from.

The one rule: what is told is the place, never the secret nor a word of a command.
"""

from collections.abc import Iterator

from msgspec import structs

from privstream.doctor.findings import Finding, failed, passed
from privstream.model.account import Account, Secret
from privstream.model.errors import ConfigError
from privstream.settings.config import AccountSettings, Config
from privstream.settings.credentials import (
    FromCommand,
    FromFile,
    FromKeyring,
    FromVariable,
    Origin,
    resolve,
)


def placed(config: Config, settings: AccountSettings) -> Account:
    """The account without its secrets. Raises ConfigError where its URLs do not fit."""
    bare = structs.replace(settings, credentials={})
    return structs.replace(config, accounts={settings.name: bare}).account(settings.name)


def examine_credentials(
    config: Config, settings: AccountSettings, found: dict[str, Secret]
) -> Iterator[Finding]:
    """Every credential; those that could be fetched are put into `found`."""
    for key, origin in settings.credentials.items():
        try:
            found[key] = resolve(origin, key, config.environment)
        except ConfigError as problem:
            yield failed("credentials", problem, f"set {key} of account {settings.name}")
    if len(found) == len(settings.credentials):
        told = (f"{key} from {place_of(origin)}" for key, origin in settings.credentials.items())
        yield passed("credentials", "; ".join(told))


def place_of(origin: Origin) -> str:
    """Where a credential is kept, in words."""
    match origin:
        case FromVariable(name=name):
            return f"the variable {name}"
        case FromFile(path=path):
            return f"the file {path}"
        case FromCommand():
            return "a command"
        case FromKeyring(entry=entry):
            return f"the keyring entry {entry}"
        case _:
            return "the config file"
