"""Whether the folders of state and cache, and the files in them, are the owner's alone.

The one rule: nothing is made and nothing is changed; a folder that is not there yet is well.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from shlex import quote

from privstream.doctor.findings import Finding, failed, passed, warned, wrong
from privstream.model.errors import ConfigError
from privstream.settings.private_files import OPEN_TO_OTHERS, base_folder, private_folder

FOLDERS = {
    "state": ("XDG_STATE_HOME", ".local/state"),
    "cache": ("XDG_CACHE_HOME", ".cache"),
}
OURS_ALONE = "make it yours alone: chmod 700"


def folder_of(kind: str, environ: Mapping[str, str]) -> Path:
    """Where it is or would be."""
    return base_folder(environ, *FOLDERS[kind]) / "privstream"


def examine_folders(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Both folders, and every file in them that is not as it should be."""
    for kind in FOLDERS:
        check = f"{kind}_folder"
        try:
            yield from _examine(check, f"the {kind} folder", folder_of(kind, environ))
        except ConfigError as problem:
            yield failed(check, problem, "make it a folder of yours with mode 0700")
        except OSError as problem:
            text = f"the {kind} folder cannot be looked at: {problem.strerror}"
            yield wrong(check, text, "see that its parent folders are yours to enter")


def _examine(check: str, what: str, path: Path) -> Iterator[Finding]:
    if not path.exists() and not path.is_symlink():
        yield _would_be(check, what, path)
        return
    private_folder(path, what)
    flaws = list(_flaws(check, what, path))
    yield from flaws
    if not flaws:
        count = sum(1 for found in path.rglob("*") if found.is_file())
        yield passed(check, f"{what} {path} and its {_files(count)} are yours alone")


def _would_be(check: str, what: str, path: Path) -> Finding:
    parent = next(folder for folder in path.parents if folder.exists())
    if os.access(parent, os.W_OK | os.X_OK):
        return passed(check, f"{what} {path} is not there yet; it is made when it is needed")
    variable, _ = FOLDERS[check.removesuffix("_folder")]
    hint = f"let yourself write to {quote(str(parent))}, or set {variable} to a folder of yours"
    return wrong(check, f"{what} {path} cannot be made: {parent} is not writable", hint)


def _files(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'}"


def _flaws(check: str, what: str, path: Path) -> Iterator[Finding]:
    if not os.access(path, os.W_OK | os.X_OK):
        yield wrong(check, f"{what} {path} is not writable", f"chmod 700 {quote(str(path))}")
        return
    for folder in (path, *(found for found in path.rglob("*") if _is_folder(found))):
        if folder.stat().st_mode & OPEN_TO_OTHERS:
            mode = stat.S_IMODE(folder.stat().st_mode)
            text = f"{what} {folder} is open to others (mode {mode:04o})"
            yield warned(check, text, f"{OURS_ALONE} {quote(str(folder))}")
    for file in path.rglob("*"):
        if not _is_folder(file):
            yield from _flaws_of_file(check, file)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _flaws_of_file(check: str, path: Path) -> Iterator[Finding]:
    status = path.lstat()
    where = quote(str(path))
    if not stat.S_ISREG(status.st_mode):
        yield wrong(check, f"{path} is not a regular file", f"move it away: mv {where} ~/")
    elif status.st_uid != os.geteuid():
        yield wrong(check, f"{path} belongs to another user", f"sudo chown $(id -u) {where}")
    elif status.st_mode & OPEN_TO_OTHERS:
        text = f"{path} is open to others (mode {stat.S_IMODE(status.st_mode):04o})"
        yield wrong(check, text, f"chmod 600 {where}")
