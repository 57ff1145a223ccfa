"""Sums over fills: what was bought and sold, what it cost, what it changed.

The one rule: sums are exact, and what a fill does not say is counted, never taken for zero.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Self

from privstream.model.events import Trade
from privstream.model.exact import EXACT

ZERO = Decimal(0)
DIGITS = 16
"""Of an average, which may have no end; all sums have all of theirs."""
_ROUNDED = Context(prec=DIGITS, rounding=ROUND_HALF_EVEN)


def plain(number: Decimal) -> str:
    """Plain decimal text without the zeros that say nothing."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"", "-0"} else text


def quote_of(symbol: str | None) -> str | None:
    """The currency that the prices of a market are in."""
    return (symbol or "").partition("/")[2] or None


@dataclass
class FillSums:
    """Of the fills of one market, or of one of its days."""

    fills: int = 0
    bought: Decimal = ZERO
    sold: Decimal = ZERO
    bought_cost: Decimal = ZERO
    sold_cost: Decimal = ZERO
    maker_cost: Decimal = ZERO
    taker_cost: Decimal = ZERO
    fees: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    """By currency; a rebate is negative."""
    net: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    """By asset: how the fills and their fees changed what is held of it."""
    unknown: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """How many fills do not say this of themselves; no sum has it."""
    estimated: int = 0
    """Fills of which the exchange does not state everything exactly."""

    def add(self, fill: Trade) -> None:
        """Take a fill in."""
        self.fills += 1
        self.estimated += bool(fill.estimated) or fill.cost is None
        quantity, cost = _decimal(fill.quantity), _cost(fill)
        self._count_unknown(fill, quantity, cost)
        if fill.side == "buy":
            self.bought = _plus(self.bought, quantity)
            self.bought_cost = _plus(self.bought_cost, cost)
        elif fill.side == "sell":
            self.sold = _plus(self.sold, quantity)
            self.sold_cost = _plus(self.sold_cost, cost)
        if fill.liquidity == "maker":
            self.maker_cost = _plus(self.maker_cost, cost)
        elif fill.liquidity == "taker":
            self.taker_cost = _plus(self.taker_cost, cost)
        self._move(fill, quantity, cost)

    def _count_unknown(self, fill: Trade, quantity: Decimal | None, cost: Decimal | None) -> None:
        fee_is_known = fill.fee is not None and (fill.fee_currency or not _decimal(fill.fee))
        for name, is_known in (
            ("side", fill.side),
            ("quantity", quantity is not None),
            ("cost", cost is not None),
            ("fee", fee_is_known),
            ("symbol", quote_of(fill.symbol)),
        ):
            if not is_known:
                self.unknown[name] += 1

    def _move(self, fill: Trade, quantity: Decimal | None, cost: Decimal | None) -> None:
        """What it changed of the three things that it touches."""
        base, _, quote = (fill.symbol or "").partition("/")
        sign = {"buy": 1, "sell": -1}.get(fill.side or "", 0)
        if base and quote and sign:
            self._change(base, quantity, sign)
            self._change(quote, cost, -sign)
        fee = _decimal(fill.fee)
        if fill.fee_currency and fee is not None:
            self.fees[fill.fee_currency] = _plus(self.fees[fill.fee_currency], fee)
            self._change(fill.fee_currency, fee, -1)

    def _change(self, asset: str, amount: Decimal | None, sign: int) -> None:
        if amount is not None:
            self.net[asset] = _plus(self.net[asset], amount.copy_negate() if sign < 0 else amount)

    def merge(self, other: Self) -> None:
        """Take another market's, or day's, in."""
        self.fills += other.fills
        self.estimated += other.estimated
        for name in ("bought", "sold", "bought_cost", "sold_cost", "maker_cost", "taker_cost"):
            setattr(self, name, _plus(getattr(self, name), getattr(other, name)))
        for mine, others in ((self.fees, other.fees), (self.net, other.net)):
            for currency, amount in others.items():
                mine[currency] = _plus(mine[currency], amount)
        for what, count in other.unknown.items():
            self.unknown[what] += count

    # --- what follows from it --------------------------------------------------------------

    @property
    def volume(self) -> Decimal:
        """What all of it cost, bought and sold, in the quote currency."""
        return _plus(self.bought_cost, self.sold_cost)

    @property
    def average_buy(self) -> Decimal | None:
        """Rounded to sixteen digits; `None` where nothing was bought, or not all is known."""
        return self._average(self.bought_cost, self.bought)

    @property
    def average_sell(self) -> Decimal | None:
        return self._average(self.sold_cost, self.sold)

    @property
    def maker_share(self) -> Decimal | None:
        """Of the volume whose liquidity is known, between 0 and 1."""
        total = _plus(self.maker_cost, self.taker_cost)
        return _ROUNDED.divide(self.maker_cost, total) if total else None

    def _average(self, cost: Decimal, quantity: Decimal) -> Decimal | None:
        if not quantity or self.unknown.get("cost") or self.unknown.get("quantity"):
            return None
        return _ROUNDED.divide(cost, quantity)


def merged(sums: Iterable[FillSums]) -> FillSums:
    """All of them together."""
    total = FillSums()
    for one in sums:
        total.merge(one)
    return total


def amounts(by_currency: Mapping[str, Decimal]) -> dict[str, str]:
    """As text, in the order of the currencies' names; what comes to nothing is left out."""
    return {name: plain(amount) for name, amount in sorted(by_currency.items()) if amount}


def _cost(fill: Trade) -> Decimal | None:
    """As stated, else the exact product of quantity and price."""
    if fill.cost is not None:
        return _decimal(fill.cost)
    quantity, price = _decimal(fill.quantity), _decimal(fill.price)
    return None if quantity is None or price is None else EXACT.multiply(quantity, price)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _plus(left: Decimal, right: Decimal | None) -> Decimal:
    return left if right is None else EXACT.add(left, right)
