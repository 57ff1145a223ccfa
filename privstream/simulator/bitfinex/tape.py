"""The one order in which every socket of the account is told what happened.

The one rule: as on the wire in 2025, a fill is told in pieces: the two wallets, `te` and
the order in either order, the fee's wallet, later `tu` with the fee and `bu`, and perhaps
what is available. Sometimes `tu` is late, and rarely it never comes.
"""

import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from privstream.model.exact import Number
from privstream.model.rest import Now
from privstream.simulator.bitfinex.amendments import is_news
from privstream.simulator.bitfinex.margin import Margin, Move
from privstream.simulator.bitfinex.orders import (
    cancel_text,
    canceled_text,
    is_immediate,
    order_row,
    request_text,
    trade_row,
)
from privstream.simulator.bitfinex.positions import margin_base, position_row
from privstream.simulator.bitfinex.wallets import (
    Change,
    Key,
    Wallets,
    exchanged,
    fee_charged,
    moved,
    position_changed,
)
from privstream.simulator.bitfinex.words import CURRENCIES, lot, millis, plain_text
from privstream.simulator.market import ZERO, Entry, Happening, Market, Order, Trade

LONGEST = 10_000  # frames that are kept for sockets that have not been told yet
SECOND = 1_000_000_000
USUAL_DELAY_NS, LATE_NS = SECOND // 5, 8 * SECOND // 5
LATE, NEVER = 8, 40  # one `tu` in so many
CALCULATED_NS = 3 * SECOND // 2
VALUE_NS = SECOND // 2
Push = tuple[str, Any]


class Frame(Struct, frozen=True):
    """What a socket sends, before it numbers it; `account` is the account's own count."""

    type: str
    payload: Any
    account: int


def written_ns(trade: Trade) -> int:
    """When a fill has reached the database: then comes its `tu`, and REST knows it."""
    delay = LATE_NS if lot(f"late/{trade.trade_id}", LATE) == 0 else USUAL_DELAY_NS
    return trade.time_ns + delay


def is_untold(trade: Trade) -> bool:
    """Its `tu` never comes."""
    return lot(f"untold/{trade.trade_id}", NEVER) == 0


