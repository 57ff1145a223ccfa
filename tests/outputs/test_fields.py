"""`--fields`: the columns that somebody chose."""

from datetime import UTC, datetime

import msgspec
import pytest

from privstream.model.errors import UsageError
from privstream.model.events import AnyEvent
from privstream.outputs.calendar import Calendar
from privstream.outputs.fields import KNOWN, chosen
from privstream.outputs.pretty import Pretty
from tests.outputs.output_events import ALL, BALANCE, GAP, NOTICE, NOW, TRADE, order, trade

CALENDAR = Calendar(UTC, now=lambda: datetime.fromisoformat(NOW))


def lines(names: str, *events: AnyEvent) -> list[str]:
    pretty = Pretty(-1, line_width=lambda _: 80, calendar=CALENDAR, fields=chosen(names))
    return [pretty.lines([event]).removesuffix("\n") for event in events]


def test_the_chosen_columns_stand_under_each_other_in_the_order_chosen() -> None:
    dear = trade(side="sell", quantity="12.5", price="1000000.5")
    assert lines("type,side,symbol,quantity,price", dear, TRADE, order(side=None), BALANCE) == [
        "trade sell BTC/EUR 12.5 1000000.5",
        "trade buy  BTC/EUR 0.00400000  84210.10",
        "order -    BTC/EUR 0.01000000  84210.10",
        "balance -    -                -         -",
    ]


def test_times_are_the_persons_and_amounts_keep_their_digits() -> None:
    huge = "0." + "123456789" * 10
    (line,) = lines("time,quantity", trade(quantity=huge))
    assert line == f"11:32:00 {huge}"


def test_what_is_more_than_a_row_of_an_account_is_shown_whole() -> None:
    incomplete = msgspec.structs.replace(GAP, complete=False)
    gap, notice = lines("price", incomplete, NOTICE)
    assert "INCOMPLETE" in gap
    assert "not enough balance" in notice


def test_every_name_can_be_chosen_and_nothing_commands_the_terminal() -> None:
    nasty = trade(symbol="\x1b[2J/\n", order_id="\u202e")
    for line in lines(",".join(KNOWN), *ALL, nasty):
        assert "\x1b" not in line
        assert "\n" not in line


@pytest.mark.parametrize("names", ["", "zzz", "time,,side", "raw", "time;side;cost"])
def test_a_name_that_no_event_has_is_a_usage_error_that_lists_them(names: str) -> None:
    with pytest.raises(UsageError) as error:
        chosen(names)
    assert "exchange_symbol" in (error.value.hint or "")


def test_a_name_is_taken_in_capitals_and_one_that_is_misspelt_has_a_neighbour() -> None:
    assert chosen("Time, SIDE") == ("time", "side")
    for typed, meant in (("prize", "price"), ("tim", "time"), ("order-id", "order_id")):
        with pytest.raises(UsageError) as error:
            chosen(typed)
        assert error.value.hint == f"did you mean {meant}?"
