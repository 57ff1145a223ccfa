"""Where the user's orders meet a small market: what is taken, and what becomes of it.

The one rule: it can be foreseen. A symbol's price is its usual one, bid and ask stand one
tick beside it. The market comes to every price within NEAR of it, to the nearer ones
sooner, and never to one farther away; what it fills when follows from seed and number.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping
from decimal import ROUND_DOWN, Decimal
from random import Random
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from privstream.simulator.market.own import OwnBooks
from privstream.simulator.market.prices import depth, distant, tick, within
from privstream.simulator.market.values import (
    ZERO,
    Conditional,
    Order,
    Reason,
    Side,
    Symbol,
)

NEAR = Decimal("0.02")
SLIP = 2  # ticks that the last part of a large order is worse than the first
FIRST_WAIT, WAIT_FOR_DISTANCE = 1.0, 150.0  # seconds, at the usual rate: 4 s at the far end
DEAL = 1.5  # seconds until a large order is dealt with
BETWEEN = (0.3, 0.8)  # seconds between two fills
USUAL_RATE = 2.0
PARTS = 3
TRIGGERED = frozenset(
    {
        "stop_loss",
        "stop_loss_limit",
        "take_profit",
        "take_profit_limit",
        "trailing_stop",
        "trailing_stop_limit",
    }
)
PAID_IN_ADVANCE = TRIGGERED | {"settle_position"}
TRAILING = frozenset({"trailing_stop", "trailing_stop_limit"})
What: TypeAlias = Literal["activate", "trail", "trigger", "deal", "fill", "expire"]
Why: TypeAlias = Literal["funds", "margin", "post_only", "position", "reduce_only"]


class Rejected(Exception):
    """An order is not taken."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why: Why = why


class Step(Struct, frozen=True, order=True):
    """Something that is to become of an order."""

    due_ns: int
    number: int
    order_id: str
    what: What
    quantity: Decimal = ZERO


