"""One odd value in a Kraken frame: the fact is told without it, and so is everything else.

What identifies a fact decides whether it can be told; what else cannot be read becomes null.
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privstream.exchanges.kraken.v1 import SessionV1
from privstream.exchanges.kraken.v2 import SessionV2
from privstream.model.events import Balance, Notice, Order, Trade
from privstream.model.exact import encode
from privstream.model.reports import BalanceReport, Fill, Listed, NoticeReport, OrderReport
from privstream.model.session import Reconnect, Synced
from tests.exchanges import test_kraken_v1 as v1
from tests.exchanges import test_kraken_v2 as v2
from tests.exchanges.test_kraken_junk import BALANCE, WRONG, damaged, places
from tests.playbook import START, Playbook, ledger, like
from tests.valid import assert_valid

ALL = ("orders", "trades", "balances")
STOP = v2.NEW | {
    "order_id": "OSTOPS-12345-FGHIJK",
    "order_type": "stop-loss-limit",
    "triggers": {"price": 48000.0, "price_type": "static", "reference": "last"},
    "cl_ord_id": "grid-7",
    "post_only": True,
}
STOP_ROW = v1.NEW | {
    "descr": v1.NEW["descr"] | {"ordertype": "stop-loss-limit", "price2": "48000.0"},
    "cl_ord_id": "grid-7",
}
FRAMES: dict[str, list[Any]] = {
    "v2": [
        v2.executions(7, v2.NEW, v2.FILL | {"order_id": "OFILLS-12345-FGHIJK"}, STOP),
        {"channel": "balances", "type": "update", "data": [BALANCE], "sequence": 7},
    ],
    "v1": [
        [
            [{v1.ORDER: v1.NEW}, {"OSTOPS-12345-FGHIJK": STOP_ROW}],
            "openOrders",
            {"sequence": 7},
        ],
        v1.trades(7, T1=v1.ROW, T2=v1.ROW),
    ],
}
IDENTITY = {"order_id", "exec_id", "asset", "wallet_type", "wallet_id"}
SYMBOL = {"symbol", "exchange_symbol", "fee_currency"}
PRICES = {"price", "stop_price"}
DEPENDS: Mapping[str, set[str]] = {
    # v2
    "symbol": SYMBOL,
    "order_qty": {"quantity"},
    "limit_price": {"price"},
    "triggers": {"stop_price"},
    "price_type": {"stop_price"},
    "order_status": {"status", "exchange_status"},
    "exec_type": {"status", "exchange_status", "created", "filled"},
    "timestamp": {"time", "created"},
    "post_only": {"time_in_force"},
    "cum_qty": {"filled"},
    "cum_cost": {"cost"},
    "avg_price": {"average_price"},
    "last_price": {"price"},
    "last_qty": {"quantity"},
    "fees": {"fee", "fee_currency"},
    "qty": {"fee", "fee_currency"},
    "liquidity_ind": {"liquidity"},
    "cl_ord_id": {"client_order_id"},
    "balance": {"total"},
    "amount": {"change"},
    "ledger_id": {"key"},
    # v1
    "descr": SYMBOL | PRICES | {"side", "order_type"},
    "pair": SYMBOL,
    "ordertype": PRICES | {"order_type"},
    "price": PRICES,
    "price2": PRICES,
    "vol": {"quantity", "quote_quantity"},
    "vol_exec": {"filled"},
    "oflags": {"quantity", "quote_quantity", "filled", "time_in_force"},
    "timeinforce": {"time_in_force"},
    "expiretm": {"time_in_force"},
    "status": {"status", "exchange_status", "time"},
    "opentm": {"created", "time"},
    "ordertxid": {"order_id"},
    "type": {"side", "reason"},
    "lastupdated": {"time"},
}
Facts = dict[tuple[type, str], dict[str, Any]]


def heard(protocol: str, frame: Any) -> list[Any]:
    session = SessionV1("T", ALL) if protocol == "v1" else SessionV2("T", ALL)
    return list(session.receive(encode(frame), START))


def facts(actions: Iterable[Any]) -> Facts:
    """What was reported, by kind and id, without what it was read from."""
    told: Facts = {}
    for report in actions:
        if isinstance(report, OrderReport):
            told[OrderReport, report.order_id] = {**report.fields, "time": report.time}
        elif isinstance(report, Fill | BalanceReport):
            name = report.trade_id if isinstance(report, Fill) else report.currency
            values = {f: getattr(report, f) for f in report.__struct_fields__ if f != "element"}
            told[type(report), name] = values
    return told


def every_place(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place within an element, also those that hold others."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, item in inner:
        found.append((*path, key))
        if isinstance(item, dict | list):
            found += every_place(item, (*path, key))
    return found


def elements(protocol: str, frame: Any) -> list[tuple[Any, ...]]:
    """The paths of a frame's elements."""
    if protocol == "v2":
        return [("data", number) for number in range(len(frame["data"]))]
    return [(0, number, name) for number, one in enumerate(frame[0]) for name in one]


