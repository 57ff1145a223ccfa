"""How Zerocap spells assets, ids, numbers, times and states.

The one rule: numbers are bare JSON numbers in the shape in which a server that holds
them as floats writes them: `3`, `4.424`, `8.39e-06`.
"""

import hashlib
from decimal import Decimal
from typing import Literal, TypeAlias

from msgspec import Struct

from privstream.model.exact import Number
from privstream.simulator.market import ZERO, Fees, Order, Symbol
from privstream.simulator.market.values import Identify, Kind

Dialect: TypeAlias = Literal["new", "old"]
"""As in the documents of zerocap-api 0.1.38, or in those up to 0.1.35."""
PriceKey: TypeAlias = Literal["symbol", "symbols"]
TradePrice: TypeAlias = Literal["limit", "executed"]

FREE = Fees(maker=ZERO, taker=ZERO, of_received=True)
"""What every sample shows: Zerocap earns by its prices."""
VARIANTS = "89ab"  # of a random UUID (RFC 9562)
SMALLEST_WRITTEN_OUT = -4  # the power of ten below which a float is written with an exponent


class Asset(Struct, frozen=True):
    """What the trading account holds; `in_aud` for what it is worth."""

    code: str
    in_aud: Decimal
    opening: Decimal
    fiat: bool = False


ASSETS = {
    asset.code: asset
    for asset in (
        Asset("AUD", Decimal(1), Decimal("250000.000"), fiat=True),
        Asset("USD", Decimal("1.53546"), Decimal("80000.000"), fiat=True),
        Asset("USDT", Decimal("1.48249"), Decimal("120000.00")),
        Asset("BTC", Decimal("98512.41"), Decimal("2.624600")),
        Asset("ETH", Decimal("4711.35"), Decimal("31.50000")),
        Asset("SOL", Decimal("224.19"), Decimal("400.0000")),
        Asset("1INCH", Decimal("0.35862"), Decimal(60000)),
        Asset("PEPE", Decimal("0.00001244"), Decimal(900_000_000)),
    )
}


def _symbol(name: str, price: str, quantity: str) -> Symbol:
    base, quote = name.split("/")
    return Symbol(
        base=base,
        quote=quote,
        price=Decimal(price),
        price_digits=len(price.partition(".")[2]),
        quantity=Decimal(quantity),
        quantity_digits=len(quantity.partition(".")[2]),
        cost_digits=3,  # the samples cut every cost there
    )


SYMBOLS = {
    symbol.name: symbol
    for symbol in (
        _symbol("USDT/AUD", "1.48249", "500.00"),
        _symbol("BTC/AUD", "98512.41", "0.050000"),
        _symbol("ETH/AUD", "4711.35", "0.80000"),
        _symbol("SOL/USDT", "151.237", "6.0000"),
        _symbol("1INCH/USDT", "0.2419", "2500"),
        _symbol("PEPE/USDT", "0.0000083912", "40000000"),
        _symbol("AUD/USD", "0.65127", "3000.00"),
    )
}
SMALLEST_SHARE, LARGEST_MULTIPLE = 500, 100  # of the usual quantity, that an order may have
SUSPENDED = _symbol("USDC/AUD", "1.48251", "500.00")
"""Listed, but not tradable: it has no prices."""


def identify(seed: int) -> Identify:
    """Random-looking UUIDs; one life has one set of them."""

    def name(kind: Kind, serial: int) -> str:
        text = hashlib.blake2b(f"{seed}/{kind}/{serial}".encode(), digest_size=16).hexdigest()
        variant = VARIANTS[int(text[16], 16) % 4]
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"

    return name


def status(order: Order) -> str:
    """`open` and `closed` are documented, the rest follows the words of the same family.

    An order that took what it could get is closed, whatever it got.
    """
    if order.status == "filled" or order.reason == "unfilled":
        return "closed"
    return "open" if order.closed_ns is None else order.status


def order_type(order: Order) -> str:
    """There are two types; a stop order is a limit order that has to wait."""
    return "market" if order.type == "market" else "limit"


# --- numbers ---------------------------------------------------------------------------


def plain(value: Decimal) -> str:
    """Without trailing zeros and exponents."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def number(value: Decimal) -> Number:
    """A bare number without trailing zeros; a very small one has an exponent."""
    if value and value.adjusted() < SMALLEST_WRITTEN_OUT:
        return Number(_scientific(value))
    return Number(plain(value))


def pointed(value: Decimal) -> Number:
    """A bare number that always shows that it is a float: `5000.0`."""
    text = number(value)
    return text if "." in text or "e" in text else Number(text + ".0")


def _scientific(value: Decimal) -> str:
    digits = "".join(str(digit) for digit in value.as_tuple().digits).rstrip("0")
    mantissa = f"{digits[0]}.{digits[1:]}" if len(digits) > 1 else digits
    return f"{mantissa}e-{-value.adjusted():02d}"


# --- times -----------------------------------------------------------------------------


def millis(nanos: int) -> int:
    return nanos // 1_000_000


def whole_second(nanos: int) -> int:
    """Milliseconds, but of whole seconds only, as orders and fills have them."""
    return nanos // 1_000_000_000 * 1000


def float_seconds(nanos: int) -> Number:
    """Prices: seconds with up to seven decimals."""
    seconds, rest = divmod(nanos, 1_000_000_000)
    text = f"{seconds}.{rest // 100:07d}".rstrip("0")
    return Number(text + "0" if text.endswith(".") else text)
