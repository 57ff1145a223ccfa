"""What all parts of an account's memory know of the run: whose it is, and what of it is shown.

Pure.
"""

from collections import Counter
from dataclasses import dataclass

from privstream.memory.age import Moment
from privstream.memory.event_maker import EventMaker, View
from privstream.memory.journal import Journal
from privstream.model.events import Source
from privstream.model.reports import AnyReport


@dataclass
class Run:
    """One run of one account."""

    view: View
    journal: Journal | None
    """Where what is emitted is noted for the next run, with --resume."""
    moment: Moment
    """Of the report that is taken."""
    started: str | None = None
    """Fills and endings before this time are history and not emitted; `None` emits all."""

    def __post_init__(self) -> None:
        self.make = EventMaker(self.view)
        self.read_back: Counter[str] = Counter()
        """How many events of each kind were read back."""
        self.symbols: set[str] = set()
        """Exchange symbols seen so far."""

    def emits(self, channel: str) -> bool:
        """Whether the user streams it."""
        return channel in self.view.channels

    @property
    def connection(self) -> int:
        return self.moment.connection

    @property
    def received(self) -> str:
        """When the report that is taken reached us."""
        return self.moment.received

    def source_of(self, report: AnyReport) -> Source | None:
        """Where the event comes from, or `None` where the user does not want to see it."""
        source = report.source
        if source != "snapshot":
            return source
        if self.moment.connection > 1:
            return "rest"
        return "snapshot" if self.view.snapshot else None

    @property
    def source_of_end(self) -> Source:
        """Where it comes from that a list left something out: that did not stand at the start."""
        return "rest" if self.moment.connection > 1 else "stream"

    def count(self, kind: str, source: Source) -> None:
        """Count what is read back."""
        if source == "rest":
            self.read_back[kind] += 1

    def is_before_start(self, time: str | None) -> bool:
        """It is history."""
        return self.started is not None and time is not None and time < self.started

    def shows(self, symbol: str | None, exchange_symbol: str | None) -> bool:
        """Whether the user wants to see this symbol."""
        if exchange_symbol not in self.symbols:
            self.see(exchange_symbol)
        wanted = self.view.symbols
        if not wanted:
            return True
        return any(name and name.upper() in wanted for name in (symbol, exchange_symbol))

    def see(self, exchange_symbol: str | None) -> None:
        """Remember a symbol, for exchanges that list history per symbol."""
        if exchange_symbol is not None and exchange_symbol not in self.symbols:
            self.symbols.add(exchange_symbol)
            if self.journal is not None:
                self.journal.keep("symbol", exchange_symbol, lasting=True)
