"""Bitfinex's rows, the same on the socket and over REST: lists whose positions have meanings.

The one rule: what names a fact must be readable, all else of it may be null. Rows may grow
at their end and old ones are shorter. Amounts are signed: the sign is the side.
Source: docs.bitfinex.com/reference (ws-auth-orders, ws-auth-trades, ws-auth-wallets,
ws-auth-positions), checked 2026-11-30.
"""

from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from typing import Any, Literal, NamedTuple, TypeAlias

from privstream.exchanges.bitfinex import names
from privstream.exchanges.bitfinex.names import Names
from privstream.exchanges.kit.side_values import (
    SideValues,
    needed,
    not_negative,
    positive,
    text_of,
    word_of,
)
from privstream.model.events import OrderStatus, PositionSide, Side, Source
from privstream.model.exact import (
    EXACT,
    Number,
    Unreadable,
    amount,
    kind_of,
    normal,
    subtract,
    unsigned,
)
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
SHORTEST = 4  # elements; every row has more, and has had since 2017
POST_ONLY = 4096  # order flag
MILLIS_FROM = 10**12  # a notification's time below this is in seconds
LIVE: frozenset[OrderStatus] = frozenset({"open", "partially_filled", "unknown"})


class Origin(NamedTuple):
    """Where a row came from."""

    source: Source
    sequence: int | None = None
    sent: str | None = None
    """When the server sent the frame."""
    names: Names = names.USUAL
    """What currencies and pairs are called elsewhere."""


def rows_of(payload: Any, *, is_list: bool = False) -> list[Any]:
    """The rows of a payload, which may be one row or a list of them, as those of all usually are."""
    if not isinstance(payload, list):
        raise Unreadable(f"it brings {kind_of(payload)}, not a list")
    lists = [item for item in payload if isinstance(item, list)]
    # One row may hold an odd list, a list of rows odd rows.
    is_row = len(payload) >= SHORTEST and 2 * len(lists) < len(payload)
    if is_list and any(len(item) >= SHORTEST for item in lists):
        is_row = False
    return [payload] if is_row else payload


def _checked(row: object) -> Row:
    if not isinstance(row, list):
        raise Unreadable(f"it is {kind_of(row)}, not a list")
    return row


def _at(row: Row, index: int) -> Any:
    return row[index] if index < len(row) else None


def _identity(value: object) -> str:
    """An id as text, in any spelling of a whole number. Raises where it is none."""
    if type(value) is int and value > 0:  # nearly always
        return str(value)
    text = normal(amount(value))
    if not text.isdecimal() or text == "0":
        raise Unreadable("it has no id that is a number")
    return text


def _name(value: object, what: str) -> str:
    """A text that must be there."""
    if not isinstance(value, str) or isinstance(value, Number) or not value.strip():
        raise Unreadable(f"its {what} is {kind_of(value)}, not a text")
    return value


def _client_id(value: object) -> str | None:
    """The client's own id, a number; 0 means that there is none."""
    return None if value in ("", "0", 0) or value is None else _identity(value)


def _signed(value: object) -> str:
    """An amount whose sign is the side."""
    text = amount(value)
    if text is None or text == "0":
        raise Unreadable("an amount of nothing has no side")
    return text


def _side(signed: str | None) -> Side | None:
    if signed is None:
        return None
    return "sell" if signed[0] == "-" else "buy"


# --- orders ----------------------------------------------------------------------------


def read_order(
    row: Row, origin: Origin, *, is_over: bool = False
) -> Iterator[OrderReport | NoticeReport]:
    """The whole order; where it `is_over` nothing that its words say can open it again."""
    order_id, values = _identity(_checked(row)[0]), SideValues("order")
    original = values.read("quantity", _signed, _at(row, 7))
    left = values.read("remaining", needed(amount), _at(row, 6))
    filled = values.read("filled", _filled, (original, left))
    status, reason = values.read("status", names.status, _at(row, 13)) or (None, None)
    fields: OrderFields = {
        "client_order_id": values.read("client_order_id", _client_id, _at(row, 2)),
        "symbol": values.read("symbol", origin.names.symbol, _at(row, 3)),
        "exchange_symbol": values.read("exchange_symbol", text_of, _at(row, 3)),
        "side": _side(original),
        "exchange_status": values.read("exchange_status", text_of, _at(row, 13)),
        "quantity": unsigned(original),
        "filled": filled,
        "remaining": _remaining(original, left),
        "average_price": _average(row, filled, values),
        "reason": reason,
        "created": values.read("created", from_millis, _at(row, 4)),
    }
    if is_over and (status is None or status in LIVE):
        status = _ended(left)
    if status is not None:
        fields["status"] = status
    _read_terms(row, fields, values)
    yield OrderReport(
        order_id=order_id,
        fields=_said(fields, values.unread),
        whole=True,
        time=values.read("time", from_millis, _at(row, 5)) or origin.sent,
        source=origin.source,
        sequence=origin.sequence,
        element=row,
    )
    yield from values.notices(row, origin.sequence, origin.sent)


