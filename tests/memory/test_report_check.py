"""Reports of a wrong shape: never printed as they are."""

from typing import Any, get_type_hints

import pytest
from msgspec import structs

from privstream.memory.report_check import is_sound, mended
from privstream.model.events import Notice, Order, Position, Trade
from privstream.model.exact import Number
from privstream.model.reports import (
    AnyReport,
    BalanceReport,
    Fill,
    OrderFields,
    OrderReport,
    PositionReport,
)
from tests.playbook import ledger

NOW = "2026-11-20T00:00:00.000000Z"


def fill(**changes: Any) -> Fill:
    usual: dict[str, Any] = {
        "trade_id": "T1",
        "order_id": "O1",
        "symbol": "BTC/EUR",
        "exchange_symbol": "XBT/EUR",
        "side": "buy",
        "price": "2",
        "quantity": "1",
        "cost": "2",
        "fee": "0",
        "fee_currency": "EUR",
    }
    return Fill(**{**usual, **changes})


def order(**fields: Any) -> OrderReport:
    known = {"status": "open", "symbol": "BTC/EUR", "side": "buy", "quantity": "1", "filled": "0"}
    return OrderReport(order_id="O1", fields={**known, **fields})  # type: ignore[typeddict-item]  # as a frame may have it


def position(**changes: Any) -> PositionReport:
    usual: dict[str, Any] = {
        "symbol": "BTC/USD",
        "exchange_symbol": "tBTCUSD",
        "side": "long",
        "quantity": "1",
        "status": "active",
    }
    return PositionReport(**{**usual, **changes})


def emitted(*reports: AnyReport) -> list[Any]:
    book = ledger("bitfinex")
    return [event for report in reports for event in book.take(report, NOW)]


def told(report: AnyReport) -> Any:
    [event] = emitted(report)
    return event


@pytest.mark.parametrize(
    ("report", "kind", "name"),
    [
        (order(order_type=""), Order, "order_type"),
        (order(exchange_status=""), Order, "exchange_status"),
        (fill(order_type=""), Trade, "order_type"),
        (fill(fee_currency=""), Trade, "fee_currency"),
    ],
)
def test_an_empty_text_is_unknown_and_costs_nothing_else(
    report: AnyReport, kind: type, name: str
) -> None:
    event = told(report)
    assert type(event) is kind
    assert getattr(event, name) is None


@pytest.mark.parametrize(
    "report",
    [
        fill(trade_id=""),
        fill(trade_id=Number("7.5")),
        fill(side="sideways"),
        fill(key=Number("1.5")),
        OrderReport(order_id=Number("1.5"), fields={"status": "open"}),
        BalanceReport(currency=Number("1.5"), exchange_currency="X", total="1"),
    ],
)
def test_a_fact_without_its_name_becomes_a_notice(report: AnyReport) -> None:
    event = told(report)
    assert isinstance(event, Notice)
    assert event.code == "unrecognised"
    assert event.text.startswith("cannot read this element: ")


SIDE_VALUES: list[tuple[AnyReport, str, object]] = [
    (fill(fee_currency=Number("-0.5")), "fee_currency", None),
    (fill(exchange_symbol=Number("7.0")), "exchange_symbol", None),
    (fill(price="-2"), "price", None),
    (fill(cost=[]), "cost", None),
    (fill(liquidity="neither"), "liquidity", None),
    (fill(time=7), "time", None),
    (fill(time="1970-01-21T10:00:00.000000Z"), "time", None),
    (fill(time="2286-11-20T17:46:39.999000Z"), "time", None),
    (fill(order_id=Number("1.5")), "order_id", None),
    (fill(estimated="price"), "estimated", ()),
    (order(exchange_status=Number("1e5")), "exchange_status", None),
    (order(status="asleep"), "status", "unknown"),
    (order(price="-1"), "price", None),
    (order(client_order_id=12), "client_order_id", None),
    (order(created="1970-01-01T00:00:05.000000Z"), "created", None),
    (order(created="9999-12-31T23:59:59.999999Z"), "created", None),
    (BalanceReport(currency="X", exchange_currency="X", total="1", hold=[]), "hold", None),  # type: ignore[arg-type]  # as a frame may have it
    (position(entry_price="-1"), "entry_price", None),
    (position(leverage="-1"), "leverage", None),
    (position(quantity="-1"), "quantity", None),
    (position(side="up"), "side", None),
    (position(status=Number("1.5")), "status", "unknown"),
]


@pytest.mark.parametrize(("report", "key", "value"), SIDE_VALUES)
def test_a_side_value_that_cannot_be_told_costs_nothing_else(
    report: AnyReport, key: str, value: object
) -> None:
    event, notice = emitted(report)
    assert not isinstance(event, Notice)
    assert getattr(event, key) == value
    assert isinstance(notice, Notice)
    assert notice.text.startswith(f"cannot read {key} of this {type(event).__name__.lower()}, told")


def test_a_notice_has_no_time_that_cannot_be() -> None:
    _, notice = emitted(fill(time="1970-01-21T10:00:00.000000Z"))
    assert notice.time is None


def test_a_time_that_has_not_come_makes_nothing_old_that_follows() -> None:
    reports = [
        structs.replace(order(price=price), time=time)
        for price, time in (
            ("1", "2026-11-20T00:00:00.000000Z"),
            ("2", "2286-11-20T17:46:39.999000Z"),
            ("3", "2026-11-20T00:00:05.000000Z"),
        )
    ]
    told = [event for event in emitted(*reports) if isinstance(event, Order)]
    assert [event.price for event in told] == ["1", "2", "3"]


def test_a_side_value_is_complained_of_once_per_kind_and_key() -> None:
    odd = [fill(trade_id=f"T{n}", price="-1", cost="-1") for n in range(3)]
    events = emitted(*odd, position(entry_price="-1"))
    assert [event.text.partition(",")[0] for event in events if isinstance(event, Notice)] == [
        "cannot read price of this trade",
        "cannot read cost of this trade",
        "cannot read entry_price of this position",
    ]
    assert len(events) == 7


def test_a_sound_position_is_told() -> None:
    assert isinstance(told(position()), Position)


ODD: tuple[Any, ...] = (
    "",
    "-1",
    "0",
    Number("1.5"),
    None,
    7,
    True,
    [],
    {},
    "sideways",
    "buy",
    "open",
    (),
)


def test_the_quick_look_finds_all_that_the_thorough_one_finds() -> None:
    reports: list[AnyReport] = [
        *(fill(**{key: value}) for key in Fill.__struct_fields__[:15] for value in ODD),
        *(order(**{key: value}) for key in get_type_hints(OrderFields) for value in ODD),
        *(position(**{key: value}) for key in ("side", "quantity", "leverage") for value in ODD),
    ]
    for report in reports:
        mended_report, notices = mended(report)
        is_odd = bool(notices) or mended_report != report
        assert is_sound(report) is not is_odd, report
    assert any(map(is_sound, reports))


def test_what_its_reader_has_checked_is_not_looked_at_again() -> None:
    assert told(fill(exchange_symbol="", checked=True)).exchange_symbol == ""
