"""REST of the simulated Poloniex: signed over what is sent, in pages, with its own refusals."""

from decimal import Decimal
from typing import Any

import pytest

from privstream.model import exact
from privstream.simulator.base import Request
from privstream.simulator.poloniex.keys import Key, signed_text
from privstream.simulator.poloniex.pages import Paging
from privstream.simulator.poloniex.words import is_waiting
from tests.simulator.poloniex_desk import Desk, sign

UNAUTHORIZED = (401, 401)
WEEK = 7 * 86_400_000


@pytest.fixture(scope="module")
def desk() -> Desk:
    """An account that stands still, and may be asked as often as one likes."""
    return Desk(rate=2.0, limits=False)


# --- signatures ------------------------------------------------------------------------


def test_the_known_answers_of_the_sdk_are_signatures() -> None:
    cases: list[tuple[str, str, str]] = [
        ("/accounts/balances", "", "0P+nqyLB8e+JsgXBSH1tnBW7sbpLpHFvUW2WKTtxb8I="),
        ("/orders", "limit=100", "wA4HoE4OOrF64ojOi2moXHtlaA/ATusVz2k1lZdxhfE="),
        (
            "/trades",
            "symbols=BTC_USDT,ETH_USDT&startTime=1699990000000&limit=100",
            "2MPLepzFbWBz48Y0YJKbEit/ra3DRl2vUGrYKVdzkbU=",
        ),
        (
            "/trades",
            "limit=100&startTime=1699990000000&symbols=BTC_USDT%2CETH_USDT",
            "2MPLepzFbWBz48Y0YJKbEit/ra3DRl2vUGrYKVdzkbU=",
        ),
    ]
    for path, query, signature in cases:
        key = Key("anybody", b"test-secret-0001", frozenset())
        text = signed_text(Request("GET", path, query, {}), "1700000000123")
        assert key.signed(text, signature)
        assert not key.signed(text + " ", signature)


def test_of_a_body_the_very_bytes_are_signed() -> None:
    request = Request("POST", "/orders", "", {}, b'{"symbol": "BTC_USDT"}')
    wanted = 'POST\n/orders\nrequestBody={"symbol": "BTC_USDT"}&signTimestamp=5'
    assert signed_text(request, "5") == wanted


def test_what_is_not_signed_as_it_should_be_is_unauthorized(desk: Desk) -> None:
    cases: list[Any] = [
        {"key": "somebody"},
        {"key": ""},
        {"signtimestamp": ""},
        {"signtimestamp": "now"},
        {"signature": ""},
        {"signature": sign("GET\n/orders\nsignTimestamp=1", "another")},
        {"signaturemethod": "HmacSHA512"},
        {"signatureversion": "1"},
    ]
    for changes in cases:
        assert desk.refusal("/orders", changes=changes)[:2] == UNAUTHORIZED


def test_headers_that_are_missing_are_no_signature(desk: Desk) -> None:
    for name in ("key", "signtimestamp", "signature"):
        headers = desk.headers("/orders", desk.millis)
        del headers[name]
        answer = desk.poloniex.request(Request("GET", "/orders", "", headers), desk.now)
        assert answer.status == 401


def test_another_query_than_the_signed_one_is_unauthorized(desk: Desk) -> None:
    headers = desk.headers("/orders", desk.millis, limit=10)
    answer = desk.poloniex.request(Request("GET", "/orders", "limit=11", headers), desk.now)
    assert answer.status == 401


def test_a_request_may_come_from_the_future_but_not_from_long_ago(desk: Desk) -> None:
    assert desk.refusal("/orders", age=300) == (401, 401, "Signature has expired")
    assert desk.get("/orders", age=120)
    assert desk.get("/orders", age=-3600)


def test_a_client_may_want_to_be_quicker_than_that(desk: Desk) -> None:
    assert desk.refusal("/orders", age=6, changes={"recvwindow": "5000"})[:2] == (408, 408)
    assert desk.get("/orders", age=4, changes={"recvwindow": "5000"})
    assert desk.refusal("/orders", changes={"recvwindow": "x"})[:2] == (400, 601)


def test_a_request_may_name_how_it_was_signed(desk: Desk) -> None:
    assert desk.get("/orders", changes={"signaturemethod": "hmacSHA256", "signatureversion": "2"})


