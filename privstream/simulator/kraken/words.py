"""How Kraken spells pairs, assets, ids, numbers and times."""

import base64
import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Literal, get_args

from msgspec import Struct

from privstream.model.exact import Number
from privstream.simulator.market import Fees, Offset, Order, Symbol, Trade
from privstream.simulator.market.values import Identify, Kind, OrderType

PREFIX: dict[Kind, str] = {"order": "O", "trade": "T", "entry": "L"}
NO_POSITION = "TKH2SE-M7IF5-CFI7LT"  # what spot trades of all accounts have as postxid
FEES = Fees(maker=Decimal("0.0016"), taker=Decimal("0.0026"))
ORDER_TYPES: dict[OrderType, str] = {n: n.replace("_", "-") for n in get_args(OrderType)}
HISTORY_TYPES = ORDER_TYPES | {
    "stop_loss": "stop market",
    "stop_loss_limit": "stop limit",
    "take_profit": "touched market",
    "take_profit_limit": "touched limit",
    "settle_position": "settle position",
}
REASONS = {
    "requested": "User requested",
    "unfilled": "Unfilled",
    "immediate": "Order would trigger immediately",
    "post_only": "Post only order",
    "insufficient_funds": "Insufficient funds",
    "position_closed": "Reduce only:Position is closed",
}
PERCENT_DIGITS = 5
MARGIN = (2, 3, 4, 5)


class Asset(Struct, frozen=True):
    """An asset in the spellings of REST; v2 says `code`."""

    code: str
    key: str
    altname: str
    digits: int
    in_usd: Decimal
    opening: Decimal


class Pair(Struct, frozen=True):
    """A pair in the spellings of REST and v1, and the digits its costs are shown with."""

    symbol: Symbol
    key: str
    altname: str
    wsname: str
    width: int
    ordermin: Decimal
    costmin: Decimal
    leverage: tuple[int, ...] = ()
    aclass: Literal["currency", "tokenized_asset"] = "currency"
    listed: bool = True
    """A pair may be no longer, while its orders are still there to be read."""
    named: bool = True
    """It was seen that a listed pair had no `wsname`."""


ASSETS = {
    asset.code: asset
    for asset in (
        Asset("EUR", "ZEUR", "EUR", 4, Decimal("1.08"), Decimal("52500.0000")),
        Asset("USD", "ZUSD", "USD", 4, Decimal(1), Decimal("48000.0000")),
        Asset("BTC", "XXBT", "XBT", 10, Decimal(64000), Decimal("1.2500000000")),
        Asset("ETH", "XETH", "ETH", 10, Decimal(3100), Decimal("18.4000000000")),
        Asset("SOL", "SOL", "SOL", 10, Decimal(151), Decimal("260.0000000000")),
        Asset("DOGE", "XXDG", "XDG", 8, Decimal("0.157"), Decimal("95000.00000000")),
    )
}
ODD_ASSETS = {
    asset.code: asset
    for asset in (
        Asset("AAPLx", "AAPLx", "AAPLx", 10, Decimal(231), Decimal("42.0000000000")),
        Asset("LUNA2", "LUNA2", "LUNA2", 8, Decimal("0.47"), Decimal("9000.00000000")),
        Asset("FLR", "FLR", "FLR", 8, Decimal("0.02"), Decimal("150000.00000000")),
    )
}
ALL_ASSETS = ASSETS | ODD_ASSETS


