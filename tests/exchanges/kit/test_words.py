"""Words of exchanges in one spelling."""

from privstream.exchanges.kit.words import word


def test_words_are_lower_case_and_joined() -> None:
    assert word("User requested") == "user_requested"
    assert word("stop-loss-limit") == "stop_loss_limit"
    assert word(" INSUFFICIENT  BALANCE ") == "insufficient_balance"
    assert word("") == ""
