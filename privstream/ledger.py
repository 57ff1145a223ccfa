"""What one account has told so far: makes events of reports, each fact once.

The one rule: nothing is told twice and state never runs backwards. A report may be
partial, late, repeated or out of order; an event is whole, and its `id` names the
fact. Pure: no I/O, no clock.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from msgspec import UNSET, Raw, UnsetType

from privstream.events import (
    AnyEvent,
    Balance,
    Gap,
    Notice,
    Order,
    Position,
    Price,
    Recovered,
    Source,
    Trade,
)
from privstream.exact import encode
from privstream.known_balances import KnownBalances
from privstream.known_orders import KnownOrder
from privstream.recent import Occurrences, Recent
from privstream.wire import (
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

MEMORY = 4096
"""Ended orders kept to tell late news of them from news."""
TRADES = 100_000
"""Trade ids kept; reading back overlaps by a minute, so this many fills a minute are safe."""


@dataclass(frozen=True)
class View:
    """Whose ledger it is, and what of it the user wants to see."""

    exchange: str
    account: str
    channels: frozenset[str]
    symbols: frozenset[str] = frozenset()
    """Unified or exchange spelling, upper case; empty means all."""
    snapshot: bool = True
    raw: bool = False


class Ledger:
    """One account's memory."""

    def __init__(self, view: View, started: str | None = None) -> None:
        self.view = view
        self.started = started
        """Fills and endings before this time are history and not told; `None` tells all."""
        self.connection = 1
        self.wanted: set[str] = set()
        """Orders that must be looked up before their news can be told."""
        self.symbols: set[str] = set()
        self._tells_orders = "orders" in view.channels
        self._orders: dict[str, KnownOrder] = {}
        self._ended: deque[str] = deque()
        self._trades = Recent(TRADES)
        self._balances = KnownBalances(view.account)
        self._positions: dict[str, str] = {}
        self._position_ids = Occurrences(MEMORY)
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
        return list(self._take[type(report)](report))

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
        return Gap(
            exchange=self.view.exchange,
            account=self.view.account,
            id=None,
            time=None,
            received=until,
            source="stream",
            sequence=None,
            cause=cause,
            from_=since,
            to=until,
            complete=complete,
            recovered=self.recovered(),
            detail=detail,
        )

    # --- orders and fills --------------------------------------------------------------

    def _take_order(self, report: OrderReport) -> Iterable[AnyEvent]:
        order = self._orders.get(report.order_id)
        if order is None:
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
            if first and report.source != "stream" and self._before_start(report):
                return
        fields = order.fields
        if not self._tells_orders or not self._shows(
            fields.get("symbol"), fields.get("exchange_symbol")
        ):
            return
        source = self._source(report)
        if source is None:
            return
        fee, fee_currency = order.fee()
        if source == "rest":
            self._read_back["order"] += 1
        yield Order(
            exchange=self.view.exchange,
            account=self.view.account,
            id=f"{self.view.account}:order:{order.order_id}:{state}",
            time=report.time,
            received=self._received,
            source=source,
            sequence=report.sequence,
            order_id=order.order_id,
            client_order_id=fields.get("client_order_id"),
            symbol=fields.get("symbol"),
            exchange_symbol=fields.get("exchange_symbol"),
            side=fields.get("side"),
            order_type=fields.get("order_type"),
            time_in_force=fields.get("time_in_force"),
            status=fields.get("status", "unknown"),
            exchange_status=fields.get("exchange_status"),
            price=fields.get("price"),
            stop_price=fields.get("stop_price"),
            quantity=fields.get("quantity"),
            quote_quantity=fields.get("quote_quantity"),
            filled=fields.get("filled"),
            remaining=order.remaining(),
            average_price=fields.get("average_price"),
            cost=fields.get("cost"),
            fee=fee,
            fee_currency=fee_currency,
            reason=fields.get("reason"),
            created=fields.get("created"),
            raw=self._raw(report),
        )

    def _forget_later(self, order_id: str) -> None:
        self._ended.append(order_id)
        if len(self._ended) > MEMORY:
            self._orders.pop(self._ended.popleft(), None)

    def _take_fill(self, fill: Fill) -> Iterable[AnyEvent]:
        view = self.view
        key = fill.key or fill.trade_id
        if not self._trades.add(key):
            return ()
        known: OrderFields = {}
        if fill.order_id is not None:
            known = self._note_fill(fill.order_id, fill)
        if "trades" not in view.channels or not self._shows(fill.symbol, fill.exchange_symbol):
            return ()
        if fill.source != "stream" and self._before_start(fill):
            return ()
        source = self._source(fill)
        if source is None:
            return ()
        if source == "rest":
            self._read_back["trade"] += 1
        # Positional, since naming 22 keys would cost a microsecond: see events.Trade.
        return (
            Trade(
                view.exchange,
                view.account,
                f"{view.account}:trade:{key}",
                fill.time,
                self._received,
                source,
                fill.sequence,
                fill.trade_id,
                fill.order_id,
                fill.client_order_id or known.get("client_order_id"),
                fill.symbol or known.get("symbol"),
                fill.exchange_symbol,
                fill.side,
                fill.order_type or known.get("order_type"),
                fill.liquidity,
                fill.price,
                fill.quantity,
                fill.cost,
                fill.fee,
                fill.fee_currency,
                fill.estimated,
                self._raw(fill),
            ),
        )

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
            if source is not None:
                yield self._balance(told, source)

    def _balance(self, told: tuple[str, BalanceReport], source: Source) -> Balance:
        identity, report = told
        if source == "rest":
            self._read_back["balance"] += 1
        return Balance(
            exchange=self.view.exchange,
            account=self.view.account,
            id=identity,
            time=report.time,
            received=self._received,
            source=source,
            sequence=report.sequence,
            currency=report.currency,
            exchange_currency=report.exchange_currency,
            wallet=report.wallet,
            total=report.total,
            available=report.available,
            hold=report.hold,
            change=report.change,
            reason=report.reason,
            raw=self._raw(report),
        )

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
        identity = self._position_ids.name(f"{self.view.account}:position:{state}")
        source = self._source(report)
        if (
            source is None
            or "positions" not in self.view.channels
            or not self._shows(report.symbol, report.exchange_symbol)
        ):
            return
        yield Position(
            exchange=self.view.exchange,
            account=self.view.account,
            id=identity,
            time=report.time,
            received=self._received,
            source=source,
            sequence=report.sequence,
            position_id=report.position_id,
            symbol=report.symbol,
            exchange_symbol=report.exchange_symbol,
            side=report.side,
            quantity=report.quantity,
            entry_price=report.entry_price,
            liquidation_price=report.liquidation_price,
            leverage=report.leverage,
            unrealized_pnl=report.unrealized_pnl,
            status=report.status,
            raw=self._raw(report),
        )

    def _take_price(self, report: PriceReport) -> Iterable[AnyEvent]:
        if "prices" not in self.view.channels or not self._shows(
            report.symbol, report.exchange_symbol
        ):
            return
        yield Price(
            exchange=self.view.exchange,
            account=self.view.account,
            id=None,
            time=report.time,
            received=self._received,
            source=report.source,
            sequence=report.sequence,
            symbol=report.symbol,
            exchange_symbol=report.exchange_symbol,
            bids=report.bids,
            asks=report.asks,
            raw=self._raw(report),
        )

    def _take_notice(self, report: NoticeReport) -> Iterable[AnyEvent]:
        always = report.code == "unrecognised"
        yield Notice(
            exchange=self.view.exchange,
            account=self.view.account,
            id=None,
            time=report.time,
            received=self._received,
            source=report.source,
            sequence=report.sequence,
            level=report.level,
            code=report.code,
            text=report.text,
            raw=Raw(encode(report.element)) if always else self._raw(report),
        )

    # --- what is shown -----------------------------------------------------------------

    def _raw(self, report: AnyReport) -> Raw | UnsetType:
        return Raw(encode(report.element)) if self.view.raw else UNSET

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
        wanted = self.view.symbols
        if not wanted:
            return True
        return any(name and name.upper() in wanted for name in (symbol, exchange_symbol))
