"""Whole Bitfinex sessions, and every real frame: events, a notice, or known silence."""

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privstream.exchanges.bitfinex import names, rest
from privstream.exchanges.bitfinex.memory import Memory
from privstream.exchanges.bitfinex.rest import BitfinexRest
from privstream.model.errors import PrivstreamError
from privstream.model.events import AnyEvent, Balance, Notice, Order, Trade
from privstream.model.exact import decode
from privstream.model.rest import HttpResponse
from tests.corpus import frames, needs_corpus
from tests.payloads.bitfinex.frames import ALL, account, exchange, logged_in, order, trade
from tests.playbook import Playbook, ledger
from tests.rest_play import answer, play
from tests.valid import assert_valid

SESSION = Path(__file__).parents[1] / "payloads" / "bitfinex" / "session.jsonl"


def told(lines: Iterable[bytes]) -> list[AnyEvent]:
    """The events of frames in a fresh session, and of the silence after them."""
    book = Playbook(exchange().session(None, ALL), ledger("bitfinex", *ALL, raw=True))
    for line in lines:
        with suppress(PrivstreamError):  # a refusal is an answer too; anything else fails
            book.receives(line)
        book.told_now()
    return book.after(10).told_now().events


def named(name: str) -> list[bytes]:
    return [line for found, line in frames("bitfinex") if found == name]


def is_frame(name: str) -> bool:
    return not name.startswith(("rest_", "status_strings"))


def trades(events: list[AnyEvent]) -> list[tuple[str | None, ...]]:
    found = [event for event in events if isinstance(event, Trade)]
    return [(t.order_id, t.side, t.quantity, t.price, t.fee, t.fee_currency) for t in found]


def statuses(events: list[AnyEvent]) -> list[tuple[str, str, str | None]]:
    return [(e.order_id, e.status, e.filled) for e in events if isinstance(e, Order)]


# --- an invented session ---------------------------------------------------------------


def test_a_whole_session_is_told_once_and_in_order() -> None:
    events = told(SESSION.read_bytes().splitlines())
    for event in events:
        assert_valid(event)
    limit, sell, market = "1900000000100", "1900000000101", "1900000000102"
    assert statuses(events) == [
        (limit, "open", "0"),
        (sell, "open", "0"),
        (sell, "partially_filled", "0.001"),
        (sell, "canceled", "0.001"),
        (market, "filled", "0.002"),
    ]
    assert trades(events) == [
        (sell, "sell", "0.001", "61000", "0.061", "USDT"),
        (market, "buy", "0.001", "61001", "0.000002", "BTC"),
        (market, "buy", "0.001", "61000", "0.000002", "BTC"),
    ]
    balances = [e for e in events if isinstance(e, Balance)]
    last = {e.currency: (e.total, e.available, e.hold) for e in balances}
    assert last == {"USDT": ("1061.439", "561.439", "500.000"), "BTC": ("0.009", "0.009", "0")}
    assert [e.code for e in events if isinstance(e, Notice)] == ["on-req"]
    ids = [event.id for event in events if event.id is not None]
    assert len(ids) == len(set(ids))


def test_every_frame_of_a_session_bears_its_number() -> None:
    events = told(SESSION.read_bytes().splitlines())
    numbers = [event.sequence for event in events]
    assert None not in numbers
    assert numbers[-1] == 26  # 27 is a heartbeat


@pytest.mark.parametrize("lost", range(3, 30))
def test_whichever_frame_is_lost_the_loss_is_noticed(lost: int) -> None:
    lines = SESSION.read_bytes().splitlines()
    first, last = 3, len(lines) - 1
    book = Playbook(exchange().session(None, ALL)).opened()
    book.receives(*(line for number, line in enumerate(lines) if number != lost))
    causes = [getattr(action, "cause", None) for action in book._pending]
    # The first number is the base, and behind the last one nothing shows that it is missing.
    assert ("sequence" in causes) == (first < lost < last)


# --- real frames -----------------------------------------------------------------------


@needs_corpus
def test_every_frame_is_read_into_valid_events() -> None:
    read = 0
    for name, line in frames("bitfinex"):
        for event in told([line]):
            assert_valid(event)
        read += is_frame(name)
    assert read > 250


@needs_corpus
def test_every_account_frame_makes_account_events_and_nothing_unrecognised() -> None:
    account_frames = {"os", "on", "ou", "oc", "te", "tu", "ws", "wu", "pn", "pu", "pc"}
    odd = b'"fUSD","ACTIVE"'  # an invented position in a funding currency
    for name, line in frames("bitfinex"):
        events = told([line])
        if not is_frame(name) or name == "malformed_by_test" or odd in line:
            continue
        assert not [e for e in events if getattr(e, "code", "") == "unrecognised"], (name, line)
        if name in account_frames:
            assert events, (name, line)


@needs_corpus
def test_every_status_text_has_a_meaning() -> None:
    for line in named("status_strings"):
        text = decode(line)
        if " at " not in text and not text.startswith("CLOSED"):  # those are of funding
            assert names.status(text)[0] != "unknown", text


