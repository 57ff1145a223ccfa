"""Which events somebody wants to hear of."""

from decimal import Decimal

import pytest

from privstream.model.choosing import KINDS, Choice, kinds_of, values_of
from privstream.model.errors import UsageError
from tests.outputs.output_events import ALL, GAP, TRADE, trade


def test_the_chosen_kinds_are_told_and_no_others() -> None:
    for name in KINDS:
        told = [event for event in ALL if Choice(frozenset({name})).wants(event)]
        assert [type(event) for event in told] == ([] if name == "silence" else [KINDS[name]])


def test_a_fill_that_is_worth_less_is_not_told_and_in_doubt_it_is() -> None:
    choice = Choice(kinds_of("fills,gaps"), values_of(["336.85EUR", "0.1 btc"]))
    assert not choice.wants(TRADE)  # 336.8404 EUR
    assert choice.wants(GAP)
    assert choice.wants(trade(cost="336.85", quantity="0.1"))
    assert choice.wants(
        trade(symbol="SOL/USD", cost="0.01")
    )  # of what dollars are worth it knows nothing
    assert choice.wants(trade(cost=None, price=None, quantity=None))
    assert not choice.wants(trade(cost=None, price="3368.4999", quantity="0.1"))


@pytest.mark.parametrize("text", ["", "fill", "fills,", "gaps;fills"])
def test_a_kind_there_is_not_is_a_usage_error_that_lists_them(text: str) -> None:
    with pytest.raises(UsageError) as error:
        kinds_of(text)
    assert "fills, orders" in (error.value.hint or "")


def test_least_values_are_exact_and_by_currency() -> None:
    assert values_of(["1000EUR,0.05btc", "3 USDT", "2 1INCH"]) == {
        "EUR": Decimal(1000),
        "BTC": Decimal("0.05"),
        "USDT": Decimal(3),
        "1INCH": Decimal(2),
    }


@pytest.mark.parametrize("text", ["", "1000", "EUR", "-1EUR", "1e3EUR", "1,5EUR", "NaNEUR"])
def test_what_is_no_amount_of_a_currency_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError):
        values_of([text])
