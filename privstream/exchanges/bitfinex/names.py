"""Bitfinex's names in common ones: symbols, currencies, order types and the status grammar.

The one rule: of a status text only the head counts, and its numbers are never used:
they are rounded and sometimes hold the last fill only.
Source: protocols/bitfinex.md sections 1, 5.1 and 5.2 (checked 2026-11-20).
"""

import re
from functools import lru_cache

from privstream.model.events import OrderStatus

COMMON = {"UST": "USDT"}
SHORT_PAIR = 6  # letters of a pair without a colon: three and three


def currency(code: str) -> str:
    """`UST` is `USDT`; everything else is itself, also the derivatives' `USTF0`."""
    if not isinstance(code, str) or not code:
        raise TypeError("no currency")
    return COMMON.get(code, code)


@lru_cache(maxsize=4096)
def pair(exchange_symbol: str) -> tuple[str, str]:
    """Base and quote as Bitfinex spells them. Raises ValueError for what is no trading pair."""
    bare = exchange_symbol.removeprefix("t")
    base, colon, quote = bare.partition(":")
    if not colon and len(bare) == SHORT_PAIR:
        base, quote = bare[:3], bare[3:]
    if bare == exchange_symbol or not base or not quote:
        raise ValueError(f"{exchange_symbol} is no trading pair")
    return base, quote


@lru_cache(maxsize=4096)
def symbol(exchange_symbol: str) -> str:
    """`tBTCUST` is `BTC/USDT`, `tAVAX:USD` is `AVAX/USD`. Raises ValueError as `pair` does."""
    base, quote = pair(exchange_symbol)
    return f"{currency(base)}/{currency(quote)}"


@lru_cache(maxsize=1024)
def word(text: str) -> str:
    """Lower case, joined by underscores: `INSUFFICIENT BALANCE` is `insufficient_balance`."""
    return "_".join(text.replace("-", " ").lower().split())


@lru_cache(maxsize=256)
def order_type(text: str) -> tuple[str, str | None]:
    """The type without its wallet, and the time in force that some types imply."""
    plain = word(text.removeprefix("EXCHANGE ").removeprefix("MARGIN "))
    return ("limit", plain) if plain in {"ioc", "fok"} else (plain, None)


# " was: " and ": was " both begin what the order was before.
_BEFORE = re.compile(r":? was:? ")
_DETAIL = re.compile(r" *[@(,].*", re.DOTALL)


def status(text: str) -> tuple[OrderStatus, str | None]:
    """The status in our words, and the reason where the exchange closed the order."""
    head = _DETAIL.sub("", _BEFORE.split(text, maxsplit=1)[0]).strip()
    if "CANCELED" in head:
        return "canceled", word(head.replace("CANCELED", "")) or None
    if head.startswith(("INSUFFICIENT", "RSN_")):
        return "rejected", word(head)
    if head == "FORCED EXECUTED":
        return "filled", word(head)
    return _STATUS.get(head, "unknown"), None


_STATUS: dict[str, OrderStatus] = {
    "ACTIVE": "open",
    "PARTIALLY FILLED": "partially_filled",
    "EXECUTED": "filled",
}
