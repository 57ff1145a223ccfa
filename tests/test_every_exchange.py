"""Every exchange against its strict simulator in memory: nothing lost, doubled or untrue."""

from typing import Any

import pytest

from privstream import exchanges
from privstream.model.events import Balance, Gap, Notice, Order, Status, Trade
from privstream.model.rest import HttpRequest, HttpResponse
from privstream.model.times import to_nanos
from tests.joined import World
from tests.valid import assert_valid

every_exchange = pytest.mark.parametrize("name", exchanges.names())
LATEST = 6 * 10**9
"""What happened in the last seconds may not have been told yet: a fee may be waited for."""


def world(name: str, **settings: Any) -> World:
    return World(name, limits=False, **settings)


def assert_true(run: World) -> None:
    """Every fill of the simulator's books since the start once; no id twice; all valid."""
    ids = [event.id for event in run.events if event.id is not None]
    assert len(ids) == len(set(ids)), "an id came twice"
    for event in run.events:
        assert_valid(event)
    unread = [n for n in run.told(Notice) if n.code in {"unrecognised", "look_up", "incomplete"}]
    assert unread == []
    books = run.simulated.market.books  # type: ignore[attr-defined]  # every simulated one has it
    live = next(status for status in run.told(Status) if status.state == "live")
    since, until = to_nanos(live.received), run.clock.now().wall_ns - LATEST
    truth = {t.trade_id: t for t in books.trades.values() if t.time_ns >= since}
    told = {trade.trade_id: trade for trade in run.told(Trade)}
    lost = {name for name, trade in truth.items() if trade.time_ns < until} - told.keys()
    assert lost == set(), "trades were lost"
    for name in told.keys() & truth.keys():
        # Indodax puts pair and type before the number.
        assert (told[name].order_id or "").endswith(truth[name].order.order_id)
        assert told[name].side == truth[name].order.side
    early = {t.trade_id for t in books.trades.values()} - truth.keys()
    assert_no_untrue_trades(run, told.keys() - truth.keys() - early)


def assert_no_untrue_trades(run: World, extra: set[str]) -> None:
    """Only Bitfinex's margin desk trades besides the market's books."""
    assert not extra or run.supervisor.exchange.name == "bitfinex"


@every_exchange
def test_an_undisturbed_minute_is_told_whole(name: str) -> None:
    run = world(name)
    run.watch(60)
    assert run.states() == ["connecting", "live", "stopped"]
    assert run.told(Gap) == []
    assert len(run.told(Trade)) > 10
    assert {type(event) for event in run.events} >= {Order, Trade, Balance, Status}
    assert_true(run)


@every_exchange
def test_an_interruption_is_read_back_and_ends_in_a_gap(name: str) -> None:
    run = world(name).at(20, World.down, 12)
    run.watch(110)
    [gap] = run.told(Gap)
    assert gap.recovered.trades > 0
    assert gap.cause == "disconnected"
    assert gap.complete or gap.detail
    assert_true(run)


@every_exchange
def test_many_cuts_lose_and_double_nothing(name: str) -> None:
    run = world(name)
    for second in range(15, 80, 14):
        run.at(second, World.cut)
    run.watch(100)
    assert len(run.told(Gap)) >= 4
    assert_true(run)


@every_exchange
def test_a_socket_that_stays_open_and_says_nothing_is_replaced(name: str) -> None:
    run = world(name).at(15, World.mute, 60)
    run.watch(120)
    assert [gap.cause for gap in run.told(Gap)][:1] == ["silence"]
    assert_true(run)


@every_exchange
def test_every_frame_twice_doubles_nothing(name: str) -> None:
    if name == "bitfinex":
        return  # its frames are numbered: a number that comes again is itself a fault there
    run = world(name)
    run.spoil = lambda text: [text, text] if '"order' in text or '"trade' in text else [text]
    run.watch(30)
    assert_true(run)


@every_exchange
def test_the_events_end_where_the_stream_is_stopped(name: str) -> None:
    run = world(name)
    run.watch(3)
    assert run.states()[-1] == "stopped"


# --- a single lost frame -------------------------------------------------------------------

WITHOUT_NUMBERS = pytest.mark.parametrize("name", ["indodax", "poloniex", "zerocap"])


def swallow_one(run: World, after: float, *words: str) -> list[str]:
    """Lose one frame that holds all these words, without a trace."""
    lost: list[str] = []
    begin = run.clock.now().monotonic + after

    def spoil(text: str) -> list[str]:
        late = run.clock.now().monotonic >= begin
        if late and not lost and all(word in text for word in words):
            lost.append(text)
            return []
        return [text]

    run.spoil = spoil
    return lost