@needs_corpus
def test_the_captured_live_session_is_two_trades_and_their_orders() -> None:
    events = told(named("session_bbgo_2025-08-21"))
    assert trades(events) == [
        ("111179140333", "sell", "0.00008865", "113940", "0.0060604686", "USD"),
        ("111177088549", "buy", "0.00008688", "113950", "0.000000052128", "BTC"),
    ]
    assert statuses(events) == [
        ("111171586757", "open", "0"),
        ("111179140333", "filled", "0.00008865"),
        ("111172419114", "open", "0"),
        ("111177088549", "filled", "0.00008688"),
    ]
    balances = [e for e in events if isinstance(e, Balance)]
    last = {(e.wallet, e.currency): (e.total, e.available) for e in balances}
    assert last == {
        ("exchange", "USDT"): ("739.02464552", "729.02464552"),
        ("exchange", "BTC"): ("0.000811729276", "0.000811729276"),
        ("funding", "USDT"): ("150.00291226", "0.001448229999994055"),
        ("exchange", "USD"): ("21.15999405218", "11.15999405218"),
    }


@needs_corpus
def test_the_captured_margin_fill_is_two_trades_and_a_filled_order() -> None:
    events = told(named("session_go_margin_fill"))
    assert trades(events) == [
        ("1234567", "buy", "0.21679716", "915.9", "0.39712904", "USD"),
        ("1234567", "buy", "0.78320284", "916.2", "1.43514088", "USD"),
    ]
    assert statuses(events) == [("1234567", "filled", "1")]


@needs_corpus
def test_the_captured_partial_fills_tell_each_state_once() -> None:
    events = told(named("session_issue400_partial_fills"))
    assert statuses(events) == [
        ("16763246021", "partially_filled", "0.005"),
        ("16763246021", "partially_filled", "0.01"),
    ]
    assert trades(events) == [("16763246021", "buy", "0.005", "6516.1", None, None)]


@needs_corpus
@pytest.mark.parametrize(
    ("name", "flow"),
    [
        ("rest_auth_r_orders", BitfinexRest.look_up),
        ("rest_auth_r_orders_hist", BitfinexRest.look_up),
        ("rest_auth_r_orders_sym", BitfinexRest.look_up),
        ("rest_auth_r_orders_sym_hist", BitfinexRest.look_up),
        ("rest_auth_r_order_sym_trades", BitfinexRest.fills_since),
        ("rest_auth_r_trades_hist", BitfinexRest.fills_since),
        ("rest_auth_r_trades_sym_hist", BitfinexRest.fills_since),
    ],
)
def test_every_rest_row_is_read(name: str, flow: Any) -> None:
    for line in named(name):
        answers = [answer(line), answer([])]
        wanted = ["1"] if flow is BitfinexRest.look_up else 1
        reports = play(
            flow(BitfinexRest(account(), Memory()), wanted),
            lambda *_, answers=answers: answers.pop(0),
        )
        assert len(reports) == len(decode(line))
        assert not [r for r in reports if getattr(r, "code", None) == "unrecognised"]


@needs_corpus
def test_every_rest_error_is_an_error_of_ours() -> None:
    for line in named("rest_errors"):
        with pytest.raises(PrivstreamError):
            rest.read_rows(HttpResponse(500, {"content-type": "application/json"}, line), "x")


# --- junk ------------------------------------------------------------------------------

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["tBTCUSD", "EXCHANGE LIMIT", "ACTIVE", "", "1e999", "-req"]) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=6,
)  # fmt: skip
KINDS = st.sampled_from(
    ["os", "on", "oc", "te", "tu", "ws", "wu", "ps", "pu", "pc", "n", "hb", "bu"]
)


def damaged(row: list[Any], places: dict[int, Any]) -> list[Any]:
    return [places.get(index, value) for index, value in enumerate(row)]


@given(
    kind=KINDS,
    row=st.sampled_from([order(), trade(), ["exchange", "UST", 1, 0, None, None, None]]),
    places=st.dictionaries(st.integers(0, 31), JUNK, max_size=3),
    tail=st.lists(JUNK, max_size=3),
)
def test_a_damaged_row_is_an_event_a_notice_or_silence(
    kind: str, row: list[Any], places: dict[int, Any], tail: list[Any]
) -> None:
    book = logged_in().receives(json.dumps([0, kind, damaged(row, places), *tail]))
    for event in book.told_now().after(10).told_now().events:
        if not states_more_than_there_is(event):
            assert_valid(event)


def states_more_than_there_is(event: AnyEvent) -> bool:
    """Damage may make more available than the total; what is held is then below zero."""
    return isinstance(event, Balance) and (event.hold or "0").startswith("-")


@given(
    frame=JUNK | st.builds(lambda kind, rest: [0, kind, *rest], KINDS, st.lists(JUNK, max_size=4))
)
def test_a_frame_of_junk_is_no_exception(frame: Any) -> None:
    book = logged_in()
    with suppress(PrivstreamError):
        book.receives(json.dumps(frame))
    for event in book.told_now().events:
        assert_valid(event)
