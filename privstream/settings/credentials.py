"""Where a credential comes from: the config file, a variable, a file, a command, the keyring.

The one rule: from the moment it is read a credential is a `Secret`, also while it is checked;
no message quotes it, nor what a command printed.
"""

import os
import re
import shlex
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from threading import Thread
from typing import IO, Any, ClassVar, Final, NoReturn, TypeAlias, cast

from msgspec import Struct

from privstream.exchanges.base import Exchange
from privstream.model.account import Secret
from privstream.model.errors import ConfigError
from privstream.settings import keyring_store
from privstream.settings.plain_names import quoted
from privstream.settings.private_files import OPEN_TO_OTHERS, home, read_private

SECRET_LIMIT: Final = 64 * 1024
"""Bytes of a secret file or of what a command prints."""
COMMAND_TIMEOUT: Final = 10.0
"""Seconds until a command must have ended."""
KINDS: Final = ("env", "file", "command", "keyring")
FORMS: Final = (
    'write "…", { env = "NAME" }, { file = "/PATH" }, { command = "…" } or { keyring = "NAME" }'
)
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Environment:
    """The variables of the process; they never show, and an empty one is an unset one."""

    __slots__ = ("__variables",)

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.__variables = dict(variables)

    def __contains__(self, name: str) -> bool:
        return bool(self.__variables.get(name))

    def secret(self, name: str) -> Secret:
        return Secret(self.__variables.get(name, ""))

    def reveal(self) -> dict[str, str]:
        """All of them, for a command that is started, and for folders."""
        return dict(self.__variables)

    def __repr__(self) -> str:
        return "Environment(****)"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("an Environment is not pickled")


class Plain(Struct, frozen=True):
    """Written into the config file as it is."""

    secret: Secret
    kind: ClassVar = "plain"

    def fetch(self, _whose: str, _environment: Environment) -> Secret:
        return self.secret


class FromVariable(Struct, frozen=True):
    """In a variable of the environment."""

    name: str
    kind: ClassVar = "env"

    def fetch(self, whose: str, environment: Environment) -> Secret:
        if self.name not in environment:
            raise ConfigError(
                f"{whose} comes from the environment variable {self.name}, which is not set",
                f"set {self.name}",
            )
        return environment.secret(self.name)


class FromFile(Struct, frozen=True):
    """Alone in a file of mode 0600 or stricter."""

    path: str
    kind: ClassVar = "file"

    def fetch(self, whose: str, environment: Environment) -> Secret:
        path = Path(self.path)
        if self.path.startswith("~/"):
            path = home(environment.reveal()) / self.path.removeprefix("~/")
        try:
            content = read_private(
                path,
                f"{whose}: the file",
                limit=SECRET_LIMIT,
                forbidden=_forbidden_bits(path, environment),
            )
        except FileNotFoundError:
            raise ConfigError(f"{whose}: there is no file {path}") from None
        return without_newline(content.text)


def _forbidden_bits(path: Path, environment: Environment) -> int:
    """What systemd hands over has an ACL for the service, whose mask shows as the group's right."""
    given = environment.reveal().get("CREDENTIALS_DIRECTORY")
    return OPEN_TO_ALL if given and path.parent == Path(given) else OPEN_TO_OTHERS


OPEN_TO_ALL: Final = 0o037


class FromCommand(Struct, frozen=True):
    """What a command prints; it is started without a shell."""

    arguments: tuple[str, ...]
    kind: ClassVar = "command"

    def __repr__(self) -> str:
        # Some write the secret itself into the command.
        return "FromCommand(****)"

    def fetch(self, whose: str, environment: Environment) -> Secret:
        return without_newline(output_of(self.arguments, whose, environment))


class FromKeyring(Struct, frozen=True):
    """In the keyring of the system."""

    entry: str
    kind: ClassVar = "keyring"

    def fetch(self, whose: str, environment: Environment) -> Secret:
        return keyring_store.fetch(self.entry, whose, environment.reveal())


Origin: TypeAlias = Plain | FromVariable | FromFile | FromCommand | FromKeyring


def resolve(origin: Origin, whose: str, environment: Environment) -> Secret:
    """Fetch a credential and check that it can be one. Raises ConfigError, naming `whose`."""
    secret = origin.fetch(whose, environment)
    if flaw := flaw_of(secret):
        source = f" (from {origin.name})" if isinstance(origin, FromVariable) else ""
        raise ConfigError(f"{whose}{source} {flaw}", "copy it again from the exchange")
    return secret


def flaw_of(secret: Secret) -> str | None:
    """What is wrong with it; a line break would add headers of its own to a request."""
    if not secret.reveal().strip():
        return "is empty"
    if not secret.reveal().isprintable():
        return "holds a line break or another invisible character"
    if not secret.reveal().isascii():
        return "holds a character that is not ASCII"
    return None


def without_newline(secret: Secret) -> Secret:
    """Without the one line break that editors and commands put at the end."""
    return Secret(secret.reveal().removesuffix("\n").removesuffix("\r"))


# --- the environment -------------------------------------------------------------------


def variables_of(exchange: type[Exchange], prefix: str) -> dict[str, str]:
    """The variables that make an account, by credential."""
    return {key: f"{prefix}_{key.upper()}" for key in exchange.credentials}