def test_the_sdk_ends_a_path_with_a_slash_and_signs_it_so(desk: Desk) -> None:
    assert desk.get("/trades/") == desk.get("/trades")


# --- who may ask -----------------------------------------------------------------------


def test_a_key_that_may_not_read_is_forbidden() -> None:
    desk = Desk(rights=frozenset({"trade"}))
    assert desk.refusal("/orders")[:2] == (403, 403)


def test_orders_are_not_given_here(desk: Desk) -> None:
    body, timestamp = b"{}", str(desk.millis)
    signature = sign(f"POST\n/orders\nrequestBody={{}}&signTimestamp={timestamp}", desk.secret)
    headers = {"key": desk.key, "signtimestamp": timestamp, "signature": signature}
    request = Request("POST", "/orders", "", headers, body)
    assert desk.poloniex.request(request, desk.now).status == 403
    trader = Desk(rights=frozenset({"read", "trade"}))
    assert trader.poloniex.request(request, trader.now).status == 404


def test_other_paths_are_not_found(desk: Desk) -> None:
    cases: list[str] = ["/", "/order", "/orders/1/2", "/smartorders/1/2", "/wallets"]
    for path in cases:
        assert desk.refusal(path)[:2] == (404, 404)


def test_too_many_calls_in_a_second_are_refused() -> None:
    cases: list[tuple[str, int]] = [
        ("/accounts/balances", 50),
        ("/orders", 50),
        ("/orders/history", 10),
        ("/trades", 10),
    ]
    for path, rate in cases:
        desk = Desk()
        for _ in range(rate):
            assert desk.answer(path).status == 200
        assert desk.refusal(path)[:2] == (429, 429)
        desk.wait(1)
        assert desk.answer(path).status == 200


def test_anybody_may_ask_for_the_time_and_the_markets(desk: Desk) -> None:
    def ask(path: str) -> Any:
        return exact.decode(desk.poloniex.request(Request("GET", path, "", {}), desk.now).body)

    assert ask("/timestamp") == {"serverTime": desk.millis}
    markets = {row["symbol"]: row["symbolTradeLimit"] for row in ask("/markets")}
    assert markets["ELON_USDT"]["priceScale"] == 10
    assert markets["ELON_USDT"]["minQuantity"] == "2000000"
    assert {"1INCH", "USDT"} <= {row["coin"] for row in ask("/v2/currencies")}


# --- what is told ----------------------------------------------------------------------


def test_balances_list_what_is_free_and_what_is_held(desk: Desk) -> None:
    (account,) = desk.get("/accounts/balances", accountType="SPOT")
    assert list(account) == ["accountId", "accountType", "balances"]
    for row in account["balances"]:
        assert list(row) == ["currencyId", "currency", "available", "hold"]
        total = Decimal(row["available"]) + Decimal(row["hold"])
        assert total == desk.books.balances[row["currency"]]
    assert any(row["hold"] != "0" for row in account["balances"])


def test_a_currency_that_is_not_held_is_not_listed() -> None:
    desk = Desk()
    desk.books.balances["TRX"] = desk.books.holds["TRX"] = Decimal(0)
    (account,) = desk.get("/accounts/balances")
    assert "TRX" not in {row["currency"] for row in account["balances"]}


def test_open_orders_are_listed_newest_first(desk: Desk) -> None:
    rows = desk.get("/orders")
    live = {name for name, order in desk.books.open.items() if not is_waiting(order)}
    assert {row["id"] for row in rows} == live
    assert [int(row["id"]) for row in rows] == sorted(
        (int(row["id"]) for row in rows), reverse=True
    )
    for row in rows:
        order = desk.books.open[row["id"]]
        assert Decimal(row["filledQuantity"]) == order.filled
        assert Decimal(row["price"]) == order.price
        assert row["state"] == ("PARTIALLY_FILLED" if order.filled else "NEW")
        assert row["loan"] is False
        assert "cancelReason" not in row


def test_a_history_row_has_a_bare_number_as_id(desk: Desk) -> None:
    for row in desk.get("/orders/history", limit=100):
        assert list(row)[:3] == ["id", "clientOrderId", "symbol"]
        assert type(row["id"]) is int
        assert row["id"] > 2**53
        assert row["cancelReason"] == (row["state"] != "FILLED")


