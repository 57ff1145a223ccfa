"""Damaged Kraken frames: whatever is wrong in them, what comes out is valid or a notice."""

from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privstream.exchanges.kraken.v1 import SessionV1
from privstream.exchanges.kraken.v2 import SessionV2
from privstream.model.errors import PrivstreamError
from privstream.model.exact import encode
from tests.exchanges import test_kraken_v1 as v1
from tests.exchanges import test_kraken_v2 as v2
from tests.playbook import Playbook, ledger
from tests.valid import assert_valid

ALL = ("orders", "trades", "balances")
BALANCE = {
    "asset": "BTC",
    "balance": 1.5,
    "amount": 0.1,
    "fee": 0,
    "type": "trade",
    "ledger_id": "L1",
    "wallet_type": "spot",
    "wallet_id": "main",
    "timestamp": "2026-05-18T12:01:56.165888Z",
}
FRAMES: dict[str, list[Any]] = {
    "v2": [
        v2.executions(1, v2.NEW, v2.FILL, v2.LIVE, v2.CANCELED),
        {"channel": "balances", "type": "update", "data": [BALANCE], "sequence": 1},
        v2.ack("executions", 1),
        {"channel": "status", "type": "update", "data": [{"system": "maintenance"}]},
    ],
    "v1": [
        v1.orders(1, v1.NEW, v1.FILLED, {"status": "closed"}),
        v1.trades(1, T1=v1.ROW),
        v1.status("openOrders"),
        {"event": "systemStatus", "status": "maintenance"},
    ],
}
WRONG = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(min_value=-(10**25), max_value=10**25),
    st.sampled_from(["", "-", "NaN", "1e999", "\x1b[31m", "\u202e", "0", "-0.0", "2026-99-99"]),
    st.lists(st.none(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.none(), max_size=2),
    st.text(max_size=6),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = [path] if path else []
    for key, item in inner:
        here = (*path, key)
        found += places(item, here) if isinstance(item, dict | list) else [here]
    return found


def damaged(frame: Any, path: tuple[Any, ...], wrong: Any) -> Any:
    frame = deepcopy(frame)
    target = frame
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = wrong
    return frame


@pytest.mark.parametrize("protocol", ["v1", "v2"])
@given(choice=st.integers(min_value=0, max_value=10**6), wrong=WRONG)
def test_a_damaged_frame_makes_valid_events_or_a_notice(
    protocol: str, choice: int, wrong: Any
) -> None:
    all_places = [(f, path) for f in FRAMES[protocol] for path in places(f)]
    frame, path = all_places[choice % len(all_places)]
    session = SessionV1("T", ALL) if protocol == "v1" else SessionV2("T", ALL)
    book = Playbook(session, ledger("kraken", raw=True))
    with suppress(PrivstreamError):  # a refusal is an answer
        book.receives(encode(damaged(frame, path, wrong)))
    book.told_now()
    book.events += book.ledger.settle("2026-11-20T00:00:00.000000Z")
    for event in book.events:
        assert_valid(event)
