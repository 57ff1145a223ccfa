"""Which order of one's own it is: terms that Kraken's rows state and the events do not show."""

from typing import Any

import pytest

from privstream.exchanges.kraken.ordering.hidden_terms import unlike
from tests.exchanges.kraken_order_desk import ticket

PLAIN: dict[str, Any] = {
    "descr": {"leverage": "none", "close": ""},
    "starttm": 0,
    "expiretm": 0,
    "oflags": "fciq",
}
AT = "2027-01-15T08:00:00Z"
SECONDS = "1800000000"


@pytest.mark.parametrize("row", [PLAIN, {}, {"descr": None}, {"descr": {"leverage": None}}])
def test_a_plain_row_is_a_plain_order(row: dict[str, Any]) -> None:
    assert unlike(row, ticket()) == []


@pytest.mark.parametrize(
    ("options", "changes"),
    [
        ({"leverage": "5"}, {"descr": {"leverage": "5:1"}}),
        ({"leverage": "5:1"}, {"descr": {"leverage": "5"}}),
        ({"expire": AT}, {"expiretm": int(SECONDS)}),
        ({"expire": AT}, {"expiretm": f"{SECONDS}.0000"}),
        ({"expire": "+60"}, {"expiretm": 1700000060}),
        ({"start": "+60"}, {"starttm": 1700000060.5}),
        ({"flags": "fcib"}, {"oflags": "fcib,post"}),
        ({"close_type": "limit", "close_price": "9"}, {"descr": {"close": "close at 9"}}),
    ],
)
def test_a_row_with_what_was_sent_fits(options: dict[str, str], changes: dict[str, Any]) -> None:
    sent = ticket(**options)
    assert unlike({**PLAIN, **changes}, sent) == []


@pytest.mark.parametrize(
    ("options", "changes", "why"),
    [
        ({}, {"descr": {"leverage": "2:1"}}, "leverage 2, not none"),
        ({"leverage": "3"}, {"descr": {"leverage": "2:1"}}, "leverage 2, not 3"),
        ({"leverage": "3"}, {}, "leverage none, not 3"),
        ({}, {"descr": {"close": "close at 9"}}, "with a closing order, not none"),
        ({"expire": AT}, {"expiretm": 1800000001}, f"expiry 1800000001, not {SECONDS}"),
        ({"expire": "+60"}, {}, "expiry none, not +60"),
        ({}, {"starttm": 1800000001}, "start 1800000001, not none"),
        ({"flags": "fcib"}, {}, "fee flag fciq, not fcib"),
    ],
)
def test_a_row_with_another_term_is_another_order(
    options: dict[str, str], changes: dict[str, Any], why: str
) -> None:
    assert unlike({**PLAIN, **changes}, ticket(**options)) == [why]
