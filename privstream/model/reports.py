"""What an exchange reports of an account; the memory makes events of it."""

from typing import Any, Literal, TypeAlias, TypedDict

from msgspec import Struct

from privstream.model.errors import PrivstreamError
from privstream.model.events import Level, OrderStatus, PositionSide, Side, Source


class OrderFields(TypedDict, total=False):
    """What a message says of an order: only keys it really tells. Spelled as in events.Order."""

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
    """As stated; it need not be computed then."""
    average_price: str | None
    cost: str | None
    fee: str | None
    fee_currency: str | None
    reason: str | None
    created: str | None


class Report(Struct, frozen=True, gc=False, kw_only=True):
    """Something the exchange told of the account; the ledger makes events of it.

    Each kind ends with the same four: `time`, `source`, the exchange's `sequence` number,
    and the JSON `element` that it was read from, for `raw`: decoded, or a `Part` of its frame.
    """

    checked: bool = False
    """Its reader has held every value against its type already; else the memory does."""


class OrderReport(Report, frozen=True, gc=False):
    """An order, or what changed of it."""

    order_id: str
    fields: OrderFields
    whole: bool = False
    """It is the whole order: a null in it means that there is none, not that it was left out."""
    time: str | None = None
    source: Source = "stream"
    sequence: int | None = None
    element: Any = None
    is_fixed: bool = False
    """No order of this exchange can be changed, and not all its sources state the same terms."""


class Fill(Report, frozen=True, gc=False):
    """One fill. `key` names it where the trade id alone does not."""

    trade_id: str
    order_id: str | None
    symbol: str | None
    exchange_symbol: str | None
    side: Side | None
    price: str | None
    quantity: str | None
    cost: str | None
    fee: str | None
    fee_currency: str | None
    client_order_id: str | None = None
    order_type: str | None = None
    liquidity: Literal["maker", "taker"] | None = None
    estimated: tuple[str, ...] = ()
    key: str | None = None
    time: str | None = None
    source: Source = "stream"
    sequence: int | None = None
    element: Any = None


class BalanceReport(Report, frozen=True, gc=False):
    """What an account holds of a currency. `key` is the exchange's id of the change, if any."""

    currency: str
    exchange_currency: str
    wallet: str | None = None
    total: str | None = None
    available: str | None = None
    hold: str | None = None
    change: str | None = None
    reason: str | None = None
    fee: str | None = None
    """What the change cost on top, to follow a total over several wallets."""
    key: str | None = None
    time: str | None = None
    source: Source = "stream"
    sequence: int | None = None
    element: Any = None


class PositionReport(Report, frozen=True, gc=False):
    """A position as it stands."""

    symbol: str | None
    exchange_symbol: str | None
    side: PositionSide | None
    quantity: str | None
    status: str
    position_id: str | None = None
    entry_price: str | None = None
    liquidation_price: str | None = None
    leverage: str | None = None
    unrealized_pnl: str | None = None
    time: str | None = None
    source: Source = "stream"
    sequence: int | None = None
    element: Any = None


class PriceReport(Report, frozen=True, gc=False):
    """An order book or quote."""

    symbol: str | None
    exchange_symbol: str | None
    bids: tuple[tuple[str, str], ...]
    asks: tuple[tuple[str, str], ...]
    time: str | None = None
    source: Source = "stream"
    sequence: int | None = None
    element: Any = None


class NoticeReport(Report, frozen=True, gc=False):
    """A word to the user; `code` `unrecognised` where we could not read something."""

    level: Level
    code: str | None
    text: str
    once: str | None = None
    """Said only once for this name; then only a side value could not be read, not its element."""
    time: str | None = None
    source: Source = "stream"
    sequence: int | None = None
    element: Any = None


def told_instead(kind: str) -> str:
    """What is told where a value cannot be read: of an order what is known of it by then."""
    return "told as before, else as null" if kind == "order" else "told as null"


class Listed(Struct, frozen=True):
    """The exchange has now listed all of this kind: what it did not list is no more."""

    kind: Literal["orders", "balances", "positions"]
    places: frozenset[tuple[str, str | None]] | None = None
    """What was in it, where it is a list of all wallets or positions: currency and wallet,
    or the position's id (else its symbol) and `None`. Without, it names no wallets."""


AnyReport: TypeAlias = (
    OrderReport | Fill | BalanceReport | PositionReport | PriceReport | NoticeReport
)

# --- reading back ----------------------------------------------------------------------


class Known(Struct, frozen=True):
    """What the ledger holds when something must be read back; times by the exchange's clock."""

    since_ns: int
    """The last moment known whole, nanoseconds since the epoch."""
    until_ns: int
    """The moment of asking."""
    channels: tuple[str, ...]
    """What the user streams: the rest need not be read."""
    fills_since_ns: int | None = None
    """The new connection itself listed every fill since then."""
    open_orders: frozenset[str] = frozenset()
    were_open: frozenset[str] = frozenset()
    """Orders held as open when it began: the new connection may have told the end of some."""
    suspects: frozenset[str] = frozenset()
    """Orders held as open that the new connection did not list."""
    symbols: frozenset[str] = frozenset()
    """Exchange symbols seen so far, for exchanges that list history per symbol."""
    second_look: bool = False
    """The same was read already; what REST lagged behind with then is looked for now."""
    placed_since_ns: int | None = None
    """All open orders that were placed before this moment are held; `None`: nobody knows which
    there are. For exchanges that list orders by when they were placed."""
    catches_up: bool = False
    """This closes an interruption of the stream; else the stream is compared with REST."""


class Backfill(Struct, frozen=True):
    """What was read back. `complete` only where nothing can have been missed."""

    reports: tuple[AnyReport | Listed, ...]
    complete: bool
    detail: str | None = None
    problems: tuple[PrivstreamError, ...] = ()
    """What parts of it ended with."""
    lost: frozenset[str] = frozenset()
    """Orders in doubt that nobody knows."""
    is_final: bool = False
    """Nothing lags behind it: what it does not hold was not missed."""

    @property
    def retryable(self) -> bool:
        """Something passing has cost a part: another reading may bring it."""
        return any(problem.retryable for problem in self.problems)
