"""The simulated REST of Zerocap refuses what the real one refuses, and pages as it does."""

from typing import Any

import pytest

from privstream.simulator.base import Answer
from tests.simulator.zerocap_desk import START, Desk, result

BALANCES, ORDERS = "/v2/orders/get_balances", "/v2/orders/fetch_orders"
EMPTY = {
    "symbol": "",
    "start_datetime": 0,
    "end_datetime": 0,
    "page": 1,
    "limit": 500,
    "ids": "",
    "status": "",
    "sort_order": "",
    "order_type": "",
    "side": "",
}


@pytest.fixture(scope="module")
def desk() -> Desk:
    """One for all who only ask."""
    return Desk(limits=False)


def refused(status: int, text: str) -> Answer:
    return Answer(status, text.encode(), "text/plain; charset=utf-8")


# --- who asks --------------------------------------------------------------------------


def test_who_cannot_prove_himself_is_told_why(desk: Desk) -> None:
    cases: list[tuple[dict[str, Any], int, str]] = [
        ({"api_key": "somebody"}, 401, "Unauthorized."),
        ({"timestamp": "1780000123.4"}, 401, "invalid timestamp"),
        ({"timestamp": "-1780000123"}, 401, "invalid timestamp"),
        ({"timestamp": ""}, 401, "invalid timestamp"),
        ({"signature": ""}, 401, "encryption check is fail"),
        ({"signature": "A" * 64}, 401, "encryption check is fail"),
        ({"late": 31}, 408, "Request Timeout"),
        ({"late": -31}, 408, "Request Timeout"),
    ]
    for headers, status, text in cases:
        for method, path in (("GET", BALANCES), ("POST", ORDERS)):
            answer = desk.ask(method, path, body=b"{}", headers=desk.headers(**headers))
            assert answer == refused(status, text)


def test_a_header_that_is_missing_is_no_proof(desk: Desk) -> None:
    for name in ("api-key", "timestamp", "signature"):
        headers = desk.headers()
        del headers[name]
        assert desk.ask("GET", BALANCES, headers=headers).status == 401


def test_an_address_that_is_not_listed_is_refused() -> None:
    answer = Desk(ip_allowed=False).ask("GET", BALANCES)
    assert answer == refused(401, "Unauthorized IP address.")


def test_one_signature_is_good_for_any_call() -> None:
    desk = Desk()
    headers = desk.headers()
    assert desk.ask("GET", BALANCES, headers=headers).status == 200
    desk.wait(30)
    assert desk.ask("POST", ORDERS, body=b'{"limit":1}', headers=headers).status == 200


def test_the_time_is_told_to_everybody() -> None:
    for dialect, text in (("new", "1780000123"), ("old", "2026-05-28 20:28:43")):
        answer = Desk(dialect=dialect).ask("GET", "/v2/systems/get_time", headers={})
        assert result(answer) == {"server_time": text}


def test_fifty_calls_a_second_are_allowed_to_each_endpoint() -> None:
    desk = Desk()
    for _ in range(50):
        assert desk.ask("GET", BALANCES).status == 200
    assert desk.ask("GET", BALANCES) == refused(429, "Too Many Requests")
    assert desk.ask("GET", "/v2/orders/get_risk").status == 200
    desk.wait(1)
    assert desk.ask("GET", BALANCES).status == 200


def test_without_limits_nobody_counts() -> None:
    desk = Desk(limits=False)
    assert {desk.ask("GET", BALANCES).status for _ in range(60)} == {200}


# --- what is asked ---------------------------------------------------------------------


def test_unknown_paths_and_verbs_are_refused(desk: Desk) -> None:
    assert desk.ask("GET", "/v2/orders/get_everything").status == 404
    assert desk.ask("GET", "/orders/get_balances").status == 404
    assert desk.ask("POST", BALANCES).status == 405
    assert desk.ask("GET", ORDERS).status == 405


def test_orders_are_not_listed_for_a_wrong_question(desk: Desk) -> None:
    cases: list[dict[str, Any]] = [
        {"colour": "red"},
        {"page": 0},
        {"page": -1},
        {"page": "1"},
        {"page": True},
        {"limit": 0},
        {"limit": 501},
        {"start_datetime": 1.5},
        {"start_datetime": "1780000000000"},
        {"end_datetime": None},
        {"symbol": "USDT AUD"},
        {"symbol": "USDT/AUD;"},
        {"symbol": ["USDT/AUD"]},
        {"side": "both"},
        {"sort_order": "newest"},
        {"order_type": "stop"},
        {"ids": 5},
    ]
    for fields in cases:
        status, body = desk.refusal("fetch_orders", **fields)
        assert status == 422
        assert next(iter(fields)) in body["detail"] or "page or limit" in body["detail"]


