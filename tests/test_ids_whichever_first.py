"""The ids of an order's states are the same whichever tells of it first: REST, a list, the stream.

Each exchange's own shapes, in which some sources lack what others state: Kraken's REST has no
time in force, Poloniex rounds averages there, Indodax's older keys tell purchases in rupiah.
"""

from collections.abc import Callable, Iterator
from itertools import permutations, product
from typing import Any

import pytest

from privstream.exchanges.bitfinex.rows import Origin
from privstream.exchanges.bitfinex.rows import read_order as bitfinex_row
from privstream.exchanges.indodax.orders import Updates
from privstream.exchanges.indodax.rows import read_open, read_v2_order
from privstream.exchanges.kraken.executions import read_execution
from privstream.exchanges.kraken.orders import read_order as kraken_row
from privstream.exchanges.poloniex.fill_keys import FillKeys
from privstream.exchanges.poloniex.orders import read_order as poloniex_row
from privstream.exchanges.poloniex.orders import read_push
from privstream.exchanges.zerocap.elements import read_order_push
from privstream.model.events import Order, Source
from privstream.model.exact import decode, encode
from privstream.model.reports import OrderReport
from tests.exchanges.indodax_account import NEW
from tests.exchanges.indodax_account import fill as indodax_fill
from tests.payloads.bitfinex.frames import order as bitfinex_order
from tests.playbook import ledger

NOW = "2026-11-20T11:32:00.000000Z"
SOURCES: tuple[Source, ...] = ("rest", "snapshot", "stream")
Shape = Callable[[Source, int], Iterator[Any]]
"""The reports of a source when the order is at this step: 0 it is new, 1 some of it was filled."""


def kraken_rest(step: int, source: Source) -> Iterator[Any]:
    row = {
        "status": "open",
        "opentm": 1780000000.1,
        "vol": "1.00000000",
        "vol_exec": ("0.00000000", "0.40000000")[step],
        "cost": ("0.00000", "20000.0")[step],
        "price": ("0.00000", "50000.0")[step],
        "fee": "0.0",
        "oflags": "fciq",
        "misc": "",
        "descr": {"pair": "XBTEUR", "type": "buy", "ordertype": "limit", "price": "50000.0"},
    }
    yield from kraken_row("O1", row, "XBT/EUR", source=source)


def kraken_v2(source: Source, step: int) -> Iterator[Any]:
    whole = {
        "order_id": "O1",
        "cl_ord_id": "mine",
        "symbol": "BTC/EUR",
        "side": "buy",
        "order_type": "limit",
        "order_qty": 1.0,
        "limit_price": 50000.0,
        "time_in_force": "GTC",
        "exec_type": "new",
        "order_status": ("new", "partially_filled")[step],
        "cum_qty": (0.0, 0.4)[step],
        "cum_cost": (0.0, 20000.0)[step],
        "avg_price": (0.0, 50000.0)[step],
        "timestamp": ("2026-11-20T11:31:00Z", "2026-11-20T11:31:30Z")[step],
    }
    fill = {"exec_type": "trade", "exec_id": "T1", "last_qty": 0.4, "last_price": 50000.0}
    if source == "rest":
        yield from kraken_rest(step, source)
    else:
        element = whole | fill if step and source == "stream" else whole
        yield from read_execution(decode(encode(element)), source, None, tells_orders=True)


def kraken_v1(source: Source, step: int) -> Iterator[Any]:
    if source == "rest":
        yield from kraken_rest(step, source)
        return
    row: dict[str, Any] = {
        "status": "open",
        "opentm": "1780000000.1",
        "vol": "1.00000000",
        "vol_exec": ("0.00000000", "0.40000000")[step],
        "cost": ("0.00000", "20000.0")[step],
        "avg_price": ("0.00000", "50000.0")[step],
        "fee": "0.0",
        "oflags": "fciq",
        "timeinforce": "GTC",
        "cl_ord_id": "mine",
        "descr": {"pair": "XBT/EUR", "type": "buy", "ordertype": "limit", "price": "50000.0"},
    }
    yield from kraken_row("O1", row, "XBT/EUR", source=source)


def bitfinex(source: Source, step: int) -> Iterator[Any]:
    words = ("ACTIVE", "PARTIALLY FILLED @ 60000(0.2)")
    changed = {"status": words[step], "left": (0.5, 0.3)[step], "average": (0, 60000)[step]}
    row = bitfinex_order()
    row[5] += step
    row[6], row[13], row[17] = changed["left"], changed["status"], changed["average"]
    yield from bitfinex_row(decode(encode(row)), Origin(source))


