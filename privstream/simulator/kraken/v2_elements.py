"""What the channels `executions` and `balances` of v2 say of a happening.

The one rule: an update carries exactly the fields that Kraken's do; what is `new`,
`filled` or `canceled` comes without symbol and side.
"""

from decimal import Decimal
from typing import Any

from privstream.model.times import from_nanos
from privstream.simulator.kraken.v2_fields import (
    condition_fields,
    price_fields,
    quantity_fields,
    triggers,
)
from privstream.simulator.kraken.words import (
    ALL_ASSETS,
    EARNING,
    ORDER_TYPES,
    REASONS,
    fee_in_usd,
    number,
    pair_of,
)
from privstream.simulator.market import Entry, Happening, Order, Trade

CATEGORIES = {
    "trade": "trade",
    "deposit": "deposit",
    "withdrawal": "withdrawal",
    "margin": "margin-trade",
    "settled": "margin-settle",
}
ORDER_STATES = {"pending": "pending_new", "open": "new"}
EXEC_TYPES = {
    "placed": "pending_new",
    "opened": "new",
    "trailed": "status",
    "triggered": "status",
    "amended": "amended",
    "traded": "trade",
    "filled": "filled",
    "canceled": "canceled",
    "expired": "expired",
}
Element = dict[str, Any]


def execution(happening: Happening, order: Order) -> Element:
    if happening.what == "placed":
        return _whole_order(order, "pending_new") | {"timestamp": from_nanos(happening.time_ns)}
    if happening.trade is not None:
        return _live_trade(happening.trade, order)
    element: Element = {
        "timestamp": from_nanos(happening.time_ns),
        "order_status": _order_status(order),
        "exec_type": EXEC_TYPES[happening.what],
    }
    if happening.what in {"trailed", "triggered"}:
        element["triggers"] = triggers(order)
    if happening.what == "amended":
        element |= _amended(order)
    if happening.what in {"filled", "canceled", "expired"}:
        totals = _totals(order)
        average = totals.pop("avg_price")
        element |= totals | {"fee_usd_equiv": number(fee_in_usd(order), 5), "avg_price": average}
    element["order_userref"] = order.user_reference
    if happening.what == "opened" and order.client_id:
        element["cl_ord_id"] = order.client_id
    if order.reason:
        element["cancel_reason"] = element["reason"] = REASONS[order.reason]
    element["order_id"] = order.order_id
    return element


def _amended(order: Order) -> Element:
    """As it was captured: the amounts and the limit, and no symbol, side or type."""
    element: Element = {"cum_qty": number(order.filled, 8), "amended": True}
    element |= {"reason": "User requested", "order_qty": number(order.quantity, 8)}
    if order.price is not None:
        price = number(order.price, order.symbol.price_digits)
        element |= {"limit_price": price, "limit_price_type": "static"}
    if order.stop_price is not None:
        element["triggers"] = triggers(order)
    return element


def _whole_order(order: Order, exec_type: str) -> Element:
    element: Element = {"order_id": order.order_id, "symbol": order.symbol.name}
    element |= quantity_fields(order)
    element |= {
        "cum_cost": number(order.cost, pair_of(order).width),
        "time_in_force": order.time_in_force.upper(),
        "exec_type": exec_type,
        "side": order.side,
        "order_type": ORDER_TYPES[order.type],
        "order_userref": order.user_reference,
    }
    if order.client_id:
        element["cl_ord_id"] = order.client_id
    element |= price_fields(order) | condition_fields(order)
    return element | {
        "order_status": _order_status(order),
        "fee_usd_equiv": number(fee_in_usd(order), 5),
        "fee_ccy_pref": "fcib" if order.fee_in_base else "fciq",
        "timestamp": from_nanos(order.created_ns),
    }


def snapshot_order(order: Order) -> Element:
    element = _whole_order(order, "new")
    if not order.filled:  # Kraken writes plain zeros here, not 0.00000
        return element | dict.fromkeys(("cum_qty", "cum_cost", "avg_price"), 0)
    return element | _totals(order)


def _order_status(order: Order) -> str:
    if order.status == "open" and order.filled:
        return "partially_filled"
    return ORDER_STATES.get(order.status, order.status)


def _totals(order: Order) -> Element:
    width = pair_of(order).width
    return {
        "cum_qty": number(order.filled, 8),
        "cum_cost": number(order.cost, width),
        "avg_price": number(order.average, width),
    }


def _trade(trade: Trade, status: str) -> Element:
    order, symbol = trade.order, trade.order.symbol
    width = 8 if order.pays_in_base else pair_of(order).width
    element: Element = {
        "order_id": order.order_id,
        "order_userref": order.user_reference,
        "exec_id": trade.trade_id,
        "exec_type": "trade",
        "trade_id": trade.number,
        "symbol": symbol.name,
        "side": order.side,
        "last_qty": number(trade.quantity, 8),
        "last_price": number(trade.price, symbol.price_digits),
        "liquidity_ind": "m" if trade.maker else "t",
        "cost": number(trade.cost, pair_of(order).width),
        "order_status": status,
        "order_type": ORDER_TYPES[order.type],
        "timestamp": from_nanos(trade.time_ns),
    }
    if order.client_id:
        element["cl_ord_id"] = order.client_id
    if order.leverage:
        element["margin"] = True
    return element | {
        "fee_usd_equiv": number(fee_in_usd(trade), 5),
        "fees": [{"asset": trade.fee_currency, "qty": number(trade.fee, width)}],
    }


def snapshot_trade(trade: Trade) -> Element:
    return _trade(trade, "filled")


def _live_trade(trade: Trade, order: Order) -> Element:
    # The fill that completes an order was seen with either word; `filled` follows anyway.
    complete = not order.remaining and trade.number % 2
    return _trade(trade, "filled" if complete else "partially_filled") | _totals(order)


def wallet(currency: str, amount: Decimal) -> Element:
    digits, earning = ALL_ASSETS[currency].digits, EARNING.get(currency)
    wallets = [{"type": "spot", "id": "main", "balance": number(amount, digits)}]
    if earning is not None:
        wallets.append({"type": "earn", "id": "flexible", "balance": number(earning, digits)})
    return {
        "asset": currency,
        "asset_class": "currency",
        "balance": number(amount + (earning or 0), digits),
        "wallets": wallets,
    }


def ledger_entry(entry: Entry) -> Element:
    digits = ALL_ASSETS[entry.currency].digits
    return {
        "ledger_id": entry.entry_id,
        "ref_id": entry.reference,
        "timestamp": from_nanos(entry.time_ns),
        "type": entry.type,
        "asset": entry.currency,
        "asset_class": "currency",
        "category": CATEGORIES[entry.type],
        "wallet_type": "spot",
        "wallet_id": "main",
        "amount": number(entry.amount, digits),
        "fee": number(entry.fee, digits),
        "balance": number(entry.balance, digits),
    }