def test_a_body_is_a_json_object(desk: Desk) -> None:
    cases: list[bytes] = [b"", b"[]", b"nonsense", b"symbol=USDT"]
    for body in cases:
        assert desk.ask("POST", ORDERS, body=body).status == 422


def test_a_body_is_called_json(desk: Desk) -> None:
    headers = desk.headers(content_type="application/x-www-form-urlencoded")
    assert desk.ask("POST", ORDERS, body=b"{}", headers=headers).status == 422


def test_an_old_server_took_whole_numbers_as_strings_too() -> None:
    desk = Desk(dialect="old")
    asked = {"page": "2", "limit": "3", "start_datetime": "", "end_datetime": "0"}
    listed = desk.post("fetch_orders", **asked)
    assert listed == desk.post("fetch_orders", page=2, limit=3)
    assert desk.refusal("fetch_orders", page="two")[0] == 422


# --- orders ----------------------------------------------------------------------------


def test_pages_hold_every_order_once_newest_first(desk: Desk) -> None:
    total = desk.post("fetch_orders", **EMPTY)["total"]
    orders: list[Any] = []
    page = 0
    while page * 200 < total:
        page += 1
        answer = desk.post("fetch_orders", page=page, limit=200)
        assert (answer["status"], answer["page"], answer["total"]) == ("success", page, total)
        assert len(answer["order_list"]) <= 200
        orders += answer["order_list"]
    assert total > 500
    assert [order["id"] for order in orders] == list(reversed(desk.books.orders))
    assert desk.post("fetch_orders", page=page + 1, limit=200)["order_list"] == []


def test_a_page_is_five_hundred_orders_unless_told_otherwise(desk: Desk) -> None:
    assert len(desk.post("fetch_orders")["order_list"]) == 500


def test_the_oldest_come_first_when_asked_so(desk: Desk) -> None:
    first = desk.post("fetch_orders", sort_order="asc", limit=5)["order_list"]
    assert [order["id"] for order in first] == list(desk.books.orders)[:5]


def test_the_start_is_included_and_the_end_is_not(desk: Desk) -> None:
    some = desk.post("fetch_orders", limit=50)["order_list"]
    start, end = some[-1]["timestamp"], some[0]["timestamp"]
    found = desk.post("fetch_orders", start_datetime=start, end_datetime=end)["order_list"]
    times = [order["timestamp"] for order in found]
    assert start in times
    assert times
    assert max(times) < end
    assert {order["id"] for order in some if order["timestamp"] < end} <= {o["id"] for o in found}


def test_an_order_is_found_by_when_it_was_placed_not_by_its_fills(desk: Desk) -> None:
    (old, *_) = (
        order
        for order in desk.post("fetch_orders", sort_order="asc")["order_list"]
        if order["last_trade_timestamp"] > order["timestamp"] + 1000
    )
    found = desk.post("fetch_orders", start_datetime=old["timestamp"] + 1)["order_list"]
    assert old["id"] not in {order["id"] for order in found}


def test_orders_can_be_chosen(desk: Desk) -> None:
    cases: list[tuple[str, str, str]] = [
        ("symbol", "symbol", "PEPE/USDT"),
        ("status", "status", "open"),
        ("status", "status", "closed"),
        ("side", "side", "sell"),
        ("order_type", "type", "market"),
    ]
    for field, key, value in cases:
        chosen = desk.post("fetch_orders", **{field: value})
        everything = desk.post("fetch_orders")["total"]
        assert {order[key] for order in chosen["order_list"]} == {value}
        assert 0 < chosen["total"] < everything


def test_orders_can_be_named(desk: Desk) -> None:
    one, two = desk.post("fetch_orders", limit=2)["order_list"]
    nobody = "00000000-0000-4000-8000-000000000000"
    named = desk.post("fetch_orders", ids=",".join([two["id"], nobody, one["id"]]))
    assert named["order_list"] == [one, two]
    assert desk.post("fetch_orders", ids=nobody)["total"] == 0


def test_one_order_is_as_in_the_list(desk: Desk) -> None:
    for listed in desk.post("fetch_orders", limit=20)["order_list"]:
        assert desk.get("fetch_order", id=listed["id"]) == listed


def test_an_unknown_order_is_refused(desk: Desk) -> None:
    for query in ("", "id=", "id=00000000-0000-4000-8000-000000000000", "order=1"):
        assert desk.ask("GET", "/v2/orders/fetch_order", query=query).status == 422