SAID_BY: dict[str, frozenset[str]] = {
    "quantity": frozenset({"quantity", "side", "filled"}),
    "remaining": frozenset({"remaining", "filled"}),
    "order_type": frozenset({"order_type", "time_in_force", "price", "stop_price"}),
    "status": frozenset({"reason"}),
}
"""What a position of the row says beside the key that it is read by."""


def _said(fields: OrderFields, unread: frozenset[str]) -> OrderFields:
    """Without what could not be read: a null would say that there is none."""
    if not unread:
        return fields
    unsaid = frozenset[str]().union(*(SAID_BY.get(key, {key}) for key in unread))
    return {k: v for k, v in fields.items() if v is not None or k not in unsaid}  # type: ignore[return-value]  # a part of it


def _filled(amounts: tuple[str | None, str | None]) -> str | None:
    """What was ordered less what is left, with their signs: a changed order may be overfilled."""
    original, left = amounts
    if original is None or left is None:
        return None
    filled = subtract(original, left)
    if filled != "0" and _side(filled) != _side(original):
        raise Unreadable("more is left than was ordered")
    return unsigned(filled)


def _remaining(original: str | None, left: str | None) -> str | None:
    """What is left, as stated; of an order that was overfilled by a change nothing can be said."""
    is_overfilled = original is not None and left != "0" and _side(left) != _side(original)
    return None if is_overfilled else unsigned(left)


def _ended(left: str | None) -> OrderStatus:
    return "filled" if left == "0" else "canceled"


def _average(row: Row, filled: str | None, values: SideValues) -> str | None:
    """An order that closes a position bears the position's price there before it fills."""
    return None if filled == "0" else values.read("average_price", positive, _at(row, 17))


def _read_terms(row: Row, fields: OrderFields, values: SideValues) -> None:
    kind, implied = values.read("order_type", _order_type, _at(row, 8)) or (None, None)
    fields["order_type"] = kind
    fields["time_in_force"] = implied or values.read(
        "time_in_force", _time_in_force, (kind, _at(row, 12), _at(row, 10), _at(row, 31))
    )
    fields["price"], fields["stop_price"] = _prices(row, kind, values)


def kind_of_order(row: Row) -> object:
    """Bitfinex's own word for the type, which names the wallet; short rows have none."""
    return _at(row, 8)


def _order_type(value: object) -> tuple[str, str | None]:
    return names.order_type(_name(value, "type"))


def _time_in_force(terms: tuple[str | None, Any, Any, Any]) -> str | None:
    kind, flags, until, meta = terms
    if int(flags or 0) & POST_ONLY or (isinstance(meta, dict) and meta.get("$F7")):
        return "post_only"
    if from_millis(until) is not None:
        return "gtd"
    return None if kind in {None, "market"} else "gtc"


def _prices(row: Row, kind: str | None, values: SideValues) -> tuple[str | None, str | None]:
    """Limit and trigger: PRICE is the trigger of a stop, PRICE_AUX_LIMIT then its limit."""
    if kind is None or kind == "market":  # PRICE is then the last one on the market
        return None, None
    if "stop" not in kind:
        return values.read("price", positive, _at(row, 16)), None
    limit = None
    if kind == "stop_limit":
        limit = values.read("price", positive, _at(row, 19))
    return limit, values.read("stop_price", positive, _at(row, 16))


# --- fills -----------------------------------------------------------------------------


def read_fill(row: Row, origin: Origin) -> Iterator[Fill | NoticeReport]:
    """A fill of te, tu or REST; te has no fee yet, and old ones end after MAKER."""
    trade_id, exchange_symbol = _identity(_checked(row)[0]), _name(_at(row, 1), "symbol")
    values = SideValues("trade")
    order_id = values.read("order_id", _identity, _at(row, 3))
    traded = values.read("quantity", _signed, _at(row, 4))
    price = values.read("price", needed(not_negative), _at(row, 5))
    yield Fill(
        trade_id=trade_id,
        order_id=order_id,
        # Both sides of a trade may be ours: then two orders share the trade's id.
        key=f"{exchange_symbol}:{trade_id}:{order_id or _side(traded) or ''}",
        symbol=values.read("symbol", origin.names.symbol, exchange_symbol),
        exchange_symbol=exchange_symbol,
        side=_side(traded),
        price=price,
        quantity=unsigned(traded),
        cost=_cost(price, unsigned(traded)),
        fee=values.read("fee", _charged, _at(row, 9)),
        fee_currency=values.read("fee_currency", partial(_currency, origin), _at(row, 10)),
        client_order_id=values.read("client_order_id", _client_id, _at(row, 11)),
        order_type=values.read("order_type", _type_of_fill, _at(row, 6)),
        liquidity=values.read("liquidity", _liquidity, _at(row, 8)),
        time=values.read("time", from_millis, _at(row, 2)) or origin.sent,
        source=origin.source,
        sequence=origin.sequence,
        element=row,
    )
    yield from values.notices(row, origin.sequence, origin.sent)


