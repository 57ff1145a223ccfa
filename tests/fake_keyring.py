"""A keyring in memory: the package `keyring` as `keyring_access` sees it, and its child in-process."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from privstream.model.account import Secret
from privstream.settings import keyring_access, keyring_store


class KeyringError(Exception):
    pass


class PasswordDeleteError(KeyringError):
    pass


class KeyringLocked(KeyringError):
    pass


class NoKeyringError(KeyringError, RuntimeError):
    pass


ERRORS = (KeyringError, PasswordDeleteError, KeyringLocked, NoKeyringError)


class Backend:
    """Keeps entries by (service, name); `refuses` is raised by every call."""

    def __init__(self, refuses: Exception | None = None, *, forgets: bool = False) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.refuses = refuses
        self.forgets = forgets

    def get_password(self, service: str, name: str) -> str | None:
        self._check()
        return self.entries.get((service, name))

    def set_password(self, service: str, name: str, secret: str) -> None:
        self._check()
        if not self.forgets:
            self.entries[service, name] = secret

    def delete_password(self, service: str, name: str) -> None:
        self._check()
        if (service, name) not in self.entries:
            raise PasswordDeleteError
        del self.entries[service, name]

    def _check(self) -> None:
        if self.refuses is not None:
            raise self.refuses


def backend_of(full_name: str, **settings: Any) -> Backend:
    """A back end whose class says it comes from elsewhere."""
    module, _, name = full_name.rpartition(".")
    kind = type(name, (Backend,), {"__module__": module})
    made: Backend = kind(**settings)
    return made


def chain(*backends: Backend) -> Any:
    """Several back ends as `keyring` chains them."""
    kind = type(
        "ChainerBackend",
        (),
        {"__module__": "keyring.backends.chainer", "backends": list(backends)},
    )
    return kind()


def install(patch: pytest.MonkeyPatch, backend: Any) -> None:
    """Let `import keyring` give this back end."""
    errors = SimpleNamespace(**{kind.__name__: kind for kind in ERRORS})
    keyring = SimpleNamespace(get_keyring=lambda: backend, errors=errors)
    patch.setitem(sys.modules, "keyring", as_module(keyring))
    patch.setitem(sys.modules, "keyring.errors", as_module(errors))


def as_module(content: SimpleNamespace) -> ModuleType:
    module = ModuleType("keyring")
    module.__dict__.update(vars(content))
    return module


def answer_here(patch: pytest.MonkeyPatch, backend: Any) -> None:
    """Ask the keyring in this process rather than in one of its own."""
    install(patch, backend)

    def ask(
        request: Mapping[str, str | Secret], _environ: Mapping[str, str], _limit: float
    ) -> dict[str, Any]:
        plain = {k: v.reveal() if isinstance(v, Secret) else v for k, v in request.items()}
        reply: dict[str, Any] = dict(keyring_access.answer(plain, ExitStack()))
        return reply | ({"secret": Secret(reply["secret"])} if "secret" in reply else {})

    @contextmanager
    def hold(
        request: Mapping[str, str | Secret], change: keyring_store.Change, *_outside: object
    ) -> Iterator[dict[str, Any]]:
        plain = {k: v.reveal() if isinstance(v, Secret) else v for k, v in request.items()}
        undoing, reply = ExitStack(), dict[str, Any]()
        try:
            if plain["do"] == "set":
                reply |= keyring_access.answer(plain, undoing)
            yield reply
        finally:
            if not change.landed:
                undoing.close()
            elif plain["do"] == "delete":
                reply |= keyring_access.answer(plain, undoing)

    patch.setattr(keyring_store, "ask", ask)
    patch.setattr(keyring_store, "hold", hold)
