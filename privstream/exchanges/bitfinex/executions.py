"""Fills that wait for their fee: `te` comes first without it, `tu` repeats the fill with it.

The one rule: a fill is told once, with its fee where anyone knows it: from `tu`, after a
few seconds from REST, and after a few more without. What waits outlives its connection,
and nothing but telling it ends the waiting.
Source: docs.bitfinex.com/reference/ws-auth-trades (checked 2026-11-30).
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

from msgspec import structs

from privstream.model.reports import Fill
from privstream.model.rest import Now, RestFlow
from privstream.model.times import to_nanos

ASK_AFTER = 3.0  # seconds; `tu` follows within 1 to 2 s under load
GIVE_UP = 9.0  # seconds; REST itself may lag, so it is asked twice before this
NAMES = 4096  # names of fills kept, for rows that leave out a part of theirs

ReadFills: TypeAlias = Callable[[int], RestFlow[tuple[Any, ...]]]
"""Reads the fills since a moment (nanoseconds) over REST."""


class _Waiting(NamedTuple):
    fill: Fill
    since: float


class Executions:
    """The fills of one account whose fee has not come yet."""

    def __init__(self) -> None:
        self._waiting: dict[str, _Waiting] = {}
        self._told: OrderedDict[str, tuple[Fill, ...]] = OrderedDict()
        """What was told, by its trade's id: markets count by themselves, and both sides may be ours."""
        self._asked = float("-inf")

    def take(self, fill: Fill, now: Now) -> Iterator[Fill]:
        """Tell a fill that has its fee; keep one that has not."""
        fill = self.named(fill)
        if fill.fee is not None:
            yield self._telling(fill)
        elif self._told_of(fill) is None:
            self._waiting.setdefault(_key(fill), _Waiting(fill, now.monotonic))

    def due(self, now: Now) -> Iterator[Fill]:
        """Fills whose fee REST has told, or nobody in time."""
        for fill, since in list(self._waiting.values()):
            if fill.fee is not None or now.monotonic - since >= GIVE_UP:
                yield self._telling(fill)

    def waits_since(self, moment: float) -> bool:
        """A fill that came by then has not been told yet."""
        return any(since <= moment for _, since in self._waiting.values())

    # --- REST --------------------------------------------------------------------------

    def must_ask(self, now: Now) -> bool:
        """A fill has waited long enough for REST to be asked (again)."""
        if now.monotonic - self._asked < ASK_AFTER:
            return False
        due = any(now.monotonic - since >= ASK_AFTER for _, since in self._waiting.values())
        if due:
            self._asked = now.monotonic
        return due

    def complete(self, read_fills: ReadFills) -> RestFlow[tuple[Any, ...]]:
        """Ask REST for the fee of what waits, which `due` then tells; nothing else is told.

        The rest of the answer is on its way through the socket.
        """
        times = [to_nanos(w.fill.time) for w in self._waiting.values() if w.fill.time is not None]
        if times:
            self.learn((yield from read_fills(min(times))))
        return ()

    def learn(self, reports: Iterable[object]) -> None:
        """Complete what waits by what was read over REST.

        It stays the stream's news, however long ago the account's history begins.
        """
        for fill in (report for report in reports if isinstance(report, Fill)):
            waiting = self._waits(fill)
            if waiting is not None and fill.fee is not None:
                news = structs.replace(fill, source=waiting.fill.source)
                del self._waiting[_key(waiting.fill)]
                self._waiting[_key(news)] = _Waiting(news, waiting.since)

    # --- names -------------------------------------------------------------------------

    def named(self, fill: Fill) -> Fill:
        """The fill by the names it has already, where a message left out its order or symbol."""
        known = self._told_of(fill)
        if known is None and (waiting := self._waits(fill)) is not None:
            known = waiting.fill if _says_more(waiting.fill, fill) else None
        if known is None:
            return fill
        symbols = fill if fill.symbol is not None else known
        return structs.replace(
            fill,
            key=known.key,
            order_id=fill.order_id or known.order_id,
            symbol=symbols.symbol,
            exchange_symbol=symbols.exchange_symbol,
        )

    def _waits(self, fill: Fill) -> _Waiting | None:
        """What waits of this fill."""
        if (waiting := self._waiting.get(_key(fill))) is not None:
            return waiting
        return next((w for w in self._waiting.values() if _is_same(w.fill, fill)), None)

    def _told_of(self, fill: Fill) -> Fill | None:
        """The fill as it was told first."""
        return next(
            (told for told in self._told.get(fill.trade_id, ()) if _is_same(told, fill)), None
        )

    def _telling(self, fill: Fill) -> Fill:
        while (waiting := self._waits(fill)) is not None:
            del self._waiting[_key(waiting.fill)]
        if self._told_of(fill) is None:
            self._told[fill.trade_id] = (*self._told.get(fill.trade_id, ()), fill)
        if len(self._told) > NAMES:
            self._told.popitem(last=False)
        return fill


def _key(fill: Fill) -> str:
    return fill.key or fill.trade_id


def _says_more(known: Fill, fill: Fill) -> bool:
    """A message left out what was known of the fill by then."""
    return fill.order_id is None or (fill.symbol is None and known.symbol is not None)


def _is_same(one: Fill, other: Fill) -> bool:
    """Two messages tell of one fill, of which either may leave out the order or misspell the symbol."""
    if one.trade_id != other.trade_id:
        return False
    if one.exchange_symbol != other.exchange_symbol:
        is_unknown = None in {one.symbol, other.symbol}
        return is_unknown and one.order_id is not None and one.order_id == other.order_id
    sides = {one.side, other.side}
    is_one_side = len(sides) == 1 or None in sides
    return one.key == other.key or (None in {one.order_id, other.order_id} and is_one_side)
