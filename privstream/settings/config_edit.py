"""Changes to the config file that leave what the user wrote as it is.

The one rule: a changed file takes the old one's place whole, after it was read back from the disk
through the checks of `config` and found to differ in the one account and in nothing else; until
then the old file is untouched, and what is written is never anybody else's to read.
"""

import errno
import fcntl
import os
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

import tomlkit
from tomlkit.exceptions import TOMLKitError

from privstream import exchanges
from privstream.model.account import Secret
from privstream.model.errors import ConfigError, OutputFailed, PrivstreamError
from privstream.settings.config import FILE_LIMIT, AccountSettings, Config, config_path, load
from privstream.settings.credentials import Environment, Plain
from privstream.settings.keyring_access import Stamp, stamp_of
from privstream.settings.private_files import (
    OPEN_TO_OTHERS,
    WRITABLE_BY_OTHERS,
    check_folder_of,
    private_folder,
    read_private,
    state_dir,
)

WHAT: Final = "the config file"
DISK_FAULTS: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
LOCK_POLL: Final = 0.05
LOCK_TRIES: Final = 200
"""Ten seconds: an edit takes milliseconds, and a few seconds with a slow keyring."""
_BY_HAND: Final = "nothing was changed; edit the file by hand"
# What tomlkit raises; some of it for files that are written in a rare way.
_CANNOT_EDIT: Final = (TOMLKitError, LookupError, TypeError, ValueError, AttributeError)

Setting: TypeAlias = Secret | bool | Mapping[str, Secret]
"""A text, true or false, or where a credential is: `{"env": Secret("NAME")}`."""


class _Before(NamedTuple):
    """The file as it was read."""

    text: Secret
    mode: int
    """Its permissions."""
    stamp: Stamp
    """Tells one version of a file from another; `None` where there is no file."""


class Edit:
    """One change to the config file, alone at it. Use `editing` to get one."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.config = current(environ)
        """What is configured before the change."""
        self.path = self.config.path
        self._new = self.path.with_name(f".{self.path.name}.new")
        self._before = _read(self.path)
        self.stamp = self._before.stamp
        self._mode = self._before.mode
        self.landed = False
        """Whether the new file has taken the old one's place."""

    def put(self, account: AccountSettings, section: Mapping[str, Setting]) -> None:
        """Write an account's section, or change the one that stands. Raises ConfigError.

        `account` is what the section must come to, for the check.
        """
        lines = {key: _rendered(setting) for key, setting in section.items()}
        text = self._before.text
        if account.name in self.config.accounts:
            changed = _replaced(text, account.name, lines)
        else:
            changed = _appended(text, account.name, lines)
        self._prepare(changed, {**self.config.accounts, account.name: account})

    def remove(self, name: str) -> None:
        """Take an account's section out. Raises ConfigError."""
        left = {key: value for key, value in self.config.accounts.items() if key != name}
        self._prepare(_removed(self._before.text, name), left)

    def land(self) -> bool:
        """Let the new file take the old one's place; whether others can read it no more."""
        try:
            if stamp_of(str(self.path)) != self._before.stamp:
                raise ConfigError(
                    f"{WHAT} {self.path} was changed by somebody else just now",
                    "nothing was written; try again",
                )
            self._new.replace(self.path)
            self.landed = True
        except OSError as problem:
            raise self._cannot_write(problem) from None
        # It is there; a folder that cannot be synced changes nothing about that.
        with suppress(OSError):
            _sync_folder(self.path.parent)
        return self._mode != self._before.mode

    def discard(self) -> None:
        """Remove what did not land."""
        with suppress(FileNotFoundError):
            self._new.unlink()

    def _prepare(self, changed: Secret | None, wanted: Mapping[str, AccountSettings]) -> None:
        if changed is None:
            raise ConfigError(
                f"{WHAT} {self.path} is written in a way that I do not edit", _BY_HAND
            )
        if holds_secret(wanted):
            self._mode &= ~OPEN_TO_OTHERS
        try:
            if self.path.parent.exists():
                check_folder_of(self.path, WHAT)
            else:
                private_folder(self.path.parent, "the config folder")
            _write(self._new, changed, self._mode)
        except OSError as problem:
            raise self._cannot_write(problem) from None
        self._check(wanted)

    def _check(self, wanted: Mapping[str, AccountSettings]) -> None:
        """What is on the disk now means what it should. Raises ConfigError."""
        config = self.config
        environ = {**self._environ, "PRIVSTREAM_CONFIG": str(self._new)}
        try:
            found = load(environ, find=config.find, names=lambda: config.known)
        except ConfigError:
            found = None
        if found is None or (found.accounts, found.endpoints) != (wanted, config.endpoints):
            message = f"{WHAT} {self.path} is written in a way that does not allow this change"
            raise ConfigError(message, _BY_HAND)

    def _cannot_write(self, problem: OSError) -> PrivstreamError:
        said = f"{WHAT} {self.path} cannot be written: {problem.strerror}"
        if problem.errno in DISK_FAULTS:  # no matter of configuration
            return OutputFailed(said, "make room there, and try again; nothing was changed")
        return ConfigError(said)


