"""The sums of an order's known fills. Pure."""

from privstream.model.exact import add, normal
from privstream.model.reports import Fill

WAITING = 32
"""Fills of one order that wait to be added up."""
Sums = tuple[str, str | None, str | None]
"""Quantity, fee (`None`: not known in one amount), and the fee's currency."""


class Fills:
    """Adds up only when somebody asks; the order of the fills makes no difference."""

    __slots__ = ("_currency", "_fee", "_quantity", "_waiting")

    def __init__(
        self, quantity: str = "0", fee: str | None = "0", currency: str | None = None
    ) -> None:
        self._quantity = quantity
        self._fee = fee
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
        return self._quantity, self._fee, self._currency

    @property
    def quantity(self) -> str:
        """What was filled by the known fills."""
        if self._waiting:
            self._add_up()
        return self._quantity

    def fee(self, filled: str | None, currency: str | None) -> tuple[str | None, str | None]:
        """The sum of the fees, where all fills are known and charged in one currency."""
        if filled is None or normal(filled) != normal(self.quantity) or self._fee is None:
            return None, None
        return self._fee, self._currency or currency

    def _add_up(self) -> None:
        for fill in self._waiting:
            if fill.quantity is not None:
                self._quantity = add(self._quantity, fill.quantity)
            self._add_fee(fill.fee, fill.fee_currency)
        self._waiting.clear()

    def _add_fee(self, fee: str | None, currency: str | None) -> None:
        if self._fee is None or fee is None:
            self._fee = None
        elif normal(fee) == "0":  # nothing is the same in every currency
            if self._fee == "0":
                self._currency = min(filter(None, (self._currency, currency)), default=None)
        elif self._fee == "0" or self._currency == currency:
            self._fee = fee if self._fee == "0" else add(self._fee, fee)
            self._currency = currency
        else:
            self._fee = None


NO_FILLS = Fills().sums
