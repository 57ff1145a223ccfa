"""The symbols that somebody wants to see, however he spells them.

The one rule: a symbol of which nothing comes is never silently empty.
"""

import time
from collections.abc import Callable, Iterable, Sequence

from privstream import exchanges
from privstream.exchanges.base import Exchange
from privstream.model.errors import PrivstreamError
from privstream.model.events import AnyEvent, Status
from privstream.model.nearest import COMMON_PAIRS, nearest, nearest_pair

WAIT = 5.0
"""Seconds after all accounts are live in which each symbol may show."""


def common_names(exchange: type[Exchange], typed: Iterable[str]) -> frozenset[str]:
    """What was typed, as events spell it."""
    return frozenset(exchange.symbol_of(text) or text.upper() for text in typed)


def all_names(exchange: type[Exchange], typed: Iterable[str]) -> frozenset[str]:
    """The names, in capitals, by which an event of these symbols may be known."""
    typed = tuple(typed)
    return common_names(exchange, typed) | {text.upper() for text in typed}


def meant(typed: str, names: frozenset[str]) -> str | None:
    """The much-traded pair that looks most like it, if it is none itself by one of its names."""
    if not names.isdisjoint(COMMON_PAIRS):
        return None
    return nearest_pair(typed)


def not_seen(typed: Iterable[str], on: Iterable[str], seen: Iterable[str]) -> list[str]:
    """Of what was typed, with what was seen that looks like it, that of which no name was seen.

    `on`: the exchanges that were read.
    """
    kinds = [exchanges.find(name) for name in dict.fromkeys(on) if name in exchanges.names()]
    known = {name.upper() for name in seen}
    bare = {"".join(filter(str.isalnum, name)): name for name in sorted(known)}
    found = []
    for text in typed:
        names = frozenset({text.upper()}).union(*(all_names(kind, (text,)) for kind in kinds))
        if names.isdisjoint(known):
            near = nearest("".join(filter(str.isalnum, text)), bare)
            found.append(text if near is None else f"{text} (did you mean {bare[near]}?)")
    return found


class UnseenSymbols:
    """Says, once, which of the symbols wanted nothing was seen of."""

    def __init__(
        self, accounts: Sequence[Exchange], typed: Iterable[str], say: Callable[[str], None]
    ) -> None:
        kinds = [type(one) for one in accounts]
        self._say = say
        self._unseen = {
            text: frozenset[str]().union(*(all_names(kind, (text,)) for kind in kinds))
            for text in typed
        }
        self._not_live = {one.account.name for one in accounts}
        self._due = float("inf")
        for text in self._unseen:
            if not any(kind.symbol_of(text) for kind in kinds):
                titles = " or ".join(dict.fromkeys(kind.title for kind in kinds))
                say(f"no market of {titles} is called {text}{_perhaps(text, self._unseen[text])}")

    def take(self, events: Iterable[AnyEvent], /) -> None:
        """These were shown, or are states of the connections."""
        if not self._unseen:
            return
        for event in events:
            if isinstance(event, Status):
                self._hear(event)
            else:
                self._see(getattr(event, "symbol", None), getattr(event, "exchange_symbol", None))

    def _hear(self, status: Status) -> None:
        if status.state == "live" and self._not_live:
            self._not_live.discard(status.account)
            if not self._not_live:
                self._due = time.monotonic() + WAIT

    def _see(self, *names: str | None) -> None:
        seen = {name.upper() for name in names if name}
        for text in [text for text, known in self._unseen.items() if known & seen]:
            del self._unseen[text]

    def look(self) -> None:
        """Say it, where it is time to; call it as often as you like."""
        if time.monotonic() >= self._due:
            self.conclude()

    def lost(self, error: PrivstreamError, /) -> None:
        """The account's own error says why nothing comes of it."""

    def end(self) -> None:
        """The stream is over before its time: nothing can be said of what did not come."""

    def conclude(self) -> None:
        """Say it now."""
        if self._unseen:
            spelt = [f"{text}{_perhaps(text, names)}" for text, names in self._unseen.items()]
            self._say(
                f"nothing has been seen of {', '.join(spelt)} so far: neither open orders "
                "nor fills; if that cannot be, look at how it is spelt"
            )
            self._unseen = {}


def _perhaps(text: str, names: frozenset[str]) -> str:
    found = meant(text, names)
    return f" (did you mean {found}?)" if found else ""
