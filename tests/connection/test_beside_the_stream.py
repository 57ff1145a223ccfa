"""What reads over REST never keeps news of the stream waiting, however slow it is."""

import re
from collections.abc import Iterable

import pytest

from privstream import exchanges
from privstream.connection.rest.pacing import Pacing
from privstream.model.events import Balance, Gap, Notice, Order, Status, Trade
from privstream.model.rest import HttpRequest, HttpResponse
from privstream.model.times import to_nanos
from tests.joined import World
from tests.rest_play import answer

every_exchange = pytest.mark.parametrize("name", exchanges.names())
READING = (
    r"reading back from \d{4}-\d\d-\d\d \d\d:\d\d: 3 pages, [1-9]\d* facts, "
    r"at \d{4}-\d\d-\d\d \d\d:\d\d UTC"
)
FEE = {"bitfinex": 10.0}
"""Seconds that a fill may wait for its fee, where it is told in a message of its own."""


def late(run: World, after: float = 0.0) -> list[float]:
    """How late each fill of the stream was told, in seconds."""
    begin = to_nanos(run.events[0].received) + round(after * 1e9)
    return [
        (to_nanos(trade.received) - to_nanos(trade.time)) / 1e9
        for trade in run.told(Trade)
        if trade.source == "stream" and trade.time and to_nanos(trade.time) >= begin
    ]


@every_exchange
@pytest.mark.parametrize("takes", [8.0, 30.0], ids=["slow", "mute"])
def test_slow_or_mute_rest_delays_no_fill(name: str, takes: float) -> None:
    run = World(name, limits=False, audit_every=10.0)
    run.at(5, lambda world: setattr(world, "rest_takes", takes))
    run.watch(50)
    assert len(late(run, 5)) > 5
    assert max(late(run, 5)) < 2.0 + FEE.get(name, 0.0)


def test_an_audit_pages_within_its_budget_for_minutes_beside_the_stream() -> None:
    run = World("kraken", seed=1, rate=6.0, limits=False, audit_every=60.0)
    run.pacing = Pacing((15.0, 0.33))
    run.watch(180)
    assert run.requests.count("ClosedOrders") >= 4
    assert max(late(run)) < 1.5
    assert run.told(Gap) == []


@every_exchange
def test_live_events_come_while_an_interruption_is_read_back(name: str) -> None:
    run = World(name, limits=False).at(15, World.down, 20)
    run.at(16, lambda world: setattr(world, "rest_takes", 4.0))
    run.watch(140)
    catching, live = (
        next(
            s for s in run.told(Status) if s.state == state and s.received > run.events[40].received
        )
        for state in ("catching_up", "live")
    )
    assert to_nanos(live.received) - to_nanos(catching.received) > 3 * 10**9
    meanwhile = [
        event
        for event in run.events
        if event.source == "stream"
        and isinstance(event, Order | Trade)
        and catching.received < event.received < live.received
    ]
    assert meanwhile
    assert max(late(run)) < 2.0 + FEE.get(name, 0.0)
    ids = [event.id for event in run.events if event.id is not None]
    assert len(ids) == len(set(ids))


def test_history_that_takes_long_is_said_page_by_page_and_holds_up_nothing() -> None:
    run = World("kraken", seed=1, rate=3.0, limits=False, since=120.0)
    run.rest_takes = 2.0
    run.watch(120)
    first = next(trade for trade in run.told(Trade) if trade.source == "stream")
    assert (to_nanos(first.received) - to_nanos(run.events[0].received)) / 1e9 < 8.0
    said = [status.detail for status in run.told(Status) if status.state == "catching_up"]
    assert said[0] == "reading back"
    assert any(text and re.match(READING, text) for text in said)
    assert run.states()[-2:] == ["live", "stopped"]


def test_an_old_answer_takes_no_balance_back_that_the_stream_has_told() -> None:
    run = World("poloniex", limits=False, audit_every=15.0)
    run.rest_takes = 5.0
    run.watch(80)
    assert run.told(Gap) == []
    told = [balance for balance in run.told(Balance) if balance.source == "rest"]
    assert told == []


# --- the proof of `complete` -----------------------------------------------------------------


def held_back(run: World, word: str) -> None:
    """The second connection's list does not come."""

    def spoil(text: str) -> Iterable[str]:
        is_list = len(run.sockets) > 1 and '"snapshot"' in text and word in text
        return [] if is_list else [text]

    run.spoil = spoil


