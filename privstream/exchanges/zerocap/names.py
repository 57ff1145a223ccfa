"""Zerocap's pairs, which it writes as everybody does, in whichever spelling a user types them."""

from privstream.exchanges.kit.pairs import typed_pair

QUOTES = ("AUD", "USD", "USDT", "USDC", "NZD", "GBP", "EUR", "SGD", "BTC")
"""What pairs are quoted in: for a pair that is typed without a separator."""


def symbol_of(text: str) -> str | None:
    """`BTC/AUD` for `btc-aud`, `BTC_AUD` or `btcaud`; `None` for what is no pair."""
    return typed_pair(text, QUOTES)
