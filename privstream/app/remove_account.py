"""Removes an account: its section of the config file, and with it its entries of the keyring.

The one rule: an entry that another account uses stays.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from privstream.app.environment import Environment
from privstream.model.errors import ConfigError, UsageError
from privstream.outputs.console import Console
from privstream.settings import keyring_store
from privstream.settings.config import AccountSettings, Config, load
from privstream.settings.config_edit import current, editing
from privstream.settings.credentials import FromKeyring, FromVariable
from privstream.settings.keyring_entries import is_own


def remove_account(environment: Environment, name: str, *, yes: bool) -> Config | None:
    """Remove an account, after asking unless `yes`; returns what was configured before.

    `None` where the person thought better of it. Raises UsageError, ConfigError.
    """
    variables, say = environment.variables, environment.console.say
    before = load(variables)
    settings = before.settings(name)
    if name not in before.accounts:
        raise _only_in_environment(settings, before)
    if not yes and not _agreed(environment, settings, before):
        say("nothing was changed")
        return None
    patient = environment.person.is_there()
    limit = keyring_store.PATIENCE if patient else keyring_store.LIMIT
    with editing(variables) as edit:
        # As it stands now, which may not be what it was when we asked.
        others = {one: it for one, it in edit.config.accounts.items() if one != name}
        own, foreign = left_over(edit.config.settings(name), others, edit.config.path)
        edit.remove(name)
        with keyring_store.removed(own, edit, variables, limit):
            edit.land()
    tell_left(foreign, environment.console)
    title = before.find(settings.exchange).title
    say(f"account {name} is removed; its key is still good until it is deleted at {title}")
    if again := set(current(variables).names()) - set(before.names()):
        say(f"accounts that variables make count again: {', '.join(sorted(again))}")
    return before


def _only_in_environment(settings: AccountSettings, config: Config) -> ConfigError:
    origins = settings.credentials.values()
    variables = ", ".join(o.name for o in origins if isinstance(o, FromVariable))
    message = f"account {settings.name!r} comes from the environment, not from {config.path}"
    return ConfigError(message, f"unset {variables}")


def _agreed(environment: Environment, settings: AccountSettings, config: Config) -> bool:
    if not environment.person.is_there():
        raise UsageError("there is no terminal to ask on", "--yes removes it without asking")
    entries = ", ".join(sorted(entries_of(settings)))
    keyring = f", and {entries} from the keyring" if entries else ""
    question = f"Remove account {settings.name} ({settings.exchange}) from {config.path}{keyring}?"
    return environment.person.yes(question, default=False)


def entries_of(settings: AccountSettings) -> set[str]:
    """The keyring entries of an account."""
    return {o.entry for o in settings.credentials.values() if isinstance(o, FromKeyring)}


def left_over(
    old: AccountSettings | None, accounts: Mapping[str, AccountSettings], path: Path
) -> tuple[list[str], list[str]]:
    """The entries of an account that none needs any more: those its file made, and the others."""
    used = set().union(*map(entries_of, accounts.values()))
    unused = sorted(entries_of(old) - used) if old is not None else []
    own = [entry for entry in unused if is_own(entry, path)]
    return own, [entry for entry in unused if entry not in own]


def tell_left(entries: Iterable[str], console: Console) -> None:
    """What is still in the keyring, since another config file, or a person, may have put it there."""
    for entry in entries:
        console.say(
            f"left in the keyring, since it may serve others: {entry} "
            f"(to remove it: keyring del privstream {entry})"
        )
