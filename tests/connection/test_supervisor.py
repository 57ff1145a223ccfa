"""A supervisor against a simulated Kraken in memory: interruptions, refusals, the truth of gaps."""

import json
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import pytest

from privstream.model.errors import (
    Exit,
    LoginRefused,
    PermissionMissing,
    PrivstreamError,
    Refused,
    Unreachable,
)
from privstream.model.events import Balance, Gap, Notice, Order, Status, Trade
from privstream.model.rest import HttpRequest, HttpResponse
from privstream.model.times import to_nanos
from privstream.simulator.market import Books
from tests.joined import World
from tests.rest_play import answer
from tests.valid import assert_valid

PROTOCOLS = pytest.mark.parametrize("protocol", ["v2", "v1"])


def world(protocol: str = "v2", **settings: Any) -> World:
    return World("kraken", options={"protocol": protocol}, limits=False, **settings)


LATEST = 2 * 10**9
"""What happened in the last two seconds may not have been told yet."""


def assert_whole(of: World) -> None:
    """Every trade since the start once, every order as it stands, no id twice, all valid."""
    ids = [event.id for event in of.events if event.id is not None]
    assert len(ids) == len(set(ids))
    for event in of.events:
        assert_valid(event)
    books: Books = of.simulated.market.books  # type: ignore[attr-defined]  # every simulated one has it
    since, until = to_nanos(of.events[0].received), of.clock.now().wall_ns - LATEST
    assert_trades_whole(of.told_trades(), books, since, until)
    if "orders" in of.channels:
        assert_orders_whole(of.told(Order), books, since, until)


def assert_trades_whole(told: list[str], books: Books, since: int, until: int) -> None:
    truth = {t.trade_id: t.time_ns for t in books.trades.values() if t.time_ns >= since}
    assert {name for name, time in truth.items() if time < until} <= set(told), "trades were lost"
    assert set(told) <= set(truth), "trades were told that never were"


def assert_orders_whole(told: list[Order], books: Books, since: int, until: int) -> None:
    last = {order.order_id: order for order in told}
    for order in books.orders.values():
        if since <= order.updated_ns < until:
            event = last[order.order_id]
            partial = order.status == "open" and order.filled
            assert event.status == ("partially_filled" if partial else order.status)
            assert Decimal(event.filled or "0") == order.filled, order.order_id
            assert Decimal(event.quantity or "0") == order.quantity, order.order_id


@PROTOCOLS
def test_an_undisturbed_minute_is_told_whole(protocol: str) -> None:
    run = world(protocol)
    run.watch(60)
    assert run.states() == ["connecting", "live", "stopped"]
    assert run.told(Gap) == []
    assert len(run.told(Trade)) > 10
    assert_whole(run)


@PROTOCOLS
@pytest.mark.parametrize("seed", range(2))
def test_after_a_cut_everything_missed_is_read_back_and_a_gap_says_so(
    protocol: str, seed: int
) -> None:
    run = world(protocol, seed=seed).at(20, World.down, 15)
    run.watch(150)
    [gap] = run.told(Gap)
    assert gap.complete, gap.detail
    assert gap.cause == "disconnected"
    read_back = [e for e in run.events if e.source == "rest"]
    assert gap.recovered.trades == sum(isinstance(e, Trade) for e in read_back) > 0
    assert gap.recovered.orders == sum(isinstance(e, Order) for e in read_back)
    assert gap.recovered.balances == sum(isinstance(e, Balance) for e in read_back)
    assert_whole(run)


def test_the_gap_lies_around_the_interruption_and_follows_what_was_read_back() -> None:
    run = world().at(20, World.down, 10)
    events = run.watch(120)
    [gap] = run.told(Gap)
    [lost] = [s for s in run.told(Status) if s.state == "retrying"][:1]
    assert gap.from_ <= lost.received < gap.to
    position = events.index(gap)
    sources = [e.source for e in events[:position] if e.received > lost.received]
    assert "rest" in sources
    assert not any(e.source == "rest" for e in events[position:])


def test_what_is_read_back_comes_oldest_first() -> None:
    """What waits for no older facts, since newer ones of the same order came, is a set of its own."""
    run = world().at(20, World.down, 30)
    run.watch(150)
    told: dict[str, list[str]] = {}
    for event in run.events:
        if event.source == "rest" and event.time is not None:
            told.setdefault(event.received, []).append(event.time)
    assert max(map(len, told.values())) > 10
    assert all(times == sorted(times) for times in told.values())


def test_an_interruption_in_which_nothing_was_missed_has_its_gap_too() -> None:
    run = world(rate=0.001).at(20, World.cut)
    run.watch(120)
    [gap] = run.told(Gap)
    assert gap.complete
    assert (gap.recovered.orders, gap.recovered.trades, gap.recovered.balances) == (0, 0, 0)


def test_a_silent_socket_is_noticed_and_replaced() -> None:
    run = world().at(20, World.mute, 14)
    run.watch(150)
    [gap] = run.told(Gap)
    assert gap.cause == "silence"
    assert_whole(run)


