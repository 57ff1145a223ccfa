"""Kraken's names of markets and assets, in every spelling that a user may type."""

import pytest

from privstream.exchanges.kraken import Kraken, names
from privstream.exchanges.kraken.balances import comparable


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


@pytest.mark.parametrize(
    ("code", "currency", "place"),
    [
        ("XBT", "BTC", None),
        ("XBT.F", "BTC", "F"),
        ("XBT.M", "BTC", "M"),
        ("DOT28.S", "DOT", "28.S"),
        ("ETH2.S", "ETH", "2.S"),
        ("USDC.B", "USDC", "B"),
        ("KSM.P", "KSM", "P"),
        ("AAPLx.T", "AAPLx", "T"),
        ("USD.HOLD", "USD", "HOLD"),
        ("LUNA2", "LUNA2", None),
        ("1INCH.S", "1INCH", "S"),
    ],
)
def test_a_suffix_says_where_an_asset_lies(code: str, currency: str, place: str | None) -> None:
    assert (names.currency(code), names.place(code)) == (currency, place)


def test_a_balance_that_also_lies_elsewhere_is_not_compared() -> None:
    rows = {
        "XXBT": "0.1000000000",
        "XBT.F": "0.4000000000",
        "DOT": "10.0000000000",
        "DOT28.S": "5.0000000000",
        "ZUSD": "100.0000",
        "USD.HOLD": "20.0000",
        "ZEUR": "7.0000",
        "EUR.M": "0.0000",
        "XETH": "1.0",
        "SOL": [],
    }
    told = comparable(rows, {}, {"ETH"})
    assert [(report.currency, report.total) for report in told] == [("EUR", "7.0000")]
