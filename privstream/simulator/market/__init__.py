"""A plausible account life that every simulated exchange tells in its own protocol.

The one rule: the life is a pure function of seed, rate and time. Time is cut into
chapters; each begins and ends with the same balances and nothing open, so that a
simulator that was killed and started again knows what happened before and meanwhile.
What its user orders lives beside that, in the desk's books, and is known to this run only.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from privstream.model.rest import Now
from privstream.simulator.market.books import Books
from privstream.simulator.market.desk import Desk, Rejected, Why
from privstream.simulator.market.life import SLOTS, WORDS_PER_SLOT, Life
from privstream.simulator.market.own import OwnBooks
from privstream.simulator.market.values import (
    ZERO,
    Conditional,
    Entry,
    Fees,
    Happening,
    Identify,
    Offset,
    Order,
    Reason,
    Symbol,
    Trade,
)

__all__ = [
    "ZERO",
    "Books",
    "Conditional",
    "Desk",
    "Entry",
    "Fees",
    "Happening",
    "Market",
    "Offset",
    "Order",
    "Rejected",
    "Symbol",
    "Trade",
]

HAPPENINGS_PER_SLOT = 1.9  # order events and fills, measured over many chapters
BEFORE = 1  # chapters that a start makes up
KEPT = 6  # chapters that are remembered
STRIDE = 10_000  # more than all the ids of one kind in a chapter
LONGEST_STEP_NS = 11_700  # an engine needs about so long from one word to the next


class Market:
    """The account, its history and what goes on happening to it."""

    def __init__(
        self,
        *,
        seed: int,
        rate: float,
        symbols: Sequence[Symbol],
        opening: Mapping[str, Decimal],
        fees: Fees,
        identify: Identify,
    ) -> None:
        self._slot_ns = max(1, int(1_000_000_000 * HAPPENINGS_PER_SLOT / rate))
        step_ns = min(LONGEST_STEP_NS, self._slot_ns // WORDS_PER_SLOT)
        self.books = Books(identify, fees, opening, step_ns)
        """What life brings, and the history of the desk's orders too."""
        self.own = OwnBooks(identify, self.books)
        self.desk = Desk(self.own, seed=seed, rate=rate)
        self.symbols = tuple(symbols)
        self._seed, self._opening = seed, opening
        self._settled_ns = step_ns * WORDS_PER_SLOT
        self._chapter: int | None = None
        self._life: Life | None = None

    @property
    def position(self) -> int:
        """So much has happened."""
        return self.books.forgotten + len(self.books.happenings)

    def since(self, position: int) -> Sequence[Happening]:
        """What happened after this position, as far as it is remembered."""
        return self.books.happenings[max(0, position - self.books.forgotten) :]

    def advance(self, now: Now) -> None:
        """Let happen what is due. The first call makes up the chapters before."""
        if self._life is None:
            self.own.count_from(now.wall_ns // 1000)  # a restart must not give an id twice
            self._open_chapter(now.wall_ns // (SLOTS * self._slot_ns) - BEFORE)
        while (due := self.desk.due_ns) is not None and due <= now.wall_ns:
            self._come_to(due)
            self.desk.happen()
        self._live(now.wall_ns - self._settled_ns)

    def place(self, order: Order, now: Now, late: Mapping[Why, Reason] | None = None) -> Order:
        """Take an order of the user's. Raises Rejected, but not for what is checked `late`."""
        self.advance(now)
        self._come_to(now.wall_ns)
        try:
            return self.desk.place(order)
        except Rejected as rejected:
            if rejected.why not in (late or {}):
                raise
            return self.desk.take_and_end(order, (late or {})[rejected.why])

    def amend(self, order_id: str, changes: Mapping[str, Decimal], now: Now) -> Order:
        """Change `quantity`, `price` or `stop_price` of an order of the user's.

        Raises KeyError where none of his is open under this id.
        """
        self.advance(now)
        self._come_to(now.wall_ns)
        return self.desk.amend(order_id, changes)

    def cancel(self, order_id: str, now: Now) -> Order:
        """Cancel an order. Raises KeyError where none is open under this id.

        Without one of its own the life goes another way until its chapter ends.
        """
        self.advance(now)
        self._come_to(now.wall_ns)
        if order_id not in self.books.open:
            return self.desk.cancel(order_id)
        self.books.at(now.wall_ns)
        return self.books.cancel(order_id)

    # --- the account: what life brought and what the user ordered ------------------------

    def open_orders(self) -> list[Order]:
        """The oldest first."""
        both = [*self.books.open.values(), *self.own.open.values()]
        return sorted(both, key=lambda order: order.created_ns)

    def balances(self) -> dict[str, Decimal]:
        return {c: amount + self.own.balances[c] for c, amount in self.books.balances.items()}

    def holds(self) -> dict[str, Decimal]:
        return {c: amount + self.own.holds[c] for c, amount in self.books.holds.items()}

    # --- below -------------------------------------------------------------------------

    def _come_to(self, time_ns: int) -> None:
        """Let the life be told up to here, so that time never runs backwards."""
        self._live(time_ns)
        self.own.at(max(time_ns, self.books.time_ns))

    def _live(self, until_ns: int) -> None:
        while self._life is not None:
            due = self._life.due_ns
            if due is None:
                self._open_chapter(self._next_chapter)
            elif due > until_ns:
                return
            else:
                self._life.happen()
                if self.desk.was_used:
                    self.own.stay_solvent()

    @property
    def _next_chapter(self) -> int:
        return 0 if self._chapter is None else self._chapter + 1

    def _open_chapter(self, chapter: int) -> None:
        self._chapter = chapter
        self.books.count_from(chapter * STRIDE)
        self.books.forget((chapter - KEPT) * SLOTS * self._slot_ns)
        self._life = Life(
            self.books,
            symbols=self.symbols,
            opening=self._opening,
            seed=self._seed,
            chapter=chapter,
            slot_ns=self._slot_ns,
        )
