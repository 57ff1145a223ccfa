"""Which events somebody wants to hear of: `--only fills,gaps`, `--min-value 1000EUR`.

The one rule: in doubt it is told. A fill whose worth cannot be compared is no small one. Pure.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from privstream.model.errors import UsageError
from privstream.model.events import (
    AnyEvent,
    Balance,
    Gap,
    Notice,
    Order,
    Position,
    Price,
    Status,
    Trade,
)
from privstream.model.exact import EXACT

SILENCE = "silence"
KINDS: Mapping[str, type[AnyEvent]] = {
    "fills": Trade,
    "orders": Order,
    "balances": Balance,
    "positions": Position,
    "prices": Price,
    "notices": Notice,
    "gaps": Gap,
    SILENCE: Status,
}
"""What may be chosen. Silence is an account of which nothing is heard: states of its connection."""
_VALUE = re.compile(
    r"([0-9]+(?:\.[0-9]+)?)(?:\s+([A-Za-z0-9]{1,16})|(?![eE][0-9])([A-Za-z][A-Za-z0-9]{0,15}))",
    re.ASCII,
)
_SHOWN = 40


def kinds_of(text: str) -> frozenset[str]:
    """The kinds in `fills,gaps,silence`. Raises UsageError."""
    kinds = frozenset(name.strip().lower() for name in text.split(","))
    for name in sorted(kinds):
        if name not in KINDS:
            raise UsageError(
                f"--only: there are no {name[:_SHOWN]!r}", f"it takes {', '.join(KINDS)}"
            )
    return kinds


def types_of(kinds: Iterable[str]) -> frozenset[str]:
    """The types of the events of these kinds, as their `type` says."""
    return frozenset(str(KINDS[kind].__struct_config__.tag) for kind in kinds)


def values_of(texts: Iterable[str]) -> dict[str, Decimal]:
    """The least worth by currency in `1000EUR,0.05BTC`. Raises UsageError."""
    values: dict[str, Decimal] = {}
    for text in (part.strip() for whole in texts for part in whole.split(",")):
        match = _VALUE.fullmatch(text)
        if match is None:
            raise UsageError(
                f"--min-value {text[:_SHOWN]!r} is no amount of a currency",
                "write it like 1000EUR, or 1000EUR,0.05BTC",
            )
        values[(match[2] or match[3]).upper()] = Decimal(match[1])
    return values


class Choice:
    """Says of each event whether it was chosen."""

    def __init__(self, kinds: frozenset[str], values: Mapping[str, Decimal] | None = None) -> None:
        self._types = tuple(KINDS[name] for name in kinds if name != SILENCE)
        self._values = values or {}
        self.has_silence = SILENCE in kinds

    def wants(self, event: AnyEvent) -> bool:
        """It is of a chosen kind, and no small fill."""
        if not isinstance(event, self._types):
            return False
        return not (isinstance(event, Trade) and self.is_small(event))

    def is_small(self, fill: Trade) -> bool:
        """It is certainly worth less than what is wanted at least."""
        base, _, quote = (fill.symbol or "").partition("/")
        cost, quantity = _worth(fill), fill.quantity
        for currency, amount in ((quote, cost), (base, _decimal(quantity))):
            least = self._values.get(currency.upper())
            if least is not None and amount is not None and amount < least:
                return True
        return False


def _worth(fill: Trade) -> Decimal | None:
    if fill.cost is not None:
        return Decimal(fill.cost)
    quantity, price = _decimal(fill.quantity), _decimal(fill.price)
    return None if quantity is None or price is None else EXACT.multiply(quantity, price)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
