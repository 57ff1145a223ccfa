"""Reports of a wrong shape: never printed as they are."""

from typing import Any

import pytest

from privstream.model.events import Notice, Order, Position, Trade
from privstream.model.exact import Number
from privstream.model.reports import AnyReport, Fill, OrderReport, PositionReport
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
    return PositionReport(
        symbol="BTC/USD",
        exchange_symbol="tBTCUSD",
        side="long",
        **{"quantity": "1", "status": "active", **changes},
    )


def told(report: AnyReport) -> Any:
    [event] = ledger("kraken").take(report, NOW)
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
        fill(fee_currency=Number("-0.5")),
        fill(exchange_symbol=Number("7")),
        order(exchange_status=Number("1e5")),
        OrderReport(order_id=Number("1.5"), fields={"status": "open"}),
        position(entry_price="-1"),
        position(quantity="-1"),
        position(status=Number("1")),
    ],
)
def test_what_cannot_be_told_as_it_is_becomes_a_notice(report: AnyReport) -> None:
    event = told(report)
    assert isinstance(event, Notice)
    assert event.code == "unrecognised"


def test_a_sound_position_is_told() -> None:
    assert isinstance(told(position()), Position)
