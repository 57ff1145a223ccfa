"""The fast reader of Poloniex: pushes of one order, with its fill if any, and of one balance.

It may read: pushes with all the keys that every push was seen to have. What the values mean stands
in `orders` and `balances`.
"""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from privstream.exchanges.kit.fast import (
    AMOUNT,
    END_OF_MILLIS,
    FIRST_MILLIS,
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
from privstream.exchanges.poloniex import names
from privstream.exchanges.poloniex.balances import Holdings
from privstream.exchanges.poloniex.fill_keys import FillKeys
from privstream.exchanges.poloniex.orders import AT_ONCE, TRADE, average_of
from privstream.model.exact import Part
from privstream.model.reports import AnyReport, BalanceReport, Fill, OrderFields, OrderReport


class OrderItem(Struct, rename="camel", gc=False, forbid_unknown_fields=True):
    """An order, and what of it was filled just now; zeros and empty texts mean nothing."""

    order_id: Text
    trade_id: Text
    client_order_id: str
    event_type: Text
    symbol: Text
    side: Text
    type: Text
    price: Text
    quantity: Text
    state: Text
    create_time: Millis
    trade_time: Count
    trade_price: Text
    trade_qty: Text
    fee_currency: str
    trade_fee: Text
    trade_amount: Text
    filled_quantity: Text
    filled_amount: Text
    ts: Millis
    order_amount: Text
    match_role: str
    account_type: Ignored = None
    source: Ignored = None


class BalanceItem(Struct, rename="camel", gc=False, forbid_unknown_fields=True):
    """A currency after a change."""

    id: Count | Text
    currency: Text
    available: Text
    hold: Text
    change_time: Millis
    event_type: Text
    account_type: Text
    version: Count | None = None
    account_id: Ignored = None
    user_id: Ignored = None
    ts: Ignored = None


class Orders(Struct, tag_field="channel", tag="orders", forbid_unknown_fields=True):
    """A push of this channel."""

    data: tuple[OrderItem]


class Balances(Struct, tag_field="channel", tag="balances", forbid_unknown_fields=True):
    """A push of this channel."""

    data: tuple[BalanceItem]


decode = decoder(Orders | Balances)


def read(frame: bytes, keys: FillKeys, holdings: Holdings) -> list[AnyReport]:
    """The reports of a push."""
    (item,) = decode(frame).data
    part = Part(frame, ("data", 0))
    if isinstance(item, OrderItem):
        return _read_order(item, keys, part)
    return _read_balance(item, holdings, part)


def _given(text: str) -> str | None:
    """An id; "0" and "" mean that there is none."""
    return None if text in {"0", ""} else text


def _traded(item: OrderItem) -> str | None:
    millis = item.trade_time
    if millis and not FIRST_MILLIS <= millis < END_OF_MILLIS:
        leave("an odd time")
    return from_millis(millis) if millis else None


# --- orders ----------------------------------------------------------------------------

AMOUNTS = pattern(*[UNSIGNED] * 8, AMOUNT)


def _read_order(item: OrderItem, keys: FillKeys, part: Part) -> list[AnyReport]:
    """The fill that a push tells of, if any, and then the order it leaves behind."""
    price, quantity, in_quote, filled, cost, *traded = texts(
        AMOUNTS(
            f"{item.price} {item.quantity} {item.order_amount} {item.filled_quantity} "
            f"{item.filled_amount} {item.trade_price} {item.trade_qty} {item.trade_amount} {item.trade_fee}"
        )
    )
    if item.order_id == "0":
        leave("no order")
    fields = _terms(item)
    fields["filled"] = filled = plain(filled)
    fields["cost"] = cost = plain(cost)
    for key, amount in _asked(price, quantity, in_quote):
        fields[key] = amount  # type: ignore[literal-required]  # keys of OrderFields
    if (average := average_of(cost, filled)) is not None:
        fields["average_price"] = average
    order = OrderReport(item.order_id, fields, time=_happened(item), element=part, checked=True)
    fill = _read_fill(item, fields, traded, keys, part)
    return [order] if fill is None else [fill, order]


def _terms(item: OrderItem) -> OrderFields:
    symbol, exchange_symbol = names.market(item.symbol)
    fields: OrderFields = {
        "symbol": symbol,
        "exchange_symbol": exchange_symbol,
        "side": names.side(item.side),
        "order_type": names.order_type(item.type),
        "status": names.status(item.state),
        "exchange_status": item.state,
        "created": from_millis(item.create_time),
    }
    if (client_id := _given(item.client_order_id)) is not None:
        fields["client_order_id"] = client_id
    if item.type.lower() == names.POST_ONLY:
        fields["time_in_force"] = "post_only"
    return fields


def _asked(price: str, quantity: str, in_quote: str) -> Iterable[tuple[str, str]]:
    """What was ordered, as far as it is known: an order in the quote currency has no quantity."""
    if (limit := nonzero(price)) is not None:
        yield "price", limit
    if (size := nonzero(quantity)) is not None:
        yield "quantity", size
    elif (size := nonzero(in_quote)) is not None:
        yield "quote_quantity", size


def _happened(item: OrderItem) -> str:
    if (traded := _traded(item)) is not None:
        return traded
    is_fresh = item.event_type.lower() == "place" and item.ts - item.create_time <= AT_ONCE
    return from_millis(item.create_time if is_fresh else item.ts)


def _read_fill(
    item: OrderItem, fields: OrderFields, traded: list[Any], keys: FillKeys, part: Part
) -> Fill | None:
    """A fill. Only its key is kept, once all else was read."""
    trade_id = _given(item.trade_id)
    price, quantity, cost, fee = (
        nonzero(traded[0]),
        nonzero(traded[1]),
        nonzero(traded[2]),
        traded[3],
    )
    if item.event_type.lower() != TRADE and quantity is None:
        return None
    if trade_id is None or price is None or quantity is None:
        leave("a trade without its id or amounts")
    code = _given(item.fee_currency)
    liquidity = names.liquidity(item.match_role)
    return Fill(
        trade_id,
        item.order_id,
        fields["symbol"],
        fields["exchange_symbol"],
        fields["side"],
        price,
        quantity,
        cost,
        plain(fee),
        None if code is None else names.common(code),
        fields.get("client_order_id"),
        fields["order_type"],
        liquidity,
        (),
        keys.key(item.order_id, trade_id, (price, quantity), item.trade_time or item.ts),
        _traded(item),
        "stream",
        None,
        part,
        checked=True,
    )


# --- balances --------------------------------------------------------------------------

HELD = pattern(AMOUNT, UNSIGNED)


def _read_balance(item: BalanceItem, holdings: Holdings, part: Part) -> list[AnyReport]:
    """A currency after a change, unless a later one came before it."""
    available, hold = texts(HELD(f"{item.available} {item.hold}"))
    if item.currency == "0":
        leave("no currency")
    place = item.currency, item.account_type.lower()
    report = BalanceReport(
        names.common(item.currency),
        *place,
        available=plain(available),
        hold=plain(hold),
        reason=item.event_type.lower(),
        key=_given(str(item.id)),
        time=from_millis(item.change_time),
        element=part,
        checked=True,
    )
    if holdings.outdated(place, item.version):
        return []
    holdings.pushed(place)
    return [report]