def within(frame: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        frame = frame[key]
    return frame


SIDE_PLACES = {
    protocol: [
        (number, (*element, *inner))
        for number, frame in enumerate(frames)
        for element in elements(protocol, frame)
        for inner in every_place(within(frame, element))
        if not IDENTITY & set(inner)
    ]
    for protocol, frames in FRAMES.items()
}


@pytest.mark.parametrize("protocol", ["v1", "v2"])
@given(choice=st.integers(min_value=0, max_value=10**6), wrong=WRONG)
def test_one_odd_value_costs_only_what_depends_on_it(
    protocol: str, choice: int, wrong: Any
) -> None:
    number, path = SIDE_PLACES[protocol][choice % len(SIDE_PLACES[protocol])]
    frame = FRAMES[protocol][number]
    right, told = facts(heard(protocol, frame)), facts(heard(protocol, damaged(frame, path, wrong)))
    assert told.keys() == right.keys()
    words = {key for key in path if isinstance(key, str)}
    may_change = words.union(*(DEPENDS.get(word, set()) for word in words))
    for fact, values in right.items():
        changed = {k for k, value in values.items() if told[fact].get(k) != value}
        assert changed <= may_change, (path, wrong)


@pytest.mark.parametrize("protocol", ["v1", "v2"])
@given(choice=st.integers(min_value=0, max_value=10**6), wrong=WRONG)
def test_what_is_told_of_an_odd_value_is_valid_and_its_frame_is_counted(
    protocol: str, choice: int, wrong: Any
) -> None:
    frames = FRAMES[protocol]
    all_places = [(f, path) for f in frames for path in places(f)]
    frame, path = all_places[choice % len(all_places)]
    session = SessionV1("T", ALL) if protocol == "v1" else SessionV2("T", ALL)
    book = Playbook(session, ledger("kraken", raw=True))
    book.receives(encode(damaged(frame, path, wrong)))
    for action in list(book._pending):
        assert not isinstance(action, Reconnect)
    for event in book.told_now().events:
        assert_valid(event)


# --- by name ---------------------------------------------------------------------------


def odd(protocol: str, element: Any, **changes: Any) -> list[Any]:
    element = {**deepcopy(element), **changes}
    if protocol == "v2":
        return heard("v2", v2.executions(2, element))
    return heard("v1", v1.orders(2, element))


@pytest.mark.parametrize(
    ("changes", "told", "once"),
    [
        ({"avg_price": -1.5}, {"average_price": None, "status": "pending"}, "order:avg_price"),
        ({"limit_price": "x"}, {"price": None, "quantity": "0.5"}, "order:limit_price"),
        ({"limit_price_type": 7}, {"price": None}, "order:limit_price_type"),
        ({"limit_price_type": "x"}, {"price": None}, "order:limit_price_type"),
        ({"triggers": [1]}, {"price": "50000.0"}, "order:triggers"),
        ({"timestamp": "2026-02-30T12:00:00Z"}, {"time": None}, "order:timestamp"),
        ({"post_only": "false"}, {"quantity": "0.5"}, "order:post_only"),
        ({"symbol": "BTCEUR"}, {"symbol": None, "exchange_symbol": "BTCEUR"}, "order:symbol"),
        ({"side": "short"}, {"side": None}, "order:side"),
        ({"order_status": {}}, {"status": "pending"}, "order:order_status"),
        ({"cl_ord_id": 5}, {"quantity": "0.5"}, "order:cl_ord_id"),
    ],
)
def test_an_odd_value_of_a_v2_order_is_null_and_said_once(
    changes: dict[str, Any], told: dict[str, Any], once: str
) -> None:
    order, notice = odd("v2", v2.NEW, **changes)
    assert order == like(OrderReport, order_id=v2.ORDER, **told)
    assert notice == like(NoticeReport, code="unrecognised", level="warning", once=once)


@pytest.mark.parametrize(
    ("changes", "told", "once"),
    [
        ({"cost": "-1"}, {"cost": None, "quantity": "0.50000000"}, "order:cost"),
        ({"descr": "text"}, {"quantity": "0.50000000", "created": like}, "order:descr"),
        ({"oflags": 7}, {"quantity": None, "filled": None, "cost": "0"}, "order:oflags"),
        ({"opentm": "soon"}, {"created": None}, "order:opentm"),
        ({"avg_price": []}, {"average_price": None}, "order:avg_price"),
    ],
)
def test_an_odd_value_of_a_v1_order_is_null_and_said_once(
    changes: dict[str, Any], told: dict[str, Any], once: str
) -> None:
    order, *notices = odd("v1", v1.NEW, **changes)
    told = {key: value for key, value in told.items() if value is not like}
    assert order == like(OrderReport, order_id=v1.ORDER, **told)
    assert once in {notice.once for notice in notices}


def test_a_fill_whose_id_cannot_be_read_does_not_hide_how_far_its_order_got() -> None:
    notice, order = odd("v2", v2.FILL, exec_id=7)
    assert notice == like(NoticeReport, once=None, code="unrecognised")
    assert order == like(OrderReport, order_id=v2.ORDER, filled="0.2")


def test_a_fill_without_an_order_is_told() -> None:
    assert odd("v2", v2.FILL, order_id=None) == [
        like(Fill, trade_id="TABCDE-12345-FGHIJK", order_id=None, quantity="0.2")
    ]
    assert [type(told) for told in odd("v2", v2.FILL, order_id="")] == [Fill]
    for order_id in (7, 1.5, -1e30):
        fill, notice = odd("v2", v2.FILL, order_id=order_id)
        assert (fill.order_id, notice.once) == (None, "trade:order_id")


def test_a_fill_under_a_number_below_zero_is_told() -> None:
    session = SessionV2("T", ALL)
    list(session.receive(encode(v2.executions(2, v2.NEW)), START))
    told = list(session.receive(encode(v2.executions(-1, v2.FILL)), START))
    assert [report.sequence for report in told if isinstance(report, Fill)] == [None]
    assert not any(isinstance(action, Reconnect) for action in told)
    assert like(NoticeReport, once="frame:sequence") in told
    after = list(session.receive(encode(v2.executions(4, v2.CANCELED)), START))
    assert not any(isinstance(action, Reconnect) for action in after)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"liquidity_ind": "x"}, {"liquidity": None, "fee": "15.99"}),
        ({"liquidity_ind": True}, {"liquidity": None, "fee": "15.99"}),
        ({"fees": "4.0"}, {"fee": None, "fee_currency": None, "price": "49999.9"}),
        ({"fees": {"qty": 4.0}}, {"fee": None, "fee_currency": None, "price": "49999.9"}),
        ({"fees": 4.0}, {"fee": None, "fee_currency": None, "price": "49999.9"}),
    ],
)
def test_an_odd_value_of_a_v2_fill_is_null_and_said(
    changes: dict[str, Any], told: dict[str, Any]
) -> None:
    fill, *others = odd("v2", v2.FILL, **changes)
    assert fill == like(Fill, trade_id="TABCDE-12345-FGHIJK", **told)
    assert f"trade:{next(iter(changes))}" in {getattr(other, "once", None) for other in others}


