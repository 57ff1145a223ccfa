"""REST of the simulated Kraken: it refuses what Kraken refuses, and pages as Kraken pages."""

import base64
from typing import Any

import pytest

from privstream.model.exact import Number
from privstream.simulator.base import Request
from privstream.simulator.kraken.exchange import RIGHTS
from privstream.simulator.kraken.rest import Rest
from privstream.simulator.kraken.socket import Tokens
from tests.simulator.desk import FORM, START, Desk

DOCUMENTED_SECRET = (
    "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
)


@pytest.mark.parametrize(
    ("body", "content_type", "signature"),
    [
        (
            b"nonce=1616492376594",
            FORM,
            "+mRDmY9Ks0Moc1zjv/BjfvYa98buO0x1yHChZR5onlfAzAUbfIYlLggUZzdQ0RsmXm4Sh+Q8iAIZdo2wSeHeiA==",
        ),
        (
            b"nonce=1616492376594&otp=123456",
            FORM,
            "Ar/xaIFCxoB9vYgmMdFa96Q4kobeliKYcsJVL0e/9WCP8p+91eHqwusA7xAg4PaDXeGRBOWqOD4e7jxeWmvvDQ==",
        ),
        (
            b'{"nonce": 1695828436}',
            "application/json",
            "VaAO4qIS/HC2hyXYu9ygIPP4blWepcp4ZAA04eu4NEtk9LL572/BD2cE1CfEoW+R3HuP7S+zPebU5RhzLw2lDA==",
        ),
    ],
)
def test_known_signatures_are_accepted_and_one_wrong_byte_is_not(
    body: bytes, content_type: str, signature: str
) -> None:
    market = Desk().kraken.market
    path = "/0/private/GetWebSocketsToken"

    def ask(sent: bytes) -> bytes:
        secret = base64.b64decode(DOCUMENTED_SECRET)
        rest = Rest(market, Tokens(1), "KEY", secret, RIGHTS, limits=True)
        headers = {"content-type": content_type, "api-key": "KEY", "api-sign": signature}
        return rest.answer(Request("POST", path, "", headers, sent), START).body

    assert b'"token"' in ask(body)
    assert ask(body.replace(b"4", b"5")) == b'{"error":["EAPI:Invalid signature"]}'


def test_an_unknown_key_is_refused() -> None:
    answer = Desk().post_with("Balance", {"nonce": "1"}, **{"api-key": "other"})
    assert answer == {"error": ["EAPI:Invalid key"]}


def test_a_nonce_must_grow_and_be_a_number() -> None:
    desk = Desk()
    assert desk.post_with("Balance", {"nonce": "50"})["error"] == []
    for nonce in ("50", "49", "-51", "5e1", "", str(2**64)):
        refused = desk.post_with("Balance", {"nonce": nonce})
        assert refused == {"error": ["EAPI:Invalid nonce"]}
    assert desk.post_with("Balance", {"nonce": "51"})["error"] == []


def test_a_restarted_simulator_does_not_remember_nonces() -> None:
    Desk().post_with("Balance", {"nonce": "999999"})
    assert Desk().post_with("Balance", {"nonce": "1"})["error"] == []


def test_unknown_methods_and_a_get_are_refused() -> None:
    desk = Desk()
    assert desk.error("EditOrder") == "EGeneral:Unknown method"
    for path in ("/0/private/Balance", "/1/private/Balance", "/", "/0/public/Nothing"):
        answer = desk.ask(Request("GET", path, "", {}))
        assert answer == {"error": ["EGeneral:Unknown method"]}


def test_unknown_and_ill_arguments_are_refused() -> None:
    cases: list[tuple[str, dict[str, str]]] = [
        ("Balance", {"asset": "XXBT"}),
        ("OpenOrders", {"limit": "5"}),
        ("OpenOrders", {"trades": "perhaps"}),
        ("OpenOrders", {"userref": "me"}),
        ("ClosedOrders", {"start": "yesterday"}),
        ("ClosedOrders", {"closetime": "never"}),
        ("ClosedOrders", {"ofs": "-1"}),
        ("TradesHistory", {"end": "nan"}),
        ("TradesHistory", {"type": "some"}),
        ("QueryOrders", {}),
        ("QueryOrders", {"txid": ",".join(["OABCDE-ABCDE-ABCDEF"] * 51)}),
        ("Ledgers", {"type": "gift"}),
    ]
    for name, arguments in cases:
        assert Desk().error(name, **arguments) == "EGeneral:Invalid arguments"


def test_a_key_without_the_right_is_refused() -> None:
    cases: list[tuple[str, str]] = [
        ("websocket", "GetWebSocketsToken"),
        ("open_orders", "OpenOrders"),
        ("closed_orders", "TradesHistory"),
        ("funds", "BalanceEx"),
        ("ledger", "Ledgers"),
    ]
    for right, name in cases:
        assert Desk(rights=RIGHTS - {right}).error(name) == "EGeneral:Permission denied"
        assert Desk(rights=frozenset({right})).post(name)["error"] == []


