"""Kraken's names of markets and assets, in every spelling that a user may type."""

import pytest

from privstream.exchanges.kraken import Kraken


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("BTC/EUR", "BTC/EUR"),
        ("XBT/EUR", "BTC/EUR"),
        ("XBTEUR", "BTC/EUR"),
        ("BTCEUR", "BTC/EUR"),
        ("XXBTZEUR", "BTC/EUR"),
        ("xbt/eur", "BTC/EUR"),
        ("xxbtzeur", "BTC/EUR"),
        ("XDGUSD", "DOGE/USD"),
        ("XETHXXBT", "ETH/BTC"),
        ("USDTZUSD", "USDT/USD"),
        ("XTZUSD", "XTZ/USD"),
        ("SOLPYUSD", "SOL/PYUSD"),
        ("USDCUSDT", "USDC/USDT"),
        ("AAPLx/USD", "AAPLx/USD"),
        ("AAPLxUSD", "AAPLx/USD"),
        ("1INCHEUR", "1INCH/EUR"),
        ("BTC", None),
        ("EUR", None),
        ("BTC/", None),
        ("BTC/EUR/USD", None),
        ("BTC EUR", None),
        ("", None),
    ],
)
def test_a_market_is_known_by_any_of_its_spellings(typed: str, meant: str | None) -> None:
    assert Kraken.symbol_of(typed) == meant
