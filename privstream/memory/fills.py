"""The sums of an order's known fills. Pure."""

from decimal import Decimal

from privstream.model.exact import EXACT, decimal_of, plain
from privstream.model.reports import Fill

WAITING = 32
"""Fills of one order that wait to be added up."""
Sums = tuple[str, str | None, str | None]
"""Quantity, fee (`None`: not known in one amount), and the fee's currency."""


_sum = EXACT.add


class Fills:
    """Adds up only when somebody asks; the order of the fills makes no difference."""

    __slots__ = ("_currency", "_fee", "_quantity", "_waiting")

    def __init__(
        self, quantity: str = "0", fee: str | None = "0", currency: str | None = None
    ) -> None:
        self._quantity = decimal_of(quantity)
        self._fee = None if fee is None else decimal_of(fee)
        self._currency = currency
        self._waiting: list[Fill] = []

    def take(self, fill: Fill) -> None:
        """Add a fill, each once."""
        self._waiting.append(fill)
        if len(self._waiting) >= WAITING:
            self._add_up()

    @property
    def sums(self) -> Sums:
        """What is known of all of them together."""
        self._add_up()
        fee = None if self._fee is None else plain(self._fee)
        return plain(self._quantity), fee, self._currency

    def more_than(self, filled: str | None) -> str | None:
        """What was filled by the known fills, where that is more than this."""
        if self._waiting:
            self._add_up()
        known = self._quantity
        if not known or (filled is not None and known <= decimal_of(filled)):
            return None
        return plain(known)

    def fee(self, filled: str | None, currency: str | None) -> tuple[str | None, str | None]:
        """The sum of the fees, where all fills are known and charged in one currency."""
        if self._waiting:
            self._add_up()
        if filled is None or decimal_of(filled) != self._quantity or self._fee is None:
            return None, None
        return plain(self._fee), self._currency or currency

    def _add_up(self) -> None:
        for fill in self._waiting:
            if fill.quantity is not None:
                self._quantity = _sum(self._quantity, Decimal(fill.quantity))
            self._add_fee(fill.fee, fill.fee_currency)
        self._waiting.clear()

    def _add_fee(self, stated: str | None, currency: str | None) -> None:
        so_far = self._fee
        if so_far is None or stated is None:
            self._fee = None
            return
        fee = Decimal(stated)
        if not fee:  # nothing is the same in every currency
            if not so_far:
                self._currency = min(filter(None, (self._currency, currency)), default=None)
        elif not so_far or self._currency == currency:
            self._fee = _sum(so_far, fee) if so_far else fee
            self._currency = currency
        else:
            self._fee = None


NO_FILLS = Fills().sums
