"""How Kraken spells pairs, assets, ids, numbers and times."""

import base64
import hashlib
from decimal import Decimal

from msgspec import Struct

from privstream.exact import Number
from privstream.simulator.market import Fees, Order, Symbol
from privstream.simulator.market.books import Identify, Kind

PREFIX: dict[Kind, str] = {"order": "O", "trade": "T", "entry": "L"}
NO_POSITION = "TKH2SE-M7IF5-CFI7LT"  # what spot trades of all accounts have as postxid
FEES = Fees(maker=Decimal("0.0016"), taker=Decimal("0.0026"))
ORDER_TYPES = {"limit": "limit", "market": "market", "stop_loss_limit": "stop-loss-limit"}
HISTORY_TYPES = {"limit": "limit", "market": "market", "stop_loss_limit": "stop limit"}
REASONS = {"requested": "User requested", "unfilled": "Unfilled"}


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


def _pair(
    name: str,
    key: str,
    wsname: str,
    *,
    price: str,
    quantity: str,
    cost_digits: int = 4,
    width: int = 5,
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
    return Pair(symbol, key, wsname.replace("/", ""), wsname, width)


PAIRS = {
    pair.symbol.name: pair
    for pair in (
        _pair("BTC/EUR", "XXBTZEUR", "XBT/EUR", price="59260.1", quantity="0.02"),
        _pair("BTC/USD", "XXBTZUSD", "XBT/USD", price="64010.2", quantity="0.015"),
        _pair("ETH/EUR", "XETHZEUR", "ETH/EUR", price="2871.45", quantity="0.4"),
        _pair(
            "ETH/BTC",
            "XETHXXBT",
            "ETH/XBT",
            price="0.04841",
            quantity="0.5",
            cost_digits=8,
            width=8,
        ),
        _pair("SOL/EUR", "SOLEUR", "SOL/EUR", price="139.87", quantity="6"),
        _pair("DOGE/USD", "XDGUSD", "XDG/USD", price="0.1570312", quantity="3000", width=8),
    )
}


def identify(seed: int) -> Identify:
    """Ids in Kraken's form, `OKB55A-UEMMN-YUXM2A`; one life has one set of them."""

    def name(kind: Kind, serial: int) -> str:
        digest = hashlib.blake2b(f"{seed}/{kind}/{serial}".encode(), digest_size=10).digest()
        text = base64.b32encode(digest).decode()
        return f"{PREFIX[kind]}{text[:5]}-{text[5:10]}-{text[10:]}"

    return name


def pair_of(order: Order) -> Pair:
    return PAIRS[order.symbol.name]


# --- number texts ----------------------------------------------------------------------


def fixed(value: Decimal | None, digits: int) -> str:
    """With so many decimals; `None` is a zero, as Kraken writes what is not set."""
    return format(value or Decimal(0), f".{digits}f")


def number(value: Decimal | None, digits: int) -> Number:
    """The same as a bare JSON number."""
    return Number(fixed(value, digits))


def in_usd(value: Decimal, asset: str) -> Decimal:
    return value * ASSETS[asset].in_usd


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
    return "fciq,post" if order.post_only else "fciq"


def order_text(order: Order, pair: str, digits: int) -> str:
    """What the order is, in one line."""
    start = f"{order.side} {fixed(order.quantity, 8)} {pair} @"
    limit = fixed(order.price, digits)
    if order.type == "market":
        return f"{start} market"
    if order.type == "limit":
        return f"{start} limit {limit}"
    return f"{start} stop-loss-limit {fixed(order.stop_price, digits)}, limit {limit}"
