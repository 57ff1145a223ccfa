"""What somebody meant who misspelt a word."""

from collections.abc import Iterable
from difflib import get_close_matches

_BASES = ("BTC", "ETH", "SOL", "XRP", "ADA", "DOGE", "LTC", "DOT", "LINK", "AVAX", "USDT", "USDC")
_QUOTES = ("EUR", "USD", "USDT", "USDC", "GBP", "IDR", "BTC")
_COMMON = {f"{base}{quote}": f"{base}/{quote}" for base in _BASES for quote in _QUOTES}
COMMON_PAIRS = frozenset(_COMMON.values())
"""Pairs that are traded much."""


_ALSO_CALLED = {
    "fills": "trades",
    "executions": "trades",
    "wallets": "balances",
    "ticker": "prices",
    "book": "prices",
}
"""What people call channels elsewhere."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like it, if one is."""
    spelt = {one.lower(): one for one in known}
    matches = get_close_matches(word.lower(), spelt, n=1)
    return spelt[matches[0]] if matches else None


def suggestion(word: str, known: Iterable[str], otherwise: str | None = None) -> str:
    """A hint for a word that is not known: the nearest one, else all."""
    choices = tuple(known)
    if found := nearest(word, choices):
        return f"did you mean {found}?"
    return otherwise or f"known are: {', '.join(choices)}"


def channel_meant(word: str, known: Iterable[str], otherwise: str | None = None) -> str:
    """A hint for a channel that is not there."""
    return suggestion(_ALSO_CALLED.get(word.lower(), word), known, otherwise)


def nearest_pair(typed: str) -> str | None:
    """The much-traded pair that looks most like it, however it is spelt."""
    found = nearest("".join(filter(str.isalnum, typed)), _COMMON)
    return None if found is None else _COMMON[found]
