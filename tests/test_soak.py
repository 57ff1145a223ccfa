"""Two minutes of random faults in memory, held against the simulator's truth as a whole."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from privstream import exchanges
from privstream.model.exact import ascii_line, encode
from privstream.simulator.kraken.exchange import API_KEY, API_SECRET
from tests.benchmarks.ends import ends_of
from tests.benchmarks.invariants import Evidence, Sample, check, truth_of
from tests.fake_clock import START_NS
from tests.harsh_world import harsh
from tests.joined import World

every_exchange = pytest.mark.parametrize("name", exchanges.names())
SECONDS, CALM, DOUBT = 120, 90, 30
AUDIT_EVERY = 20.0


def calm(run: World) -> None:
    """No new faults from here on: what was lost without a trace is found now."""
    run.faults._drawn = iter(())


def soak(name: str, seed: int) -> World:
    """Two minutes with something going wrong about every four seconds."""
    run = World(name, seed=seed, limits=False, chaos_every=4.0, audit_every=AUDIT_EVERY)
    run.at(SECONDS, calm).watch(SECONDS + CALM)
    return run


def evidence_of(run: World, spoil: Callable[[list[bytes]], list[bytes]] = list) -> Evidence:
    lines = [ascii_line(encode(event)) for event in run.events]
    now = run.clock.now()
    account = run.supervisor.exchange.account
    return Evidence(
        runs=[spoil(lines)],
        truth={account.name: truth_of(run.simulated, now)},
        happened=run.faults.happened,
        until_ns=now.wall_ns - DOUBT * 10**9,
        ends={account.name: ends_of(run.simulated, now, now.wall_ns - DOUBT * 10**9)},
        secrets=[secret.reveal() for secret in account.credentials.values()],
        texts={"the notes": "\n".join(run.notes).encode()},
    )


@every_exchange
@pytest.mark.parametrize("seed", [1])
def test_two_minutes_of_random_faults_break_no_promise(name: str, seed: int) -> None:
    # For hours, and against the program: python -m tests.benchmarks.soak
    report = check(evidence_of(soak(name, seed)))
    assert report.violations == []
    assert report.faults.total() >= 12
    assert report.trades["told"] > 40
    assert report.recovery


@pytest.mark.parametrize("name", ["indodax", "poloniex", "zerocap"])
@pytest.mark.parametrize("seed", [1])
def test_interruptions_do_not_keep_the_audit_from_what_was_lost_before(
    name: str, seed: int
) -> None:
    run = World(name, seed=seed, limits=False, audit_every=50.0, faults=["lose=6@15s"])
    for second in (45, 90, 135):
        run.at(second, World.cut)
    run.watch(240)
    assert check(evidence_of(run)).violations == []


@pytest.mark.parametrize("seed", [6])
def test_a_fill_whose_fee_never_comes_survives_the_second_look(seed: int) -> None:
    run = World("bitfinex", seed=seed, limits=False).at(20, World.cut)
    run.watch(68)
    assert check(evidence_of(run)).violations == []


@every_exchange
@pytest.mark.parametrize("seed", [6])
def test_a_reader_that_stalls_and_a_rest_side_that_is_no_help_break_no_promise(
    name: str, seed: int
) -> None:
    # More seeds: python -m tests.benchmarks.harsh
    run = harsh(name, seed, 60.0)
    run.watch(180)
    report = check(replace(evidence_of(run), stalls=run.stalls))
    assert report.violations == []
    assert run.stalls
    assert report.gaps


# --- the checker itself --------------------------------------------------------------------


@pytest.fixture(scope="module")
def quiet() -> World:
    """Some minutes of a Kraken, cut once."""
    run = World("kraken", limits=False).at(40, World.down, 15)
    run.watch(150)
    return run


Spoil = Callable[[list[bytes]], list[bytes]]


def first_trade(lines: list[bytes], word: bytes = b'"trade_id"') -> int:
    """The place of a trade of the stream some way into the run."""
    return next(n for n, line in enumerate(lines[60:], 60) if word in line and b'"stream"' in line)


def without_a_trade(lines: list[bytes]) -> list[bytes]:
    place = first_trade(lines)
    return lines[:place] + lines[place + 1 :]


def with_a_trade_twice(lines: list[bytes]) -> list[bytes]:
    place = first_trade(lines)
    return lines[: place + 1] + lines[place:]


def with_a_trade_too_late(lines: list[bytes]) -> list[bytes]:
    place = first_trade(lines)
    return [*lines[:place], *lines[place + 1 : -1], lines[place], lines[-1]]


def with_a_trade_that_never_was(lines: list[bytes]) -> list[bytes]:
    line = json.loads(lines[first_trade(lines)])
    made = {**line, "trade_id": "T0", "id": "kraken:trade:T0"}
    return [*lines, json.dumps(made).encode()]


def with_an_order_backwards(lines: list[bytes]) -> list[bytes]:
    ended = next(line for line in lines if b'"status":"filled"' in line)
    back = {**json.loads(ended), "id": "kraken:order:again", "status": "open"}
    return [*lines, json.dumps(back).encode()]


def first_end(lines: list[bytes]) -> tuple[int, bytes]:
    """Where an order ends some way into the run, and its id."""
    ended = (n for n, line in enumerate(lines[60:], 60) if b'"status":"canceled"' in line)
    place = next(ended)
    return place, json.loads(lines[place])["order_id"].encode()


def without_the_end_of_an_order(lines: list[bytes]) -> list[bytes]:
    place, _ = first_end(lines)
    return lines[:place] + lines[place + 1 :]


def without_an_order(lines: list[bytes]) -> list[bytes]:
    _, name = first_end(lines)
    return [line for line in lines if b'"type":"order"' not in line or name not in line]


def without_the_gap(lines: list[bytes]) -> list[bytes]:
    return [line for line in lines if b'{"type":"gap"' not in line]


def with_half_a_line(lines: list[bytes]) -> list[bytes]:
    return [*lines, lines[-1][:40]]


def with_an_unknown_key(lines: list[bytes]) -> list[bytes]:
    return [*lines, json.dumps({**json.loads(lines[-1]), "unheard_of": 1}).encode()]


def with_many_attempts(lines: list[bytes]) -> list[bytes]:
    return lines[:1] * 130 + lines


def with_a_secret(lines: list[bytes]) -> list[bytes]:
    notice = {**json.loads(lines[-1]), "detail": f"the key is {API_SECRET}"}
    return [*lines, json.dumps(notice).encode()]


def test_the_checker_finds_nothing_in_a_good_run(quiet: World) -> None:
    report = check(evidence_of(quiet))
    assert report.violations == []
    assert report.trades["told"] == report.trades["true"] > 30
    assert "lost unreported 0" in str(report)


@pytest.mark.parametrize(
    ("invariant", "spoil"),
    [
        ("I1", with_a_trade_twice),
        ("I2", without_a_trade),
        ("I2", with_a_trade_that_never_was),
        ("I2", without_the_gap),
        ("I3", with_a_trade_too_late),
        ("I3 I11", with_an_order_backwards),
        ("I4", with_a_secret),
        ("I5", with_half_a_line),
        ("I5", with_an_unknown_key),
        ("I7", with_many_attempts),
        ("I11", without_the_end_of_an_order),
        ("I11", without_an_order),
    ],
)
def test_the_checker_sees_a_spoilt_output(quiet: World, invariant: str, spoil: Spoil) -> None:
    report = check(evidence_of(quiet, spoil))
    assert {violation.split(":")[0] for violation in report.violations} == set(invariant.split())


def test_a_lost_trade_is_excused_only_by_a_gap_that_owns_up_to_it(quiet: World) -> None:
    def spoil(lines: list[bytes], *, complete: bool = False) -> list[bytes]:
        place = next(
            n for n, line in enumerate(lines) if b'"trade_id"' in line and b'"rest"' in line
        )
        left = lines[:place] + lines[place + 1 :]
        gaps = [line.replace(b'"complete":true', b'"complete":false') for line in left]
        return left if complete else gaps

    owned = check(evidence_of(quiet, spoil))
    assert (owned.trades["lost"], owned.trades["lost unreported"]) == (1, 0)
    assert owned.violations == []
    denied = check(evidence_of(quiet, lambda lines: spoil(lines, complete=True)))
    assert denied.trades["lost unreported"] == 1


def test_the_checker_sees_a_gap_that_says_complete_over_a_trade_that_was_told_later(
    quiet: World,
) -> None:
    def told_later(lines: list[bytes]) -> list[bytes]:
        place = next(
            n for n, line in enumerate(lines) if b'"trade_id"' in line and b'"rest"' in line
        )
        gap = next(n for n, line in enumerate(lines) if b'{"type":"gap"' in line)
        return [*lines[:place], *lines[place + 1 : gap + 1], lines[place], *lines[gap + 1 :]]

    report = check(evidence_of(quiet, told_later))
    assert [violation[:2] for violation in report.violations] == ["I9"]
    assert "says complete" in report.untrue[0]


def test_the_checker_sees_live_trades_that_were_held_back(quiet: World) -> None:
    def held(lines: list[bytes]) -> list[bytes]:
        return [
            ascii_line(encode({**event, "received": "2026-09-21T14:40:00.000000Z"}))
            if (event := json.loads(line)).get("source") == "stream" and "trade_id" in event
            else line
            for line in lines
        ]

    assert "I10" in {violation[:3] for violation in check(evidence_of(quiet, held)).violations}


def test_the_checker_sees_a_balance_that_was_not_told_to_its_end() -> None:
    run = World("poloniex", limits=False)
    run.watch(150)

    def without_the_last(lines: list[bytes]) -> list[bytes]:
        balances = [n for n, line in enumerate(lines) if b'"type":"balance"' in line]
        return [line for n, line in enumerate(lines) if n not in balances[len(balances) // 2 :]]

    assert check(evidence_of(run)).violations == []
    violations = check(evidence_of(run, without_the_last)).violations
    assert violations
    assert all(one.startswith("I11: poloniex: there are ") for one in violations)


def test_only_what_an_interruption_hid_may_come_late(quiet: World) -> None:
    def later(lines: list[bytes], word: bytes) -> list[bytes]:
        place = next(n for n, line in enumerate(lines) if b'"trade_id"' in line and word in line)
        line = lines[place].replace(b'"rest"', b'"stream"')
        gap = next(n for n, one in enumerate(lines) if b'{"type":"gap"' in one)
        return [*lines[:place], *lines[place + 1 : gap], line, *lines[gap:]]

    hidden = check(evidence_of(quiet, lambda lines: later(lines, b'"rest"')))
    assert hidden.violations == []
    live = check(evidence_of(quiet, lambda lines: later(lines, b'"stream"')))
    assert {violation[:2] for violation in live.violations} == {"I3"}


def test_the_checker_sees_a_trade_that_came_again_after_a_clean_stop(quiet: World) -> None:
    evidence = evidence_of(quiet)
    [lines] = evidence.runs
    place = first_trade(list(lines))
    again = replace(evidence, runs=[lines, [lines[place]]], exits=[(0, 0), (0, 0)])
    assert any("after a clean stop" in violation for violation in check(again).violations)
    killed = replace(again, exits=[(-9, -9), (0, 0)])
    assert not any("after a clean stop" in violation for violation in check(killed).violations)


def test_the_checker_sees_a_fill_from_before_the_start(quiet: World) -> None:
    evidence = evidence_of(quiet)
    trade_id = json.loads(evidence.runs[0][first_trade(list(evidence.runs[0]))])["trade_id"]
    truth = {**evidence.truth["kraken"], trade_id: START_NS - 60 * 10**9}
    report = check(replace(evidence, truth={"kraken": truth}))
    assert report.violations[0] == f"I2: kraken {trade_id} is from before the start"


@pytest.mark.parametrize(
    "grown", [Sample(9, 70_000, 6, 14), Sample(9, 50_000, 8, 14), Sample(9, 50_000, 6, 16)]
)
def test_the_checker_sees_what_grows(quiet: World, grown: Sample) -> None:
    steady = [Sample(1, 50_000, 6, 14)] * 3
    evidence = evidence_of(quiet)
    assert check(replace(evidence, samples=steady * 3)).violations == []
    violations = check(replace(evidence, samples=[*steady, *steady, *[grown] * 3])).violations
    assert violations
    assert all(violation.startswith("I6") for violation in violations)


def test_what_a_reconnect_holds_at_the_moment_of_a_sample_is_no_growth(quiet: World) -> None:
    steady = [Sample(1, 50_000, 6, 14)] * 10
    passing, leaking = Sample(9, 50_000, 7, 16), Sample(9, 50_000, 8, 17)
    samples = {one: [*steady, *steady, *steady[1:], one] for one in (passing, leaking)}
    evidence = evidence_of(quiet)
    assert check(replace(evidence, samples=samples[passing])).violations == []
    assert check(replace(evidence, samples=samples[leaking])).violations == [
        "I6: 6 threads (most) became 8",
        "I6: 14 descriptors (most) became 17",
    ]


def test_the_checker_sees_a_wrong_exit_code_and_a_secret_on_stderr(quiet: World) -> None:
    evidence = replace(evidence_of(quiet), exits=[(0, 0), (0, 1)], texts={"err": API_KEY.encode()})
    found = [violation[:2] for violation in check(evidence).violations]
    assert found == ["I4", "I8"]


def test_only_the_last_line_of_a_killed_run_may_be_torn(quiet: World) -> None:
    evidence = evidence_of(quiet)
    [lines] = evidence.runs
    killed = [*lines[:40], lines[40][:30]]
    assert check(replace(evidence, runs=[killed, lines])).violations == []
    torn = [*lines[:39], lines[39][:30], lines[40]]
    assert [v[:2] for v in check(replace(evidence, runs=[torn, lines])).violations] == ["I5"]
