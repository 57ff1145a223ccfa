"""Kraken's names in common ones: XBT is BTC, XDG is DOGE, and the words of its closed sets.

Source: docs.kraken.com, Assets and AssetPairs (checked 2026-11-30).
"""

import re
from functools import lru_cache
from typing import Any

from privstream.exchanges.kit.side_values import word_of
from privstream.exchanges.kit.words import word
from privstream.model.events import OrderStatus
from privstream.model.exact import Number, Unreadable, kind_of

COMMON = {"XBT": "BTC", "XDG": "DOGE"}


def currency(code: str) -> str:
    """`XBT` is `BTC`, `DOT28.S` is `DOT` in another wallet; everything else is itself."""
    if not isinstance(code, str) or not code.strip():
        raise Unreadable(f"it is {kind_of(code)}, not a currency", code)
    if "." in code:
        code = short(_BONDED.sub("", code.partition(".")[0]) or code)
    return COMMON.get(code, code)


_BONDED = re.compile(r"(?<=[A-Z])(\d\d|(?<=ETH)2)$", re.ASCII)
"""`DOT28.S` is bonded for 28 days; `ETH2.S` was ether before its staking could be ended."""


def place(code: str) -> str | None:
    """`S` of `DOT28.S`: where what does not lie in the main wallet is."""
    name, dot, suffix = code.partition(".")
    days = _BONDED.search(name)
    return (f"{days[0]}.{suffix}" if days else suffix) if dot else None


def short(code: str) -> str:
    """`ZEUR` is `EUR`, `XXBT` is `XBT`."""
    return code[1:] if code in PREFIXED else code


def uncommon(code: str) -> str:
    """`BTC` is `XBT` over REST and in v1; everything else is itself."""
    return next((own for own, common in COMMON.items() if common == code), code)


@lru_cache(maxsize=4096)
def symbol(pair: str) -> str:
    """`XBT/EUR` (v1) and `BTC/EUR` (v2) are both `BTC/EUR`. Raises Unreadable without a slash."""
    base, slash, quote = pair.partition("/")
    if not slash:
        raise Unreadable(f"{pair} is no pair")
    return f"{currency(base)}/{currency(quote)}"


def symbol_or_none(pair: Any) -> str | None:
    """The common symbol. Raises where a pair is stated that is none."""
    return None if pair is None else symbol(pair)


def quote_of(common_symbol: str | None) -> str | None:
    """The currency that prices and, on Kraken, fees are in."""
    return None if common_symbol is None else common_symbol.rpartition("/")[2]


def identity(text: object) -> str:
    """An id of the exchange's. Raises Unreadable for what is none."""
    if not isinstance(text, str) or not text.strip() or isinstance(text, Number):
        raise Unreadable(f"it is {kind_of(text)}, not an id", text)
    return text


# What pairs are quoted in, as AssetPairs lists it (checked 2026-11-30); only spellings without a
# slash need it.
QUOTES = frozenset(
    [
        "USD",
        "EUR",
        "GBP",
        "CAD",
        "AUD",
        "JPY",
        "CHF",
        "AED",
        "USDT",
        "USDC",
        "USDG",
        "USDQ",
        "USDR",
        "USD1",
        "PYUSD",
        "RLUSD",
        "TUSD",
        "DAI",
        "EURC",
        "EURQ",
        "EURR",
        "EUROP",
        "XBT",
        "BTC",
        "ETH",
        "DOT",
    ]
)
# The oldest assets have a letter before their name over REST: X, or Z where it is a state's money.
PREFIXED = frozenset(
    [
        "XXBT",
        "XXDG",
        "XETH",
        "XETC",
        "XLTC",
        "XMLN",
        "XREP",
        "XXLM",
        "XXMR",
        "XXRP",
        "XZEC",
        "ZUSD",
        "ZEUR",
        "ZGBP",
        "ZCAD",
        "ZAUD",
        "ZJPY",
    ]
)


def symbol_of(text: str) -> str | None:
    """`BTC/EUR` for each of its spellings: `XBT/EUR`, `XBTEUR`, `BTC-EUR`, `XXBTZEUR`, `btc/eur`.

    `None` where the text is no pair's name. Capitals mean something in tokenized names only
    (`AAPLx/USD`), so a text that mixes them keeps its own.
    """
    text = text.strip().replace("-", "/").replace("_", "/")
    text = text.upper() if text.islower() else text
    base, slash, quote = text.partition("/")
    if not slash:
        base, quote = _split(text)
    if not (_ASSET.fullmatch(base) and _ASSET.fullmatch(quote)):
        return None
    return f"{currency(short(base))}/{currency(short(quote))}"


def _split(name: str) -> tuple[str, str]:
    """Base and quote of a name without a slash; the longest quote that fits.

    `USDTUSD` is USDT/USD all the same: money is hardly ever priced in what is worth the same.
    """
    found = [
        (base, quote)
        for base, quote in ((name[:-width], name[-width:]) for width in (5, 4, 3))
        if quote in QUOTES or (quote in PREFIXED and (base in PREFIXED or base in QUOTES))
    ]
    likely = (pair for pair in found if pair[0] not in pair[1] and _is_plausible(*pair))
    return next(likely, found[0] if found else ("", ""))


def _is_plausible(base: str, quote: str) -> bool:
    """`DOTUSD` is DOT/USD, though it ends like a quote that hardly any pair has."""
    return quote != "TUSD" or base in QUOTES or base in PREFIXED


_ASSET = re.compile(r"[A-Za-z0-9.]{1,20}", re.ASCII)


def word_or_none(text: Any) -> str | None:
    """The word; `None` where there is none. Raises for what is no text."""
    return word_of(text)


# REST's trade history has a vocabulary of its own (seen in captures).
_REST_ORDER_TYPES = {
    "stop_market": "stop_loss",
    "stop_limit": "stop_loss_limit",
    "touched_market": "take_profit",
    "touched_limit": "take_profit_limit",
    "liquidation_market": "market",
}


def order_type(text: str) -> str:
    """The order type in the words of the `order` event."""
    plain = word(text)
    return _REST_ORDER_TYPES.get(plain, plain)


_STATUS: dict[str, OrderStatus] = {
    # v2
    "pending_new": "pending",
    "new": "open",
    "partially_filled": "partially_filled",
    "filled": "filled",
    "triggered": "open",
    # v1 and REST
    "pending": "pending",
    "open": "open",
    "closed": "filled",
    # all
    "canceled": "canceled",
    "expired": "expired",
}


KNOWN_STATES = frozenset(_STATUS)


def is_insignificant(reason: str | None) -> bool:
    """An order is over although a little of it was not filled, too little for a trade."""
    return reason is not None and reason.startswith("insignificant_volume")


def status(text: str, reason: str | None = None) -> OrderStatus:
    """The status in our words; a cancellation that Kraken forced is a rejection.

    (The ledger makes it a cancellation again where something was filled.)
    """
    common = _STATUS.get(text, "unknown")
    if common == "canceled" and is_insignificant(reason):
        return "filled"
    if common == "canceled" and reason and "insufficient" in reason:
        return "rejected"
    return common
