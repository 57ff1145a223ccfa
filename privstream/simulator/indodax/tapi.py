"""The calls of tapi (v1) that a reader of an account needs.

The one rule: amounts are texts, but an amount of rupiah in `getInfo` is a number.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from privstream.model.rest import Now
from privstream.simulator.indodax.words import (
    BY_KEY,
    OPENING,
    TYPES,
    Pair,
    client_order_id,
    eight,
    pair_of,
    plain,
    seconds,
)
from privstream.simulator.market import Books, Order

Fields = Mapping[str, str]
STATUSES = {"open": "open", "filled": "filled"}


class TapiRefused(Exception):
    """The call is answered with this error."""

    def __init__(self, text: str, code: str | None = None, status: int = 200) -> None:
        super().__init__(text)
        self.status = status
        self.body: dict[str, Any] = {"success": 0, "error": text}
        if code is not None:
            self.body["error_code"] = code


class Tapi:
    """The account as v1 tells it."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._calls: Mapping[str, Callable[[Fields, Now], object]] = {
            "getInfo": self._info,
            "openOrders": self._open_orders,
            "getOrder": self._order,
            "getOrderByClientOrderId": self._order_by_client_id,
        }

    def call(self, method: str, fields: Fields, now: Now) -> object:
        if method not in self._calls:  # orderHistory and tradeHistory ended on 2026-04-07
            raise TapiRefused("Invalid method", "invalid_method")
        return self._calls[method](fields, now)

    def _info(self, fields: Fields, now: Now) -> object:  # noqa: ARG002 - it takes none
        held = {coin: self._books.holds[coin] for coin in OPENING}
        free = {coin: self._books.balances[coin] - held[coin] for coin in OPENING}
        return {
            "server_time": now.wall_ns // 1_000_000_000,
            "balance": {coin.lower(): _amount(coin, value) for coin, value in free.items()},
            "balance_hold": {coin.lower(): _amount(coin, value) for coin, value in held.items()},
            "address": {"btc": "1SimuLatedAddressXxxxxxxxxxxxxxxxx"},
            "network": {"btc": "mainnet", "eth": ["eth", "arb", "op", "base"]},
            "memo_is_required": {"btc": {"mainnet": False}},
            "user_id": "00001",
            "name": "Simulated Person",
            "email": "person@example.com",
            "profile_picture": None,
            "verification_status": "verified",
            "gauth_enable": True,
            "withdraw_status": 1,
        }

    def _open_orders(self, fields: Fields, now: Now) -> object:  # noqa: ARG002 - no time here
        newest_first = list(reversed(self._books.open.values()))
        if "pair" in fields:
            pair = _pair(fields)
            return {"orders": _listed(o for o in newest_first if pair_of(o) == pair) or None}
        by_pair: dict[str, list[object]] = {}
        for order in newest_first:
            by_pair.setdefault(pair_of(order).key, []).append(_open(order))
        return {"orders": by_pair or None}

    def _order(self, fields: Fields, now: Now) -> object:  # noqa: ARG002 - no time here
        pair = _pair(fields)
        order = self._books.orders.get(fields.get("order_id", ""))
        if order is None or pair_of(order) != pair:
            raise TapiRefused("invalid order.")
        return {"order": _any(order)}

    def _order_by_client_id(self, fields: Fields, now: Now) -> object:  # noqa: ARG002 - no time
        wanted = fields.get("client_order_id")
        for order in self._books.orders.values():
            if wanted and client_order_id(order) == wanted:
                return {"order": _any(order)}
        raise TapiRefused("invalid order.")


def _pair(fields: Fields) -> Pair:
    pair = BY_KEY.get(fields.get("pair", "btc_idr"))
    if pair is None:
        raise _InvalidPair
    return pair


class _InvalidPair(TapiRefused):
    """The one refusal of tapi that has another shape."""

    def __init__(self) -> None:
        super().__init__("Invalid Pair")
        self.body = {"error": "invalid_pair", "error_description": "Invalid Pair"}


def _amount(coin: str, value: Decimal) -> int | str:
    return int(value) if coin == "IDR" else eight(value)


def _listed(orders: Iterable[Order]) -> list[object]:
    return [_open(order) for order in orders]


def _open(order: Order) -> object:
    """A row of `openOrders`: a sale counts coins, a purchase money."""
    fields = _named(order)
    fields["submit_time"] = seconds(order.created_ns)
    fields |= {"price": _price(order), "type": order.side, "order_type": TYPES[order.type]}
    if order.side == "sell":
        coin, whole, rest = order.symbol.base, eight(order.quantity), eight(order.remaining)
    else:
        coin, whole, rest = order.symbol.quote, _cost(order.quantity, order), _left(order)
    return fields | {f"order_{coin.lower()}": whole, f"remain_{coin.lower()}": rest}


def _any(order: Order) -> object:
    """The answer of `getOrder`; rupiah are called rp here."""
    sells, symbol = order.side == "sell", order.symbol
    coin = symbol.base.lower() if sells else symbol.quote.lower().replace("idr", "rp")
    fields: dict[str, object] = {
        "order_id": order.order_id,
        "price": plain(order.price),
        "type": order.side,
        f"order_{coin}": eight(order.quantity) if sells else _cost(order.quantity, order),
        f"remain_{coin}": eight(order.remaining) if sells else _left(order),
        "submit_time": seconds(order.created_ns),
        "finish_time": seconds(order.closed_ns or 0),
        "status": STATUSES.get(order.status, "cancelled"),
    }
    # Of a filled order it was seen to say 0 here, whatever was received and paid.
    got = symbol.quote if sells else symbol.base
    fields |= {f"receive_{got.lower()}": "0", "fee": "0"}
    if sells:
        fields[f"sold_{symbol.base.lower()}"] = plain(order.filled)
    return fields | {k: v for k, v in _named(order).items() if k == "client_order_id"}


def _named(order: Order) -> dict[str, object]:
    fields: dict[str, object] = {"order_id": order.order_id}
    if client_id := client_order_id(order):
        fields["client_order_id"] = client_id
    return fields


def _price(order: Order) -> str:
    """A stop order's amounts of money have eight decimals, another's none to spare."""
    return plain(order.price) if order.stop_price is None else eight(order.price or Decimal(0))


def _cost(quantity: Decimal, order: Order) -> str:
    cent = Decimal(1).scaleb(-order.symbol.cost_digits)
    cost = (quantity * (order.price or Decimal(0))) // cent * cent
    return plain(cost) if order.stop_price is None else eight(cost)


def _left(order: Order) -> str:
    return _cost(order.remaining, order)
