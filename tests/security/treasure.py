"""Knows every secret of a test run, however it came about, and finds it in any spelling.

The one rule: a half of a secret is a leak too, so every spelling is looked for by halves.
"""

import base64
import hmac
import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from privstream.model.account import Secret

SHORTEST = 16
"""Characters: what is shorter could stand in any text by chance."""
LONG_WORD = re.compile(r"[\w+/=%.\\-]{12,}", re.ASCII)
"""What a part of a secret, however spelt, can stand in."""
NAMES = ("kraken", "bitfinex", "poloniex", "indodax", "zerocap")


def canary(number: int) -> str:
    """A secret that nobody else has: PSCANARY and 32 hexadecimal digits."""
    return f"PSCANARY{0x0123456789ABCDEF0123456789ABCDEF * (number + 1) % (1 << 128):032x}"


def of_others(name: str) -> set[str]:
    """Keys and secrets of the other exchanges."""
    others = [other for other in NAMES if other != name]
    return {key_of(other) for other in others} | {secret_of(other) for other in others}


def key_of(name: str) -> str:
    return canary(2 * NAMES.index(name))


def secret_of(name: str) -> str:
    """The API secret as it is typed; Kraken's is the base64 of its bytes."""
    text = canary(2 * NAMES.index(name) + 1)
    return base64.b64encode(text.encode()).decode() if name == "kraken" else text


KEPT = frozenset({part(name) for name in NAMES for part in (key_of, secret_of)})
"""Keys and secrets of all of them."""


class Treasure:
    """The secrets of a run."""

    def __init__(self) -> None:
        self.texts: dict[str, None] = {}
        self.secrets: dict[str, None] = {}
        """Keys, secrets and tokens; the rest are signatures."""

    def add(self, text: str, *, signature: bool = False) -> None:
        if len(text) >= SHORTEST:
            self.texts[text] = None
            if not signature:
                self.secrets[text] = None

    def leaks(self, text: str, *, only: Iterable[str] | None = None) -> list[str]:
        """The secrets that stand in a text, each with a piece of what is around it."""
        words = " ".join(
            dict.fromkeys(LONG_WORD.findall(text))
        )  # ten times quicker to look through
        return [
            f"…{text[max(0, text.find(needle) - 80) :][: len(needle) + 100]}…"
            for secret in (self.texts if only is None else only)
            for needle in spellings(secret)
            if needle in words
        ]


@cache
def spellings(secret: str) -> tuple[str, ...]:
    """What a secret may look like: as it is, coded, quoted, escaped, turned round, in halves."""
    return tuple(dict.fromkeys(_spellings(secret)))


def _spellings(secret: str) -> Iterator[str]:
    middle = len(secret) // 2
    for part in (secret[:middle], secret[middle:]) if middle >= SHORTEST else (secret,):
        yield part
        yield part[::-1]
        yield part.encode().hex()
        yield part.encode().hex().upper()
        yield quote(part, safe="")
        yield quote_plus(quote_plus(part))
        yield json.dumps(part)[1:-1].replace("/", "\\/")
        yield from _in_base64(part)


def _in_base64(part: str) -> Iterator[str]:
    """Wherever in a coded text it began; without the edges, which depend on its neighbours."""
    for before in range(3):
        coded = base64.b64encode(bytes(before) + part.encode()).decode()
        inner = coded[4 if before else 0 : -4]
        yield inner
        yield inner.translate(str.maketrans("+/", "-_"))


def bury(monkeypatch: pytest.MonkeyPatch) -> Treasure:
    """Canaries in place of the simulators' keys; tokens and signatures are learnt as they are made."""
    found = Treasure()
    for name in NAMES:
        place = f"privstream.simulator.{name}.exchange"
        monkeypatch.setattr(f"{place}.API_KEY", key_of(name))
        monkeypatch.setattr(f"{place}.API_SECRET", secret_of(name))
        for text in (key_of(name), secret_of(name)):
            found.add(text)
    # What a Kraken secret stands for; nobody could repeat it.
    found.add(base64.b64decode(secret_of("kraken")).decode(), signature=True)
    _learn_secrets(found, monkeypatch)
    _learn_signatures(found, monkeypatch)
    return found


def _learn_secrets(found: Treasure, monkeypatch: pytest.MonkeyPatch) -> None:
    make = Secret.__init__

    def learn(self: Secret, text: str) -> None:
        if "://" not in text:  # in a config file all is secret until it is known to be a URL
            found.add(text)
        make(self, text)

    monkeypatch.setattr(Secret, "__init__", learn)


def _learn_signatures(found: Treasure, monkeypatch: pytest.MonkeyPatch) -> None:
    sign = hmac.new

    def learn(*parts: Any) -> hmac.HMAC:
        made = sign(*parts)
        found.add(made.hexdigest(), signature=True)
        found.add(base64.b64encode(made.digest()).decode(), signature=True)
        return made

    monkeypatch.setattr(hmac, "new", learn)


def trust_nobody(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Nothing here speaks TLS, and the certificates of the system take 10 ms to load."""
    empty = folder / "certificates"
    empty.touch(0o600)
    monkeypatch.setenv("SSL_CERT_FILE", str(empty))
    monkeypatch.setenv("SSL_CERT_DIR", str(folder / "none"))
