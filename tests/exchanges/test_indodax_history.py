"""What an interruption hid at Indodax, read back over REST."""

import json
from typing import Any

import pytest

from privstream.exchanges.indodax.histories import LIMIT, SPAN, windows
from privstream.model.errors import LoginRefused
from privstream.model.events import Order, Trade
from privstream.model.reports import Fill, Listed, OrderReport
from tests.exchanges.indodax_account import (
    ALL,
    CONNECTED,
    STREAM,
    indodax,
    opened,
    payload,
    streaming,
)
from tests.exchanges.indodax_desk import SINCE, UNTIL, Desk, known, told
from tests.playbook import ledger, like
from tests.rest_play import ALL_CHANNELS, play

# --- what an interruption hid ------------------------------------------------------------


def test_fills_and_ended_orders_are_read_for_every_pair_that_is_known() -> None:
    desk = Desk(
        myTrades=payload("my_trades.json"),
        histories=payload("histories.json"),
        getInfo=payload("get_info.json"),
    )
    found = play(indodax().backfill(known("aaveidr")), desk)
    assert [report for report in found.reports if isinstance(report, Listed)] == [
        Listed("orders"),
        Listed("balances"),
    ]
    assert told(found)[:3] == [
        like(Trade, trade_id="72057594039000001", fee="263", cost="82002", source="rest"),
        like(
            Trade,
            side="sell",
            price="4100100",
            quantity="0.03000000",
            liquidity="taker",
            estimated=(),
            order_type="limit",
            fee_currency="IDR",
            time="2026-05-28T20:26:57.697000Z",
        ),
        like(
            Order,
            order_id="aaveidr-limit-41001",
            status="filled",
            filled="0.05",
            fee="657",
            side="sell",
            order_type="limit",
            time="2026-05-28T20:26:57.697000Z",
            created="2026-05-28T20:26:41.374000Z",
        ),
    ]
    assert desk.names() == ["openOrders", "myTrades", "histories", "getInfo"]
    trades, orders = desk.asked[1][1], desk.asked[2][1]
    assert int(trades["startTime"]) == SINCE - 60_000
    assert int(orders["endTime"]) - int(orders["startTime"]) == SPAN


def test_a_fill_is_the_same_fact_over_rest_and_stream() -> None:
    exchange = indodax()
    book = streaming(exchange).receives(*STREAM).told_now()
    desk = Desk(myTrades=payload("my_trades.json"), histories=payload("histories.json"))
    assert not told(play(exchange.backfill(known("aaveidr")), desk), book.ledger)


def test_history_of_one_pair_at_a_time_is_never_said_to_be_everything() -> None:
    found = play(indodax().backfill(known("aaveidr")), Desk())
    assert not found.complete
    assert "aaveidr" in (found.detail or "")


def test_without_a_pair_that_is_known_that_is_said() -> None:
    found = play(indodax().backfill(known()), Desk())
    assert not found.complete
    assert "no pair is known" in (found.detail or "")


def test_pairs_of_open_orders_are_known() -> None:
    desk = Desk(openOrders=payload("open_orders.json"))
    play(indodax().backfill(known()), desk)
    assert {row["symbol"] for name, row in desk.asked if name == "myTrades"} == {
        "aaveidr",
        "btcidr",
    }


def test_balances_alone_are_always_complete() -> None:
    desk = Desk(getInfo=payload("get_info.json"))
    found = play(indodax().backfill(known(channels=("balances",))), desk)
    assert (found.complete, found.detail, desk.names()) == (True, None, ["getInfo"])


def test_what_the_server_replayed_is_not_read_back_and_is_complete() -> None:
    exchange = indodax()
    subscribed = {"recoverable": True, "epoch": "E", "recovered": True}
    for _ in range(2):  # the second connection has a place to be replayed from
        opened(exchange).receives(CONNECTED, {"id": 2, "subscribe": subscribed}).forget()
        desk = Desk(getInfo=payload("get_info.json"))
        found = play(exchange.backfill(known("aaveidr", catches_up=True, second_look=True)), desk)
    assert (found.complete, desk.names()) == (True, ["getInfo"])


def test_the_demo_has_no_history_and_says_so() -> None:
    desk = Desk()
    found = play(indodax(environment="demo").backfill(known("aaveidr")), desk)
    assert not found.complete
    assert "demo" in (found.detail or "")
    assert desk.names() == ["openOrders", "getInfo"]


def test_a_pair_that_is_no_more_hides_no_other() -> None:
    def trades(query: dict[str, str]) -> Any:
        gone = {"code": 1110, "error": "Invalid symbol."}
        return gone if query["symbol"] == "lendidr" else json.loads(payload("my_trades.json"))

    found = play(indodax().backfill(known("lendidr", "aaveidr")), Desk(myTrades=trades))
    assert sum(isinstance(report, Fill) for report in found.reports) == 2
    assert "lendidr" in (found.detail or "")
    assert "Invalid symbol" in (found.detail or "")


