"""Indodax's names in common ones: pairs, currencies, statuses, order ids.

The one rule: a pair is known by the joined spelling of stream and history, `btcidr`;
only the oldest REST calls write `btc_idr`. Source: protocols/indodax.md sections 5 and 6
(checked 2026-11-20).
"""

import re
from functools import lru_cache
from typing import NamedTuple

from privstream.model.events import OrderStatus

QUOTES = ("usdt", "idr")
"""What pairs are quoted in, and fees are charged in."""
COMMON = {"STR": "XLM", "DRK": "DASH", "NEM": "XEM"}
"""Codes of old that the oldest pairs keep."""

_ORDER_ID = re.compile(r"([a-z0-9]+)-([a-z_]+)-([0-9]+)", re.ASCII)
_ORDER_TYPES = {"stoplimit": "stop_limit"}
_STATUS: dict[str, OrderStatus] = {
    "new": "open",
    "open": "open",
    "fill": "partially_filled",  # the ledger makes it filled where all of it is
    "done": "filled",
    "filled": "filled",
    "cancelled": "canceled",
    "canceled": "canceled",
    "rejected": "rejected",
}


class OrderId(NamedTuple):
    """The parts of `aaveidr-limit-3397`."""

    pair: str
    kind: str
    number: str


def order_id_parts(order_id: str) -> OrderId | None:
    """What an order id tells of its order, where it is spelled as documented."""
    match = _ORDER_ID.fullmatch(order_id)
    return None if match is None else OrderId(*match.groups())


def currency(code: str) -> str:
    """`idr` is `IDR`, `str` is `XLM`."""
    return COMMON.get(code.upper(), code.upper())


@lru_cache(maxsize=4096)
def split(pair: str) -> tuple[str, str] | None:
    """`btcidr` and `btc_idr` are both `("btc", "idr")`; `None` for a quote that is unknown."""
    joined = join(pair)
    for quote in QUOTES:
        if joined.endswith(quote) and len(joined) > len(quote):
            return joined[: -len(quote)], quote
    return None


def join(pair: str) -> str:
    """`btc_idr` is `btcidr`."""
    return pair.replace("_", "").lower()


@lru_cache(maxsize=4096)
def symbol(pair: str, description: str | None = None) -> str | None:
    """`AAVE/IDR`, from the exchange's own description where it gives one."""
    if description:
        base, slash, quote = description.partition("/")
        if base and slash and quote:
            return f"{currency(base)}/{currency(quote)}"
    parts = split(pair)
    return None if parts is None else f"{currency(parts[0])}/{currency(parts[1])}"


def order_type(word: str) -> str:
    """The order type in the words of the `order` event."""
    return _ORDER_TYPES.get(word.lower(), word.lower())


def status(word: str) -> OrderStatus:
    """The status in our words; streams and REST spell it differently."""
    return _STATUS.get(word.lower(), "unknown")
