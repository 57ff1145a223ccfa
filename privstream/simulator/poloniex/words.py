"""How Poloniex spells symbols, ids, states and amounts.

The one rule: an amount is a text without trailing zeros, and "0" or "" is what there is none of.
"""

import hashlib
from decimal import ROUND_UP, Decimal

from privstream.simulator.market import ZERO, Fees, Order, Symbol, Trade
from privstream.simulator.market.values import Identify, Kind

ACCOUNT_ID, USER_ID = "310000000000000042", 2000042
FEES = Fees(maker=Decimal("0.00145"), taker=Decimal("0.002"), of_received=True)
COST_DIGITS = 16  # nothing is ever rounded
EPOCH_MS = 1_640_966_400_000  # 2022-01-01 in Singapore, measured from captured ids
SNOWFLAKE_BITS = 22
FIRST_ORDER = 2**58
SOURCES = ("API", "WEB", "APP")
UNFILLED_ENDS = ("EXPIRED", "REJECTED", "FAILED")
STATES = (
    "NEW",
    "PARTIALLY_FILLED",
    "FILLED",
    "PENDING_CANCEL",
    "PARTIALLY_CANCELED",
    "CANCELED",
    *UNFILLED_ENDS,
)
TYPES = ("MARKET", "LIMIT", "LIMIT_MAKER")
SMART_BIT = 1 << 16
SIDES = ("BUY", "SELL")


def _symbol(name: str, price: str, quantity: str, digits: int) -> Symbol:
    base, quote = name.split("_")
    return Symbol(
        base=base,
        quote=quote,
        price=Decimal(price),
        price_digits=len(price.partition(".")[2]),
        quantity=Decimal(quantity),
        quantity_digits=digits,
        cost_digits=COST_DIGITS,
        base_fee_digits=COST_DIGITS,
    )


SYMBOLS = {
    f"{symbol.base}_{symbol.quote}": symbol
    for symbol in (
        _symbol("BTC_USDT", "64010.25", "0.02", 6),
        _symbol("ETH_BTC", "0.048413", "0.5", 4),
        _symbol("TRX_USDT", "0.16042", "9000", 3),
        _symbol("ELON_USDT", "0.0000001834", "2000000000", 0),
        _symbol("1INCH_USDT", "0.2871", "1500", 2),
        _symbol("ICP_USDC", "10.855", "30", 5),
    )
}
OPENING = {
    "USDT": Decimal("40250.17"),
    "USDC": Decimal("9000.5"),
    "BTC": Decimal("1.2004"),
    "ETH": Decimal("15.5"),
    "TRX": Decimal(220000),
    "ELON": Decimal(41_000_000_000),
    "1INCH": Decimal("36000.4"),
    "ICP": Decimal("710.25"),
}
CURRENCY_IDS = {currency: str(214 + number * 27) for number, currency in enumerate(OPENING)}


# --- ids -------------------------------------------------------------------------------


def identify(seed: int) -> Identify:
    """Order ids beyond what a double can hold, small numbers for trades; all grow with time."""

    def name(kind: Kind, serial: int) -> str:
        if kind != "order":
            return str(serial)
        digest = hashlib.blake2b(f"{seed}/{serial}".encode(), digest_size=2).digest()
        return str(FIRST_ORDER + (serial << 18) + int.from_bytes(digest, "big"))

    return name


def snowflake(nanos: int, number: int = 0) -> int:
    """An id as Poloniex makes them: the millisecond in front, then what tells ids apart."""
    apart = nanos % 1_000_000 // 100 << 8 | number
    return (millis(nanos) - EPOCH_MS) << SNOWFLAKE_BITS | apart


def page_id(trade: Trade) -> int:
    return snowflake(trade.time_ns)


# --- an order's words ------------------------------------------------------------------


def symbol_of(order: Order) -> str:
    return f"{order.symbol.base}_{order.symbol.quote}"


def type_of(order: Order) -> str:
    """What a smart order sets off is a plain one."""
    if order.post_only:
        return "LIMIT_MAKER"
    return "MARKET" if order.type == "market" else "LIMIT"


def is_smart(order: Order) -> bool:
    """Whether a price sets it off."""
    return order.type == "stop_loss_limit"


def is_waiting(order: Order) -> bool:
    """No price has set it off: only the smart orders tell of it, whatever became of it."""
    return is_smart(order) and not order.triggered


def smart_id(order: Order) -> str:
    """A smart order has an id of its own, beside that of the order which it sets off."""
    return str(int(order.order_id) | SMART_BIT)


def placed_ns(order: Order) -> int:
    """When the order itself was placed: for a smart one that was when it was set off."""
    return order.triggered_ns or order.created_ns


def time_in_force(order: Order) -> str:
    """Poloniex knows no date until which an order is good."""
    return "IOC" if order.time_in_force == "ioc" else "GTC"


def source_of(order: Order) -> str:
    """Conditional orders are set off by Poloniex itself."""
    return "SMART" if is_smart(order) else SOURCES[order.serial % len(SOURCES)]


def client_order_id(order: Order) -> str:
    return order.client_id or (f"ref-{order.user_reference}" if order.user_reference else "")


def state(order: Order) -> str:
    """What became of an order; one that ends by itself without a fill ends in several ways."""
    if not order.remaining:
        return "FILLED"
    if order.status == "canceled":
        return "PARTIALLY_CANCELED" if order.filled else "CANCELED"
    if order.status == "expired":
        return "EXPIRED" if order.filled else UNFILLED_ENDS[order.serial % len(UNFILLED_ENDS)]
    return "PARTIALLY_FILLED" if order.filled else "NEW"


def is_by_amount(order: Order) -> bool:
    """A purchase at the market is given in the quote currency."""
    return order.type == "market" and order.side == "buy"


def quantity(order: Order) -> Decimal:
    return ZERO if is_by_amount(order) else order.quantity


def order_amount(order: Order) -> Decimal:
    """What a purchase at the market was to cost: as round a sum as buys no further lot.

    It is known once the order has been executed.
    """
    if not is_by_amount(order):
        return ZERO
    further = order.cost + order.average.scaleb(-order.symbol.quantity_digits)
    sums = (
        order.cost.quantize(Decimal(1).scaleb(-digits), ROUND_UP)
        for digits in range(COST_DIGITS + 1)
    )
    return next(amount for amount in sums if amount < further)


# --- texts -----------------------------------------------------------------------------


def plain(value: Decimal | None) -> str:
    """An amount without trailing zeros; `None` is a zero, as in the price of a market order."""
    text = format(value or ZERO, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def millis(nanos: int) -> int:
    return nanos // 1_000_000
