"""The audit of balances that are streamed: what was lost is told once, what only lags never."""

from decimal import Decimal
from typing import Any

import pytest

from privstream.model.events import Balance, Gap, Notice
from privstream.model.exact import normal
from privstream.model.rest import HttpRequest, HttpResponse
from tests.joined import World
from tests.rest_play import answer

streamed = pytest.mark.parametrize("name", ["bitfinex", "kraken"])
STILL = 1e-9
"""Happenings a second: nothing but what a test lets happen."""
WALLETS = {"kraken": None, "bitfinex": "exchange"}
LAG = {"kraken": 60.0, "bitfinex": 10.0}
DEPOSIT = Decimal("0.75000000")


def still(name: str, **settings: Any) -> World:
    return World(name, rate=STILL, limits=False, audit_every=30.0, **settings)


def untold(run: World, currency: str = "BTC") -> None:
    """Money comes, and the exchange tells nobody: its frame is lost on its way."""
    run.simulated.market.books.balances[currency] += DEPOSIT  # type: ignore[attr-defined]  # it has them


def deposit(run: World, currency: str = "BTC", amount: Decimal = DEPOSIT) -> None:
    """Money comes, and the stream tells of it."""
    run.simulated.market.books.transfer(currency, amount)  # type: ignore[attr-defined]  # it has them


def held(run: World, currency: str = "BTC") -> str:
    books = run.simulated.market.books  # type: ignore[attr-defined]  # it has them
    return normal(format(books.balances[currency], "f"))


def of_rest(run: World) -> list[Balance]:
    return [balance for balance in run.told(Balance) if balance.source == "rest"]


@streamed
def test_a_balance_that_the_stream_never_told_is_healed_once_with_a_gap(name: str) -> None:
    run = still(name).at(20, untold)
    run.watch(170)
    [gap] = run.told(Gap)
    assert (gap.cause, gap.complete, gap.recovered.balances) == ("drift", True, 1)
    [healed] = of_rest(run)
    assert (healed.currency, healed.wallet) == ("BTC", WALLETS[name])
    assert normal(healed.total) == held(run)
    assert run.events.index(healed) < run.events.index(gap)
    assert (healed.change, healed.reason, healed.time) == (None, None, None)


def test_a_lost_ledger_frame_of_kraken_is_found_before_the_next_one_shows_the_jump() -> None:
    run = still("kraken").at(20, deposit, "EUR")
    lost: list[str] = []

    def spoil(text: str) -> list[str]:
        if '"ledger_id"' not in text:
            return [text]
        lost.append(text)
        return []

    run.spoil = spoil
    run.watch(119)
    assert len(lost) == 1
    assert [gap.cause for gap in run.told(Gap)] == ["drift"]
    assert [normal(balance.total) for balance in of_rest(run)] == [held(run, "EUR")]


@streamed
def test_rest_that_lags_behind_the_stream_is_not_believed(name: str) -> None:
    run = still(name).at(20, deposit)
    until = run.clock.now().monotonic + 30 + LAG[name] / 2

    def lagging(request: HttpRequest) -> HttpResponse | None:
        if run.clock.now().monotonic > until:
            return None
        balances = run.simulated.market.books.balances  # type: ignore[attr-defined]  # it has them
        balances["BTC"] -= DEPOSIT
        try:
            return run._answered(request)
        finally:
            balances["BTC"] += DEPOSIT

    run.at(21, lambda of: setattr(of, "refuse", lagging))
    run.watch(130)
    assert len([name for name in run.requests if name in {"Balance", "auth/r/wallets"}]) >= 3
    assert run.told(Gap) == []
    assert of_rest(run) == []


def test_what_rest_rounds_away_on_bitfinex_is_no_difference() -> None:
    run = still("bitfinex").at(20, deposit, "USD", Decimal("0.00000000999"))
    run.watch(119)
    assert "auth/r/wallets" in run.requests
    assert run.told(Gap) == []
    assert {b.source for b in run.told(Balance) if (b.total or "").endswith("00999")} == {"stream"}


def test_an_asset_in_an_earn_wallet_is_left_alone() -> None:
    run = still("kraken").at(20, untold, "ETH").at(20, untold, "BTC")
    run.watch(119)
    assert {balance.currency for balance in of_rest(run)} == {"BTC"}


def test_a_key_that_may_not_query_funds_has_the_rest_compared_and_is_told_once() -> None:
    denied = answer({"error": ["EGeneral:Permission denied"]})
    run = World("kraken", seed=3, limits=False, audit_every=30.0)
    run.refuse = lambda request: denied if request.path.endswith("/Balance") else None
    run.watch(170)
    [notice] = [notice for notice in run.told(Notice) if notice.code == "audit"]
    assert notice.text.startswith("balances are no longer compared with REST: Kraken does not")
    assert run.requests.count("Balance") == 1
    assert run.requests.count("OpenOrders") >= 3
    assert run.told(Gap) == []


def test_who_streams_no_balances_has_none_compared() -> None:
    run = still("kraken", channels=["orders"])
    run.watch(100)
    assert run.requests.count("OpenOrders") == 3, "once in each period"
    assert "Balance" not in run.requests


def test_balances_that_cannot_be_read_again_are_found_by_the_next_comparison() -> None:
    run = still("kraken").at(20, untold).at(31, World.unreachable_for, 70)
    run.watch(220)
    assert [gap.cause for gap in run.told(Gap)] == ["drift"]
    assert len(of_rest(run)) == 1
    assert run.states().count("live") == 1
