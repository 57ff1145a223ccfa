"""The fast reader of Kraken v2: updates of `executions` and `balances`, and heartbeats.

It may read: fills and orders without triggers, in plain notation; entries of the main wallet.
What the values mean stands in `executions` and `balances`.
"""

from functools import lru_cache
from typing import Any, ClassVar, Literal, NamedTuple, TypeAlias

from msgspec import UNSET, Struct, UnsetType

from privstream.exchanges.kit.fast import (
    ABSENT,
    NO_NUMBER,
    Count,
    Ignored,
    Number,
    Text,
    amounts,
    decoder,
    from_text,
    leave,
    plain,
    unsigned,
    word,
)
from privstream.exchanges.kraken import names
from privstream.exchanges.kraken.balances import MAIN
from privstream.exchanges.kraken.executions import LIQUIDITY
from privstream.model.events import Side
from privstream.model.exact import Part
from privstream.model.reports import AnyReport, BalanceReport, Fill, OrderFields, OrderReport

currency = lru_cache(maxsize=4096)(names.currency)


@lru_cache(maxsize=4096)
def market(symbol: str) -> tuple[str | None, str | None, str | None]:
    """A pair in common names, as it is written, and what it is quoted in; "" is none."""
    if not symbol:
        return None, None, None
    common = names.symbol(symbol)
    return common, symbol, names.quote_of(common)


class Fee(Struct, gc=False, forbid_unknown_fields=True):
    """What a fill cost."""

    asset: Text
    qty: Number


class Execution(Struct, kw_only=True, gc=False, forbid_unknown_fields=True):
    """A fill, an order's new state, or both; keys in the order of a fill, which so is read quickest."""

    order_id: Text
    order_userref: Ignored = None
    exec_id: Text = ABSENT
    exec_type: Text
    trade_id: Ignored = None
    symbol: Text = ABSENT
    side: Side | UnsetType = UNSET
    last_qty: Number = NO_NUMBER
    last_price: Number = NO_NUMBER
    liquidity_ind: Literal["m", "t"] | None = None
    cost: Number = NO_NUMBER
    order_type: Text = ABSENT
    order_status: Text = ABSENT
    timestamp: Text | None = None
    cum_qty: Number = NO_NUMBER
    cum_cost: Number = NO_NUMBER
    avg_price: Number = NO_NUMBER
    fee_usd_equiv: Ignored = None
    margin: Ignored = None
    margin_borrow: Ignored = None
    liquidated: Ignored = None
    ext_ord_id: Ignored = None
    fees: list[Fee] = []
    cl_ord_id: Text | None = None
    order_qty: Number = NO_NUMBER
    cash_order_qty: Number = NO_NUMBER
    limit_price: Number = NO_NUMBER
    limit_price_type: Literal["static"] = "static"
    stop_price: Number = NO_NUMBER
    time_in_force: Text = ABSENT
    post_only: bool = False
    reason: Text = ABSENT
    cancel_reason: Text = ABSENT
    fee_ccy_pref: Ignored = None
    amended: Ignored = None
    no_mpp: Ignored = None
    reduce_only: Ignored = None
    position_status: Ignored = None
    ext_exec_id: Ignored = None
    ord_ref_id: Ignored = None
    sender_sub_id: Ignored = None
    display_qty: Ignored = None
    display_qty_remain: Ignored = None
    effective_time: Ignored = None
    expire_time: Ignored = None


class Entry(Struct, gc=False, forbid_unknown_fields=True):
    """What a ledger entry made of the main wallet."""

    asset: Text
    balance: Number
    amount: Number
    fee: Number
    ledger_id: Text
    type: Text
    wallet_type: Literal["spot"]
    wallet_id: Literal["main"]
    timestamp: Text | None = None
    asset_class: Ignored = None
    category: Ignored = None
    ref_id: Ignored = None
    subtype: Ignored = None


class Executions(Struct, tag_field="channel", tag="executions", forbid_unknown_fields=True):
    """A frame of this channel."""

    name: ClassVar = "executions"
    type: Literal["update"]
    data: list[Execution]
    sequence: Count


class Balances(Struct, tag_field="channel", tag="balances", forbid_unknown_fields=True):
    """A frame of this channel."""

    name: ClassVar = "balances"
    type: Literal["update"]
    data: list[Entry]
    sequence: Count


class Heartbeat(Struct, tag_field="channel", tag="heartbeat", forbid_unknown_fields=True):
    """A sign of life."""


decode = decoder(Executions | Balances | Heartbeat)


# --- executions ------------------------------------------------------------------------


NOT_ASKED = (NO_NUMBER,) * 4


def read_executions(message: Executions, frame: bytes, *, tells_orders: bool) -> list[AnyReport]:
    """Fills and orders; who streams only fills need not know how far each order got."""
    reports: list[AnyReport] = []
    for index, element in enumerate(message.data):
        part = Part(frame, ("data", index))
        reports += _read_execution(element, message.sequence, part, tells_orders=tells_orders)
    return reports


