"""What a run comes to, said at its end."""

from datetime import UTC
from typing import Any

import msgspec
import pytest

from privstream.app.summary import Summary, duration
from privstream.model.events import AnyEvent
from privstream.outputs.calendar import Calendar
from privstream.outputs.privacy import MASK
from tests.outputs.output_events import BALANCE, GAP, NOTICE, ORDER, TRADE, status, trade

changed = msgspec.structs.replace


def said(*batches: list[AnyEvent], **settings: Any) -> list[str]:
    told: list[str] = []
    summary = Summary(told.append, Calendar(UTC), **settings)
    for batch in batches:
        summary.take(batch)
    summary.end()
    return "".join(told).splitlines()


def at(event: AnyEvent, time: str) -> AnyEvent:
    return changed(event, received=f"2026-11-20T{time}.000000Z")


def test_it_counts_by_kind_and_sums_fills_by_symbol_and_fees_by_currency() -> None:
    dear = trade(side="sell", quantity="0.001", cost="90", fee="0.0000001", fee_currency="BTC")
    dollars = trade(symbol="ETH/USD", cost="7.25", quantity="2", fee="-0.01", fee_currency="USD")
    assert said([ORDER, TRADE, dear], [dollars, BALANCE, BALANCE, NOTICE]) == [
        "privstream: 0 s: 1 order, 3 trades, 2 balances, 1 notice",
        "  BTC/EUR  2 fills, bought 0.004 BTC, sold 0.001 BTC, volume 426.8404 EUR",
        "  ETH/USD  1 fill, bought 2 ETH, volume 7.25 USD",
        "  fees  0.0000001 BTC, 0.8758 EUR, -0.01 USD",
    ]


def test_gaps_and_the_longest_silence_are_told() -> None:
    times = ("11:00:00", "11:00:05", "11:02:30", "13:02:00")
    events = [
        at(changed(GAP, complete=complete), time)
        for complete, time in zip((True, False, True, True), times, strict=True)
    ]
    assert said(*([event] for event in events)) == [
        "privstream: 2 h 02 min: 4 gaps",
        "  gaps  4, 1 of them INCOMPLETE",
        "  longest silence  1 h 59 min, until 13:02:00",
    ]


def test_what_is_not_known_is_said_to_be_missing() -> None:
    unknown = trade(cost=None, price=None)
    (line,) = [text for text in said([TRADE, unknown]) if "BTC/EUR" in text]
    assert line.endswith("volume ≈336.8404 EUR, without 1 whose amount is not known")


def test_masked_it_tells_no_amount() -> None:
    text = "\n".join(said([TRADE], masked=True))
    assert not {"0.004", "336.8404", "0.8758"} & set(text.split())
    assert f"1 fill, bought {MASK} BTC, volume {MASK} EUR" in text


def test_on_a_terminal_no_word_of_it_is_broken() -> None:
    rows = said([trade(symbol=f"{'ABCDEFG'[at]}/EUR") for at in range(7)], cells=lambda: 40)
    assert max(map(len, rows)) <= 40
    assert {"0.004", "336.8404", "6.1306"} <= set(" ".join(rows).replace(",", " ").split())


def test_it_is_as_wide_as_the_terminal_is_at_the_end() -> None:
    told: list[str] = []
    width = 100
    summary = Summary(told.append, Calendar(UTC), cells=lambda: width)
    summary.take([TRADE])
    width = 40
    summary.end()
    assert max(map(len, "".join(told).splitlines())) <= 40


@pytest.mark.parametrize("events", [[], [status("live"), status("stopped")]])
def test_of_nothing_nothing_is_said(events: list[AnyEvent]) -> None:
    assert said(events) == []


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59, "59 s"), (785, "13 min 05 s"), (8000, "2 h 13 min"), (273_900, "3 d 4 h")],
)
def test_a_duration_has_two_units_at_most(seconds: float, text: str) -> None:
    assert duration(seconds) == text
