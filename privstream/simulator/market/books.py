"""The account's books: orders, fills and ledger entries, kept exactly.

The one rule: money moves nowhere else, and every move is a ledger entry, so that
at any moment a balance is its opening plus the entries since.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from typing import Literal, TypeAlias, TypeVar

from msgspec import Struct
from msgspec.structs import replace

Side: TypeAlias = Literal["buy", "sell"]
OrderType: TypeAlias = Literal["limit", "market", "stop_loss_limit"]
Status: TypeAlias = Literal["pending", "open", "filled", "canceled", "expired"]
Reason: TypeAlias = Literal["requested", "unfilled"]
Kind: TypeAlias = Literal["order", "trade", "entry"]
EntryType: TypeAlias = Literal["trade", "deposit", "withdrawal"]
What: TypeAlias = Literal[
    "placed", "opened", "triggered", "traded", "filled", "canceled", "expired", "booked"
]
Identify: TypeAlias = Callable[[Kind, int], str]

Row = TypeVar("Row")
ZERO = Decimal(0)
TICK_NS = 100  # no exchange tells time more finely, so that every moment can be named exactly


class Symbol(Struct, frozen=True, kw_only=True):
    """What is traded. `price` and `quantity` are the usual ones the life stays near."""

    base: str
    quote: str
    price: Decimal
    price_digits: int
    quantity: Decimal
    quantity_digits: int
    cost_digits: int
    base_fee_digits: int = 8
    """Of a fee that is charged in the base currency."""

    @property
    def name(self) -> str:
        return f"{self.base}/{self.quote}"


class Fees(Struct, frozen=True):
    """What a fill costs, as a share: of what was paid, in the quote currency, or of what was got."""

    maker: Decimal
    taker: Decimal
    of_received: bool = False
    """Charged in the currency that the fill brings: a buyer pays in the base currency."""

    def currency(self, symbol: Symbol, side: Side) -> str:
        return symbol.base if self.of_received and side == "buy" else symbol.quote

    def charged(self, got: Decimal, cent: Decimal, *, maker: bool) -> Decimal:
        """The fee of a fill; a part of a cent counts as a whole one."""
        return (got * (self.maker if maker else self.taker)).quantize(cent, ROUND_UP)


class Order(Struct, frozen=True, kw_only=True, gc=False):
    """An order as it stood at one moment."""

    order_id: str
    serial: int
    symbol: Symbol
    side: Side
    type: OrderType
    quantity: Decimal
    price: Decimal | None = None
    stop_price: Decimal | None = None
    time_in_force: Literal["gtc", "gtd", "ioc"] = "gtc"
    post_only: bool = False
    client_id: str | None = None
    user_reference: int = 0
    created_ns: int = 0
    updated_ns: int = 0
    expires_ns: int | None = None
    closed_ns: int | None = None
    status: Status = "pending"
    triggered: bool = False
    filled: Decimal = ZERO
    cost: Decimal = ZERO
    fee: Decimal = ZERO
    reason: Reason | None = None
    trades: tuple[str, ...] = ()

    @property
    def remaining(self) -> Decimal:
        return self.quantity - self.filled

    @property
    def average(self) -> Decimal:
        return self.cost / self.filled if self.filled else ZERO


class Trade(Struct, frozen=True, kw_only=True, gc=False):
    """One fill. `number` counts the fills of all accounts in this symbol."""

    trade_id: str
    number: int
    order: Order
    """The order as it stood after this fill."""
    price: Decimal
    quantity: Decimal
    cost: Decimal
    fee: Decimal
    fee_currency: str
    maker: bool
    time_ns: int
    entries: tuple[str, ...]


class Entry(Struct, frozen=True, kw_only=True, gc=False):
    """One line of the ledger: the new balance is the old one plus amount minus fee."""

    entry_id: str
    reference: str
    type: EntryType
    currency: str
    amount: Decimal
    fee: Decimal
    balance: Decimal
    time_ns: int


class Happening(Struct, frozen=True, gc=False):
    """Something that every connection tells in its own words."""

    what: What
    time_ns: int
    order: Order | None = None
    trade: Trade | None = None
    entry: Entry | None = None


class Books:
    """One account: what it owns, what it ordered, what came of it."""

    def __init__(
        self, identify: Identify, fees: Fees, opening: Mapping[str, Decimal], step_ns: int = 11_700
    ) -> None:
        self.fees = fees
        self._step_ns = max(TICK_NS, step_ns - step_ns % TICK_NS)  # from one word to the next
        self.balances = dict(opening)
        self.holds = dict.fromkeys(opening, ZERO)
        self.orders: dict[str, Order] = {}
        self.open: dict[str, Order] = {}
        self.trades: dict[str, Trade] = {}
        self.entries: dict[str, Entry] = {}
        self.happenings: list[Happening] = []
        self.forgotten = 0
        self.time_ns = 0
        self._identify = identify
        self._serials: dict[Kind, int] = {"order": 0, "trade": 0, "entry": 0}
        self._held: dict[str, Decimal] = {}

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
        order_id, serial = self._name("order")
        moment = self._moment()
        order = replace(
            order, order_id=order_id, serial=serial, created_ns=moment, updated_ns=moment
        )
        self._keep(order, "placed")
        return self._change(order, "opened", status="open")

    def trigger(self, order_id: str) -> Order:
        return self._change(self.open[order_id], "triggered", triggered=True)

    def fill(self, order_id: str, quantity: Decimal, price: Decimal, *, maker: bool) -> Trade:
        """Fill a part of an order or the rest of it."""
        order = self.open[order_id]
        cent = Decimal(1).scaleb(-order.symbol.cost_digits)
        cost = (quantity * price).quantize(cent, ROUND_DOWN)
        got, fee_cent = cost, cent
        if self.fees.currency(order.symbol, order.side) == order.symbol.base:
            got, fee_cent = quantity, Decimal(1).scaleb(-order.symbol.base_fee_digits)
        fee = self.fees.charged(got, fee_cent, maker=maker)
        trade = self._trade(order, quantity, price, cost=cost, fee=fee, maker=maker)
        if not trade.order.remaining:
            self._close(trade.order, "filled")
        self._pay(trade)
        return trade

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
        _drop_until(self.trades, [t.time_ns for t in self.trades.values()], before_ns)
        _drop_until(self.entries, [e.time_ns for e in self.entries.values()], before_ns)
        old = bisect_left(self.happenings, before_ns, key=lambda h: h.time_ns)
        del self.happenings[:old]
        self.forgotten += old

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
        else:
            self.open.pop(order.order_id, None)
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
        currency = order.symbol.quote if order.side == "buy" else order.symbol.base
        before = self._held.pop(order.order_id, ZERO)
        needed = ZERO if order.closed_ns is not None else self.needed(order)
        self.holds[currency] += needed - before
        if needed:
            self._held[order.order_id] = needed

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
            fee_currency=self.fees.currency(order.symbol, order.side),
            maker=maker,
            time_ns=moment,
            entries=(self._name("entry")[0], self._name("entry")[0]),
        )
        self.trades[trade_id] = trade
        self._keep(after, "traded", trade)
        return trade

    def _pay(self, trade: Trade) -> None:
        symbol, buys = trade.order.symbol, trade.order.side == "buy"
        quantity, cost = (trade.quantity, -trade.cost) if buys else (-trade.quantity, trade.cost)
        for entry_id, currency, amount in zip(
            trade.entries, (symbol.base, symbol.quote), (quantity, cost), strict=True
        ):
            self._book(
                entry_id,
                reference=trade.trade_id,
                kind="trade",
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
        self.balances[currency] += amount - fee
        entry = Entry(
            entry_id=entry_id,
            reference=reference,
            type=kind,
            currency=currency,
            amount=amount,
            fee=fee,
            balance=self.balances[currency],
            time_ns=self._moment(),
        )
        self.entries[entry_id] = entry
        self.happenings.append(Happening("booked", entry.time_ns, entry=entry))


def _drop_until(history: dict[str, Row], times: list[int], before_ns: int) -> None:
    for key in list(history)[: bisect_left(times, before_ns)]:
        del history[key]