def test_the_counter_fills_up_and_empties_with_time() -> None:
    desk = Desk()
    for _ in range(7):
        assert desk.post("TradesHistory")["error"] == []
    assert desk.error("TradesHistory") == "EAPI:Rate limit exceeded"
    assert desk.post("Balance")["error"] == []
    desk.wait(2)
    assert desk.error("Balance") == "EAPI:Rate limit exceeded"
    desk.wait(2)
    assert desk.post("Balance")["error"] == []


def test_without_limits_nobody_counts() -> None:
    desk = Desk(limits=False)
    for _ in range(40):
        assert desk.post("TradesHistory")["error"] == []


def test_the_token_comes_with_its_life_and_is_another_each_time() -> None:
    desk = Desk()
    first = desk.result("GetWebSocketsToken")
    assert first["expires"] == 900
    assert first["token"] != desk.token()


def test_trades_come_in_pages_newest_first_and_all_of_them() -> None:
    desk = Desk(limits=False)
    end = f"{desk.now.wall_ns / 1e9:.3f}"
    first = desk.result("TradesHistory", end=end)
    seen: dict[str, Any] = {}
    for offset in range(0, first["count"], 50):
        page = desk.result("TradesHistory", end=end, ofs=offset)["trades"]
        assert len(page) == min(50, first["count"] - offset)
        seen |= page
    assert list(seen) == list(reversed(desk.books.trades))


def test_start_is_exclusive_and_end_is_inclusive_by_id_and_by_time() -> None:
    desk = Desk(limits=False)
    newest = list(desk.result("TradesHistory")["trades"].items())
    (last, last_row), (third, third_row) = newest[0], newest[2]
    expected = [name for name, _ in newest[:2]]
    assert list(desk.result("TradesHistory", start=third, end=last)["trades"]) == expected
    by_time = desk.result("TradesHistory", start=third_row["time"], end=last_row["time"])
    assert list(by_time["trades"]) == expected
    assert by_time["count"] == 2
    assert "count" not in desk.result("TradesHistory", without_count="true")


def test_closed_orders_are_found_by_either_of_their_times() -> None:
    desk = Desk(limits=False)
    rows = desk.result("ClosedOrders")["closed"]
    closing = [float(row["closetm"]) for row in rows.values()]
    assert closing == sorted(closing, reverse=True)
    name, row = next((n, r) for n, r in rows.items() if r["closetm"] != r["opentm"])
    since = {"start": row["opentm"], "end": row["closetm"]}
    assert name in desk.result("ClosedOrders", **since, closetime="close")["closed"]
    assert name in desk.result("ClosedOrders", **since, closetime="both")["closed"]
    assert name not in desk.result("ClosedOrders", **since, closetime="open")["closed"]


def test_open_orders_have_the_types_of_real_ones() -> None:
    desk = Desk()
    rows = desk.result("OpenOrders")["open"]
    assert rows.keys() == desk.books.open.keys()
    for row in rows.values():
        assert row["status"] == "open"
        assert type(row["opentm"]) is Number
        assert row["starttm"] == 0
        assert type(row["vol"]) is type(row["cost"]) is type(row["price"]) is str
        assert row["descr"]["pair"] in {"XBTEUR", "XBTUSD", "ETHEUR", "ETHXBT", "SOLEUR", "XDGUSD"}
        assert "closetm" not in row


def test_orders_are_asked_for_by_id_with_their_trades() -> None:
    desk = Desk()
    order = next(o for o in desk.books.orders.values() if len(o.trades) > 1)
    row = desk.result("QueryOrders", txid=order.order_id, trades="true")[order.order_id]
    assert row["trades"] == list(order.trades)
    assert desk.result("QueryOrders", txid="OAAAAA-AAAAA-AAAAAA") == {}


def test_balances_say_what_is_held() -> None:
    desk = Desk()
    plain, extended = desk.result("Balance"), desk.result("BalanceEx")
    assert set(plain) == {"ZEUR", "ZUSD", "XXBT", "XETH", "SOL", "XXDG", "ETH.F"}
    assert {key: row["balance"] for key, row in extended.items()} == plain
    assert any(float(row["hold_trade"]) > 0 for row in extended.values())


def test_ledger_entries_are_chosen_by_asset_and_type() -> None:
    desk = Desk(limits=False)
    rows = desk.result("Ledgers", asset="XBT", type="trade")["ledger"].values()
    assert rows
    assert {(row["asset"], row["type"]) for row in rows} == {("XXBT", "trade")}
    assert desk.error("Ledgers", asset="NOPE") == "EQuery:Unknown asset"


def test_pairs_are_public_and_filtered() -> None:
    desk = Desk()
    path = "/0/public/AssetPairs"
    every = desk.ask(Request("GET", path, "", {}))["result"]
    assert every["XXBTZEUR"]["wsname"] == "XBT/EUR"
    one = desk.ask(Request("GET", path, "pair=XDGUSD", {}))["result"]
    assert list(one) == ["XDGUSD"]
    nothing = desk.ask(Request("GET", path, "pair=WWWUSD", {}))
    assert nothing == {"error": ["EQuery:Unknown asset pair"]}
    status = desk.ask(Request("GET", "/0/public/SystemStatus", "", {}))
    assert status["result"]["status"] == "online"
