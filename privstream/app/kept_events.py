"""Fills and interruptions that were kept, of several runs and accounts perhaps.

The one rule: what an event does not say, or nobody can read, is not known; it is never a zero.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache

import msgspec

from privstream import exchanges
from privstream.app.past_fills import Past, Period, missing_throughout
from privstream.app.symbols import all_names
from privstream.model.errors import UsageError
from privstream.model.events import AnyEvent, Gap, Trade
from privstream.model.exact import Unreadable, amount
from privstream.model.fill_report import Missing
from privstream.model.times import from_rfc3339, to_nanos

EVER = Period(0, 253_402_300_799 * 10**9)
DRIFT = "drift"
"""The cause of a gap that compared what stands, and no fills."""
AMOUNTS = ("price", "quantity", "cost", "fee")


@dataclass(frozen=True)
class Wanted:
    """Of which accounts, and which symbols, however they are spelt."""

    account: str | None = None
    """Its name; `None`: all there are."""
    symbols: tuple[str, ...] = ()

    def has(self, account: str) -> bool:
        return self.account in {None, account}

    def shows(self, fill: Trade) -> bool:
        names = {name.upper() for name in (fill.symbol, fill.exchange_symbol) if name}
        return not self.symbols or not names.isdisjoint(_spelt(fill.exchange, self.symbols))


@cache
def _spelt(exchange: str, symbols: tuple[str, ...]) -> frozenset[str]:
    """As events of that exchange spell them."""
    if exchange in exchanges.names():
        return all_names(exchanges.find(exchange), symbols)
    return frozenset(symbol.upper() for symbol in symbols)


class KeptEvents:
    """What events that were kept say of fills; of several runs and accounts perhaps."""

    def __init__(self, period: Period, wanted: Wanted) -> None:
        self.unreadable = 0
        """How many of them could not be read."""
        self._period = period
        self._wanted = wanted
        self._pasts: dict[str, Past] = {}
        self._gaps: dict[str, list[Missing]] = {}
        """By account, what of its interruptions has not been read back since."""
        self._seen: set[str | None] = set()
        self._first = self._last = ""

    def span(self, time: str | None, received: str) -> None:
        """Something was kept that happened then. Raises ValueError for what is no time."""
        to_nanos(received)
        told = min(from_rfc3339(time) or received, received)
        self._first = min(self._first or told, told)
        self._last = max(self._last, received)

    def account(self, account: str, exchange: str) -> Past | None:
        """What is known of an account of which something was kept, if it is wanted."""
        if not self._wanted.has(account):
            return None
        return self._pasts.setdefault(account, Past(account, exchange))

    def take(self, event: AnyEvent) -> None:
        """Its id names a fill, however often it was kept. Raises ValueError for times that are none."""
        self.span(event.time if isinstance(event, Trade) else None, event.received)
        past = self.account(event.account, event.exchange)
        if past is None:
            return
        if isinstance(event, Gap):
            self._gaps[event.account] = _after(event, self._gaps.get(event.account, []))
        elif isinstance(event, Trade) and self._wanted.shows(event) and self._is_new(event.id):
            past.take(_readable(event), self._period)

    def _is_new(self, name: str | None) -> bool:
        is_new = name is None or name not in self._seen
        self._seen.add(name)
        return is_new

    def found(self) -> tuple[list[Past], Period]:
        """All of it. Raises UsageError where nothing of it was an event."""
        if not self._last and self.unreadable:
            raise UsageError("these are neither a recording nor lines of events")
        period = covered(self._period, self._first, self._last)
        for past in self._pasts.values():
            gaps = self._gaps.get(past.account, ())
            past.missing += [gap for gap in gaps if overlap(self._period, gap.since, gap.until)]
            if self.unreadable:
                what = "entry" if self.unreadable == 1 else "entries"
                why = f"{self.unreadable} {what} of the file could not be read"
                past.missing.append(missing_throughout(past.account, period, why))
        return list(self._pasts.values()), period


def _after(gap: Gap, open_gaps: Iterable[Missing]) -> list[Missing]:
    """What is missing after a gap has said the last word on its time."""
    since, until = gap.from_, gap.to
    if to_nanos(since) > to_nanos(until) or gap.cause == DRIFT:
        left = list(open_gaps)
    else:
        left = [part for one in open_gaps for part in _outside(one, since, until)]
    if not gap.complete:
        why = gap.detail or f"an interruption ({gap.cause}) was not read back whole"
        left.append(Missing(gap.account, since, until, why))
    return left


def _outside(missing: Missing, since: str, until: str) -> Iterator[Missing]:
    """The parts of it before and after that time."""
    if missing.since < since:
        yield replace(missing, until=min(missing.until, since))
    if missing.until > until:
        yield replace(missing, since=max(missing.since, until))


def _readable(fill: Trade) -> Trade:
    """The fill, without the amounts that are none: files are edited, too."""
    return msgspec.structs.replace(fill, **{name: _amount(getattr(fill, name)) for name in AMOUNTS})


def _amount(text: str | None) -> str | None:
    try:
        return amount(text)
    except Unreadable:
        return None


def covered(period: Period, first: str, last: str) -> Period:
    """What was asked for, or where nothing was, what the file holds."""
    if not last:
        return period
    since = to_nanos(first) if period.since_ns == EVER.since_ns else period.since_ns
    until = to_nanos(last) if period.until_ns == EVER.until_ns else period.until_ns
    return Period(since, max(since, until))


def overlap(period: Period, since: str, until: str) -> bool:
    """Whether any of it was in the period."""
    return to_nanos(since) <= period.until_ns and period.since_ns <= to_nanos(until)