def test_a_lost_frame_is_noticed_by_its_number_and_read_back() -> None:
    dropped: list[str] = []

    def drop_one_trade(text: str) -> Iterable[str]:
        if '"exec_type":"trade"' in text and '"type":"update"' in text and not dropped:
            dropped.append(text)
            return []
        return [text]

    run = world()
    run.spoil = drop_one_trade
    run.watch(120)
    assert dropped
    assert run.told(Gap)[0].cause == "sequence"
    assert_whole(run)


def test_every_frame_twice_changes_nothing() -> None:
    run = world()
    run.spoil = lambda text: [text, text]
    run.watch(40)
    assert run.told(Gap) == []
    assert_whole(run)


def test_junk_in_between_is_a_notice_and_harms_nothing() -> None:
    run = world()
    run.spoil = lambda text: ["<html>", text] if '"executions"' in text else [text]
    run.watch(40)
    assert run.told(Gap) == []
    assert {notice.code for notice in run.told(Notice)} == {"unrecognised"}
    assert_whole(run)


def test_every_connection_has_a_token_of_its_own() -> None:
    run = world().at(10, World.cut).at(20, World.cut).at(30, World.cut)
    run.watch(120)
    tokens = [json.loads(socket.sent[0])["params"]["token"] for socket in run.sockets]
    assert len(tokens) == len(set(tokens)) >= 4


def refusing(name: str, error: str) -> Callable[[HttpRequest], HttpResponse | None]:
    def refuse(request: HttpRequest) -> HttpResponse | None:
        return answer({"error": [error]}) if request.path.endswith(name) else None

    return refuse


def test_a_wrong_key_is_asked_once_and_never_again() -> None:
    run = world()
    run.refuse = refusing("GetWebSocketsToken", "EAPI:Invalid key")
    with pytest.raises(LoginRefused):
        run.watch(120)
    assert run.requests == ["GetWebSocketsToken"]


def test_a_missing_right_ends_with_its_name() -> None:
    with pytest.raises(PermissionMissing) as caught:
        world(rights=frozenset({"open_orders", "closed_orders", "funds"})).watch(60)
    assert "Access WebSockets API" in (caught.value.hint or "")


def test_tokens_that_are_all_dead_end_with_a_refusal() -> None:
    run = world()
    token = {"token": "dead", "expires": 900}

    def refuse(request: HttpRequest) -> HttpResponse | None:
        return answer({"error": [], "result": token}) if "Token" in request.path else None

    run.refuse = refuse
    with pytest.raises(Refused):
        run.watch(600)
    assert run.requests.count("GetWebSocketsToken") == 2


def test_an_outage_at_the_start_is_waited_for_and_what_happened_meanwhile_is_told() -> None:
    run = world()
    run.unreachable_for(40)
    run.watch(120)
    assert run.states()[:2] == ["connecting", "retrying"]
    assert run.told(Gap) == []
    assert_whole(run)


def test_max_retries_gives_up_with_the_last_reason() -> None:
    run = world(max_retries=2)
    run.unreachable_for(1000)
    with pytest.raises(Unreachable):
        run.watch(500)
    assert run.states().count("connecting") == 3


def test_a_history_that_is_refused_leaves_the_stream_running_and_the_gap_incomplete() -> None:
    run = world("v1").at(20, World.cut)
    run.refuse = refusing("ClosedOrders", "EGeneral:Permission denied")
    run.watch(120)
    [gap] = run.told(Gap)
    assert not gap.complete
    assert "Query closed orders & trades" in (gap.detail or "")
    assert run.states()[-2:] == ["live", "stopped"]


def test_a_history_that_cannot_be_read_just_now_is_tried_again() -> None:
    failures = [answer("", 503), answer("<html>", 200, **{"content-type": "text/html"})]

    def refuse(request: HttpRequest) -> HttpResponse | None:
        return failures.pop() if "ClosedOrders" in request.path and failures else None

    run = world().at(20, World.down, 5)
    run.refuse = refuse
    run.watch(120)
    assert failures == []
    assert run.told(Gap)[0].complete
    assert_whole(run)


def test_a_history_that_stays_away_makes_the_gap_say_why() -> None:
    run = world().at(20, World.down, 5)
    run.refuse = refusing("ClosedOrders", "EService:Unavailable")
    run.watch(120)
    [gap] = run.told(Gap)
    assert not gap.complete
    assert "EService:Unavailable" in (gap.detail or "")


def test_a_second_look_finds_what_rest_told_late() -> None:
    empty = {"error": [], "result": {"trades": {}, "count": 0}}

    def late(request: HttpRequest) -> HttpResponse | None:
        is_early = run.clock.now().monotonic < opened + 50
        return answer(empty) if "TradesHistory" in request.path and is_early else None

    run = world("v1", channels=["trades"])
    opened = run.clock.now().monotonic
    run.spoil = _without_snapshot_trades
    run.refuse = late
    run.at(20, World.down, 10)
    run.watch(200)
    [gap] = run.told(Gap)
    assert (gap.cause, gap.complete) == ("disconnected", True)
    assert gap.recovered.trades > 0
    assert_whole(run)


