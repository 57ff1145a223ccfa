"""What one account has emitted so far: makes events of reports, each fact once.

The one rule: nothing is emitted twice and state never runs backwards. A report may be
partial, late, repeated or out of order; an event is whole, and its `id` names the
fact. Pure: no I/O, no clock.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from msgspec.json import decode, encode

from privstream.memory.age import REST_LAG, Moment
from privstream.memory.balances import Balances
from privstream.memory.event_maker import View
from privstream.memory.journal import Journal
from privstream.memory.orders import Orders
from privstream.memory.positions import Positions
from privstream.memory.report_check import is_sound, mended
from privstream.memory.run import Run
from privstream.memory.trades import Trades
from privstream.model.events import AnyEvent, Gap, Recovered
from privstream.model.reports import (
    AnyReport,
    BalanceReport,
    Fill,
    Listed,
    NoticeReport,
    OrderReport,
    PositionReport,
    PriceReport,
)


class Held(NamedTuple):
    """Since when all open orders are known: those of a list, and those that were told since."""

    since: str
    is_sure: bool
    """Another list, later than REST lags, has made up for what the first may have lacked."""


class Ledger:
    """One account's memory."""

    def __init__(
        self,
        view: View,
        started: str | None = None,
        journal: Journal | None = None,
        *,
        rest_lag: float = REST_LAG,
    ) -> None:
        self.view = view
        self._run = run = Run(view, journal, Moment(rest_lag=rest_lag))
        self._moment = run.moment
        self._continues = False
        """There were runs before, and the start of the first is noted for good."""
        self.started = started
        self._orders = Orders(run)
        self._trades = Trades(run, self._orders)
        self._balances = Balances(run)
        self._positions = Positions(run)
        self._held: Held | None = None
        self._said: set[str] = set()
        """Notices that are said once a run."""
        self._take: dict[type, Callable[[Any], list[Any]]] = {
            OrderReport: self._orders.take,
            Fill: self._trades.take,
            BalanceReport: self._balances.take,
            PositionReport: self._positions.take,
            PriceReport: self._take_price,
            NoticeReport: self._take_notice,
        }

    def take(self, report: AnyReport | Listed, received: str) -> list[AnyEvent]:
        """What a report means for the user: no event, one, or several."""
        self._moment.received = received
        if isinstance(report, Listed):
            return list(self._take_listed(report))
        if report.checked or is_sound(report):
            return self._take[type(report)](report)
        report, notices = mended(report)
        return [event for one in (report, *notices) for event in self._take[type(one)](one)]

    def _take_price(self, report: PriceReport) -> list[AnyEvent]:
        run = self._run
        if run.emits("prices") and run.shows(report.symbol, report.exchange_symbol):
            return [run.make.price(report, run.received)]
        return []

    def _take_notice(self, report: NoticeReport) -> list[AnyEvent]:
        if report.once is not None:
            if report.once in self._said:
                return []
            self._said.add(report.once)
        return [self._run.make.notice(report, self._run.received)]

    def _take_listed(self, listed: Listed) -> Iterable[AnyEvent]:
        """What a complete list leaves out is no more."""
        if listed.kind == "balances":
            for balance in self._balances.unlisted(listed.places):
                yield from self._balances.take(balance)
        elif listed.kind == "positions" and listed.places is not None:
            for position in self._positions.unlisted(listed.places):
                yield from self._positions.take(position)

    # --- across runs -------------------------------------------------------------------

    @property
    def started(self) -> str | None:
        """Fills and endings before this time are history and not emitted; `None` emits all."""
        return self._run.started

    @started.setter
    def started(self, moment: str | None) -> None:
        self._run.started = moment
        journal = self._run.journal
        if journal is not None and moment is not None and not self._continues:
            journal.keep("started", "", moment.encode(), lasting=True)

    @property
    def held(self) -> Held | None:
        """Since when every open order is known; `None` where that is not so."""
        return self._held

    @held.setter
    def held(self, held: Held | None) -> None:
        journal, self._held = self._run.journal, held
        if journal is not None and held is None:
            journal.forget("held", self._shown)
        elif journal is not None and held is not None:
            journal.keep("held", self._shown, encode(held), lasting=True)

    @property
    def _shown(self) -> str:
        """Of other symbols no orders are noted for the next run."""
        return ",".join(sorted(self.view.symbols))

    def resume_from(self, proven: str) -> None:
        """A run before emitted everything until then; this one goes on from there."""
        self.started = proven
        self.reconnected()
        self._orders.resume_from(proven)
        self._trades.resume_from(proven)

    def restore(self, notes: Iterable[tuple[str, str, bytes]]) -> None:
        """Know what the runs before noted, as kind, key and value, oldest first."""
        for kind, key, value in notes:
            match kind:
                case "trade" | "history":
                    self._trades.restore(kind, key, value)
                case "order":
                    self._orders.restore(key, value)
                case "forgotten":
                    self._orders.restore_forgotten(key)
                case "position":
                    self._positions.restore(key, value)
                case "symbol":
                    self._run.symbols.add(key)
                case "started":
                    self.started = value.decode()
                case "held":
                    self._held = decode(value, type=Held) if key == self._shown else None
                case "position_id":
                    pass  # of the first version
                case _:
                    self._balances.restore(kind, key, value)
        self._continues = True

    def proven(self, until: str) -> None:
        """All that happened until then, by the exchange's clock, was emitted.

        What is older by a day is forgotten: nothing reads it back as news any more.
        """
        self._orders.forget(until)
        self._trades.forget(until)
        self._balances.forget(until)

    # --- interruptions -----------------------------------------------------------------

    @property
    def connection(self) -> int:
        """Which connection it is."""
        return self._run.connection

    def reconnected(self) -> None:
        """A new connection: what its snapshot tells anew happened while we were away."""
        self._run.moment.connection += 1
        self.count_anew()

    def count_anew(self) -> None:
        """Forget how much was read back so far."""
        self._run.read_back.clear()

    @property
    def has_recovered(self) -> bool:
        """Something was read back since."""
        return bool(self._run.read_back)

    def recovered(self) -> Recovered:
        """How many events were read back since the connection was lost."""
        back = self._run.read_back
        return Recovered(orders=back["order"], trades=back["trade"], balances=back["balance"])

    def gap(
        self,
        cause: str,
        since: str,
        until: str,
        *,
        complete: bool,
        detail: str | None,
        received: str | None = None,
    ) -> Gap:
        """The event that closes an interruption; it is told at `until`, or later."""
        return self._run.make.gap(
            cause,
            since,
            until,
            complete=complete,
            recovered=self.recovered(),
            detail=detail,
            received=received or until,
        )

    # --- what is known -----------------------------------------------------------------

    @property
    def wanted(self) -> set[str]:
        """Orders that must be looked up before their news can be emitted."""
        return self._orders.wanted

    @property
    def followed(self) -> set[str]:
        """Orders emitted at first sight even where they ended before the start."""
        return self._orders.followed

    @property
    def symbols(self) -> set[str]:
        """Exchange symbols seen so far."""
        return self._run.symbols

    @property
    def open_orders(self) -> frozenset[str]:
        return self._orders.open

    def doubt_open(self, order_ids: Iterable[str]) -> None:
        """These are open by the stream's last word, and the exchange knows them no more."""
        self._orders.doubt_open(order_ids)

    @property
    def suspects(self) -> frozenset[str]:
        """Orders held as open that this connection has not told of."""
        return self._orders.suspects

    def has_emitted(self, order_id: str) -> bool:
        """Whether anything was emitted of the order."""
        return self._orders.has_emitted(order_id)

    def settle(self, received: str, order_ids: Iterable[str] | None = None) -> list[AnyEvent]:
        """Emit what waited for a look-up, of these orders or all."""
        self._run.moment.received = received
        return list(self._orders.settle(order_ids))

    def would_emit(self, report: AnyReport) -> bool:
        """Whether taking a report that was read back would emit something; changes nothing."""
        match report:
            case Fill():
                return self._trades.would_emit(report)
            case OrderReport():
                return self._orders.would_emit(report)
            case BalanceReport():
                return self._balances.would_emit(report)
            case _:
                return False

    def differs(self, report: BalanceReport, digits: int | None) -> bool:
        """Whether REST has another total, rounded to so many digits, than was last emitted."""
        return self._balances.differs(report, digits)

    def balance(self, currency: str, wallet: str | None) -> object:
        """What is known of a balance, to see whether it has moved."""
        return self._balances.state(currency, wallet)
