"""What a report says of an order besides amounts, which most reports of fills repeat. Pure."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple, Self

from privstream.model.reports import OrderReport

PROGRESS = frozenset({"filled", "remaining", "cost", "average_price", "fee"})
STATUS = frozenset({"status", "exchange_status", "reason"})
Picker = Callable[[Mapping[str, Any]], object]


class Steady(NamedTuple):
    """What the stream's report of a fill said besides amounts: mostly the next one says the same."""

    keys: tuple[str, ...]
    besides: Picker
    said: object
    amounts: tuple[str, ...]
    """The keys of amounts among them."""
    whole: bool
    is_fixed: bool
    has_terms: bool

    @classmethod
    def of(cls, report: OrderReport, *, has_terms: bool) -> Self:
        """What this report said."""
        told: Any = report.fields
        keys = tuple(told)
        parts = parts_of(keys)
        besides, amounts = parts.besides, parts.amounts
        said = besides(told)
        return cls(keys, besides, said, amounts, report.whole, report.is_fixed, has_terms)

    def is_repeated(self, report: OrderReport, told: dict[str, Any]) -> bool:
        """This report of the stream says the same, of other amounts."""
        return (
            tuple(told) == self.keys
            and (told.get("status") is not None or told.get("exchange_status") is None)
            and self.besides(told) == self.said
            and report.source == "stream"
            and report.whole is self.whole
            and report.is_fixed is self.is_fixed
        )


class Parts(NamedTuple):
    """The keys of a report by what they tell."""

    terms: Picker
    """Picks what is neither amount nor status."""
    besides: Picker
    """Picks what is neither amount nor the exchange's own word, which may tell amounts, too."""
    amounts: tuple[str, ...]


@lru_cache(maxsize=256)
def parts_of(keys: tuple[str, ...]) -> Parts:
    """Of the keys of a report's fields, which come in few orders."""
    besides = [key for key in keys if key not in PROGRESS and key != "exchange_status"]
    return Parts(
        _picker([key for key in besides if key not in STATUS]),
        _picker(besides),
        tuple(key for key in keys if key in PROGRESS),
    )


def _picker(keys: list[str]) -> Picker:
    return itemgetter(*keys) if keys else len