def test_a_part_that_is_refused_hides_no_other() -> None:
    desk = Desk(
        myTrades={"code": 1001, "error": "Invalid credentials."},
        histories=payload("histories.json"),
        getInfo=payload("get_info.json"),
    )
    found = play(indodax().backfill(known("lendidr", "aaveidr")), desk)
    ended = [report.order_id for report in found.reports if isinstance(report, OrderReport)]
    assert set(ended) == {"aaveidr-limit-41001"}
    assert Listed("balances") in found.reports
    assert not found.complete
    assert "fills: Indodax refuses myTrades" in (found.detail or "")
    # The key's fault is every pair's.
    assert desk.names() == ["openOrders", "myTrades", "histories", "histories", "getInfo"]


def test_longer_interruptions_are_read_week_by_week_newest_first() -> None:
    since = (UNTIL - 15 * 24 * 3600 * 1000) * 10**6
    desk = Desk()
    play(indodax().backfill(known("aaveidr", since_ns=since)), desk)
    spans = [
        (int(row["startTime"]), int(row["endTime"]))
        for name, row in desk.asked
        if name == "myTrades"
    ]
    assert len(spans) == 3
    assert all(0 < end - start < 7 * 24 * 3600 * 1000 for start, end in spans)
    assert [start for start, _ in spans[:-1]] == [end for _, end in spans[1:]]
    assert spans[0][1] > UNTIL
    assert spans[-1][0] < since // 10**6


def test_windows_cover_all_of_the_time_without_a_hole() -> None:
    assert windows(0, 10) == [(0, 10)]
    assert windows(0, SPAN) == [(0, SPAN)]
    assert windows(0, SPAN + 1) == [(1, SPAN + 1), (0, 1)]


def test_a_full_list_may_be_cut_off_so_its_halves_are_read() -> None:
    rows = [row(number, SINCE + number * 10) for number in range(LIMIT + 500)]

    def trades(query: dict[str, str]) -> Any:
        start, end = int(query["startTime"]), int(query["endTime"])
        return {"data": [r for r in rows if start <= r["time"] <= end][:LIMIT]}

    found = play(indodax().backfill(known("aaveidr")), Desk(myTrades=trades))
    fills = {report.trade_id for report in found.reports if isinstance(report, Fill)}
    assert len(fills) == len(rows)


def test_lists_that_stay_full_are_not_read_for_ever() -> None:
    rows = [row(number, SINCE) for number in range(LIMIT)]
    desk = Desk(myTrades={"data": rows})
    found = play(indodax().backfill(known("aaveidr")), desk)
    assert not found.complete
    assert "of other times" in (found.detail or "")
    assert len(desk.asked) < 50


def row(number: int, time: int) -> dict[str, Any]:
    trade: dict[str, Any] = json.loads(payload("my_trades.json"))["data"][0]
    return trade | {"tradeId": str(number), "time": time}


# --- orders in doubt -------------------------------------------------------------------

FOUND = {
    "order_id": "500",
    "price": "4000000",
    "type": "sell",
    "order_aave": "0.1",
    "remain_aave": "0.06",
    "submit_time": "1779000000",
    "finish_time": "1780000020",
    "status": "cancelled",
    "client_order_id": "mine-1",
}
DOUBT = frozenset({"aaveidr-limit-500"})


def test_an_order_that_is_open_no_more_is_looked_for_in_the_history_then_by_itself() -> None:
    desk = Desk(getOrder={"success": 1, "return": {"order": FOUND}})
    found = play(indodax().backfill(known(suspects=DOUBT, open_orders=DOUBT)), desk)
    name, query = desk.asked[-2]
    assert (name, query["pair"], query["order_id"]) == ("getOrder", "aave_idr", "500")
    assert "could not be found" not in (found.detail or "")
    assert told(found) == [
        like(
            Order,
            order_id="aaveidr-limit-500",
            status="canceled",
            filled="0.04",
            order_type="limit",
            time="2026-05-28T20:27:00.000000Z",
        )
    ]


def test_orders_that_ended_before_or_after_the_interruption_are_not_its_news() -> None:
    late = payload("histories.json").replace("1780000017697", str(UNTIL + 60_000))
    found = play(indodax().backfill(known("aaveidr")), Desk(histories=late))
    assert not [report for report in found.reports if isinstance(report, OrderReport)]


