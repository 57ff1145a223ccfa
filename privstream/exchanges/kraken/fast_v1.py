"""The fast reader of Kraken v1: fills, updates of orders that are known, and heartbeats.

It may read: amounts in plain notation, of orders given in the base currency. What the values mean,
and what of an order its updates do not repeat, stands in `orders` and `v1`.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, TypeVar

from msgspec import Meta, Struct

from privstream.exchanges.kit.fast import (
    ABSENT,
    AMOUNT,
    IF_ANY,
    UNSIGNED,
    Ignored,
    Text,
    decoder,
    from_epoch,
    leave,
    nonzero,
    pattern,
    plain,
    texts,
)
from privstream.exchanges.kraken import names
from privstream.exchanges.kraken.fast_v2 import market
from privstream.model.events import Side
from privstream.model.exact import Part
from privstream.model.reports import Fill, OrderFields, OrderReport

Row = TypeVar("Row")
HEARTBEAT = b'{"event":"heartbeat"}'


class Numbering(Struct, gc=False, forbid_unknown_fields=True):
    """The third element of a frame; the first frame is the list of what stands."""

    sequence: Annotated[int, Meta(ge=2)]


class OwnTrade(Struct, gc=False, forbid_unknown_fields=True):
    """A fill."""

    ordertxid: Text
    pair: Text
    time: Text
    type: Side
    ordertype: Text
    price: Text
    cost: Text
    fee: Text
    vol: Text
    margin: Ignored = None
    margin_borrow: Ignored = None
    postxid: Ignored = None
    userref: Ignored = None
    ext_exec_id: Ignored = None
    cl_ord_id: Text | None = None


class Update(Struct, gc=False, forbid_unknown_fields=True):
    """What changes of an order while it fills, and when it ends."""

    status: Text = ABSENT
    vol_exec: Text = ABSENT
    cost: Text = ABSENT
    fee: Text = ABSENT
    avg_price: Text = ABSENT
    lastupdated: Text | None = None
    cancel_reason: Text = ABSENT
    userref: Ignored = None


Trades = tuple[tuple[dict[str, OwnTrade], ...], Literal["ownTrades"], Numbering]
Orders = tuple[tuple[dict[str, Update], ...], Literal["openOrders"], Numbering]
decode_trades = decoder(Trades)
decode_orders = decoder(Orders)


def named(pieces: Iterable[Mapping[str, Row]]) -> dict[str, Row]:
    """Ids and what is told of each; an element of none or several is left, and an id that comes twice."""
    rows: dict[str, Row] = {}
    for piece in pieces:
        ((name, row),) = piece.items()
        if not name or name in rows:
            leave("no id, or one that comes twice")
        rows[name] = row
    return rows


TRADED = pattern(UNSIGNED, UNSIGNED, UNSIGNED, AMOUNT)


def read_trade(trade_id: str, row: OwnTrade, sequence: int, part: Part) -> Fill:
    """A fill; its fee is in the quote currency."""
    price, quantity, cost, fee = texts(TRADED(f"{row.price} {row.vol} {row.cost} {row.fee}"))
    symbol, exchange_symbol, fee_currency = market(row.pair)
    return Fill(
        trade_id,
        row.ordertxid,
        symbol,
        exchange_symbol,
        row.type,
        plain(price),
        plain(quantity),
        plain(cost),
        plain(fee),
        fee_currency,
        row.cl_ord_id,
        names.order_type(row.ordertype) or leave("no order type"),
        None,
        (),
        None,
        from_epoch(row.time),
        "stream",
        sequence,
        part,
        checked=True,
    )


PROGRESS = pattern(UNSIGNED + IF_ANY, UNSIGNED + IF_ANY, AMOUNT + IF_ANY, UNSIGNED + IF_ANY)


def read_update(
    order_id: str, row: Update, described: OrderFields, sequence: int, part: Part
) -> OrderReport:
    """An order's new state; `described` is what is known of it and not repeated."""
    joined = f"{row.vol_exec} {row.cost} {row.fee} {row.avg_price}"
    filled, cost, fee, average = texts(PROGRESS(joined))
    fields = described.copy()
    if filled:
        fields["filled"] = plain(filled)
    if cost:
        fields["cost"] = plain(cost)
    if fee:
        fields["fee"] = plain(fee)
    if average:
        fields["average_price"] = nonzero(average)
    _read_status(row, fields)
    time = None if row.lastupdated is None else from_epoch(row.lastupdated)
    return OrderReport(order_id, fields, False, time, "stream", sequence, part, checked=True)


def _read_status(row: Update, fields: OrderFields) -> None:
    reason = names.word_or_none(row.cancel_reason)
    if reason is not None:
        fields["reason"] = reason
    if row.status:
        fields["exchange_status"] = row.status
        fields["status"] = names.status(row.status, reason)