def current(environ: Mapping[str, str]) -> Config:
    """What is configured, also where PRIVSTREAM_CONFIG names a file that is yet to be made."""
    path = config_path(environ)
    if stamp_of(str(path)) is not None:
        return load(environ)
    return Config(path, False, {}, {}, Environment(environ), exchanges.find, exchanges.names())


def holds_secret(accounts: Mapping[str, AccountSettings]) -> bool:
    """Whether any credential is in the file itself."""
    return any(
        isinstance(origin, Plain)
        for settings in accounts.values()
        for origin in settings.credentials.values()
    )


@contextmanager
def editing(environ: Mapping[str, str]) -> Iterator[Edit]:
    """Alone at the config file while the block runs. Raises ConfigError."""
    lock = _locked(state_dir(environ) / "config.lock")
    try:
        edit = Edit(environ)
        try:
            yield edit
        finally:
            edit.discard()
    finally:
        os.close(lock)


# --- files ---------------------------------------------------------------------------------


def _locked(path: Path) -> int:
    # Not the config file itself: it is replaced, and its next owner would lock another one.
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        lock = os.open(path, flags, 0o600)
        for _ in range(LOCK_TRIES):
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return lock
            threading.Event().wait(LOCK_POLL)
    except OSError as problem:
        raise ConfigError(f"cannot lock {path}: {problem.strerror}") from None
    os.close(lock)
    raise ConfigError(
        f"another privstream is at {WHAT}", "wait for it to finish; it may be asking a keyring"
    )


def _read(path: Path) -> _Before:
    stamp = stamp_of(str(path))
    if stamp is None:
        return _Before(Secret(""), 0o600, None)
    if path.lstat().st_uid != os.geteuid():
        # It can be read when it is root's; replacing it would make it ours.
        raise ConfigError(f"{WHAT} {path} belongs to another user", "edit it as that user")
    content = read_private(path, WHAT, limit=FILE_LIMIT, forbidden=WRITABLE_BY_OTHERS)
    return _Before(content.text, stat.S_IMODE(content.mode), stamp)


def _write(path: Path, text: Secret, mode: int) -> None:
    """A new file, of mode 0600 until it is whole and on the disk."""
    # What a run that was killed has left; nobody else is at it, since we hold the lock.
    with suppress(FileNotFoundError):
        path.unlink()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(text.reveal().encode())
        file.flush()
        os.fsync(file.fileno())
        os.fchmod(file.fileno(), mode)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# --- text ----------------------------------------------------------------------------------


def _rendered(setting: Setting) -> Secret:
    """A setting as the file has it."""
    if isinstance(setting, bool):
        return Secret("true" if setting else "false")
    if isinstance(setting, Secret):
        return Secret(tomlkit.string(setting.reveal()).as_string())
    [(kind, place)] = setting.items()
    return Secret(f"{{ {kind} = {tomlkit.string(place.reveal()).as_string()} }}")


def _lines(settings: Mapping[str, Secret], newline: str) -> Secret:
    return Secret("".join(f"{key} = {text.reveal()}{newline}" for key, text in settings.items()))


