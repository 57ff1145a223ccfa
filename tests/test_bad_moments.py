"""An interruption at the worst moment: in a list, in the second look, at any state of a run's end."""

from dataclasses import replace

import pytest

from privstream import exchanges
from privstream.connection.rest.pacing import Pacing
from privstream.exchanges import find
from privstream.model.errors import Interrupted
from privstream.model.events import Gap
from privstream.model.times import to_nanos
from tests.benchmarks.invariants import Report, check
from tests.fake_clock import START_NS
from tests.harsh_world import HarshWorld
from tests.test_soak import evidence_of

every_exchange = pytest.mark.parametrize("name", exchanges.names())


def judged(run: HarshWorld) -> Report:
    return check(replace(evidence_of(run), stalls=run.stalls))


@pytest.mark.parametrize("frame", [2, 4])
@pytest.mark.parametrize("name", ["bitfinex", "kraken"])
def test_an_exchange_that_hangs_up_among_its_lists(name: str, frame: int) -> None:
    run = HarshWorld(name, seed=7).at(20, HarshWorld.down, 5)
    heard: list[str] = []

    def spoil(text: str) -> list[str]:
        if len(run.sockets) == 2:
            heard.append(text)
            if len(heard) >= frame:
                run.sockets[-1].end = Interrupted("the exchange hung up")
        return [text]

    run.spoil = spoil
    run.watch(120)
    assert judged(run).violations == []
    assert run.told(Gap)[-1].complete


@every_exchange
def test_a_second_look_that_another_cut_overtakes(name: str) -> None:
    lag = find(name).limits.rest_lag
    run = HarshWorld(name, seed=7, lag=0.9 * lag)
    run.at(20, HarshWorld.reset).at(21.3 + lag, HarshWorld.reset)
    run.rest_takes = 0.5
    run.watch(2.5 * lag + 60)
    report = judged(run)
    assert report.violations == []
    first, *_, last = run.told(Gap)
    assert not first.complete
    assert last.from_ <= first.to


def test_rest_that_is_mute_for_the_whole_run() -> None:
    run = HarshWorld("bitfinex", seed=7, audit_every=30.0)
    run.at(0.3, HarshWorld.dawdle, 30.0).at(40, HarshWorld.reset)
    run.watch(120)
    report = judged(run)
    assert report.violations == []
    assert [gap.complete for gap in run.told(Gap)] == [False]


@every_exchange
def test_a_run_that_ends_in_any_state_after_a_cut_says_what_it_did_not_see(name: str) -> None:
    for seconds in (20.2, 20.6, 21.5, 25.0, 32.0):
        run = HarshWorld(name, seed=7).at(20, HarshWorld.reset)
        run.rest_takes = 0.4
        run.watch(seconds)
        gaps = run.told(Gap)
        assert len(gaps) == run.states().count("retrying"), seconds
        assert all(gap.complete or gap.detail for gap in gaps)


@pytest.mark.parametrize("name", ["bitfinex", "poloniex"])
def test_a_reader_that_stalls_for_three_minutes(name: str) -> None:
    run = HarshWorld(name, seed=7, rate=1.0, audit_every=60.0)
    run.at(20, HarshWorld.stall, 180.0).watch(260)
    assert judged(run).violations == []
    assert run.stalls


def test_a_connection_that_breaks_again_and_again_is_read_back_all_the_same() -> None:
    run = HarshWorld("kraken", seed=7, rate=3.0, audit_every=300.0)
    run.pacing = Pacing((15.0, 0.33))
    for second in range(20, 320, 12):
        run.at(second, HarshWorld.reset)
    run.watch(470)
    report = judged(run)
    assert report.violations == []
    gaps = run.told(Gap)
    assert gaps[-1].complete
    begins = sorted({(to_nanos(gap.from_) - START_NS) // 10**9 for gap in gaps})
    assert len(begins) > 3
    assert begins[-1] > 120
