"""What the doctor finds of an account: clock, key, rights, login, channels."""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest

from privstream.connection.clock import SystemClock
from privstream.delivery.signals import Stop
from privstream.doctor.account import Equipment
from privstream.doctor.clock_skew import SET_CLOCK, judge
from privstream.doctor.examination import examine
from privstream.exchanges import names
from privstream.model.account import Account
from privstream.model.errors import Exit
from privstream.simulator import find
from privstream.simulator.server import Simulation
from tests.doctor.machine import KRAKEN, ClockOff, Machine, Report

WRONG = "V1JPTkc="
"""No account's secret, although it is base64."""


@contextmanager
def simulated(name: str, **settings: Any) -> Iterator[Simulation]:
    kind: Any = find(name)
    made = kind(seed=1, rate=2.0, limits=False, **settings)
    with Simulation([], exchanges={name: made}) as running:
        yield running


def test_accounts_of_all_exchanges_are_well(machine: Machine, simulation: Simulation) -> None:
    found = machine.configure(simulation, *names()).examine()
    assert not found.at("error")
    assert [*dict.fromkeys(f.account for f in found.findings)] == [None, *names()]
    for name in names():
        assert found.one("clock", name).level == "ok"
        assert found.one("key", name).level == "ok"
        assert found.one("login", name).level == "ok"
    warnings = {(f.account, f.check) for f in found.at("warning")}
    assert {check for _, check in warnings} <= {"override", "read_only"}


@pytest.mark.parametrize("name", ["kraken", "bitfinex", "poloniex", "indodax", "zerocap"])
def test_a_wrong_secret_is_found_with_one_try_and_its_advice_mends_it(
    machine: Machine, simulation: Simulation, name: str
) -> None:
    machine.configure(simulation, name, api_secret=WRONG)
    found = machine.examine()
    assert found.error().check == "key"
    assert found.error().exit is Exit.REFUSED
    assert "api_secret" in str(found.error().hint)
    assert found.one("login").level == "skipped"
    assert WRONG not in repr(found.findings)
    if name == "kraken":
        assert machine.configure(simulation, name).examine().is_well()


# --- the clock ---------------------------------------------------------------------------


def test_a_clock_fifteen_minutes_off_is_found_and_its_advice_mends_it(
    machine: Machine, simulation: Simulation
) -> None:
    machine.configure(simulation, "zerocap", "indodax", "kraken").clock = ClockOff(-900)
    found = machine.examine()
    for name in ("zerocap", "indodax"):
        error = found.one("clock", name)
        assert error.exit is Exit.REFUSED
        assert "behind" in error.message
        assert "timedatectl" in str(error.hint)
        assert found.one("login", name).level == "skipped"
    assert found.one("key", "zerocap").level == "skipped"
    assert found.one("clock", "kraken").level == "warning"
    machine.clock = ClockOff()
    assert not machine.examine().at("error")


@pytest.mark.parametrize(
    ("limits", "ahead", "level"),
    [
        (None, 3, "ok"),
        (None, -4, "ok"),
        (None, 900, "warning"),
        (None, -900, "warning"),
        ((300.0, math.inf), 9000, "warning"),
        ((300.0, math.inf), -299, "warning"),
        ((300.0, math.inf), -301, "error"),
        ((30.0, 30.0), 31, "warning"),  # it may only seem to be so far
        ((30.0, 30.0), 32, "error"),
        ((5.0, 1.0), 2, "ok"),
        ((5.0, 1.0), 3, "error"),
    ],
)
def test_a_clock_is_judged_by_what_the_exchange_refuses(
    limits: tuple[float, float] | None, ahead: float, level: str
) -> None:
    found = judge("Moon", round(-ahead * 1e9), limits)
    assert found.level == level
    assert level == "ok" or found.hint == SET_CLOCK


def test_how_far_a_clock_is_off_is_told_in_the_units_of_people() -> None:
    assert judge("Moon", 900 * 10**9, None).message == "clock: 15 min behind Moon's"
    assert judge("Moon", -3661 * 10**9, None).message == "clock: 1 h 1 min 1 s ahead of Moon's"


# --- rights ------------------------------------------------------------------------------


def test_a_missing_right_is_named_with_what_it_costs_and_giving_it_mends_it(
    machine: Machine,
) -> None:
    with simulated("kraken", rights=KRAKEN - {"closed_orders"}) as simulation:
        found = machine.configure(simulation, "kraken").examine()
    error = found.error()
    assert error.check == "right"
    assert error.exit is Exit.REFUSED
    assert "'Query closed orders & trades'" in error.message
    assert "complete: false" in error.message
    assert error.hint == (
        "give the key the right 'Query closed orders & trades' on Kraken's page of API keys"
    )
    with simulated("kraken", rights=KRAKEN) as simulation:
        assert machine.configure(simulation, "kraken").examine().is_well()


def test_a_channel_that_the_key_may_not_read_is_named_beside_those_that_it_may(
    machine: Machine,
) -> None:
    with simulated("kraken", rights=KRAKEN - {"funds"}) as simulation:
        found = machine.configure(simulation, "kraken").examine()
    channels = {f.message.split(":")[0]: f.level for f in found.of("channel")}
    assert channels == {
        "channel orders": "ok",
        "channel trades": "ok",
        "channel balances": "error",
    }
    assert "this examination took 4" in found.one("connects").message


