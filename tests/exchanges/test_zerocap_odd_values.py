"""One odd value in a Zerocap element costs nothing but itself."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from privstream.exchanges.base import each
from privstream.exchanges.zerocap.elements import read_fill, read_order_push
from privstream.model.events import Order, Trade
from privstream.model.exact import decode, encode
from privstream.model.reports import AnyReport, Fill, NoticeReport, OrderReport
from tests.exchanges.odd_values import changed, facts, spoiled
from tests.exchanges.test_zerocap_orders import ORDER, TRADE, book, frames
from tests.valid import assert_valid

PAYLOADS = Path(__file__).parents[1] / "payloads" / "zerocap"
FRAMES = [
    json.loads(line)
    for dialect in ("new", "old")
    for line in (PAYLOADS / f"stream_{dialect}.jsonl").read_text().splitlines()
]
ORDERS = [frame["data"] for frame in FRAMES if frame["type"] == "order"]
ROWS = json.loads((PAYLOADS / "fetch_orders.json").read_text())["order_list"]
FILLS = [frame["data"] for frame in FRAMES if frame["type"] == "trade"]
OF_ORDER = {
    "timestamp": {"created", "time"},
    "last_trade_timestamp": {"time"},
    "status": {"status", "exchange_status", "time"},
    "symbol": {"symbol", "exchange_symbol"},
    "type": {"order_type"},
    "time_in_force": {"time_in_force", "time"},
    "side": {"side"},
    "price": {"price"},
    "average": {"average_price", "cost"},
    "amount": {"quantity", "status", "time"},
    "filled": {"filled", "status", "cost", "time"},
    "remaining": {"remaining"},
    "cost": {"cost"},
    "fee": {"fee"},
    "error_message": {"reason"},
    "client_order_id": {"client_order_id"},
    "trades": {"cost"},
}
OF_FILL = {
    "timestamp": {"time"},
    "symbol": {"symbol", "exchange_symbol"},
    "order": {"order_id"},
    "type": {"order_type"},
    "side": {"side"},
    "taker_or_maker": {"liquidity"},
    "takerOrMaker": {"liquidity"},
    "price": {"price", "estimated"},
    "amount": {"quantity", "estimated"},
    "cost": {"cost", "estimated"},
    "fee": {"fee"},
    "client_order_id": {"client_order_id"},
}
SHARED_WITH_FILLS = {"symbol", "side", "type", "client_order_id", "id"}
"""What a fill takes from its order where it does not say it itself."""


def name_of(report: Any) -> object:
    if isinstance(report, Fill):
        return "trade", report.trade_id
    return "order", report.order_id if isinstance(report, OrderReport) else None


def read_all(element: Any, reader: Callable[[Any], Iterator[AnyReport]]) -> list[Any]:
    return list(each([decode(encode(element))], reader))


def may_change(name: Any, path: tuple[Any, ...]) -> set[str]:
    """The fields of a fact that come from what stands there."""
    key = path[-1]
    if name[0] == "order":
        return {"cost"} if len(path) > 1 else OF_ORDER.get(key, set())
    if len(path) == 1 and key in SHARED_WITH_FILLS:
        return OF_FILL.get(key, {"order_id"})
    return OF_FILL.get(key, set())


def is_gone(name: Any, path: tuple[Any, ...]) -> bool:
    """What names the fact is spoiled itself, or all of the fills are."""
    if name[0] == "order":
        return path == ("id",)
    return (path[0] == "trades" and (len(path) < 3 or path[-1] == "id")) or path == ("id",)


@pytest.mark.parametrize(
    ("elements", "reader"),
    [
        (ORDERS, partial(read_order_push, source="stream")),
        (ROWS, partial(read_order_push, source="rest")),
        (FILLS, partial(read_fill, source="stream")),
    ],
    ids=["orders", "rows", "fills"],
)
def test_one_odd_value_costs_nothing_but_itself(
    elements: list[Any], reader: Callable[[Any], Iterator[AnyReport]]
) -> None:
    for number, element in enumerate(elements):
        whole: Mapping[Any, Any] = facts(read_all(element, reader), name_of)
        assert whole
        for one in spoiled(element, seed=number):
            reports = read_all(one.element, reader)
            found = facts(reports, name_of)
            for name, before in whole.items():
                if is_gone(name, one.path):
                    continue
                assert name in found, one
                assert changed(before, found[name]) <= may_change(name, one.path), one
            if len(found) < len(whole) and one.value not in (None, "", "0", 0, [], {}, ...):
                assert any(isinstance(r, NoticeReport) and r.once is None for r in reports), one


@pytest.mark.parametrize("dialect", ["old", "new"])
def test_an_odd_value_in_one_frame_leaves_the_whole_life_true(dialect: str) -> None:
    """The fill is told once, sooner or later; every event is valid, no id comes twice."""
    life = [json.loads(text) for text in frames(dialect)]
    for number, frame in enumerate(life):
        for one in spoiled(frame["data"], seed=number, share=0.2):
            spoilt = {"type": frame["type"], "data": one.element}
            played = book().receives(*life[:number], spoilt, *life[number + 1 :]).told_now()
            played.after(5).told_now().after(5).told_now()
            events = [*played.events, *played.ledger.settle("2026-05-28T20:30:00.000000Z")]
            for event in events:
                assert_valid(event)
            told = [event.trade_id for event in events if isinstance(event, Trade)]
            assert told.count(TRADE) == 1, one
            assert any(isinstance(e, Order) and e.order_id == ORDER for e in events), one
            ids = [event.id for event in events if event.id is not None]
            assert len(ids) == len(set(ids)), one
