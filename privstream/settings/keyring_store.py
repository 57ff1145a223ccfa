"""Credentials in the keyring of the system: fetched, kept and removed, each within seconds.

The one rule: the keyring is asked in a process of its own, which is ended when it is late. What
hangs there (D-Bus, a prompt nobody sees, a library that holds the interpreter's lock) would keep
a thread of ours from ever ending; and no third-party back end is loaded beside the secrets here.
"""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from io import BufferedReader, BufferedWriter
from pathlib import Path
from typing import Any, Final, Protocol, cast

from privstream.model.account import Secret
from privstream.model.errors import ConfigError
from privstream.settings.keyring_access import DONE, UNDO, Stamp

LIMIT: Final = 3.0
"""Seconds in which the keyring must answer."""
PATIENCE: Final = 60.0
"""Seconds for a person who is asked to unlock it."""
ELSEWHERE: Final = 'keep it as { env = "NAME" }, { file = "/PATH" } or { command = "…" } instead'
_PROGRAM: Final = ("-P", "-m", "privstream.settings.keyring_access")
"""-P: nothing is imported from the current folder."""

Request = Mapping[str, "str | Secret | Stamp"]


class Change(Protocol):
    """A change of the config file that entries belong to."""

    @property
    def path(self) -> Path:
        """The file."""

    @property
    def stamp(self) -> Stamp:
        """Of the file before the change."""

    @property
    def landed(self) -> bool:
        """The change came about."""


def fetch(entry: str, whose: str, environ: Mapping[str, str]) -> Secret:
    """An entry's secret. Raises ConfigError, naming `whose`."""
    reply = ask({"do": "get", "entry": entry}, environ, LIMIT)
    if reply["status"] != "ok":
        raise refusal(reply, whose, entry)
    secret = reply["secret"]
    return secret if isinstance(secret, Secret) else Secret("")


def find(entry: str, environ: Mapping[str, str], limit: float) -> Secret | None:
    """An entry's secret, `None` where there is no such entry. Raises ConfigError."""
    reply = ask({"do": "get", "entry": entry}, environ, limit)
    if reply["status"] == "no_entry":
        return None
    if reply["status"] != "ok":
        raise refusal(reply, f"keyring entry {entry!r}", entry)
    return reply["secret"] if isinstance(reply["secret"], Secret) else None


@contextmanager
def kept(
    entries: Mapping[str, Secret], change: Change, environ: Mapping[str, str], limit: float
) -> Iterator[None]:
    """The entries are written; where the change does not come about they hold what they held before.

    So they do where this process ends in the block, by whatever means: each entry is watched over
    by the process that wrote it. Raises ConfigError.
    """
    with ExitStack() as held:
        for entry, secret in entries.items():
            request: Request = {"do": "set", "entry": entry, "secret": secret}
            reply = held.enter_context(hold(request, change, environ, limit))
            if reply["status"] != "ok":
                raise refusal(reply, f"keyring entry {entry!r}", entry)
        yield


@contextmanager
def removed(
    entries: Collection[str], change: Change, environ: Mapping[str, str], limit: float
) -> Iterator[None]:
    """The entries are removed when the change has come about, also where this process ends then.

    Raises ConfigError, naming what is left.
    """
    with ExitStack() as held:
        replies = {
            entry: held.enter_context(
                hold({"do": "delete", "entry": entry}, change, environ, limit)
            )
            for entry in entries
        }
        yield
    left = [entry for entry in entries if replies[entry]["status"] not in {"ok", "no_entry"}]
    if left:
        problem = refusal(replies[left[0]], f"keyring entry {left[0]!r}", left[0])
        problem.message += f"; the config file is changed, but left there: {', '.join(left)}"
        raise problem


def refusal(reply: Mapping[str, Any], whose: str, entry: str) -> ConfigError:
    """Why the keyring gave or took nothing, and what to do about it."""
    sentence, hint = _SENTENCES.get(reply["status"], _SENTENCES["failed"])
    told = {"entry": entry, "limit": LIMIT, **reply}
    return ConfigError(f"{whose}: {sentence.format(**told)}", hint)