def _without_snapshot_trades(text: str) -> Iterable[str]:
    if '"ownTrades",{"sequence":1}' in text:
        return ['[[],"ownTrades",{"sequence":1}]']
    return [text]


def test_a_connection_that_keeps_dying_waits_longer_and_longer() -> None:
    run = world(rate=0.01)
    for second in range(1, 200):
        run.at(second, World.cut)
    run.watch(200)
    waits = [s.retry_in for s in run.told(Status) if s.retry_in is not None]
    assert max(waits[:3]) < 2 < max(waits[5:])
    assert run.states().count("connecting") <= 120


def test_stop_ends_a_wait_at_once() -> None:
    run = world()
    run.unreachable_for(1000)
    run.watch(5)
    assert run.states()[-1] == "stopped"


@pytest.mark.parametrize("ahead", [600.0, -600.0])
@pytest.mark.parametrize("name", ["bitfinex", "kraken"])
def test_the_exchanges_clock_decides_what_was_before_the_start(name: str, ahead: float) -> None:
    """Ours is ten minutes off; Bitfinex answers over REST only after the gap."""
    run = World(name, limits=False, seed=2, ahead=ahead).at(30, World.down, 15)
    run.watch(120)
    assert run.told(Gap)[0].recovered.trades > 0
    books: Books = run.simulated.market.books  # type: ignore[attr-defined]  # it has them
    end = run.clock.now().wall_ns
    truth = {
        t.trade_id for t in books.trades.values() if end - 115 * 10**9 < t.time_ns < end - LATEST
    }
    assert truth <= set(run.told_trades())
    old = {t.trade_id for t in books.trades.values() if t.time_ns < end - 122 * 10**9}
    assert not old & set(run.told_trades())


def test_a_clock_that_is_off_is_said_once() -> None:
    run = World("kraken", limits=False, ahead=60.0).at(20, World.cut)
    run.watch(120)
    [notice] = [notice for notice in run.told(Notice) if notice.code == "clock_skew"]
    assert "60 s ahead of" in notice.text


def test_a_computer_that_slept_connects_anew_at_once() -> None:
    run = world().at(30, lambda run: run.clock.step_wall(120))
    run.watch(120)
    assert [gap.cause for gap in run.told(Gap)] == ["suspended"]
    assert_whole(run)


def test_a_connection_that_cannot_be_read_is_given_up_after_a_hundred_frames() -> None:
    run = world()
    run.spoil = lambda text: ["<html>"] * 30 if run.clock.now().monotonic > begin else [text]
    begin = run.clock.now().monotonic + 20
    run.at(40, _read_again)
    run.watch(120)
    assert run.told(Gap)[0].cause == "unreadable"
    assert_whole(run)


def _read_again(run: World) -> None:
    run.spoil = lambda text: [text]


@pytest.mark.parametrize("code", [1000, 1001, 1005, 1011, 1012, 1013, 3000, 4000])
def test_a_passing_close_is_followed_by_a_new_connection(code: int) -> None:
    run = world(rate=0.5).at(20, World.close, code, "bye")
    run.watch(120)
    [gap] = run.told(Gap)
    assert gap.complete
    waits = [s.retry_in for s in run.told(Status) if s.state == "retrying"]
    assert waits[0] is not None
    assert (waits[0] >= 5.0) == (code in {1012, 1013})


@pytest.mark.parametrize("code", [1002, 1003, 1007, 1009])
def test_a_close_that_blames_us_is_our_bug_and_ends_with_exit_1(code: int) -> None:
    with pytest.raises(PrivstreamError) as caught:
        world().at(20, World.close, code, "no").watch(60)
    assert caught.value.exit == Exit.OURS
    assert str(code) in caught.value.message


def test_a_policy_close_is_tried_again_with_a_new_login_and_then_ends_with_exit_4() -> None:
    run = world()
    for tenth in range(1, 600):
        run.at(tenth / 10, World.close, 1008, "policy")
    with pytest.raises(PrivstreamError) as caught:
        run.watch(120)
    assert caught.value.exit == Exit.REFUSED
    assert run.requests.count("GetWebSocketsToken") <= 4


def test_a_run_that_ends_in_an_interruption_says_that_it_was_not_read_back() -> None:
    run = world().at(20, World.down, 100)
    run.watch(40)
    [gap] = run.told(Gap)
    assert not gap.complete
    assert "ended before" in (gap.detail or "")


def test_a_connection_that_dies_while_reading_back_still_tells_what_it_listed() -> None:
    run = world(seed=3).at(20, World.down, 8)
    begin = run.clock.now().monotonic

    def slow(request: HttpRequest) -> HttpResponse | None:
        early = run.clock.now().monotonic < begin + 60
        return answer("", 503) if "ClosedOrders" in request.path and early else None

    run.refuse = slow
    for second in range(30, 60, 2):
        run.at(second, World.cut)
    run.watch(200)
    first_gap = run.told(Gap)[0].received
    assert [
        trade for trade in run.told(Trade) if trade.source == "rest" and trade.received < first_gap
    ]
    assert_whole(run)