def test_the_notice_of_an_odd_value_comes_once_however_often_it_is_sent() -> None:
    book = v2.subscribed().receives(v2.executions(2, v2.NEW | {"avg_price": "-1"}))
    second = v2.NEW | {"order_id": "OOTHER-12345-FGHIJK", "avg_price": "-1"}
    book.receives(v2.executions(3, second)).told_now()
    assert [type(event) for event in book.events] == [Order, Notice, Order]


def test_an_odd_balance_keeps_its_currency_and_change() -> None:
    frame = {"channel": "balances", "type": "update", "sequence": 2}
    book = v2.subscribed().receives(frame | {"data": [BALANCE | {"balance": "much"}]})
    book.told_now()
    assert book.events[0] == like(Balance, currency="BTC", total=None, change="0.1")


def test_a_list_of_balances_that_could_not_all_be_read_ends_none_of_them() -> None:
    frame = {"channel": "balances", "type": "snapshot", "sequence": 1}
    whole = {"asset": "BTC", "balance": 1.5, "wallets": []}
    book = v2.opened().forget().receives(frame | {"data": [whole]}).told_now()
    again = v2.opened().forget().receives(frame | {"data": [{"asset": 7}]})
    again.ledger = book.ledger
    assert [type(event) for event in again.told_now().events] == [Notice]