def test_an_order_in_doubt_that_the_history_tells_is_not_asked_for() -> None:
    desk = Desk(histories=payload("histories.json"))
    old = frozenset({"aaveidr-limit-40000"})  # ended before the interruption, they say
    found = play(indodax().backfill(known(suspects=old, open_orders=old)), desk)
    assert "getOrder" not in desk.names()
    assert like(Order, order_id="aaveidr-limit-40000", status="canceled", filled="0") in told(found)


@pytest.mark.parametrize("order_id", ["aaveidr-limit-500", "aaveidr-stoplimit-500", "strange"])
def test_an_order_that_nobody_knows_any_more_is_said_to_be_missing(order_id: str) -> None:
    desk = Desk(getOrder={"success": 0, "error": "Order not found"})
    ids = frozenset({order_id})
    found = play(indodax().backfill(known(suspects=ids, open_orders=ids)), desk)
    assert not found.complete
    assert f"order {order_id} could not be found" in (found.detail or "")
    # Numbers are counted per kind, and getOrder takes no kind: another order may have this one.
    assert ("getOrder" in desk.names()) is (order_id == "aaveidr-limit-500")


def test_an_order_that_is_open_still_is_not_looked_for() -> None:
    ids = frozenset({"btcidr-limit-881", "btcidr-stoplimit-12", "aaveidr-limit-41001"})
    desk = Desk(openOrders=payload("open_orders.json"))
    play(indodax().backfill(known(suspects=ids, open_orders=ids)), desk)
    assert "getOrder" not in desk.names()


def test_reading_open_orders_again_tells_nothing_that_was_told() -> None:
    exchange, book = indodax(), ledger("indodax")
    exchange.session(None, ALL)
    desk = Desk(openOrders=payload("open_orders.json"), getInfo=payload("get_info.json"))
    assert told(play(exchange.picture(ALL_CHANNELS), desk), book)
    book.reconnected()
    again = known(suspects=book.suspects, open_orders=book.open_orders)
    assert not told(play(exchange.backfill(again), desk), book)


def test_a_buy_order_known_from_the_stream_is_not_told_again_in_the_quote_currency() -> None:
    exchange = indodax()
    book = streaming(exchange).receives(STREAM[0].replace("SELL", "BUY")).told_now()
    rows = [
        {
            "order_id": "41001",
            "submit_time": "1780000001",
            "price": "4100100",
            "type": "buy",
            "order_type": "limit",
            "order_idr": "205005",
            "remain_idr": "123003",
        }
    ]
    desk = Desk(
        openOrders={"success": 1, "return": {"orders": {"aave_idr": rows}}},
        myTrades={"data": json.loads(payload("my_trades.json"))["data"][:1]},
    )
    again = known(open_orders=book.ledger.open_orders)
    opened(exchange)  # a new connection, which has told of nothing yet
    assert told(play(exchange.backfill(again), desk), book.ledger) == [
        like(Trade, quantity="0.02000000"),
        like(Order, status="partially_filled", filled="0.02000000", quote_quantity=None),
    ]


def test_what_the_new_connection_told_itself_is_not_told_over_rest() -> None:
    exchange = indodax()
    book = streaming(exchange).receives(STREAM[0]).told_now()
    desk = Desk(openOrders=payload("open_orders.json").replace('"sell"', '"buy"'))
    ids = frozenset({"aaveidr-limit-41001"})
    found = play(exchange.backfill(known(suspects=ids)), desk)
    assert not any(getattr(report, "order_id", None) in ids for report in found.reports)
    assert "getOrder" not in desk.names()
    assert "aaveidr" in {query.get("symbol") for _, query in desk.asked}
    assert not any(event.order_id in ids for event in told(found, book.ledger))


def test_look_up_answers_for_every_order_it_can() -> None:
    desk = Desk(
        getOrder=lambda query: (
            {"success": 1, "return": {"order": FOUND}}
            if query["order_id"] == "500"
            else {"success": 0, "error": "invalid order."}
        )
    )
    found = play(indodax().look_up(["aaveidr-limit-500", "aaveidr-limit-501"]), desk)
    assert found == (like(OrderReport, order_id="aaveidr-limit-500", status="canceled"),)


def test_a_look_up_with_a_refused_key_is_refused() -> None:
    desk = Desk(getOrder={"success": 0, "error": "x", "error_code": "bad_sign"})
    with pytest.raises(LoginRefused):
        play(indodax().look_up(["aaveidr-limit-500"]), desk)


def test_a_bare_null_is_no_list() -> None:
    desk = Desk(myTrades=None, histories={"data": None}, getInfo=payload("get_info.json"))
    found = play(indodax("aaveidr").backfill(known("aaveidr")), desk)
    assert not found.complete
    assert (found.detail or "").startswith("fills: Indodax answered myTrades without rows")
