"""The fast reader of Indodax: publications of order updates, and pings.

It may read: new, filled and canceled orders without a reason, and fills with all that is documented
of them. What the values mean stands in `orders`.
"""

from decimal import Decimal
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from privstream.exchanges.indodax import names
from privstream.exchanges.indodax.orders import BEGINNING, LIQUIDITY, SIDES, fill_key
from privstream.exchanges.kit.fast import (
    ABSENT,
    AMOUNT,
    UNSIGNED,
    Count,
    Ignored,
    Millis,
    Text,
    decoder,
    from_millis,
    leave,
    nonzero,
    pattern,
    plain,
    texts,
)
from privstream.model.exact import EXACT, Part
from privstream.model.reports import AnyReport, Fill, OrderFields, OrderReport

PING = b"{}"


class FillInformation(Struct, rename="camel", gc=False, forbid_unknown_fields=True):
    """A fill's own amount, and what it cost, in three parts."""

    participant: Literal["MAKER", "TAKER"]
    qty: Text
    fee: Text
    fee_asset: Text
    tax: Text
    tax_asset: Text
    clearing: Text
    clearing_asset: Text
    filled_qty: Ignored = None
    fee_rate: Ignored = None
    tax_rate: Ignored = None
    clearing_rate: Ignored = None


class OrderRow(Struct, rename="camel", gc=False, forbid_unknown_fields=True):
    """An order, and its last fill where its status is FILL."""

    order_id: Text
    symbol: Text
    side: Literal["BUY", "SELL"]
    orig_qty: Text
    unfilled_qty: Text
    executed_qty: Text
    price: Text
    description: Text
    status: Text
    transaction_time: Millis
    client_order_id: str = ABSENT
    trade_id: Text = ABSENT
    fill_information: FillInformation | None = None


class Event(Struct, rename="camel", gc=False, forbid_unknown_fields=True):
    """An order update."""

    event_type: Literal["order_update"]
    order: OrderRow


class Publication(Struct, gc=False, forbid_unknown_fields=True):
    """What was published, and its number in the channel, where that has a history."""

    data: tuple[Event, ...]
    offset: Count | None = None


class Push(Struct, gc=False, forbid_unknown_fields=True):
    """To which channel it was."""

    channel: Text
    pub: Publication


class Frame(Struct, gc=False, forbid_unknown_fields=True):
    """A frame of a publication."""

    push: Push


def decode(frame: bytes) -> Push:
    """The publication. Raises what `kit.fast` says."""
    push: Push = _decode(frame).push
    return push


_decode = decoder(Frame)


@lru_cache(maxsize=4096)
def market(pair: str, description: str) -> tuple[str, str]:
    """The common symbol and Indodax's own, each time the same two texts."""
    symbol = names.symbol(pair, description)
    return (symbol or leave("no pair that is known"), names.join(pair))


@lru_cache(maxsize=4096)
def order_type(order_id: str) -> str:
    """What an order's id tells of it."""
    parts = names.order_id_parts(order_id)
    return names.order_type(parts.kind) if parts is not None else leave("not as documented")


AMOUNTS = pattern(*[UNSIGNED] * 4)
FILLED = pattern(UNSIGNED, *[AMOUNT] * 3)


def read(publication: Publication, frame: bytes) -> list[AnyReport]:
    """The fills, and the orders they leave behind."""
    reports: list[AnyReport] = []
    for index, event in enumerate(publication.data):
        row, part = event.order, Part(frame, ("push", "pub", "data", index))
        if (time := from_millis(row.transaction_time)) < BEGINNING:
            leave("no time of this exchange")
        fields = _read_fields(row, time)
        if row.status == "FILL":
            reports.append(_read_fill(row, fields, time, publication.offset, part))
        reports.append(_order_report(row, fields, time, publication.offset, part))
    return reports


def _order_report(
    row: OrderRow, fields: OrderFields, time: str, offset: int | None, part: Part
) -> OrderReport:
    return OrderReport(
        row.order_id,
        fields,
        whole=True,
        time=time,
        sequence=offset,
        element=part,
        checked=True,
        is_fixed=True,
    )


def _read_fields(row: OrderRow, time: str) -> OrderFields:
    status = names.status(row.status)
    if status in {"rejected", "unknown"}:
        leave("a status of which more is to be asked")
    quantity, left, filled, price = texts(
        AMOUNTS(f"{row.orig_qty} {row.unfilled_qty} {row.executed_qty} {row.price}")
    )
    symbol, exchange_symbol = market(row.symbol, row.description)
    fields: OrderFields = {
        "exchange_symbol": exchange_symbol,
        "symbol": symbol,
        "order_type": order_type(row.order_id),
        "exchange_status": row.status,
        "status": status,
        "side": SIDES[row.side],
        "quantity": nonzero(quantity),
        "price": nonzero(price),
        "filled": plain(filled),
        "remaining": plain(left),
    }
    if row.client_order_id not in {"", "0"}:
        fields["client_order_id"] = row.client_order_id
    if row.status == "NEW":
        fields["created"] = time
    return fields


def _read_fill(
    row: OrderRow, fields: OrderFields, time: str, offset: int | None, part: Part
) -> Fill:
    told, side, price = row.fill_information, fields["side"], fields["price"]
    if told is None or row.trade_id == ABSENT or side is None:
        leave("a fill without its id or amounts")
    quantity, fee, tax, clearing = texts(
        FILLED(f"{told.qty} {told.fee} {told.tax} {told.clearing}")
    )
    is_estimate = price is not None and told.participant == "TAKER"
    charged, fee_currency = _charged(told, fee, tax, clearing)
    return Fill(
        row.trade_id,
        row.order_id,
        fields["symbol"],
        fields["exchange_symbol"],
        side,
        price,
        nonzero(quantity) or leave("a fill of nothing"),
        None,
        charged,
        fee_currency,
        fields.get("client_order_id"),
        fields["order_type"],
        LIQUIDITY[told.participant],  # type: ignore[arg-type]  # a closed set
        ("price",) if is_estimate else (),
        fill_key(row.trade_id, side),
        time,
        "stream",
        offset,
        part,
        checked=True,
    )


def _charged(told: FillInformation, *parts: str) -> tuple[str | None, str | None]:
    """All three together, where they are of one currency."""
    assets = {told.fee_asset, told.tax_asset, told.clearing_asset}
    if len({*map(names.currency, assets)}) > 1:
        return None, None
    return _sum(parts), names.currency(told.fee_asset)


def _sum(parts: tuple[str, ...]) -> str:
    if "".join(parts).isdigit():  # nearly always
        return str(sum(map(int, parts)))
    total = Decimal(plain(parts[0]))
    for part in parts[1:]:
        total = Decimal(plain(format(EXACT.add(total, Decimal(plain(part))), "f")))
    return plain(format(total, "f"))
