"""Reads or changes one entry of the system keyring, in a process of its own, for `keyring_store`.

The one rule: one request as a line of JSON on stdin, one reply as JSON on stdout, and a secret
nowhere else; of an exception only the name of its type is told, since a back end may quote anything.

What is set or deleted may belong to a change of the config file: whoever asked says `done` or
`undo` when that is decided. Where he is gone without a word, the file itself tells which.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from importlib import import_module
from types import TracebackType
from typing import Any, Final

from privstream.settings.core_dumps import hide_memory

SERVICE: Final = "privstream"
"""What our entries are filed under, as in `keyring get privstream NAME`."""
NO_BACKENDS: Final = ("keyring.backends.fail.", "keyring.backends.null.")
INSECURE: Final = ("keyrings.alt.", "plaintext")
"""Parts of a back end's name: it keeps secrets in a file that it does not encrypt, or badly."""

DONE: Final = b"done"
"""The word for a change that came about."""
UNDO: Final = b"undo"

Stamp = list[int] | None
Reply = dict[str, str | bool | None]
"""`status`, and by status `secret`, `backend`, `type`."""


class Unusable(Exception):
    """There is no back end that may be used; the status and the back end that may not."""

    def __init__(self, status: str, backend: str | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.backend = backend


def main() -> None:
    """Answer the request on stdin."""
    hide_memory()
    reply = os.fdopen(os.dup(1), "w", encoding="ascii")
    # A back end that prints must not print into the reply.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    def tell_type(kind: type[BaseException], *_rest: BaseException | TracebackType | None) -> None:
        reply.write(json.dumps({"status": "failed", "type": kind.__name__}))
        reply.flush()

    sys.excepthook = tell_type
    request, undoing = json.loads(sys.stdin.buffer.readline()), ExitStack()
    if request["do"] == "delete" and not _came_about(request):
        return
    answered = json.dumps(answer(request, undoing))
    with suppress(BrokenPipeError):  # whoever asked is gone
        reply.write(answered)
        reply.close()
    if request["do"] == "set" and not _came_about(request):
        undoing.close()


def _came_about(request: dict[str, Any]) -> bool:
    """Wait for the change that the request belongs to, if it belongs to one."""
    if "file" not in request:
        return True
    word = sys.stdin.buffer.readline().strip()
    return word == DONE or (word != UNDO and stamp_of(request["file"]) != request["stamp"])


def stamp_of(path: str) -> Stamp:
    """Tells one version of a file from another; `None` where there is no file."""
    with suppress(FileNotFoundError, NotADirectoryError):
        status = os.lstat(path)
        return [status.st_ino, status.st_mtime_ns, status.st_size]
    return None


def answer(request: dict[str, Any], undoing: ExitStack) -> Reply:
    """What became of a request: `do` (get, set, delete), `entry` and, to set it, `secret`.

    `undoing` gets what brings back the entry of before.
    """
    try:
        keyring, errors = import_module("keyring"), import_module("keyring.errors")
    except ModuleNotFoundError as missing:
        if missing.name != "keyring":
            raise
        return {"status": "no_package"}
    try:
        backends = usable(keyring.get_keyring())
        return _DOING[request["do"]](backends, request, errors, undoing)
    except Unusable as problem:
        return {"status": problem.status, "backend": problem.backend}
    except errors.NoKeyringError:
        return {"status": "no_backend"}
    except errors.KeyringLocked:
        return {"status": "locked"}


def usable(keyring: Any) -> list[Any]:
    """The back ends that may be used, best first. Raises Unusable where there is none.

    `keyring` chains several where there are several, and the secure one may be locked or gone
    while the next one, a plain file, takes the secret: so each is judged by itself.
    """
    is_chain = type(keyring).__module__ == "keyring.backends.chainer"
    found = list(keyring.backends) if is_chain else [keyring]
    real = [one for one in found if not _full_name(one).startswith(NO_BACKENDS)]
    if not real:
        raise Unusable("no_backend")
    secure = [one for one in real if not any(part in _full_name(one).lower() for part in INSECURE)]
    if not secure:
        raise Unusable("insecure", _full_name(real[0]))
    return secure


def _full_name(backend: Any) -> str:
    return f"{type(backend).__module__}.{type(backend).__qualname__}"


def _get(backends: list[Any], request: dict[str, str], _errors: Any, _undoing: ExitStack) -> Reply:
    for backend in backends:
        secret = backend.get_password(SERVICE, request["entry"])
        if secret is not None:
            return {"status": "ok", "secret": secret}
    return {"status": "no_entry"}


def _set(backends: list[Any], request: dict[str, str], errors: Any, undoing: ExitStack) -> Reply:
    backend, entry = backends[0], request["entry"]
    undoing.callback(_put_back, backend, entry, backend.get_password(SERVICE, entry), errors)
    backend.set_password(SERVICE, entry, request["secret"])
    # Some back ends take a secret and keep nothing; better to know now than in cron.
    if backend.get_password(SERVICE, entry) != request["secret"]:
        return {"status": "not_kept", "backend": _full_name(backend)}
    return {"status": "ok", "backend": _full_name(backend)}


def _put_back(backend: Any, entry: str, secret: str | None, errors: Any) -> None:
    if secret is None:
        list(_deleted([backend], entry, errors))
    else:
        backend.set_password(SERVICE, entry, secret)


def _delete(
    backends: list[Any], request: dict[str, str], errors: Any, _undoing: ExitStack
) -> Reply:
    deleted = list(_deleted(backends, request["entry"], errors))
    return {"status": "ok" if deleted else "no_entry"}


def _deleted(backends: list[Any], entry: str, errors: Any) -> Iterator[Any]:
    for backend in backends:
        if backend.get_password(SERVICE, entry) is None:
            continue
        try:
            backend.delete_password(SERVICE, entry)
        except errors.PasswordDeleteError:
            # Somebody else was quicker, or it may not be deleted: what is left says which.
            if backend.get_password(SERVICE, entry) is not None:
                raise
        yield backend


_DOING = {"get": _get, "set": _set, "delete": _delete}

if __name__ == "__main__":
    main()
