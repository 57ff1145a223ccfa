"""What somebody meant who misspelt a word; nothing, where it could be anything."""

import pytest

from privstream.model.nearest import nearest, nearest_pair, suggestion

CHANNELS = ("orders", "trades", "balances")


@pytest.mark.parametrize(
    ("word", "meant"),
    [("order", "orders"), ("TRADES", "trades"), ("balance", "balances"), ("x", None), ("", None)],
)
def test_the_nearest_word_is_found_in_whatever_case(word: str, meant: str | None) -> None:
    assert nearest(word, CHANNELS) == meant


def test_where_none_is_near_all_are_named_or_what_else_there_is_to_say() -> None:
    assert suggestion("trade", CHANNELS) == "did you mean trades?"
    assert suggestion("x", CHANNELS) == "known are: orders, trades, balances"
    assert suggestion("x", CHANNELS, "ask somebody") == "ask somebody"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("BCT/EUR", "BTC/EUR"), ("eth-usdd", "ETH/USD"), ("DOGEIDR", "DOGE/IDR"), ("PEPE/AUD", None)],
)
def test_a_pair_is_found_however_it_is_spelt(typed: str, meant: str | None) -> None:
    assert nearest_pair(typed) == meant
