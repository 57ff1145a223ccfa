"""A report of fills: sums by account, market and day, and what of the period could not be read."""

from dataclasses import dataclass, field

from privstream.model.events import Trade
from privstream.model.fill_sums import FillSums, merged


@dataclass(frozen=True)
class Missing:
    """Something of the period that could not be read; times in our spelling."""

    account: str
    since: str
    until: str
    why: str


@dataclass(frozen=True, order=True)
class Market:
    """Whose fills, and of what."""

    account: str
    exchange: str
    symbol: str


@dataclass
class FillReport:
    """All of it. Days are those of the person's calendar, as `2026-11-30`."""

    since: str
    until: str
    proven_until: str | None
    """Until then nothing is missing but what is said to be; `None` where nobody knows."""
    days: dict[tuple[str, Market], FillSums] = field(default_factory=dict)
    missing: list[Missing] = field(default_factory=list)

    @property
    def complete(self) -> bool | None:
        """Whether that is everything; `None` where nobody knows."""
        if self.missing:
            return False
        return None if self.proven_until is None else True

    def markets(self) -> dict[Market, FillSums]:
        """All days together."""
        groups: dict[Market, list[FillSums]] = {}
        for (_, market), sums in self.days.items():
            groups.setdefault(market, []).append(sums)
        return {market: merged(groups[market]) for market in sorted(groups)}

    def by_day(self) -> list[tuple[str, Market, FillSums]]:
        """In the order of days, and of names within one."""
        return [(day, market, sums) for (day, market), sums in sorted(self.days.items(), key=_key)]

    def add(self, day: str, market: Market, fill: Trade) -> None:
        """Take a fill in."""
        self.days.setdefault((day, market), FillSums()).add(fill)

    def total(self) -> FillSums:
        """Of everything; quantities of different markets mean nothing in it."""
        return merged(self.days.values())


def _key(item: tuple[tuple[str, Market], FillSums]) -> tuple[str, Market]:
    return item[0]
