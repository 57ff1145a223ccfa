"""REST of the simulated Bitfinex: it refuses what Bitfinex refuses, and tells what the socket told."""

import json
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from privstream.model import exact
from privstream.simulator.base import Request
from privstream.simulator.bitfinex.amendments import as_changed
from privstream.simulator.bitfinex.tape import is_untold
from tests.simulator.bitfinex_desk import Desk, kinds, rows

MS = 1_000_000


def body(**arguments: Any) -> bytes:
    return json.dumps(arguments).encode()


@pytest.fixture(scope="module")
def desk() -> Desk:
    """One for all tests that leave nothing behind: a life takes a while to make up."""
    return Desk(limits=False)


# --- who may ask -----------------------------------------------------------------------


def test_a_call_that_is_not_signed_as_it_must_be_is_refused(desk: Desk) -> None:
    cases: list[tuple[dict[str, str], int, str]] = [
        ({"bfx_apikey": ""}, 10100, "apikey: invalid"),
        ({"bfx_apikey": "another"}, 10100, "apikey: invalid"),
        ({"bfx_signature": ""}, 10100, "apikey: digest invalid"),
        ({"bfx_signature": "é"}, 10100, "apikey: digest invalid"),
        ({"bfx_nonce": "0"}, 10114, "nonce: small"),
        ({"bfx_nonce": "one"}, 10114, "nonce: small"),
        ({"bfx_nonce": "9007199254740992"}, 10114, "nonce: small"),
        ({"content_type": "text/plain"}, 10100, "apikey: digest invalid"),
    ]
    for headers, code, text in cases:
        assert desk.error("r/wallets", b"{}", **headers) == [code, text]


def test_the_signature_covers_the_very_bytes_of_the_body() -> None:
    desk = Desk()
    assert desk.ask("r/orders", b'{ "id" : [] }').status == 200
    assert desk.ask("r/orders", b"").status == 200  # an empty body is signed as nothing
    path = "/v2/auth/r/orders"
    answer = desk.bitfinex.request(Request("POST", path, "", {}, b"{}"), desk.now)
    assert exact.decode(answer.body) == ["error", 10100, "apikey: invalid"]


def test_a_nonce_is_good_once() -> None:
    desk = Desk()
    assert desk.ask("r/wallets", bfx_nonce="70").status == 200
    assert desk.error("r/wallets", bfx_nonce="70") == [10114, "nonce: small"]


def test_a_key_without_the_right_is_refused() -> None:
    cases: list[str] = ["r/wallets", "r/orders", "r/positions", "r/ledgers/hist"]
    for call in cases:
        desk = Desk(read=frozenset())
        assert desk.error(call) == [10001, "api_key: permission invalid"]
        assert ["orders", 0, 0] in desk.post("r/permissions")


def test_wrong_arguments_are_refused_by_name(desk: Desk) -> None:
    cases: list[tuple[str, Any, str]] = [
        ("r/orders", {"symbol": "tBTCUSD"}, "symbol: invalid"),
        ("r/orders", {"id": ["x"]}, "id: invalid"),
        ("r/orders", {"cid": 5}, "cid_date: invalid"),
        ("r/orders/tNOSUCH", {}, "symbol: invalid"),
        ("r/orders/hist", {"limit": 2501}, "limit: invalid"),
        ("r/trades/hist", {"limit": 1001}, "limit: invalid"),
        ("r/trades/hist", {"limit": 0}, "limit: invalid"),
        ("r/trades/hist", {"sort": 2}, "sort: invalid"),
        ("r/trades/hist", {"start": -1}, "start: invalid"),
        ("r/trades/hist", {"end": "now"}, "end: invalid"),
        ("r/ledgers/KRW/hist", {}, "currency: invalid"),
    ]
    for call, arguments, text in cases:
        assert desk.error(call, body(**arguments)) == [10020, text]


