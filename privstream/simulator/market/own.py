"""The books of what the user orders, kept beside those of the life.

The one rule: the life never sees them. History is shared, and every balance that is
told is the sum of both; ids come from a sequence of their own.
"""

from decimal import ROUND_UP, Decimal

from msgspec.structs import replace

from privstream.simulator.market.books import TICK_NS, Books
from privstream.simulator.market.values import ZERO, Identify, Order, Trade

APART = 2**60  # more than the life will ever count to
STEP_NS = 10 * TICK_NS  # so quick that the life is not kept waiting
Position = tuple[Decimal, Decimal]
"""How much is held on margin, below zero where it was sold, and what it cost."""


class OwnBooks(Books):
    """What became of the user's orders; `balances` is only what they changed."""

    def __init__(self, identify: Identify, lives: Books) -> None:
        opening = dict.fromkeys(lives.balances, ZERO)
        super().__init__(lambda k, n: identify(k, APART + n), lives.fees, opening, STEP_NS)
        self.orders, self.trades, self.entries = lives.orders, lives.trades, lives.entries
        self.happenings = lives.happenings
        self.lives = self.beside = lives
        lives.beside, lives.cover = self, self._cover
        self.positions: dict[str, Position] = {}

    def available(self, currency: str) -> Decimal:
        return super().available(currency) + self.lives.available(currency)

    def stay_solvent(self) -> None:
        """Let a deposit come where the life has spent what the user's orders need.

        It cannot know of them, and no exchange shows less than nothing.
        """
        for currency in self.balances:
            self._deposit(currency, -self.available(currency))

    def _cover(self, currency: str, left: Decimal) -> None:
        self._deposit(currency, -(left + self.balances[currency]))

    def _deposit(self, currency: str, missing: Decimal) -> None:
        if missing > 0:
            self.at(self.lives.time_ns)
            self.transfer(currency, missing)

    # --- what else an order of the user's may say ----------------------------------------

    def fee_currency(self, order: Order) -> str:
        if order.pays_in_base:
            return order.symbol.base
        return super().fee_currency(order)

    def held_in(self, order: Order) -> str:
        return order.symbol.quote if order.leverage else super().held_in(order)

    def needed(self, order: Order) -> Decimal:
        price = order.stop_price if order.price is None else order.price
        if price is None or order.type == "settle_position":
            return ZERO
        cent = Decimal(1).scaleb(-order.symbol.cost_digits)
        if order.leverage:
            margin = order.remaining * price * (self.fees.taker + Decimal(1) / order.leverage)
            return margin.quantize(cent, ROUND_UP)
        if order.side == "sell" and order.pays_in_base:
            smallest = Decimal(1).scaleb(-order.symbol.base_fee_digits)
            gross = order.remaining * (1 + self.fees.taker)
            return gross.quantize(smallest, ROUND_UP) + 8 * smallest  # as in the other books
        return super().needed(replace(order, price=price))

    # --- margin ------------------------------------------------------------------------

    def _pay(self, trade: Trade) -> None:
        if trade.order.type == "settle_position":
            self._settle(trade)
        elif trade.order.leverage:
            self._borrow(trade)
        else:
            super()._pay(trade)

    def _borrow(self, trade: Trade) -> None:
        """A fill on margin moves no money but its fee, and what an ended position brought."""
        symbol, buys = trade.order.symbol, trade.order.side == "buy"
        held, cost = self.positions.get(symbol.name, (ZERO, ZERO))
        change = trade.quantity if buys else -trade.quantity
        paid = trade.cost if buys else -trade.cost
        ended = min(abs(held), abs(change)) if held * change < 0 else ZERO
        gain = ZERO
        if ended:
            share = -paid * ended / abs(change) - cost * ended / abs(held)
            gain = share.quantize(Decimal(1).scaleb(-symbol.cost_digits))
        self._hold_position(symbol.name, held + change, cost + paid + gain)
        self._book_both(trade, "margin", (ZERO, gain))

    def _settle(self, trade: Trade) -> None:
        """The borrowed money is paid back, and what it bought comes in."""
        symbol = trade.order.symbol
        held, cost = self.positions[symbol.name]
        sign = 1 if held > 0 else -1
        paid = (cost * trade.quantity / abs(held)).quantize(Decimal(1).scaleb(-symbol.cost_digits))
        self._hold_position(symbol.name, held - sign * trade.quantity, cost - paid)
        self._book_both(trade, "settled", (sign * trade.quantity, -paid))

    def _hold_position(self, name: str, held: Decimal, cost: Decimal) -> None:
        self.positions.pop(name, None)
        if held:
            self.positions[name] = (held, cost)
