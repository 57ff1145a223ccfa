"""The life of the margin wallet: positions that open, grow, shrink and close.

The one rule: like the market's life it is a pure function of seed, rate and time. It
comes in episodes of one position each; an episode ends with the balances it began with.
"""

from decimal import Decimal
from random import Random
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from privstream.model.rest import Now
from privstream.simulator.bitfinex.words import (
    DOUBLE,
    FEES,
    ID_BASE,
    ID_STRIDE,
    MARGIN_CURRENCIES,
    MARGIN_PAIRS,
    OF_POSITIONS,
    Pair,
    WalletType,
)
from privstream.simulator.market import ZERO, Entry, Order, Trade
from privstream.simulator.market.values import Kind, Side

EPISODE = 72  # an episode lasts as long as so many order events and fills of the market
BEFORE, KEPT = 40, 200  # episodes that a start makes up, and that are remembered
SERIALS = 240  # numbers of an episode: about as many as the market uses meanwhile
STEP_NS = 4_000_000
Act: TypeAlias = Literal["trade", "value", "settle"]
PLAN: tuple[tuple[int, Act, str], ...] = (
    # per cent of the episode, what happens, and to how much of the first amount it leads
    (3, "trade", "1"),
    (12, "value", "0"),
    (25, "value", "0"),
    (38, "trade", "1.5"),
    (47, "value", "0"),
    (60, "trade", "0.5"),
    (68, "value", "0"),
    (78, "value", "0"),
    (88, "trade", "0"),
    (95, "settle", "0"),
)
COLLATERAL, MINIMUM = Decimal("0.1"), Decimal("0.01")  # of what a derivatives position is worth
DECAY = Decimal("0.82")  # of the price, where a position would be liquidated


class Position(Struct, frozen=True, kw_only=True):
    """A position as it stood at one moment; signed amount, 0 when closed."""

    position_id: int
    pair: Pair
    amount: Decimal
    base_price: Decimal
    created_ns: int
    updated_ns: int
    trade: Trade
    mark: Decimal | None = None
    """The price that its profit was calculated with, when it was."""

    @property
    def profit(self) -> Decimal | None:
        return None if self.mark is None else (self.mark - self.base_price) * self.amount

    @property
    def worth(self) -> Decimal:
        return abs(self.amount) * self.base_price


class Move(Struct, frozen=True, kw_only=True):
    """What happened at once: a position changed, by an order or by the price alone."""

    time_ns: int
    what: Literal["new", "update", "close", "value", "settle"]
    positions: tuple[Position, ...] = ()
    """One after each fill."""
    order: Order | None = None
    trades: tuple[Trade, ...] = ()
    entries: tuple[Entry, ...] = ()


