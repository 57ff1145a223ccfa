"""Credentials as the command line gets them: places named in options, secrets asked for or piped in.

The one rule: no message quotes what was given; it may be the secret, put where its place belongs.
"""

import base64
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from privstream.app.asking import Person
from privstream.exchanges.base import Exchange
from privstream.model.account import Secret
from privstream.model.errors import ConfigError, UsageError
from privstream.settings.credentials import flaw_of, read_origin
from privstream.settings.plain_names import may_be_secret


class Keep(StrEnum):
    """Where credentials are kept."""

    KEYRING = "keyring"
    CONFIG = "config"
    ENV = "env"
    FILE = "file"
    COMMAND = "command"


EXPLAINED: Final = {
    Keep.KEYRING: "the keyring of this system",
    Keep.CONFIG: "the config file itself, as plain text, mode 0600",
    Keep.ENV: "variables of the environment, which you set",
    Keep.FILE: "files of yours, each with one credential alone, mode 0600",
    Keep.COMMAND: "commands that print them: a password manager's",
}
STORED: Final = (Keep.KEYRING, Keep.CONFIG)
"""Where we put them; elsewhere only the place is noted."""
ATTEMPTS: Final = 3


def named_places(
    exchange: type[Exchange], places: Mapping[Keep, list[str]], variables: Mapping[str, str]
) -> dict[str, Mapping[str, Secret]]:
    """What --env, --file and --command say."""
    known = (*exchange.credentials, *exchange.optional_credentials)
    found: dict[str, Mapping[str, Secret]] = {}
    for kind, pairs in places.items():
        for pair in pairs:
            key, equals, place = pair.partition("=")
            # Not quoted: it may be the secret itself.
            if not equals or key not in known:
                hint = f"like --{kind} {known[0]}=…; its credentials are: {', '.join(known)}"
                raise UsageError(f"--{kind} takes CREDENTIAL=PLACE", hint)
            if key in found:
                raise UsageError(f"{key} has two places", "name one")
            found[key] = place_of(kind, key, place, variables)
    return found


def place_of(
    kind: Keep, key: str, place: str, variables: Mapping[str, str]
) -> Mapping[str, Secret]:
    """The setting of a credential that is elsewhere. Raises ConfigError."""
    setting = {kind.value: Secret(place)}
    read_origin(setting, key)
    if kind is Keep.ENV and place not in variables and may_be_secret(place):
        raise ConfigError(
            f"what is named as the variable of {key} looks like a credential itself",
            "write the name of a variable; if it is one, set it first. A key that was typed "
            "here is in the shell's history now: make a new one",
        )
    return setting


def asked(
    person: Person,
    exchange: type[Exchange],
    key: str,
    question: str,
    *,
    may_be_empty: bool = False,
) -> Secret:
    """A credential that a person types; one that cannot be right is asked for again."""
    for attempt in range(1, ATTEMPTS + 1):
        secret = person.secret(question)
        if may_be_empty and not secret.reveal():
            return secret
        flaw = _flaw(exchange, key, secret)
        if flaw is None:
            return secret
        if attempt < ATTEMPTS:
            question = f"{key} {flaw}; again"
    raise ConfigError(f"{key} {flaw}", "copy it again from the exchange; nothing was changed")


def from_stdin(
    person: Person, exchange: type[Exchange], needed: list[str], optional: list[str]
) -> dict[str, Secret]:
    """One credential per line: those needed, then those optional."""
    lines = person.secrets_from_stdin()
    if not len(needed) <= len(lines) <= len(needed) + len(optional):
        order = ", ".join([*needed, *(f"{key} (optional)" for key in optional)])
        raise UsageError(
            f"standard input has {len(lines)} lines", f"one each, in this order: {order}"
        )
    secrets = dict(zip([*needed, *optional], lines, strict=False))
    for key, secret in secrets.items():
        if flaw := _flaw(exchange, key, secret):
            raise ConfigError(
                f"{key} {flaw}", "copy it again from the exchange; nothing was changed"
            )
    return secrets


def _flaw(exchange: type[Exchange], key: str, secret: Secret) -> str | None:
    """What is wrong with it, as far as that shows without asking the exchange."""
    if flaw := flaw_of(secret):
        return flaw
    if key in exchange.base64_credentials and not _is_base64(secret):
        return f"is not the base64 text that {exchange.title} gives out; some of it may be missing"
    return None


def _is_base64(secret: Secret) -> bool:
    try:
        base64.b64decode(secret.reveal(), validate=True)
    except ValueError:
        return False
    return True
