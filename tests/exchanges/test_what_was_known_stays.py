"""What cannot be read of an order says nothing: what was known of it stays, and makes no state."""

from functools import partial
from typing import Any

import pytest

from privstream.exchanges.base import each
from privstream.exchanges.bitfinex.rows import Origin, read_order
from privstream.model.events import Order
from privstream.model.exact import decode, encode
from privstream.model.reports import NoticeReport, OrderReport
from tests.exchanges.odd_values import ODD, paths, replaced
from tests.exchanges.test_null_is_said import ELEMENTS, NOW, Reader
from tests.payloads.bitfinex import frames as bitfinex
from tests.playbook import ledger

STREAMED = partial(read_order, origin=Origin("stream"))


def reports_of(reader: Reader, element: Any) -> list[Any]:
    return list(each([decode(encode(element))], lambda one: iter(tuple(reader(one)))))


def tells_orders(reader: Reader, element: Any) -> bool:
    return any(isinstance(report, OrderReport) for report in reports_of(reader, element))


CASES = [case for case in ELEMENTS if tells_orders(*case)]
CASES.append((STREAMED, bitfinex.order()))
CASES.append((STREAMED, bitfinex.order(type="STOP LIMIT", price_aux_limit=59000)))


@pytest.mark.parametrize(("reader", "element"), CASES)
def test_a_value_that_cannot_be_read_changes_nothing_of_a_known_order(
    reader: Reader, element: Any
) -> None:
    first = reports_of(reader, element)
    for way in paths(element):
        for value in ODD:
            odd = reports_of(reader, replaced(element, way, value))
            if any(isinstance(report, NoticeReport) for report in odd):
                assert_nothing_changed(first, odd)


def assert_nothing_changed(first: list[Any], odd: list[Any]) -> None:
    book = ledger()
    before = {e.order_id: e for r in first for e in book.take(r, NOW) if isinstance(e, Order)}
    for report in odd:
        for event in book.take(report, NOW):
            if isinstance(event, Order) and event.order_id in before:
                known = before[event.order_id]
                assert event.status in {known.status, "unknown"}, report.element
                assert not lost_keys(known, event), report.element


def lost_keys(before: Order, after: Order) -> set[str]:
    """What was known and is null now."""
    return {
        key
        for key in before.__struct_fields__
        if getattr(before, key) is not None and getattr(after, key) is None and key != "time"
    }