def test_a_body_that_is_no_object_is_refused(desk: Desk) -> None:
    cases: list[bytes] = [b"[]", b"{", b"7"]
    for junk in cases:
        assert desk.error("r/orders", junk) == [10020, "body: invalid"]


def test_arguments_that_are_null_were_not_given(desk: Desk) -> None:
    assert desk.post("r/orders", id=None) == desk.post("r/orders")


def test_what_is_not_there_is_not_found(desk: Desk) -> None:
    assert desk.ask("w/order/submit").status == 404
    assert desk.get("/v2/auth/r/wallets").status == 404
    assert desk.get("/v1/pubticker").status == 404


def test_the_ninety_first_call_in_a_minute_is_refused_and_the_address_blocked() -> None:
    desk = Desk()
    for _ in range(90):
        desk.post("r/wallets")
    assert desk.error("r/wallets") == [11010, "ratelimit: error"]
    answer = desk.ask("r/positions")
    assert (answer.status, answer.body) == (429, b'{"error":"ERR_RATE_LIMIT"}')
    desk.wait(11)
    desk.post("r/positions")
    desk.wait(50)
    desk.post("r/wallets")


def test_without_limits_one_may_ask_as_often_as_one_likes() -> None:
    desk = Desk(limits=False)
    for _ in range(100):
        desk.post("r/permissions")


# --- orders ----------------------------------------------------------------------------


def test_open_orders_are_those_of_the_snapshot() -> None:
    desk = Desk()
    (snapshot,) = rows(desk.dial().log_in(), "os")
    fetched = desk.post("r/orders")
    assert sorted(fetched) == sorted(snapshot) != []
    symbol, wanted = fetched[0][3], fetched[0][0]
    assert desk.post(f"r/orders/{symbol}") == [row for row in fetched if row[3] == symbol]
    assert desk.post("r/orders", id=[wanted]) == fetched[:1]
    named = next(row for row in fetched if row[2] is not None)
    assert desk.post("r/orders", cid=named[2], cid_date="2026-05-28") == [named]


def test_closed_orders_are_told_newest_first_as_the_socket_told_them() -> None:
    desk = Desk()
    told = {row[0]: row for row in rows(desk.logged_in().listen(60), "oc")}
    fetched = desk.post("r/orders/hist", start=1780000124000, limit=500)
    times = [row[5] for row in fetched]
    assert times == sorted(times, reverse=True)
    assert times[-1] >= 1780000124000
    found = {row[0]: row for row in fetched}
    assert found.keys() <= told.keys()
    assert len(found) > 30
    assert all(row == told[name] for name, row in found.items())
    assert len(desk.post("r/orders/hist")) == 25


def test_closed_orders_can_be_asked_for_by_id_symbol_and_end() -> None:
    desk = Desk()
    all_of_them = desk.post("r/orders/hist", limit=2500)
    some = all_of_them[7]
    assert desk.post("r/orders/hist", id=[some[0]]) == [some]
    assert desk.post("r/orders/hist", end=some[5], limit=1)[0][5] == some[5]
    long_name = desk.post("r/orders/tAVAX:USD/hist", limit=2500)
    assert long_name == [row for row in all_of_them if row[3] == "tAVAX:USD"] != []