class Desk:
    """Takes orders and lets happen what follows; time is that of its books."""

    quote: Callable[[Symbol, Side, int], Decimal] | None = None
    """What is offered at a moment, in nanoseconds, where that is not the usual price."""
    deals_later = False
    """Whether an order for all or nothing that is too large at once is dealt with later."""

    def __init__(self, books: OwnBooks, *, seed: int, rate: float) -> None:
        self._books, self._seed = books, seed
        self._patience = min(1.0, USUAL_RATE / rate)
        """A livelier account waits less."""
        self._steps: list[Step] = []
        self._planned = self._placed = 0
        self._chances: dict[str, Random] = {}

    @property
    def was_used(self) -> bool:
        return self._placed > 0

    @property
    def due_ns(self) -> int | None:
        """When the next thing happens here."""
        while self._steps and self._steps[0].order_id not in self._books.open:
            heapq.heappop(self._steps)
        return self._steps[0].due_ns if self._steps else None

    def happen(self) -> None:
        """Let the next thing happen."""
        step = heapq.heappop(self._steps)
        order = self._books.open[step.order_id]
        match step.what:
            case "activate":
                self._begin(order)
            case "trail":
                self._trail(order)
            case "trigger":
                self._execute(self._books.trigger(order.order_id))
            case "deal":
                self._deal(order)
            case "fill":
                self._fill(order, step.quantity, order.price or ZERO, maker=True)
            case "expire":
                self._books.expire(order.order_id)

    # --- what the user asks for ----------------------------------------------------------

    def place(self, order: Order) -> Order:
        """Take an order, or raise Rejected. Returned as it stands after what came of it at once."""
        order = self.priced(order)
        self._check(order)
        return self._admit(order)

    def take_and_end(self, order: Order, reason: Reason) -> Order:
        """Take an order only to cancel it: what an engine does that checks late."""
        return self._books.cancel(self._books.take(self.priced(order)).order_id, reason)

    def cancel(self, order_id: str) -> Order:
        """Raises KeyError where no such order is open here."""
        return self._books.cancel(order_id)

    def amend(self, order_id: str, changes: Mapping[str, Decimal]) -> Order:
        """Change amount or prices of an order that stands. Raises KeyError where none does."""
        order = self._books.amend(order_id, **changes)
        self._steps = [step for step in self._steps if step.order_id != order_id]
        heapq.heapify(self._steps)
        if order.expires_ns is not None:
            self._plan(order, "expire", order.expires_ns)
        if order.type in TRIGGERED and not order.triggered:
            self._await_trigger(order)
        else:
            self._execute(order)
        return self._books.orders[order_id]

    def priced(self, order: Order) -> Order:
        """With the prices that its distances come to now, and the quantity that its money buys."""
        changes: dict[str, object] = {}
        usual, stop = order.symbol.price, order.stop_price
        if order.stop_offset is not None:
            trails = order.type in TRAILING
            stop = distant(usual, order.stop_offset, order, behind=trails)
            changes["stop_price"] = stop
        if order.price_offset is not None:
            changes["price"] = distant(usual if stop is None else stop, order.price_offset, order)
        if order.quote_quantity is not None:
            bought = order.quote_quantity / self.best(order.symbol, order.side)
            lot = Decimal(1).scaleb(-order.symbol.quantity_digits)
            changes["quantity"] = bought.quantize(lot, ROUND_DOWN)
        return replace(order, **changes)

    def _admit(self, order: Order) -> Order:
        self._placed += 1
        taken = self._books.take(order)
        self._chances = {n: c for n, c in self._chances.items() if n in self._books.open}
        self._chances[taken.order_id] = Random(f"{self._seed}/own/{self._placed}")
        if order.expires_ns is not None:
            self._plan(taken, "expire", order.expires_ns)
        if order.starts_ns is not None and order.starts_ns > self._books.time_ns:
            self._plan(taken, "activate", order.starts_ns)
        else:
            self._activate(taken)
        return self._books.orders[taken.order_id]

    # --- prices ------------------------------------------------------------------------

    def best(self, symbol: Symbol, side: Side) -> Decimal:
        """What one can buy at (the ask), or sell at (the bid)."""
        if self.quote is not None:
            return self.quote(symbol, side, self._books.time_ns)
        return symbol.price + tick(symbol) * (1 if side == "buy" else -1)

    def _best_for(self, order: Order) -> Decimal:
        """As `best`; whose stop was reached meets the market there."""
        at = order.stop_price if order.triggered else None
        return self.best(order.symbol, order.side) if at is None else at

    def _crosses(self, order: Order) -> bool:
        if order.price is None:
            return True
        best = self._best_for(order)
        return order.price >= best if order.side == "buy" else order.price <= best

    # --- whether it is taken -------------------------------------------------------------

    def _check(self, order: Order) -> None:
        if order.type == "settle_position":
            if order.quantity > self._reducible(order):
                raise Rejected("position")
            if not self._can_settle(order):
                raise Rejected("funds")
            return
        if order.reduce_only and not self._reducible(order):
            raise Rejected("reduce_only")
        if order.post_only and order.type not in TRIGGERED and self._crosses(order):
            raise Rejected("post_only")
        if self._cost(order) > self._books.available(self._books.held_in(order)):
            raise Rejected("margin" if order.leverage else "funds")

    def _can_settle(self, order: Order) -> bool:
        """Whether there is what was borrowed: money for a long position, or else the thing."""
        price = self._taken_at(order) * (1 + self._books.fees.taker) + tick(order.symbol)
        if order.side == "buy":
            return order.quantity <= self._books.available(order.symbol.base)
        return order.quantity * price <= self._books.available(order.symbol.quote)

    def _cost(self, order: Order) -> Decimal:
        """What must be there for it."""
        if order.price is None and order.stop_price is None:
            worst = self.best(order.symbol, order.side) + SLIP * tick(order.symbol)
            order = replace(order, price=worst)
        return self._books.needed(order)

    # --- what becomes of it ----------------------------------------------------------------

    def _begin(self, order: Order) -> None:
        """Its time has come; what nothing was put aside for must be there now."""
        try:
            if order.price is None and order.stop_price is None:
                self._check(order)
        except Rejected as rejected:
            gone = rejected.why in {"position", "reduce_only"}
            reason: Reason = "position_closed" if gone else "insufficient_funds"
            self._books.cancel(order.order_id, reason)
        else:
            self._activate(order)

    def _activate(self, order: Order) -> None:
        order = self._books.activate(order.order_id)
        if order.type not in TRIGGERED:
            self._execute(order)
        elif order.type not in TRAILING and self._is_past(order):
            self._books.cancel(order.order_id, "immediate")
        else:
            self._await_trigger(order)

    def _is_past(self, order: Order) -> bool:
        """Whether the market is beyond the stop already."""
        rising = (order.side == "buy") == order.type.startswith("stop_loss")
        stop = order.stop_price or ZERO
        return stop <= order.symbol.price if rising else stop >= order.symbol.price

    def _await_trigger(self, order: Order) -> None:
        due = self._arrival(order, order.stop_price or ZERO)
        if due is None:
            return
        if order.type in TRAILING:
            self._plan(order, "trail", (self._books.time_ns + due) // 2)
        self._plan(order, "trigger", due)

    def _trail(self, order: Order) -> None:
        if order.triggered:
            return
        ticks = self._chances[order.order_id].randint(1, 9) * tick(order.symbol)
        moved = ticks if order.side == "sell" else -ticks
        price = None if order.price is None else order.price + moved
        self._books.trail(order.order_id, (order.stop_price or ZERO) + moved, price)

    def _execute(self, order: Order) -> None:
        """It is live, and its stop, if it had one, was reached."""
        if self.deals_later and order.remaining > depth(order) and self._crosses(order):
            self._plan(order, "deal", self._books.time_ns + round(DEAL * self._patience * 1e9))
            return
        if self._crosses(order):
            if order.post_only:
                self._books.cancel(order.order_id, "post_only")
                return
            order = self._take(order)
        if order.closed_ns is not None:
            return
        if order.time_in_force in {"ioc", "fok"} or order.price is None:
            self._books.cancel(order.order_id, "unfilled")
        else:
            self._rest(order)

    def _take(self, order: Order) -> Order:
        """Fill what is offered, in parts that get dearer."""
        offered = order.remaining if order.price is None else depth(order)
        if order.time_in_force == "fok" and order.remaining > offered:
            return order
        return self._fill_parts(order, min(order.remaining, offered))

    def _deal(self, order: Order) -> None:
        if self._crosses(order):
            self._fill_parts(order, order.remaining)
        else:
            self._books.cancel(order.order_id, "unfilled")

    def _fill_parts(self, order: Order, quantity: Decimal) -> Order:
        price = self._taken_at(order)
        exact = order.quote_quantity is not None or order.type in PAID_IN_ADVANCE
        steps = 0 if exact else SLIP
        for number, part in enumerate(self._parts(order, quantity)):
            worse = min(number, steps) * tick(order.symbol) * (1 if order.side == "buy" else -1)
            order = self._fill(order, part, within(order, price + worse), maker=False)
            if order.closed_ns is not None:
                break
        return order

    def _taken_at(self, order: Order) -> Decimal:
        if order.type != "settle_position":
            return self._best_for(order)
        held, cost = self._books.positions[order.symbol.name]
        return (cost / held).quantize(tick(order.symbol))

    def _rest(self, order: Order) -> None:
        due = self._arrival(order, order.price or ZERO)
        if due is None:
            return
        chance = self._chances[order.order_id]
        for part in self._parts(order, order.remaining):
            self._plan(order, "fill", due, part)
            due += round(chance.uniform(*BETWEEN) * self._patience * 1e9)

    def _fill(self, order: Order, part: Decimal, price: Decimal, *, maker: bool) -> Order:
        if order.reduce_only:
            part = min(part, self._reducible(order))
        if part:
            self._books.fill(order.order_id, part, price, maker=maker)
        after = self._books.orders[order.order_id]
        if order.reduce_only and after.closed_ns is None and not self._reducible(order):
            return self._books.cancel(order.order_id, "position_closed")
        if order.close is not None:
            self._close_by(after, order.close, part)
        return after

    def _reducible(self, order: Order) -> Decimal:
        """So much of a position is left that an order can end."""
        held, _ = self._books.positions.get(order.symbol.name, (ZERO, ZERO))
        return max(ZERO, -held if order.side == "buy" else held)

    def _close_by(self, parent: Order, close: Conditional, part: Decimal) -> None:
        """The second order; where it cannot be paid for, it ends at once."""
        secondary = Order(
            order_id="",
            serial=0,
            symbol=parent.symbol,
            side="sell" if parent.side == "buy" else "buy",
            type=close.type,
            quantity=part,
            price=close.price,
            stop_price=close.stop_price,
            price_offset=close.price_offset,
            stop_offset=close.stop_offset,
            reference=parent.reference,
            leverage=parent.leverage,
            user_reference=parent.user_reference,
            parent=parent.order_id,
        )
        secondary = self.priced(secondary)
        if self._cost(secondary) <= self._books.available(self._books.held_in(secondary)):
            self._admit(secondary)
        else:
            self.take_and_end(secondary, "insufficient_funds")

    # --- when and in how many parts ----------------------------------------------------------

    def _arrival(self, order: Order, price: Decimal) -> int | None:
        """When the market comes to this price, if it does."""
        at = order.stop_price if order.triggered else None
        usual = order.symbol.price if at is None else at
        away = abs(price - usual) / usual
        if away > NEAR:
            return None
        chance = self._chances[order.order_id].uniform(0.0, 0.5)
        seconds = FIRST_WAIT + WAIT_FOR_DISTANCE * float(away) + chance
        return self._books.time_ns + round(seconds * self._patience * 1e9)

    def _parts(self, order: Order, quantity: Decimal) -> Iterator[Decimal]:
        chance = self._chances[order.order_id]
        digits = order.symbol.quantity_digits
        for left in range(chance.randint(1, PARTS), 1, -1):
            lots = int(quantity.scaleb(digits)) * chance.randint(60, 130) // (100 * left)
            part = Decimal(lots).scaleb(-digits)
            if ZERO < part < quantity:
                quantity -= part
                yield part
        yield quantity

    def _plan(self, order: Order, what: What, due_ns: int, quantity: Decimal = ZERO) -> None:
        self._planned += 1
        step = Step(due_ns, self._planned, order.order_id, what, quantity)
        heapq.heappush(self._steps, step)
