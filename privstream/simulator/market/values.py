"""The words of an account: symbols, orders, fills, ledger entries, and what happens.

The one rule: each is a value, and says how something stood at one moment.
"""

from collections.abc import Callable
from decimal import ROUND_UP, Decimal
from typing import Literal, TypeAlias

from msgspec import Struct

Side: TypeAlias = Literal["buy", "sell"]
OrderType: TypeAlias = Literal[
    "limit",
    "market",
    "iceberg",
    "stop_loss",
    "stop_loss_limit",
    "take_profit",
    "take_profit_limit",
    "trailing_stop",
    "trailing_stop_limit",
    "settle_position",
]
"""The life itself places only limit, market and stop_loss_limit orders."""
Status: TypeAlias = Literal["pending", "open", "filled", "canceled", "expired"]
Reason: TypeAlias = Literal[
    "requested", "unfilled", "immediate", "post_only", "insufficient_funds", "position_closed"
]
"""The life itself knows only the first two."""
Kind: TypeAlias = Literal["order", "trade", "entry"]
EntryType: TypeAlias = Literal["trade", "deposit", "withdrawal", "margin", "settled"]
What: TypeAlias = Literal[
    "placed",
    "opened",
    "trailed",
    "triggered",
    "amended",
    "traded",
    "filled",
    "canceled",
    "expired",
    "booked",
]
Identify: TypeAlias = Callable[[Kind, int], str]

ZERO = Decimal(0)


class Symbol(Struct, frozen=True, kw_only=True):
    """What is traded. `price` and `quantity` are the usual ones the life stays near."""

    base: str
    quote: str
    price: Decimal
    price_digits: int
    quantity: Decimal
    quantity_digits: int
    cost_digits: int
    base_fee_digits: int = 8
    """Of a fee that is charged in the base currency."""

    @property
    def name(self) -> str:
        return f"{self.base}/{self.quote}"


class Fees(Struct, frozen=True):
    """What a fill costs, as a share: of what was paid, in the quote currency, or of what was got."""

    maker: Decimal
    taker: Decimal
    of_received: bool = False
    """Charged in the currency that the fill brings: a buyer pays in the base currency."""

    def currency(self, symbol: Symbol, side: Side) -> str:
        return symbol.base if self.of_received and side == "buy" else symbol.quote

    def charged(self, got: Decimal, cent: Decimal, *, maker: bool) -> Decimal:
        """The fee of a fill; a part of a cent counts as a whole one."""
        return (got * (self.maker if maker else self.taker)).quantize(cent, ROUND_UP)


class Offset(Struct, frozen=True, gc=False):
    """A price that was given as a distance: in the quote currency, or in percent."""

    value: Decimal
    unit: Literal["quote", "pct"]


class Conditional(Struct, frozen=True, kw_only=True, gc=False):
    """The order that each fill of another one brings about, on the other side."""

    type: OrderType
    price: Decimal | None = None
    stop_price: Decimal | None = None
    price_offset: Offset | None = None
    stop_offset: Offset | None = None


class Order(Struct, frozen=True, kw_only=True, gc=False):
    """An order as it stood at one moment."""

    order_id: str
    serial: int
    symbol: Symbol
    side: Side
    type: OrderType
    quantity: Decimal
    price: Decimal | None = None
    stop_price: Decimal | None = None
    price_offset: Offset | None = None
    """How `price` was given, where it was given as a distance; likewise for `stop_price`."""
    stop_offset: Offset | None = None
    reference: Literal["index", "last"] = "index"
    """The price that triggers."""
    time_in_force: Literal["gtc", "gtd", "ioc", "fok"] = "gtc"
    post_only: bool = False
    reduce_only: bool = False
    fee_in_base: bool = False
    no_price_protection: bool = False
    leverage: int = 0
    display_quantity: Decimal | None = None
    whole_position: bool = False
    """No amount was given: it ends all of a position, which `quantity` is then."""
    quote_quantity: Decimal | None = None
    """What is to be spent, where that was asked for; `quantity` is then what it buys."""
    close: Conditional | None = None
    parent: str | None = None
    """The order whose fill brought this one about."""
    client_id: str | None = None
    user_reference: int = 0
    created_ns: int = 0
    updated_ns: int = 0
    starts_ns: int | None = None
    expires_ns: int | None = None
    closed_ns: int | None = None
    status: Status = "pending"
    triggered: bool = False
    amended: bool = False
    triggered_ns: int | None = None
    filled: Decimal = ZERO
    cost: Decimal = ZERO
    fee: Decimal = ZERO
    reason: Reason | None = None
    trades: tuple[str, ...] = ()

    @property
    def pays_in_base(self) -> bool:
        """Whether its fees are charged in the base currency; on margin nothing of it is there."""
        return self.fee_in_base and not self.leverage

    @property
    def remaining(self) -> Decimal:
        return self.quantity - self.filled

    @property
    def average(self) -> Decimal:
        return self.cost / self.filled if self.filled else ZERO


class Trade(Struct, frozen=True, kw_only=True, gc=False):
    """One fill. `number` counts the fills of all accounts in this symbol."""

    trade_id: str
    number: int
    order: Order
    """The order as it stood after this fill."""
    price: Decimal
    quantity: Decimal
    cost: Decimal
    fee: Decimal
    fee_currency: str
    maker: bool
    time_ns: int
    entries: tuple[str, ...]


class Entry(Struct, frozen=True, kw_only=True, gc=False):
    """One line of the ledger: the new balance is the old one plus amount minus fee."""

    entry_id: str
    reference: str
    type: EntryType
    currency: str
    amount: Decimal
    fee: Decimal
    balance: Decimal
    time_ns: int


class Happening(Struct, frozen=True, gc=False):
    """Something that every connection tells in its own words."""

    what: What
    time_ns: int
    order: Order | None = None
    trade: Trade | None = None
    entry: Entry | None = None
