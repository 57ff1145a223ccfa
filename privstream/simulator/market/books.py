"""The account's books: orders, fills and ledger entries, kept exactly.

The one rule: money moves nowhere else, and every move is a ledger entry, so that
at any moment a balance is its opening plus the entries since.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from typing import Literal, TypeVar

from msgspec.structs import replace

from privstream.simulator.market.values import (
    ZERO,
    Entry,
    EntryType,
    Fees,
    Happening,
    Identify,
    Kind,
    Order,
    Reason,
    Trade,
    What,
)

Row = TypeVar("Row")
TICK_NS = 100  # no exchange tells time more finely, so that every moment can be named exactly


class Books:
    """One account: what it owns, what it ordered, what came of it."""

    beside: "Books | None" = None
    """Other books of the same account, whose money is told along with that of these."""

    def __init__(
        self, identify: Identify, fees: Fees, opening: Mapping[str, Decimal], step_ns: int = 11_700
    ) -> None:
        self.fees = fees
        self._step_ns = max(TICK_NS, step_ns - step_ns % TICK_NS)  # from one word to the next
        self.balances = dict(opening)
        self.holds = dict.fromkeys(opening, ZERO)
        self.orders: dict[str, Order] = {}
        self.open: dict[str, Order] = {}
        self.ends: dict[str, int] = {}
        """When those end by themselves that are open until a date."""
        self.trades: dict[str, Trade] = {}
        self.entries: dict[str, Entry] = {}
        self.happenings: list[Happening] = []
        self.forgotten = 0
        self.time_ns = 0
        self._identify = identify
        self._serials: dict[Kind, int] = {"order": 0, "trade": 0, "entry": 0}
        self._held: dict[str, Decimal] = {}
        self.cover: Callable[[str, Decimal], None] = lambda _currency, _left: None
        """Called before an entry, with the balance that it would leave here."""

    def at(self, time_ns: int) -> None:
        """It is now so late."""
        self.time_ns = max(time_ns - time_ns % TICK_NS, self.time_ns)

    def count_from(self, serial: int) -> None:
        """Number what comes next from here, so that equal lives give equal ids."""
        self._serials = dict.fromkeys(self._serials, serial)

    def available(self, currency: str) -> Decimal:
        return self.balances[currency] - self.holds[currency]

    # --- orders ------------------------------------------------------------------------

    def place(self, order: Order) -> Order:
        """Take an order; its id, number and time are given here."""
        return self.activate(self.take(order).order_id)

    def take(self, order: Order) -> Order:
        """Take an order that is not live yet."""
        order_id, serial = self._name("order")
        moment = self._moment()
        order = replace(
            order, order_id=order_id, serial=serial, created_ns=moment, updated_ns=moment
        )
        return self._keep(order, "placed")

    def activate(self, order_id: str) -> Order:
        return self._change(self.open[order_id], "opened", status="open")

    def trail(self, order_id: str, stop_price: Decimal, price: Decimal | None) -> Order:
        """The market has gone the order's way, and its stop and limit have followed."""
        return self._change(self.open[order_id], "trailed", stop_price=stop_price, price=price)

    def amend(self, order_id: str, **changes: Decimal) -> Order:
        """The user wants another amount, or another price."""
        return self._change(self.open[order_id], "amended", amended=True, **changes)

    def trigger(self, order_id: str) -> Order:
        moment = self.time_ns + self._step_ns
        return self._change(self.open[order_id], "triggered", triggered=True, triggered_ns=moment)

    def fill(self, order_id: str, quantity: Decimal, price: Decimal, *, maker: bool) -> Trade:
        """Fill a part of an order or the rest of it."""
        order = self.open[order_id]
        cent = Decimal(1).scaleb(-order.symbol.cost_digits)
        cost = (quantity * price).quantize(cent, ROUND_DOWN)
        got, fee_cent = cost, cent
        if self.fee_currency(order) == order.symbol.base:
            got, fee_cent = quantity, Decimal(1).scaleb(-order.symbol.base_fee_digits)
        fee = self.fees.charged(got, fee_cent, maker=maker)
        trade = self._trade(order, quantity, price, cost=cost, fee=fee, maker=maker)
        if not trade.order.remaining:
            self._close(trade.order, "filled")
        self._pay(trade)
        return trade

    def fee_currency(self, order: Order) -> str:
        """What the fee of its fills is charged in."""
        return self.fees.currency(order.symbol, order.side)

    def cancel(self, order_id: str, reason: Reason = "requested") -> Order:
        return self._close(self.open[order_id], "canceled", reason)

    def expire(self, order_id: str) -> Order:
        return self._close(self.open[order_id], "expired")

    def transfer(self, currency: str, amount: Decimal) -> None:
        """Money comes from outside, or goes there."""
        entry_id, serial = self._name("entry")
        kind: EntryType = "deposit" if amount > 0 else "withdrawal"
        reference = self._identify("entry", -serial)  # of the bank or the chain
        self._book(entry_id, reference=reference, kind=kind, currency=currency, amount=amount)

    # --- time that is past -------------------------------------------------------------

    def forget(self, before_ns: int) -> None:
        """Drop the history of before, so that hours do not fill the memory."""
        _drop_until(self.orders, [o.created_ns for o in self.orders.values()], before_ns)
        self._keep_open_ones()
        _drop_until(self.trades, [t.time_ns for t in self.trades.values()], before_ns)
        _drop_until(self.entries, [e.time_ns for e in self.entries.values()], before_ns)
        old = bisect_left(self.happenings, before_ns, key=lambda h: h.time_ns)
        del self.happenings[:old]
        self.forgotten += old

    def _keep_open_ones(self) -> None:
        """What is still open is no history, however old it is."""
        beside = {} if self.beside is None else self.beside.open
        lost = {name: order for name, order in beside.items() if name not in self.orders}
        if lost:
            rest = dict(self.orders)
            self.orders.clear()
            self.orders.update(lost | rest)

    # --- below: how it is kept ---------------------------------------------------------

    def _name(self, kind: Kind) -> tuple[str, int]:
        self._serials[kind] += 1
        return self._identify(kind, self._serials[kind]), self._serials[kind]

    def _moment(self) -> int:
        self.time_ns += self._step_ns
        return self.time_ns

    def _change(self, order: Order, what: What, **changes: object) -> Order:
        return self._keep(replace(order, updated_ns=self._moment(), **changes), what)

    def _keep(self, order: Order, what: What, trade: Trade | None = None) -> Order:
        self.orders[order.order_id] = order
        if order.closed_ns is None:
            self.open[order.order_id] = order
            if order.expires_ns is not None:
                self.ends[order.order_id] = order.expires_ns
        else:
            self.open.pop(order.order_id, None)
            self.ends.pop(order.order_id, None)
        self._hold(order)
        self.happenings.append(Happening(what, order.updated_ns, order, trade))
        return order

    def _close(
        self,
        order: Order,
        end: Literal["filled", "canceled", "expired"],
        reason: Reason | None = None,
    ) -> Order:
        return self._change(
            order, end, status=end, reason=reason, closed_ns=self.time_ns + self._step_ns
        )

    def _hold(self, order: Order) -> None:
        currency = self.held_in(order)
        before = self._held.pop(order.order_id, ZERO)
        needed = ZERO if order.closed_ns is not None else self.needed(order)
        self.holds[currency] += needed - before
        if needed:
            self._held[order.order_id] = needed

    def held_in(self, order: Order) -> str:
        """The currency that is put aside for an order."""
        return order.symbol.quote if order.side == "buy" else order.symbol.base

    def needed(self, order: Order) -> Decimal:
        """What must be put aside for the rest of an order."""
        if order.price is None:
            return ZERO  # a market order is over before anybody could look
        if order.side == "sell":
            return order.remaining
        cent = Decimal(1).scaleb(-order.symbol.cost_digits)
        if self.fees.of_received:
            return (order.remaining * order.price).quantize(cent, ROUND_UP)
        # Each fill rounds its fee up on its own: keep a few cents for that.
        gross = order.remaining * order.price * (1 + self.fees.taker)
        return gross.quantize(cent, ROUND_UP) + 8 * cent

    def _trade(
        self,
        order: Order,
        quantity: Decimal,
        price: Decimal,
        *,
        cost: Decimal,
        fee: Decimal,
        maker: bool,
    ) -> Trade:
        trade_id, number = self._name("trade")
        moment = self._moment()
        after = replace(
            order,
            filled=order.filled + quantity,
            cost=order.cost + cost,
            fee=order.fee + fee,
            trades=(*order.trades, trade_id),
            updated_ns=moment,
        )
        trade = Trade(
            trade_id=trade_id,
            number=number,
            order=after,
            price=price,
            quantity=quantity,
            cost=cost,
            fee=fee,
            fee_currency=self.fee_currency(order),
            maker=maker,
            time_ns=moment,
            entries=(self._name("entry")[0], self._name("entry")[0]),
        )
        self.trades[trade_id] = trade
        self._keep(after, "traded", trade)
        return trade

    def _pay(self, trade: Trade) -> None:
        buys = trade.order.side == "buy"
        moved = (trade.quantity, -trade.cost) if buys else (-trade.quantity, trade.cost)
        self._book_both(trade, "trade", moved)

    def _book_both(self, trade: Trade, kind: EntryType, moved: tuple[Decimal, Decimal]) -> None:
        """Book a fill in the base and in the quote currency."""
        symbol = trade.order.symbol
        for entry_id, currency, amount in zip(
            trade.entries, (symbol.base, symbol.quote), moved, strict=True
        ):
            self._book(
                entry_id,
                reference=trade.trade_id,
                kind=kind,
                currency=currency,
                amount=amount,
                fee=trade.fee if currency == trade.fee_currency else ZERO,
            )

    def _book(
        self,
        entry_id: str,
        *,
        reference: str,
        kind: EntryType,
        currency: str,
        amount: Decimal,
        fee: Decimal = ZERO,
    ) -> None:
        self.cover(currency, self.balances[currency] + amount - fee)
        self.balances[currency] += amount - fee
        beside = ZERO if self.beside is None else self.beside.balances[currency]
        entry = Entry(
            entry_id=entry_id,
            reference=reference,
            type=kind,
            currency=currency,
            amount=amount,
            fee=fee,
            balance=self.balances[currency] + beside,
            time_ns=self._moment(),
        )
        self.entries[entry_id] = entry
        self.happenings.append(Happening("booked", entry.time_ns, entry=entry))


def _drop_until(history: dict[str, Row], times: list[int], before_ns: int) -> None:
    for key in list(history)[: bisect_left(times, before_ns)]:
        del history[key]