def _cost(price: str | None, quantity: str | None) -> str | None:
    if price is None or quantity is None:
        return None
    return amount(format(EXACT.multiply(Decimal(price), Decimal(quantity)), "f"))


def _charged(value: object) -> str | None:
    """A fee as what was charged; Bitfinex writes what the wallet gains."""
    fee = amount(value)
    if fee is None or fee == "0":
        return fee
    return fee[1:] if fee[0] == "-" else f"-{fee}"


def _currency(origin: Origin, value: object) -> str | None:
    return None if (code := text_of(value)) is None else origin.names.currency(code)


def _type_of_fill(value: object) -> str | None:
    return None if (text := text_of(value)) is None else names.order_type(text)[0]


def _liquidity(maker: object) -> Literal["maker", "taker"] | None:
    if maker is None or maker == 0:
        return None
    if maker in (1, -1):
        return "maker" if maker == 1 else "taker"
    raise Unreadable("it is neither 1 nor -1")


# --- wallets, positions, notifications -------------------------------------------------


def read_wallet(row: Row, origin: Origin) -> Iterator[BalanceReport | NoticeReport]:
    """One currency of one wallet; an available amount of null is not computed."""
    kind, currency = _name(_checked(row)[0], "wallet"), _name(_at(row, 1), "currency")
    values = SideValues("balance")
    reason = values.read("reason", _reason, _at(row, 6))
    yield BalanceReport(
        currency=origin.names.currency(currency),
        exchange_currency=currency,
        wallet=word_of(kind),
        total=values.read("total", needed(amount), _at(row, 2)),
        available=values.read("available", amount, _at(row, 4)),
        reason=reason,
        time=origin.sent,
        source=origin.source,
        sequence=origin.sequence,
        element=row,
    )
    yield from values.notices(row, origin.sequence, origin.sent)


def _reason(meta: Any) -> str | None:
    """Of what is said of the change, `{"reason":"TRADE",…}`."""
    return None if meta is None else word_of(meta.get("reason"))


def read_position(
    row: Row, origin: Origin, *, closed: bool
) -> Iterator[PositionReport | NoticeReport]:
    """A position; what is not computed yet (liquidation price, leverage, profit) is null."""
    values, symbol = SideValues("position"), _at(_checked(row), 0)
    position_id = values.read("position_id", _client_id, _at(row, 11))
    # Either of the two names the position.
    exchange_symbol = (
        _name(symbol, "symbol")
        if position_id is None
        else values.read("symbol", partial(_name, what="symbol"), symbol)
    )
    held = "0" if closed else values.read("quantity", needed(amount), _at(row, 2))
    is_flat = held == "0"
    yield PositionReport(
        symbol=None
        if exchange_symbol is None
        else values.read("symbol", origin.names.symbol, exchange_symbol),
        exchange_symbol=exchange_symbol,
        side=_direction(held),
        quantity=unsigned(held),
        status="closed" if is_flat else values.read("status", word_of, _at(row, 1)) or "unknown",
        position_id=position_id,
        entry_price=values.read("entry_price", positive, _at(row, 3)),
        liquidation_price=None
        if is_flat
        else values.read("liquidation_price", _above_zero, _at(row, 8)),
        leverage=None if is_flat else values.read("leverage", positive, _at(row, 9)),
        unrealized_pnl=None if is_flat else values.read("unrealized_pnl", amount, _at(row, 6)),
        time=values.read("time", from_millis, _at(row, 13)) or origin.sent,
        source=origin.source,
        sequence=origin.sequence,
        element=row,
    )
    yield from values.notices(row, origin.sequence, origin.sent)


def is_computed(row: Row) -> bool:
    """The server has computed its liquidation price."""
    return _at(row, 8) is not None


def _above_zero(price: object) -> str | None:
    """A price below nothing is never reached: there is none."""
    text = amount(price)
    return None if text is None or text == "0" or text[0] == "-" else text


def _direction(held: str | None) -> PositionSide | None:
    if held is None:
        return None
    if held == "0":
        return "flat"
    return "short" if held[0] == "-" else "long"


def read_notification(row: Row, origin: Origin) -> Iterator[NoticeReport]:
    """What Bitfinex says of a request or of the account; its own type is the code."""
    kind, values = _name(_at(_checked(row), 1), "type"), SideValues("notification")
    status, text = values.read("status", text_of, _at(row, 6)), _at(row, 7)
    yield NoticeReport(
        level="info" if (status or "").upper() == "SUCCESS" else "error",
        code=kind,
        text=values.read("text", text_of, text) or status or kind,
        time=values.read("time", _moment, _at(row, 0)) or origin.sent,
        source=origin.source,
        sequence=origin.sequence,
        element=row,
    )
    yield from values.notices(row, origin.sequence, origin.sent)


def _moment(value: object) -> str | None:
    """A notification's time: in milliseconds, in seconds, or in seconds with decimals."""
    text = amount(value)
    if text is None:
        return None
    whole = int(text.partition(".")[0])
    return from_millis(text) if whole >= MILLIS_FROM else from_epoch_seconds(text)
