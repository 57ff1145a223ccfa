"""Bitfinex's names in common ones: symbols, currencies, order types and the status grammar.

The one rule: a code is looked up once, never its result again: `WHBT` is WBT, and `WBT` is
WBTC. Of a status text only the head counts, and its numbers are never used: they are
rounded and sometimes hold the last fill only.
Source: docs.bitfinex.com/docs/ws-general and /reference/ws-auth-orders (checked 2026-11-30).
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from privstream.exchanges.bitfinex.aliases import COMMON, DELISTED
from privstream.exchanges.kit.words import word
from privstream.model.events import OrderStatus
from privstream.model.exact import Unreadable

MARKETS = 4096  # names that are kept
SHORT_PAIR = 6  # letters of a pair without a colon: three and three


class Names:
    """What an account's currencies and pairs are called elsewhere."""

    def __init__(self) -> None:
        self._common: Mapping[str, str] = COMMON
        self._markets: dict[str, tuple[str, str]] = {}
        self.is_learnt = False
        """The exchange was asked for its own list, and answered."""

    def currency(self, code: str) -> str:
        """`UST` is `USDT`; what has no other name is itself, also the derivatives' `USTF0`."""
        return self._common.get(code, code)

    def spellings(self, code: str) -> set[str]:
        """What it may have been called before the exchange's own list was known, or by a run before."""
        return {code, COMMON.get(code, code), self.currency(code)}

    def symbol(self, exchange_symbol: str) -> str:
        """`tBTCUST` is `BTC/USDT`, `tAVAX:USD` is `AVAX/USD`. Raises Unreadable as `pair` does."""
        base, quote = pair(exchange_symbol)
        return f"{self.currency(base)}/{self.currency(quote)}"

    def market(self, exchange_symbol: str) -> tuple[str, str]:
        """The common symbol and Bitfinex's own, each time the same two texts."""
        found = self._markets.get(exchange_symbol)
        if found is None:
            if len(self._markets) >= MARKETS:
                self._markets.clear()
            found = self._markets[exchange_symbol] = self.symbol(exchange_symbol), exchange_symbol
        return found

    def learn(self, answer: object) -> None:
        """The exchange's own list, `[[["ALG","ALGO"],…]]`; an odd one teaches nothing."""
        listed = answer[0] if isinstance(answer, list) and len(answer) == 1 else None
        found = dict(_alias(row) for row in listed) if isinstance(listed, list) else {}
        found.pop("", None)
        if found:
            self._common = {**DELISTED, **found}
            self._markets.clear()


def _alias(row: object) -> tuple[str, str]:
    """A code and its name in capitals; "" for what has no other name, or is a derivative."""
    if not (isinstance(row, list) and [type(part) for part in row[:2]] == [str, str]):
        return "", ""
    code, name = row[0], row[1].upper()
    return ("", "") if not name or name == code or code.endswith("F0") else (code, name)


USUAL = Names()
"""By the table in the code alone."""


@lru_cache(maxsize=4096)
def pair(exchange_symbol: str) -> tuple[str, str]:
    """Base and quote as Bitfinex spells them. Raises Unreadable for what is no trading pair."""
    bare = exchange_symbol.removeprefix("t")
    base, colon, quote = bare.partition(":")
    if not colon and len(bare) == SHORT_PAIR:
        base, quote = bare[:3], bare[3:]
    if bare == exchange_symbol or not base.strip() or not quote.strip():
        raise Unreadable(f"{exchange_symbol} is no trading pair")
    return base, quote


@lru_cache(maxsize=256)
def order_type(text: str) -> tuple[str, str | None]:
    """The type without its wallet, and the time in force that some types imply."""
    plain = word(text.removeprefix("EXCHANGE ").removeprefix("MARGIN "))
    if not plain:
        raise Unreadable("it names no type", text)
    return ("limit", plain) if plain in {"ioc", "fok"} else (plain, None)


# " was: " and ": was " both begin what the order was before.
_BEFORE = re.compile(r":? was:? ", re.IGNORECASE)
_DETAIL = re.compile(r" *[@(,].*", re.DOTALL)


def status(text: str) -> tuple[OrderStatus, str | None]:
    """The status in our words, and the reason where the exchange closed the order.

    Raises Unreadable for a blank text.
    """
    if (usual := _STATUS.get(text.partition(" @ ")[0])) is not None:
        return usual, None
    head = _DETAIL.sub("", _BEFORE.split(text, maxsplit=1)[0]).strip().upper()
    if "CANCELED" in head:
        return "canceled", word(head.replace("CANCELED", "")) or None
    if head.startswith(("INSUFFICIENT", "RSN_")):
        return "rejected", word(head)
    if head == "FORCED EXECUTED":
        return "filled", word(head)
    if not text.strip():
        raise Unreadable("there is no word in it")
    return _STATUS.get(head, "unknown"), None


_STATUS: dict[str, OrderStatus] = {
    "ACTIVE": "open",
    "PARTIALLY FILLED": "partially_filled",
    "EXECUTED": "filled",
}


# --- as a user may spell a market --------------------------------------------------------

QUOTES = (
    *("USTF0", "USDT", "USDC", "EURQ", "EURR", "EURT", "USDQ", "USDR", "CNHT", "MXNT", "XAUT"),
    *("USD", "UST", "EUR", "GBP", "JPY", "TRY", "BTC", "ETH", "UDC", "EUT"),
)
"""What is traded against, the longest first: they part a name in which nothing else does."""
_PARTED = re.compile(r"([A-Z0-9]+)[/_-]([A-Z0-9]+)")
_NAMES = frozenset(COMMON.values())


def symbol_of(text: str) -> str | None:
    """`tBTCUST`, `btcust`, `BTC/UST`, `BTCUSDT` and `btc-usdt` are all `BTC/USDT`.

    With a slash the names are common ones, where one is both: `WBT/USD` is what Bitfinex
    writes `tWHBT:USD`, and `WBTUSD` is its code of WBTC/USD. `None` is no market's name.
    """
    name = text.strip()
    if parted := _PARTED.fullmatch(name.upper()):
        return "/".join(
            part if part in _NAMES else USUAL.currency(part) for part in parted.groups()
        )
    if name[:1] == "f" and name[1:].isupper():  # a currency that is lent
        return None
    return _divided((name[1:] if _has_prefix(name) else name).upper())


def _has_prefix(name: str) -> bool:
    """Whether the first letter says that it is traded: `tBTCUSD`, also where all is lower case."""
    bare = name[1:]
    if name[:1] != "t":
        return False
    is_short = len(bare) == SHORT_PAIR and bare[3:].upper() in QUOTES and bare[:3] != bare[3:]
    return bare != bare.lower() or ":" in bare or is_short


def _divided(bare: str) -> str | None:
    """Base and quote of a name without a slash, in Bitfinex's codes or in common names."""
    base, colon, quote = bare.partition(":")
    if not colon:
        quote = next((q for q in QUOTES if bare.endswith(q) and bare != q), "")
        if len(bare) == SHORT_PAIR and bare[3:] in QUOTES:
            quote = bare[3:]
        base = bare.removesuffix(quote)
    if not (base.isalnum() and quote.isalnum()) or base == quote:
        return None
    return f"{USUAL.currency(base)}/{USUAL.currency(quote)}"
