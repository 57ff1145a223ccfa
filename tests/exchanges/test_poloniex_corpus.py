"""Real and documented Poloniex frames, and what becomes of them when they are spoiled."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privstream.exchanges.base import each
from privstream.exchanges.poloniex import Poloniex, orders
from privstream.exchanges.poloniex.balances import Holdings, read_accounts
from privstream.exchanges.poloniex.fill_keys import FillKeys
from privstream.exchanges.poloniex.rest import read_answer
from privstream.model.account import Account, Secret
from privstream.model.errors import Refused
from privstream.model.events import Balance, Notice, Order, Trade
from privstream.model.exact import decode
from privstream.model.reports import NoticeReport
from privstream.model.rest import HttpResponse
from tests.corpus import FOLDER, frames, needs_corpus
from tests.exchanges.test_poloniex_orders import payload
from tests.playbook import Playbook, ledger
from tests.valid import assert_valid

DATA = {"balances", "orders", "live_balances", "live_orders", "reconstructed_session"}
SILENT = {"auth", "pong", "subscribe_ack"}


def told(*lines: bytes | str) -> Playbook:
    """Frames through a fresh session and ledger, as in a replay."""
    credentials = {"api_key": Secret("KEY"), "api_secret": Secret("SECRET")}
    exchange = Poloniex(Account("poloniex", "poloniex", credentials, Poloniex.endpoints({})))
    session = exchange.session(None, exchange.channels)
    return Playbook(session, ledger("poloniex", raw=True)).receives(*lines).told_now()


def lines_of(name: str) -> list[bytes]:
    return [line for found, line in frames("poloniex") if found == name]


@needs_corpus
def test_every_frame_is_events_a_notice_or_known_silence() -> None:
    read = 0
    for name, line in frames("poloniex"):
        events = told(line).events
        for event in events:
            assert_valid(event)
        notices = [event for event in events if isinstance(event, Notice)]
        if name in DATA:
            assert events, (name, line)
            assert not notices, (name, line)
        elif name in SILENT:
            assert [n.code for n in notices] == (["auth"] if b"failed" in line else []), line
        else:
            assert notices, (name, line)
        read += 1
    assert read > 60


@needs_corpus
def test_the_captured_orders_have_their_trades_and_their_ends() -> None:
    events = told(*lines_of("live_orders")).events
    trades = {
        e.trade_id: (e.quantity, e.fee, e.fee_currency) for e in events if isinstance(e, Trade)
    }
    assert trades == {
        "106864093": ("5", "0.01", "OP"),
        "106865010": ("3.3059", "0.0124830784", "USDT"),
        "106865011": ("1.6841", "0.0063591616", "USDT"),
        "106865178": ("1.5852", "0.0031704", "OP"),
        "106865270": ("1.582", "0.0059685696", "USDT"),
    }
    last = {e.order_id: e for e in events if isinstance(e, Order)}
    ends = {order_id: (e.status, e.average_price, e.fee) for order_id, e in last.items()}
    assert ends == {
        "381810886496567298": ("canceled", None, "0"),
        "393344737152782336": ("filled", "1.8995", "0.01"),
        "393345318000967680": ("filled", "1.888", "0.0188422400"),
        "393345433256243200": ("filled", "1.8925", "0.0031704"),
        "393345503405989889": ("filled", "1.8864", "0.0059685696"),
    }


@needs_corpus
def test_the_captured_session_ends_with_the_right_orders_and_balances() -> None:
    lines = lines_of("reconstructed_session")
    events = told(*lines).events
    pushed = [decode(line) for line in lines]
    fills = [m for m in pushed if m["channel"] == "orders" and m["data"][0]["tradeId"] != "0"]
    assert len([e for e in events if isinstance(e, Trade)]) == len(fills) == 6
    statuses = {e.order_id: e.status for e in events if isinstance(e, Order)}
    assert sorted(statuses.values()) == ["canceled", *4 * ["filled"]]
    balances = {e.currency: (e.total, e.hold) for e in events if isinstance(e, Balance)}
    assert balances == {
        "OP": ("4.5274132", "0"),
        "USDT": ("12.4036118366", "0"),
        "ICP": ("0.00524752", "0"),
    }
    changes = [m for m in pushed if m["channel"] == "balances"]
    assert len([e for e in events if isinstance(e, Balance)]) == len(changes)


@needs_corpus
def test_items_without_their_envelope_are_read_in_one() -> None:
    items = [decode(line) for line in lines_of("items_ccxt_dump_orders")]
    events = told(json.dumps({"channel": "orders", "data": items})).events
    assert [type(event) for event in events] == [Order, Trade, Order]
    buy = events[-1]
    assert isinstance(buy, Order)
    assert (buy.quote_quantity, buy.quantity, buy.filled) == ("3", None, "7.9746")


@needs_corpus
def test_every_rest_row_is_read_by_its_reader() -> None:
    book, read = ledger("poloniex", raw=True), 0
    for path in sorted((FOLDER / "poloniex").glob("rest_*.jsonl")):
        for line in path.read_bytes().splitlines():
            for report in rest_reports(path.stem, line):
                assert not isinstance(report, NoticeReport), line
                read += 1
                for event in book.take(report, "2026-11-20T00:00:00.000000Z"):
                    assert_valid(event)
    assert read >= 8


def rest_reports(name: str, line: bytes) -> list[Any]:
    response = HttpResponse(status=200, headers={}, body=line)
    if name == "rest_errors":
        with pytest.raises(Refused):
            read_answer(response, "this")
        return []
    rows = read_answer(response, "this")
    if name == "rest_accounts_balances":
        return list(read_accounts(rows, Holdings(), "snapshot"))
    if "trades" in name:
        return list(each(rows, lambda row: orders.read_trade(row, FillKeys(), "rest")))
    listed = [rows] if isinstance(rows, dict) else rows
    return list(each(listed, lambda row: orders.read_order(row, "rest")))


# --- junk ------------------------------------------------------------------------------

SHAPES = payload("limit_sell") + payload("market_buy") + payload("market_buy_balances")
WHOLE_ID = "419999999999999999"
WHOLE = {"channel": "orders", "data": [SHAPES[0]["data"][0] | {"orderId": WHOLE_ID}]}
NOTHING: list[Any] = [None, "", "0", 0, [], {}]
STRANGE = [
    -1,
    "-1",
    "x",
    True,
    ["a"],
    {"a": 1},
    1e-9,
    "1e-9",
    2**70,
    "NaN",
    "9" * 30,
    "\u202e",
    "A_B",
]
JUNK = st.sampled_from([*NOTHING, *STRANGE])


@st.composite
def spoiled(draw: st.DrawFn) -> str:
    """A frame with up to three of its values replaced or left out."""
    frame = json.loads(json.dumps(draw(st.sampled_from(SHAPES))))
    item = frame["data"][0]
    for key in draw(st.lists(st.sampled_from(sorted(item)), max_size=3, unique=True)):
        if draw(st.booleans()):
            item[key] = draw(JUNK)
        else:
            del item[key]
    text = json.dumps(frame)
    return text[: draw(st.integers(1, len(text)))] if draw(st.booleans()) else text


@given(st.lists(spoiled(), min_size=1, max_size=3))
def test_spoiled_frames_make_events_or_notices_and_hide_nothing(texts: list[str]) -> None:
    events = told(*texts, json.dumps(WHOLE)).events
    assert any(isinstance(e, Order) and e.order_id == WHOLE_ID for e in events)
    for event in events:
        assert_valid(event)