_SENTENCES: Final = {
    "no_package": (
        "the keyring needs the package `keyring`, which is not installed",
        "pip install '.[keyring]' in the folder of privstream",
    ),
    "no_backend": (
        "there is no keyring that can be used here (cron, containers and ssh often have no D-Bus)",
        ELSEWHERE,
    ),
    "insecure": (
        "the only keyring here, {backend}, keeps secrets badly protected in a file",
        ELSEWHERE,
    ),
    "locked": ("the keyring is locked", f"unlock it (log in at the desktop), or {ELSEWHERE}"),
    "no_entry": (
        "the keyring has no entry {entry!r} of service 'privstream'",
        "privstream accounts add --replace keeps it there anew",
    ),
    "not_kept": ("the keyring {backend} took the secret but did not keep it", ELSEWHERE),
    "late": (
        "the keyring did not answer within {limit:g} s; it may be waiting for somebody to unlock it",
        f"unlock it, or {ELSEWHERE}",
    ),
    "failed": (
        "the keyring cannot be used ({type})",
        f"try `keyring --list-backends`, or {ELSEWHERE}",
    ),
}


# --- the process ---------------------------------------------------------------------------


def ask(request: Request, environ: Mapping[str, str], limit: float) -> dict[str, Any]:
    """The reply to a request; `status` `late` after so many seconds. Secrets in it are `Secret`."""
    try:
        process = _started(environ)
    except OSError as problem:
        return {"status": "failed", "type": problem.strerror}
    with process:
        try:
            # No name here holds the reply before its secret is a `Secret`.
            return _read(_exchanged(process, request, limit), limit)
        finally:
            _end(process)


@contextmanager
def hold(
    request: Request, change: Change, environ: Mapping[str, str], limit: float
) -> Iterator[dict[str, Any]]:
    """Set an entry now and undo it, or delete it, at the end of the block, as the change has it.

    The reply is there at once when it is set, and after the block when it is deleted.
    """
    reply: dict[str, Any] = {}
    try:
        process = _started(environ)
    except OSError as problem:
        yield {"status": "failed", "type": problem.strerror}
        return
    with process:
        _tell(process, _encoded({**request, "file": str(change.path), "stamp": change.stamp}))
        try:
            if request["do"] == "set":
                reply |= _read(_printed(process, limit), limit)
            yield reply
        finally:
            _tell(process, DONE if change.landed else UNDO)
            if request["do"] == "delete":
                reply |= _read(_printed(process, limit), limit)
            with suppress(subprocess.TimeoutExpired):
                process.wait(limit)
            _end(process)


def _started(environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, *_PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=dict(environ),
        start_new_session=True,  # no terminal to ask on, and a group to be ended as a whole
    )


def _printed(process: subprocess.Popen[bytes], limit: float) -> Secret | None:
    """What the process printed, or `None` when it was late; it may go on."""
    stdout = cast("BufferedReader", process.stdout)
    printed = select.poll()
    printed.register(stdout, select.POLLIN)
    # It is a short line, written as a whole.
    return Secret(stdout.read().decode("latin-1")) if printed.poll(limit * 1000) else None


def _tell(process: subprocess.Popen[bytes], line: bytes) -> None:
    with suppress(BrokenPipeError):  # it has ended, and what it printed tells why
        stdin = cast("BufferedWriter", process.stdin)
        stdin.write(line + b"\n")
        stdin.flush()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End one that is late, but not one that is done: a keyring for everybody may be in its group."""
    if process.poll() is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _exchanged(process: subprocess.Popen[bytes], request: Request, limit: float) -> Secret | None:
    """What the process printed, or `None` when it was late."""
    with suppress(subprocess.TimeoutExpired):
        # Latin-1 takes every byte; the reply is ASCII.
        return Secret(process.communicate(_encoded(request), timeout=limit)[0].decode("latin-1"))
    return None


def _encoded(request: Request) -> bytes:
    plain = {k: v.reveal() if isinstance(v, Secret) else v for k, v in request.items()}
    return json.dumps(plain).encode()


def _read(printed: Secret | None, limit: float) -> dict[str, Any]:
    if printed is None:
        return {"status": "late", "limit": limit}
    try:
        reply: dict[str, Any] = json.loads(printed.reveal(), object_hook=_concealed)
    except ValueError:
        # Killed, or printing junk: the exception would hold the text.
        return {"status": "failed", "type": "no answer"}
    return reply


def _concealed(reply: dict[str, Any]) -> dict[str, Any]:
    secret = reply.get("secret")
    return {**reply, "secret": Secret(secret)} if isinstance(secret, str) else reply
