"""What the private REST calls say of orders, trades, balances and ledger entries.

The one rule: pages hold 50 rows, newest first; `start` is exclusive, `end` inclusive.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from privstream.model.exact import Number
from privstream.simulator.kraken.words import (
    ALL_ASSETS,
    EARNING,
    HISTORY_TYPES,
    NO_POSITION,
    ORDER_TYPES,
    REASONS,
    close_text,
    epoch_number,
    fee_in_quote,
    fixed,
    limit_price,
    misc,
    order_flags,
    order_prices,
    order_text,
    owned,
    pair_of,
    volumes,
)
from privstream.simulator.market import Entry, Market, Order, Trade

Arguments = Mapping[str, str]
Row = TypeVar("Row")
PAGE = 50
MOST_ORDERS = 50
STATES = {"filled": "closed"}
ACLASS = {"currency": "forex"}
"""What rows call the class of an ordinary pair, as seen in 2025; others have AssetPairs' word."""
TRADE_TYPES = frozenset(
    {"all", "any position", "closed position", "closing position", "no position"}
)
ENTRY_TYPES = frozenset(
    [
        "all",
        "trade",
        "deposit",
        "withdrawal",
        "transfer",
        "margin",
        "adjustment",
        "rollover",
        "credit",
        "settled",
        "staking",
        "dividend",
        "sale",
        "nft_rebate",
    ]
)


class KrakenRefused(Exception):
    """The call is answered with this error."""


class History:
    """The account as REST tells it."""

    def __init__(self, market: Market) -> None:
        self._market, self._books = market, market.books

    # --- orders ------------------------------------------------------------------------

    def open_orders(self, arguments: Arguments) -> object:
        with_trades = _flag(arguments, "trades")
        orders = filter(_matching(arguments), reversed(self._market.open_orders()))
        return {"open": {o.order_id: _order(o, with_trades=with_trades) for o in orders}}

    def closed_orders(self, arguments: Arguments) -> object:
        _flag(arguments, "consolidate_taker")
        with_trades = _flag(arguments, "trades")
        times = _closing_times(arguments)
        start, end = self._span(arguments, {o.order_id: o.created_ns for o in self._closed()})
        chosen = [
            order
            for order in filter(_matching(arguments), self._closed())
            if any(start < time <= end for time in times(order))
        ]
        chosen.sort(key=lambda order: order.closed_ns or 0, reverse=True)
        rows = {o.order_id: _order(o, with_trades=with_trades) for o in _page(arguments, chosen)}
        return _counted(arguments, {"closed": rows}, len(chosen))

    def query_orders(self, arguments: Arguments) -> object:
        _flag(arguments, "consolidate_taker")
        with_trades = _flag(arguments, "trades")
        ids = _ids(arguments, MOST_ORDERS)
        orders = [self._books.orders[i] for i in ids if i in self._books.orders]
        matching = filter(_matching(arguments), orders)
        return {o.order_id: _order(o, with_trades=with_trades) for o in matching}

    # --- trades ------------------------------------------------------------------------

    def trades(self, arguments: Arguments) -> object:
        for flag in ("trades", "consolidate_taker"):
            _flag(arguments, flag)
        _choice(arguments, "type", TRADE_TYPES)
        with_entries = _flag(arguments, "ledgers")
        trades = self._books.trades
        start, end = self._span(arguments, {t.trade_id: t.time_ns for t in trades.values()})
        chosen = [t for t in reversed(list(trades.values())) if start < t.time_ns <= end]
        rows = {t.trade_id: _trade(t, with_entries) for t in _page(arguments, chosen)}
        return _counted(arguments, {"trades": rows}, len(chosen))

    # --- money -------------------------------------------------------------------------

    def balance(self, arguments: Arguments) -> object:  # noqa: ARG002 - it takes none
        spot = {
            ALL_ASSETS[c].key: fixed(amount, ALL_ASSETS[c].digits)
            for c, amount in owned(self._market.balances()).items()
        }
        return spot | {
            f"{ALL_ASSETS[c].altname}.F": fixed(a, ALL_ASSETS[c].digits) for c, a in EARNING.items()
        }

    def balance_ex(self, arguments: Arguments) -> object:  # noqa: ARG002 - it takes none
        holds = self._market.holds()
        spot = {
            ALL_ASSETS[c].key: _holding(amount, holds[c], ALL_ASSETS[c].digits)
            for c, amount in owned(self._market.balances()).items()
        }
        return spot | {f"{ALL_ASSETS[c].altname}.F": _earning(c) for c in EARNING}

    def ledgers(self, arguments: Arguments) -> object:
        kind = _choice(arguments, "type", ENTRY_TYPES)
        _choice(arguments, "aclass", frozenset({"all", "currency"}))
        currencies = _currencies(arguments)
        entries = self._books.entries
        start, end = self._span(arguments, {e.entry_id: e.time_ns for e in entries.values()})
        chosen = [
            entry
            for entry in reversed(list(entries.values()))
            if start < entry.time_ns <= end
            and kind in {"all", entry.type}
            and entry.currency in currencies
        ]
        rows = {entry.entry_id: _entry(entry) for entry in _page(arguments, chosen)}
        return _counted(arguments, {"ledger": rows}, len(chosen))

    # --- below -------------------------------------------------------------------------

    def _closed(self) -> list[Order]:
        return [o for o in self._books.orders.values() if o.closed_ns is not None]

    def _span(self, arguments: Arguments, named: Mapping[str, int]) -> tuple[int, float]:
        """From after when until when, in nanoseconds; a row's id stands for its time."""
        start, end = (_moment(arguments.get(key, ""), named) for key in ("start", "end"))
        return (-1 if start is None else start), (float("inf") if end is None else end)


