"""Documented Zerocap frames: every one becomes events, a notice, or known silence."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from privstream.exchanges.zerocap import Zerocap
from privstream.exchanges.zerocap.balances import ZerocapWallets
from privstream.model.account import Account, Secret
from privstream.model.errors import PrivstreamError
from privstream.model.events import Notice, Order, Price, Trade
from privstream.model.exact import decode, encode
from privstream.model.reports import NoticeReport
from tests.corpus import frames, needs_corpus
from tests.playbook import Playbook, ledger, like
from tests.rest_play import ALL_CHANNELS, answer, play
from tests.valid import assert_valid

PAYLOADS = Path(__file__).parents[1] / "payloads" / "zerocap"
ANSWERS = [(PAYLOADS / f"{name}.json").read_text() for name in ("fetch_orders", "get_balances")]
NAMES = (b"Wu Han", b"zeal anonymous")
ALL = ("orders", "trades", "balances", "prices")


def exchange() -> Zerocap:
    credentials = {"api_key": Secret("key"), "api_secret": Secret("secret")}
    endpoints = Zerocap.endpoints({})
    return Zerocap(Account("zerocap", "zerocap", credentials, endpoints, symbols=("USDT/AUD",)))


def told(*lines: bytes | str, raw: bool = False) -> Playbook:
    """The events of frames in a fresh session, and of what it held back."""
    book = Playbook(exchange().session(None, ALL), ledger("zerocap", raw=raw))
    for line in lines:
        with suppress(PrivstreamError):  # a refusal is an answer too; anything else fails
            book.receives(line)
        book.told_now()
    return book.after(5).after(5).told_now()


def lines(name: str) -> list[bytes]:
    return [line for stem, line in frames("zerocap") if stem == name]


@needs_corpus
def test_every_frame_is_read_and_no_counterparty_is_named() -> None:
    read = 0
    for name, line in frames("zerocap"):
        book = told(line)
        for event in book.events:
            assert_valid(event)
            assert not any(person in encode(event) for person in NAMES), line
        is_data = name in {"ws_order", "ws_trade", "ws_price"}
        assert bool(book.events) or not is_data, line
        assert not (is_data and any(isinstance(event, Notice) for event in book.events)), line
        read += 1
    assert read > 30


@needs_corpus
def test_the_documented_order_is_one_trade_and_ends_filled_in_both_dialects() -> None:
    order, trade = lines("ws_order"), lines("ws_trade")
    for played in (
        told(order[0], trade[0], order[1]),
        told(order[2], trade[1], order[3]),
        told(trade[0], *order, *trade),
    ):
        trades = [event for event in played.events if isinstance(event, Trade)]
        states = [event for event in played.events if isinstance(event, Order)]
        assert trades == [
            like(Trade, price="1.474899", quantity="3", cost="4.424", fee="0", liquidity="taker")
        ]
        assert states[-1] == like(
            Order, status="filled", cost="4.424", average_price="1.474899", remaining="0"
        )


@needs_corpus
def test_the_documented_quote_has_four_levels_a_side() -> None:
    (event,) = told(*lines("ws_price")).events
    assert isinstance(event, Price)
    assert (len(event.bids), event.asks[-1]) == (4, ("1.57705", "30000.0"))


@needs_corpus
def test_the_documented_rest_answers_are_whole_orders_and_balances() -> None:
    for line in lines("rest_fetch_orders"):
        body = decode(line) | {"total": 1}
        found = play(exchange().look_up(["x"]), lambda _call, _request, b=body: answer(encode(b)))  # type: ignore[misc]  # bound now
        book = ledger("zerocap")
        events = [e for report in found for e in book.take(report, "2026-11-20T00:00:00.000000Z")]
        assert events == [
            like(Trade, quantity="101", cost="301.426", price="21.1"),
            like(Order, status="filled", cost="301.426", average_price="2.98442"),
        ]
    (line,) = lines("rest_balances")
    reports = ZerocapWallets().read(decode(line), "snapshot")
    assert not [report for report in reports if isinstance(report, NoticeReport)]
    assert len(reports) == 15 + 1  # that the list is complete


# --- junk ------------------------------------------------------------------------------

GOOD = [
    *(PAYLOADS / "stream_old.jsonl").read_text().splitlines(),
    *(PAYLOADS / "stream_new.jsonl").read_text().splitlines(),
    (PAYLOADS / "price.json").read_text(),
    '{"type":"error","error_code":400,"error_message":"invalid message"}',
    '{"type":"message","message":"order Subscription successful."}',
]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("-1e500"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@st.composite
def spoiled(draw: st.DrawFn, texts: list[str]) -> Any:
    """A good value with one part, however deep, replaced by junk or taken out."""
    value = json.loads(draw(st.sampled_from(texts)))
    place: Any = value
    while True:
        keys = list(place) if isinstance(place, dict) else range(len(place))
        key = draw(st.sampled_from(list(keys)))
        inner = place[key]
        if not (isinstance(inner, dict | list) and inner and draw(st.booleans())):
            break
        place = inner
    if draw(st.booleans()):
        place[key] = draw(JUNK)
    else:
        del place[key]
    return value


@given(frame=spoiled(GOOD))
def test_a_spoiled_frame_is_events_or_a_notice_and_never_an_exception(frame: Any) -> None:
    for event in told(json.dumps(frame)).events:
        if event != like(Notice, raw=Raw(b'""')):  # an element that is an empty text
            assert_valid(event)


@given(text=st.sampled_from(GOOD), cut=st.integers(1, 900), junk=st.binary(max_size=4))
def test_a_torn_frame_is_a_notice(text: str, cut: int, junk: bytes) -> None:
    whole = text.encode()
    for event in told(whole[:cut] + junk + whole[cut:], whole[:cut]).events:
        assert_valid(event)


@given(body=spoiled(ANSWERS))
def test_a_spoiled_answer_is_read_or_refused(body: Any) -> None:
    for flow in (exchange().look_up(["x"]), exchange().picture(ALL_CHANNELS)):
        with suppress(PrivstreamError):
            play(flow, lambda _call, _request: answer(body))
