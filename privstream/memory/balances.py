"""The balances of one account: each state once.

The one rule: a balance is emitted again only when its amounts are others than the last
ones emitted; one that comes back to old amounts has an id of its own. Pure.
"""

from collections.abc import Iterator

import msgspec

from privstream.memory.remembered import Remembered, StateNames
from privstream.memory.run import Run
from privstream.model.events import Balance
from privstream.model.exact import add, encode, is_near, normal, subtract
from privstream.model.reports import BalanceReport

State = tuple[str, str, str]
"""Total, available and hold, in one spelling per value."""
Place = tuple[str, str | None]
"""Currency and wallet."""
Places = frozenset[Place]
STATES = 4096
"""States of one balance kept apart; from there on each has a number."""


class KeptBalance(msgspec.Struct, frozen=True, array_like=True):
    """What is kept of a balance for the next run."""

    total: str
    available: str
    hold: str
    exchange_currency: str | None = None
    by_key: bool | None = None
    count: int = 0


class KnownBalance:
    """One currency in one wallet as it was told last."""

    __slots__ = ("by_key", "exchange_currency", "listed", "names", "state")

    def __init__(self, exchange_currency: str) -> None:
        self.exchange_currency = exchange_currency
        self.state: State | None = None
        self.by_key = False
        """Its changes come one by one, each with an id: no list has it."""
        self.listed = 0
        """The last connection that told of it."""
        self.names = StateNames(STATES)