# --- arguments -------------------------------------------------------------------------


def _invalid() -> KrakenRefused:
    return KrakenRefused("EGeneral:Invalid arguments")


def _flag(arguments: Arguments, key: str) -> bool:
    value = arguments.get(key, "false").lower()
    if value not in {"true", "false", "1", "0", ""}:
        raise _invalid()
    return value in {"true", "1"}


def _choice(arguments: Arguments, key: str, known: frozenset[str]) -> str:
    value = arguments.get(key) or "all"
    if value not in known:
        raise _invalid()
    return value


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise _invalid()
    return int(text)


def _reference(text: str) -> int:
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
    return sign * _count(digits)


def _moment(text: str, named: Mapping[str, int]) -> int | None:
    if not text:
        return None
    if text in named:
        return named[text]
    try:
        seconds = Decimal(text)
    except InvalidOperation:
        raise _invalid() from None
    if not seconds.is_finite() or seconds < 0:
        raise _invalid()
    return int(seconds * 1_000_000_000)


def _ids(arguments: Arguments, most: int) -> list[str]:
    ids = arguments.get("txid", "").split(",")
    if len(ids) > most or not all(len(name) == len(NO_POSITION) for name in ids):
        raise _invalid()
    return ids


def _matching(arguments: Arguments) -> Callable[[Order], bool]:
    client_id = arguments.get("cl_ord_id")
    reference = _reference(arguments["userref"]) if arguments.get("userref") else None
    return lambda order: (
        client_id in {None, "", order.client_id} and reference in {None, order.user_reference}
    )


def _closing_times(arguments: Arguments) -> Callable[[Order], tuple[int, ...]]:
    which = arguments.get("closetime") or "both"
    if which == "open":
        return lambda order: (order.created_ns,)
    if which == "close":
        return lambda order: (order.closed_ns or 0,)
    if which == "both":
        return lambda order: (order.created_ns, order.closed_ns or 0)
    raise _invalid()


def _currencies(arguments: Arguments) -> set[str]:
    asked = [name for name in arguments.get("asset", "").split(",") if name and name != "all"]
    if not asked:
        return set(ALL_ASSETS)
    found = {a.code for a in ALL_ASSETS.values() if {a.code, a.key, a.altname} & set(asked)}
    if not found:
        raise KrakenRefused("EQuery:Unknown asset")
    return found


def _page(arguments: Arguments, rows: list[Row]) -> list[Row]:
    offset = _count(arguments.get("ofs") or "0")
    return rows[offset : offset + PAGE]


