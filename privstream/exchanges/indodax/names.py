"""Indodax's names in common ones: pairs, currencies, statuses, order ids.

The one rule: a pair is known by the joined spelling of stream and history, `btcidr`;
only the oldest REST calls write `btc_idr`. Source:
https://github.com/btcid/indodax-official-api-docs (Private-websocket.md,
Private-RestAPI.md), checked 2026-11-30.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from privstream.model.events import OrderStatus

QUOTES = ("usdt", "idr", "btc")
"""What pairs are quoted in, to split a name without a separator."""
COMMON = {"STR": "XLM", "DRK": "DASH", "NEM": "XEM"}
"""Codes of old that the oldest pairs keep."""

_OLD = {common: old for old, common in COMMON.items()}
_SEPARATED = re.compile(r"([a-z0-9]+)[/_-]([a-z0-9]+)", re.ASCII)
_ORDER_ID = re.compile(r"([a-z0-9]+)-([a-z_]+)-([0-9]+)", re.ASCII)
_ORDER_TYPES = {"stoplimit": "stop_limit"}
_STATUS: dict[str, OrderStatus] = {
    "new": "open",
    "open": "open",
    "partially_filled": "partially_filled",
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


@lru_cache(maxsize=4096)
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
    lower = pair.lower()
    if (separated := _SEPARATED.fullmatch(lower)) is not None:
        return separated[1], separated[2]
    for quote in QUOTES:
        if lower.endswith(quote) and len(lower) > len(quote):
            return lower[: -len(quote)], quote
    return None


def join(pair: str) -> str:
    """`btc_idr` is `btcidr`."""
    return pair.replace("_", "").lower()


@lru_cache(maxsize=4096)
def symbol(pair: str, description: str | None = None) -> str | None:
    """`AAVE/IDR`, from the exchange's own description where it gives one."""
    if description:
        base, slash, quote = description.partition("/")
        if base.strip() and slash and quote.strip():
            return f"{currency(base)}/{currency(quote)}"
    parts = split(pair)
    return None if parts is None else f"{currency(parts[0])}/{currency(parts[1])}"


def symbol_of(text: str) -> str | None:
    """The common name of a pair in any spelling: `btc_idr`, `BTCIDR`, `btc/idr`, `str_idr`."""
    return symbol(text.strip())


def pair_of(text: str) -> str | None:
    """The exchange's own joined spelling of a pair in any spelling: `XLM/IDR` is `stridr`."""
    common = symbol_of(text)
    if common is None:
        return None
    return "".join(_OLD.get(code, code) for code in common.split("/")).lower()


def order_type(word: str) -> str:
    """The order type in the words of the `order` event."""
    return _ORDER_TYPES.get(word.lower(), word.lower())


def status(word: str) -> OrderStatus:
    """The status in our words; streams and REST spell it differently."""
    return _STATUS.get(word.lower(), "unknown")