class Tape:
    """Frames in the order of their telling."""

    def __init__(self, market: Market, margin: Margin, wallets: Wallets) -> None:
        self._market, self._margin, self._wallets = market, margin, wallets
        self._frames: list[Frame] = []
        self._dropped = 0
        self._account = 0
        self._position: int | None = None
        self._later: list[tuple[int, int, Callable[[], Push]]] = []
        self._numbers = itertools.count()
        self._value_due = False

    @property
    def position(self) -> int:
        return self._dropped + len(self._frames)

    @property
    def account(self) -> int:
        """The account's own count of its events."""
        return self._account

    def since(self, position: int) -> Sequence[Frame]:
        return self._frames[max(0, position - self._dropped) :]

    def advance(self, now: Now) -> None:
        """Tell what is due by now."""
        self._market.advance(now)
        moves = self._margin.advance(now)
        if self._position is None:
            self._begin(now)
            return
        happenings = self._market.since(self._position)
        self._position = self._market.position
        for told in itertools.chain(self._market_told(happenings), self._margin_told(moves)):
            self._append(told)
        while self._later and self._later[0][0] <= now.wall_ns:
            self._append(heapq.heappop(self._later)[2]())
        if len(self._frames) > 2 * LONGEST:
            self._dropped += LONGEST
            del self._frames[:LONGEST]

    def _begin(self, now: Now) -> None:
        """What is past is not told, but what wallets changed by last is known."""
        self._position = self._market.position
        self._account = now.wall_ns // SECOND % 10_000_000
        books = self._market.books
        last = {entry.currency: entry for entry in books.entries.values()}
        for entry in last.values():
            trade = books.trades.get(entry.reference)
            change = moved(entry, "exchange")
            if trade is not None:
                change = fee_charged(trade) if entry.fee else exchanged(trade)
            self._wallets.changed(("exchange", entry.currency), entry.balance, change)

    def _append(self, told: Push) -> None:
        # Notifications and what was only calculated are no events of the account.
        kind, payload = told
        if kind not in {"n", "bu", "miu"}:
            self._account += 1
        self._frames.append(Frame(kind, payload, self._account))

    def _at(self, due_ns: int, told: Callable[[], Push]) -> None:
        heapq.heappush(self._later, (due_ns, next(self._numbers), told))

    # --- orders and fills of the market ------------------------------------------------

    def _market_told(self, happenings: Iterable[Happening]) -> Iterator[Push]:
        queue = iter(happenings)
        for happening in queue:
            if happening.trade is not None and happening.order is not None:
                yield from self._filled(happening.trade, happening.order, queue)
            elif happening.entry is not None:
                yield from self._received(happening.entry)
            elif happening.order is not None:
                yield from self._ordered(happening.what, happening.order)

    def _ordered(self, what: str, order: Order) -> Iterator[Push]:
        row = order_row(order, self._market.books.trades)
        if what == "opened" and not is_immediate(order):
            if order.user_reference:  # placed over another socket
                yield request_notice("on-req", row, _seconds(order.updated_ns), request_text(order))
            yield "on", row
        elif what == "triggered":
            yield "ou", row
        elif what == "canceled":
            if order.user_reference and canceled_text(order) == "CANCELED":
                before = replace(order, status="open", closed_ns=None, reason=None)
                asked = order_row(before, self._market.books.trades)
                yield request_notice("oc-req", asked, millis(order.updated_ns), cancel_text(order))
            yield "oc", row
        elif what == "expired":
            yield "oc", row

    def _filled(self, trade: Trade, order: Order, queue: Iterator[Happening]) -> Iterator[Push]:
        """One fill with all that belongs to it, which follows in the queue."""
        entries: list[Entry] = []
        while len(entries) < len(trade.entries):
            happening = next(queue)
            if happening.entry is not None:
                entries.append(happening.entry)
            elif happening.order is not None:
                order = happening.order
        change = exchanged(trade)
        for entry in entries:
            yield self._wallet(("exchange", entry.currency), entry.balance + entry.fee, change)
        yield from self._execution(trade, order)
        for entry in entries:
            if entry.fee:
                key: Key = ("exchange", entry.currency)
                yield self._wallet(key, entry.balance, fee_charged(trade))
        self._tell_later(trade, [("exchange", entry.currency) for entry in entries])

    def _execution(self, trade: Trade, order: Order) -> Iterator[Push]:
        executed: Push = ("te", trade_row(trade, with_fee=False))
        if order.closed_ns is None and is_immediate(order):
            yield executed  # its `oc` is still to come
            return
        kind = "ou" if order.closed_ns is None else "oc"
        row = order_row(order, self._market.books.trades, unchanged=is_news(order))
        # A taker's fill was seen before its order, a maker's also after it.
        if is_immediate(order) or trade.number // 2 % 2:
            yield from (executed, (kind, row))
        else:
            yield from ((kind, row), executed)
        if is_news(order):
            yield "ou", order_row(order, self._market.books.trades)

    def _tell_later(self, trade: Trade, keys: list[Key]) -> None:
        if not is_untold(trade):
            self._at(written_ns(trade), lambda: ("tu", trade_row(trade, with_fee=True)))
        if lot(f"calculated/{trade.trade_id}", 2):
            for key in keys:
                self._at(trade.time_ns + CALCULATED_NS, partial(self.calculated, key))
        if not self._value_due:
            self._value_due = True
            self._at(trade.time_ns + VALUE_NS, self._value)

    def _value(self) -> Push:
        self._value_due = False
        return "bu", self._wallets.value()

    def _received(self, entry: Entry) -> Iterator[Push]:
        yield self._wallet(("exchange", entry.currency), entry.balance, moved(entry, "exchange"))
        if entry.amount > 0:
            amount = f"{plain_text(entry.amount)} {CURRENCIES[entry.currency].label}"
            yield notice("acc_dep", entry.time_ns, f"Deposit of {amount} completed")

    # --- the margin wallet -------------------------------------------------------------

    def _margin_told(self, moves: Iterable[Move]) -> Iterator[Push]:
        for move in moves:
            if move.what == "settle":
                yield from self._settled(move.entries[0])
            elif move.what == "value":
                for position in move.positions:
                    yield "pu", position_row(position, with_times=False)
                    balance = self._margin.balances[position.pair.symbol.quote]
                    yield "miu", margin_base(position.profit or ZERO, balance)
            else:
                yield from self._moved(move)

    def _moved(self, move: Move) -> Iterator[Push]:
        """As seen for a margin order: positions, the order, its fills, the wallet."""
        kinds = {"new": "pn", "update": "pu", "close": "pc"}
        for number, position in enumerate(move.positions):
            kind = kinds[move.what] if number == 0 else "pu"
            yield kind, position_row(position, with_times=False)
        if move.order is not None:
            yield "oc", order_row(move.order, self._margin.trades)
        for trade in move.trades:
            yield "te", trade_row(trade, with_fee=False)
            self._tell_later(trade, [("margin", trade.fee_currency)])
        for entry, trade in zip(move.entries, move.trades, strict=True):
            key: Key = ("margin", entry.currency)
            if entry.amount:
                yield self._wallet(key, entry.balance + entry.fee, position_changed(trade))
            yield self._wallet(key, entry.balance, fee_charged(trade))

    def _settled(self, entry: Entry) -> Iterator[Push]:
        yield self._wallet(("margin", entry.currency), entry.balance, moved(entry, "margin"))
        if entry.amount > 0:
            text = f"Deposit of {plain_text(entry.amount)} {entry.currency} completed"
            yield notice("acc_dep", entry.time_ns, text)

    # --- wallets -----------------------------------------------------------------------

    def _wallet(self, key: Key, balance: Any, change: Change) -> Push:
        return "wu", self._wallets.changed(key, balance, change)

    def calculated(self, key: Key) -> Push:
        """The wallet with what is available now."""
        return "wu", self._wallets.row(key, calculated=True)


def notice(kind: str, time_ns: int, text: str) -> Push:
    return "n", [millis(time_ns), kind, None, None, None, None, "SUCCESS", text]


def request_notice(kind: str, row: list[Any], time: int | Number, text: str) -> Push:
    return "n", [time, kind, None, None, row, None, "SUCCESS", text]


def _seconds(nanos: int) -> Number:
    """The time of a request to place an order is in seconds, as seen."""
    seconds, rest = divmod(millis(nanos), 1000)
    return Number(f"{seconds}.{rest:03d}".rstrip("0").rstrip("."))
