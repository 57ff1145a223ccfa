"""Events of all eight types to print, and pipes to print them into; every value is invented."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from privstream.model.events import (
    AnyEvent,
    Balance,
    Gap,
    Notice,
    Order,
    Position,
    Price,
    Recovered,
    State,
    Status,
    Trade,
)

NOW = "2026-11-20T11:32:00.500000Z"
BASE: dict[str, Any] = {
    "exchange": "kraken",
    "account": "kraken",
    "id": None,
    "time": "2026-11-20T11:32:00.123456Z",
    "received": NOW,
    "source": "stream",
    "sequence": None,
}

ORDER = Order(
    **BASE,
    order_id="OQCLML-BW3P3-BUCMWZ",
    client_order_id="3b241101-e2bb-4255-8caf-4136c566a962",
    symbol="BTC/EUR",
    exchange_symbol="BTC/EUR",
    side="buy",
    order_type="limit",
    time_in_force="gtc",
    status="partially_filled",
    exchange_status="partially_filled",
    price="84210.10",
    stop_price=None,
    quantity="0.01000000",
    quote_quantity=None,
    filled="0.00400000",
    remaining="0.00600000",
    average_price="84210.10",
    cost="336.8404",
    fee="0.8758",
    fee_currency="EUR",
    reason=None,
    created=None,
)
TRADE = Trade(
    **BASE,
    trade_id="TZX2WP-XSEOP-FP7WYR",
    order_id="OQCLML-BW3P3-BUCMWZ",
    client_order_id=None,
    symbol="BTC/EUR",
    exchange_symbol="BTC/EUR",
    side="buy",
    order_type="limit",
    liquidity="maker",
    price="84210.10",
    quantity="0.00400000",
    cost="336.8404",
    fee="0.8758",
    fee_currency="EUR",
    estimated=(),
)
BALANCE = Balance(
    **BASE,
    currency="EUR",
    exchange_currency="EUR",
    wallet="spot/main",
    total="10094.3938",
    available=None,
    hold=None,
    change="-337.7162",
    reason="trade",
)
POSITION = Position(
    **BASE,
    position_id="149331",
    symbol="BTCF0/USTF0",
    exchange_symbol="tBTCF0:USTF0",
    side="short",
    quantity="0.5",
    entry_price="91200",
    liquidation_price="120111.5",
    leverage="5",
    unrealized_pnl="-12.5",
    status="active",
)
PRICE = Price(
    **BASE,
    symbol="USDT/AUD",
    exchange_symbol="USDT/AUD",
    bids=(("1.53200000", "250000"), ("1.53", "500000")),
    asks=(("1.53410000", "250000"),),
)
NOTICE = Notice(**BASE, level="error", code="on-req", text="Invalid order: not enough balance")
GAP = Gap(
    **BASE,
    cause="disconnected",
    from_="2026-11-20T11:31:48.000000Z",
    to="2026-11-20T11:32:00.400000Z",
    complete=True,
    recovered=Recovered(orders=1, trades=2, balances=0),
    detail=None,
)
STATUS = Status(**BASE, state="retrying", detail="reset by peer", attempt=2, retry_in=3.2)

ALL: tuple[AnyEvent, ...] = (ORDER, TRADE, BALANCE, POSITION, PRICE, NOTICE, GAP, STATUS)


def trade(**changes: Any) -> Trade:
    return msgspec.structs.replace(TRADE, **changes)


def order(**changes: Any) -> Order:
    return msgspec.structs.replace(ORDER, **changes)


def status(state: State, **changes: Any) -> Status:
    plain = {"detail": None, "attempt": None, "retry_in": None}
    return msgspec.structs.replace(STATUS, state=state, **(plain | changes))


@contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    """Both ends of a pipe; a test may close either itself."""
    ends = os.pipe()
    try:
        yield ends
    finally:
        for end in ends:
            try:
                os.close(end)
            except OSError:  # the test has closed it
                continue


def read_all(fd: int) -> bytes:
    """What is in a pipe whose writer is closed."""
    read = b""
    while block := os.read(fd, 65536):
        read += block
    return read
