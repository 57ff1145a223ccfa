"""How Indodax spells pairs, ids, amounts and fees.

The one rule: a fee has three parts, each cut to whole cents, and their sum is what
the account pays.
"""

from decimal import ROUND_DOWN, Decimal

from msgspec import Struct

from privstream.model.exact import Number
from privstream.simulator.market import Fees, Order, Symbol
from privstream.simulator.market.values import Identify, Kind, What

FIRST_TRADE = 2**56  # trade ids are beyond what a double can hold
TYPES = {"limit": "limit", "market": "market", "stop_loss_limit": "stoplimit"}
STATUSES: dict[What, str] = {
    "opened": "NEW",
    "traded": "FILL",
    "filled": "DONE",
    "canceled": "CANCELLED",
    "expired": "CANCELLED",
}
"""What is told of an order; its trigger and its money are not."""


class Part(Struct, frozen=True):
    """One part of a fee; `maker` and `taker` as Indodax writes the rates."""

    name: str
    maker: str
    taker: str

    def rate(self, *, maker: bool) -> Number:
        return Number(self.maker if maker else self.taker)

    def charged(self, cost: Decimal, cent: Decimal, *, maker: bool) -> Decimal:
        return (cost * Decimal(self.rate(maker=maker))).quantize(cent, ROUND_DOWN)


PARTS = (
    Part("fee", "0.001", "0.002"),
    Part("tax", "0.0021", "0.0012"),
    Part("clearing", "1.11E-4", "2.22E-4"),
)


class IndodaxFees(Fees, frozen=True):
    """The sum of the parts."""

    def charged(self, got: Decimal, cent: Decimal, *, maker: bool) -> Decimal:
        return sum((part.charged(got, cent, maker=maker) for part in PARTS), Decimal(0))


FEES = IndodaxFees(
    maker=sum((Decimal(part.maker) for part in PARTS), Decimal(0)),
    taker=sum((Decimal(part.taker) for part in PARTS), Decimal(0)),
)


class Pair(Struct, frozen=True):
    """A pair in its spellings; `former` is what it was called before its coin was renamed."""

    symbol: Symbol
    former: str

    @property
    def id(self) -> str:
        """As the stream and v2 say: `btcidr`."""
        return f"{self.symbol.base}{self.symbol.quote}".lower()

    @property
    def key(self) -> str:
        """As tapi says: `btc_idr`."""
        return f"{self.symbol.base}_{self.symbol.quote}".lower()


def _pair(
    name: str, price: str, quantity: str, *, cost_digits: int = 0, former: str | None = None
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
    return Pair(symbol, former or f"{base}{quote}".lower())


PAIRS = {
    pair.symbol.name: pair
    for pair in (
        _pair("BTC/IDR", "1052345000", "0.02"),
        _pair("ETH/IDR", "50971000", "0.3"),
        _pair("AAVE/IDR", "4289899", "4", former="lendidr"),
        _pair("1INCH/IDR", "5127", "3000"),
        _pair("PEPE/IDR", "0.19237", "60000000"),
        _pair("BTC/USDT", "64010.25", "0.01", cost_digits=8),
        _pair("DOGE/BTC", "0.00000191", "4000", cost_digits=8),
    )
}
BY_ID = {pair.id: pair for pair in PAIRS.values()}
BY_KEY = {pair.key: pair for pair in PAIRS.values()}
OPENING = {
    "IDR": Decimal(850_000_000),
    "USDT": Decimal("21000.00000000"),
    "BTC": Decimal("0.90000000"),
    "ETH": Decimal("12.00000000"),
    "AAVE": Decimal("150.00000000"),
    "1INCH": Decimal("120000.00000000"),
    "PEPE": Decimal("2400000000.00000000"),
    "DOGE": Decimal("160000.00000000"),
}


def identify(seed: int) -> Identify:  # noqa: ARG001 - Indodax counts, whatever the life
    """Plain numbers, as all ids of Indodax are at heart."""

    def name(kind: Kind, serial: int) -> str:
        return str(FIRST_TRADE + serial if kind == "trade" else serial)

    return name


def pair_of(order: Order) -> Pair:
    return PAIRS[order.symbol.name]


def order_id(order: Order) -> str:
    """As the stream and v2 say: `aaveidr-limit-3397`; tapi says only `3397`."""
    return f"{pair_of(order).id}-{TYPES[order.type]}-{order.order_id}"


def client_order_id(order: Order) -> str | None:
    """What the client said, or what Indodax makes of the pair's former name, or nothing."""
    if order.client_id:
        return order.client_id
    if order.user_reference:
        return None
    return f"{pair_of(order).former}-{TYPES[order.type]}-{order.order_id}"


def status(what: What, order: Order) -> str:
    """What became of an order; one that ran out without a fill counts as rejected."""
    if what == "expired" and not order.filled:
        return "REJECTED"
    return STATUSES[what]


def cancel_reason(order: Order) -> str | None:
    """Why an order was canceled, where it was not its user: a match with another of his orders."""
    is_own_match = order.reason == "requested" and order.serial % 9 == 4  # noqa: PLR2004 - now and then
    return "SELF_TRADE_PREVENTION" if is_own_match else None


def plain(value: Decimal | None) -> str:
    """An amount without trailing zeros; `None` is a zero, as in the price of a market order."""
    text = format(value or Decimal(0), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def eight(value: Decimal) -> str:
    """An amount with eight decimals."""
    return format(value, ".8f")


def millis(nanos: int) -> int:
    return nanos // 1_000_000


def seconds(nanos: int) -> str:
    return str(nanos // 1_000_000_000)
