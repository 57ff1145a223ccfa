"""The fast reader of Kraken v2: updates of `executions` and `balances`, and heartbeats.

It may read: fills and orders without triggers, in plain notation; entries of the main wallet.
What the values mean stands in `executions` and `balances`.
"""

from functools import lru_cache
from typing import ClassVar, Literal

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
    leave,
    nonzero,
    plain,
    recent,
    unsigned,
    word,
)
from privstream.exchanges.kraken import names
from privstream.exchanges.kraken.balances import MAIN
from privstream.exchanges.kraken.executions import LIQUIDITY
from privstream.model.events import Side
from privstream.model.exact import Part
from privstream.model.reports import AnyReport, BalanceReport, Fill, OrderFields, OrderReport
from privstream.model.times import from_rfc3339

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
    time = recent(from_rfc3339(element.timestamp))
    progress = element.cum_qty, element.cum_cost, element.avg_price
    if not element.exec_id:
        if element.exec_type == "trade":
            leave("a fill without its id")
        return [_order_report(element, unsigned(*progress), time, sequence, part)]
    if element.last_price is NO_NUMBER or element.last_qty is NO_NUMBER:
        leave("a fill without its price or quantity")
    # Several fees are of no one currency.
    fee = element.fees[0].qty if len(element.fees) == 1 else NO_NUMBER
    traded = element.last_price, element.last_qty, element.cost, fee
    if not tells_orders:
        return [_read_fill(element, unsigned(*traded), time, sequence, part)]
    found = unsigned(*traded, *progress)
    return [
        _read_fill(element, found[:4], time, sequence, part),
        _order_report(element, found[4:], time, sequence, part),
    ]


def _read_fill(
    element: Execution,
    traded: list[str],
    time: str | None,
    sequence: int,
    part: Part,
) -> Fill:
    price, quantity, cost, fee = traded
    symbol, exchange_symbol, _ = market(element.symbol)
    kind, liquidity = element.order_type, element.liquidity_ind
    return Fill(
        element.exec_id,
        element.order_id,
        symbol,
        exchange_symbol,
        None if element.side is UNSET else element.side,
        plain(price),
        plain(quantity),
        plain(cost) if cost else None,
        plain(fee) if fee else None,
        currency(element.fees[0].asset) if fee else None,
        element.cl_ord_id,
        word(kind) if kind else None,
        None if liquidity is None else LIQUIDITY[liquidity],
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
    fields: OrderFields = {}
    _read_amounts(element, progress, fields)
    _read_terms(element, fields)
    if element.exec_type == "pending_new":
        fields["created"] = time
        fields.setdefault("filled", "0")
    _read_status(element, fields)
    whole = element.order_type != ABSENT and element.exec_id == ABSENT
    return OrderReport(
        element.order_id, fields, whole, time, "stream", sequence, part, checked=True
    )


def _read_amounts(element: Execution, progress: list[str], fields: OrderFields) -> None:
    filled, cost, average = progress
    if filled:
        fields["filled"] = plain(filled)
    if cost:
        fields["cost"] = plain(cost)
    if average:
        fields["average_price"] = nonzero(average)
    asked = (element.order_qty, element.cash_order_qty, element.limit_price, element.stop_price)
    if asked == NOT_ASKED:  # so in every fill
        return
    quantity, in_quote, limit, stop = unsigned(*asked)
    if quantity:
        fields["quantity"] = nonzero(quantity)
    if in_quote:
        fields["quote_quantity"] = nonzero(in_quote)
    if limit:
        fields["price"] = nonzero(limit)
    if stop:
        fields["stop_price"] = nonzero(stop)


def _read_terms(element: Execution, fields: OrderFields) -> None:
    if element.symbol:
        symbol, fields["exchange_symbol"], fields["fee_currency"] = market(element.symbol)
        fields["symbol"] = symbol
    if element.side is not UNSET:
        fields["side"] = element.side
    if element.order_type:
        fields["order_type"] = word(element.order_type)
    if element.cl_ord_id is not None:
        fields["client_order_id"] = element.cl_ord_id
    if element.time_in_force:
        fields["time_in_force"] = word(element.time_in_force)
    if element.post_only:
        fields["time_in_force"] = "post_only"


def _read_status(element: Execution, fields: OrderFields) -> None:
    said = element.reason or element.cancel_reason
    reason = word(said) if said else None
    if reason:
        fields["reason"] = reason
    text = element.order_status
    if not text and element.exec_type in names.KNOWN_STATES:
        text = element.exec_type
    if text:
        fields["exchange_status"] = text
        fields["status"] = names.status(text, reason)


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
        fee=plain(fee),
        reason=word(element.type),
        key=element.ledger_id,
        time=recent(from_rfc3339(element.timestamp)),
        sequence=sequence,
        element=part,
        checked=True,
    )
