"""Poloniex's names in common ones, and its zeros and empty strings that mean "nothing".

Source: https://api-docs.poloniex.com/spot/websocket and https://api-docs.poloniex.com/spot/api, checked 2026-11-20.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Literal, TypeAlias

from privstream.exchanges.kit.pairs import typed_pair
from privstream.model.events import OrderStatus, Side
from privstream.model.exact import Number, Unreadable, kind_of

Liquidity: TypeAlias = Literal["maker", "taker"]

COMMON: Mapping[str, str] = {"STR": "XLM", "REPV2": "REP", "UST": "USTC"}
"""Poloniex's own codes of coins that are called otherwise everywhere else.

Its other codes that clients rename (ETHTRON, TRXETH, USDTBSC, …) name a coin on another chain:
they stand in wallet records only. Source: ccxt 4.5.90, checked 2026-11-30.
"""
QUOTES = ("USDT", "USDC", "USDD", "TUSD", "BUSD", "DAI", "BTC", "ETH", "TRX", "XMR", "PAX")
"""What Poloniex's pairs are or were quoted in: for a pair that is typed without a separator."""


def common(code: str) -> str:
    """The common name of a coin."""
    return COMMON.get(code, code)


@lru_cache(maxsize=4096)
def symbol(pair: str) -> str:
    """`BTC_USDT` is `BTC/USDT`. Raises Unreadable for what is no pair."""
    base, _, quote = pair.rpartition("_")
    if not (base.strip() and quote.strip()):
        raise Unreadable(f"{pair} is no pair")
    return f"{common(base)}/{common(quote)}"


@lru_cache(maxsize=4096)
def market(pair: str) -> tuple[str, str]:
    """The common symbol and Poloniex's own, each time the same two texts."""
    return symbol(pair), pair


def symbol_of(text: str) -> str | None:
    """The common name of a pair as a user may type it: `btc_usdt`, `BTC/USDT`, `btcusdt`."""
    pair = typed_pair(text, QUOTES)
    return None if pair is None else symbol(pair.replace("/", "_"))


def word(value: str) -> str:
    """Lower case: the live wire writes `PLACE_ORDER`, the documents `place_order`."""
    if value.isspace():
        raise Unreadable("it is blank")
    return value.lower()


def text(value: object) -> str:
    """A text that says something. Raises Unreadable for what is none."""
    if not isinstance(value, str) or isinstance(value, Number):
        raise Unreadable("it is no text")
    if not value.strip():
        raise Unreadable("it is empty")
    return value


def given(value: object) -> str | None:
    """An id as text; 0, "0", "" and null mean that there is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | None):
        raise Unreadable(f"it is {kind_of(value)}, not an id", value)
    if isinstance(value, str) and value.isspace():
        raise Unreadable("it is blank")
    return None if value in {None, 0, "0", ""} else str(value)


def required(value: object, what: str) -> str:
    """An id that must be there. Raises Unreadable where it is not."""
    found = given(value)
    if found is None:
        raise Unreadable(f"no {what}")
    return found


def currency(value: object) -> str | None:
    """The common name of a coin, where one is named."""
    code = given(value)
    return None if code is None else common(code)


SIDES: dict[str, Side] = {"buy": "buy", "sell": "sell"}
LIQUIDITY: dict[str, Liquidity] = {"maker": "maker", "taker": "taker"}


def side(value: str) -> Side:
    """Raises Unreadable for what is neither."""
    found = SIDES.get(value.lower())
    if found is None:
        raise Unreadable("neither buy nor sell")
    return found


def liquidity(value: str) -> Liquidity | None:
    """Whose the price was; "" where nothing was filled. Raises Unreadable for another word."""
    found = LIQUIDITY.get(value.lower())
    if found is None and value:
        raise Unreadable("neither maker nor taker")
    return found


POST_ONLY = "limit_maker"
_TIMES_IN_FORCE = frozenset({"gtc", "ioc", "fok"})


def order_type(value: str) -> str:
    """`LIMIT_MAKER` is a limit order that is `post_only`."""
    plain = word(text(value))
    return "limit" if plain == POST_ONLY else plain


def time_in_force(value: str) -> str | None:
    """Only REST states it. Raises Unreadable for a word that nobody knows."""
    plain = word(value)
    if plain and plain not in _TIMES_IN_FORCE:
        raise Unreadable("no time in force that is known")
    return plain or None


_STATUS: dict[str, OrderStatus] = {
    "pending_new": "pending",
    "new": "open",
    "partially_filled": "partially_filled",
    "filled": "filled",
    # Asked for, not done: it may still be filled.
    "pending_cancel": "open",
    "partially_canceled": "canceled",
    "canceled": "canceled",
    "rejected": "rejected",
    "failed": "rejected",
    "expired": "expired",
    # Of a smart order: it is over, and the order that it set off has an id of its own.
    "triggered": "canceled",
}


def status(value: str) -> OrderStatus:
    """The status in our words; `unknown` for a word that nobody knows.

    (The ledger makes an open order with fills `partially_filled`.)
    """
    return _STATUS.get(word(text(value)), "unknown")
