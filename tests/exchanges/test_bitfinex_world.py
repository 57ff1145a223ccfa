"""Bitfinex's supervisor and its strict simulator in memory, where the wire is unkind."""

import json

from privstream.exchanges import find
from privstream.model.events import Gap, Notice, Order, Position, Status, Trade
from privstream.model.reports import Known
from privstream.model.times import from_nanos, to_nanos
from tests.joined import World
from tests.playbook import ledger
from tests.valid import assert_valid

LATEST = 10.0
"""Seconds in which a fee may still be waited for."""


class LateLogin:
    """The login, the lists and the first fill come in one read, and no `tu` ever comes."""

    def __init__(self, run: World) -> None:
        self._run = run
        self._held: list[str] = []
        self.announced: dict[str, float] = {}
        """When each fill's `te` came."""

    def __call__(self, text: str) -> list[str]:
        frame = json.loads(text)
        if isinstance(frame, list) and frame[1] == "tu":
            frame[1:3] = "bu", [1, 1]  # its number is another frame's
        if isinstance(frame, list) and frame[1] == "te":
            self.announced[str(frame[2][0])] = self._run.clock.now().monotonic
        self._held.append(json.dumps(frame))
        if not self.announced and any('"event": "auth"' in held for held in self._held):
            return []
        out, self._held = self._held, []
        return out


def test_a_fill_in_the_same_read_as_the_login_is_told_with_the_fee_that_only_rest_knows() -> None:
    run = World("bitfinex", rate=6.0, limits=False)
    run.spoil = wire = LateLogin(run)
    run.watch(40)
    told = {trade.trade_id: trade for trade in run.told(Trade)}
    end = run.clock.now().monotonic - LATEST
    lost = [name for name, at in wire.announced.items() if at < end and name not in told]
    assert lost == []
    first = told[next(iter(wire.announced))]
    assert first.fee is not None
    assert run.told(Gap) == []


def test_orders_changed_after_a_fill_and_ends_without_a_word_are_told_as_they_are() -> None:
    run = World("bitfinex", rate=6.0, limits=False).at(20, World.down, 10)
    run.watch(60)
    last: dict[str, Order] = {}
    for event in run.told(Order):
        assert_valid(event)
        before = last.get(event.order_id)
        if before is not None and before.filled is not None and event.filled is not None:
            assert float(event.filled) >= float(before.filled)
        last[event.order_id] = event
    books = run.simulated.market.books  # type: ignore[attr-defined]  # every simulated one has it
    until = run.clock.now().wall_ns - 10**9 * LATEST
    for order_id, event in last.items():
        truth = books.orders.get(order_id)
        if truth is not None and truth.updated_ns < until:
            assert (event.status in {"open", "partially_filled"}) == (truth.closed_ns is None)
    changed = [e for e in run.told(Order) if (e.exchange_status or "") == "ACTIVE"]
    assert {e.status for e in changed if e.filled != "0"} == {"partially_filled"}


def test_a_state_has_one_id_from_the_stream_and_from_rest_without_memory() -> None:
    run = World("bitfinex", rate=6.0, limits=False)
    run.watch(70)
    streamed: dict[str, set[str | None]] = {}
    for event in run.told(Order):
        streamed.setdefault(event.order_id, set()).add(event.id)
    known = Known(
        since_ns=run.clock.now().wall_ns - 70 * 10**9,
        until_ns=run.clock.now().wall_ns,
        channels=("orders",),
        suspects=frozenset(run.simulated.market.books.open),  # type: ignore[attr-defined]  # it has them
    )
    run.stop.clear()
    found = run.run(find("bitfinex")(run.exchange.account).backfill(known))
    book = ledger("bitfinex")
    late = from_nanos(run.clock.now().wall_ns - 5 * 10**9)
    read = [event for report in found.reports for event in book.take(report, late)]
    told = [
        e for e in read if isinstance(e, Order) and e.order_id in streamed and (e.time or "") < late
    ]
    assert {e.status for e in told} >= {"open", "partially_filled", "filled", "canceled"}
    assert any(e.order_type == "limit" and e.exchange_status == "ACTIVE" for e in told)
    other = [(e.id, streamed[e.order_id]) for e in told if e.id not in streamed[e.order_id]]
    assert other == []


def test_odd_values_here_and_there_lose_and_double_nothing() -> None:
    run = World("bitfinex", seed=6, rate=8.0, limits=False, odd=True).at(15, World.down, 8)
    run.watch(60)
    books = run.simulated.market.books  # type: ignore[attr-defined]  # every simulated one has it
    ids = [event.id for event in run.events if event.id is not None]
    assert len(ids) == len(set(ids))
    begin, end = run.clock.now().wall_ns - 55 * 10**9, run.clock.now().wall_ns - 10 * 10**9
    truth = {t.trade_id: t.order.order_id for t in books.trades.values() if begin < t.time_ns < end}
    told = {trade.trade_id: trade.order_id for trade in run.told(Trade)}
    assert truth.items() <= told.items()
    assert len(run.told(Trade)) == len(told)
    said = [
        notice.text.partition(",")[0]
        for notice in run.told(Notice)
        if notice.code == "unrecognised"
    ]
    assert sorted(said) == [
        "cannot read created of this order",
        "cannot read leverage of this position",
        "cannot read order_id of this trade",
        "cannot read time_in_force of this order",
    ]
    assert any(
        position.leverage is None and position.liquidation_price for position in run.told(Position)
    )
    assert [gap.complete for gap in run.told(Gap)] == [True]


def test_a_list_that_no_connection_ever_brings_does_not_make_us_blind() -> None:
    run = World("bitfinex", seed=4, limits=False, rate=1.0).at(20, World.down, 30)
    run.spoil = lambda text: [] if len(run.sockets) > 1 and '"os"' in text else [text]
    run.watch(200)
    assert run.states()[-2:] == ["live", "stopped"]
    [gap] = run.told(Gap)
    assert not gap.complete
    assert gap.detail == "the new connection never listed all that stands"
    told = {order.order_id for order in run.told(Order)}
    books = run.simulated.market.books  # type: ignore[attr-defined]  # it has them
    since = to_nanos(next(status for status in run.told(Status) if status.state == "live").received)
    until = run.clock.now().wall_ns - 20 * 10**9
    due = {order.order_id for order in books.orders.values() if since < order.updated_ns < until}
    assert due - told == set()