def test_a_market_purchase_has_an_amount_and_an_average_and_no_quantity(desk: Desk) -> None:
    rows = desk.get("/orders/history", type="MARKET", side="BUY", startTime=desk.millis - WEEK)
    assert rows
    for row in rows:
        assert (row["price"], row["quantity"]) == ("0", "0")
        assert Decimal(row["amount"]) >= Decimal(row["filledAmount"]) > 0
        order = desk.books.orders[str(row["id"])]
        (trade,) = (desk.books.trades[trade_id] for trade_id in order.trades)
        assert Decimal(row["avgPrice"]) == trade.price


def test_an_order_is_looked_up_by_either_id(desk: Desk) -> None:
    named = next(row for row in desk.get("/orders/history") if row["clientOrderId"])
    by_id = desk.get(f"/orders/{named['id']}")
    assert by_id["id"] == str(named["id"])
    assert {**by_id, "id": named["id"]} == named
    assert desk.get(f"/orders/cid:{named['clientOrderId']}") == by_id
    assert desk.get(f"/orders/cid%3A{named['clientOrderId']}") == by_id


def test_an_unknown_order_does_not_exist(desk: Desk) -> None:
    cases: list[tuple[str, tuple[int, int, str]]] = [
        ("/orders/17", (400, 21301, "Order not exists")),
        ("/orders/17/trades", (400, 21301, "Order not exists")),
        ("/orders/cid:nobody", (400, 21301, "Order not exists")),
        ("/orders/cid:", (400, 21301, "Order not exists")),
        ("/orders/abc", (400, 21346, "Order Id must be of type Long")),
        ("/orders/cid:abc/trades", (400, 21346, "Order Id must be of type Long")),
    ]
    for path, refusal in cases:
        assert desk.refusal(path) == refusal


def test_the_trades_of_an_order_are_those_of_the_history(desk: Desk) -> None:
    rows = desk.get("/trades", limit=100)
    inner = [row["orderId"] for row in rows[10:-10]]
    several = next(name for name in inner if inner.count(name) > 1)
    own = desk.get(f"/orders/{several}/trades")
    assert own == [row for row in reversed(rows) if row["orderId"] == several]
    assert all(int(row["pageId"]) > 2**53 for row in rows)


def test_a_passing_fault_comes_with_the_status_of_a_wrong_call() -> None:
    desk = Desk(busy_every=2, limits=False)
    seen = set()
    for _ in range(10):
        desk.get("/orders")
        status, code, _ = desk.refusal("/orders")
        seen.add((status, code))
    assert seen == {(400, code) for code in (24201, 21707, 250000, 603, 415)}


# --- pages -----------------------------------------------------------------------------


def walked(desk: Desk, path: str, key: str, **fields: Any) -> list[Any]:
    """All pages, back in time, each begun at the last row of the one before."""
    rows: list[Any] = desk.get(path, **fields)
    while True:
        page = desk.get(path, **fields, from_=rows[-1][key])
        assert page[0] == rows[-1]
        if len(page) == 1:
            return rows
        rows += page[1:]


def test_trades_are_walked_back_by_their_page_ids(desk: Desk) -> None:
    rows = walked(desk, "/trades", "pageId", limit=40)
    trades = list(desk.books.trades)
    assert [row["id"] for row in rows] == trades[::-1]
    assert len(rows) > 300


def test_closed_orders_are_walked_back_by_their_ids(desk: Desk) -> None:
    rows = walked(desk, "/orders/history", "id", limit=60)
    assert len({row["id"] for row in rows}) == len(rows) > 300
    orders = desk.books.orders.items()
    closed = {name for name, o in orders if o.closed_ns is not None and not is_waiting(o)}
    assert {str(row["id"]) for row in rows} == closed


def test_a_page_may_begin_in_either_direction(desk: Desk) -> None:
    rows = desk.get("/trades", limit=30)
    middle = rows[10]["pageId"]
    assert desk.get("/trades", from_=middle, direction="NEXT", limit=5) == rows[10:15]
    assert desk.get("/trades", from_=middle, direction="PRE", limit=5) == rows[6:11]
    assert desk.get("/trades", from_=0, limit=30) == rows


