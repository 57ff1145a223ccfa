"""Indodax against its strict simulator in memory: both kinds of keys, replays, another channel."""

from typing import Any

import pytest

from privstream.model.errors import LoginRefused, Refused
from privstream.model.events import Balance, Gap, Order, Trade
from tests.joined import World
from tests.test_every_exchange import assert_true

both_kinds = pytest.mark.parametrize("api", ["v1", "v2", "auto"])


def world(api: str = "v2", **settings: Any) -> World:
    return World("indodax", limits=False, options={"api": api}, **settings)


@both_kinds
def test_either_kind_of_key_streams_reads_back_and_is_checked(api: str) -> None:
    run = world(api, seed=3, audit_every=25.0).at(20, World.down, 15)
    run.watch(80)
    [gap] = [gap for gap in run.told(Gap) if gap.cause == "disconnected"]
    assert gap.recovered.trades > 0
    assert "only of the pairs seen so far" in (gap.detail or "")
    assert {type(event) for event in run.events} >= {Order, Trade, Balance}
    assert ("getInfo" in run.requests) is (api != "v2")
    assert ("account" in run.requests) is (api != "v1")
    if api == "auto":
        assert run.requests.count("account") == 1
    assert_true(run)


def test_what_stands_is_whole_for_a_key_of_tapi_v2() -> None:
    run = world(seed=5)
    run.watch(10)
    standing = [o for o in run.told(Order) if o.source == "snapshot"]
    assert len(standing) > 3
    assert all(order.filled is not None and order.quantity is not None for order in standing)


def test_the_pairs_that_the_user_named_are_read_back_whole() -> None:
    run = world(seed=6, view={"symbols": frozenset({"BTC/IDR", "ETH/IDR"})})
    account = run.exchange.account
    object.__setattr__(account, "symbols", ("BTC/IDR", "eth_idr"))
    run.at(30, World.down, 15).watch(120)
    [gap] = run.told(Gap)
    assert (gap.complete, gap.detail) == (True, None)
    assert {trade.symbol for trade in run.told(Trade)} == {"BTC/IDR", "ETH/IDR"}


@both_kinds
def test_since_reads_the_named_pairs_though_none_was_seen(api: str) -> None:
    run = world(api, seed=2, since=600.0, rate=4.0, view={"symbols": frozenset({"DOGE/BTC"})})
    object.__setattr__(run.exchange.account, "symbols", ("dogebtc",))
    run.watch(10)
    books = run.simulated.market.books  # type: ignore[attr-defined]  # it has them
    begin, now = run.clock.now().wall_ns - 600 * 10**9, run.clock.now().wall_ns - 12 * 10**9
    truth = {
        trade.trade_id
        for trade in books.trades.values()
        if begin <= trade.time_ns <= now and trade.order.symbol.name == "DOGE/BTC"
    }
    assert truth
    assert truth <= set(run.told_trades())


def test_a_channel_beside_makes_no_gap_and_loses_nothing() -> None:
    run = world(seed=7, history=400, beside=True)
    for second in (20, 45, 70):
        run.at(second, World.cut)
    run.watch(95)
    gaps = run.told(Gap)
    assert [(gap.cause, gap.complete) for gap in gaps] == [("disconnected", True)] * 3
    assert all(trade.source == "stream" for trade in run.told(Trade))
    assert_true(run)


def test_after_a_replay_the_audit_finds_a_lost_frame_all_the_same() -> None:
    run = world(seed=8, history=400, audit_every=20.0)
    lost: list[str] = []

    def spoil(text: str) -> list[str]:
        is_late = run.clock.now().monotonic > begin + 50
        if is_late and not lost and '"FILL"' in text and "\n" not in text:
            lost.append(text)
            # Without its place: the next one does not show that it is missing.
            run.spoil = lambda other: [other.replace('"offset"', '"no_offset"')]
            return []
        return [text]

    begin = run.clock.now().monotonic
    run.spoil = spoil
    run.at(30, World.cut).watch(110)
    assert lost
    gaps = [gap.cause for gap in run.told(Gap)]
    assert gaps[0] == "disconnected"
    assert "drift" in gaps


def test_a_key_of_tapi_v2_that_gets_no_token_is_refused_with_a_sentence() -> None:
    run = world(seed=9)
    run.simulated.rest.grants_newer = False  # type: ignore[attr-defined]  # Indodax's
    with pytest.raises(LoginRefused) as caught:
        run.watch(10)
    assert "may need a key of the older kind" in (caught.value.hint or "")


def test_a_user_that_is_expelled_again_after_a_fresh_login_hears_it() -> None:
    run = world(seed=10)
    for second in range(5, 60):
        run.at(second, World.close, 3503, "force disconnect")
    with pytest.raises(Refused, match="force disconnect"):
        run.watch(60)
    assert len(run.sockets) == 2


def test_a_user_that_is_expelled_once_is_back_with_a_fresh_login() -> None:
    run = world(seed=10).at(40, World.close, 3503, "force disconnect")
    run.watch(90)
    assert run.states().count("live") == 2
    assert_true(run)
