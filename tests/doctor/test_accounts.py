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
from tests.doctor.clinic import KRAKEN, Clinic, ClockOff, Report

WRONG = "V1JPTkc="
"""No account's secret, although it is base64."""


@contextmanager
def simulated(name: str, **settings: Any) -> Iterator[Simulation]:
    kind: Any = find(name)
    made = kind(seed=1, rate=2.0, limits=False, **settings)
    with Simulation([], exchanges={name: made}) as running:
        yield running


def test_accounts_of_all_exchanges_are_well(clinic: Clinic, simulation: Simulation) -> None:
    found = clinic.admit(simulation, *names()).look()
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
    clinic: Clinic, simulation: Simulation, name: str
) -> None:
    clinic.admit(simulation, name, api_secret=WRONG)
    found = clinic.look()
    assert found.error().check == "key"
    assert found.error().exit is Exit.REFUSED
    assert "api_secret" in str(found.error().hint)
    assert found.one("login").level == "skipped"
    assert WRONG not in repr(found.findings)
    if name == "kraken":
        assert clinic.admit(simulation, name).look().is_well()


# --- the clock ---------------------------------------------------------------------------


def test_a_clock_fifteen_minutes_off_is_found_and_its_advice_mends_it(
    clinic: Clinic, simulation: Simulation
) -> None:
    clinic.admit(simulation, "zerocap", "indodax", "kraken").clock = ClockOff(-900)
    found = clinic.look()
    for name in ("zerocap", "indodax"):
        error = found.one("clock", name)
        assert error.exit is Exit.REFUSED
        assert "behind" in error.message
        assert "timedatectl" in str(error.hint)
        assert found.one("login", name).level == "skipped"
    assert found.one("key", "zerocap").level == "skipped"
    assert found.one("clock", "kraken").level == "warning"
    clinic.clock = ClockOff()
    assert not clinic.look().at("error")


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
    clinic: Clinic,
) -> None:
    with simulated("kraken", rights=KRAKEN - {"closed_orders"}) as simulation:
        found = clinic.admit(simulation, "kraken").look()
    error = found.error()
    assert error.check == "right"
    assert error.exit is Exit.REFUSED
    assert "'Query closed orders & trades'" in error.message
    assert "complete: false" in error.message
    assert error.hint == (
        "give the key the right 'Query closed orders & trades' on Kraken's page of API keys"
    )
    with simulated("kraken", rights=KRAKEN) as simulation:
        assert clinic.admit(simulation, "kraken").look().is_well()


def test_a_channel_that_the_key_may_not_read_is_named_beside_those_that_it_may(
    clinic: Clinic,
) -> None:
    with simulated("kraken", rights=KRAKEN - {"funds"}) as simulation:
        found = clinic.admit(simulation, "kraken").look()
    channels = {f.message.split(":")[0]: f.level for f in found.of("channel")}
    assert channels == {
        "channel orders": "ok",
        "channel trades": "ok",
        "channel balances": "error",
    }
    assert "this examination took 4" in found.one("connects").message


def test_without_a_token_no_channel_is_tried(clinic: Clinic) -> None:
    with simulated("kraken", rights=KRAKEN - {"websocket"}) as simulation:
        found = clinic.admit(simulation, "kraken").look()
    assert "'Access WebSockets API'" in found.of("right")[0].message
    assert found.one("login").exit is Exit.REFUSED
    assert not found.of("channel")
    assert "examination took 0" in found.one("connects").message


def test_a_key_that_may_trade_and_withdraw_is_a_warning(clinic: Clinic) -> None:
    with simulated("kraken", rights=KRAKEN | {"trade", "cancel", "withdraw"}) as simulation:
        clinic.admit(simulation, "kraken")
        found = clinic.look()
        assert [f.message for f in found.of("right") if f.level == "warning"] == [
            f"the key may {may}, which a stream does not need"
            for may in (
                "trade (Create & modify orders, Cancel & close orders)",
                "withdraw (Withdraw funds)",
            )
        ]
        assert "read_only = true in [accounts.kraken]" in str(found.one("read_only").hint)
        text = clinic.config.read_text()
        clinic.write(text.replace("[accounts.kraken]\n", "[accounts.kraken]\nread_only = true\n"))
        assert clinic.look().one("read_only").level == "ok"


