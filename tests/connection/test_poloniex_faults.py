"""Poloniex's passing faults over REST, which come as refusals of the single call."""

import pytest

from privstream.model.events import Gap, Notice, Trade
from tests.joined import World


@pytest.mark.parametrize("busy_every", [2, 3])
def test_an_interruption_is_read_back_whole_though_calls_meet_passing_faults(
    busy_every: int,
) -> None:
    run = World("poloniex", seed=5, limits=False, busy_every=busy_every).at(20, World.down, 10)
    run.watch(120)
    [gap] = run.told(Gap)
    assert gap.complete, gap.detail
    assert gap.recovered.trades > 0
    books = run.simulated.market.books  # type: ignore[attr-defined]  # it has them
    end = run.clock.now().wall_ns
    truth = {t.trade_id for t in books.trades.values() if end - 115e9 < t.time_ns < end - 5e9}
    told = [trade.trade_id for trade in run.told(Trade)]
    assert truth <= set(told)
    assert len(told) == len(set(told))
    assert not [notice for notice in run.told(Notice) if notice.code == "incomplete"]


def test_a_fault_that_never_passes_leaves_a_gap_that_names_the_parts() -> None:
    run = World("poloniex", seed=5, limits=False).at(20, World.down, 10)

    def never_well(run: World) -> None:
        run.simulated.rest.busy_every = 1  # type: ignore[attr-defined]  # Poloniex's

    run.at(19, never_well).watch(200)
    [gap] = [gap for gap in run.told(Gap) if gap.cause == "disconnected"][:1]
    assert not gap.complete
    assert "fills" in (gap.detail or "")
    assert "balances" in (gap.detail or "")