def poloniex(source: Source, step: int) -> Iterator[Any]:
    row: dict[str, Any] = {
        "clientOrderId": "",
        "symbol": "BTC_USDT",
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "price": "30000",
        "quantity": "0.3",
        "state": ("NEW", "PARTIALLY_FILLED")[step],
        "filledQuantity": ("0", "0.07")[step],
        "filledAmount": ("0", "2099.99")[step],
        "createTime": 1780000000000,
    }
    if source == "stream":
        trade = {"tradeId": "7", "tradeQty": "0.07", "tradePrice": "29999.86", "tradeFee": "0"}
        push = row | {"orderId": "O1", "orderAmount": "0", "ts": 1780000000030 + step * 1000}
        push |= {"eventType": ("place", "trade")[step]} | (trade if step else {})
        yield from read_push(push, FillKeys())
        return
    average = {"avgPrice": ("0", "29999.86")[step], "updateTime": 1780000000000 + step * 1000}
    yield from poloniex_row(row | {"id": "O1", "amount": "0"} | average, source)


V2: dict[str, Any] = {
    "symbol": "AAVEIDR",
    "side": "BUY",
    "price": "4000000",
    "origQty": "0.10000000",
    "type": "LIMIT",
    "time": 1780000000123,
    "fullOrderId": "aaveidr-limit-500",
}


def indodax_v2(source: Source, step: int) -> Iterator[Any]:
    if source == "stream":
        event = {"eventType": "order_update", "order": (NEW, indodax_fill("0.04"))[step]}
        yield from Updates().read(event)
        return
    state = {
        "executedQty": ("0", "0.04")[step],
        "status": ("NEW", "PARTIALLY_FILLED")[step],
    }
    yield from read_v2_order(V2 | state, source, is_open=True)


def indodax_v1(source: Source, step: int) -> Iterator[Any]:
    if source == "stream":
        yield from indodax_v2(source, step)
        return
    row = {
        "order_id": "500",
        "submit_time": "1780000000",
        "price": "4000000",
        "type": "buy",
        "order_type": "limit",
        "order_idr": "400000",
        "remain_idr": ("400000", "240000")[step],
    }
    for report in read_open("aave_idr", row, source, known=False):
        if step and isinstance(report, OrderReport):  # from its fills, which are read besides
            report.fields["filled"] = "0.04"
        yield report


def zerocap(source: Source, step: int) -> Iterator[Any]:
    element: dict[str, Any] = {
        "id": "O1",
        "client_order_id": "mine",
        "symbol": "BTC/AUD",
        "type": "limit",
        "side": "buy",
        "time_in_force": "gtc",
        "price": 90000,
        "amount": 0.3,
        "filled": (0, 0.1)[step],
        "remaining": (0.3, 0.2)[step],
        "average": (None, 89999)[step],
        "cost": (0, 8999.9)[step],
        "status": "open",
        "timestamp": 1780000000000,
        "trades": [],
    }
    if source == "rest":
        element |= {"cost": (0, 8999.8)[step]}
    yield from read_order_push(decode(encode(element)), source)


SHAPES: list[Shape] = [kraken_v2, kraken_v1, bitfinex, poloniex, indodax_v2, indodax_v1, zerocap]


def told_ids(exchange: str, turns: list[tuple[int, Source]], shape: Shape) -> list[str | None]:
    book = ledger(exchange)
    events = []
    for step, source in turns:
        for report in shape(source, step):
            events += book.take(report, NOW)
        events += book.settle(NOW)
    return [event.id for event in events if isinstance(event, Order)]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_the_ids_are_the_same_whichever_comes_first(shape: Shape) -> None:
    exchange = shape.__name__.partition("_")[0]
    alone = {tuple(told_ids(exchange, [(0, source), (1, source)], shape)) for source in SOURCES}
    assert len(alone) == 1, alone
    for first, second in product(permutations(SOURCES), repeat=2):
        turns = [*((0, source) for source in first), *((1, source) for source in second)]
        assert {tuple(told_ids(exchange, turns, shape))} == alone, turns


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_nor_does_it_matter_which_of_them_come_at_all(shape: Shape) -> None:
    exchange = shape.__name__.partition("_")[0]
    ids = told_ids(exchange, [(0, "stream"), (1, "stream")], shape)
    for first, second in product(product(SOURCES, repeat=2), repeat=2):
        turns = [*((0, source) for source in first), *((1, source) for source in second)]
        assert told_ids(exchange, turns, shape) == ids, turns
