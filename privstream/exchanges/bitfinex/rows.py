"""Bitfinex's rows, the same on the socket and over REST: lists whose positions have meanings.

The one rule: rows may grow at their end and old ones are shorter, so what came later
is read only where it is there. Amounts are signed: the sign is the side.
Source: protocols/bitfinex.md section 5 (checked 2026-11-20).
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Literal, NamedTuple, TypeAlias

from privstream.exchanges.bitfinex import names
from privstream.model.events import PositionSide, Side, Source
from privstream.model.exact import EXACT, amount, nonzero, subtract, unsigned
from privstream.model.reports import (
    BalanceReport,
    Fill,
    NoticeReport,
    OrderFields,
    OrderReport,
    PositionReport,
)
from privstream.model.times import from_epoch_seconds, from_millis

Row: TypeAlias = list[Any]
POST_ONLY = 4096  # order flag (sheet section 5.1)
MILLIS_FROM = 10**12  # a notification's time below this is in seconds (sheet section 5.6)


class Origin(NamedTuple):
    """Where a row came from."""

    source: Source
    sequence: int | None = None
    sent: str | None = None
    """When the server sent the frame."""


def rows_of(payload: Any) -> list[Any]:
    """The rows of a payload, which may be one row or a list of them."""
    if not isinstance(payload, list):
        raise TypeError("the payload is no list")
    return [payload] if payload and not isinstance(payload[0], list) else payload


def _at(row: Row, index: int) -> Any:
    return row[index] if index < len(row) else None


def _identity(value: object, what: str) -> str:
    """An id as text. Raises ValueError where it is none."""
    text = str(value)
    if isinstance(value, bool) or not text.isdecimal() or text == "0":
        raise ValueError(f"no {what}: {text[:40]}")
    return text


def _client_id(value: object) -> str | None:
    return str(value) if value else None


def _signed(value: object, what: str) -> str:
    """An amount that must be there."""
    text = amount(value)
    if text is None:
        raise ValueError(f"no {what}")
    return text


def _side(signed: str) -> Side:
    if signed == "0":
        raise ValueError("an amount of zero has no side")
    return "sell" if signed[0] == "-" else "buy"


# --- orders ----------------------------------------------------------------------------


def read_order(row: Row, origin: Origin) -> Iterator[OrderReport]:
    """The whole order: what is left (AMOUNT) loses its sign at 0, AMOUNT_ORIG keeps it."""
    original, left = _signed(row[7], "AMOUNT_ORIG"), _signed(row[6], "AMOUNT")
    quantity = unsigned(original) or "0"
    filled = subtract(quantity, unsigned(left) or "0")
    if filled[0] == "-":
        raise ValueError("more is left than was ordered")
    status, reason = names.status(row[13])
    fields: OrderFields = {
        "client_order_id": _client_id(row[2]),
        "symbol": names.symbol(row[3]),
        "exchange_symbol": row[3],
        "side": _side(original),
        "status": status,
        "exchange_status": row[13],
        "quantity": quantity,
        "filled": filled,
        # An order that closes a position bears the position's price there before it fills.
        "average_price": None if filled == "0" else nonzero(row[17]),
        "reason": reason,
        "created": from_millis(row[4]),
    }
    _read_terms(row, fields)
    yield OrderReport(
        order_id=_identity(row[0], "order id"),
        fields=fields,
        time=from_millis(row[5]) or origin.sent,
        source=origin.source,
        sequence=origin.sequence,
        element=row,
    )


def _read_terms(row: Row, fields: OrderFields) -> None:
    kind, implied = names.order_type(row[8])
    fields["order_type"] = kind
    fields["time_in_force"] = implied or _time_in_force(row, kind)
    fields["price"], fields["stop_price"] = _prices(row, kind)


def _time_in_force(row: Row, kind: str) -> str | None:
    meta = _at(row, 31)
    if int(row[12] or 0) & POST_ONLY or (isinstance(meta, dict) and meta.get("$F7")):
        return "post_only"
    if row[10]:
        return "gtd"
    return None if kind == "market" else "gtc"


def _prices(row: Row, kind: str) -> tuple[str | None, str | None]:
    """Limit and trigger: PRICE is the trigger of a stop, PRICE_AUX_LIMIT then its limit."""
    price = nonzero(row[16])
    if kind == "market":  # PRICE is then the last one on the market
        return None, None
    if kind == "stop_limit":
        return nonzero(_at(row, 19)), price
    return (None, price) if "stop" in kind else (price, None)


# --- fills -----------------------------------------------------------------------------


def read_fill(row: Row, origin: Origin) -> Iterator[Fill]:
    """A fill of te, tu or REST; te has no fee yet, and old ones end after MAKER."""
    traded = _signed(row[4], "EXEC_AMOUNT")
    price, quantity = _signed(row[5], "EXEC_PRICE"), unsigned(traded) or "0"
    trade_id, order_id = _identity(row[0], "trade id"), _identity(row[3], "order id")
    fee_currency = _at(row, 10)
    yield Fill(
        trade_id=trade_id,
        order_id=order_id,
        # Both sides of a trade may be ours: then two orders share the trade's id.
        key=f"{row[1]}:{trade_id}:{order_id}",
        symbol=names.symbol(row[1]),
        exchange_symbol=row[1],
        side=_side(traded),
        price=price,
        quantity=quantity,
        cost=amount(format(EXACT.multiply(Decimal(price), Decimal(quantity)), "f")),
        fee=_charged(amount(_at(row, 9))),
        fee_currency=names.currency(fee_currency) if fee_currency else None,
        client_order_id=_client_id(_at(row, 11)),
        order_type=names.order_type(row[6])[0] if row[6] else None,
        liquidity=_liquidity(row[8]),
        time=from_millis(row[2]) or origin.sent,
        source=origin.source,
        sequence=origin.sequence,
        element=row,
    )


def _charged(fee: str | None) -> str | None:
    """A fee as what was charged; Bitfinex writes what the wallet gains."""
    if fee is None or fee == "0":
        return fee
    return fee[1:] if fee[0] == "-" else f"-{fee}"


def _liquidity(maker: object) -> Literal["maker", "taker"] | None:
    if maker is True or maker == 1:
        return "maker"
    return "taker" if maker == -1 else None


# --- wallets, positions, notifications -------------------------------------------------


def read_wallet(row: Row, origin: Origin) -> Iterator[BalanceReport]:
    """One currency of one wallet; an available amount of null is not computed."""
    meta = _at(row, 6)
    reason = meta.get("reason") if isinstance(meta, dict) else None
    yield BalanceReport(
        currency=names.currency(row[1]),
        exchange_currency=row[1],
        wallet=names.word(row[0]),
        total=_signed(row[2], "BALANCE"),
        available=amount(row[4]),
        reason=names.word(reason) if reason else None,
        time=origin.sent,
        source=origin.source,
        sequence=origin.sequence,
        element=row,
    )


def read_position(row: Row, origin: Origin, *, closed: bool) -> Iterator[PositionReport]:
    """A position; what is not computed yet (liquidation price, leverage, profit) is null."""
    held = _signed(row[2], "AMOUNT")
    position_id = _at(row, 11)
    is_flat = closed or held == "0"
    yield PositionReport(
        symbol=names.symbol(row[0]),
        exchange_symbol=row[0],
        side="flat" if is_flat else _direction(held),
        quantity="0" if is_flat else unsigned(held),
        status="closed" if is_flat else names.word(row[1]),
        position_id=_identity(position_id, "position id") if position_id else None,
        entry_price=nonzero(row[3]),
        liquidation_price=None if is_flat else _above_zero(_at(row, 8)),
        leverage=None if is_flat else nonzero(_at(row, 9)),
        unrealized_pnl=None if is_flat else amount(_at(row, 6)),
        time=from_millis(_at(row, 13)) or origin.sent,
        source=origin.source,
        sequence=origin.sequence,
        element=row,
    )


def _above_zero(price: object) -> str | None:
    """A price below nothing is never reached: there is none."""
    text = nonzero(price)
    return None if text is not None and text[0] == "-" else text


def _direction(held: str) -> PositionSide:
    return "short" if held[0] == "-" else "long"


def read_notification(row: Row, origin: Origin) -> Iterator[NoticeReport]:
    """What Bitfinex says of a request or of the account; its own type is the code."""
    kind, status, text = row[1], row[6], _at(row, 7)
    if not isinstance(kind, str):
        raise TypeError("a notification without a type")
    yield NoticeReport(
        level="info" if str(status).upper() == "SUCCESS" else "error",
        code=kind,
        text=str(text or status or kind),
        time=_moment(row[0]) or origin.sent,
        source=origin.source,
        sequence=origin.sequence,
        element=row,
    )


def _moment(value: object) -> str | None:
    """A notification's time: in milliseconds, in seconds, or in seconds with decimals."""
    text = amount(value)
    if text is None:
        return None
    whole = int(text.partition(".")[0])
    return from_millis(text) if whole >= MILLIS_FROM else from_epoch_seconds(text)
