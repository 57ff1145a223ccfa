"""A side value that cannot be read is null, said once, and costs nothing else."""

from typing import Any

import pytest

from privstream.exchanges.kit.side_values import (
    SideValues,
    needed,
    not_negative,
    positive,
    text_of,
)
from privstream.model.events import Notice
from privstream.model.exact import Number, Unreadable, amount
from privstream.model.reports import NoticeReport
from tests.playbook import ledger, like


def test_what_can_be_read_is_read_and_nothing_is_said() -> None:
    values = SideValues("order")
    assert values.read("price", amount, "1.50") == "1.50"
    assert values.read("fee", amount, None) is None
    assert not list(values.notices({}))


def test_what_cannot_be_read_is_named_with_its_value() -> None:
    values = SideValues("order")
    assert values.read("price", amount, ["a", Number("1.0")]) is None
    element = {"price": 1}
    (notice,) = values.notices(element, 7, "2026-05-28T20:26:44.000000Z")
    assert notice == NoticeReport(
        level="warning",
        code="unrecognised",
        text='cannot read price of this order, told as before, else as null: ["a",1.0]',
        once="order:price",
        time="2026-05-28T20:26:44.000000Z",
        sequence=7,
        element=element,
    )


def test_a_long_value_is_not_repeated_whole() -> None:
    values = SideValues("order")
    values.read("price", amount, "x" * 1000)
    (notice,) = values.notices([])
    assert len(notice.text) < 130


def test_the_ledger_tells_it_once() -> None:
    book, values = ledger(), SideValues("trade")
    values.read("fee", amount, [])
    values.read("price", amount, [])
    said = [event for _ in range(3) for n in values.notices([]) for event in book.take(n, "now")]
    assert said == [like(Notice, code="unrecognised"), like(Notice, code="unrecognised")]


@pytest.mark.parametrize(
    ("reader", "value", "read"),
    [
        (not_negative, "0", "0"),
        (not_negative, None, None),
        (positive, "0.0", None),
        (positive, 5, "5"),
        (text_of, "word", "word"),
        (text_of, "", None),
        (text_of, None, None),
        (needed(amount), "0", "0"),
    ],
)
def test_readers_read(reader: Any, value: Any, read: str | None) -> None:
    assert reader(value) == read


@pytest.mark.parametrize(
    ("reader", "value"),
    [
        (not_negative, "-1"),
        (positive, -1),
        (text_of, 7),
        (text_of, Number("7.0")),
        (text_of, []),
        (needed(amount), None),
        (needed(amount), ""),
    ],
)
def test_readers_refuse(reader: Any, value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        reader(value)


@pytest.mark.parametrize(
    "text", ["1_000", "\u0661", "1,5", "0x10", "--1", "1e", ".", "1e" + "9" * 30]
)
def test_a_text_that_only_python_takes_for_a_number_is_no_amount(text: str) -> None:
    with pytest.raises(Unreadable):
        amount(text)