ROW = (
    "id timestamp last_trade_timestamp status symbol type time_in_force side price average "
    "amount filled remaining cost fee error_message client_order_id trades"
)
FILL = "id timestamp symbol order type side taker_or_maker price amount cost"


@pytest.mark.parametrize(
    ("dialect", "fill"),
    [("new", f"{FILL} fee"), ("old", f"{FILL} order_from fee counterparty")],
)
def test_rows_have_the_keys_of_the_samples(dialect: str, fill: str) -> None:
    rows = Desk(dialect=dialect).post("fetch_orders")["order_list"]
    assert {" ".join(row) for row in rows} == {ROW}
    assert {" ".join(f) for row in rows for f in row["trades"]} == {fill}
    assert {row["fee"] for row in rows} == {0}


def test_a_takers_fill_is_listed_at_the_limit_as_in_the_samples(desk: Desk) -> None:
    rows = [
        row for row in desk.post("fetch_orders", order_type="market")["order_list"] if row["trades"]
    ]
    assert rows
    for row in rows:
        (fill,) = row["trades"]
        assert fill["price"] == row["price"] != row["average"]
        assert fill["cost"] == row["cost"]


def test_a_takers_fill_can_be_listed_at_what_it_was() -> None:
    desk = Desk(rest_trade_price="executed")
    for row in desk.post("fetch_orders", order_type="market")["order_list"]:
        for fill in row["trades"]:
            assert fill["price"] == row["average"]


# --- money -----------------------------------------------------------------------------


def test_balances_are_told_by_asset_and_by_account_in_one_object(desk: Desk) -> None:
    answer = desk.get("get_balances")
    assert list(answer)[:3] == ["status", "datetime", "timestamp"]
    assert answer["status"] == "successful"
    assert answer["datetime"] == "2026-05-28T20:28:43Z"
    assert answer["timestamp"] == START.wall_ns // 1_000_000
    assert answer["AUD"]["prime"] == answer["prime"]["AUD"]
    assert answer["BTC"]["custody"]["total"] == 3
    assert list(answer["prime"]["AUD"]) == ["free", "total", "used"]
    assert answer["unlock"]["BTC"]["total"] == "2e-08"


def test_instruments_say_what_can_be_traded(desk: Desk) -> None:
    answer = desk.get("get_instruments")
    listed = {one["name"]: one for one in answer["instruments"]}
    assert listed["USDT/AUD"] == {
        "name": "USDT/AUD",
        "type": "SPOT",
        "is_tradable": True,
        "quantity_precision": "2.0",
        "max_quantity": "50000.0",
        "min_quantity": "1.0",
        "price_precision": "5.0",
    }
    assert [name for name, one in listed.items() if not one["is_tradable"]] == ["USDC/AUD"]


def test_the_risk_is_told_in_strings(desk: Desk) -> None:
    risk = desk.get("get_risk")
    assert list(risk) == ["max_risk_limit", "risk_exposure", "equity"]
    assert {type(value) for value in risk.values()} == {str}


def test_transfers_are_the_money_that_came_and_went(desk: Desk) -> None:
    moved = [e for e in desk.books.entries.values() if e.type != "trade"]
    seen: list[Any] = []
    page, total = 0, 1
    while page * 20 < total:
        page += 1
        answer = desk.post("get_transfers", page=page)
        total = answer["total"]
        both = answer["fiat_transactions"] + answer["crypto_transactions"]
        assert len(both) <= 20
        seen += both
    assert total == len(moved) == len(seen)
    assert {one["tx_id"] for one in seen} == {entry.reference for entry in moved}
    assert {one["type"] for one in seen} == {"external_deposit", "external_withdrawal"}


def test_transfers_can_be_chosen(desk: Desk) -> None:
    answer = desk.post("get_transfers", asset_id="AUD,ETH", type="external_deposit")
    both = answer["fiat_transactions"] + answer["crypto_transactions"]
    assert {(one["asset_id"], one["type"]) for one in both} <= {
        ("AUD", "external_deposit"),
        ("ETH", "external_deposit"),
    }
    assert both
    assert desk.refusal("get_transfers", limit=21)[0] == 422
    assert desk.refusal("get_transfers", sort_order="up")[0] == 422


def test_an_old_server_names_the_crypto_transfers_otherwise() -> None:
    answer = Desk(dialect="old").post("get_transfers")
    assert {"fiat_transactions", "fireblocks_transactions"} <= answer.keys()