def test_without_a_token_no_channel_is_tried(machine: Machine) -> None:
    with simulated("kraken", rights=KRAKEN - {"websocket"}) as simulation:
        found = machine.configure(simulation, "kraken").examine()
    assert "'Access WebSockets API'" in found.of("right")[0].message
    assert found.one("login").exit is Exit.REFUSED
    assert not found.of("channel")
    assert "examination took 0" in found.one("connects").message


def test_a_key_that_may_trade_and_withdraw_is_a_warning(machine: Machine) -> None:
    with simulated("kraken", rights=KRAKEN | {"trade", "cancel", "withdraw"}) as simulation:
        machine.configure(simulation, "kraken")
        found = machine.examine()
        assert [f.message for f in found.of("right") if f.level == "warning"] == [
            f"the key may {may}, which a stream does not need"
            for may in (
                "trade (Create & modify orders, Cancel & close orders)",
                "withdraw (Withdraw funds)",
            )
        ]
        assert "read_only = true in [accounts.kraken]" in str(found.one("read_only").hint)
        text = machine.config.read_text()
        machine.write(text.replace("[accounts.kraken]\n", "[accounts.kraken]\nread_only = true\n"))
        assert machine.examine().one("read_only").level == "ok"


def test_bitfinex_tells_rights_to_read_and_to_write(machine: Machine) -> None:
    read, write = frozenset({"orders", "wallets", "history"}), frozenset({"withdraw"})
    with simulated("bitfinex", read=read, write=write) as simulation:
        found = machine.configure(simulation, "bitfinex").examine()
    [missing] = [f for f in found.of("right") if f.level == "error"]
    assert "'positions: read'" in missing.message
    [warning] = [f for f in found.of("right") if f.level == "warning"]
    assert warning.message.startswith("the key may withdraw (withdraw: write)")
    assert not found.of("channel"), "it allows 5 connects"


@pytest.mark.parametrize(("name", "right"), [("poloniex", "Read"), ("indodax", "view")])
def test_a_key_that_may_not_read_is_found_where_no_call_lists_rights(
    machine: Machine, name: str, right: str
) -> None:
    with simulated(name, rights=frozenset()) as simulation:
        found = machine.configure(simulation, name).examine()
    [missing] = [f for f in found.of("right") if f.level == "error"]
    assert repr(right) in missing.message
    refused = [f.hint for f in found.of("login") if f.level == "error"]
    assert set(refused) <= {"give the key the right that it lacks, see above"}
    [unknown] = [f for f in found.of("right") if f.level == "skipped"]
    assert "cannot be told" in unknown.message
    assert unknown.ok is None


def test_which_kind_of_key_it_is_is_told(machine: Machine, simulation: Simulation) -> None:
    found = machine.configure(simulation, "indodax").examine().one("key")
    assert found.message == "key (TAPI v1): accepted, may read (view)"
    newer = simulation.account("indodax", {"api": "v2"})
    secrets = {key: secret.reveal() for key, secret in newer.credentials.items()}
    found = machine.configure(simulation, "indodax", **secrets).examine().one("key")
    assert found.message == "key (TAPI v2): accepted, may read (Reading)"


# --- tokens and time limits ----------------------------------------------------------------


def test_a_token_in_the_cache_is_told_and_used(machine: Machine, simulation: Simulation) -> None:
    machine.configure(simulation, "indodax")
    assert "none in the cache" in machine.examine().one("token").message
    found = machine.examine().one("token").message
    assert "good for 23 h 59 min" in found or "good for 24 h" in found


def test_a_cached_token_that_has_died_is_replaced_once(machine: Machine) -> None:
    with simulated("kraken", rights=KRAKEN) as simulation:
        machine.configure(simulation, "kraken")
        assert machine.examine().one("login").ok
        assert simulation.exchanges["kraken"].expire(SystemClock().now())
        found = machine.examine()
    assert found.one("login").ok
    assert "this examination took 2" in found.one("connects").message


def test_an_account_that_is_not_through_in_time_is_told(
    machine: Machine, simulation: Simulation
) -> None:
    stuck, equip = Event(), machine.equip

    def slow(account: Account) -> Equipment:
        if account.name == "kraken":
            stuck.wait(20)
        return equip(account)

    machine.configure(simulation, "poloniex", "kraken")
    found = Report([])
    for finding in examine(os.environ, (), slow, machine.clock, stop=Stop()):
        found.findings.append(finding)
        if finding.account == "kraken" and not machine.clock.passed:
            machine.clock.passed += 31
    stuck.set()
    assert found.error().account == "kraken"
    assert found.error().check == "deadline"
    assert found.error().hint == "try again with this account alone: privstream doctor kraken"
    assert found.one("login", "poloniex").ok


def test_nobody_is_logged_in_when_the_time_is_over(
    machine: Machine, simulation: Simulation
) -> None:
    found = Report([])
    machine.configure(simulation, "kraken", "poloniex")
    for finding in examine(os.environ, (), machine.equip, machine.clock, stop=Stop()):
        found.findings.append(finding)
        machine.clock.passed += 31
    assert [late.account for late in found.of("deadline")] == ["kraken", "poloniex"]
    assert not machine.equipped


def test_a_bug_in_a_check_is_no_silence(
    machine: Machine, simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_account: Account) -> Equipment:
        raise ZeroDivisionError

    monkeypatch.setattr(machine, "equip", broken)
    machine.configure(simulation, "kraken")
    with pytest.raises(ZeroDivisionError):
        machine.examine()
