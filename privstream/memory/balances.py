"""What is known of each balance, to tell only what changed.

The one rule: a balance is told again only when its amounts are others than the last
ones told. Pure.
"""

from collections.abc import Iterator

import msgspec

from privstream.memory.journal import Journal
from privstream.model.exact import add, encode, is_near, normal, subtract
from privstream.model.recent import Occurrences, Recent
from privstream.model.reports import BalanceReport

State = tuple[str, str, str]
"""Total, available and hold, in one spelling per value."""
NOTHING = {"", "0"}
CHANGES = 20_000
"""Ids of changes and of states kept, to tell none twice."""


class KnownBalances:
    """The balances of one account."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._states: dict[tuple[str, str | None], State] = {}
        self._totals: dict[str, str] = {}
        """Per currency over all wallets, followed by the stated changes."""
        self._stated: dict[str, str | None] = {}
        """The total of each currency that was stated last, of whatever wallet."""
        self._changes = Recent(CHANGES)
        self._identities = Occurrences(CHANGES)
        self._listed: set[tuple[str, str | None]] = set()

    def reconnected(self) -> None:
        """The next snapshot lists anew."""
        self._listed.clear()

    def take(self, report: BalanceReport) -> tuple[str, BalanceReport] | None:
        """The id and the completed report, or `None` where it is no news."""
        report = _completed(report)
        place = (report.currency, report.wallet)
        if report.source != "stream":
            self._listed.add(place)
        if report.key is not None:
            return self._take_change(report, place)
        self._stated[report.currency] = report.total
        if self._is_known(report, place):
            return None
        self._states[place] = _state(report)
        if report.total is not None and report.wallet is None:
            self._totals[report.currency] = report.total
        return self._identities.name(self._name(report)), report

    def state(self, currency: str, wallet: str | None) -> tuple[object, ...]:
        """What is known of a balance, and of its currency over all wallets."""
        stated = self._stated.get(currency) if wallet is None else None
        return self._states.get((currency, wallet)), self._totals.get(currency), stated

    def would_tell(self, report: BalanceReport) -> bool:
        """Whether it would be news."""
        report = _completed(report)
        return not self._is_known(report, (report.currency, report.wallet))

    def differs(self, report: BalanceReport, digits: int | None) -> bool:
        """Its total is another one than was stated last; what never was is not compared.

        Without a wallet it is of a currency that is in one wallet only.
        """
        stated = self._stated.get(report.currency)
        if report.wallet is not None:
            state = self._states.get((report.currency, report.wallet))
            stated = state[0] if state is not None else None
        if not stated or report.total is None:
            return False
        return not is_near(stated, report.total, digits)

    def unlisted(self) -> Iterator[BalanceReport]:
        """Balances that a complete list left out: nothing is in them any more."""
        for (currency, wallet), state in list(self._states.items()):
            listed = (currency, wallet) in self._listed
            if not listed and wallet is None and not set(state) <= NOTHING:
                yield BalanceReport(
                    currency=currency,
                    exchange_currency=currency,
                    wallet=wallet,
                    total="0",
                    source="snapshot",
                )

    # --- across runs -------------------------------------------------------------------

    def note(self, journal: Journal, event: str | None, report: BalanceReport) -> None:
        """What the next run must know of this report, which `event` tells."""
        place = (report.currency, report.wallet)
        if report.key is not None:
            journal.keep("change", report.key, event=event)
        else:
            name = self._name(report)
            times = msgspec.json.encode(self._identities.times(name))
            journal.keep("balance_id", name, times, event=event)
        journal.keep("balance", _key(place), encode(self._states[place]), event=event, lasting=True)
        if (total := self._totals.get(report.currency)) is not None:
            journal.keep("total", report.currency, total.encode(), event=event, lasting=True)

    def recall(self, kind: str, key: str, value: bytes) -> None:
        """What a run before noted."""
        match kind:
            case "change":
                self._changes.add(key)
            case "balance_id":
                self._identities.recall(key, msgspec.json.decode(value, type=int))
            case "balance":
                place = msgspec.json.decode(key, type=tuple[str, str | None])
                self._states[place] = msgspec.json.decode(value, type=State)
            case "total":
                self._totals[key] = value.decode()

    # --- below -------------------------------------------------------------------------

    def _take_change(
        self, report: BalanceReport, place: tuple[str, str | None]
    ) -> tuple[str, BalanceReport] | None:
        key = report.key or ""
        if not self._changes.add(key):
            return None
        self._states[place] = _state(report)
        self._stated[report.currency] = report.total
        self._follow(report)
        return f"{self._account}:balance:{key}", report

    def _follow(self, report: BalanceReport) -> None:
        """A change names one wallet; the total over all wallets moves by as much."""
        before = self._totals.get(report.currency)
        if before is None or report.change is None:
            return
        after = add(before, report.change)
        self._totals[report.currency] = after if report.fee is None else subtract(after, report.fee)

    def _is_known(self, report: BalanceReport, place: tuple[str, str | None]) -> bool:
        state = _state(report)
        if place not in self._states and report.source != "stream" and set(state) <= NOTHING:
            return True  # a coin with nothing in it
        same = self._states.get(place) == state
        if report.wallet is not None:
            return same
        # Changes name wallets of their own: they may have moved the total there, or back.
        return self._followed(report) and (same or report.available is None)

    def _followed(self, report: BalanceReport) -> bool:
        """The changes told already lead to this total."""
        followed = self._totals.get(report.currency)
        return followed is not None and normal(followed) == normal(report.total)

    def _name(self, report: BalanceReport) -> str:
        amounts = ":".join(_state(report))
        return f"{self._account}:balance:{report.currency}:{report.wallet or ''}:{amounts}"


def _key(place: tuple[str, str | None]) -> str:
    return encode(place).decode()


def _state(report: BalanceReport) -> State:
    return normal(report.total), normal(report.available), normal(report.hold)


def _completed(report: BalanceReport) -> BalanceReport:
    """Hold or total, where the exchange states the other two."""
    total, available, hold = report.total, report.available, report.hold
    if total is None and available is not None and hold is not None:
        return msgspec.structs.replace(report, total=add(available, hold))
    if hold is None and total is not None and available is not None:
        held = subtract(total, available)
        # More available than there is: borrowed, or rounded; then nothing follows from them.
        return report if held.startswith("-") else msgspec.structs.replace(report, hold=held)
    return report
