"""Documented Indodax frames and those of Centrifugo's own server: events, notices or silence."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privstream.exchanges.base import each
from privstream.exchanges.indodax import rest
from privstream.exchanges.indodax.rows import read_ended, read_found, read_trade
from privstream.exchanges.indodax.tapi_v1 import TapiV1
from privstream.model.account import Token
from privstream.model.errors import PrivstreamError, TokenRefused
from privstream.model.events import Notice, Order, Trade
from privstream.model.exact import decode, encode
from privstream.model.reports import NoticeReport
from tests.corpus import FOLDER, frames, needs_corpus
from tests.exchanges.indodax_account import (
    ALL,
    CONNECTED,
    NEW,
    STREAM,
    SUBSCRIBED,
    fill,
    indodax,
    payload,
    pushed,
    streaming,
)
from tests.playbook import Playbook, ledger, like
from tests.rest_play import answer, play
from tests.valid import assert_valid

RECEIVED = "2026-11-20T00:00:00.000000Z"


def told(*lines: bytes | str) -> Playbook:
    """The events of frames in a fresh session."""
    book = Playbook(indodax().session(None, ALL), ledger("indodax", raw=True))
    for line in lines:
        with suppress(PrivstreamError):  # a refusal is an answer too; anything else fails
            book.receives(line)
        book.told_now()
    for event in book.events:
        assert_valid(event)
    return book


def lines(name: str) -> list[bytes]:
    found = [line for stem, line in frames("indodax") if stem == name]
    assert found
    return found


def kinds(book: Playbook, kind: type) -> list[Any]:
    return [event for event in book.events if isinstance(event, kind)]


# --- the stream ------------------------------------------------------------------------


@needs_corpus
def test_every_frame_is_read_and_every_order_update_is_an_event() -> None:
    read = 0
    for name, line in frames("indodax"):
        book = told(line)
        if name == "push_order_update":
            assert kinds(book, Order)
            assert not kinds(book, Notice)
        if name.startswith("legacy_v1"):
            assert [event.code for event in kinds(book, Notice)] == ["unrecognised"]
        read += 1
    assert read > 100


@needs_corpus
def test_the_documented_publications_have_these_orders_and_trades() -> None:
    *_, ape, aave = lines("push_order_update")
    assert told(ape).events == [
        like(Trade, price="5", quantity="40168.34553614", fee="643", side="sell", estimated=()),
        like(Order, order_id="apeidr-limit-19357", status="filled", fee="643", symbol="APE/IDR"),
        like(Trade, quantity="20494.03890275", fee="459", liquidity="maker"),
        like(
            Order,
            order_id="apeidr-limit-19358",
            status="partially_filled",
            remaining="8197.6364802",
        ),
    ]
    assert told(aave).events == [
        like(Order, status="open", filled="0"),
        like(Trade, trade_id="72057594038023405", quantity="0.01244287", fee="49"),
        like(Order, status="partially_filled", remaining="0.01260086", fee="49"),
        like(Trade, trade_id="72057594038023406", quantity="0.01260086", fee="50"),
        like(Order, status="filled", remaining="0", fee="99", fee_currency="IDR"),
    ]


@needs_corpus
def test_the_documented_taker_fills_are_one_trade_with_an_estimated_price() -> None:
    same = [line for line in lines("push_order_update") if b"72057594037968281" in line]
    assert len(same) > 1
    (trade,) = kinds(told(*same), Trade)
    assert trade == like(Trade, price="4289899", estimated=("price",), fee="66", liquidity="taker")


@needs_corpus
def test_the_documented_ends_of_orders_have_their_status() -> None:
    ends = {}
    for line in lines("push_order_update"):
        for event in kinds(told(line), Order):
            ends[event.exchange_status] = event.status
    assert ends == {
        "NEW": "open",
        "FILL": "partially_filled",
        "DONE": "filled",
        "CANCELLED": "canceled",
        "REJECTED": "rejected",
    } | ({"FILL": ends["FILL"]} if ends["FILL"] == "filled" else {})


@needs_corpus
def test_an_expired_token_of_the_documents_asks_for_a_new_one() -> None:
    line = next(line for line in lines("error_reply") if b"109" in line)
    Playbook(indodax().session(None, ALL)).refuses(line, TokenRefused)


@needs_corpus
def test_no_recorded_conversation_with_the_reference_server_is_misread() -> None:
    played = 0
    for scenario, received in conversations().items():
        book = told(*received)
        # Its publications are shortened: what a FILL lacks there is said, and so are the
        # errors of commands that we never send.
        for notice in kinds(book, Notice):
            assert b"FILL" in bytes(notice.raw) or notice.code in KNOWN_ERRORS, scenario
        if scenario.startswith("push_burst"):
            burst = sum(frame.count(b'"pub"') for frame in received)
            assert len(received) < burst
        played += 1
    assert played > 40


KNOWN_ERRORS = {"105", "108", "token", "permission", "sequence", "unsubscribed"}


def conversations() -> dict[str, list[bytes]]:
    """What the server sent in each recorded scenario, frame by frame."""
    found: dict[str, list[bytes]] = {}
    path = FOLDER / "indodax" / "reference_server" / "transcripts.jsonl"
    for line in path.read_text().splitlines():
        row = json.loads(line)
        if row["dir"] == "<" and row.get("raw"):
            found.setdefault(row["scenario"], []).append(row["raw"].encode())
    return found


@needs_corpus
def test_a_recorded_burst_is_read_publication_by_publication() -> None:
    frames_of_burst = conversations()["push_burst_40"]
    book = Playbook(indodax().session(None, ALL), ledger("indodax"))
    reports = [r for frame in frames_of_burst for r in book._session.receive(frame, book._now)]
    assert sum(type(report).__name__ == "OrderReport" for report in reports) == 40


# --- REST ------------------------------------------------------------------------------


@needs_corpus
def test_the_documented_rest_rows_are_read() -> None:
    account = indodax().account
    for line in lines("rest_tapi_getInfo"):
        found = play(TapiV1(account).balances("rest"), lambda _c, _r, b=line: answer(b))  # type: ignore[misc]  # bound now
        assert len(found) == 2
    for line in lines("rest_generate_token"):
        token = play(rest.fetch_token(account), lambda _c, _r, b=line: answer(b))  # type: ignore[misc]  # bound now
        assert (token.channel or "").startswith("pws:#")
    (trade,) = decode(lines("rest_v2_myTrades")[0])["data"]
    assert list(read_trade(trade)) == [
        like(object, price="1564455", cost="156445", fee="468", side="sell")
    ]
    (order,) = decode(lines("rest_v2_order_histories")[0])["data"]
    assert list(read_ended(order)) == [like(object, order_id="aaveidr-limit-3568", status="filled")]
    for line in lines("rest_tapi_getOrder"):
        row = decode(line)["return"]["order"]
        (found_order,) = read_found("btcidr-limit-59639504", "btc_idr", row)
        assert found_order == like(object, status="canceled", quote_quantity="336058", filled="0")


@needs_corpus
def test_the_documented_open_orders_are_read() -> None:
    account = indodax().account
    with_pair, without, none = lines("rest_tapi_openOrders")
    found = play(TapiV1(account).open_orders("rest", (), ()), lambda _c, _r: answer(without))
    assert found == (
        like(object, order_id="btcidr-limit-172", filled="0.01866550", quantity="0.02000000"),
        like(object, order_id="btcidr-stoplimit-173", quote_quantity="1266293.00000000"),
    )
    assert len(play(TapiV1(account).open_orders("rest", (), ()), lambda _c, _r: answer(none))) == 0
    with pytest.raises(PrivstreamError):  # never asked for, and without the pair unreadable
        play(TapiV1(account).open_orders("rest", (), ()), lambda _c, _r: answer(with_pair))


@needs_corpus
def test_the_documented_rest_errors_are_errors() -> None:
    account = indodax().account
    for name in ("rest_generate_token_error", "rest_tapi_error"):
        for line in lines(name):
            with pytest.raises(PrivstreamError):
                play(TapiV1(account).ask("getInfo"), lambda _c, _r, b=line: answer(b))  # type: ignore[misc]  # bound now
    for line in lines("rest_v2_error"):
        with pytest.raises(PrivstreamError):
            rest.read_rows(answer(line, 400), "myTrades")


# --- junk ------------------------------------------------------------------------------

GOOD = [
    *STREAM,
    json.dumps(CONNECTED),
    json.dumps(SUBSCRIBED),
    json.dumps(pushed(NEW, fill("0.1"), offset=3)),
    json.dumps({"id": 1, "error": {"code": 109, "message": "token expired"}}),
    json.dumps({"push": {"channel": "c", "unsubscribe": {"code": 2000, "reason": "x"}}}),
    json.dumps({"push": {"refresh": {"expires": True, "ttl": 3600}}}),
    json.dumps({"id": 2, "subscribe": {"recoverable": True, "epoch": "E", "publications": []}}),
]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("-1e500"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


@st.composite
def spoiled(draw: st.DrawFn, texts: list[str]) -> Any:
    """A good message with one thing in it replaced by junk."""
    message = json.loads(draw(st.sampled_from(texts)))
    *path, last = draw(st.sampled_from([p for p in places(message) if p]))
    place = message
    for key in path:
        place = place[key]
    place[last] = draw(JUNK)
    return message


@given(spoiled(GOOD))
def test_junk_in_a_frame_is_a_notice_or_a_refusal_and_the_next_frame_is_read(frame: Any) -> None:
    book = streaming()
    with suppress(PrivstreamError):
        book.receives(json.dumps(frame))
    book.after(1).told_now()
    for event in book.events:
        assert json.loads(encode(event))
    already = len(book.events)
    book.receives(pushed(NEW | {"orderId": "aaveidr-limit-999"})).told_now()
    assert book.events[already:] == [like(Order, order_id="aaveidr-limit-999", status="open")]


ANSWERS = [
    payload(name) for name in ("open_orders.json", "get_info.json", "my_trades.json", "histories.json")
]  # fmt: skip


@given(spoiled(ANSWERS))
def test_junk_in_an_answer_is_a_notice_or_an_error_of_ours(body: Any) -> None:
    account = indodax().account
    for flow in (
        TapiV1(account).open_orders("snapshot", (), ()),
        TapiV1(account).balances("snapshot"),
        indodax().look_up(["aaveidr-limit-1"]),
        rest.fetch_token(account),
    ):
        with suppress(PrivstreamError):
            _tell(play(flow, lambda _c, _r: answer(body)))
    with suppress(PrivstreamError):
        rows = rest.read_rows(answer(body), "myTrades")
        _tell(each(rows, read_trade))


def _tell(found: Any) -> None:
    book = ledger("indodax")
    reports = () if isinstance(found, Token) else found
    for report in reports:
        for event in book.take(report, RECEIVED):
            assert_valid(event)
            assert isinstance(event, Notice) or not isinstance(report, NoticeReport)