def owned(balances: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """The assets that an account ever had, which Kraken lists; the odd ones only where it has some."""
    return {c: amount for c, amount in balances.items() if amount or c not in ODD_ASSETS}


EARNING = {"ETH": Decimal("2.5000000000")}
"""What is in an earn wallet, where it stays: `earn/flexible` to v2, `ETH.F` to REST."""


def _pair(
    name: str,
    key: str,
    wsname: str,
    *,
    price: str,
    quantity: str,
    ordermin: str = "0.0001",
    costmin: str = "0.5",
    leverage: tuple[int, ...] = (),
    cost_digits: int = 4,
    width: int = 5,
    aclass: Literal["currency", "tokenized_asset"] = "currency",
    listed: bool = True,
    named: bool = True,
) -> Pair:
    base, quote = name.split("/")
    symbol = Symbol(
        base=base,
        quote=quote,
        price=Decimal(price),
        price_digits=len(price.partition(".")[2]),
        quantity=Decimal(quantity),
        quantity_digits=8,
        cost_digits=cost_digits,
    )
    minima = Decimal(ordermin), Decimal(costmin)
    altname = wsname.replace("/", "")
    return Pair(symbol, key, altname, wsname, width, *minima, leverage, aclass, listed, named)


PAIRS = {
    pair.symbol.name: pair
    for pair in (
        _pair("BTC/EUR", "XXBTZEUR", "XBT/EUR", price="59260.1", quantity="0.02", leverage=MARGIN),
        _pair("BTC/USD", "XXBTZUSD", "XBT/USD", price="64010.2", quantity="0.015", leverage=MARGIN),
        _pair(
            "ETH/EUR",
            "XETHZEUR",
            "ETH/EUR",
            price="2871.45",
            quantity="0.4",
            ordermin="0.002",
            leverage=(2, 3),
        ),
        _pair(
            "ETH/BTC",
            "XETHXXBT",
            "ETH/XBT",
            price="0.04841",
            quantity="0.5",
            ordermin="0.002",
            costmin="0.00002",
            cost_digits=8,
            width=8,
        ),
        _pair("SOL/EUR", "SOLEUR", "SOL/EUR", price="139.87", quantity="6", ordermin="0.02"),
        _pair(
            "DOGE/USD",
            "XDGUSD",
            "XDG/USD",
            price="0.1570312",
            quantity="3000",
            ordermin="13",
            width=8,
        ),
    )
}
ODD_PAIRS = {
    pair.symbol.name: pair
    for pair in (
        _pair(
            "AAPLx/USD",
            "AAPLxUSD",
            "AAPLx/USD",
            price="231.05",
            quantity="1.5",
            aclass="tokenized_asset",
        ),
        _pair("LUNA2/EUR", "LUNA2EUR", "LUNA2/EUR", price="0.4312", quantity="80", listed=False),
        _pair("FLR/EUR", "FLREUR", "FLR/EUR", price="0.01831", quantity="2500", named=False),
    )
}
"""What only an account with `odd_pairs` trades by itself: a tokenized, a delisted, a nameless one."""
ALL_PAIRS = PAIRS | ODD_PAIRS
LISTED_PAIRS = tuple(pair for pair in ALL_PAIRS.values() if pair.listed)


def identify(seed: int) -> Identify:
    """Ids in Kraken's form, `OKB55A-UEMMN-YUXM2A`; one life has one set of them."""

    def name(kind: Kind, serial: int) -> str:
        digest = hashlib.blake2b(f"{seed}/{kind}/{serial}".encode(), digest_size=10).digest()
        text = base64.b32encode(digest).decode()
        return f"{PREFIX[kind]}{text[:5]}-{text[5:10]}-{text[10:]}"

    return name


def pair_of(order: Order) -> Pair:
    return ALL_PAIRS[order.symbol.name]


# --- number texts ----------------------------------------------------------------------


def fixed(value: Decimal | None, digits: int) -> str:
    """With so many decimals; `None` is a zero, as Kraken writes what is not set."""
    return format(value or Decimal(0), f".{digits}f")


def number(value: Decimal | None, digits: int) -> Number:
    """The same as a bare JSON number."""
    return Number(fixed(value, digits))


def in_usd(value: Decimal, asset: str) -> Decimal:
    return value * ALL_ASSETS[asset].in_usd


# --- times -----------------------------------------------------------------------------


def epoch_text(nanos: int) -> str:
    """v1: seconds with six decimals."""
    seconds, rest = divmod(nanos, 1_000_000_000)
    return f"{seconds}.{rest // 1000:06d}"


def epoch_number(nanos: int) -> Number:
    """REST: a bare number with up to seven decimals, without trailing zeros."""
    seconds, rest = divmod(nanos, 1_000_000_000)
    text = f"{seconds}.{rest // 100:07d}".rstrip("0")
    return Number(text + "0" if text.endswith(".") else text)


def order_flags(order: Order) -> str:
    flags = ["fcib" if order.fee_in_base else "fciq"]
    flags += ["nompp"] if order.no_price_protection else []
    flags += ["post"] if order.post_only else []
    return ",".join([*flags, "viqc"] if order.quote_quantity is not None else flags)


def volumes(order: Order) -> tuple[Decimal, Decimal]:
    """What v1 and REST call volume, and how much of it was executed."""
    if order.quote_quantity is not None:
        return order.quote_quantity, order.cost
    if order.whole_position:
        return Decimal(0), order.filled
    return order.quantity, order.filled


def fee_in_quote(of: Order | Trade) -> Decimal:
    """The fee as v1 and REST state it, whatever it was charged in."""
    if isinstance(of, Trade):
        return of.fee * of.price if of.order.pays_in_base else of.fee
    return of.fee * of.average if of.pays_in_base else of.fee


def fee_in_usd(of: Order | Trade) -> Decimal:
    symbol = of.order.symbol if isinstance(of, Trade) else of.symbol
    return in_usd(fee_in_quote(of), symbol.quote)


def order_prices(order: Order, digits: int) -> tuple[str | None, str | None]:
    """`price` and `price2` of v1 and REST: a trailing order keeps its distances."""
    first, second = order.stop_price, order.price
    if order.stop_price is None:
        first, second = order.price, None
    if not order.type.startswith("trailing"):
        return _text(first, digits), _text(second, digits)
    return _distance(order.stop_offset, digits), _distance(order.price_offset, digits)


def order_text(order: Order, pair: str, digits: int) -> str:
    """What the order is, in one line."""
    start = f"{order.side} {fixed(volumes(order)[0], 8)} {pair} @ {ORDER_TYPES[order.type]}"
    price, price2 = order_prices(order, digits)
    text = f"{start} {price}" if price else start
    text = f"{text}, limit {price2}" if price2 else text
    return f"{text} with {order.leverage}:1 leverage" if order.leverage else text


def close_text(order: Order, digits: int) -> str:
    """The second order of a conditional close, in one line."""
    if order.close is None:
        return ""
    price, price2 = close_prices(order, digits)
    text = f"close position @ {ORDER_TYPES[order.close.type].replace('-', ' ')} {price}"
    return f"{text} -> limit {price2}" if price2 else text


def close_prices(order: Order, digits: int) -> tuple[str | None, str | None]:
    """`price` and `price2` of a conditional close, as they were given."""
    close = order.close
    if close is None:
        return None, None
    stop = _distance(close.stop_offset, digits) or _text(close.stop_price, digits)
    limit = _distance(close.price_offset, digits) or _text(close.price, digits)
    return (limit, None) if stop is None else (stop, limit)


def misc(order: Order) -> str:
    """What else there is to say of an order."""
    told = {"stopped": order.triggered, "amended": order.amended}
    return ",".join(word for word, is_so in told.items() if is_so)


def limit_price(order: Order) -> Decimal | None:
    """`limitprice` of v1 and REST: of a trailing order the market's peak, until it is triggered."""
    offset, stop = order.stop_offset, order.stop_price
    if offset is None or stop is None or not order.type.startswith("trailing"):
        return None
    if order.triggered:
        return order.price
    sign = 1 if order.side == "sell" else -1
    if offset.unit == "quote":
        return stop + sign * offset.value
    return stop / (1 - sign * offset.value / 100)


def _text(price: Decimal | None, digits: int) -> str | None:
    return None if price is None else fixed(price, digits)


def _distance(offset: Offset | None, digits: int) -> str | None:
    """A price as a distance: `+120.00000`, `-1.50000%`."""
    if offset is None:
        return None
    if offset.unit == "pct":
        return f"{offset.value:+.{PERCENT_DIGITS}f}%"
    return f"{offset.value:+.{digits}f}"
