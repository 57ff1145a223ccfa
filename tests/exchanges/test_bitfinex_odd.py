"""One odd value in a Bitfinex row costs nothing but itself.

The fact is told, its other keys and its neighbours are what they were, and what could not
be read is said.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from msgspec import structs

from privstream.model.events import AnyEvent, Notice
from privstream.model.reports import (
    BalanceReport,
    Fill,
    Listed,
    NoticeReport,
    OrderReport,
    PositionReport,
    Report,
)
from privstream.model.session import Action
from tests.payloads.bitfinex.frames import FEE, logged_in, order, position, trade, wallet
from tests.playbook import like
from tests.valid import assert_valid

ODD: tuple[Any, ...] = (
    *(None, "", "x", "0", 0, -1, -0.5, 7, 1e-9, True, False, "1e999", 2**70, "tBTC", "\x00"),
    *([], {}, [1], {"a": 1}, ["a", ["b"]], "-1", " 1", "1,5", "NaN", -(2**63)),
)
Keys = Mapping[int, tuple[str, ...]]
FILLED = ("filled", "remaining", "average_price", "status")
ORDER: Keys = {
    2: ("client_order_id",),
    3: ("symbol", "exchange_symbol"),
    4: ("created",),
    5: ("time",),
    6: FILLED,
    7: (*FILLED, "side", "quantity"),
    8: ("order_type", "time_in_force", "price", "stop_price"),
    10: ("time_in_force",),
    12: ("time_in_force",),
    13: ("status", "exchange_status", "reason"),
    16: ("price", "stop_price"),
    17: ("average_price",),
    19: ("price",),
    31: ("time_in_force",),
}
TRADE: Keys = {
    2: ("time",),
    3: ("order_id", "key"),
    4: ("side", "quantity", "cost"),
    5: ("price", "cost"),
    6: ("order_type",),
    8: ("liquidity",),
    9: ("fee",),
    10: ("fee_currency",),
    11: ("client_order_id",),
}
WALLET: Keys = {2: ("total",), 4: ("available",), 6: ("reason",)}
POSITION: Keys = {
    0: ("symbol", "exchange_symbol"),
    1: ("status",),
    2: ("side", "quantity", "status", "liquidation_price", "leverage", "unrealized_pnl"),
    3: ("entry_price",),
    6: ("unrealized_pnl",),
    8: ("liquidation_price",),
    9: ("leverage",),
    11: ("position_id",),
    13: ("time",),
}
PARTLY = {"amount": 0.2, "price_avg": 60000.5, "status": "PARTIALLY FILLED @ 60000.5(0.3)"}
COMPUTED = {"pl": -0.5, "price_liq": 3100.5, "leverage": 0.5}


def a_wallet(**changed: Any) -> list[Any]:
    row: list[Any] = wallet(10, 4, currency=f"C{changed.get('id', 1)}", meta={"reason": "TRADE"})
    return row


def an_order(**changed: Any) -> list[Any]:
    return order(**PARTLY, **changed)


def a_stop(**changed: Any) -> list[Any]:
    return order(type="EXCHANGE STOP LIMIT", price_aux_limit=59000, **changed)


def a_fill(**changed: Any) -> list[Any]:
    return trade(**FEE, **changed)


def a_position(**changed: Any) -> list[Any]:
    return position(**COMPUTED, symbol=f"tE{changed['id']}UST", **changed)


KINDS: dict[str, tuple[str, Callable[..., list[Any]], int, frozenset[int], Keys, type[Report]]] = {
    "ou": ("ou", a_stop, 32, frozenset({0}), ORDER, OrderReport),
    "oc": ("oc", an_order, 32, frozenset({0}), ORDER, OrderReport),
    "tu": ("tu", a_fill, 12, frozenset({0, 1, 9}), TRADE, Fill),  # without its fee a fill waits
    "wu": ("wu", a_wallet, 7, frozenset({0, 1}), WALLET, BalanceReport),
    "pu": ("pu", a_position, 20, frozenset(), POSITION, PositionReport),
    "pc": ("pc", a_position, 20, frozenset(), POSITION, PositionReport),
}
SHAPES = ("oc", "tu", "wu", "pu")
"""A row of each."""


def told(kind: str, rows: list[Any], of: type[Report]) -> tuple[list[Any], list[Any]]:
    """The reports of this type that a frame brings, and the notices."""
    book = logged_in().receives([0, kind, rows if len(rows) > 1 else rows[0]])
    actions: list[Action] = list(book._pending)
    return (
        [action for action in actions if isinstance(action, of)],
        [action for action in actions if isinstance(action, NoticeReport)],
    )


def values(report: Report) -> dict[str, Any]:
    """What a report says, key by key; its element is the odd row itself."""
    said = structs.asdict(report)
    fields = said.pop("fields", {})
    return {**said, **fields, "element": None}


def odd_rows(row: list[Any], index: int) -> Iterator[list[Any]]:
    for value in ODD:
        yield [*row[:index], value, *row[index + 1 :]]


@pytest.mark.parametrize("name", KINDS)
def test_an_odd_value_costs_itself_and_nothing_else(name: str) -> None:
    kind, make, length, identity, keys, of = KINDS[name]
    (usual,) = map(values, told(kind, [make(id=11)], of)[0])
    for index in sorted(set(range(length)) - identity):
        for row in odd_rows(make(id=11), index):
            reports, notices = told(kind, [row], of)
            assert len(reports) == 1, (index, row[index])
            found = values(reports[0])
            changed = {key for key in usual if found.get(key) != usual[key]}
            assert changed <= set(keys.get(index, ())), (index, row[index])
            assert all(n.once for n in notices), (index, row[index])


@pytest.mark.parametrize("info", ["x", 5, [1], True])
def test_what_is_said_of_a_change_and_cannot_be_read_is_null_and_said(info: object) -> None:
    row = [*a_wallet(id=11)[:6], info]
    (report,), (notice,) = told("wu", [row], BalanceReport)
    assert values(report)["reason"] is None
    assert "reason" in notice.text


@pytest.mark.parametrize("name", SHAPES)
def test_an_odd_value_costs_no_neighbour(name: str) -> None:
    kind, make, length, _, _, of = KINDS[name]
    first, last = make(id=11), make(id=13)
    neighbours = [values(report) for report in told(kind, [first, last], of)[0]]
    assert len(neighbours) == 2
    for index in range(length):
        for row in odd_rows(make(id=12), index):
            reports, _ = told(kind, [first, row, last], of)
            found = [values(report) for report in reports]
            assert [report for report in found if report in neighbours] == neighbours
            assert len(found) <= 3


@pytest.mark.parametrize("name", SHAPES)
def test_an_odd_value_is_told_as_an_event_that_is_valid(name: str) -> None:
    kind, make, length, identity, _, _ = KINDS[name]
    usual = len(events(kind, make(id=11)))
    assert usual == 1
    for index in sorted(set(range(length)) - identity):
        for row in odd_rows(make(id=11), index):
            facts = [event for event in events(kind, row) if not isinstance(event, Notice)]
            assert len(facts) == 1, (index, row[index])
            assert_valid(facts[0])


def events(kind: str, row: list[Any]) -> list[AnyEvent]:
    return logged_in().receives([0, kind, row]).told_now().events


@pytest.mark.parametrize("name", KINDS)
def test_a_row_without_its_name_is_a_notice(name: str) -> None:
    kind, make, _, identity, _, of = KINDS[name]
    for index in sorted(identity - {9}):
        row = make(id=11)
        row[index] = None
        reports, notices = told(kind, [row], of)
        assert not reports
        assert [notice.once for notice in notices] == [None]


def test_a_position_is_named_by_its_symbol_or_its_id() -> None:
    row = a_position(id=11)
    row[0] = row[11] = None
    logged_in().receives([0, "pu", row]).tells(like(Notice, code="unrecognised"))


@pytest.mark.parametrize("kind", ["on", "ou", "oc", "os"])
def test_a_short_row_costs_no_neighbour(kind: str) -> None:
    rows = [an_order(id=11), [12, None], None, an_order(id=13)]
    assert [r.order_id for r in told(kind, rows, OrderReport)[0]] == ["11", "12", "13"]


@pytest.mark.parametrize(("kind", "row"), [("os", [[12]]), ("on", [12, None, None, "tBTCUST"])])
def test_a_short_row_alone_is_an_order(kind: str, row: list[Any]) -> None:
    assert [r.order_id for r in told(kind, [row], OrderReport)[0]] == ["12"]


@pytest.mark.parametrize(("kind", "name"), [("os", "oc"), ("ws", "wu"), ("ps", "pu")])
def test_odd_rows_may_be_most_of_a_list_and_make_it_incomplete(kind: str, name: str) -> None:
    _, make, *_, of = KINDS[name]
    actions = logged_in().receives([0, kind, [None, 7, make(id=11), "x", None]])._pending
    assert len([action for action in actions if isinstance(action, of)]) == 1
    assert not any(isinstance(action, Listed) for action in actions)


@pytest.mark.parametrize("row", [["exchange", " ", 5, 0, 5], [" ", "UST", 5, 0, 5]])
def test_a_balance_of_a_blank_wallet_or_currency_is_none(row: list[Any]) -> None:
    logged_in().receives([0, "wu", row]).tells(like(Notice, code="unrecognised"))
