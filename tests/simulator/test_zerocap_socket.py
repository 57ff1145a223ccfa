"""The simulated Zerocap's socket speaks both dialects, and only to those who keep its rules."""

import re
from functools import cache
from typing import Any

import pytest

from privstream.model import exact
from privstream.simulator.base import Answer, Close
from privstream.simulator.zerocap.keys import Keys
from tests.simulator.zerocap_desk import GREETING, PING, Desk, Line

UNAUTHORIZED = {"type": "error", "error_code": 401, "error_message": "Unauthorized"}
LATE = {"type": "error", "error_code": 408, "error_message": "Request Timeout"}
INVALID = {"type": "error", "error_code": 400, "error_message": "invalid message"}
PONG = {"type": "message", "message": "pong"}
TIMED_OUT = {"type": "error", "error_code": 400, "error_message": "ping timeout"}
PRICED = {"type": "message", "message": "price Subscription successful."}


@pytest.fixture(scope="module")
def desk() -> Desk:
    """One for all: what a socket is told depends on nothing that another did."""
    return Desk()


# --- who may come in -------------------------------------------------------------------


def test_the_documented_signature_is_taken() -> None:
    keys = Keys("any", b"test-secret-0001")
    signature = "51430c9f9c0e3c2b3862a0210076cfa40e745e101f12dfa6ad1695dafd55a693"
    assert keys.signed("1692346145", signature)
    assert not keys.signed("1692346145", signature.upper())
    assert not keys.signed("1692346146", signature)


def test_a_signed_handshake_is_greeted(desk: Desk) -> None:
    line = desk.dial()
    assert line.greeting == [GREETING]
    assert line.close is None


def test_any_other_handshake_gets_an_error_frame_and_is_closed(desk: Desk) -> None:
    cases: list[dict[str, Any]] = [
        {"api_key": "somebody"},
        {"api_key": ""},
        {"signature": "0" * 64},
        {"signature": ""},
        {"timestamp": "1780000123.4"},
        {"timestamp": ""},
    ]
    for headers in cases:
        line = desk.dial(**headers)
        assert line.greeting == [UNAUTHORIZED]
        assert line.close == Close(1000)
        assert line.say({"type": "order"}) == line.listen(60) == []


@pytest.mark.parametrize("late", [31, -31])
def test_a_signature_of_another_time_gets_an_error_frame_about_that(desk: Desk, late: int) -> None:
    line = desk.dial(late=late)
    assert line.greeting == [LATE]
    assert line.close == Close(1000)


@pytest.mark.parametrize("late", [30, -30])
def test_half_a_minute_of_skew_is_allowed(desk: Desk, late: float) -> None:
    assert desk.dial(late=late).greeting == [GREETING]


def test_a_signature_is_good_for_half_a_minute_and_for_any_dial(desk: Desk) -> None:
    old = desk.headers()
    desk.wait(29)
    assert desk.dial(**old).greeting == [GREETING]
    desk.wait(3)
    assert desk.dial(**old).greeting == [LATE]


def test_an_address_that_is_not_listed_stays_outside() -> None:
    assert Desk(ip_allowed=False).dial().greeting == [UNAUTHORIZED]


def test_a_handshake_can_also_be_refused_over_http() -> None:
    answer = Desk(refuse_over_http=True).connect(api_key="somebody")
    assert answer == Answer(401, b"Unauthorized.", "text/plain; charset=utf-8")


def test_there_is_one_path(desk: Desk) -> None:
    answer = desk.connect("/v1")
    assert isinstance(answer, Answer)
    assert answer.status == 404


# --- requests --------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["order", "trade"])
def test_subscriptions_are_acknowledged(desk: Desk, channel: str) -> None:
    said = desk.dial().say({"type": channel})
    assert said == [{"type": "message", "message": f"{channel} Subscription successful."}]


def test_whatever_is_not_documented_is_an_invalid_message(desk: Desk) -> None:
    cases: list[Any] = [
        "",
        "ping",
        "[]",
        '{"type":"order"',
        {},
        {"type": "orders"},
        {"type": ["order"]},
        {"type": "order", "symbol": "USDT/AUD"},
        {"type": "message", "message": "pong"},
        {"type": "message", "message": "ping", "id": 1},
        {"type": "price"},
        {"type": "price", "symbols": []},
        {"type": "price", "symbols": "USDT/AUD"},
        {"type": "price", "symbols": ["USDT/AUD", "FOO/BAR"]},
        {"type": "price", "symbols": [1]},
        {"type": "price", "symbols": ["USDT/AUD"], "is_subscribe": 1},
        {"type": "price", "symbols": ["USDT/AUD"], "depth": 1},
    ]
    for message in cases:
        assert desk.dial().say(message) == [INVALID]