@pytest.mark.parametrize("protocol", ["v1", "v2"])
def test_a_list_in_which_something_is_not_known_is_none(protocol: str) -> None:
    odd: Any = {"exec_type": "new", "order_id": 7}
    frame: Any = v2.executions(1, v2.NEW, odd, kind="snapshot")
    if protocol == "v1":
        frame = [[{v1.ORDER: v1.NEW}, 7], "openOrders", {"sequence": 1}]
    told = heard(protocol, frame)
    assert not [action for action in told if isinstance(action, Listed | Synced)]
    assert len(told) == 2


# --- v1 frames with something odd in them -------------------------------------------------


def test_an_unreadable_element_of_v1_costs_neither_neighbours_nor_the_frames_number() -> None:
    rows: list[Any] = ["text", {v1.ORDER: v1.NEW, "OTHER1-12345-FGHIJK": None}, {}]
    book = v1.subscribed().receives([rows, "openOrders", {"sequence": 2}])
    book.does(
        like(NoticeReport, code="unrecognised", element="text"),
        like(OrderReport, order_id=v1.ORDER),
        like(NoticeReport, code="unrecognised"),
    ).nothing()
    book.receives(v1.orders(3, {"status": "open"})).does(like(OrderReport, status="open")).nothing()


@pytest.mark.parametrize("sequence", [None, {}, {"sequence": "two"}, {"sequence": True}, 7])
def test_a_frame_takes_its_number_also_where_that_cannot_be_read(sequence: Any) -> None:
    book = v1.subscribed().receives([[{v1.ORDER: v1.NEW}], "openOrders", sequence]).forget()
    book.receives(v1.orders(3, {"status": "open"})).does(like(OrderReport)).nothing()


@pytest.mark.parametrize("elements", [None, "text", {v1.TRADE: 7}])
def test_a_list_of_v1_that_is_none_is_told_as_such_and_counted(elements: Any) -> None:
    book = v1.subscribed().receives([elements, "ownTrades", {"sequence": 2}])
    book.does(like(NoticeReport, code="unrecognised")).nothing()
    book.receives(v1.trades(3, T9=v1.ROW)).does(like(Fill)).nothing()


@pytest.mark.parametrize("changes", [{"data": None}, {"data": "text"}, {"type": None}])
def test_a_v2_frame_that_is_odd_as_a_whole_is_counted(changes: dict[str, Any]) -> None:
    book = v2.subscribed().receives(v2.executions(2, v2.NEW) | changes).forget()
    book.receives(v2.executions(3, v2.LIVE)).does(like(OrderReport)).nothing()


def test_a_frame_that_was_lost_before_one_without_a_number_is_still_noticed() -> None:
    book = v1.subscribed().receives([[], "openOrders"]).forget()
    book.receives(v1.orders(5, {"status": "open"}))
    book.does(like(OrderReport), like(Reconnect, cause="sequence"))


def test_a_trade_row_that_is_odd_is_told_with_the_rest() -> None:
    row = v1.ROW | {"cost": [], "time": "-", "type": 1}
    book = v1.subscribed().receives(v1.trades(2, T1=row, T2=v1.ROW)).told_now()
    trades = [event for event in book.events if isinstance(event, Trade)]
    assert trades[0] == like(Trade, trade_id="T1", cost=None, time=None, quantity="0.20000000")
    assert trades[1] == like(Trade, trade_id="T2", cost="10000.00000", side="sell")


@pytest.mark.parametrize(
    ("protocol", "frame", "text"),
    [
        ("v2", v2.executions(2, {"exec_type": "new"}), "`order_id` is missing"),
        ("v2", v2.executions(2, {"order_id": 7}), "`order_id` is a number, not an id"),
        ("v2", {"channel": "balances", "data": [{"asset": 7}]}, "`asset` is a number"),
        ("v1", [[7], "openOrders", {"sequence": 2}], "it is a number, not an object"),
        ("v1", [[{v1.ORDER: "x"}], "openOrders", {"sequence": 2}], "is text, not an object"),
        ("v1", [[{"T1": None}], "ownTrades", {"sequence": 2}], "it is null, not an object"),
    ],
)
def test_why_an_element_cannot_be_read_is_said_for_people(
    protocol: str, frame: Any, text: str
) -> None:
    (notice,) = heard(protocol, frame)
    assert text in notice.text


@pytest.mark.parametrize("numbering", [{"sequence": "7"}, {"sequence": 1.5}, "junk", [7]])
def test_a_number_of_a_v1_frame_that_cannot_be_read_is_said(numbering: Any) -> None:
    frame = [[{"T1": v1.ROW}], "ownTrades", numbering]
    told = heard("v1", frame)
    assert like(NoticeReport, once="frame:sequence") in told
    assert not [notice for notice in heard("v1", frame[:2]) if isinstance(notice, NoticeReport)]