class Margin:
    """The margin wallet, its position and its history."""

    wallet: WalletType = "margin"

    def __init__(self, *, seed: int, rate: float) -> None:
        self._seed = seed
        self._episode_ns = max(100 * STEP_NS, int(1_000_000_000 * EPISODE / rate))
        self.balances = {code: c.opening for code, c in MARGIN_CURRENCIES.items()}
        self.position: Position | None = None
        self.closed: dict[int, Position] = {}
        self.orders: dict[str, Order] = {}
        self.trades: dict[str, Trade] = {}
        self.entries: dict[str, Entry] = {}
        self._episode: Episode | None = None

    def advance(self, now: Now) -> list[Move]:
        """Let happen what is due. The first call makes up the episodes before."""
        moves: list[Move] = []
        if self._episode is None:
            self._open_episode(now.wall_ns // self._episode_ns - BEFORE)
        while self._episode is not None and self._episode.due_ns <= now.wall_ns - 10 * STEP_NS:
            moves.append(self._keep(self._episode.act(self.position, self.balances)))
            if self._episode.over:
                self._open_episode(self._episode.number + 1)
        return moves

    @property
    def mark(self) -> Decimal | None:
        """The price of the position's pair, when it was last seen."""
        return None if self._episode is None else self._episode.mark

    def _open_episode(self, number: int) -> None:
        start_ns = number * self._episode_ns
        self._episode = Episode(self._seed, number, start_ns, self._episode_ns)
        self._forget(start_ns - KEPT * self._episode_ns)

    def _keep(self, move: Move) -> Move:
        if move.positions:
            last = move.positions[-1]
            self.position = last if last.amount else None
            if not last.amount:
                self.closed[last.position_id] = last
        if move.order is not None:
            self.orders[move.order.order_id] = move.order
        self.trades |= {trade.trade_id: trade for trade in move.trades}
        for entry in move.entries:
            self.entries[entry.entry_id] = entry
            self.balances[entry.currency] = entry.balance
        return move

    def _forget(self, before_ns: int) -> None:
        self.orders = {k: o for k, o in self.orders.items() if o.created_ns >= before_ns}
        self.trades = {k: t for k, t in self.trades.items() if t.time_ns >= before_ns}
        self.entries = {k: e for k, e in self.entries.items() if e.time_ns >= before_ns}
        self.closed = {k: p for k, p in self.closed.items() if p.updated_ns >= before_ns}


class Episode:
    """One position from its first order until the wallet is even again."""

    def __init__(self, seed: int, number: int, start_ns: int, length_ns: int) -> None:
        self.number = number
        self._start_ns, self._length_ns = start_ns, length_ns
        self._random = Random(f"{seed}/margin/{number}")
        self._pair = self._random.choice(list(MARGIN_PAIRS.values()))
        self._sign = self._random.choice((1, -1))
        symbol = self._pair.symbol
        share = Decimal(self._random.randint(50, 200)) / 100
        self._size = _rounded(symbol.quantity * share, symbol.quantity_digits)
        self.mark = symbol.price
        self._serial = number * SERIALS
        self._step = 0
        self._time_ns = start_ns

    @property
    def over(self) -> bool:
        return self._step == len(PLAN)

    @property
    def due_ns(self) -> int:
        return self._start_ns + self._length_ns * PLAN[self._step][0] // 100

    def act(self, position: Position | None, balances: dict[str, Decimal]) -> Move:
        """Let the next thing happen."""
        self._time_ns = self.due_ns
        _, act, aim = PLAN[self._step]
        self._step += 1
        if act == "settle":
            return self._settle(balances)
        self._move_price()
        if act == "trade":
            return self._trade(position, Decimal(aim) * self._size, balances)
        valued = () if position is None else (self._valued(position),)
        return Move(time_ns=self._time_ns, what="value", positions=valued)

    # --- trading -----------------------------------------------------------------------

    def _trade(self, before: Position | None, aim: Decimal, balances: dict[str, Decimal]) -> Move:
        digits = self._pair.symbol.quantity_digits
        held = ZERO if before is None else before.amount
        wanted = self._sign * _rounded(aim, digits) - held
        order = self._place("buy" if wanted > 0 else "sell", abs(wanted))
        parts = [abs(wanted)]
        if before is None:
            parts = [_rounded(abs(wanted) * 3 / 10, digits)]
            parts.append(abs(wanted) - parts[0])
        order, trades = self._fill(order, parts)
        positions = self._positions(before, trades)
        entries = self._book(before, trades, balances)
        what: Literal["new", "update", "close"] = "new" if before is None else "update"
        return Move(
            time_ns=self._time_ns,
            what=what if aim else "close",
            positions=positions,
            order=order,
            trades=trades,
            entries=entries,
        )

    def _place(self, side: Side, quantity: Decimal) -> Order:
        moment = self._moment()
        return Order(
            order_id=self._name("order"),
            serial=self._serial,
            symbol=self._pair.symbol,
            side=side,
            type="market",
            quantity=quantity,
            created_ns=moment,
            updated_ns=moment,
        )

    def _fill(self, order: Order, parts: list[Decimal]) -> tuple[Order, tuple[Trade, ...]]:
        trades: list[Trade] = []
        for quantity in parts:
            price, moment = self.mark, self._moment()
            cost = quantity * price
            trade_id = self._name("trade")
            order = replace(
                order,
                filled=order.filled + quantity,
                cost=order.cost + cost,
                fee=order.fee + cost * FEES.taker,
                trades=(*order.trades, trade_id),
                updated_ns=moment,
            )
            trades.append(self._record(trade_id, order, quantity, price))
            self._move_price()
        moment = self._moment()
        return replace(order, status="filled", updated_ns=moment, closed_ns=moment), tuple(trades)

    def _record(self, trade_id: str, order: Order, quantity: Decimal, price: Decimal) -> Trade:
        return Trade(
            trade_id=trade_id,
            number=int(trade_id),
            order=order,
            price=price,
            quantity=quantity,
            cost=quantity * price,
            fee=quantity * price * FEES.taker,
            fee_currency=order.symbol.quote,
            maker=False,
            time_ns=order.updated_ns,
            entries=(self._name("entry"), self._name("entry")),
        )

    # --- what becomes of the position --------------------------------------------------

    def _positions(
        self, position: Position | None, trades: tuple[Trade, ...]
    ) -> tuple[Position, ...]:
        after: list[Position] = []
        for trade in trades:
            position = self._after(position, trade)
            after.append(position)
        return tuple(after)

    def _after(self, before: Position | None, trade: Trade) -> Position:
        signed = trade.quantity if trade.order.side == "buy" else -trade.quantity
        if before is None:
            return Position(
                position_id=142_000_000 + self.number % 1_000_000_000,
                pair=self._pair,
                amount=signed,
                base_price=trade.price,
                created_ns=trade.time_ns,
                updated_ns=trade.time_ns,
                trade=trade,
            )
        amount, base_price = before.amount + signed, before.base_price
        if abs(amount) > abs(before.amount):
            worth = before.amount * base_price + signed * trade.price
            base_price = DOUBLE.divide(worth, amount)
        return replace(
            before,
            amount=amount,
            base_price=base_price,
            updated_ns=trade.time_ns,
            trade=trade,
            mark=None,
        )

    def _valued(self, position: Position) -> Position:
        return replace(position, mark=self.mark, updated_ns=self._time_ns)

    # --- money -------------------------------------------------------------------------

    def _book(
        self, before: Position | None, trades: tuple[Trade, ...], balances: dict[str, Decimal]
    ) -> tuple[Entry, ...]:
        """What each fill brought and cost: a profit or loss where it made the position smaller."""
        entries: list[Entry] = []
        currency = self._pair.symbol.quote
        balance = balances[currency]
        for trade in trades:
            signed = trade.quantity if trade.order.side == "buy" else -trade.quantity
            profit = ZERO
            if before is not None and before.amount * signed < 0:
                profit = (before.base_price - trade.price) * signed
            balance += profit - trade.fee
            entries.append(
                Entry(
                    entry_id=trade.entries[0],
                    reference=trade.trade_id,
                    type="trade",
                    currency=currency,
                    amount=profit,
                    fee=trade.fee,
                    balance=balance,
                    time_ns=self._moment(),
                )
            )
        return tuple(entries)

    def _settle(self, balances: dict[str, Decimal]) -> Move:
        currency = self._pair.symbol.quote
        opening = MARGIN_CURRENCIES[currency].opening
        difference = opening - balances[currency]
        entry = Entry(
            entry_id=self._name("entry"),
            reference=str(self.number),
            type="deposit" if difference > 0 else "withdrawal",
            currency=currency,
            amount=difference,
            fee=ZERO,
            balance=opening,
            time_ns=self._moment(),
        )
        return Move(time_ns=self._time_ns, what="settle", entries=(entry,))

    # --- below -------------------------------------------------------------------------

    def _moment(self) -> int:
        self._time_ns += STEP_NS
        return self._time_ns

    def _name(self, kind: Kind) -> str:
        self._serial += 1
        return str(ID_BASE[kind] + self._serial * ID_STRIDE + OF_POSITIONS)

    def _move_price(self) -> None:
        symbol = self._pair.symbol
        share = Decimal(self._random.randint(-60, 60)) / 10_000
        self.mark = _rounded(symbol.price * (1 + share), symbol.price_digits)


def _rounded(amount: Decimal, digits: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-digits))
