"""What stands now, as the events told it: for a screen that is drawn now and then.

The one rule: every event is taken in, whether or not anybody looks. Pure.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import Generic, Self, TypeAlias, TypeVar

from msgspec import Struct

from privstream.model.events import (
    TERMINAL,
    AnyEvent,
    Balance,
    Event,
    Gap,
    Notice,
    Order,
    Position,
    Price,
    Status,
    Trade,
)
from privstream.outputs.live.health import Health

FILLS = 500
MESSAGES = 200
"""So many of each are kept."""
LINGER = 3.0
"""Seconds that a change is set off, and that an ended order or position stays to be seen."""
LEAVING = 30
"""So many that have ended stay at once; in a burst the oldest go at once."""

E = TypeVar("E", bound=Event)
Key: TypeAlias = tuple[str, ...]


class Kept(Struct, Generic[E], frozen=True, gc=False):
    """The latest of an order, a balance or a position."""

    event: E
    changed: float | None
    """When it changed (monotonic); `None` for what stood already."""
    since: str = ""
    """Since when it is there: as the exchange says, else since the first that was heard of it."""


Ending: TypeAlias = dict[Key, Kept[Order]] | dict[Key, Kept[Position]]
"""Things that end."""


class Said(Struct, frozen=True, gc=False):
    """A sentence of privstream's own."""

    time: str
    text: str
    level: str


class Picture:
    """All accounts'; `channels` are what is streamed of each."""

    def __init__(self, channels: Mapping[str, Sequence[str]]) -> None:
        self.channels = {name: tuple(some) for name, some in channels.items()}
        self.health = {name: Health(name) for name in channels}
        self.orders: dict[Key, Kept[Order]] = {}
        self.balances: dict[Key, Kept[Balance]] = {}
        self.told_by_wallet: set[Key] = set()
        """Accounts and currencies of which single wallets were told."""
        self.positions: dict[Key, Kept[Position]] = {}
        self.fills: deque[Trade] = deque(maxlen=FILLS)
        self.messages: deque[Notice | Gap | Said] = deque(maxlen=MESSAGES)
        self.quotes: dict[Key, Price] = {}
        """The latest of each exchange and symbol."""
        self.own_prices: dict[Key, Trade] = {}
        """The latest own fill of each exchange and symbol."""
        self.events = 0
        self._leaving: deque[tuple[float, Ending, Key]] = deque()

    def frozen(self) -> Self:
        """As it is at this moment; the health goes on, so that nobody is blind to it."""
        still = copy(self)
        still.orders, still.positions = dict(self.orders), dict(self.positions)
        still.balances, still.told_by_wallet = dict(self.balances), set(self.told_by_wallet)
        still.fills, still.messages = self.fills.copy(), self.messages.copy()
        still.quotes, still.own_prices = dict(self.quotes), dict(self.own_prices)
        return still

    # --- what happens ----------------------------------------------------------------------

    def update(self, status: Status, now: float) -> None:
        """A connection does something else now."""
        self._health(status.account).update(status, now)

    def ended(self, account: str, why: str) -> None:
        """An account streams no more in this run."""
        self._health(account).ended(why)

    def said(self, said: Said) -> None:
        """A sentence to the person."""
        self.messages.append(said)

    def take(self, events: Iterable[AnyEvent], now: float) -> None:
        """Take events in; `now` is monotonic."""
        for event in events:
            if isinstance(event, Status):
                continue  # `update` has it
            self.events += 1
            self._health(event.account).take(event)
            self._take(event, now)

    def forget(self, now: float) -> None:
        """Let go of what has ended and was seen for long enough."""
        leaving = self._leaving
        while leaving and (len(leaving) > LEAVING or leaving[0][0] + LINGER <= now):
            _, kept, key = leaving.popleft()
            if key in kept and has_ended(kept[key].event):  # it may have come back
                del kept[key]

    def _health(self, account: str) -> Health:
        if account not in self.health:
            self.health[account] = Health(account)
        return self.health[account]

    def _take(self, event: AnyEvent, now: float) -> None:
        match event:
            case Order():
                self._take_order(event, now)
            case Trade():
                self._take_trade(event)
            case Balance():
                key = (event.account, event.currency, event.wallet or "")
                self.balances[key] = Kept(event, _changed(event, now))
                if event.wallet is not None:
                    self.told_by_wallet.add((event.account, event.currency))
            case Position():
                self._take_position(event, now)
            case Price():
                self.quotes[event.exchange, event.symbol or ""] = event
            case Notice() | Gap():
                self.messages.append(event)

    def _take_order(self, order: Order, now: float) -> None:
        key = (order.account, order.order_id)
        if order.status in TERMINAL:
            if key not in self.orders and order.source != "stream":
                return  # history is no news of what stands
            self._leave(self.orders, key, now)
        before = self.orders.get(key)
        since = order.created or (before.since if before else _moment(order))
        self.orders[key] = Kept(order, _changed(order, now), since)

    def _take_position(self, position: Position, now: float) -> None:
        key = (position.account, position.position_id or position.symbol or "")
        if has_ended(position):
            self._leave(self.positions, key, now)
        self.positions[key] = Kept(position, _changed(position, now))

    def _take_trade(self, trade: Trade) -> None:
        self.fills.append(trade)
        if trade.symbol and trade.price and "price" not in trade.estimated:
            key = (trade.exchange, trade.symbol)
            before = self.own_prices.get(key)
            if before is None or _moment(trade) >= _moment(before):
                self.own_prices[key] = trade

    def _leave(self, kept: Ending, key: Key, now: float) -> None:
        self._leaving.append((now, kept, key))
        self.forget(now)


def has_ended(event: Event) -> bool:
    """An order or a position that stands no more, and stays only to be seen for a moment."""
    match event:
        case Order():
            return event.status in TERMINAL
        case Position():
            return event.side == "flat"
    return False


def _changed(event: Event, now: float) -> float | None:
    return None if event.source == "snapshot" else now


def _moment(event: Event) -> str:
    return event.time or event.received