def prefixes_in_use(exchange: type[Exchange], environment: Environment) -> tuple[str, ...]:
    """The prefixes under which the environment holds any credential that is needed."""
    prefixes = (exchange.name.upper(), *(p.rstrip("_") for p in exchange.env_prefixes))
    return tuple(
        prefix
        for prefix in prefixes
        if any(name in environment for name in variables_of(exchange, prefix).values())
    )


def from_environment(exchange: type[Exchange], environment: Environment) -> dict[str, Origin]:
    """All credentials under one prefix: halves of two pairs are never put together."""
    prefix = next(iter(prefixes_in_use(exchange, environment)), exchange.name.upper())
    optional = {key: f"{prefix}_{key.upper()}" for key in exchange.optional_credentials}
    found = {key: name for key, name in optional.items() if name in environment}
    names = variables_of(exchange, prefix) | found
    return {key: FromVariable(name) for key, name in names.items()}


# --- reading the setting ---------------------------------------------------------------


def read_origin(value: Any, whose: str) -> Origin:
    """A credential's setting, its texts already `Secret`. Raises ConfigError, naming `whose`."""
    if isinstance(value, Secret):
        return Plain(value)
    if not isinstance(value, dict):
        raise ConfigError(f"{whose} must be text or a table", FORMS)
    if unknown := [key for key in value if key not in KINDS]:
        raise ConfigError(f"{whose} has no setting {quoted(unknown[0])}", _meant(unknown[0]))
    if len(value) != 1:
        raise ConfigError(f"{whose} must name exactly one of {', '.join(KINDS)}", FORMS)
    [(kind, setting)] = value.items()
    if kind == "command":
        return FromCommand(_read_arguments(setting, whose))
    if not (isinstance(setting, Secret) and setting.reveal() and setting.reveal().isprintable()):
        raise ConfigError(f"{whose}: {kind} must be a text without invisible characters", FORMS)
    return _read_place(kind, setting.reveal(), whose)


def _meant(word: str) -> str:
    """How it may have been meant, and what there is."""
    nearest = get_close_matches(word.lower(), KINDS, n=1)
    if not nearest and word.lower().startswith("env"):
        nearest = ["env"]
    return f"did you mean {nearest[0]}? {FORMS}" if nearest else FORMS


def _read_place(kind: str, place: str, whose: str) -> Origin:
    if kind == "keyring":
        return FromKeyring(place)
    if kind == "file":
        # A relative path would mean another file in every folder.
        if not place.startswith(("/", "~/")):
            raise ConfigError(f"{whose}: file must be a path that begins with / or ~/")
        return FromFile(place)
    # Whoever wrote the secret itself here must not read it in a message.
    if not _VARIABLE.fullmatch(place):
        raise ConfigError(f"{whose}: env must be the name of an environment variable", FORMS)
    return FromVariable(place)


def _read_arguments(setting: Any, whose: str) -> tuple[str, ...]:
    try:
        arguments = (
            shlex.split(setting.reveal())
            if isinstance(setting, Secret)
            else [part.reveal() for part in setting]
        )
    except (ValueError, TypeError, AttributeError):
        arguments = []
    if not arguments or not arguments[0] or "\0" in "".join(arguments):
        raise ConfigError(
            f"{whose}: command must be a command line or a list of its words",
            "there is no shell: quote a word that has spaces in it",
        )
    return tuple(arguments)


# --- commands --------------------------------------------------------------------------


def output_of(arguments: tuple[str, ...], whose: str, environment: Environment) -> Secret:
    """What a command prints on stdout. What it says on stderr is never shown: it may be a secret."""
    try:
        process = subprocess.Popen(  # noqa: S603 - the user's own command, without a shell
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment.reveal(),
            start_new_session=True,  # its own process group, to be ended as a whole
        )
    except OSError as problem:
        reason = problem.strerror
    else:
        return _finished(process, whose)
    raise ConfigError(f"{whose}: the command cannot be started: {reason}")


def _finished(process: subprocess.Popen[bytes], whose: str) -> Secret:
    printed: list[Secret] = []
    # A thread, because reading and then waiting for the end share one time limit.
    reader = Thread(target=_collect, args=(process, printed), daemon=True)
    reader.start()
    try:
        reader.join(COMMAND_TIMEOUT)
    finally:
        late = reader.is_alive()
        if late:
            _end_group(process)
            reader.join(1.0)
    if late:
        raise ConfigError(f"{whose}: the command took longer than {COMMAND_TIMEOUT:g} s")
    if len(printed[0].reveal()) > SECRET_LIMIT:
        raise ConfigError(f"{whose}: the command printed more than {SECRET_LIMIT} bytes")
    if process.returncode:
        raise ConfigError(
            f"{whose}: the command failed with exit code {process.returncode}",
            "run it by hand to see why",
        )
    return printed[0]


def _collect(process: subprocess.Popen[bytes], printed: list[Secret]) -> None:
    """Read all that it prints, up to the limit, and wait for its end. Runs in its own thread."""
    with cast("IO[bytes]", process.stdout) as pipe:
        # Latin-1 takes every byte; what is not ASCII is refused by the check of the secret.
        printed.append(Secret(pipe.read(SECRET_LIMIT + 1).decode("latin-1")))
    # One that still prints gets SIGPIPE now.
    process.wait()


def _end_group(process: subprocess.Popen[bytes]) -> None:
    # Gone already, or (behind sudo) not ours to end.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