class Balances:
    """What is known of every balance."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._known: dict[Place, KnownBalance] = {}
        self._totals: dict[str, str] = {}
        """Per currency over all wallets, followed by the stated changes."""
        self._stated: dict[str, str | None] = {}
        """The total of each currency that was stated last, of whatever wallet."""
        self._changes = Remembered()
        """Ids of changes."""

    def take(self, report: BalanceReport) -> list[Balance]:
        """An event, where the balance is news."""
        report = _completed(report)
        name = self._news(report)
        if name is None or not self._run.emits("balances"):
            return []
        run, source = self._run, self._run.source_of(report)
        identity = f"{run.view.account}:balance:{name}" if source else None
        if run.journal is not None:
            self._note(report, name, identity)
        if source is None or identity is None:
            return []
        run.count("balance", source)
        return [run.make.balance(report, identity, source, run.received)]

    def _news(self, report: BalanceReport) -> str | None:
        """The name of the new state, or `None` where it is no news."""
        place = (report.currency, report.wallet)
        known = self._known.get(place)
        if known is not None:
            known.listed = self._run.connection
        if report.key is not None:
            return self._take_change(report, report.key)
        self._stated[report.currency] = report.total
        if self._is_known(report):
            return None
        known = self._place(report)
        known.state = _state(report)
        if report.total is not None and report.wallet is None:
            self._totals[report.currency] = report.total
        return known.names.name(_name(report))

    def _place(self, report: BalanceReport) -> KnownBalance:
        place = (report.currency, report.wallet)
        known = self._known.get(place)
        if known is None:
            known = self._known[place] = KnownBalance(report.exchange_currency)
            known.listed = self._run.connection
        return known

    def _take_change(self, report: BalanceReport, key: str) -> str | None:
        if self._changes.has(key, report.time):
            return None
        self._changes.add(key, report.time, self._run.received)
        known = self._place(report)
        known.by_key, known.state = True, _state(report)
        self._stated[report.currency] = report.total
        self._follow(report)
        return key

    def _follow(self, report: BalanceReport) -> None:
        """A change names one wallet; the total over all wallets moves by as much."""
        before = self._totals.get(report.currency)
        if before is None or report.change is None:
            return
        after = add(before, report.change)
        self._totals[report.currency] = after if report.fee is None else subtract(after, report.fee)

    # --- what is known -----------------------------------------------------------------

    def state(self, currency: str, wallet: str | None) -> tuple[object, ...]:
        """What is known of a balance, and of its currency over all wallets."""
        stated = self._stated.get(currency) if wallet is None else None
        return self._state_of((currency, wallet)), self._totals.get(currency), stated

    def _state_of(self, place: Place) -> State | None:
        known = self._known.get(place)
        return None if known is None else known.state

    def would_emit(self, report: BalanceReport) -> bool:
        """Whether it would be news."""
        return self._run.emits("balances") and not self._is_known(_completed(report))

    def differs(self, report: BalanceReport, digits: int | None) -> bool:
        """Its total is another one than was stated last; what never was is not compared.

        Without a wallet it is of a currency that is in one wallet only.
        """
        stated = self._stated.get(report.currency)
        if report.wallet is not None:
            state = self._state_of((report.currency, report.wallet))
            stated = state[0] if state is not None else None
        if not stated or report.total is None or not self._run.emits("balances"):
            return False
        return not is_near(stated, report.total, digits)

    def unlisted(self, places: Places | None) -> Iterator[BalanceReport]:
        """Balances that a complete list left out: nothing is in them any more."""
        for (currency, wallet), known in list(self._known.items()):
            if places is None:
                is_listed = wallet is not None or known.listed == self._run.connection
            else:
                is_listed = known.by_key or (currency, wallet) in places
            if not is_listed and known.state is not None and not _is_nothing(known.state):
                yield BalanceReport(
                    currency=currency,
                    exchange_currency=known.exchange_currency,
                    wallet=wallet,
                    total="0",
                    source=self._run.source_of_end,
                )

    def _is_known(self, report: BalanceReport) -> bool:
        state, before = _state(report), self._state_of((report.currency, report.wallet))
        if before is None and report.source != "stream" and _is_nothing(state):
            return True  # a coin with nothing in it
        if report.wallet is not None:
            return before == state
        # Changes name wallets of their own: they may have moved the total there, or back.
        return self._is_followed(report) and (before == state or report.available is None)

    def _is_followed(self, report: BalanceReport) -> bool:
        """The changes told already lead to this total."""
        followed = self._totals.get(report.currency)
        return followed is not None and normal(followed) == normal(report.total)

    def forget(self, proven: str) -> None:
        """Everything until this moment was delivered."""
        self._changes.forget(proven)

    # --- across runs -------------------------------------------------------------------

    def _note(self, report: BalanceReport, name: str, event: str | None) -> None:
        """What the next run must know of this report, which `event` emits."""
        journal = self._run.journal
        place = (report.currency, report.wallet)
        known = self._known[place]
        if journal is None or known.state is None:
            return
        count = known.names.count
        if report.key is not None:
            journal.keep("change", name, (report.time or "").encode(), event=event)
        else:
            value = msgspec.json.encode(count)
            journal.keep("balance_id", _name(report), value, event=event)
        kept = KeptBalance(*known.state, known.exchange_currency, known.by_key, count)
        key = encode(place).decode()
        journal.keep("balance", key, msgspec.json.encode(kept), event=event, lasting=True)
        if (total := self._totals.get(report.currency)) is not None:
            journal.keep("total", report.currency, total.encode(), event=event, lasting=True)

    def restore(self, kind: str, key: str, value: bytes) -> None:
        """What a run before noted."""
        match kind:
            case "change":
                self._changes.restore(key, value.decode() or None)
            case "balance_id":
                self._restore_name(key, msgspec.json.decode(value, type=int))
            case "balance":
                self._restore_state(msgspec.json.decode(key, type=Place), value)
            case "total":
                self._totals[key] = value.decode()

    def _restore_name(self, name: str, count: int) -> None:
        # The first version kept it with the account in front.
        name = name.removeprefix(f"{self._run.view.account}:balance:")
        currency, wallet, *_ = name.split(":")
        known = self._known.setdefault((currency, wallet or None), KnownBalance(currency))
        known.names.recall(name, count)

    def _restore_state(self, place: Place, value: bytes) -> None:
        kept = msgspec.json.decode(value, type=KeptBalance)
        known = self._known.setdefault(place, KnownBalance(place[0]))
        known.state = kept.total, kept.available, kept.hold
        known.exchange_currency = kept.exchange_currency or place[0]
        # The first version did not say; no list that it knew had a wallet's name.
        known.by_key = place[1] is not None if kept.by_key is None else kept.by_key
        known.names.recall(None, kept.count)


def _name(report: BalanceReport) -> str:
    return ":".join((report.currency, report.wallet or "", *_state(report)))


def _state(report: BalanceReport) -> State:
    return normal(report.total), normal(report.available), normal(report.hold)


def _is_nothing(state: State) -> bool:
    """Nothing is in it, as is surely known: what is unknown is not nothing."""
    total, available, hold = state
    return total == "0" or (not total and available == hold == "0")


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
