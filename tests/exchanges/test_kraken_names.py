"""Kraken's names of markets and assets, in every spelling that a user may type."""

from typing import Any

import pytest

from privstream.exchanges.kraken import Kraken, names
from privstream.exchanges.kraken.balances import comparable
from privstream.model.account import Account
from tests.exchanges import test_kraken_v1 as v1
from tests.exchanges import test_kraken_v2 as v2
from tests.playbook import Playbook


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


@pytest.mark.parametrize(
    ("tier", "told", "budget"),
    [
        ("starter", None, (15.0, 0.33)),
        ("pro", None, (20.0, 1.0)),
        ("starter", 125, (20.0, 0.5)),
        ("pro", 60, (15.0, 0.33)),
        ("intermediate", 180, (20.0, 1.0)),
        ("pro", 77, (20.0, 1.0)),
        ("pro", "60", (20.0, 1.0)),
    ],
)
@pytest.mark.parametrize("protocol", ["v1", "v2"])
def test_the_request_budget_follows_the_tier_that_kraken_tells(
    protocol: str, tier: str, told: Any, budget: tuple[float, float]
) -> None:
    options = {"protocol": protocol, "tier": tier}
    kraken = Kraken(Account("kraken", "kraken", {}, Kraken.endpoints(options), options))
    book = Playbook(kraken.session(None, ("orders",))).opened().forget()
    frame: dict[str, Any] = v2.ack("executions", 1) if protocol == "v2" else v1.status("openOrders")
    place = "result" if protocol == "v2" else "subscription"
    book.receives(frame | {place: {**frame[place], "maxratecount": told}})
    assert kraken.limits.rest_budget == budget
    assert Kraken.limits.rest_budget == (15.0, 0.33)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("BTC-EUR", "BTC/EUR"),
        ("xbt_eur", "BTC/EUR"),
        (" BTC/EUR ", "BTC/EUR"),
        ("USDTUSD", "USDT/USD"),
        ("EURUSDT", "EUR/USDT"),
        ("ETHTUSD", "ETH/TUSD"),
        ("XBTTUSD", "BTC/TUSD"),
        ("XBTUSD", "BTC/USD"),
        ("dotusd", "DOT/USD"),
        ("BATUSD", "BAT/USD"),
        ("AAPLx-USD", "AAPLx/USD"),
    ],
)
def test_a_pair_may_be_typed_as_on_other_exchanges(typed: str, meant: str) -> None:
    assert Kraken.symbol_of(typed) == meant
