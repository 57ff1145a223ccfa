"""Adds an account: asks for what its exchange needs, and keeps it where the user wants it.

The one rule: everything is asked and checked first; then the keyring and the file change together
or not at all.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from privstream.app.credential_input import (
    EXPLAINED,
    STORED,
    Keep,
    asked,
    from_stdin,
    named_places,
    place_of,
)
from privstream.app.environment import Environment
from privstream.app.remove_account import entries_of, left_over, tell_left
from privstream.exchanges.base import Exchange
from privstream.model.account import Secret
from privstream.model.errors import ConfigError, PrivstreamError, UsageError
from privstream.model.nearest import suggestion
from privstream.outputs.console import Console
from privstream.settings import keyring_store
from privstream.settings.config import ACCOUNT_NAME, NAME_RULE, AccountSettings, Config
from privstream.settings.config_edit import Setting, current, editing
from privstream.settings.core_dumps import hide_memory
from privstream.settings.credentials import FromVariable, Origin, Plain, read_origin, variables_of
from privstream.settings.keyring_entries import entry_name
from privstream.settings.plain_names import quoted
from privstream.settings.private_files import base_folder, check_can_be_made


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked for on the command line."""

    name: str
    exchange: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    keep: Keep | None = None
    places: Mapping[Keep, list[str]] = field(default_factory=dict)
    """By kind (env, file, command): CREDENTIAL=PLACE."""
    from_stdin: bool = False
    read_only: bool | None = None
    replace: bool = False


@dataclass(frozen=True)
class Outline:
    """All of the new account but its credentials."""

    name: str
    exchange: type[Exchange]
    options: Mapping[str, str]
    read_only: bool
    max_order: Mapping[str, str] = field(default_factory=dict)

    def section(self, credentials: Mapping[str, Setting]) -> dict[str, Setting]:
        """What the config file is to say."""
        section: dict[str, Setting] = {}
        if self.name != self.exchange.name:
            section["exchange"] = Secret(self.exchange.name)
        section |= {key: Secret(value) for key, value in self.options.items()}
        if self.read_only:
            section["read_only"] = True
        order = (*self.exchange.credentials, *self.exchange.optional_credentials)
        return section | {key: credentials[key] for key in order if key in credentials}

    def settings(self, origins: Mapping[str, Origin]) -> AccountSettings:
        """What that must come to."""
        return AccountSettings(
            self.name, self.exchange.name, origins, self.options, self.read_only, self.max_order
        )


