"""The fast reader of Bitfinex: fills, orders, wallets, heartbeats and account values.

It may read: one row of the account channel in a frame with its number and the server's time.
What the values mean stands in `rows`, where the frame's numbers are in `numbering`.
"""

from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct

from privstream.exchanges.bitfinex import names
from privstream.exchanges.bitfinex.names import Names
from privstream.exchanges.bitfinex.rows import LIVE, POST_ONLY
from privstream.exchanges.kit.fast import (
    Count,
    Ignored,
    Millis,
    Number,
    Text,
    amounts,
    decoder,
    from_millis,
    leave,
    nonzero,
    plain,
    word,
)
from privstream.model.events import OrderStatus, Side
from privstream.model.exact import EXACT, Part
from privstream.model.exact import unsigned as without_sign
from privstream.model.reports import BalanceReport, Fill, OrderFields, OrderReport

Sequence = Annotated[int, Meta(ge=0, lt=10**12)]
Sent = Annotated[int, Meta(ge=10**12, lt=10**14)]
"""Milliseconds: a server's time, and never a sequence number."""
Id = Annotated[int, Meta(ge=1)]
Filler: TypeAlias = str | int | None
"""What is not told. Never a list: a row with many lists might be a list of rows."""


class FillRow(Struct, array_like=True, gc=False, forbid_unknown_fields=True):
    """A row of te, which has no fee yet, or tu."""

    trade_id: Id
    symbol: Text
    time: Millis
    order_id: Id
    amount: Number
    price: Number
    type: Text
    order_price: Ignored
    maker: Literal[1, -1]
    fee: Number
    fee_currency: Text | None
    cid: Count | None = None


class OrderRow(Struct, array_like=True, gc=False, forbid_unknown_fields=True):
    """A row of on, ou and oc."""

    order_id: Id
    gid: Filler
    cid: Count | None
    symbol: Text
    created: Millis
    updated: Millis
    left: Number
    original: Number
    type: Text
    type_before: Filler
    until: Millis | None
    filler_11: Filler
    flags: Count | None
    status: Text
    filler_14: Filler
    filler_15: Filler
    price: Number
    average: Number
    trailing: Ignored
    limit: Number
    filler_20: Filler = None
    filler_21: Filler = None
    filler_22: Filler = None
    notify: Filler = None
    hidden: Filler = None
    placed: Filler = None
    filler_26: Filler = None
    filler_27: Filler = None
    routing: Filler = None
    filler_29: Filler = None
    filler_30: Filler = None
    meta: dict[str, Any] | None = None


class WalletRow(Struct, array_like=True, gc=False, forbid_unknown_fields=True):
    """A row of wu; an available amount of null is not computed."""

    kind: Text
    currency: Text
    total: Number
    interest: Ignored
    available: Number
    description: Filler = None
    meta: dict[str, Any] | None = None


Channel = Literal[0]
READS = {
    f'[0,"{kind}",'.encode(): decoder(tuple[Channel, Literal[kind], row, Sequence, Count, Sent])  # type: ignore[valid-type]  # made here
    for kind, row in {
        "te": FillRow,
        "tu": FillRow,
        "on": OrderRow,
        "ou": OrderRow,
        "oc": OrderRow,
        "wu": WalletRow,
        "bu": Ignored,
    }.items()
}
PREFIX = len('[0,"te",')
decode_heartbeat = decoder(tuple[Channel, Literal["hb"], Sequence, Sent])


class News(Struct, gc=False):
    """What a frame brings, and when the server sent it."""

    kind: str
    row: Any
    number: int
    sent: int
    part: Part


def decode(frame: bytes) -> News:
    """The frame. Raises what `kit.fast` says."""
    read = READS.get(frame[:PREFIX])
    if read is None:
        _, kind, number, sent = decode_heartbeat(frame)
        return News(kind, None, number, sent, Part(frame, ()))
    _, kind, row, number, _, sent = read(frame)
    return News(kind, row, number, sent, Part(frame, (2,)))


def _side(signed: str) -> Side:
    return "sell" if signed[0] == "-" else "buy"


def _signed(amount: str) -> str:
    return amount if amount.strip("-0.") else leave("an amount of nothing")


# --- fills -----------------------------------------------------------------------------


