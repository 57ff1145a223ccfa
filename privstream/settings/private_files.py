"""Files and folders that must be nobody else's: the config file, secret files, state and cache.

The one rule: what is checked is the open file itself, so that nobody can swap it in between.
"""

import errno
import os
import pwd
import stat
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import Final, NamedTuple

from privstream.model.account import Secret
from privstream.model.errors import ConfigError

WRITABLE_BY_OTHERS: Final = 0o022
OPEN_TO_OTHERS: Final = 0o077


class Content(NamedTuple):
    """What a file holds, and the mode it had when it was read."""

    text: Secret
    mode: int


def read_private(path: Path, what: str, *, limit: int, forbidden: int) -> Content:
    """The text of a file that only its owner can have written.

    `what` is how messages call it, `forbidden` the mode bits that it must not have.
    Raises FileNotFoundError, and ConfigError for everything else.
    """
    # O_NONBLOCK: opening a FIFO without a writer would wait for ever.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        raise
    except OSError as problem:
        raise _cannot_open(problem, path, what) from None
    try:
        status = os.fstat(descriptor)
        check_file(status, path, what, forbidden)
        check_folder_of(path, what)
        with open(descriptor, "rb", closefd=False) as file:
            text = _decoded(file.read(limit))
            if file.read(1):
                raise ConfigError(f"{what} {path} is larger than {limit} bytes")
    except OSError as problem:
        raise _cannot_open(problem, path, what) from None
    finally:
        os.close(descriptor)
    if text is None:
        raise ConfigError(f"{what} {path} is not UTF-8 text")
    return Content(text, status.st_mode)


def check_file(status: os.stat_result, path: Path, what: str, forbidden: int) -> None:
    """Raise ConfigError unless it is a regular file of ours without the forbidden bits."""
    if not stat.S_ISREG(status.st_mode):
        raise ConfigError(f"{what} {path} is not a regular file")
    if status.st_uid not in {os.geteuid(), 0}:
        raise ConfigError(
            f"{what} {path} belongs to another user",
            f"make it yours: chown $(id -u) {quote(str(path))}",
        )
    check_mode(status.st_mode, path, what, forbidden)


def check_mode(mode: int, path: Path, what: str, forbidden: int) -> None:
    """Raise ConfigError where the mode has a forbidden bit."""
    if mode & forbidden:
        done = "written" if mode & forbidden & WRITABLE_BY_OTHERS else "read"
        bits = f"mode {stat.S_IMODE(mode):04o}"
        raise ConfigError(
            f"{what} {path} can be {done} by others ({bits})", f"chmod 600 {quote(str(path))}"
        )


def check_folder_of(path: Path, what: str) -> None:
    """Raise ConfigError where anybody may replace what lies in the folder."""
    mode = path.parent.stat().st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise ConfigError(
            f"{what} {path} lies in a folder that everybody can write to",
            f"chmod o-w {quote(str(path.parent))}",
        )


def _decoded(content: bytes) -> Secret | None:
    # The caller raises: a UnicodeDecodeError, and this frame, hold the bytes.
    try:
        return Secret(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return None


def _cannot_open(problem: OSError, path: Path, what: str) -> ConfigError:
    if problem.errno == errno.ELOOP:
        return ConfigError(f"{what} {path} is a symbolic link", "name the file that it leads to")
    return ConfigError(f"{what} {path} cannot be read: {problem.strerror}")


# --- folders ---------------------------------------------------------------------------


def home(environ: Mapping[str, str]) -> Path:
    """The home folder: $HOME, else what the system knows of the user."""
    folder = Path(environ.get("HOME", ""))
    if folder.is_absolute():
        return folder
    try:
        return Path(pwd.getpwuid(os.geteuid()).pw_dir)
    except KeyError:
        raise ConfigError("there is no home folder for this user", "set HOME") from None


def base_folder(environ: Mapping[str, str], variable: str, default: str) -> Path:
    """An XDG base folder; a relative one is ignored, as the XDG specification says."""
    folder = Path(environ.get(variable, ""))
    return folder if folder.is_absolute() else home(environ) / default


def state_dir(environ: Mapping[str, str]) -> Path:
    """Where state is kept across runs: made with mode 0700 if need be."""
    base = base_folder(environ, "XDG_STATE_HOME", ".local/state")
    return private_folder(base / "privstream", "the state folder")


def cache_dir(environ: Mapping[str, str]) -> Path:
    """Where tokens are kept: made with mode 0700 if need be."""
    base = base_folder(environ, "XDG_CACHE_HOME", ".cache")
    return private_folder(base / "privstream", "the cache folder")


def check_can_be_made(path: Path, what: str) -> None:
    """Raise ConfigError where a folder can neither be made nor written in."""
    there = next(one for one in (path, *path.parents) if os.path.exists(one))  # noqa: PTH110 - it raises nothing
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        why = "is no folder" if not there.is_dir() else "cannot be written"
        raise ConfigError(f"{what} {path} cannot be made: {there} {why}")


def private_folder(path: Path, what: str) -> Path:
    """Make the folder and its missing parents with mode 0700; refuse one that is not ours alone."""
    try:
        for missing in reversed(
            [folder for folder in (path, *path.parents) if not folder.exists()]
        ):
            # Path.mkdir(parents=True) would give the parents the default mode.
            missing.mkdir(mode=0o700, exist_ok=True)
        status = path.lstat()
        check_folder_of(path, what)
    except OSError as problem:
        raise ConfigError(f"{what} {path} cannot be made: {problem.strerror}") from None
    if not stat.S_ISDIR(status.st_mode):
        raise ConfigError(f"{what} {path} is not a folder")
    if status.st_uid != os.geteuid():
        raise ConfigError(f"{what} {path} belongs to another user")
    if status.st_mode & WRITABLE_BY_OTHERS:
        raise ConfigError(
            f"{what} {path} can be written by others", f"chmod 700 {quote(str(path))}"
        )
    return path
