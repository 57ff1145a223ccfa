"""What was read back is told page by page; the gap comes at the end, with all that is proven."""

from privstream.model.events import Balance, Gap, Order, Trade
from privstream.model.rest import HttpRequest, HttpResponse
from privstream.model.times import from_nanos, to_nanos
from tests.harsh_world import HarshWorld
from tests.joined import World
from tests.rest_play import answer
from tests.test_resume_after_loss import Resumed

BUSY = {"error": ["EService:Busy"]}


def back(run: World) -> list[Trade]:
    """The fills that were read back."""
    return [trade for trade in run.told(Trade) if trade.source == "rest"]


def test_fills_wait_for_no_part_that_fails_again_and_again() -> None:
    run = World("kraken", seed=2, rate=6.0, limits=False, since=180.0)

    def refuse(request: HttpRequest) -> HttpResponse | None:
        return answer(BUSY) if "ClosedOrders" in request.path else None

    run.refuse = refuse
    run.watch(60)
    first = back(run)[0]
    began = to_nanos(run.events[0].received)
    assert to_nanos(first.received) - began < 7 * 10**9
    assert len(set(run.told_trades())) == len(run.told_trades())


def test_history_begins_within_seconds_though_its_pages_take_minutes() -> None:
    run = World("kraken", seed=1, rate=6.0, limits=False, since=180.0)
    run.rest_takes = 2.0
    run.watch(120)
    pages = {trade.received for trade in back(run)}
    assert len(pages) > 2
    assert to_nanos(min(pages)) - to_nanos(run.events[0].received) < 13 * 10**9
    assert len(set(run.told_trades())) == len(run.told_trades())


def test_where_rest_is_quick_all_of_it_comes_oldest_first() -> None:
    run = World("kraken", seed=1, rate=6.0, limits=False, since=180.0)
    run.watch(20)
    told = [event.time for event in run.events if event.source == "rest" and event.time]
    assert len(told) > 100
    assert told == sorted(told)


def test_a_balance_that_the_second_look_finds_is_in_the_gap_and_makes_no_other() -> None:
    run = HarshWorld("poloniex", seed=3, lag=9.0)
    run.at(30, HarshWorld.stall, 10.0).at(38, HarshWorld.reset)
    run.watch(90)
    [gap] = run.told(Gap)
    assert gap.complete
    place = run.events.index(gap)
    late = [
        event
        for event in run.events[place:]
        if isinstance(event, Balance | Order | Trade) and event.source == "rest"
    ]
    assert late == []
    assert gap.recovered.balances > 0


# --- ends of short runs ------------------------------------------------------------------


def test_a_run_shorter_than_the_lag_proves_what_is_older_and_leaves_the_rest() -> None:
    account = Resumed("kraken", seed=2)
    account.run(90)
    second = account.run(30, after=600)
    [gap] = second.told(Gap)
    assert gap.complete
    assert gap.detail == "what happened since is read again by the next run with --resume"
    lag = (second.clock.now().wall_ns - to_nanos(gap.to)) / 1e9
    assert 60 < lag < 100
    assert from_nanos(account.cursors[-1]) == gap.to
    third = account.run(100, after=60)
    [gap_after] = third.told(Gap)
    assert (gap_after.from_, gap_after.complete) == (gap.to, True)
    assert_every_fill_once(account)


def test_a_run_that_comes_too_soon_proves_nothing_and_says_so() -> None:
    account = Resumed("kraken", seed=2)
    account.run(90)
    before = account.cursors[-1]
    second = account.run(20, after=5)
    [gap] = second.told(Gap)
    assert not gap.complete
    assert gap.detail is not None
    assert account.cursors[-1] == before
    account.run(100, after=60)
    assert_every_fill_once(account)


def assert_every_fill_once(account: Resumed) -> None:
    world = account.worlds[-1]
    books = world.simulated.market.books  # type: ignore[attr-defined]  # it has them
    since = to_nanos(account.events[1].received)
    until = world.clock.now().wall_ns - 6 * 10**9
    due = {t.trade_id for t in books.trades.values() if since <= t.time_ns <= until}
    told = account.trades()
    assert due - set(told) == set()
    assert len(told) == len(set(told))


# --- replayed by the server --------------------------------------------------------------


def test_what_the_server_replayed_in_full_is_proven_at_once() -> None:
    run = World("indodax", seed=8, limits=False, history=400).at(40, World.down, 5)
    run.watch(80)
    [gap] = run.told(Gap)
    assert gap.complete
    assert (to_nanos(gap.received) - to_nanos(gap.to)) / 1e9 < 3.0
