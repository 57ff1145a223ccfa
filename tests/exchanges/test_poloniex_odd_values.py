"""One odd value in a Poloniex push or row costs nothing but itself."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import pytest

from privstream.exchanges.base import each
from privstream.exchanges.poloniex.balances import Holdings
from privstream.exchanges.poloniex.balances import read_push as read_balance
from privstream.exchanges.poloniex.fill_keys import FillKeys
from privstream.exchanges.poloniex.orders import read_order, read_push, read_trade
from privstream.model.events import AnyEvent, Order, Trade
from privstream.model.reports import AnyReport, BalanceReport, Fill, NoticeReport, OrderReport
from tests.exchanges.odd_values import changed, facts, spoiled
from tests.exchanges.test_poloniex_orders import payload, session
from tests.valid import assert_valid

Reader = Callable[[Any], Iterator[AnyReport]]
ITEMS = [frame["data"][0] for name in ("limit_sell", "market_buy") for frame in payload(name)]
BALANCES = [frame["data"][0] for frame in payload("market_buy_balances")]
SHARED = {
    "symbol": {"symbol", "exchange_symbol"},
    "side": {"side"},
    "type": {"order_type", "time_in_force"},
    "timeInForce": {"time_in_force"},
    "price": {"price", "key"},
    "quantity": {"quantity", "quote_quantity", "key"},
    "orderAmount": {"quote_quantity"},
    "amount": {"quote_quantity", "cost"},
    "state": {"status", "exchange_status"},
    "filledQuantity": {"filled", "average_price"},
    "filledAmount": {"cost", "average_price"},
    "avgPrice": {"average_price"},
    "clientOrderId": {"client_order_id"},
    "feeCurrency": {"fee_currency"},
    "matchRole": {"liquidity"},
    "tradePrice": {"price"},
    "tradeQty": {"quantity"},
    "tradeAmount": {"cost"},
    "tradeFee": {"fee"},
    "feeAmount": {"fee"},
    "createTime": {"created", "time"},
    "updateTime": {"time"},
    "tradeTime": {"time"},
    "ts": {"time"},
    "eventType": {"time", "reason"},
    "id": {"key"},
    "changeTime": {"time"},
    "available": {"available"},
    "hold": {"hold"},
}
"""The fields that come from a key."""


def name_of(report: Any) -> object:
    match report:
        case Fill():
            return "trade", report.order_id, report.trade_id
        case OrderReport():
            return "order", report.order_id
        case BalanceReport():
            return "balance", report.currency, report.wallet
    return None


def read_all(element: Any, reader: Reader) -> list[AnyReport | NoticeReport]:
    return list(each([element], reader))


def push() -> Reader:
    return partial(read_push, keys=FillKeys())


def trade() -> Reader:
    return partial(read_trade, keys=FillKeys(), source="rest")


def order() -> Reader:
    return partial(read_order, source="rest")


def balance() -> Reader:
    return partial(read_balance, holdings=Holdings())


@pytest.mark.parametrize(
    ("elements", "reader", "identity"),
    [
        (ITEMS, push, {"orderId": ("trade", "order"), "tradeId": ("trade",)}),
        (payload("rest_open_orders"), order, {"id": ("order",)}),
        (payload("rest_orders_history"), order, {"id": ("order",)}),
        (payload("rest_trades"), trade, {"id": ("trade",), "orderId": ("trade",)}),
        (BALANCES, balance, {"currency": ("balance",), "accountType": ("balance",)}),
    ],
)
def test_one_odd_value_costs_nothing_but_itself(
    elements: list[Any],
    reader: Callable[[], Reader],
    identity: Mapping[str, tuple[str, ...]],
) -> None:
    for number, element in enumerate(elements):
        whole = facts(read_all(element, reader()), name_of)
        assert whole
        for one in spoiled(element, seed=number):
            reports = read_all(one.element, reader())
            found = facts(reports, name_of)
            [key] = one.path
            for name, before in whole.items():
                if name[0] in identity.get(key, ()):  # type: ignore[index]  # a tuple
                    continue
                assert name in found, one
                assert changed(before, found[name]) <= SHARED.get(key, set()), one
            if len(found) < len(whole):
                assert any(isinstance(r, NoticeReport) and r.once is None for r in reports), one


@pytest.mark.parametrize("name", ["limit_sell", "market_buy"])
def test_an_odd_value_in_one_push_leaves_the_whole_life_true(name: str) -> None:
    """Every fill is told once, every event is valid, no id comes twice."""
    frames = payload(name)
    fills = trades_of(session().receives(*frames).told_now().events)
    for number, frame in enumerate(frames):
        for one in spoiled(frame["data"][0], seed=number, share=0.2):
            played = session()
            pushes = [*frames[:number], {"channel": "orders", "data": [one.element]}]
            played.receives(*pushes, *frames[number + 1 :]).told_now()
            events = [*played.events, *played.ledger.settle("2026-05-28T20:30:00.000000Z")]
            for event in events:
                assert_valid(event)
            if one.path[-1] not in {"orderId", "tradeId"}:
                assert trades_of(events) == fills, one
                assert any(isinstance(event, Order) for event in events), one
            ids = [event.id for event in events if event.id is not None]
            assert len(ids) == len(set(ids)), one


def trades_of(events: Iterable[AnyEvent]) -> list[str | None]:
    return [event.trade_id for event in events if isinstance(event, Trade)]
