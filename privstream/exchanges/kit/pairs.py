"""Pairs of coins as users type them."""

import re
from collections.abc import Iterable

_SEPARATOR = re.compile(r"[/_-]")
SIDES = 2


def typed_pair(text: str, quotes: Iterable[str] = ()) -> str | None:
    """`BASE/QUOTE` of `btc_usdt`, `BTC-USDT` or, of a quote that is known, `btcusdt`.

    `None` where it is no pair, or cannot be told apart.
    """
    plain = text.strip().upper()
    names = _SEPARATOR.split(plain)
    if len(names) == 1:
        quote = next((quote for quote in quotes if plain.endswith(quote)), "")
        names = [plain.removesuffix(quote), quote]
    return "/".join(names) if len(names) == SIDES and all(names) else None
