"""What others may see: that something happens, and not how much of it."""

from typing import Any

import msgspec
import pytest

from privstream.model.events import AnyEvent
from privstream.outputs.describe import describe
from privstream.outputs.pretty import Pretty
from privstream.outputs.privacy import MASK, Masking, masked, masked_words
from tests.outputs.output_events import ALL, BALANCE, NOTICE, ORDER, POSITION, order

PLAIN = frozenset(
    {
        *("exchange", "account", "time", "received", "source", "sequence", "symbol", "side"),
        *("exchange_symbol", "order_type", "time_in_force", "status", "exchange_status", "reason"),
        *("fee_currency", "created", "liquidity", "estimated", "currency", "exchange_currency"),
        *("wallet", "level", "code", "cause", "from_", "to", "complete", "recovered", "state"),
        *("detail", "attempt", "retry_in", "raw", "id", "text"),
    }
)
"""What tells neither an amount nor an id, or is never shown (`id`, `raw`), or has a test below."""


@pytest.mark.parametrize("event", ALL, ids=lambda event: type(event).__name__)
def test_every_key_that_is_not_known_to_be_harmless_is_masked(event: AnyEvent) -> None:
    seen = masked(event)
    for field in event.__struct_fields__:
        if field not in PLAIN and getattr(event, field) is not None:
            assert MASK in str(getattr(seen, field)), field


def test_signs_and_what_is_unknown_stay() -> None:
    seen: Any = masked(BALANCE)
    assert (seen.change, seen.available) == (f"-{MASK}", None)
    assert (seen.currency, seen.wallet) == ("EUR", "spot/main")
    assert "short" in str(masked(POSITION))


def test_words_with_a_digit_or_like_an_id_are_masked_in_free_text() -> None:
    text = "Submitting limit buy of 0.5 BTC, order OQCLML-BWAAA-BUCMWZ (id:7f-a1), not enough"
    hidden = f"Submitting limit buy of {MASK} BTC, order {MASK} {MASK} not enough"
    assert masked_words(text) == hidden
    seen: Any = masked(msgspec.structs.replace(NOTICE, text=text))
    assert seen.text == hidden
    told: Any = masked(order(reason="below 10 EUR"))
    assert told.reason == f"below {MASK} EUR"


def test_lines_show_no_amount_and_no_id_on_any_terminal() -> None:
    for cells in (60, 80, 200, None):
        pretty = Pretty(1, line_width=lambda _, cells=cells: cells)  # type: ignore[misc]  # a default is no argument
        text = pretty.lines([masked(event) for event in ALL])
        for told in (
            "0.01000000",
            "84210",
            "336.8404",
            "10094",
            "91200",
            "1.53",
            "OQCLML",
            "149331",
        ):
            assert told not in text


def test_an_output_gets_masked_events_and_is_closed() -> None:
    class Kept:
        def __init__(self) -> None:
            self.told: list[AnyEvent] = []
            self.is_closed = False

        def write(self, events: Any, /) -> None:
            self.told += events

        def close(self) -> None:
            self.is_closed = True

    kept = Kept()
    output = Masking(kept)
    output.write([ORDER])
    output.close()
    assert describe(kept.told[0]).id == MASK
    assert kept.is_closed