@WITHOUT_NUMBERS
def test_a_frame_that_is_lost_without_a_trace_is_found_by_the_audit(name: str) -> None:
    words = {"indodax": '"FILL"', "poloniex": '"eventType":"trade"', "zerocap": '"type":"trade"'}
    run = world(name, audit_every=25.0)
    lost = swallow_one(run, 15, words[name])
    if name == "zerocap":  # the same fill is told inside its order, too
        run.spoil = _without_trades_of(run, lost)
    run.watch(100)
    assert lost
    drifts = [gap for gap in run.told(Gap) if gap.cause == "drift"]
    assert drifts
    assert sum(gap.recovered.trades for gap in drifts) > 0
    assert_true(run)


def _without_trades_of(run: World, lost: list[str]) -> Any:
    begin = run.clock.now().monotonic + 15

    def spoil(text: str) -> list[str]:
        is_news = '"type":"trade"' in text or '"type":"order"' in text
        if is_news and begin <= run.clock.now().monotonic < begin + 10:
            lost.append(text)
            return []
        return [text]

    return spoil


@every_exchange
def test_an_audit_of_a_healthy_stream_finds_nothing(name: str) -> None:
    run = world(name, audit_every=20.0)
    run.watch(90)
    assert run.told(Gap) == []
    assert_true(run)


# --- since ---------------------------------------------------------------------------------


@every_exchange
def test_since_reads_history_back_first_and_goes_live_without_a_seam(name: str) -> None:
    run = world(name, since=240.0)
    run.watch(30)
    books = run.simulated.market.books  # type: ignore[attr-defined]  # it has them
    begin = run.clock.now().wall_ns - 265 * 10**9
    truth = [
        t for t in books.trades.values() if begin <= t.time_ns < run.clock.now().wall_ns - LATEST
    ]
    told = run.told_trades()
    assert len(told) == len(set(told))
    if name != "indodax":  # it lists history only of the pairs that the account has shown
        assert {trade.trade_id for trade in truth} <= set(told)
    assert any(trade.source == "rest" for trade in run.told(Trade))
    assert run.told(Gap) == []
    if name == "indodax":  # pairs that are first seen later add their history later
        return
    history = [t.time for t in run.told(Trade) if t.time and t.source == "rest"]
    assert history == sorted(history)


def missing_since(run: World, begin_ns: int) -> set[str]:
    """The trades since then that the books have and nobody told."""
    books = run.simulated.market.books  # type: ignore[attr-defined]  # it has them
    until = run.clock.now().wall_ns - LATEST
    truth = {t.trade_id for t in books.trades.values() if begin_ns <= t.time_ns < until}
    assert truth
    return truth - set(run.told_trades())


@every_exchange
def test_since_tells_fills_of_orders_that_were_placed_long_before_and_are_over(name: str) -> None:
    run = world(name, since=300.0, rate=0.2)
    begin = run.clock.now().wall_ns - 300 * 10**9
    run.watch(30)
    if name != "indodax":  # it lists history only of the pairs that the account has shown
        assert missing_since(run, begin) == set()


@every_exchange
def test_a_first_login_that_comes_late_reads_what_older_orders_did_meanwhile(name: str) -> None:
    run = world(name, rate=0.2)
    begin = run.clock.now().wall_ns
    run.unreachable_for(120.0)
    run.watch(180)
    if name != "indodax":
        assert missing_since(run, begin) == set()


def slow_to_tell_history(seconds: float) -> World:
    """Kraken answers every question about history with an outage, for so long."""
    run = world("kraken", channels=["trades"], seed=1, rate=6.0, since=240.0)
    until = run.clock.now().monotonic + seconds

    def refuse(request: HttpRequest) -> HttpResponse | None:
        is_out = "TradesHistory" in request.path and run.clock.now().monotonic < until
        return HttpResponse(503, {}, b"") if is_out else None

    run.refuse = refuse
    return run


def test_a_run_that_ends_before_its_history_was_read_says_so() -> None:
    run = slow_to_tell_history(60)
    run.watch(3)
    [notice] = run.told(Notice)
    assert notice.code == "incomplete"
    assert "the run ended before the history was read" in (notice.text or "")


def test_a_history_whose_reading_was_cut_off_is_read_on_the_next_connection() -> None:
    run = slow_to_tell_history(3).at(3, World.cut)
    run.watch(120)
    begin = run.clock.now().wall_ns - (120 + 235) * 10**9
    books = run.simulated.market.books  # type: ignore[attr-defined]  # it has them
    latest = run.clock.now().wall_ns - LATEST
    truth = {t.trade_id for t in books.trades.values() if begin <= t.time_ns < latest}
    told = run.told_trades()
    assert len(told) == len(set(told))
    assert truth <= set(told)
    [gap] = [gap for gap in run.told(Gap) if gap.cause != "rest_lag"]
    assert gap.complete
