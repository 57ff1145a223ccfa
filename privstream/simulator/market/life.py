"""What an account goes through in one chapter: a pure function of seed and chapter number.

The one rule: chance is drawn in the order of the due times and from nothing else,
so that it makes no difference how often, or from which process, time is advanced.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import accumulate
from random import Random
from typing import TypeAlias

from msgspec.structs import replace

from privstream.simulator.market.books import Books
from privstream.simulator.market.values import Order, OrderType, Side, Symbol

SLOTS = 1000
"""Moments of decision in a chapter; in the last one the balances are evened up."""
CLOSING = 25
"""The last so many only cancel, so that a chapter leaves nothing open."""
LAST = SLOTS - 1
WORDS_PER_SLOT = 30
"""More than the happenings of any one decision."""
FEW_OPEN, MANY_OPEN = 5, 14
Shares: TypeAlias = tuple[list[str], list[int]]
"""What may be picked, and the sums of the shares up to each of them."""


def _shares(**shares: int) -> Shares:
    return list(shares), list(accumulate(shares.values()))


ACTIONS = _shares(place=34, market=10, take=5, meet=37, cancel=12, money=2)
MANNERS = _shares(plain=61, stop=12, post=15, date=12)
NAMES = _shares(none=45, client_id=35, reference=20)
MOST_PARTS = 4  # fills of one order
LIFETIME = 40  # slots that a good-till-date order lasts at most
TRIES = 6  # before we accept that nothing can be afforded


class Life:
    """One chapter: begins with the opening balances and returns to them at its end."""

    def __init__(
        self,
        books: Books,
        *,
        symbols: Sequence[Symbol],
        opening: Mapping[str, Decimal],
        seed: int,
        chapter: int,
        slot_ns: int,
    ) -> None:
        self._books, self._symbols, self._opening = books, symbols, opening
        self._random = Random(f"{seed}/{chapter}")
        self._slot_ns = slot_ns
        self._start_ns = chapter * SLOTS * slot_ns
        self._slot = 0
        self._usual = {s.name: _ticks(s) for s in symbols}
        self._ticks = dict(self._usual)
        self._due = self._next_due()

    @property
    def due_ns(self) -> int | None:
        """When the next thing happens; `None` at the end of the chapter."""
        if self._slot == SLOTS:
            return None
        ends = self._books.ends
        return min(self._due, *ends.values()) if ends else self._due

    def happen(self) -> None:
        """Let the next thing happen."""
        due = self.due_ns
        if due is None:
            return
        self._books.at(due)
        for order_id, end in self._books.ends.items():
            if end == due:
                self._books.expire(order_id)
                return
        self._decide()
        self._slot += 1
        self._due = self._next_due()

    def _next_due(self) -> int:
        start = self._start_ns + self._slot * self._slot_ns
        if self._slot >= LAST:
            return start  # and has the whole slot, so that it never reaches into the next chapter
        return start + self._random.randrange(self._slot_ns * 6 // 10)

    # --- decisions ---------------------------------------------------------------------

    def _decide(self) -> None:
        standing = list(self._books.open.values())
        if self._slot == LAST:
            self._even_up()
        elif self._slot >= SLOTS - CLOSING:
            self._close_out(standing)
        elif len(standing) < FEW_OPEN:
            self._place()
        elif len(standing) >= MANY_OPEN:
            self._meet(standing)
        else:
            self._drift(standing)

    def _drift(self, standing: list[Order]) -> None:
        action = self._pick(ACTIONS)
        if action == "place":
            self._place()
        elif action == "meet":
            self._meet(standing)
        elif action == "cancel":
            self._books.cancel(self._random.choice(standing).order_id)
        elif action == "money":
            self._receive_money()
        else:
            self._take("limit" if action == "take" else "market")

    def _place(self) -> None:
        """A resting order, some with conditions."""
        manner = self._pick(MANNERS)
        order = self._draft("stop_loss_limit" if manner == "stop" else "limit")
        if order is None:
            return
        changes: dict[str, object] = {}
        if manner == "post":
            changes["post_only"] = True
        elif manner == "date" and self._slot + LIFETIME < SLOTS - CLOSING:
            lifetime = self._random.randint(5, LIFETIME) * self._slot_ns
            changes = {"time_in_force": "gtd", "expires_ns": self._due + lifetime}
        self._books.place(replace(order, **changes))

    def _take(self, order_type: OrderType) -> None:
        """An order that is executed at once: at the market, or with a limit and no patience."""
        order = self._draft(order_type)
        if order is None:
            return
        price = self._price(order.symbol, 0)
        if order_type == "limit":
            order = replace(order, time_in_force="ioc", price=price)
        placed = self._books.place(order)
        part = placed.quantity if order_type == "market" else self._part(placed)
        self._books.fill(placed.order_id, part, price, maker=False)
        if placed.order_id in self._books.open:
            self._books.cancel(placed.order_id, "unfilled")

    def _meet(self, standing: list[Order]) -> None:
        """The price comes to a resting order."""
        order = self._random.choice(standing)
        if order.type == "stop_loss_limit" and not order.triggered:
            self._books.trigger(order.order_id)
        elif order.price is not None:
            self._books.fill(order.order_id, self._part(order), order.price, maker=True)

    def _close_out(self, standing: list[Order]) -> None:
        if standing:
            self._books.cancel(self._random.choice(standing).order_id)

    def _receive_money(self) -> None:
        currency = self._random.choice(list(self._opening))
        self._books.transfer(currency, self._opening[currency] / 100)

    def _even_up(self) -> None:
        for order in list(self._books.open.values()):
            self._books.cancel(order.order_id)
        for currency, amount in self._opening.items():
            difference = amount - self._books.balances[currency]
            if difference:
                self._books.transfer(currency, difference)

    # --- amounts -----------------------------------------------------------------------

    def _draft(self, order_type: OrderType) -> Order | None:
        """An order that can be paid for, or `None` where none was found."""
        for _ in range(TRIES):
            order = self._idea(order_type)
            symbol = order.symbol
            if order.side == "sell":
                enough = order.quantity <= self._books.available(symbol.base) / 4
            else:
                price = order.price or self._price(symbol, 0)
                needed = self._books.needed(replace(order, price=price))
                enough = needed <= self._books.available(symbol.quote) / 4
            if enough:
                return order
        return None

    def _idea(self, order_type: OrderType) -> Order:
        symbol = self._random.choice(self._symbols)
        self._move(symbol)
        side: Side = self._random.choice(("buy", "sell"))
        stop = order_type == "stop_loss_limit"
        # A limit waits on the cheap side of the market, a stop beyond it, its limit further on.
        away = self._random.randint(1, 60) * (-1 if (side == "buy") != stop else 1)
        named = self._pick(NAMES)
        return Order(
            order_id="",
            serial=0,
            symbol=symbol,
            side=side,
            type=order_type,
            quantity=self._quantity(symbol),
            price=None if order_type == "market" else self._price(symbol, away),
            stop_price=self._price(symbol, int(away * 0.8)) if stop else None,
            client_id=self._uuid() if named == "client_id" else None,
            user_reference=self._random.randint(1, 999) if named == "reference" else 0,
        )

    def _pick(self, shares: Shares) -> str:
        return self._random.choices(shares[0], cum_weights=shares[1])[0]

    def _move(self, symbol: Symbol) -> None:
        usual, ticks = self._usual[name := symbol.name], self._ticks[name]
        step = max(1, usual // 2000)
        self._ticks[name] = ticks + self._random.randint(-step, step) + (usual - ticks) // 60

    def _price(self, symbol: Symbol, away: int) -> Decimal:
        """The price now, moved by so many hundredths of a percent."""
        ticks = self._ticks[symbol.name]
        return Decimal(ticks + ticks * away // 10_000).scaleb(-symbol.price_digits)

    def _quantity(self, symbol: Symbol) -> Decimal:
        lots = int(symbol.quantity.scaleb(symbol.quantity_digits))
        share = self._random.randint(10, 150)
        lots = lots * share // 100
        if self._random.getrandbits(1):
            lots += self._random.randrange(lots)  # an odd amount, to the last digit
        return Decimal(lots).scaleb(-symbol.quantity_digits)

    def _part(self, order: Order) -> Decimal:
        lots = int(order.remaining.scaleb(order.symbol.quantity_digits))
        if len(order.trades) >= MOST_PARTS - 1 or self._random.getrandbits(1):
            return order.remaining
        part = max(1, lots * self._random.randint(15, 75) // 100)
        return Decimal(part).scaleb(-order.symbol.quantity_digits)

    def _uuid(self) -> str:
        digits = f"{self._random.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def _ticks(symbol: Symbol) -> int:
    return int(symbol.price.scaleb(symbol.price_digits))
