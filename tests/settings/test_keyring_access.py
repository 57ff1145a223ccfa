"""What is asked of the package `keyring`, and which of its back ends are let near a secret."""

import sys
from contextlib import ExitStack
from typing import Any

import pytest

from privstream.settings import keyring_access
from privstream.settings.keyring_access import answer
from tests.fake_keyring import (
    Backend,
    KeyringLocked,
    NoKeyringError,
    backend_of,
    chain,
    install,
)

CANARY = "PSCANARY00112233445566778899aabbccdd"
SECRET_SERVICE = "keyring.backends.SecretService.Keyring"
PLAINTEXT = "keyrings.alt.file.PlaintextKeyring"


def asked(patch: pytest.MonkeyPatch, backend: Any, do: str, **more: str) -> dict[str, Any]:
    install(patch, backend)
    return answer({"do": do, "entry": "desk-api_key", **more}, ExitStack())


def test_an_entry_is_kept_fetched_and_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = backend_of(SECRET_SERVICE)
    assert asked(monkeypatch, backend, "get") == {"status": "no_entry"}
    assert asked(monkeypatch, backend, "set", secret=CANARY)["status"] == "ok"
    assert backend.entries == {("privstream", "desk-api_key"): CANARY}
    assert asked(monkeypatch, backend, "get") == {"status": "ok", "secret": CANARY}
    assert asked(monkeypatch, backend, "delete") == {"status": "ok"}
    assert asked(monkeypatch, backend, "delete") == {"status": "no_entry"}
    assert not backend.entries


def test_a_missing_package_is_told_from_one_that_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert answer({"do": "get", "entry": "x"}, ExitStack()) == {"status": "no_package"}

    def broken(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named 'jaraco' in {name}", name="jaraco")

    monkeypatch.setattr("privstream.settings.keyring_access.import_module", broken)
    with pytest.raises(ModuleNotFoundError):
        answer({"do": "get", "entry": "x"}, ExitStack())


@pytest.mark.parametrize("name", ["keyring.backends.fail.Keyring", "keyring.backends.null.Keyring"])
def test_a_back_end_that_keeps_nothing_is_none(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = backend_of(name)
    assert asked(monkeypatch, backend, "set", secret=CANARY)["status"] == "no_backend"
    assert asked(monkeypatch, chain(backend), "get")["status"] == "no_backend"
    assert asked(monkeypatch, chain(), "get")["status"] == "no_backend"


@pytest.mark.parametrize(
    "name", [PLAINTEXT, "keyrings.alt.Gnome.Keyring", "mine.PlainTextStore.Keyring"]
)
def test_a_back_end_that_does_not_encrypt_gets_no_secret(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = backend_of(name)
    reply = asked(monkeypatch, backend, "set", secret=CANARY)
    assert reply == {"status": "insecure", "backend": name}
    assert not backend.entries


def test_in_a_chain_only_the_secure_back_ends_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, secure, second = (
        backend_of(PLAINTEXT),
        backend_of(SECRET_SERVICE),
        backend_of("keyring.backends.kwallet.DBusKeyring"),
    )
    plain.set_password("privstream", "desk-api_key", "planted")
    second.set_password("privstream", "desk-api_key", "second")
    chained = chain(plain, secure, second)
    assert asked(monkeypatch, chained, "get")["secret"] == "second"
    assert asked(monkeypatch, chained, "set", secret=CANARY)["status"] == "ok"
    assert asked(monkeypatch, chained, "get")["secret"] == CANARY
    assert asked(monkeypatch, chained, "delete") == {"status": "ok"}
    assert (secure.entries, second.entries) == ({}, {})
    assert list(plain.entries.values()) == ["planted"]


def test_a_back_end_that_forgets_is_found_out_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = backend_of(SECRET_SERVICE, forgets=True)
    reply = asked(monkeypatch, backend, "set", secret=CANARY)
    assert reply == {"status": "not_kept", "backend": SECRET_SERVICE}


def test_a_locked_and_a_missing_keyring_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(monkeypatch, Backend(KeyringLocked()), "get") == {"status": "locked"}
    assert asked(monkeypatch, Backend(NoKeyringError()), "get") == {"status": "no_backend"}


def test_the_process_hides_its_memory_before_it_reads_anything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def hidden() -> None:
        raise KeyboardInterrupt("first of all")

    monkeypatch.setattr(keyring_access, "hide_memory", hidden)
    monkeypatch.setattr(sys, "stdin", None)  # what is read before that fails otherwise
    with pytest.raises(KeyboardInterrupt):
        keyring_access.main()