def _counted(arguments: Arguments, result: dict[str, Any], count: int) -> dict[str, Any]:
    return result if _flag(arguments, "without_count") else result | {"count": count}


# --- rows ------------------------------------------------------------------------------


def _order(order: Order, *, with_trades: bool) -> dict[str, Any]:
    width, (volume, executed) = pair_of(order).width, volumes(order)
    fields: dict[str, Any] = {"refid": order.parent, "userref": order.user_reference}
    if order.client_id:
        fields["cl_ord_id"] = order.client_id
    fields |= {
        "status": STATES.get(order.status, order.status),
        "opentm": epoch_number(order.created_ns),
        "starttm": 0 if order.starts_ns is None else epoch_number(order.starts_ns),
        "expiretm": 0 if order.expires_ns is None else epoch_number(order.expires_ns),
        "descr": _description(order),
        "vol": fixed(volume, 8),
        "vol_exec": fixed(executed, 8),
        "cost": fixed(order.cost, width),
        "fee": fixed(fee_in_quote(order), width),
        "price": fixed(order.average, width),
        "stopprice": fixed(order.stop_price if order.stop_offset else None, width),
        "limitprice": fixed(limit_price(order), width),
        "misc": misc(order),
        "oflags": order_flags(order),
    }
    if order.stop_price is not None:
        fields["trigger"] = order.reference
    if with_trades and order.trades:
        fields["trades"] = list(order.trades)
    if order.closed_ns is not None:
        fields["reason"] = REASONS[order.reason] if order.reason else None
        fields["closetm"] = epoch_number(order.closed_ns)
    return fields


def _description(order: Order) -> dict[str, Any]:
    digits = order.symbol.price_digits
    price, price2 = order_prices(order, digits)
    pair = pair_of(order)
    return {
        "pair": pair.altname,
        "aclass": ACLASS.get(pair.aclass, pair.aclass),
        "type": order.side,
        "ordertype": ORDER_TYPES[order.type],
        "price": price or "0",
        "price2": price2 or "0",
        "leverage": f"{order.leverage}:1" if order.leverage else "none",
        "order": order_text(order, pair.altname, digits),
        "close": close_text(order, digits),
    }


def _trade(trade: Trade, with_entries: bool) -> dict[str, Any]:  # noqa: FBT001 - private
    order, pair = trade.order, pair_of(trade.order)
    fields: dict[str, Any] = {
        "ordertxid": order.order_id,
        "postxid": NO_POSITION,
        "pair": pair.key,
        "aclass": ACLASS.get(pair.aclass, pair.aclass),
        "time": epoch_number(trade.time_ns),
        "type": order.side,
        "ordertype": HISTORY_TYPES[order.type],
        "price": fixed(trade.price, pair.width),
        "cost": fixed(trade.cost, pair.width),
        "fee": fixed(fee_in_quote(trade), pair.width),
        "vol": fixed(trade.quantity, 8),
        "margin": fixed(trade.cost / order.leverage if order.leverage else None, pair.width),
        "leverage": str(order.leverage),
        "misc": "",
        "trade_id": trade.number,
        "maker": trade.maker,
    }
    return fields | ({"ledgers": list(trade.entries)} if with_entries else {})


def _holding(balance: Decimal, hold: Decimal, digits: int) -> object:
    return {"balance": fixed(balance, digits), "hold_trade": fixed(hold, digits)}


def _earning(currency: str) -> dict[str, str | Number]:
    digits = ALL_ASSETS[currency].digits
    return {"balance": fixed(EARNING[currency], digits), "hold_trade": fixed(None, digits)}


def _entry(entry: Entry) -> dict[str, str | Number]:
    asset = ALL_ASSETS[entry.currency]
    return {
        "aclass": "currency",
        "amount": fixed(entry.amount, asset.digits),
        "asset": asset.key,
        "balance": fixed(entry.balance, asset.digits),
        "fee": fixed(entry.fee, asset.digits),
        "refid": entry.reference,
        "time": epoch_number(entry.time_ns),
        "type": entry.type,
        "subtype": "",
    }
