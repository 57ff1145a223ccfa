"""What get_balances lists: asset-first and account-first maps, mixed at the top level.

The one rule: one report for each asset in each account, in whichever map it stands.
Source: protocols/zerocap.md section 4 (checked 2026-11-20).
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from privstream.events import Source
from privstream.exact import amount
from privstream.exchanges.base import each
from privstream.times import from_millis
from privstream.wire import AnyReport, BalanceReport, Listed, NoticeReport

_LEAF = frozenset({"free", "total", "used"})


class Place(NamedTuple):
    """Where a balance is."""

    asset: str
    wallet: str | None


class Wallets:
    """Reads the lists of one account, and notices what is no longer on them."""

    def __init__(self) -> None:
        self._listed: set[Place] = set()
        self._complaints: set[str] = set()
        """What could not be read is told once, not with every list."""

    def read(
        self, answer: Mapping[str, Any], source: Source
    ) -> tuple[AnyReport | NoticeReport | Listed, ...]:
        """The reports of one answer."""
        time = from_millis(answer.get("timestamp"))
        reports: dict[Place, BalanceReport] = {}
        notices: list[NoticeReport] = []

        def read(leaf: tuple[str, str | None, Any]) -> Iterator[BalanceReport]:
            yield _read_leaf(_place(leaf[0], leaf[1], known), leaf[2], time, source)

        leaves = list(_leaves(answer))
        known = _Names(leaves)
        for report in each(leaves, read):
            if isinstance(report, NoticeReport):
                notices.append(report)
            else:
                reports.setdefault(Place(report.currency, report.wallet), report)
        gone = [_empty(place, time, source) for place in sorted(self._listed - reports.keys(), key=str)]
        if not notices:
            # Else what could not be read would seem to be gone.
            self._listed = set(reports)
            return (*reports.values(), *gone, Listed("balances"))
        self._listed |= reports.keys()
        return (*reports.values(), *self._new(notices))

    def _new(self, notices: list[NoticeReport]) -> Iterator[NoticeReport]:
        for notice in notices:
            complaint = f"{notice.text} {notice.element}"
            if complaint not in self._complaints:
                self._complaints.add(complaint)
                yield notice


Leaf = tuple[str, str | None, Any]
