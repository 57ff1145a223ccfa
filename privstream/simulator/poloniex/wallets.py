"""What is free and what is held of every currency, change by change.

The one rule: a change is told whole, as it stands after it, and one fill is several
changes: hold released, rest refunded, coins credited gross, fee debited.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from msgspec import Struct

from privstream.simulator.market import ZERO, Books, Entry, Happening, Order, Trade
from privstream.simulator.poloniex.words import (
    ACCOUNT_ID,
    USER_ID,
    is_by_amount,
    is_waiting,
    millis,
    order_amount,
    plain,
    snowflake,
)

MOST_CHANGES = 8  # of one happening


class Move(Struct, frozen=True):
    """What becomes free and what becomes held of a currency, and why."""

    event: str
    currency: str
    free: Decimal
    held: Decimal


class Change(Struct, frozen=True):
    """One currency after one change; `number` counts the changes of a moment."""

    currency: str
    available: Decimal
    hold: Decimal
    event: str
    time_ns: int
    number: int


class Wallets:
    """Follows the books; begins with how they stand."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self.hold = holds(books)
        self.available = {c: total - self.hold[c] for c, total in books.balances.items()}
        standing = [order for order in books.open.values() if not is_waiting(order)]
        self._held = {order.order_id: books.needed(order) for order in standing}

    def changes(self, happening: Happening) -> list[Change]:
        """The changes that a happening brings, in their order."""
        moves = list(self._moves(happening))
        return [self._made(move, happening.time_ns, number) for number, move in enumerate(moves)]

    def _made(self, move: Move, time_ns: int, number: int) -> Change:
        currency = move.currency
        self.available[currency] += move.free
        self.hold[currency] += move.held
        available, hold = self.available[currency], self.hold[currency]
        return Change(currency, available, hold, move.event, time_ns, number)

    def _moves(self, happening: Happening) -> Iterator[Move]:
        match happening:
            case Happening(order=Order() as order) if is_waiting(order):
                return  # nothing is frozen for a smart order before it was set off
            case Happening(what="opened" | "triggered", order=Order() as order):
                needed = self._needed(order)
                self._held[order.order_id] = needed
                yield Move("PLACE_ORDER", paid_in(order), -needed, needed)
            case Happening(what="traded", trade=Trade() as trade):
                yield from self._matched(trade)
            case Happening(what="canceled" | "expired", order=Order() as order):
                rest = self._held.pop(order.order_id)
                yield Move("CANCELED_ORDER", paid_in(order), rest, -rest)
            case Happening(what="booked", entry=Entry() as entry):
                yield from _transferred(entry)

    def _needed(self, order: Order) -> Decimal:
        if order.type != "market":
            return self._books.needed(order)
        executed = self._books.orders[order.order_id]
        return order_amount(executed) if is_by_amount(order) else order.quantity

    def _matched(self, trade: Trade) -> Iterator[Move]:
        order, symbol = trade.order, trade.order.symbol
        buys = order.side == "buy"
        paid = trade.cost if buys else trade.quantity
        rest = self._held.pop(order.order_id) - paid
        release = [Move("MATCH_ORDER", paid_in(order), ZERO, -paid)]
        if order.remaining:
            self._held[order.order_id] = rest
        elif rest:
            release.append(Move("MATCH_ORDER", paid_in(order), rest, -rest))
        got, amount = (symbol.base, trade.quantity) if buys else (symbol.quote, trade.cost)
        credit = [
            Move("MATCH_ORDER", got, amount, ZERO),
            Move("MATCH_ORDER", got, -trade.fee, ZERO),
        ]
        yield from release + credit if buys else credit + release


def holds(books: Books) -> dict[str, Decimal]:
    """What is held of each currency: the books put aside for smart orders too, Poloniex does not."""
    found = dict(books.holds)
    for order in books.open.values():
        if is_waiting(order):
            found[books.held_in(order)] -= books.needed(order)
    return found


def paid_in(order: Order) -> str:
    """The currency that an order holds."""
    return order.symbol.quote if order.side == "buy" else order.symbol.base


def _transferred(entry: Entry) -> Iterator[Move]:
    if entry.type == "deposit":
        yield Move("DEPOSIT", entry.currency, entry.amount, ZERO)
    elif entry.type == "withdrawal":  # first held, then gone
        yield Move("WITHDRAW", entry.currency, entry.amount, -entry.amount)
        yield Move("WITHDRAW", entry.currency, ZERO, entry.amount)


def balance_item(change: Change, ts: int, *, versioned: bool) -> dict[str, Any]:
    """The element of a `balances` push, in the order of the live ones."""
    item: dict[str, Any] = {
        "id": snowflake(change.time_ns, change.number),
        "accountId": ACCOUNT_ID,
        "available": plain(change.available),
        "accountType": "SPOT",
        "hold": plain(change.hold),
        "changeTime": millis(change.time_ns),
        "userId": USER_ID,
        "currency": change.currency,
        "eventType": change.event,
        "ts": ts,
    }
    if versioned:
        item["version"] = change.time_ns // 100 * MOST_CHANGES + change.number
    return item