def read_fill(row: FillRow, news: News, known: Names) -> Fill:
    """A fill."""
    amount, price = amounts(row.amount, row.price)
    quantity, price = without_sign(_signed(amount)) or "0", plain(price)
    if price[0] == "-":
        leave("a price below zero")
    symbol, exchange_symbol = known.market(row.symbol)
    code = row.fee_currency
    return Fill(
        str(row.trade_id),
        str(row.order_id),
        symbol,
        exchange_symbol,
        _side(amount),
        price,
        quantity,
        plain(format(EXACT.multiply(Decimal(price), Decimal(quantity)), "f")),
        None if row.fee is None else _charged(*amounts(row.fee)),
        None if code is None else known.currency(code),
        str(row.cid) if row.cid else None,
        names.order_type(row.type)[0],
        "maker" if row.maker == 1 else "taker",
        (),
        f"{exchange_symbol}:{row.trade_id}:{row.order_id}",
        from_millis(row.time),
        "stream",
        news.number,
        news.part,
        checked=True,
    )


def _charged(fee: str) -> str:
    """What was charged; Bitfinex writes what the wallet gains."""
    fee = plain(fee)
    if fee == "0":
        return fee
    return fee[1:] if fee[0] == "-" else f"-{fee}"


# --- orders ----------------------------------------------------------------------------


def read_order(row: OrderRow, news: News, known: Names) -> OrderReport:
    """The whole order."""
    left, original = amounts(row.left, row.original)
    left, original = plain(left), _signed(original)
    filled = _filled(original, left)
    status, reason = names.status(row.status)
    symbol, exchange_symbol = known.market(row.symbol)
    kind, implied = names.order_type(row.type)
    fields: OrderFields = {
        "client_order_id": str(row.cid) if row.cid else None,
        "symbol": symbol,
        "exchange_symbol": exchange_symbol,
        "side": _side(original),
        "status": _ended(left) if news.kind == "oc" and status in LIVE else status,
        "exchange_status": row.status,
        "quantity": without_sign(original),
        "filled": filled,
        "remaining": without_sign(left),
        "average_price": None if filled == "0" else _price(row.average),
        "reason": reason,
        "created": from_millis(row.created),
        "order_type": kind,
        "time_in_force": implied or _time_in_force(row, kind),
    }
    _read_prices(row, kind, fields)
    return OrderReport(
        str(row.order_id),
        fields,
        True,
        from_millis(row.updated),
        "stream",
        news.number,
        news.part,
        checked=True,
    )


def _filled(original: str, left: str) -> str:
    """What was ordered less what is left; a changed order may be overfilled."""
    if left == "0":
        return without_sign(original) or "0"
    if _side(left) != _side(original):
        leave("an overfilled order")
    filled = plain(format(EXACT.subtract(Decimal(original), Decimal(left)), "f"))
    if filled != "0" and _side(filled) != _side(original):
        leave("more is left than was ordered")
    return without_sign(filled) or "0"


def _ended(left: str) -> OrderStatus:
    return "filled" if left == "0" else "canceled"


def _price(number: Number) -> str | None:
    (price,) = amounts(number)
    return nonzero(price) if price[0] != "-" else leave("a price below zero")


def _time_in_force(row: OrderRow, kind: str) -> str | None:
    if (row.flags or 0) & POST_ONLY or (row.meta is not None and row.meta.get("$F7")):
        return "post_only"
    if row.until is not None:
        return "gtd"
    return None if kind == "market" else "gtc"


def _read_prices(row: OrderRow, kind: str, fields: OrderFields) -> None:
    """PRICE is the trigger of a stop, PRICE_AUX_LIMIT then its limit, and the market's of a market order."""
    price = None if kind == "market" else _price(row.price)
    if "stop" not in kind:
        fields["price"], fields["stop_price"] = price, None
        return
    fields["price"] = _price(row.limit) if kind == "stop_limit" else None
    fields["stop_price"] = price


# --- wallets ---------------------------------------------------------------------------


def read_wallet(row: WalletRow, news: News, known: Names) -> BalanceReport:
    """One currency of one wallet."""
    (total,) = amounts(row.total)
    available = None if row.available is None else plain(*amounts(row.available))
    return BalanceReport(
        known.currency(row.currency),
        row.currency,
        word(row.kind),
        total=plain(total),
        available=available,
        reason=_reason(row.meta),
        time=from_millis(news.sent),
        sequence=news.number,
        element=news.part,
        checked=True,
    )


def _reason(meta: dict[str, Any] | None) -> str | None:
    said = None if meta is None else meta.get("reason")
    if said is None:
        return None
    return word(said) if isinstance(said, str) else leave("a reason that is no text")
