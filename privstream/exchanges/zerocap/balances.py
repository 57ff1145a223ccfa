"""What get_balances lists: asset-first and account-first maps, mixed at the top level.

The one rule: one report for each asset in each account, in whichever map it stands.
Source: the pages of https://pypi.org/project/zerocap-api/, checked 2026-11-30.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from privstream.exchanges.base import each
from privstream.exchanges.kit.side_values import KeyedValues
from privstream.model.events import Source
from privstream.model.exact import Unreadable, amount, kind_of
from privstream.model.reports import AnyReport, BalanceReport, Listed, NoticeReport
from privstream.model.times import from_millis

_AMOUNTS = frozenset({"free", "total", "used"})

Cutting = dict[str, Any]
"""One balance cut out of the answer with the way to it: {"custody": {"CAD": {"free": …}}}."""


class Place(NamedTuple):
    """Where a balance is."""

    asset: str
    wallet: str | None


class ZerocapWallets:
    """Reads the lists of one account, and notices what is no longer on them."""

    def __init__(self) -> None:
        self._listed: dict[Place, None] = {}
        self._unreadable: set[str] = set()
        """Told once, not with every list."""
        self.is_due = False
        """No whole list has come since an interruption."""

    def read(self, answer: Mapping[str, Any], source: Source) -> tuple[AnyReport | Listed, ...]:
        """The reports of one answer, which is a complete list."""
        values = KeyedValues("list of balances", answer)
        time = values.of("timestamp", from_millis)
        cuttings = list(_cut(answer, {place.wallet for place in self._listed}))
        read = partial(_read, names=_Names(cuttings), time=time, source=source)
        reports: dict[Place, BalanceReport] = {}
        notices: list[NoticeReport] = []
        odd = list(values.notices({"timestamp": answer.get("timestamp")}))
        for report in each(cuttings, read):
            if isinstance(report, BalanceReport):  # the same one may stand in both maps
                reports.setdefault(Place(report.currency, report.wallet), report)
            elif isinstance(report, NoticeReport):
                (notices if report.once is None else odd).append(report)
        if notices:  # what cannot be read is not gone
            self._listed |= dict.fromkeys(reports)
            return (*reports.values(), *odd, *filter(self._is_new, notices))
        gone = [_nothing(place, time, source) for place in self._listed if place not in reports]
        self._listed = dict.fromkeys(reports)
        self.is_due = False
        return (*reports.values(), *odd, *gone, Listed("balances"))

    def _is_new(self, notice: NoticeReport) -> bool:
        way = "/".join(_names_of(notice.element))
        is_new = way not in self._unreadable
        self._unreadable.add(way)
        return is_new


def _cut(answer: Mapping[str, Any], accounts: set[str | None]) -> Iterator[Cutting]:
    for outer, found in answer.items():
        if not isinstance(found, dict):
            if _in_capitals(outer) or outer in accounts:  # else status, datetime, timestamp
                yield {outer: found}
        elif found.keys() & _AMOUNTS:
            yield {outer: found}
        else:
            yield from ({outer: {inner: leaf}} for inner, leaf in found.items())


def _names_of(cutting: Cutting) -> list[str]:
    """The names on the way to the amounts: one or two."""
    ((outer, found),) = cutting.items()
    if not isinstance(found, dict) or found.keys() & _AMOUNTS:
        return [outer]
    return [outer, *found]


def _read(
    cutting: Cutting, *, names: "_Names", time: str | None, source: Source
) -> Iterator[AnyReport]:
    ((_, found),) = cutting.items()
    if not isinstance(found, dict):
        raise Unreadable(f"it is {kind_of(found)}, not an object", found)
    place = names.place(*_names_of(cutting))
    values = KeyedValues("balance", _leaf_of(cutting))
    total, hold = values.of("total", amount), values.of("used", amount)
    available = values.of("free", amount)
    if total is None and available is None:
        raise Unreadable("no balance is stated")
    yield BalanceReport(
        currency=place.asset.upper(),
        exchange_currency=place.asset,
        wallet=place.wallet,
        total=total,
        available=available,
        hold=hold,
        time=time,
        source=source,
        element=cutting,
    )
    yield from values.notices(cutting)


def _leaf_of(cutting: Cutting) -> Mapping[str, Any]:
    """The amounts at the end of the way."""
    ((_, leaf),) = cutting.items()
    if not leaf.keys() & _AMOUNTS:
        ((_, leaf),) = leaf.items()
    return {key: leaf[key] for key in leaf.keys() & _AMOUNTS}


def _nothing(place: Place, time: str | None, source: Source) -> BalanceReport:
    """A balance that the list does not name any more: nothing is in it."""
    return BalanceReport(
        currency=place.asset,
        exchange_currency=place.asset,
        wallet=place.wallet,
        total="0",
        available="0",
        hold="0",
        time=time,
        source=source,
    )


class _Names:
    """Tells assets from accounts: an asset's name is in capitals, an account's is not.

    Where that does not tell (wBTC, say), what the other pairs of the answer show does.
    """

    def __init__(self, cuttings: list[Cutting]) -> None:
        self._assets: set[str] = set()
        self._accounts: set[str] = set()
        for cutting in cuttings:
            if len(names := _names_of(cutting)) > 1:
                self._learn(*names)

    def _learn(self, one: str, other: str) -> None:
        if _in_capitals(one) != _in_capitals(other):
            asset, account = (one, other) if _in_capitals(one) else (other, one)
            self._assets.add(asset)
            self._accounts.add(account)

    def place(self, outer: str, inner: str | None = None) -> Place:
        """Raises Unreadable where it cannot be told."""
        if not (outer.strip() and (inner is None or inner.strip())):
            raise Unreadable("it has no name")
        if inner is None:
            return Place(outer, None)
        outer_is_asset = outer in self._assets or inner in self._accounts
        inner_is_asset = inner in self._assets or outer in self._accounts
        if outer_is_asset == inner_is_asset:
            raise Unreadable("cannot tell which of the two names is the asset")
        return Place(outer, inner) if outer_is_asset else Place(inner, outer)


def _in_capitals(name: str) -> bool:
    return name == name.upper()