def test_an_order_row_says_what_the_books_say(desk: Desk) -> None:
    seen = set()
    fetched = [*desk.post("r/orders"), *desk.post("r/orders/hist", limit=2500)]
    for row in fetched:
        order = desk.books.orders.get(str(row[0]))
        if order is None:
            continue  # of the margin wallet
        order = as_changed(order)
        sign = 1 if order.side == "buy" else -1
        assert Decimal(str(row[6])) == sign * order.remaining
        assert Decimal(str(row[7])) == sign * order.quantity
        assert (row[12] == 4096) == order.post_only
        assert row[2] is None if row[28] == "BFX" else row[2] > 0
        if order.stop_price is not None and not order.triggered:
            assert row[8] == "EXCHANGE STOP LIMIT"
            assert Decimal(str(row[16])) == order.stop_price
            assert Decimal(str(row[19])) == order.price
        elif order.price is not None:
            assert row[8] == ("EXCHANGE IOC" if order.time_in_force == "ioc" else "EXCHANGE LIMIT")
            assert Decimal(str(row[16])) == order.price
        seen.add((row[8], row[9], row[28], row[12], sign))
    assert {kind for kind, *_ in seen} == {
        "EXCHANGE LIMIT",
        "EXCHANGE MARKET",
        "EXCHANGE STOP LIMIT",
        "EXCHANGE IOC",
    }
    assert {before for _, before, *_ in seen} == {None, "EXCHANGE STOP LIMIT"}
    assert {routing for _, _, routing, *_ in seen} == {"BFX", "API>BFX"}
    assert {flags for *_, flags, _ in seen} == {0, 4096}


# --- fills -----------------------------------------------------------------------------


def test_fills_are_told_as_by_their_tu_also_those_whose_tu_never_came() -> None:
    desk = Desk()
    line = desk.logged_in()
    frames = [*line.listen(120), *line.listen(3)]
    told = {row[0]: row for row in rows(frames, "tu")}
    announced = {row[0] for row in rows(frames, "te")}
    fetched = {row[0]: row for row in desk.post("r/trades/hist", start=1780000126000, limit=1000)}
    missing = announced - told.keys()
    assert any(
        str(n) in desk.books.trades and is_untold(desk.books.trades[str(n)]) for n in missing
    )
    for name, row in fetched.items():
        assert name in announced
        assert told.get(name, row) == row
        assert row[9] is not None
    old = {row[0] for row in rows(frames, "te") if 1780000126000 <= row[2] < 1780000243000}
    assert old <= fetched.keys()


def test_rest_knows_a_fill_only_when_its_tu_is_due() -> None:
    desk = Desk()
    line = desk.logged_in()
    for _ in range(400):
        frames = line.listen(0.05, step=0.05)
        if rows(frames, "te"):
            break
    (name, *_), order = rows(frames, "te")[0], rows(frames, "te")[0][3]
    symbol = rows(frames, "te")[0][1]
    assert name not in {row[0] for row in desk.post("r/trades/hist")}
    desk.wait(3)
    assert name in {row[0] for row in desk.post("r/trades/hist", limit=100)}
    assert name in {row[0] for row in desk.post(f"r/order/{symbol}:{order}/trades")}


def test_pages_oldest_first_from_the_last_time_bring_every_fill() -> None:
    desk = Desk()
    desk.wait(1)
    whole = desk.post("r/trades/hist", limit=1000, sort=1)
    start = whole[0][2]
    seen: dict[int, Any] = {}
    for _ in range(400):
        page = desk.post("r/trades/hist", limit=20, sort=1, start=start)
        seen |= {row[0]: row for row in page}
        desk.wait(1)
        if len(seen) >= 200:
            break
        start = page[-1][2]
    assert list(seen.values()) == whole[: len(seen)]
    newest = desk.post("r/trades/hist", limit=5)
    assert [row[2] for row in newest] == sorted((row[2] for row in newest), reverse=True)


def test_fills_of_one_symbol_with_a_long_name(desk: Desk) -> None:
    fetched = desk.post("r/trades/tDOGE:USD/hist", limit=50)
    assert {row[1] for row in fetched} == {"tDOGE:USD"}


def test_a_fill_says_who_made_the_price_and_pays_in_what_it_brings(desk: Desk) -> None:
    makers = set()
    for row in desk.post("r/trades/hist", limit=1000):
        trade = desk.books.trades.get(str(row[0]))
        if trade is not None:
            assert row[8] == (1 if trade.maker else -1)
            makers.add(row[8])
        if row[1] == "tAVAX:USD":
            assert row[10] == ("AVAX" if Decimal(str(row[4])) > 0 else "USD")
    assert makers == {1, -1}


# --- money -----------------------------------------------------------------------------


