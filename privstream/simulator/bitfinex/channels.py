"""Which frames a socket gets: by its `filter`, and by what its key may read."""

from typing import Any

from privstream.simulator.bitfinex.keys import BitfinexRefused
from privstream.simulator.bitfinex.words import MARGIN_PAIRS, PAIRS

SECTION = {
    "o": ("trading", "orders"),
    "t": ("trading", "orders"),
    "p": ("trading", "positions"),
    "w": ("wallet", "wallets"),
    "b": ("balance", "wallets"),
    "m": ("balance", "wallets"),
    "f": ("funding", "funding"),
    "n": ("notify", "account"),
    "a": ("algo", "orders"),
}
"""What a frame's type begins with: the word of the filter, and the right to read it."""
WHOLE = frozenset({"trading", "funding", "wallet", "balance", "algo", "notify"})
SYMBOL_AT = {"o": 3, "t": 1, "p": 0, "f": 1}


class Filter:
    """What one socket asked for and may have."""

    def __init__(self, asked: object, read: frozenset[str]) -> None:
        self._read = read
        self._words = self._checked(asked)

    def wants(self, kind: str, row: Any) -> bool:
        word, right = SECTION[kind[0]]
        if right not in self._read:
            return False
        return word in self._words or f"{word}-{_detail(kind, row)}" in self._words

    def has(self, kind: str) -> bool:
        """Whether a snapshot of this kind is sent, perhaps with few rows."""
        word, right = SECTION[kind[0]]
        return right in self._read and any(w.split("-")[0] == word for w in self._words)

    @staticmethod
    def _checked(asked: object) -> frozenset[str]:
        if asked is None or asked == []:
            return WHOLE - {"algo"}
        if not isinstance(asked, list) or not all(_is_known(word) for word in asked):
            raise BitfinexRefused(10020, "filter: invalid")
        return frozenset(asked)


def _is_known(word: object) -> bool:
    if not isinstance(word, str):
        return False
    section, _, detail = word.partition("-")
    if not detail:
        return section in WHOLE
    if section == "trading":
        return detail in {pair.code for pair in (*PAIRS.values(), *MARGIN_PAIRS.values())}
    if section == "wallet":
        return detail.partition("-")[0] in {"exchange", "margin", "funding"}
    return section == "funding" and detail.startswith("f")


def _detail(kind: str, row: Any) -> str:
    if kind[0] == "w":
        return f"{row[0]}-{row[1]}"
    at = SYMBOL_AT.get(kind[0])
    return "" if at is None else str(row[at])