def test_an_invalid_message_leaves_the_rest_as_it_was(desk: Desk) -> None:
    line = desk.stream("order")
    assert line.say("nonsense") == [INVALID]
    assert line.told("order", 20)


def test_nothing_is_pushed_without_a_subscription(desk: Desk) -> None:
    assert all(message == PONG for message in desk.dial().listen(60))


def test_only_what_is_subscribed_is_pushed(desk: Desk) -> None:
    kinds = {message["type"] for message in desk.stream("trade").listen(60)}
    assert kinds == {"message", "trade"}


def test_subscribing_twice_tells_nothing_twice() -> None:
    once, twice = Desk().stream("order"), Desk().stream("order", "order")
    assert once.told("order", 60) == twice.told("order", 60)


def test_what_happened_before_is_not_told(desk: Desk) -> None:
    before = desk.stream("trade")
    seen = {trade["id"] for trade in before.told("trade", 60)}
    after = {trade["id"] for trade in desk.stream("trade").told("trade", 60)}
    assert seen
    assert after
    assert not seen & after


# --- prices ----------------------------------------------------------------------------


def test_prices_are_asked_for_in_the_servers_own_spelling() -> None:
    cases: list[tuple[dict[str, Any], set[str]]] = [
        ({}, {"symbols"}),
        ({"dialect": "old"}, {"symbol"}),
        ({"price_keys": frozenset({"symbol", "symbols"})}, {"symbol", "symbols"}),
    ]
    for options, taken in cases:
        desk = Desk(**options)
        requests = {"symbol": "USDT/AUD", "symbols": ["USDT/AUD"]}
        answered = {
            key
            for key, value in requests.items()
            if desk.dial().say({"type": "price", key: value}) == [PRICED]
        }
        assert answered == taken


def test_both_spellings_at_once_are_no_request() -> None:
    line = Desk(price_keys=frozenset({"symbol", "symbols"})).dial()
    both = {"type": "price", "symbol": "USDT/AUD", "symbols": ["USDT/AUD"]}
    assert line.say(both) == [INVALID]


def test_prices_come_every_second_for_every_symbol_asked_for(desk: Desk) -> None:
    line = desk.dial()
    line.say({"type": "price", "symbols": ["USDT/AUD", "PEPE/USDT"]})
    prices = line.told("price", 10)
    assert [price["symbol"] for price in prices] == ["USDT/AUD", "PEPE/USDT"] * 10
    for price in prices:
        assert list(price) == ["timestamp", "symbol", "exchange", "bids", "asks"]
        assert price["exchange"] == "zerocap"
        bids = [float(level[0]) for level in price["bids"]]
        asks = [float(level[0]) for level in price["asks"]]
        assert 4 == len(bids) == len(asks)
        assert sorted(bids, reverse=True) == bids
        assert bids[0] < asks[0]
        assert sorted(asks) == asks
    assert len({str(p["bids"]) for p in prices if p["symbol"] == "USDT/AUD"}) > 3


def test_numbers_are_written_as_floats_are(desk: Desk) -> None:
    line = desk.dial()
    line.say({"type": "price", "symbols": ["USDT/AUD", "PEPE/USDT"]})
    line.listen(3)
    assert any(re.search(r'"timestamp":178\d{7}\.\d{1,7},', text) for text in line.texts)
    assert any(",5000.0]" in text for text in line.texts)
    assert any("e-06,400000000.0]" in text for text in line.texts)


def test_prices_can_be_given_up(desk: Desk) -> None:
    line = desk.dial()
    line.say({"type": "price", "symbols": ["USDT/AUD", "BTC/AUD"]})
    line.say({"type": "price", "symbols": ["USDT/AUD"], "is_subscribe": False})
    assert {price["symbol"] for price in line.told("price", 5)} == {"BTC/AUD"}


def test_a_suspended_instrument_has_no_prices(desk: Desk) -> None:
    line = desk.dial()
    said = line.say({"type": "price", "symbols": ["USDC/AUD"]})
    assert said == [PRICED, {"type": "message", "message": "Price stream unavailable."}]
    assert not line.told("price", 5)


# --- silence ---------------------------------------------------------------------------


