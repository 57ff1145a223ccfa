"""What cannot be read is null and said once: on no exchange, at no key, is anything null in silence.

A blank text is no value, and no word either.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from privstream.exchanges.base import each
from privstream.exchanges.bitfinex.rows import (
    Origin,
    read_fill,
    read_order,
    read_position,
    read_wallet,
)
from privstream.exchanges.indodax import orders as indodax_orders
from privstream.exchanges.indodax import rows as indodax
from privstream.exchanges.kraken import executions, orders
from privstream.exchanges.kraken.balances import read_balance as kraken_balance
from privstream.exchanges.poloniex import balances as poloniex_balances
from privstream.exchanges.poloniex import orders as poloniex
from privstream.exchanges.poloniex.fill_keys import FillKeys
from privstream.exchanges.poloniex.smart_orders import read_smart_order
from privstream.exchanges.zerocap import elements as zerocap
from privstream.model.exact import decode, encode
from tests.exchanges import test_kraken_v1 as v1
from tests.exchanges import test_kraken_v2 as v2
from tests.exchanges.indodax_account import NEW
from tests.exchanges.indodax_account import fill as indodax_fill
from tests.exchanges.odd_values import Path as Way
from tests.exchanges.odd_values import facts, paths, replaced
from tests.exchanges.test_indodax_facts import HISTORY, V1_ROW, V2_ROW
from tests.exchanges.test_kraken_junk import BALANCE
from tests.payloads.bitfinex import frames as bitfinex
from tests.playbook import ledger
from tests.valid import assert_valid

Reader = Callable[[Any], Iterable[Any]]
PAYLOADS = Path(__file__).parents[1] / "payloads"
NOW = "2026-11-30T11:32:00.000000Z"
UNREADABLE: tuple[Any, ...] = (" ", "\t", "\u3000", True, ["a"])
"""No text that says anything, no amount, no time."""
REST = Origin("rest")


def payload(name: str) -> Any:
    return json.loads((PAYLOADS / name).read_text())


def v2_execution(element: Any) -> Iterator[Any]:
    return executions.read_execution(element, "stream", None, tells_orders=True)


def kraken_order(row: Any) -> Iterator[Any]:
    return orders.read_order("O1", row, "XBT/EUR", source="rest")


def kraken_trade(row: Any) -> Iterator[Any]:
    return orders.read_trade("T1", row, "XBT/EUR", source="rest")


def indodax_event(order: Any) -> Iterator[Any]:
    return indodax_orders.Updates().read({"eventType": "order_update", "order": order})


def v2_open(row: Any) -> Iterator[Any]:
    return indodax.read_v2_order(row, "rest", is_open=True)


def v1_open(row: Any) -> Iterator[Any]:
    return indodax.read_open("aave_idr", row, "rest", known=False)


def poloniex_push(item: Any) -> Iterator[Any]:
    return poloniex.read_push(item, FillKeys())


def poloniex_trade(row: Any) -> Iterator[Any]:
    return poloniex.read_trade(row, FillKeys(), "rest")


def poloniex_balance(item: Any) -> Iterator[Any]:
    return poloniex_balances.read_push(item, poloniex_balances.Holdings())


STOP = v2.NEW | {
    "order_type": "stop-loss-limit",
    "triggers": {"price": 48000.0, "price_type": "static", "reference": "last"},
    "cl_ord_id": "grid-7",
    "time_in_force": "GTC",
    "reason": "User requested",
}
SMART = payload("poloniex/rest_open_orders.json")[0] | {
    "type": "STOP_LIMIT",
    "state": "PENDING_NEW",
    "stopPrice": "58500",
}
SOLD = payload("poloniex/limit_sell.json")
STREAM = [
    json.loads(row)
    for row in (PAYLOADS / "zerocap/stream_new.jsonl").read_text().split("\n")
    if row
]
ELEMENTS: list[tuple[Reader, Any]] = [
    (v2_execution, STOP),
    (v2_execution, v2.FILL),
    (kraken_order, v1.NEW | {"reason": "User requested", "cl_ord_id": "mine"}),
    (kraken_trade, v1.ROW),
    (partial(kraken_balance, source="stream", sequence=None), BALANCE),
    (partial(read_order, origin=REST), bitfinex.order()),
    (partial(read_fill, origin=REST), bitfinex.trade(**bitfinex.FEE)),
    (partial(read_wallet, origin=REST), bitfinex.wallet(5.0, 4.0, meta={"reason": "TRADE"})),
    (partial(read_position, origin=REST, closed=False), bitfinex.position(leverage=3, price_liq=9)),
    *((poloniex_push, frame["data"][0]) for frame in SOLD),
    (partial(poloniex.read_order, source="rest"), payload("poloniex/rest_orders_history.json")[0]),
    (partial(read_smart_order, source="rest"), SMART),
    (poloniex_trade, payload("poloniex/rest_trades.json")[0]),
    (poloniex_balance, payload("poloniex/market_buy_balances.json")[0]["data"][0]),
    (indodax_event, NEW),
    (indodax_event, indodax_fill("0.04")),
    (v2_open, V2_ROW),
    (v1_open, V1_ROW),
    (indodax.read_ended, HISTORY | {"cancelReason": "SELF_TRADE_PREVENTION"}),
    (indodax.read_trade, payload("indodax/my_trades.json")["data"][0]),
    *(
        (partial(zerocap.read_order_push, source="stream"), f["data"])
        for f in STREAM
        if f["type"] == "order"
    ),
    *(
        (partial(zerocap.read_fill, source="stream"), f["data"])
        for f in STREAM
        if f["type"] == "trade"
    ),
]


def name_of(report: Any) -> object:
    """Each element is of one fact of a kind, whatever its id."""
    return type(report).__name__


def read(reader: Reader, element: Any) -> tuple[dict[Any, Any], list[Any], list[Any]]:
    """The facts, the notices, and the events that a ledger makes of them."""
    reports = list(each([decode(encode(element))], lambda one: iter(tuple(reader(one)))))
    book = ledger()
    events = [event for report in reports for event in book.take(report, NOW)]
    events += book.settle(NOW)
    notices = [event for event in events if event.__struct_config__.tag == "notice"]
    return facts(reports, name_of), notices, events


@pytest.mark.parametrize(
    ("reader", "element"), ELEMENTS, ids=lambda value: getattr(value, "__name__", "")
)
def test_nothing_is_null_without_a_word(reader: Reader, element: Any) -> None:
    whole, none, _ = read(reader, element)
    assert whole
    assert not none
    ways: list[Way] = list(paths(element))
    for way in ways:
        for value in UNREADABLE:
            found, notices, events = read(reader, replaced(element, way, value))
            lost = [
                (name, key)
                for name, fields in whole.items()
                for key, told in fields.items()
                if told is not None and found.get(name, {}).get(key) is None
            ]
            assert notices or not lost, (way, value, lost)
            for event in events:
                assert_valid(event)
                assert_no_blanks(event)


def assert_no_blanks(event: Any) -> None:
    for key in event.__struct_fields__:
        value = getattr(event, key)
        assert not (isinstance(value, str) and not value.strip()), (key, event)
