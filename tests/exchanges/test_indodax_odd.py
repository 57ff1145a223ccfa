"""What one odd value of an Indodax element costs: itself, never the fact or its neighbours."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privstream.model.events import Balance, Notice, Order, Trade
from privstream.model.reports import AnyReport, Listed
from tests.exchanges.indodax_account import (
    ALL,
    NEW,
    STREAM,
    fill,
    indodax,
    payload,
    pushed,
    streaming,
)
from tests.exchanges.indodax_desk import Desk, known
from tests.exchanges.test_indodax_keys import ACCOUNT, BOUGHT, SOLD
from tests.playbook import Playbook, ledger, like
from tests.rest_play import play
from tests.valid import assert_valid

# --- what the exchange says of an end ------------------------------------------------------


def ended(word: str, filled: str, left: str, **more: Any) -> dict[str, Any]:
    return NEW | {"status": word, "executedQty": filled, "unfilledQty": left, **more}


def test_an_order_that_self_trade_prevention_ended_untouched_was_rejected() -> None:
    end = ended("CANCELLED", "0", "0.1", cancelReason="SELF_TRADE_PREVENTION")
    streaming().receives(pushed(NEW)).forget_events().receives(pushed(end)).tells(
        like(Order, status="rejected", reason="self_trade_prevention", exchange_status="CANCELLED")
    )


def test_one_that_it_ended_after_a_fill_was_canceled() -> None:
    end = ended("CANCELLED", "0.04", "0.06", cancelReason="SELF_TRADE_PREVENTION")
    book = streaming().receives(pushed(NEW, fill("0.04"))).forget_events()
    book.receives(pushed(end)).tells(
        like(Order, status="canceled", reason="self_trade_prevention", remaining="0.06")
    )


def test_so_the_history_says_too() -> None:
    row = json.loads(payload("histories.json"))["data"][0]
    row |= {"cancelReason": "SELF_TRADE_PREVENTION", "finishTime": 1780000017697}
    found = play(indodax().backfill(known("aaveidr")), Desk(histories={"data": [row]}))
    assert like(Order, status="rejected", reason="self_trade_prevention") in told(found.reports)


def test_a_cancel_by_its_user_has_no_reason() -> None:
    streaming().receives(pushed(ended("CANCELLED", "0", "0.1"))).tells(
        like(Order, status="canceled", reason=None)
    )


def test_what_is_left_is_told_with_the_digits_that_were_sent() -> None:
    streaming().receives(pushed(NEW | {"unfilledQty": "0.1000"})).tells(
        like(Order, quantity="0.1", filled="0", remaining="0.1000")
    )


@pytest.mark.parametrize("word", ["EXPIRED", "NEW", None])
def test_what_is_in_the_history_is_over_whatever_word_stands_there(word: Any) -> None:
    row = json.loads(payload("histories.json"))["data"][1] | {"status": word}
    found = play(indodax().backfill(known("aaveidr")), Desk(histories={"data": [row]}))
    assert like(Order, status="filled", filled="0.05") in told(found.reports)


# --- one odd value -------------------------------------------------------------------------

FILLED: dict[str, Any] = fill("0.04", participant="MAKER")
SIDE_VALUES = (
    "symbol",
    "origQty",
    "unfilledQty",
    "price",
    "description",
    "transactionTime",
    "clientOrderId",
    "fillInformation",
)


@pytest.mark.parametrize("key", SIDE_VALUES)
def test_an_odd_value_beside_is_null_and_said_once(key: str) -> None:
    book = streaming().receives(pushed(FILLED | {key: [1]})).told_now()
    (notice,) = [event for event in book.events if isinstance(event, Notice)]
    assert key in (notice.text or "")
    assert like(Trade, trade_id="72057594039000077", side="buy") in book.events
    assert (
        like(Order, order_id="aaveidr-limit-500", symbol="AAVE/IDR", filled="0.04") in book.events
    )
    again = FILLED | {key: [1], "orderId": "aaveidr-limit-501", "tradeId": "72057594039000078"}
    already = len(book.events)
    book.receives(pushed(again)).told_now()
    assert [type(event) for event in book.events[already:]] == [Trade, Order]


def test_a_fill_whose_side_cannot_be_read_is_a_notice_beside_its_order() -> None:
    streaming().receives(pushed(FILLED | {"side": "HOLD"})).tells(
        like(Notice, text="cannot read this fill: its side is no such thing"),
        like(Order, order_id="aaveidr-limit-500", filled="0.04", side=None),
        like(Notice, code="unrecognised"),
    )


def test_a_fill_whose_status_cannot_be_read_is_known_by_its_trade_id() -> None:
    book = streaming().receives(pushed(FILLED | {"status": 7})).told_now()
    assert like(Trade, trade_id="72057594039000077", quantity="0.04") in book.events


ODD = st.sampled_from(
    [None, True, 5, -1, 0, "", " ", "x", "-1", "1e999", "NaN", [], [1], {}, {"a": 1}, "\ud800"]
)
"""Values that no field of Indodax has."""


def _fields(element: Any, path: tuple[Any, ...] = ()) -> Iterable[tuple[Any, ...]]:
    for key, value in element.items():
        yield (*path, key)
        if isinstance(value, dict):
            yield from _fields(value, (*path, key))


@st.composite
def one_odd(draw: st.DrawFn, elements: list[dict[str, Any]], identity: set[str]) -> Any:
    """An element, the same with one odd value beside its identity, and where that is."""
    element = draw(st.sampled_from(elements))
    *path, last = draw(st.sampled_from([p for p in _fields(element) if p[-1] not in identity]))
    spoiled = json.loads(json.dumps(element))
    place = spoiled
    for key in path:
        place = place[key]
    place[last] = draw(ODD)
    return element, spoiled, last


def told(reports: Iterable[AnyReport | Listed]) -> list[Any]:
    """All events, also of what waits for a look-up that brings nothing."""
    book, received = ledger("indodax"), "2026-05-28T20:30:00.000000Z"
    events = [event for one in reports for event in book.take(one, received)]
    events += book.settle(received)
    for event in events:
        assert_valid(event)
    return events


def facts(events: Iterable[Any]) -> dict[tuple[type, str], dict[str, Any]]:
    """Orders, fills and balances by what names them."""
    named = {}
    for event in events:
        if isinstance(event, Order | Trade | Balance):
            name = getattr(event, NAMES[type(event)])
            named[type(event), name] = {f: getattr(event, f) for f in event.__struct_fields__}
    return named


NAMES = {Order: "order_id", Trade: "trade_id", Balance: "currency"}
COMES_OF = {
    "symbol": {"symbol", "exchange_symbol"},
    "description": {"symbol"},
    "side": {"side"},
    "type": {"side", "order_type"},
    "order_type": {"order_type"},
    "origQty": {"quantity", "remaining", "status"},
    "oriQty": {"quantity", "remaining", "status"},
    "unfilledQty": {"remaining"},
    "executedQty": {"filled", "remaining", "status", "fee", "fee_currency", "time"},
    "status": {"status", "exchange_status", "created", "time"},
    "price": {"price", "estimated"},
    "qty": {"quantity", "fee", "fee_currency", "filled", "remaining", "status"},
    "quoteQty": {"cost"},
    "time": {"time", "created"},
    "transactionTime": {"time", "created"},
    "submitTime": {"created", "time"},
    "finishTime": {"time"},
    "submit_time": {"created", "time"},
    "clientOrderId": {"client_order_id"},
    "client_order_id": {"client_order_id"},
    "participant": {"liquidity", "estimated"},
    "isMaker": {"liquidity"},
    "stopPrice": {"stop_price"},
    "commission": {"fee"},
    "commissionAsset": {"fee_currency"},
    "cancelReason": {"reason", "status"},
    "fillInformation": {"fee", "fee_currency", "liquidity", "estimated", "quantity"},
    "free": {"available", "total"},
    "locked": {"hold", "total"},
} | {key: {"fee", "fee_currency"} for key in ("fee", "tax", "clearing")}
"""What of an event comes of which field."""
COMES_OF |= {key: {"fee", "fee_currency"} for key in ("feeAsset", "taxAsset", "clearingAsset")}
COMES_OF |= {key: {"quantity", "filled", "remaining", "status", "time"} for key in ("order_btc",)}
COMES_OF |= {key: {"filled", "remaining", "status", "time"} for key in ("remain_btc",)}
COMES_OF["orderId"] = {"order_id", "order_type"}
LOOSE = {"id", "received", "raw", "estimated"}


def assert_only_that_is_lost(whole: list[Any], spoiled: list[Any], field: str) -> None:
    """Every fact is told, and only what comes of the odd field may be null or else."""
    right, odd = facts(whole), facts(spoiled)
    assert right
    assert odd.keys() == right.keys()
    allowed = COMES_OF.get(field, set()) | LOOSE
    for name, values in right.items():
        other = {key for key, value in values.items() if odd[name][key] != value}
        assert other <= allowed, (field, name, other)


PUSHED: list[dict[str, Any]] = [
    event["order"]
    for line in STREAM
    for event in json.loads(line.splitlines()[0])["push"]["pub"]["data"]
    if event["order"]["status"] == "FILL"
]


@given(one_odd([FILLED, *PUSHED], {"orderId", "tradeId", "side"}))
def test_an_odd_field_of_a_push_costs_only_itself(case: Any) -> None:
    element, spoiled, field = case
    neighbour = NEW | {"orderId": "aaveidr-limit-77"}

    def events(order: Any) -> list[Any]:
        book = Playbook(indodax().session(None, ALL), ledger("indodax"))
        return book.receives(pushed(order, neighbour)).told_now().events

    assert_only_that_is_lost(events(element), events(spoiled), field)


TRADE_ROWS = json.loads(payload("my_trades.json"))["data"]
ENDED_ROWS = [
    row | {"finishTime": 1780000017697} for row in json.loads(payload("histories.json"))["data"]
]
V1_ROWS = json.loads(payload("open_orders.json"))["return"]["orders"]["btc_idr"][:1]


@given(one_odd(TRADE_ROWS, {"tradeId", "isBuyer"}))
def test_an_odd_field_of_a_fill_in_the_history_costs_only_itself(case: Any) -> None:
    element, spoiled, field = case

    def events(row: Any) -> list[Any]:
        rows = {"data": [row, TRADE_ROWS[1] | {"tradeId": "7"}]}
        return told(play(indodax().backfill(known("aaveidr")), Desk(myTrades=rows)).reports)

    assert_only_that_is_lost(events(element), events(spoiled), field)


@given(one_odd(ENDED_ROWS, {"orderId"}))
def test_an_odd_field_of_an_ended_order_costs_only_itself(case: Any) -> None:
    element, spoiled, field = case
    ids = frozenset({element["orderId"]})

    def events(row: Any) -> list[Any]:
        flow = indodax().backfill(known("aaveidr", suspects=ids, open_orders=ids))
        return told(play(flow, Desk(histories={"data": [row]})).reports)

    assert_only_that_is_lost(events(element), events(spoiled), field)


@given(one_odd([SOLD, BOUGHT], {"orderId", "fullOrderId"}))
def test_an_odd_field_of_an_open_order_of_tapi_v2_costs_only_itself(case: Any) -> None:
    element, spoiled, field = case

    def events(row: Any) -> list[Any]:
        desk = Desk(account=ACCOUNT, openOrders=[row, SOLD | {"fullOrderId": "btcidr-limit-9"}])
        return told(play(indodax(api="v2").picture(ALL), desk).reports)

    assert_only_that_is_lost(events(element), events(spoiled), field)


@given(one_odd(V1_ROWS, {"order_id", "order_type"}))
def test_an_odd_field_of_an_open_order_of_the_older_kind_costs_only_itself(case: Any) -> None:
    element, spoiled, field = case

    def events(row: Any) -> list[Any]:
        listed = {"success": 1, "return": {"orders": {"btc_idr": [row]}}}
        return told(play(indodax().picture(("orders",)), Desk(openOrders=listed)).reports)

    assert_only_that_is_lost(events(element), events(spoiled), field)


@given(one_odd([{"asset": "IDR", "free": "1250000", "locked": "10"}], {"asset"}))
def test_an_odd_field_of_a_balance_costs_only_itself(case: Any) -> None:
    element, spoiled, field = case

    def events(row: Any) -> list[Any]:
        account = ACCOUNT | {"balances": [row, {"asset": "BTC", "free": "1", "locked": "0"}]}
        desk = Desk(account=account)
        return told(play(indodax(api="v2").backfill(known(channels=("balances",))), desk).reports)

    assert_only_that_is_lost(events(element), events(spoiled), field)
