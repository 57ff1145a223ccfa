"""What anybody may ask: whether the platform works, and what is traded on it."""

from typing import Any

from privstream.simulator.bitfinex.backend import Backend
from privstream.simulator.bitfinex.keys import BitfinexRefused
from privstream.simulator.bitfinex.words import (
    CURRENCIES,
    MARGIN_CURRENCIES,
    MARGIN_PAIRS,
    PAIRS,
    Pair,
    plain_text,
)

EMPTY = frozenset(
    {
        "pub:map:currency:unit",
        "pub:map:currency:pool",
        "pub:map:currency:explorer",
        "pub:map:currency:tx:fee",
        "pub:map:tx:method",
        "pub:info:tx:status",
    }
)
"""Deposits and withdrawals: none are simulated."""


def result(path: str, backend: Backend) -> object:
    """The answer to a public call. Raises LookupError for one that there is not."""
    if path == "platform/status":
        return [int(backend.platform.operative)]
    if path.startswith("conf/"):
        return [_configuration(label) for label in path.removeprefix("conf/").split(",")]
    raise LookupError(path)


def _configuration(label: str) -> list[Any]:
    derivatives = [p for p in MARGIN_PAIRS.values() if p.symbol.base.endswith("F0")]
    margin = [pair for pair in MARGIN_PAIRS.values() if pair not in derivatives]
    spot = [*PAIRS.values(), *margin]
    known: dict[str, list[Any]] = {
        "pub:info:pair": [_pair(pair) for pair in spot],
        "pub:info:pair:futures": [_pair(pair) for pair in derivatives],
        "pub:list:pair:exchange": [pair.name for pair in spot],
        "pub:list:pair:futures": [pair.name for pair in derivatives],
        "pub:list:pair:margin": [pair.name for pair in margin],
        "pub:list:pair:securities": [],
        "pub:list:currency": sorted({*CURRENCIES, *MARGIN_CURRENCIES, "BTCF0", "XRP"}),
        "pub:list:currency:margin": ["USD", "XRP"],
        "pub:map:currency:sym": [["DSH", "DASH"], ["UST", "USDt"], ["USTF0", "USDt0"]],
        "pub:map:currency:label": [[c.code, c.label] for c in CURRENCIES.values()],
        "pub:map:currency:undl": [["USTF0", "UST"], ["BTCF0", "BTC"]],
    }
    if label in EMPTY:
        return []
    if label not in known:
        raise BitfinexRefused(10020, "config: invalid")
    return known[label]


def _pair(pair: Pair) -> list[Any]:
    """Only the least and the largest order are told."""
    least = plain_text(pair.symbol.quantity / 100)
    return [pair.name, [None, None, None, least, "100000.0", *[None] * 7]]
