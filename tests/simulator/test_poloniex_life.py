"""What the simulated Poloniex tells of its account: shapes as captured, sums that add up."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Any

import pytest

from privstream.simulator.poloniex.pages import Paging
from tests.simulator.poloniex_desk import Desk

ORDER_KEYS = (
    "orderId tradeId clientOrderId accountType eventType symbol side type price quantity state "
    "createTime tradeTime tradePrice tradeQty feeCurrency tradeFee tradeAmount filledQuantity "
    "filledAmount ts source orderAmount matchRole"
)
BALANCE_KEYS = "id accountId available accountType hold changeTime userId currency eventType ts"
LARGEST_EXACT_DOUBLE = 2**53


@lru_cache
def orders() -> list[Any]:
    return Desk(rate=40.0).stream("orders").items(70, "orders")


@lru_cache
def balances(*, versioned: bool = True) -> list[Any]:
    return Desk(rate=40.0, versioned=versioned).stream("balances").items(70, "balances")


def total(item: Any) -> Decimal:
    return Decimal(item["available"]) + Decimal(item["hold"])


# --- orders ----------------------------------------------------------------------------


def test_an_order_has_the_keys_and_types_of_the_live_ones() -> None:
    for item in orders():
        assert list(item) == ORDER_KEYS.split()
        numbers = {name for name, value in item.items() if isinstance(value, int)}
        assert numbers == {"createTime", "tradeTime", "ts"}
        assert all(isinstance(item[name], str) for name in item.keys() - numbers)
        assert int(item["orderId"]) > LARGEST_EXACT_DOUBLE


def test_what_is_no_fill_has_zeros_and_empty_texts() -> None:
    told = orders()
    for item in told:
        assert (item["eventType"] == "trade") == (item["tradeId"] != "0")
        if item["eventType"] == "trade":
            continue
        amounts = ("tradePrice", "tradeQty", "tradeFee", "tradeAmount")
        assert [item[name] for name in amounts] == ["0"] * 4
        assert (item["feeCurrency"], item["matchRole"], item["tradeTime"]) == ("", "", 0)
    assert {item["eventType"] for item in told} == {"place", "trade", "canceled"}


def test_all_that_can_become_of_an_order_happens() -> None:
    told = orders()
    assert {item["state"] for item in told} == {
        "NEW",
        "PARTIALLY_FILLED",
        "FILLED",
        "PARTIALLY_CANCELED",
        "CANCELED",
        "EXPIRED",
        "REJECTED",
        "FAILED",
    }
    assert {item["type"] for item in told} == {"LIMIT", "MARKET", "LIMIT_MAKER"}
    assert {item["source"] for item in told} == {"API", "WEB", "APP", "SMART"}
    assert {item["matchRole"] for item in told} == {"MAKER", "TAKER", ""}
    assert len({item["symbol"] for item in told}) == 6
    assert any(item["clientOrderId"] for item in told)
    assert any(not item["clientOrderId"] for item in told)


def test_fills_add_up_to_what_is_filled_and_the_last_one_is_the_last_word() -> None:
    filled: Counter[str] = Counter()
    ended: set[str] = set()
    for item in orders():
        name = item["orderId"]
        assert name not in ended
        if item["eventType"] == "place":
            filled[name] = Decimal(0)  # type: ignore[assignment]  # a sum that begins here
        if name not in filled:
            continue  # placed before we came
        filled[name] += Decimal(item["tradeQty"])  # type: ignore[assignment]  # exact sums
        assert Decimal(item["filledQuantity"]) == filled[name]
        if item["state"] not in {"NEW", "PARTIALLY_FILLED"}:
            ended.add(name)
    assert len(ended) > 50


def test_the_fee_is_charged_in_what_the_fill_brings() -> None:
    fills = [item for item in orders() if item["eventType"] == "trade"]
    for item in fills:
        base, quote = item["symbol"].split("_")
        assert item["feeCurrency"] == (base if item["side"] == "BUY" else quote)
        got = Decimal(item["tradeQty"] if item["side"] == "BUY" else item["tradeAmount"])
        rate = Decimal("0.00145" if item["matchRole"] == "MAKER" else "0.002")
        assert Decimal(item["tradeFee"]) == got * rate
        assert Decimal(item["tradeAmount"]) == Decimal(item["tradeQty"]) * Decimal(
            item["tradePrice"]
        )


def test_a_purchase_at_the_market_is_given_in_the_quote_currency() -> None:
    told = orders()
    bought = [i for i in told if (i["type"], i["side"]) == ("MARKET", "BUY")]
    assert {item["eventType"] for item in bought} == {"place", "trade"}
    for item in bought:
        assert (item["price"], item["quantity"]) == ("0", "0")
        assert Decimal(item["filledAmount"]) <= Decimal(item["orderAmount"])
    dust = [Decimal(i["orderAmount"]) - Decimal(i["filledAmount"]) for i in bought]
    assert any(left > 0 for i, left in zip(bought, dust, strict=True) if i["state"] == "FILLED")
    others = [item for item in told if item not in bought]
    assert {item["orderAmount"] for item in others} == {"0"}
    assert "0" not in {item["quantity"] for item in others}


def test_nothing_is_told_before_its_time_nor_long_after() -> None:
    desk = Desk(rate=40.0)
    line = desk.stream()
    for _ in range(150):
        for frame in line.listen(0.1, step=0.1, ping=True):
            for item in frame.get("data", ()):
                assert desk.millis - 100 < item["ts"] <= desk.millis
                happened = item.get("changeTime") or item["tradeTime"] or item["createTime"]
                assert happened < item["ts"]


def test_some_frames_bring_the_pushes_of_a_moment_together() -> None:
    frames = Desk(rate=40.0).stream("orders").listen(120, ping=True)
    sizes = [len(frame["data"]) for frame in frames if "data" in frame]
    assert set(sizes) == {1, 2, 3}
    assert sizes.count(1) > 0.9 * len(sizes)


def test_orders_and_balances_come_in_no_fixed_order() -> None:
    frames = Desk(rate=40.0).stream().listen(60, ping=True)
    told = [
        (frame["channel"], item) for frame in frames if "data" in frame for item in frame["data"]
    ]
    before: Counter[bool] = Counter()
    for (_, one), (channel, other) in pairwise(told):
        placed = one.get("eventType") in {"place", "PLACE_ORDER"}
        if placed and other.get("eventType") in {"place", "PLACE_ORDER"}:
            before[channel == "orders"] += 1
    assert min(before.values()) > 2
    assert len(before) == 2


# --- balances --------------------------------------------------------------------------


def test_a_balance_has_the_keys_and_types_of_the_live_ones() -> None:
    for item in balances(versioned=False):
        assert list(item) == BALANCE_KEYS.split()
        numbers = {name for name, value in item.items() if isinstance(value, int)}
        assert numbers == {"id", "changeTime", "userId", "ts"}
        assert item["id"] > LARGEST_EXACT_DOUBLE


def test_newer_servers_number_the_changes_of_a_currency() -> None:
    last: dict[str, int] = {}
    for item in balances():
        assert list(item) == [*BALANCE_KEYS.split(), "version"]
        assert item["version"] > last.get(item["currency"], 0)
        last[item["currency"]] = item["version"]
    assert len(last) > 5


def test_the_id_of_a_change_is_unique_and_tells_its_time() -> None:
    told = balances()
    assert len({item["id"] for item in told}) == len(told) > 200
    for item in told:
        assert (item["id"] >> 22) + 1_640_966_400_000 == item["changeTime"]


def changes_of(items: Sequence[Any], moment: int) -> list[tuple[str, str]]:
    return [(i["currency"], i["eventType"]) for i in items if i["changeTime"] == moment]


def test_a_fill_is_several_changes_with_the_fee_last_but_for_a_sale() -> None:
    desk = Desk(rate=20.0)
    frames = desk.stream().listen(40, ping=True)
    told = {
        channel: [i for f in frames if f.get("channel") == channel for i in f["data"]]
        for channel in ("orders", "balances")
    }
    seen: Counter[str] = Counter()
    for order in told["orders"]:
        if order["eventType"] != "trade" or order["tradeTime"] > desk.millis - 100:
            continue
        base, quote = order["symbol"].split("_")
        matched = [c for c, e in changes_of(told["balances"], order["tradeTime"]) if e[0] == "M"]
        if order["side"] == "SELL":
            assert matched == [quote, quote, base]
        elif order["orderAmount"] not in {"0", order["filledAmount"]}:
            assert matched == [quote, quote, base, base]
            seen["refund"] += 1
        else:
            assert matched == [quote, base, base]
        seen[order["side"]] += 1
    assert min(seen[side] for side in ("BUY", "SELL", "refund")) > 2


def test_a_withdrawal_is_first_held_and_then_gone() -> None:
    told = [i for i in balances() if i["eventType"] == "WITHDRAW"]
    assert told
    for held, gone in zip(told[::2], told[1::2], strict=True):
        assert (held["currency"], held["changeTime"]) == (gone["currency"], gone["changeTime"])
        assert held["available"] == gone["available"]
        assert Decimal(held["hold"]) > Decimal(gone["hold"])


def test_every_kind_of_change_happens() -> None:
    assert {item["eventType"] for item in balances()} == {
        "PLACE_ORDER",
        "CANCELED_ORDER",
        "MATCH_ORDER",
        "DEPOSIT",
        "WITHDRAW",
    }


def test_balances_add_up_over_a_long_life(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(rate=400.0)
    before = {row["currency"]: row for row in desk.get("/accounts/balances")[0]["balances"]}
    line = desk.stream()
    told = line.items(8, "balances")
    desk.wait(1)
    monkeypatch.setattr(desk.poloniex.market, "advance", lambda _: None)  # it stands still
    told += [i for f in line.listen(0.25) if f["channel"] == "balances" for i in f["data"]]
    after = {row["currency"]: row for row in desk.get("/accounts/balances")[0]["balances"]}
    assert len(told) > 1500
    for item in told:
        assert Decimal(item["available"]) >= 0
        assert Decimal(item["hold"]) >= 0
        before[item["currency"]] = item
    for currency, row in after.items():
        assert before[currency]["available"] == row["available"]
        assert before[currency]["hold"] == row["hold"]
        assert total(row) == desk.books.balances[currency]


# --- one life --------------------------------------------------------------------------


def test_the_same_fill_has_the_same_id_on_the_socket_and_over_rest() -> None:
    desk = Desk(rate=40.0)
    told = desk.stream("orders").items(5, "orders")
    fills = {i["tradeId"]: i for i in told if i["eventType"] == "trade"}
    rows = {row["id"]: row for row in desk.get("/trades", limit=100)}
    assert len(fills) > 20
    for name, item in fills.items():
        row = rows[name]
        for theirs, ours in (
            ("orderId", "orderId"),
            ("clientOrderId", "clientOrderId"),
            ("symbol", "symbol"),
            ("side", "side"),
            ("type", "type"),
            ("price", "tradePrice"),
            ("quantity", "tradeQty"),
            ("amount", "tradeAmount"),
            ("feeCurrency", "feeCurrency"),
            ("feeAmount", "tradeFee"),
            ("createTime", "tradeTime"),
            ("matchRole", "matchRole"),
        ):
            assert row[theirs] == item[ours]


def test_older_servers_name_a_fill_over_rest_by_its_page() -> None:
    rows = Desk(paging=Paging(trade_ids="page")).get("/trades")
    assert all(row["id"] == row["pageId"] for row in rows)


def test_a_slow_socket_is_told_the_same_later() -> None:
    desk = Desk(rate=20.0)
    quick, slow = desk.stream("orders"), desk.stream("orders")
    quick.say({"event": "ping"})  # brings what came before the slow one did
    told = quick.listen(20)
    assert len(told) > 100
    assert slow.listen(0.25)[: len(told)] == told