class Adding:
    """One account on its way into the config file."""

    def __init__(self, environment: Environment, request: Request) -> None:
        self._request = request
        self._environment = environment
        self._console = environment.console
        self._person = environment.person
        self._environ = environment.variables
        self._asks = environment.person.is_there() and not request.from_stdin
        # Somebody who is there may have to unlock it first.
        self._limit = keyring_store.PATIENCE if self._asks else keyring_store.LIMIT

    def run(self) -> Config:
        """Add it; returns what is configured then. Raises UsageError, ConfigError."""
        hide_memory()  # before anything is typed
        before = current(self._environ)
        self._check_free(before)
        if self._asks:
            self._check_places(before)
            self._tell_plan(before)
        outline = self._outline(before)
        if self._asks:
            # Before somebody goes and makes a key.
            tell_rights(outline.exchange, self._console)
        entries: dict[str, Secret] = {}
        credentials = self._credentials(outline, before, entries)
        if self._asks:
            self._try_login(outline, before, credentials, entries)
            outline = replace(outline, read_only=self._is_read_only(outline, before))
        self._land(outline, credentials, entries)
        if not self._asks:
            tell_rights(outline.exchange, self._console)
        after = current(self._environ)
        self._tell(outline, before, after)
        return after

    # --- what it is ------------------------------------------------------------------------

    def _check_free(self, config: Config) -> None:
        name = self._request.name
        if not ACCOUNT_NAME.fullmatch(name):
            # Not quoted: it may be a key that was pasted into the wrong place.
            raise ConfigError("this is no account name", NAME_RULE)
        if name in config.accounts and not self._request.replace:
            message = f"there is an account {name!r} in {config.path} already"
            raise ConfigError(message, "--replace gives it new credentials")

    def _check_places(self, config: Config) -> None:
        """Rather now than when everything has been typed."""
        check_can_be_made(config.path.parent, "the folder of the settings")
        state = base_folder(self._environ, "XDG_STATE_HOME", ".local/state")
        check_can_be_made(state / "privstream", "the state folder")

    def _outline(self, config: Config) -> Outline:
        request, old = self._request, config.accounts.get(self._request.name)
        exchange = self._exchange(config, old)
        # New credentials for an account that stays where it is: the rest of it stays too.
        kept = old if old is not None and old.exchange == exchange.name else None
        options = {**(kept.options if kept else {}), **request.options}
        _check_options(exchange, options)
        read_only = request.read_only
        if read_only is None and old is not None:
            read_only = old.read_only
        limits = old.max_order if old is not None else {}
        return Outline(request.name, exchange, options, bool(read_only), limits)

    def _exchange(self, config: Config, old: AccountSettings | None) -> type[Exchange]:
        name = self._request.exchange
        if name is None and old is not None:
            name = old.exchange
        if name is None and self._request.name in config.known:
            name = self._request.name
        if name is None:
            if not self._asks:
                hint = f"--exchange with one of: {', '.join(config.known)}"
                raise UsageError("which exchange is it on?", hint)
            name = self._person.choice("Exchange", config.known, "")
        if name not in config.known:
            shown = quoted(name, "of this name")
            raise ConfigError(f"there is no exchange {shown}", suggestion(name, config.known))
        return config.find(name)

    # --- its credentials -------------------------------------------------------------------

    def _credentials(
        self, outline: Outline, config: Config, entries: dict[str, Secret]
    ) -> dict[str, Setting]:
        """The settings of all credentials; what goes into the keyring is put into `entries`."""
        exchange = outline.exchange
        found: dict[str, Setting] = dict(
            named_places(exchange, self._request.places, self._environ)
        )
        missing = [key for key in exchange.credentials if key not in found]
        if not missing:
            self._refuse_needless()
            return found
        keep = self._keep(missing, config)
        if keep not in STORED:
            if self._request.from_stdin:
                raise UsageError(
                    f"--from-stdin brings credentials, and --keep {keep} keeps none",
                    "--keep keyring or --keep config",
                )
            return found | self._places(exchange, keep, missing)
        if keep is Keep.KEYRING:
            # Rather now than when everything has been typed.
            keyring_store.find(
                entry_name(outline.name, missing[0], config.path), self._environ, self._limit
            )
        optional = [key for key in exchange.optional_credentials if key not in found]
        for key, secret in self._secrets(exchange, missing, optional).items():
            entry = entry_name(outline.name, key, config.path)
            if keep is Keep.KEYRING:
                entries[entry] = secret
            found[key] = {"keyring": Secret(entry)} if keep is Keep.KEYRING else secret
        return found

    def _refuse_needless(self) -> None:
        for given, option in (
            (self._request.keep, "--keep"),
            (self._request.from_stdin, "--from-stdin"),
        ):
            if given:
                raise UsageError(
                    f"{option}: nothing is left to keep", "every credential has a place"
                )

    def _keep(self, missing: list[str], config: Config) -> Keep:
        if self._request.keep is not None:
            return self._request.keep
        if not self._asks:
            raise UsageError(
                f"where are {' and '.join(missing)} kept?",
                f"--keep with one of: {', '.join(Keep)}",
            )
        self._console.say(f"where to keep {' and '.join(missing)} (config file: {config.path}):")
        for kind, what in EXPLAINED.items():
            self._console.say(f"  {kind:8} {what}")
        default = Keep.KEYRING if self._has_keyring() else Keep.CONFIG
        return Keep(self._person.choice("Keep in", tuple(Keep), default))

    def _has_keyring(self) -> bool:
        with suppress(ConfigError):
            keyring_store.find("probe", self._environ, keyring_store.LIMIT)
            return True
        return False

    def _places(
        self, exchange: type[Exchange], keep: Keep, missing: list[str]
    ) -> dict[str, Setting]:
        """Where credentials are that we do not keep."""
        usual = variables_of(exchange, exchange.name.upper()) if keep is Keep.ENV else {}
        if not self._asks:
            if keep is not Keep.ENV:
                example = f"--{keep} {missing[0]}=…"
                raise UsageError(f"--keep {keep}: which {keep} has {missing[0]}?", example)
            return {key: place_of(keep, key, usual[key], self._environ) for key in missing}
        return {
            key: place_of(
                keep,
                key,
                self._person.line(f"{keep} of {key}", usual.get(key, "")),
                self._environ,
            )
            for key in missing
        }

    def _secrets(
        self, exchange: type[Exchange], needed: list[str], optional: list[str]
    ) -> dict[str, Secret]:
        if self._request.from_stdin:
            return from_stdin(self._person, exchange, needed, optional)
        if not self._asks:
            raise UsageError(
                f"there is no terminal to ask for {' and '.join(needed)} on",
                "--from-stdin reads them, one per line; or name where they are with --env, "
                "--file or --command",
            )
        secrets = {key: asked(self._person, exchange, key, key) for key in needed}
        for key in optional:
            secret = asked(
                self._person,
                exchange,
                key,
                f"{key}, only if this key has one (Enter: none)",
                may_be_empty=True,
            )
            if secret.reveal():
                secrets[key] = secret
        return secrets

    # --- whether it works ------------------------------------------------------------------

    def _try_login(
        self,
        outline: Outline,
        config: Config,
        credentials: Mapping[str, Setting],
        entries: Mapping[str, Secret],
    ) -> None:
        """Log in with it before anything is kept, if that is wanted."""
        from privstream.app.try_login import account_of, try_login  # noqa: PLC0415 - only here

        say = self._console.say
        try:
            account = account_of(outline.settings(_tried(credentials, entries)), config)
        except ConfigError as problem:
            say(f"the login cannot be tried yet: {problem.message}")
            return
        if not self._person.yes("Try the login now?", default=True):
            return
        try:
            try_login(self._environment, account)
        except PrivstreamError as problem:
            say(f"the login did not work: {problem.message}")
            if not self._person.yes("Keep the account all the same?", default=False):
                problem.message = "nothing was changed, since the login did not work"
                raise
        else:
            say("the login works; it is logged out again")

    def _is_read_only(self, outline: Outline, config: Config) -> bool:
        if self._request.read_only is not None or outline.name in config.accounts:
            return outline.read_only
        return self._person.yes("Only watch: refuse to place orders with it?", default=True)

    # --- the change ------------------------------------------------------------------------

    def _land(
        self, outline: Outline, credentials: Mapping[str, Setting], entries: Mapping[str, Secret]
    ) -> None:
        origins = {key: read_origin(value, key) for key, value in credentials.items()}
        with editing(self._environ) as edit:
            self._check_free(edit.config)
            old = edit.config.accounts.get(outline.name)
            section = outline.section(credentials)
            if old is not None and old.exchange != outline.exchange.name:
                section["exchange"] = Secret(outline.exchange.name)
            edit.put(outline.settings(origins), section)
            used = {**edit.config.accounts, outline.name: outline.settings(origins)}
            own, others = left_over(old, used, edit.config.path)
            with (
                keyring_store.removed(own, edit, self._environ, self._limit),
                keyring_store.kept(entries, edit, self._environ, self._limit),
            ):
                closed = edit.land()
        if closed:
            say = self._console.say
            say(f"{edit.config.path} is now of mode 0600, since it holds a secret")
        tell_left(others, self._console)

    # --- what is said ----------------------------------------------------------------------

    def _tell_plan(self, config: Config) -> None:
        self._console.say(
            f"account {self._request.name} goes into {config.path}: you are asked for its key and "
            "where to keep it, and may try the login; nothing is changed before the last answer"
        )

    def _tell(self, outline: Outline, before: Config, after: Config) -> None:
        say, name = self._console.say, outline.name
        say(f"account {name} ({outline.exchange.title}) is in {after.path}")
        if entries := entries_of(after.accounts[name]):
            say(f"in the keyring, for the service privstream: {', '.join(sorted(entries))}")
        origins = after.accounts[name].credentials.values()
        variables = [o.name for o in origins if isinstance(o, FromVariable)]
        if unset := [variable for variable in variables if variable not in after.environment]:
            say(f"still to be set where privstream runs: {', '.join(unset)}")
        for other in sharing(after, name):
            say(f"warning: account {other} takes a credential from the same place")
        if lost := [n for n in before.names() if n not in after.names()]:
            say(
                f"warning: {' and '.join(lost)} {'is' if len(lost) == 1 else 'are'} no account "
                "any more, since variables make accounts "
                f"only where the file has none; privstream accounts add {lost[0]} --keep env"
            )
        if not outline.read_only:
            say("recommended where it is only to watch: read_only = true (--read-only)")
        say(f"next: privstream doctor {name}")