def test_a_list_that_never_came_makes_the_gap_say_so() -> None:
    run = World("kraken", seed=4, rate=1.0, limits=False).at(20, World.down, 30)
    held_back(run, '"executions"')
    run.watch(150)
    [gap] = run.told(Gap)
    assert not gap.complete
    assert "never listed all that stands" in (gap.detail or "")
    books = run.simulated.market.books  # type: ignore[attr-defined]  # it has them
    told = {order.order_id for order in run.told(Order)}
    missed = {o.order_id for o in books.orders.values() if o.created_ns >= to_nanos(gap.from_)}
    until = run.clock.now().wall_ns - 2 * 10**9
    assert {n for n in missed if books.orders[n].created_ns < until} <= told, "read over REST"


def test_a_gap_is_told_only_after_rest_lags_no_more() -> None:
    run = World("kraken", limits=False).at(20, World.cut)
    run.watch(120)
    [gap] = run.told(Gap)
    assert gap.complete
    assert (to_nanos(gap.received) - to_nanos(gap.to)) / 1e9 >= 60.0


def test_a_cut_before_the_second_look_makes_the_gap_say_so_and_the_next_goes_back_as_far() -> None:
    run = World("kraken", limits=False).at(20, World.cut).at(50, World.cut)
    run.watch(150)
    first, second = run.told(Gap)
    assert not first.complete
    assert first.detail == (
        "the connection broke again before REST, which may lag by 60 s, was read a second time"
    )
    assert second.complete
    assert second.from_ <= first.from_


def test_the_end_of_the_run_before_the_second_look_makes_the_gap_say_so() -> None:
    run = World("kraken", limits=False).at(20, World.cut)
    run.watch(50)
    [gap] = run.told(Gap)
    assert not gap.complete
    assert "the run ended before REST" in (gap.detail or "")


@every_exchange
def test_what_the_exchange_never_sent_to_a_reader_who_slept_is_read_back(name: str) -> None:
    """The frames in the socket are old; when they are read says nothing of what came after them."""
    run = World(name, limits=False)
    sleeping: list[float] = []
    told = run._outbox.events

    def sleep(events: list[object]) -> None:
        told(events)  # type: ignore[arg-type]  # they are events
        if not sleeping and run.clock.now().monotonic > 1030.0:
            sleeping.append(run.clock.now().monotonic)
            socket = run.sockets[-1]
            for _ in range(80):  # for 40 seconds it still sends
                run.clock.advance(0.5)
                assert socket._connection is not None
                socket._tick(socket._connection)
            run.cut()
            socket._tick = lambda connection: None  # type: ignore[method-assign]  # noqa: ARG005 - mute
            run.clock.advance(260)

    run._outbox.events = sleep  # type: ignore[method-assign,assignment]  # seen here
    run.watch(420)
    since = to_nanos(next(s for s in run.told(Status) if s.state == "live").received)
    until = run.clock.now().wall_ns - 6 * 10**9
    books = run.simulated.market.books  # type: ignore[attr-defined]  # it has them
    truth = {t.trade_id for t in books.trades.values() if since <= t.time_ns <= until}
    assert truth <= set(run.told_trades())
    assert run.told(Gap)


# --- a whole run -----------------------------------------------------------------------------


def test_asking_in_vain_is_said_once_and_costs_only_what_was_asked_for() -> None:
    run = World("indodax", limits=False)
    run.at(10, lambda world: setattr(world, "rest_takes", 30.0))
    run.watch(60)
    assert {notice.code for notice in run.told(Notice)} <= {"look_up"}
    assert run.states() == ["connecting", "live", "stopped"]


def test_an_order_that_ended_before_the_first_login_is_no_drift() -> None:
    """Kraken lists the fills of the time since the start, and no orders that have ended."""
    run = World("kraken", seed=1, rate=8.0, limits=False, audit_every=20.0)
    run.rest_takes = 2.0  # the token takes its time
    run.watch(60)
    assert run.told(Gap) == []
    assert [order for order in run.told(Order) if order.source == "rest"] == []


def test_a_question_that_is_refused_again_and_again_is_said_once_until_it_is_answered() -> None:
    run = World("indodax", seed=4, limits=False)
    refused = answer(
        {"success": 0, "error": "Invalid timestamp", "error_code": "invalid_timestamp"}
    )

    def refuse(request: HttpRequest) -> HttpResponse | None:
        second = run.clock.now().monotonic - begin
        is_refused = 5 < second < 60 or second > 90
        return refused if is_refused and b"getInfo" in request.body else None

    begin = run.clock.now().monotonic
    run.refuse = refuse
    run.watch(150)
    said = [n.text for n in run.told(Notice) if n.code == "look_up"]
    assert run.requests.count("getInfo") > 20
    assert (
        said == ["could not look up the balances: Indodax refuses getInfo: Invalid timestamp"] * 2
    )
