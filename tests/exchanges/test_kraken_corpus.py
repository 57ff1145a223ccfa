"""Real and documented Kraken frames: every one becomes events, a notice, or known silence."""

from contextlib import suppress

import pytest

from privstream.exchanges.kraken.v1 import SessionV1
from privstream.exchanges.kraken.v2 import SessionV2
from privstream.model.errors import PrivstreamError
from privstream.model.events import Notice, Order, Trade
from privstream.model.exact import decode
from privstream.model.session import Session
from tests.corpus import frames, needs_corpus
from tests.playbook import Playbook, ledger
from tests.valid import assert_valid

ALL = ("orders", "trades", "balances")


def session(protocol: str) -> Session:
    return SessionV2("T", ALL) if protocol == "v2" else SessionV1("T", ALL)


def told(protocol: str, *lines: bytes) -> Playbook:
    """The events of frames in a fresh session; orders nobody can look up are told as they are."""
    book = Playbook(session(protocol), ledger("kraken", raw=True))
    for line in lines:
        with suppress(PrivstreamError):  # a refusal is an answer too; anything else fails
            book.receives(line)
        book.told_now()
        book.events += book.ledger.settle("2026-11-20T00:00:00.000000Z")
    return book


@needs_corpus
@pytest.mark.parametrize("protocol", ["v1", "v2"])
def test_every_frame_is_read_by_either_protocol(protocol: str) -> None:
    read = 0
    for _name, line in frames("kraken"):
        for event in told(protocol, line).events:
            assert_valid(event)
        read += 1
    assert read > 100


@needs_corpus
def test_every_data_frame_of_its_own_protocol_makes_account_events() -> None:
    for name, line in frames("kraken"):
        protocol, _, kind = name.partition("_")
        is_data = kind.startswith(("executions", "openOrders", "ownTrades", "balances"))
        if protocol not in {"v1", "v2"} or not is_data or kind.endswith("entries"):
            continue
        events = told(protocol, line).events
        assert not [event for event in events if isinstance(event, Notice)], (name, line)
        elements = decode(line)["data"] if protocol == "v2" else decode(line)[0]
        assert bool(events) == bool(elements) or _holds_only_zero(elements), (name, line)


def _holds_only_zero(elements: list[dict[str, str]]) -> bool:
    return all("balance" in element for element in elements)


@needs_corpus
def test_a_captured_market_order_of_v1_is_one_trade_and_ends_filled() -> None:
    lines = [line for name, line in frames("kraken") if name == "scenario_v1_market_buy_full_fill"]
    events = told("v1", *lines).events
    market = [e for e in events if isinstance(e, Order) and e.order_type == "market"]
    assert [event.status for event in market] == ["pending", "open", "filled"]
    assert (market[-1].average_price, market[-1].fee) == ("26425.20000", "0.00687")


@needs_corpus
def test_the_documented_sell_of_v2_is_one_trade_with_its_balances() -> None:
    lines = [
        line for name, line in frames("kraken") if name == "scenario_v2_doc_sell_with_balances"
    ]
    events = told("v2", *lines).events
    assert len([event for event in events if isinstance(event, Trade)]) == 1
    assert [event.status for event in events if isinstance(event, Order)] == [
        "pending",
        "open",
        "filled",
    ]


@needs_corpus
def test_a_captured_fill_on_both_channels_of_v1_is_one_trade() -> None:
    name_wanted = "scenario_v1_fill_on_both_channels"
    lines = [line for name, line in frames("kraken") if name == name_wanted]
    events = told("v1", *lines).events
    trades = [event.trade_id for event in events if isinstance(event, Trade)]
    assert len(trades) == len(set(trades))
    assert trades[-1] == "TROWH4-DD6XR-2O7DPH"
