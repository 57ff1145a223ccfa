"""How Bitfinex spells pairs, currencies, ids, numbers and times.

The one rule: a number is written as a JavaScript engine writes it, without trailing
zeros and with an exponent below a millionth, but from exact decimals.
"""

import hashlib
from decimal import Context, Decimal
from typing import Literal, TypeAlias

from msgspec import Struct

from privstream.model.exact import Number
from privstream.simulator.market import Fees, Symbol
from privstream.simulator.market.values import Identify, Kind

WalletType: TypeAlias = Literal["exchange", "margin", "funding"]
FEES = Fees(maker=Decimal("0.001"), taker=Decimal("0.002"), of_received=True)
FEE_DIGITS = COST_DIGITS = 18  # nothing is ever rounded
DOUBLE = Context(prec=16)  # what a quotient has where Bitfinex divides
SMALLEST_PLAIN = -6  # the exponent below which JavaScript writes 1e-7
LONGEST_SHORT_NAME = 3
ID_BASE: dict[Kind, int] = {"order": 111_000_000_000, "trade": 402_000_000, "entry": 2_531_000_000}
ID_STRIDE = 8
OF_POSITIONS = 6
"""The last part of the ids of the margin wallet; the other wallet has 0 to 5 (5 for a fee)."""


class Currency(Struct, frozen=True):
    """A currency in its wallet; `label` is what notifications call it."""

    code: str
    label: str
    in_usd: Decimal
    opening: Decimal


class Pair(Struct, frozen=True):
    """A pair, and the wallet that its orders use."""

    symbol: Symbol
    wallet: WalletType = "exchange"

    @property
    def name(self) -> str:
        """As in `Trading fees for … (BTCUSD)`."""
        base, quote = self.symbol.base, self.symbol.quote
        short = len(base) == len(quote) == LONGEST_SHORT_NAME
        return f"{base}{quote}" if short else f"{base}:{quote}"

    @property
    def code(self) -> str:
        return f"t{self.name}"

    @property
    def prefix(self) -> str:
        """Before the type of an order."""
        return "EXCHANGE " if self.wallet == "exchange" else ""


CURRENCIES = {
    currency.code: currency
    for currency in (
        Currency("USD", "US Dollar", Decimal(1), Decimal(48000)),
        Currency("UST", "Tether USDt", Decimal("1.0002"), Decimal("36000.25")),
        Currency("BTC", "Bitcoin", Decimal(64010), Decimal("1.2508")),
        Currency("ETH", "Ethereum", Decimal("3099.2"), Decimal("18.4")),
        Currency("AVAX", "Avalanche", Decimal("27.413"), Decimal(260)),
        Currency("DOGE", "Dogecoin", Decimal("0.15703"), Decimal(95000)),
        Currency("DSH", "Dash", Decimal("28.143"), Decimal(390)),
    )
}
MARGIN_CURRENCIES = {
    currency.code: currency
    for currency in (
        Currency("USTF0", "Tether USDt (Derivatives)", Decimal("1.0002"), Decimal("5000.5")),
        Currency("USD", "US Dollar", Decimal(1), Decimal("9987.16871968")),
    )
}


def _symbol(name: str, price: str, quantity: str, digits: int) -> Symbol:
    base, quote = name.split("/")
    return Symbol(
        base=base,
        quote=quote,
        price=Decimal(price),
        price_digits=len(price.partition(".")[2]),
        quantity=Decimal(quantity),
        quantity_digits=digits,
        cost_digits=COST_DIGITS,
        base_fee_digits=FEE_DIGITS,
    )


# Prices have five significant digits.
PAIRS = {
    symbol.name: Pair(symbol)
    for symbol in (
        _symbol("BTC/USD", "64010", "0.015", 8),
        _symbol("BTC/UST", "64052", "0.012", 8),
        _symbol("ETH/BTC", "0.04841", "0.5", 6),
        _symbol("AVAX/USD", "27.413", "12", 4),
        _symbol("DOGE/USD", "0.15703", "3000", 2),
        _symbol("DSH/UST", "28.143", "17", 4),
    )
}
MARGIN_PAIRS = {
    symbol.name: Pair(symbol, "margin")
    for symbol in (
        _symbol("BTCF0/USTF0", "64031", "0.02", 4),
        _symbol("XRP/USD", "0.52148", "1500", 2),
    )
}


def pair_of(symbol: Symbol) -> Pair:
    """The two lives share no pair, so that a pair names its wallet."""
    return PAIRS.get(symbol.name) or MARGIN_PAIRS[symbol.name]


def identify(seed: int) -> Identify:
    """Whole numbers that grow with time; one life has one set of them."""

    def name(kind: Kind, serial: int) -> str:
        return str(ID_BASE[kind] + abs(serial) * ID_STRIDE + lot(f"{seed}/{kind}/{serial}", 3) * 2)

    return name


def lot(name: str, sides: int) -> int:
    """One of so many, always the same for a name."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=6).digest(), "big") % sides


def uuid(name: str) -> str:
    digits = hashlib.blake2b(name.encode(), digest_size=16).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


# --- number texts ----------------------------------------------------------------------


def number(value: Decimal | int) -> Number:
    """A bare JSON number."""
    plain = plain_text(Decimal(value))
    exponent = Decimal(plain).adjusted()
    if exponent >= SMALLEST_PLAIN or plain == "0":
        return Number(plain)
    sign, digits = ("-", plain[1:]) if plain.startswith("-") else ("", plain)
    digits = digits.replace(".", "").lstrip("0")
    fraction = f".{digits[1:]}" if digits[1:] else ""
    return Number(f"{sign}{digits[0]}{fraction}e{exponent}")


def plain_text(value: Decimal) -> str:
    """Without exponent and without trailing zeros."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def sentence_number(value: Decimal) -> str:
    """As in sentences and META, where a whole number has a decimal: `113940.0`."""
    text = plain_text(value)
    return text if "." in text else f"{text}.0"


# --- times -----------------------------------------------------------------------------


def millis(nanos: int) -> int:
    return nanos // 1_000_000
