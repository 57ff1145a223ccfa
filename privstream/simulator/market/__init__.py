"""A plausible account life that every simulated exchange tells in its own protocol.

The one rule: the life is a pure function of seed, rate and time. Time is cut into
chapters; each begins and ends with the same balances and nothing open, so that a
simulator that was killed and started again knows what happened before and meanwhile.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from privstream.simulator.market.books import (
    ZERO,
    Books,
    Entry,
    Fees,
    Happening,
    Identify,
    Order,
    Symbol,
    Trade,
)
from privstream.simulator.market.life import SLOTS, WORDS_PER_SLOT, Life
from privstream.wire import Now

__all__ = ["ZERO", "Books", "Entry", "Fees", "Happening", "Market", "Order", "Symbol", "Trade"]

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
        chapter_ns = SLOTS * self._slot_ns
        if self._life is None:
            self._open_chapter(now.wall_ns // chapter_ns - BEFORE)
        while self._life is not None:
            due = self._life.due_ns
            if due is None:
                self._open_chapter(self._next_chapter)
            elif due + self._settled_ns > now.wall_ns:
                return
            else:
                self._life.happen()

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
