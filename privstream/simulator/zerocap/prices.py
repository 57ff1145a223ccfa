"""The desk's own prices: four steps on each side of where the account last traded.

The one rule: a quote follows from seed, books and second alone.
"""

from decimal import Decimal
from random import Random
from typing import Any

from privstream.model.rest import Now
from privstream.simulator.market import Books, Symbol
from privstream.simulator.market.values import Side
from privstream.simulator.zerocap.words import float_seconds, pointed

STEPS = (10, 20, 40, 60)  # what each step offers, in usual orders
HALF_SPREAD, STEP, JITTER = Decimal("0.0035"), Decimal("0.001"), 40


class Quotes:
    """What the account could trade at."""

    def __init__(self, books: Books, seed: int) -> None:
        self._books, self._seed = books, seed

    def quote(self, symbol: Symbol, now: Now) -> dict[str, Any]:
        middle = self._middle(symbol, now.wall_ns // 1_000_000_000)
        return {
            "timestamp": float_seconds(now.wall_ns),
            "symbol": symbol.name,
            "exchange": "zerocap",
            "bids": _levels(symbol, middle, -1),
            "asks": _levels(symbol, middle, 1),
        }

    def best(self, symbol: Symbol, side: Side, time_ns: int) -> Decimal:
        """What the first step offers: the ask to who buys."""
        middle = self._middle(symbol, time_ns // 1_000_000_000)
        return _price(symbol, middle, 1 if side == "buy" else -1, 0)

    def _middle(self, symbol: Symbol, second: int) -> Decimal:
        trades = reversed(self._books.trades.values())
        last = next((t.price for t in trades if t.order.symbol.name == symbol.name), symbol.price)
        chance = Random(f"{self._seed}/{symbol.name}/{second}")
        return last * (1 + Decimal(chance.randint(-JITTER, JITTER)) / 100_000)


def _levels(symbol: Symbol, middle: Decimal, sign: int) -> list[list[Any]]:
    prices = [_price(symbol, middle, sign, number) for number in range(len(STEPS))]
    offers = [symbol.quantity * step for step in STEPS]
    return [[pointed(p), pointed(o)] for p, o in zip(prices, offers, strict=True)]


def _price(symbol: Symbol, middle: Decimal, sign: int, step: int) -> Decimal:
    first = middle * (1 + sign * HALF_SPREAD)
    cent = Decimal(1).scaleb(-symbol.price_digits)
    return (first * (1 + sign * STEP * step)).quantize(cent)
