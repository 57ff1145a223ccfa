"""Budgets that several accounts, and several processes, count together."""

from pathlib import Path

import pytest
from msgspec import structs

from privstream.connection.budgets import ARRIVES, Budgets, SharedPacing, Turns
from privstream.connection.byte_store import MemoryByteStore
from privstream.connection.clock import Uptime
from privstream.exchanges import find
from privstream.exchanges.base import Exchange
from privstream.model.account import Account, Endpoints, Secret
from privstream.model.events import Status
from privstream.model.times import to_nanos
from tests.fake_clock import FakeClock
from tests.joined import World

PERIOD = 15.0 + ARRIVES


class Computer:
    """A clock that all processes share, until it starts anew."""

    def __init__(self) -> None:
        self.boot, self.seconds = "first boot", 500.0
        self.clock = FakeClock()

    def up(self) -> Uptime:
        return Uptime(self.boot, self.seconds)

    def turns(self, count: int = 5, period: float = 15.0) -> Turns:
        return Turns((count, period), MemoryByteStore(), self.up)


def exchange(name: str, key: str = "key") -> Exchange:
    credentials = {"api_key": Secret(key), "api_secret": Secret("c2VjcmV0")}
    place = Endpoints("https://rest.example", "wss://ws.example/v2")
    return find(name)(Account(key, name, credentials, place))


@pytest.fixture
def computer() -> Computer:
    return Computer()


def test_five_connect_at_once_and_the_others_in_the_order_in_which_they_came(
    computer: Computer,
) -> None:
    turns = computer.turns()
    assert [turns.take() for _ in range(12)] == [0.0] * 5 + [PERIOD] * 5 + [2 * PERIOD] * 2
    computer.seconds += 20.0
    assert turns.take() == 2 * PERIOD - 20.0


def test_a_hundred_accounts_never_connect_more_often_than_allowed(computer: Computer) -> None:
    turns = computer.turns()
    times: list[float] = []
    for _ in range(100):
        times.append(computer.seconds + turns.take())
        computer.seconds += 0.1
    times.sort()
    assert all(late - early >= PERIOD for early, late in zip(times, times[5:], strict=False))


def test_who_does_not_connect_after_all_leaves_his_turn_to_the_next(computer: Computer) -> None:
    turns = computer.turns(count=1)
    assert [turns.take(), turns.take()] == [0.0, PERIOD]
    turns.give_back()
    assert turns.take() == PERIOD


def test_after_a_new_start_of_the_computer_old_turns_are_over(computer: Computer) -> None:
    turns = computer.turns(count=1)
    turns.take()
    computer.boot, computer.seconds = "second boot", 3.0
    assert turns.take() == 0.0


def test_two_processes_spend_from_one_budget(computer: Computer, tmp_path: Path) -> None:
    one, other = (Budgets(tmp_path, computer.clock, computer.up) for _ in range(2))
    first, second = one.requests(exchange("kraken")), other.requests(exchange("kraken"))
    now = computer.clock.now()
    assert first.take(10.0, now) == 0.0
    assert second.take(10.0, now) == pytest.approx(5.0 / 0.33)
    second.close(60.0, now)
    assert first.take(1.0, now) == pytest.approx(60.0)
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.iterdir())


def test_another_key_has_another_budget_unless_the_address_is_counted(
    computer: Computer, tmp_path: Path
) -> None:
    budgets, now = Budgets(tmp_path, computer.clock, computer.up), computer.clock.now()
    for name, is_shared in (("kraken", False), ("bitfinex", True)):
        mine, theirs = (budgets.requests(exchange(name, key)) for key in ("mine", "theirs"))
        whole = exchange(name).limits.rest_budget[0]
        assert mine.take(whole, now) == 0.0
        assert (theirs.take(whole, now) > 0.0) == is_shared


def test_accounts_of_one_exchange_take_turns_whatever_their_keys(computer: Computer) -> None:
    budgets = Budgets(None, computer.clock, computer.up)
    waits = [budgets.connects(exchange("bitfinex", f"key {n}")).take() for n in range(6)]
    assert waits == [0.0] * 5 + [PERIOD]
    assert budgets.connects(exchange("kraken")).take() == 0.0


def test_a_budget_that_is_learnt_counts_from_then_on(computer: Computer) -> None:
    kraken, now = exchange("kraken"), computer.clock.now()
    pacing = Budgets(None, computer.clock, computer.up).requests(kraken)
    assert pacing.take(15.0, now) == 0.0
    assert pacing.take(1.0, now) == pytest.approx(1.0 / 0.33)
    kraken.limits = structs.replace(kraken.limits, rest_budget=(20.0, 1.0))
    assert pacing.take(1.0, now) == pytest.approx(1.0)


def test_a_torn_file_counts_as_nothing(computer: Computer, tmp_path: Path) -> None:
    budgets, now = Budgets(tmp_path, computer.clock, computer.up), computer.clock.now()
    pacing = budgets.requests(exchange("kraken"))
    pacing.take(15.0, now)
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:7])
    assert pacing.take(15.0, now) == 0.0


def test_where_no_file_can_be_kept_the_process_counts_for_itself(
    computer: Computer, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    pacing = Budgets(tmp_path / "file", computer.clock, computer.up).requests(exchange("kraken"))
    now = computer.clock.now()
    assert pacing.take(15.0, now) == 0.0
    assert pacing.take(15.0, now) > 0.0


def test_what_is_left_to_others_is_not_spent(computer: Computer) -> None:
    pacing, now = (
        SharedPacing(lambda: (10.0, 1.0), MemoryByteStore(), computer.up),
        computer.clock.now(),
    )
    assert pacing.take(4.0, now, spare=0.4) == 0.0
    assert pacing.take(4.0, now, spare=0.4) == pytest.approx(2.0)
    assert pacing.take(4.0, now) == 0.0


def test_who_waits_for_its_turn_says_so_and_connects_when_it_comes(computer: Computer) -> None:
    budgets = Budgets(None, computer.clock, computer.up)
    run = World("bitfinex", limits=False, budgets=budgets)
    while budgets.connects(run.exchange).take() < 2 * PERIOD:
        """Others were there before."""
    run.watch(60)
    waiting, connecting = run.told(Status)[:2]
    assert (waiting.state, waiting.retry_in, waiting.attempt) == ("retrying", 2 * PERIOD, None)
    assert waiting.detail == (
        "waiting for its turn: Bitfinex allows 5 connections in 15 s from one address"
    )
    assert connecting.state == "connecting"
    assert to_nanos(connecting.received) - to_nanos(waiting.received) == round(2 * PERIOD * 1e9)
