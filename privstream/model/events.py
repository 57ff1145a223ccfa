"""The one schema of what privstream prints: eight event types, one JSON object a line.

The order of the fields here is the order of the keys in the output. Every key is
always there; unknown is `None`, never 0 and never "". Amounts are text in plain
decimal notation with the digits that the exchange sent; times are UTC text,
`2026-11-20T11:32:00.123456Z`.
"""

from typing import Literal, TypeAlias

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

Source: TypeAlias = Literal["stream", "snapshot", "rest"]
Side: TypeAlias = Literal["buy", "sell"]
PositionSide: TypeAlias = Literal["long", "short", "flat"]
OrderStatus: TypeAlias = Literal[
    "pending", "open", "partially_filled", "filled", "canceled", "expired", "rejected", "unknown"
]
Level: TypeAlias = Literal["info", "warning", "error"]
State: TypeAlias = Literal["connecting", "live", "catching_up", "retrying", "stopped"]

TERMINAL: frozenset[OrderStatus] = frozenset({"filled", "canceled", "expired", "rejected"})


class Event(Struct, frozen=True, tag_field="type", gc=False):
    """What every event starts with: who, what, when, and from where."""

    exchange: str
    account: str
    id: str | None
    """Names the fact, not the message: it never comes twice in a run."""
    time: str | None
    """When it happened, by the exchange's clock."""
    received: str
    """When it reached us, by ours."""
    source: Source
    sequence: int | None


class Order(Event, frozen=True, tag="order", gc=False):
    """The whole state of an order, also where the exchange sent only what changed."""

    order_id: str
    client_order_id: str | None
    symbol: str | None
    exchange_symbol: str | None
    side: Side | None
    order_type: str | None
    time_in_force: str | None
    status: OrderStatus
    exchange_status: str | None
    price: str | None
    stop_price: str | None
    quantity: str | None
    quote_quantity: str | None
    filled: str | None
    remaining: str | None
    average_price: str | None
    cost: str | None
    fee: str | None
    fee_currency: str | None
    reason: str | None
    created: str | None
    raw: Raw | UnsetType = UNSET


class Trade(Event, frozen=True, tag="trade", gc=False):
    """One fill of an own order, told once, complete with its fee."""

    trade_id: str
    order_id: str | None
    client_order_id: str | None
    symbol: str | None
    exchange_symbol: str | None
    side: Side | None
    order_type: str | None
    liquidity: Literal["maker", "taker"] | None
    price: str | None
    quantity: str | None
    cost: str | None
    fee: str | None
    fee_currency: str | None
    estimated: tuple[str, ...]
    """The keys whose value the exchange does not state exactly."""
    raw: Raw | UnsetType = UNSET


class Balance(Event, frozen=True, tag="balance", gc=False):
    """What the exchange states that an account holds of one currency."""

    currency: str
    exchange_currency: str
    wallet: str | None
    total: str | None
    available: str | None
    hold: str | None
    change: str | None
    reason: str | None
    raw: Raw | UnsetType = UNSET


class Position(Event, frozen=True, tag="position", gc=False):
    """A margin or derivatives position; a closed one is flat with quantity "0"."""

    position_id: str | None
    symbol: str | None
    exchange_symbol: str | None
    side: PositionSide | None
    quantity: str | None
    entry_price: str | None
    liquidation_price: str | None
    leverage: str | None
    unrealized_pnl: str | None
    status: str
    raw: Raw | UnsetType = UNSET


class Price(Event, frozen=True, tag="price", gc=False):
    """Bids and asks as lists of [price, quantity], best first."""

    symbol: str | None
    exchange_symbol: str | None
    bids: tuple[tuple[str, str], ...]
    asks: tuple[tuple[str, str], ...]
    raw: Raw | UnsetType = UNSET


class Notice(Event, frozen=True, tag="notice", gc=False):
    """What the exchange told in words, or what privstream could not read."""

    level: Level
    code: str | None
    text: str
    raw: Raw | UnsetType = UNSET


class Recovered(Struct, frozen=True, kw_only=True, gc=False):
    """How many events were read back after an interruption, by kind."""

    orders: int
    trades: int
    balances: int


class Gap(Event, frozen=True, tag="gap", gc=False):
    """An interruption: from the last moment known whole until all is whole again."""

    cause: str
    from_: str = msgspec.field(name="from")
    to: str
    complete: bool
    recovered: Recovered
    detail: str | None


class Status(Event, frozen=True, tag="status", gc=False):
    """What the connection of one account is doing."""

    state: State
    detail: str | None
    attempt: int | None
    retry_in: float | None
    """Seconds until the next attempt, with state `retrying`."""


AnyEvent: TypeAlias = Order | Trade | Balance | Position | Price | Notice | Gap | Status

TYPES: dict[str, type[AnyEvent]] = {
    "order": Order,
    "trade": Trade,
    "balance": Balance,
    "position": Position,
    "price": Price,
    "notice": Notice,
    "gap": Gap,
    "status": Status,
}
