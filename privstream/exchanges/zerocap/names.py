"""Zerocap's words in common ones: pairs, sides, states, ids.

It writes pairs as everybody does; users type them in several ways.
"""

from typing import Literal, TypeAlias

from privstream.exchanges.kit.pairs import typed_pair
from privstream.exchanges.kit.side_values import text_of
from privstream.model.events import OrderStatus, Side
from privstream.model.exact import Unreadable, nonzero

Liquidity: TypeAlias = Literal["maker", "taker"]

QUOTES = ("AUD", "USD", "USDT", "USDC", "NZD", "GBP", "EUR", "SGD", "BTC")
"""What pairs are quoted in: for a pair that is typed without a separator."""
# Only `open` and `closed` are documented; the others mean what they say if they come.
STATUS: dict[str, OrderStatus] = {
    "pending": "pending",
    "open": "open",
    "partially_filled": "partially_filled",
    "filled": "filled",
    "canceled": "canceled",
    "cancelled": "canceled",
    "expired": "expired",
    "rejected": "rejected",
}
_SIDES: dict[str, Side] = {"buy": "buy", "sell": "sell"}
_LIQUIDITY: dict[str, Liquidity] = {"maker": "maker", "taker": "taker"}


def symbol_of(text: str) -> str | None:
    """`BTC/AUD` for `btc-aud`, `BTC_AUD` or `btcaud`; `None` for what is no pair."""
    return typed_pair(text, QUOTES)


def symbol(value: object) -> str | None:
    """The common name of a pair. Raises for what is no text, or names no pair."""
    text = text_of(value)
    if text is None:
        return None
    if (pair := typed_pair(text)) is None:
        raise Unreadable("it is no pair")
    return pair


def identity(value: object) -> str:
    """An id as text. Raises Unreadable where there is none."""
    if isinstance(value, bool) or not isinstance(value, str | int) or value in (0, "0"):
        raise Unreadable("the id is missing")
    if not str(value).strip():
        raise Unreadable("the id is missing")
    return str(value)


def id_if_any(value: object) -> str | None:
    """An id as text; zero and "" mean that there is none. Raises Unreadable for what is none."""
    return None if value in (None, "", 0, "0") and value is not False else identity(value)


def side(value: object) -> Side | None:
    """Raises for what is neither."""
    text = text_of(value)
    if text is not None and text.lower() not in _SIDES:
        raise Unreadable("neither buy nor sell")
    return None if text is None else _SIDES[text.lower()]


def liquidity(value: object) -> Liquidity | None:
    """Whose the price was. Raises for another word."""
    text = text_of(value)
    if text is not None and text.lower() not in _LIQUIDITY:
        raise Unreadable("neither maker nor taker")
    return None if text is None else _LIQUIDITY[text.lower()]


def price(value: object) -> str | None:
    """A price; zero means that there is none. Raises Unreadable below zero."""
    found = nonzero(value)
    if found is not None and found.startswith("-"):
        raise Unreadable("a negative price")
    return found