def _newline(text: Secret) -> str:
    return "\r\n" if "\r\n" in text.reveal() else "\n"


def _appended(text: Secret, name: str, settings: Mapping[str, Secret]) -> Secret:
    """With a new section at the end: so every byte before it stays."""
    newline = _newline(text)
    gap = ""
    if text.reveal():
        gap = newline if text.reveal().endswith("\n") else newline * 2
    section = f"[accounts.{name}]{newline}{_lines(settings, newline).reveal()}"
    return Secret(f"{text.reveal()}{gap}{section}")


def _replaced(text: Secret, name: str, settings: Mapping[str, Secret]) -> Secret | None:
    """With other settings in a section; what it had before and keeps stays in its place."""
    old: set[str] = set()

    def change(document: tomlkit.TOMLDocument) -> None:
        section = document["accounts"][name]
        old.update(section)
        for key in [*section]:
            if key in settings:
                section[key] = tomlkit.value(settings[key].reveal())
            elif key == "read_only":
                section[key] = False
            elif key not in {"exchange", "max_order"}:
                # The first says what goes without saying, unless `settings` has another; the
                # second is about the orders and not about the key.
                section.remove(key)

    changed = _edited(text, change)
    if changed is None:
        return None
    new = {key: value for key, value in settings.items() if key not in old}
    place = _section(changed, name)
    if place is None:
        return None if new else changed
    return _with_lines(changed, place.end, _lines(new, _newline(text))) if new else changed


def _with_lines(text: Secret, at: int, lines: Secret) -> Secret:
    before, after = text.reveal()[:at], text.reveal()[at:]
    gap = "" if before.endswith("\n") else "\n"
    return Secret(f"{before}{gap}{lines.reveal()}{after}")


def _removed(text: Secret, name: str) -> Secret | None:
    """Without a section. Comments before it and after its last paragraph are somebody else's."""
    place = _section(text, name)
    if place is None:
        return None
    before, after = text.reveal()[: place.start], text.reveal()[place.end :]
    if before.endswith("\n\n") or not before:
        after = after.removeprefix("\n")
    return Secret(before + after)


class _Section(NamedTuple):
    """Where a section is in the text: its header, its settings, the comments that touch them."""

    start: int
    end: int


def _section(text: Secret, name: str) -> _Section | None:
    """Where a section is, or `None` where it is not in one piece."""

    def change(document: tomlkit.TOMLDocument) -> None:
        del document["accounts"][name]

    without = _edited(text, change)
    return None if without is None else _difference(text.reveal(), without.reveal())


def _difference(text: str, without: str) -> _Section | None:
    """What is missing in the second text, as far as it is the section's own.

    tomlkit counts all that comes before the next header as part of a section, also the comment
    that explains the next one.
    """
    length = len(text) - len(without)
    if length <= 0:
        return None
    start = next((at for at, letter in enumerate(without) if text[at] != letter), len(without))
    # The same letters may stand before it and at its end: it begins where its line does.
    while start and text[start - 1] != "\n" and text[start - 1] == text[start + length - 1]:
        start -= 1
    missing = text[start : start + length]
    if text[:start] + text[start + length :] != without:
        return None
    lines = missing.splitlines(keepends=True)
    own = _own(lines, is_last=start + length == len(text))
    return _Section(start, start + sum(map(len, lines[:own])))


def _own(lines: list[str], *, is_last: bool) -> int:
    """How many of the lines are the section's own: its settings, and comments that touch only it."""
    stripped = [line.strip() for line in lines]
    last = max((n for n, line in enumerate(stripped) if line and line[0] != "#"), default=0)
    after = stripped[last + 1 :]
    if "" in after:
        return last + 1 + after.index("")
    # A comment right before the next header is about that one.
    return len(lines) if is_last else last + 1


def _edited(text: Secret, change: Callable[[tomlkit.TOMLDocument], None]) -> Secret | None:
    """The text after a change, or `None` where it cannot be made; no exception has the text."""
    try:
        document = tomlkit.parse(text.reveal())
        change(document)
        return Secret(document.as_string())
    except _CANNOT_EDIT:
        return None
