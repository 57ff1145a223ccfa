"""An account on which nothing happens costs nothing but its signs of life."""

import pytest

from tests.joined import World

SECONDS = 120.0


@pytest.mark.parametrize("name", ["kraken", "poloniex"])
def test_a_quiet_account_sleeps_until_its_next_ping(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, looks = World(name, rate=0.001), 0
    look = run.supervisor._recovery._poll

    def counted() -> None:
        nonlocal looks
        looks += 1
        look()

    monkeypatch.setattr(run.supervisor._recovery, "_poll", counted)
    run.watch(SECONDS)
    assert run.states() == ["connecting", "live", "stopped"]
    assert run.supervisor.turns < 1.4 * SECONDS, "twice a second it need not look at the clock"
    assert looks < 0.8 * SECONDS, "beside the stream there is nothing to do"