def _read_execution(
    element: Execution, sequence: int, part: Part, *, tells_orders: bool
) -> list[AnyReport]:
    """A fill, an order's new state, or both, of which all amounts are looked at together."""
    time = None if element.timestamp is None else from_text(element.timestamp)
    if not element.exec_id:
        if element.exec_type == "trade":
            leave("a fill without its id")
        progress = unsigned(element.cum_qty, element.cum_cost, element.avg_price)
        return [_order_report(element, progress, time, sequence, part)]
    if element.last_price is NO_NUMBER or element.last_qty is NO_NUMBER:
        leave("a fill without its price or quantity")
    # Several fees are of no one currency.
    fee = element.fees[0].qty if len(element.fees) == 1 else NO_NUMBER
    price, size, cost = element.last_price, element.last_qty, element.cost
    if not tells_orders:
        found = unsigned(price, size, cost, fee)
        return [_read_fill(element, found, time, sequence, part)]
    found = unsigned(price, size, cost, fee, element.cum_qty, element.cum_cost, element.avg_price)
    return [
        _read_fill(element, found[:4], time, sequence, part),
        _order_report(element, found[4:], time, sequence, part),
    ]


class Place(NamedTuple):
    """Where and how a fill happened, which most fills of an order have alike."""

    symbol: str | None
    exchange_symbol: str | None
    side: Side | None
    order_type: str | None
    liquidity: Literal["maker", "taker"] | None
    fee_currency: str | None


@lru_cache(maxsize=1024)
def _place(symbol: str, side: Any, kind: str, liquidity: Any, asset: str | None) -> Place:
    """Of the words of an execution."""
    common, exchange_symbol, _ = market(symbol)
    return Place(
        common,
        exchange_symbol,
        None if side is UNSET else side,
        word(kind) if kind else None,
        None if liquidity is None else LIQUIDITY[liquidity],
        None if asset is None else currency(asset),
    )


def _read_fill(
    element: Execution,
    traded: list[str],
    time: str | None,
    sequence: int,
    part: Part,
) -> Fill:
    price, quantity, cost, fee = traded
    asset = element.fees[0].asset if fee else None
    symbol, exchange_symbol, side, kind, liquidity, fee_currency = _place(
        element.symbol, element.side, element.order_type, element.liquidity_ind, asset
    )
    return Fill(
        element.exec_id,
        element.order_id,
        symbol,
        exchange_symbol,
        side,
        price,
        quantity,
        cost or None,
        fee or None,
        fee_currency,
        element.cl_ord_id,
        kind,
        liquidity,
        (),
        None,
        time,
        "stream",
        sequence,
        part,
        checked=True,
    )


def _order_report(
    element: Execution, progress: list[str], time: str | None, sequence: int, part: Part
) -> OrderReport:
    fields = _in_words(
        (
            element.symbol,
            element.side,
            element.order_type,
            element.time_in_force,
            element.post_only,
            element.order_status,
            element.exec_type,
            element.reason or element.cancel_reason,
        )
    ).copy()
    if element.cl_ord_id is not None:
        fields["client_order_id"] = element.cl_ord_id
    _read_amounts(element, progress, fields)
    if element.exec_type == "pending_new":
        fields["created"] = time
        fields.setdefault("filled", "0")
    whole = element.order_type != ABSENT and element.exec_id == ABSENT
    return OrderReport(
        element.order_id, fields, whole, time, "stream", sequence, part, checked=True
    )


def _read_amounts(element: Execution, progress: list[str], fields: OrderFields) -> None:
    filled, cost, average = progress
    if filled:
        fields["filled"] = filled
    if cost:
        fields["cost"] = cost
    if average:
        fields["average_price"] = _unless_zero(average)
    asked = (element.order_qty, element.cash_order_qty, element.limit_price, element.stop_price)
    if asked == NOT_ASKED:  # so in every fill
        return
    quantity, in_quote, limit, stop = unsigned(*asked)
    if quantity:
        fields["quantity"] = _unless_zero(quantity)
    if in_quote:
        fields["quote_quantity"] = _unless_zero(in_quote)
    if limit:
        fields["price"] = _unless_zero(limit)
    if stop:
        fields["stop_price"] = _unless_zero(stop)


def _unless_zero(amount: str) -> str | None:
    return None if amount == "0" else amount


Words: TypeAlias = tuple[str, Side | UnsetType, str, str, bool, str, str, str]
"""Symbol, side, order type, time in force, post-only, status, execution type, reason."""


@lru_cache(maxsize=1024)
def _in_words(words: Words) -> OrderFields:
    """What an order is in words, and its status, which most executions of it have alike."""
    symbol, side, kind, force, post_only, status, execution, said = words
    fields: OrderFields = {}
    if symbol:
        fields["symbol"], fields["exchange_symbol"], fields["fee_currency"] = market(symbol)
    if side is not UNSET:
        fields["side"] = side
    if kind:
        fields["order_type"] = word(kind)
    if force:
        fields["time_in_force"] = word(force)
    if post_only:
        fields["time_in_force"] = "post_only"
    reason = word(said) if said else None
    if reason:
        fields["reason"] = reason
    if not status and execution in names.KNOWN_STATES:
        status = execution
    if status:
        fields["exchange_status"] = status
        fields["status"] = names.status(status, reason)
    return fields


# --- balances --------------------------------------------------------------------------


def read_balances(message: Balances, frame: bytes) -> list[AnyReport]:
    """Ledger entries."""
    return [
        _read_entry(element, message.sequence, Part(frame, ("data", index)))
        for index, element in enumerate(message.data)
    ]


def _read_entry(element: Entry, sequence: int, part: Part) -> BalanceReport:
    """A ledger entry."""
    balance, change = amounts(element.balance, element.amount)
    (fee,) = unsigned(element.fee)
    return BalanceReport(
        currency(element.asset),
        element.asset,
        MAIN,
        total=plain(balance),
        change=plain(change),
        fee=fee,
        reason=word(element.type),
        key=element.ledger_id,
        time=None if element.timestamp is None else from_text(element.timestamp),
        sequence=sequence,
        element=part,
        checked=True,
    )