def test_a_new_server_pushes_pongs_by_the_clock_and_answers_no_ping(desk: Desk) -> None:
    line = desk.dial()
    assert line.say(PING) == []
    assert line.listen(21, ping=False) == [PONG] * 4


def test_an_old_server_answers_pings_and_pushes_no_pongs() -> None:
    line = Desk(dialect="old").dial()
    assert line.listen(21, ping=False) == []
    assert line.say(PING) == [PONG]


def test_thirty_seconds_without_a_message_end_the_socket() -> None:
    line = Desk(dialect="old").dial()
    assert line.listen(29.75, ping=False) == []
    assert line.listen(1, ping=False) == [{**TIMED_OUT, "error_code": "400"}]
    assert line.close == Close(1000)
    assert line.say(PING) == line.listen(60) == []


def test_any_message_keeps_the_socket(desk: Desk) -> None:
    cases: list[Any] = [PING, "nonsense", {"type": "order"}]
    for message in cases:
        line = desk.dial()
        for _ in range(4):
            line.listen(20, ping=False)
            assert line.close is None
            line.say(message)
        assert line.listen(31, ping=False)[-1] == TIMED_OUT
        assert line.close is not None


# --- dialects --------------------------------------------------------------------------

NEW_TRADE = (
    "id timestamp symbol order type side taker_or_maker price amount cost fee client_order_id"
)
OLD_TRADE = (
    "id timestamp symbol order type side takerOrMaker price amount cost orderFrom counterparty"
)
ORDER = (
    "id timestamp last_trade_timestamp status symbol type time_in_force side price average "
    "amount filled remaining cost error_message fee trades"
)
NEW_FILL = "id timestamp symbol order type side taker_or_maker price amount cost fee"
OLD_FILL = NEW_FILL.removesuffix("fee") + "order_from counterparty fee"


@cache
def lived(dialect: str) -> Line:
    line = Desk(dialect=dialect).stream("order", "trade")
    line.listen(120)
    return line


def frames(line: Line, kind: str) -> list[Any]:
    return [element for told, element in told_in_order(line) if told == kind]


def test_the_new_dialect_has_the_keys_and_types_of_its_samples() -> None:
    line = lived("new")
    trades, orders = frames(line, "trade"), frames(line, "order")
    assert {" ".join(trade) for trade in trades} == {NEW_TRADE}
    assert {" ".join(order) for order in orders} == {ORDER}
    assert {" ".join(fill) for order in orders for fill in order["trades"]} == {NEW_FILL}
    assert {(type(trade["timestamp"]), trade["fee"]) for trade in trades} == {(int, 0)}
    assert {order["fee"] for order in orders} == {0}


def test_the_old_dialect_has_the_keys_and_types_of_its_samples() -> None:
    line = lived("old")
    trades, orders = frames(line, "trade"), frames(line, "order")
    assert {" ".join(trade) for trade in trades} == {OLD_TRADE}
    assert {" ".join(order) for order in orders} == {ORDER, f"{ORDER} internal_extra_data"}
    fills = [f for o in orders if isinstance(o["trades"], list) for f in o["trades"]]
    assert {" ".join(fill) for fill in fills} == {OLD_FILL}
    assert {type(trade["timestamp"]) for trade in trades} == {str}
    assert all(trade["timestamp"].endswith("000") for trade in trades)
    assert {order["fee"] for order in orders} == {"0"}


def test_an_old_server_does_not_always_say_fills_in_a_list() -> None:
    trades = [order["trades"] for order in frames(lived("old"), "order")]
    assert {type(t) for t in trades} == {list, dict, str, type(None)}


def test_an_old_server_spells_error_codes_as_strings() -> None:
    desk = Desk(dialect="old")
    assert desk.dial().say("nonsense") == [{**INVALID, "error_code": "400"}]
    refused = desk.dial(api_key="somebody")
    assert refused.greeting == [{**UNAUTHORIZED, "error_code": "401"}]


def test_fills_come_before_some_orders_and_after_others() -> None:
    line = lived("new")
    first: dict[str, str] = {}
    for kind, element in told_in_order(line):
        fills = [element] if kind == "trade" else element["trades"]
        for fill in fills:
            first.setdefault(fill["id"], kind)
    live = [first[trade["id"]] for trade in frames(line, "trade")]
    assert set(live) == {"trade", "order"}


def told_in_order(line: Line) -> list[tuple[str, Any]]:
    messages = [exact.decode(text) for text in line.texts]
    return [(m["type"], m["data"]) for m in messages if "data" in m]