def test_wallets_are_rounded_to_eight_decimals_and_know_what_is_available() -> None:
    desk = Desk()
    fetched = {(row[0], row[1]): row for row in desk.post("r/wallets")}
    assert len(fetched) == 10
    for currency, balance in desk.books.balances.items():
        row = fetched["exchange", currency]
        assert 0 <= balance - Decimal(str(row[2])) < Decimal("1e-8")
        assert Decimal(str(row[2])) == Decimal(str(row[2])).quantize(Decimal("1e-8"))
        assert 0 <= desk.books.available(currency) - Decimal(str(row[4])) < Decimal("1e-8")


def test_the_lines_of_a_ledger_add_up_to_its_balances(desk: Desk) -> None:
    cases: list[str] = ["UST", "USTF0", "BTC"]
    for currency in cases:
        lines = desk.post(f"r/ledgers/{currency}/hist", limit=2500)[::-1]
        assert len(lines) > 20
        assert len({line[0] for line in lines}) == len(lines)
        for before, after in pairwise(lines):
            total = Decimal(str(before[6])) + Decimal(str(after[5]))
            assert (after[1], total) == (currency, Decimal(str(after[6])))
        assert any(line[8].startswith("Trading fees") for line in lines)


def test_the_whole_ledger_comes_newest_first_in_pages() -> None:
    desk = Desk()
    first = desk.post("r/ledgers/hist")
    assert len(first) == 25
    assert first == sorted(first, key=lambda line: (line[3], line[0]), reverse=True)
    older = desk.post("r/ledgers/hist", end=first[-1][3] - 1)
    assert older[0][3] < first[-1][3]


# --- positions and the rest ------------------------------------------------------------


def test_an_open_position_is_the_one_of_the_snapshot_with_its_times() -> None:
    desk = Desk()
    (snapshot,) = rows(desk.dial().log_in(), "ps")
    fetched = desk.post("r/positions")
    assert [row[:4] for row in fetched] == [row[:4] for row in snapshot] != []
    assert [row[11] for row in fetched] == [row[11] for row in snapshot]
    assert all(row[12] <= row[13] <= desk.now.wall_ns // MS for row in fetched)


def test_closed_positions_are_remembered(desk: Desk) -> None:
    fetched = desk.post("r/positions/hist", limit=10)
    assert len(fetched) == 10
    assert {(row[1], str(row[2])) for row in fetched} == {("CLOSED", "0")}


def test_between_two_positions_there_is_none() -> None:
    desk = Desk()
    line = desk.logged_in()
    while desk.bitfinex.margin.position is not None:
        line.listen(0.25)
    assert desk.post("r/positions") == []
    assert str(desk.post("r/info/margin/base")[1][0]) == "0"
    assert kinds(line.calc("position_tXRPUSD", "margin_base")) == ["miu"]
    assert rows(desk.dial().log_in(), "ps") == [[]]


def test_margin_and_funding_are_told() -> None:
    desk = Desk()
    assert desk.post("r/info/margin/base")[0] == "base"
    assert desk.post("r/funding/offers")[0][1] == "fUST"


def test_anybody_may_ask_whether_the_platform_works() -> None:
    desk = Desk()
    assert desk.get("/v2/platform/status").body == b"[1]"
    desk.bitfinex.announce(20060)
    assert desk.get("/v2/platform/status").body == b"[0]"


def test_anybody_may_ask_what_is_traded(desk: Desk) -> None:
    answer = desk.get("/v2/conf/pub:info:pair,pub:map:currency:sym")
    pairs, names = exact.decode(answer.body)
    assert {"BTCUSD", "AVAX:USD"} <= {pair[0] for pair in pairs}
    assert ["UST", "USDt"] in names
    assert desk.get("/v2/conf/pub:info:tx:status").body == b"[[]]"
    assert desk.get("/v2/conf/pub:nothing").status == 500
    assert desk.get("/v2/tickers").status == 404