def test_bitfinex_tells_rights_to_read_and_to_write(clinic: Clinic) -> None:
    read, write = frozenset({"orders", "wallets", "history"}), frozenset({"withdraw"})
    with simulated("bitfinex", read=read, write=write) as simulation:
        found = clinic.admit(simulation, "bitfinex").look()
    [missing] = [f for f in found.of("right") if f.level == "error"]
    assert "'positions: read'" in missing.message
    [warning] = [f for f in found.of("right") if f.level == "warning"]
    assert warning.message.startswith("the key may withdraw (withdraw: write)")
    assert not found.of("channel"), "it allows 5 connects"


@pytest.mark.parametrize(("name", "right"), [("poloniex", "Read"), ("indodax", "view")])
def test_a_key_that_may_not_read_is_found_where_no_call_lists_rights(
    clinic: Clinic, name: str, right: str
) -> None:
    with simulated(name, rights=frozenset()) as simulation:
        found = clinic.admit(simulation, name).look()
    [missing] = [f for f in found.of("right") if f.level == "error"]
    assert repr(right) in missing.message
    refused = [f.hint for f in found.of("login") if f.level == "error"]
    assert set(refused) <= {"give the key the right that it lacks, see above"}
    [unknown] = [f for f in found.of("right") if f.level == "skipped"]
    assert "cannot be told" in unknown.message
    assert unknown.ok is None


def test_which_kind_of_key_it_is_is_told(clinic: Clinic, simulation: Simulation) -> None:
    found = clinic.admit(simulation, "indodax").look().one("key")
    assert found.message == "key (TAPI v1): accepted, may read (view)"
    newer = simulation.account("indodax", {"api": "v2"})
    secrets = {key: secret.reveal() for key, secret in newer.credentials.items()}
    found = clinic.admit(simulation, "indodax", **secrets).look().one("key")
    assert found.message == "key (TAPI v2): accepted, may read (Reading)"


# --- tokens and time limits ----------------------------------------------------------------


def test_a_token_in_the_cache_is_told_and_used(clinic: Clinic, simulation: Simulation) -> None:
    clinic.admit(simulation, "indodax")
    assert "none in the cache" in clinic.look().one("token").message
    found = clinic.look().one("token").message
    assert "good for 23 h 59 min" in found or "good for 24 h" in found


def test_a_cached_token_that_has_died_is_replaced_once(clinic: Clinic) -> None:
    with simulated("kraken", rights=KRAKEN) as simulation:
        clinic.admit(simulation, "kraken")
        assert clinic.look().one("login").ok
        assert simulation.exchanges["kraken"].expire(SystemClock().now())
        found = clinic.look()
    assert found.one("login").ok
    assert "this examination took 2" in found.one("connects").message


def test_an_account_that_is_not_through_in_time_is_told(
    clinic: Clinic, simulation: Simulation
) -> None:
    stuck, equip = Event(), clinic.equip

    def slow(account: Account) -> Equipment:
        if account.name == "kraken":
            stuck.wait(20)
        return equip(account)

    clinic.admit(simulation, "poloniex", "kraken")
    found = Report([])
    for finding in examine(os.environ, (), slow, clinic.clock, stop=Stop()):
        found.findings.append(finding)
        if finding.account == "kraken" and not clinic.clock.passed:
            clinic.clock.passed += 31
    stuck.set()
    assert found.error().account == "kraken"
    assert found.error().check == "deadline"
    assert found.error().hint == "try again with this account alone: privstream doctor kraken"
    assert found.one("login", "poloniex").ok


def test_nobody_is_logged_in_when_the_time_is_over(clinic: Clinic, simulation: Simulation) -> None:
    found = Report([])
    clinic.admit(simulation, "kraken", "poloniex")
    for finding in examine(os.environ, (), clinic.equip, clinic.clock, stop=Stop()):
        found.findings.append(finding)
        clinic.clock.passed += 31
    assert [late.account for late in found.of("deadline")] == ["kraken", "poloniex"]
    assert not clinic.equipped


def test_a_bug_in_a_check_is_no_silence(
    clinic: Clinic, simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_account: Account) -> Equipment:
        raise ZeroDivisionError

    monkeypatch.setattr(clinic, "equip", broken)
    clinic.admit(simulation, "kraken")
    with pytest.raises(ZeroDivisionError):
        clinic.look()