def tell_rights(exchange: type[Exchange], console: Console) -> None:
    """What the key should be allowed to do, and from where."""
    title = exchange.title
    if exchange.keys_page is not None:
        console.say(f"{title}: keys are made at {exchange.keys_page}")
    if exchange.rights:
        console.say(f"{title}: to watch, the key needs these rights and no more:")
        for right in exchange.rights:
            console.say(f"  {right}")
    else:
        console.say(
            f"{title}'s documents name no rights of a key; where it offers some: only reading"
        )
    console.say("no right to trade unless you place orders with it, never one to withdraw")
    console.say("bind it to this computer's IP address where that is offered; one key per computer")


def sharing(config: Config, name: str) -> list[str]:
    """The other accounts that have a credential from the same place: one key, streamed twice."""
    own = list(config.accounts[name].credentials.values())
    return [
        other.name
        for other in config.accounts.values()
        if other.name != name and any(origin in own for origin in other.credentials.values())
    ]


def _tried(credentials: Mapping[str, Setting], entries: Mapping[str, Secret]) -> dict[str, Origin]:
    """Where the credentials are as long as nothing is kept: what was typed is here."""
    kept = {key: _entry_of(setting) for key, setting in credentials.items()}
    return {
        key: Plain(entries[kept[key]]) if kept[key] in entries else read_origin(setting, key)
        for key, setting in credentials.items()
    }


def _entry_of(setting: Setting) -> str:
    return setting["keyring"].reveal() if isinstance(setting, dict) and "keyring" in setting else ""


def _check_options(exchange: type[Exchange], options: Mapping[str, str]) -> None:
    known = {option.name: option for option in exchange.options}
    for name, value in options.items():
        if name not in known:
            raise UsageError(f"{exchange.title} has no --{name}")
        if value not in known[name].choices:
            raise UsageError(f"--{name} must be {' or '.join(known[name].choices)}")
