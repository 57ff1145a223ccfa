"""What one account has told so far: makes events of reports, each fact once.

The one rule: nothing is told twice and state never runs backwards. A report may be
partial, late, repeated or out of order; an event is whole, and its `id` names the
fact. Pure: no I/O, no clock.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from privstream.memory.balances import KnownBalances
from privstream.memory.event_maker import Teller, View
from privstream.memory.journal import Journal
from privstream.memory.orders import KnownOrder
from privstream.memory.report_check import misshapen, without_blanks
from privstream.model.events import AnyEvent, Gap, Recovered, Source
from privstream.model.recent import Occurrences, Recent
from privstream.model.reports import (
    AnyReport,
    BalanceReport,
    Fill,
    Listed,
    NoticeReport,
    OrderFields,
    OrderReport,
    PositionReport,
    PriceReport,
)

MEMORY = 256
"""Ended orders kept whole, a kilobyte each, to tell late news of them from news."""
HISTORY = 1024
"""Ids kept of fills from before the start, and of positions that come again."""
TRADES = 100_000
"""Trade ids kept; reading back overlaps by a minute, so this many fills a minute are safe."""


class Ledger:
    """One account's memory."""

    def __init__(
        self, view: View, started: str | None = None, journal: Journal | None = None
    ) -> None:
        self.view = view
        self._tell = Teller(view)
        self._journal = journal
        """Where what is told is noted for the next run, with --resume."""
        self._continues = False
        """There were runs before, and the start of the first is noted for good."""
        self.started = started
        self.connection = 1
        self.wanted: set[str] = set()
        """Orders that must be looked up before their news can be told."""
        self.followed: set[str] = set()
        """Orders told of at first sight even where they ended before the start."""
        self.symbols: set[str] = set()
        self._tells_orders = "orders" in view.channels
        self._orders: dict[str, KnownOrder] = {}
        self._ended: deque[str] = deque()
        self._forgotten = Recent(TRADES)
        """Orders whose end was told; REST reads them back once more."""
        self._trades = Recent(TRADES)
        self._history = Recent(HISTORY)
        """Fills from before the start that a list or REST told."""
        self._balances = KnownBalances(view.account)
        self._positions: dict[str, str] = {}
        self._position_ids = Occurrences(HISTORY)
        self._said: set[str] = set()
        """Notices that are told once."""
        self._read_back: Counter[str] = Counter()
        self._received = ""
        self._take: dict[type, Callable[[Any], Iterable[AnyEvent]]] = {
            OrderReport: self._take_order,
            Fill: self._take_fill,
            BalanceReport: self._take_balance,
            PositionReport: self._take_position,
            PriceReport: self._take_price,
            NoticeReport: self._take_notice,
            Listed: self._take_listed,
        }

    def take(self, report: AnyReport | Listed, received: str) -> list[AnyEvent]:
        """What a report means for the user: no event, one, or several."""
        self._received = received
        if not isinstance(report, Listed) and (problem := misshapen(report)) is not None:
            report = _reshaped(report, problem)
        return list(self._take[type(report)](report))

    # --- across runs -------------------------------------------------------------------

    @property
    def started(self) -> str | None:
        """Fills and endings before this time are history and not told; `None` tells all."""
        return self._started

    @started.setter
    def started(self, moment: str | None) -> None:
        self._started = moment
        if self._journal is not None and moment is not None and not self._continues:
            self._journal.keep("started", "", moment.encode(), lasting=True)

    def restore(self, notes: Iterable[tuple[str, str, bytes]]) -> None:
        """Know what the runs before noted, as kind, key and value, oldest first."""
        for kind, key, value in notes:
            match kind:
                case "trade":
                    self._trades.add(key)
                case "order":
                    order = self._orders[key] = KnownOrder.restored(key, value)
                    if not order.is_open:
                        self._forget_later(key)
                case _:
                    self._recall(kind, key, value)
        self._continues = True

    def _recall(self, kind: str, key: str, value: bytes) -> None:
        match kind:
            case "started":
                self.started = value.decode()
            case "forgotten":
                self._forgotten.add(key)
            case "history":
                self._history.add(key)
            case "position":
                self._positions[key] = value.decode()
            case "position_id":
                self._position_ids.recall(key, msgspec.json.decode(value, type=int))
            case "symbol":
                self.symbols.add(key)
            case _:
                self._balances.recall(kind, key, value)

    def _note_order(self, order: KnownOrder, event: str | None) -> None:
        if self._journal is not None:
            kept = order.kept(fills="trades" in self.view.channels)
            self._journal.keep("order", order.order_id, kept, event=event, lasting=order.is_open)
            order.is_kept = True

    def _note_trade(
        self, key: str, order_id: str | None, event: str | None, kind: str = "trade"
    ) -> None:
        if self._journal is None:
            return
        self._journal.keep(kind, key, event=event)
        if order_id is not None and self._tells_orders:
            # The order's sums hold the fill: where one is kept the other must be.
            self._note_order(self._orders[order_id], event)

    # --- interruptions -----------------------------------------------------------------

    def reconnected(self) -> None:
        """A new connection: what its snapshot tells anew happened while we were away."""
        self.connection += 1
        self.count_anew()
        self._balances.reconnected()

    def count_anew(self) -> None:
        """Forget how much was read back so far."""
        self._read_back.clear()

    @property
    def has_recovered(self) -> bool:
        """Something was read back since."""
        return bool(self._read_back)

    @property
    def open_orders(self) -> frozenset[str]:
        return frozenset(order.order_id for order in self._orders.values() if order.is_open)

    @property
    def suspects(self) -> frozenset[str]:
        """Orders held as open that this connection has not told of."""
        return frozenset(
            order.order_id
            for order in self._orders.values()
            if order.is_open and order.confirmed < self.connection
        )

    def has_told(self, order_id: str) -> bool:
        """Whether anything was told of the order."""
        order = self._orders.get(order_id)
        return order_id in self._forgotten or (order is not None and order.has_been_told)

    def recovered(self) -> Recovered:
        """How many events were read back since the connection was lost."""
        back = self._read_back
        return Recovered(orders=back["order"], trades=back["trade"], balances=back["balance"])

    def settle(self, received: str) -> list[AnyEvent]:
        """Tell what waited for a look-up, whole if the look-up brought it, else as it is."""
        events: list[AnyEvent] = []
        for order_id in sorted(self.wanted):
            order = self._orders[order_id]
            order.looked_up = True
            waiting, order.parked = order.parked, []
            for report in waiting:
                events += self.take(report, received)
        self.wanted.clear()
        return events

    def gap(self, cause: str, since: str, until: str, *, complete: bool, detail: str | None) -> Gap:
        """The event that closes an interruption."""
        return self._tell.gap(
            cause, since, until, complete=complete, recovered=self.recovered(), detail=detail
        )

    # --- orders and fills --------------------------------------------------------------

    def _take_order(self, report: OrderReport) -> Iterable[AnyEvent]:
        order = self._orders.get(report.order_id)
        if order is None:
            if report.source != "stream" and report.order_id in self._forgotten:
                return
            order = self._orders[report.order_id] = KnownOrder(report.order_id)
        lagging = report.source == "rest"
        if lagging and order.parked and not order.looked_up:
            self._take_looked_up(order, report)
            return
        tells = self._tells_orders
        if not (lagging or order.looked_up or order.would_be_whole(report.fields)) and tells:
            order.parked.append(report)
            self.wanted.add(order.order_id)
            return
        order.merge(report.fields, lagging=lagging and order.confirmed == self.connection)
        if not lagging:
            order.confirmed = self.connection
        yield from self._tell_order(order, report)

    def _take_looked_up(self, order: KnownOrder, report: OrderReport) -> None:
        """The terms of an order whose own news wait; they follow with `settle`."""
        base = {
            key: value for key, value in report.fields.items() if key not in {"status", "reason"}
        }
        order.merge(base, lagging=False)  # type: ignore[arg-type]  # still OrderFields

    def _tell_order(self, order: KnownOrder, report: OrderReport) -> Iterable[AnyEvent]:
        first = not order.has_been_told
        state = order.next_state()
        if state is None:
            return
        if not order.is_open:
            self._forget_later(order.order_id)
            is_past = report.source != "stream" and self._before_start(report)
            if first and is_past and order.order_id not in self.followed:
                return
        fields = order.fields
        if not self._shows(fields.get("symbol"), fields.get("exchange_symbol")):
            order.is_kept = False
            return
        if not self._tells_orders:
            if order.is_open or order.is_kept:  # its fills may be read back by its id only
                self._note_order(order, None)
            return
        source = self._source(report)
        if source is None:
            self._note_order(order, None)
            return
        identity = f"{self.view.account}:order:{order.order_id}:{state}"
        self._note_order(order, identity)
        if source == "rest":
            self._read_back["order"] += 1
        yield self._tell.order(order, report, identity, source, self._received)

    def _forget_later(self, order_id: str) -> None:
        self._ended.append(order_id)
        if len(self._ended) <= MEMORY:
            return
        oldest = self._orders.get(self._ended.popleft())
        if oldest is None or oldest.is_open:  # a fill came before its order: that is news yet
            return
        del self._orders[oldest.order_id]
        if not oldest.has_been_told:
            return
        self._forgotten.add(oldest.order_id)
        if self._journal is not None and oldest.is_kept:
            self._journal.forget("order", oldest.order_id)
            self._journal.keep("forgotten", oldest.order_id)

    def _take_fill(self, fill: Fill) -> Iterable[AnyEvent]:
        view = self.view
        key = fill.key or fill.trade_id
        if key in self._trades:
            return ()
        if fill.source != "stream" and self._before_start(fill):
            self._remember_history(key, fill)
            return ()
        self._trades.add(key)
        known = self._order_of(key, fill)
        if "trades" not in view.channels or not self._shows(fill.symbol, fill.exchange_symbol):
            return ()
        source = self._source(fill)
        if source is None:
            self._note_trade(key, fill.order_id, None)
            return ()
        if source == "rest":
            self._read_back["trade"] += 1
        identity = f"{view.account}:trade:{key}"
        if self._journal is not None:
            self._note_trade(key, fill.order_id, identity)
        return (self._tell.trade(fill, known, identity, source, self._received),)

    def _remember_history(self, key: str, fill: Fill) -> None:
        """A fill from before the start. Should the stream tell it yet, it was none: clocks differ."""
        if self._history.add(key) and fill.order_id is not None:
            self._note_fill(fill.order_id, fill)
            self._note_trade(key, fill.order_id, None, "history")

    def _order_of(self, key: str, fill: Fill) -> OrderFields:
        """What is known of a new fill's order, which has the fill from now on."""
        if fill.order_id is None:
            return {}
        if key in self._history:
            return self._orders[fill.order_id].fields if fill.order_id in self._orders else {}
        return self._note_fill(fill.order_id, fill)

    def _note_fill(self, order_id: str, fill: Fill) -> OrderFields:
        """Add the fill to its order, and return what is known of that."""
        order = self._orders.get(order_id)
        if order is None:
            # It may be news of an order that ended long ago: kept only for a while.
            order = self._orders[order_id] = KnownOrder(order_id)
            self._forget_later(order_id)
        if self._tells_orders:
            order.fills.take(fill)
        return order.fields

    # --- balances, positions, words ----------------------------------------------------

    def _take_balance(self, report: BalanceReport) -> Iterable[AnyEvent]:
        told = self._balances.take(report)
        if told is not None and "balances" in self.view.channels:
            source = self._source(report)
            if self._journal is not None:
                self._balances.note(self._journal, told[0] if source else None, told[1])
            if source is not None:
                if source == "rest":
                    self._read_back["balance"] += 1
                yield self._tell.balance(told[1], told[0], source, self._received)

    def _take_listed(self, listed: Listed) -> Iterable[AnyEvent]:
        """What a complete list leaves out is no more."""
        if listed.kind == "balances":
            for report in self._balances.unlisted():
                yield from self._take_balance(report)

    def _take_position(self, report: PositionReport) -> Iterable[AnyEvent]:
        key = report.position_id or report.exchange_symbol or ""
        state = f"{key}:{report.side}:{report.quantity}:{report.entry_price}:{report.status}"
        if self._positions.get(key) == state:
            return
        self._positions[key] = state
        name = f"{self.view.account}:position:{state}"
        identity = self._position_ids.name(name)
        source = self._source(report)
        if "positions" not in self.view.channels or not self._shows(
            report.symbol, report.exchange_symbol
        ):
            return
        self._note_position(key, name, identity if source else None)
        if source is None:
            return
        yield self._tell.position(report, identity, source, self._received)

    def _note_position(self, key: str, name: str, event: str | None) -> None:
        if self._journal is None:
            return
        state = self._positions[key]
        times = msgspec.json.encode(self._position_ids.times(name))
        self._journal.keep("position_id", name, times, event=event)
        is_open = not state.endswith(":closed")
        self._journal.keep("position", key, state.encode(), event=event, lasting=is_open)

    def _take_price(self, report: PriceReport) -> Iterable[AnyEvent]:
        if "prices" not in self.view.channels or not self._shows(
            report.symbol, report.exchange_symbol
        ):
            return
        yield self._tell.price(report, self._received)

    def _take_notice(self, report: NoticeReport) -> Iterable[AnyEvent]:
        if report.once is None or report.once not in self._said:
            if report.once is not None:
                self._said.add(report.once)
            yield self._tell.notice(report, self._received)

    def would_tell(self, report: AnyReport) -> bool:
        """Whether taking a report that was read back would tell something; changes nothing."""
        match report:
            case Fill():
                return (report.key or report.trade_id) not in self._trades and not (
                    self._before_start(report)
                )
            case OrderReport():
                known = self._orders.get(report.order_id)
                if known is None or not known.fields:  # at most a fill told of it
                    is_past = self._before_start(report) or report.order_id in self._forgotten
                    return self._tells_orders and not is_past
                return known.would_change(report.fields, lagging=known.confirmed == self.connection)
            case BalanceReport():
                return "balances" in self.view.channels and self._balances.would_tell(report)
            case _:
                return False

    def differs(self, report: BalanceReport, digits: int | None) -> bool:
        """Whether REST has another total, rounded to so many digits, than was last told."""
        return "balances" in self.view.channels and self._balances.differs(report, digits)

    def balance(self, currency: str, wallet: str | None) -> object:
        """What is known of a balance, to see whether it has moved."""
        return self._balances.state(currency, wallet)

    # --- what is shown -----------------------------------------------------------------

    def _before_start(self, report: AnyReport) -> bool:
        return self.started is not None and report.time is not None and report.time < self.started

    def _source(self, report: AnyReport) -> Source | None:
        """Where the event comes from, or `None` where the user does not want to see it."""
        if report.source != "snapshot":
            return report.source
        if self.connection > 1:
            return "rest"
        return "snapshot" if self.view.snapshot else None

    def _shows(self, symbol: str | None, exchange_symbol: str | None) -> bool:
        if exchange_symbol is not None and exchange_symbol not in self.symbols:
            self.symbols.add(exchange_symbol)
            if self._journal is not None:
                self._journal.keep("symbol", exchange_symbol, lasting=True)
        wanted = self.view.symbols
        if not wanted:
            return True
        return any(name and name.upper() in wanted for name in (symbol, exchange_symbol))


def _reshaped(report: AnyReport, problem: str) -> AnyReport:
    """The report without its empty texts, where only these were wrong with it; else a notice."""
    filled = without_blanks(report)
    if misshapen(filled) is None:
        return filled
    return NoticeReport(
        level="warning",
        code="unrecognised",
        text=f"cannot read this element: {problem}",
        element=report.element,
    )