def test_what_the_documents_leave_open_can_be_chosen() -> None:
    desk = Desk(limits=False, paging=Paging(older="PRE", inclusive=False))
    rows = desk.get("/trades", limit=30)
    middle = rows[10]["pageId"]
    assert desk.get("/trades", from_=middle, limit=5) == rows[11:16]
    assert desk.get("/trades", from_=middle, direction="NEXT", limit=5) == rows[5:10]


def test_a_window_is_a_week_at_most_and_one_end_alone_asks_for_the_week_beside_it() -> None:
    desk = Desk(rate=0.002, limits=False)  # a life of weeks
    now = desk.millis
    times = [trade.time_ns // 1_000_000 for trade in desk.books.trades.values()]
    old = times[len(times) // 2]
    for fields, start, end in (
        ({}, now - WEEK, now),
        ({"startTime": old}, old, old + WEEK),
        ({"endTime": old}, old - WEEK, old),
        ({"startTime": old, "endTime": old + 1000}, old, old + 1000),
    ):
        wanted = [time for time in times if start <= time <= end][::-1][:100]
        assert [row["createTime"] for row in desk.get("/trades", limit=100, **fields)] == wanted
    text = "Interval between startTime and endTime in trade/order history has exceeded 7 day limit"
    for path in ("/trades", "/orders/history"):
        refusal = desk.refusal(path, startTime=old, endTime=old + WEEK + 1)
        assert refusal == (400, 21355, text)


def test_an_empty_history_is_null_and_an_empty_list_of_orders_a_list(desk: Desk) -> None:
    ago = {"startTime": 1, "endTime": 2}
    assert desk.get("/trades", **ago) is None
    assert desk.get("/orders/history", **ago) is None
    assert desk.get("/orders", from_=1) == []


def test_lists_can_be_narrowed(desk: Desk) -> None:
    rows = desk.get("/trades", symbols="BTC_USDT,ETH_BTC")
    assert {row["symbol"] for row in rows} == {"BTC_USDT", "ETH_BTC"}
    rows = desk.get("/orders/history", symbol="TRX_USDT", side="SELL", types="LIMIT,LIMIT_MAKER")
    assert {(r["symbol"], r["side"]) for r in rows} == {("TRX_USDT", "SELL")}
    assert {row["type"] for row in rows} == {"LIMIT", "LIMIT_MAKER"}
    rows = desk.get("/orders/history", states="FILLED, PARTIALLY_CANCELED")
    assert {row["state"] for row in rows} == {"FILLED", "PARTIALLY_CANCELED"}
    rows = desk.get("/orders/history", hideCancel="true")
    assert not {"CANCELED", "PARTIALLY_CANCELED"} & {row["state"] for row in rows}


def test_a_wrong_argument_is_refused_with_its_code(desk: Desk) -> None:
    cases: list[tuple[str, Any, int]] = [
        ("/trades", {"limit": 101}, 21344),
        ("/trades", {"limit": 0}, 21345),
        ("/orders/history", {"limit": 101}, 21344),
        ("/orders", {"limit": 2001}, 21344),
        ("/orders", {"limit": "many"}, 601),
        ("/orders", {"from": "abc"}, 21346),
        ("/orders", {"direction": "BACK"}, 601),
        ("/orders", {"side": "sell"}, 601),
        ("/orders", {"symbol": "BTC/USDT"}, 601),
        ("/orders", {"states": "NEW"}, 601),
        ("/orders/history", {"states": "OPEN"}, 601),
        ("/orders/history", {"accountType": "FUTURES"}, 601),
        ("/orders/history", {"hideCancel": "1"}, 601),
        ("/trades", {"startTime": 5, "endTime": 4}, 601),
        ("/trades", {"symbol": "BTC_USDT"}, 601),
        ("/accounts/balances", {"accountType": "MARGIN"}, 601),
        ("/accounts/balances", {"signTimestamp": 1}, 401),
    ]
    for path, fields, code in cases:
        answer = desk.answer(path, **fields)
        assert answer.status in {400, 401}
        assert exact.decode(answer.body)["code"] == code


def test_up_to_two_thousand_open_orders_fit_on_a_page(desk: Desk) -> None:
    assert desk.get("/orders", limit=2000) == desk.get("/orders")
