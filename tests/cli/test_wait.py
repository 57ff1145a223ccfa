"""`wait`, as a script calls it: exit codes, what is printed, what is said."""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from privstream.cli import entry
from privstream.connection.account import one_order
from privstream.model.errors import Exit
from privstream.model.events import TYPES
from privstream.model.rest import Now
from privstream.simulator import find
from privstream.simulator import market as life
from privstream.simulator.server import Simulation
from tests.cli.conftest import Ended, Program, config_of, end, wait_for
from tests.cli.test_watch import dead
from tests.fake_clock import START_NS
from tests.forked import CLOSED
from tests.valid import assert_valid_line

Run = Callable[..., Ended]
NOBODYS = "OAAAAA-BBBBB-CCCCCC"


class Beginning:
    """A clock that begins with its first use, at the same moment in every run."""

    def __init__(self) -> None:
        self._begin: float | None = None

    def __call__(self) -> Now:
        monotonic = time.monotonic()
        if self._begin is None:
            self._begin = monotonic
        return Now(START_NS + round((monotonic - self._begin) * 1e9), monotonic)


CLOCK = Beginning()


@pytest.fixture(scope="module")
def simulation() -> Iterator[Simulation]:
    """A Kraken whose orders stand for seconds."""
    with Simulation(["kraken"], seed=5, rate=10, limits=False, clock=CLOCK) as running:
        yield running


QUIET: dict[str, Any] = {"seed": 5, "rate": 0.001, "limits": False}


@pytest.fixture(scope="module")
def still() -> Iterator[Simulation]:
    """A Kraken in which nothing happens: what is open there stays so."""
    with Simulation(["kraken"], clock=Beginning(), **QUIET) as running:
        yield running


@cache
def that_stands() -> str:
    """One of its open orders."""
    simulated: Any = find("kraken")(**QUIET)
    simulated.market.advance(Now(START_NS, 0.0))
    order: life.Order = simulated.market.open_orders()[0]
    return order.order_id


@cache
def orders() -> list[life.Order]:
    """All that will have ended within five minutes of that moment, as they ended."""
    simulated: Any = find("kraken")(seed=5, rate=10, limits=False)
    found: dict[str, life.Order] = {}
    for second in range(0, 300, 5):  # what is long past is forgotten there
        simulated.market.advance(Now(START_NS + second * 10**9, 0.0))
        found |= simulated.market.books.orders
    ended = (order for order in found.values() if order.closed_ns is not None)
    return sorted(ended, key=lambda order: order.closed_ns or 0)


def past(status: str) -> str:
    """Ended some seconds ago."""
    now_ns = CLOCK().wall_ns
    ended = [o for o in orders() if o.status == status and -30 < in_seconds(o, now_ns) < -1]
    return ended[0].order_id


def fills(*, least: float) -> str:
    """Open by now and for so many seconds, and filled then."""
    while True:  # now and then there is none for some seconds
        now_ns = CLOCK().wall_ns
        for order in orders():
            stands = order.created_ns < now_ns and in_seconds(order, now_ns) > least
            if stands and order.status == "filled":
                return order.order_id
        threading.Event().wait(0.05)


def in_seconds(order: life.Order, now_ns: int) -> float:
    """How long until its end."""
    return ((order.closed_ns or 0) - now_ns) / 1e9


@pytest.fixture
def run(
    simulation: Simulation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Iterator[Run]:
    """The command line in this process, configured for the simulation."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setenv("HOME", str(tmp_path))
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def run(*words: str, at: Simulation = simulation, **changes: str) -> Ended:
        monkeypatch.setenv("PRIVSTREAM_CONFIG", str(config_of(at, tmp_path, **changes)))
        code = entry.run(["wait", "kraken", *words])
        return Ended(code, *capfd.readouterr())

    yield run
    for number, handler in before.items():
        signal.signal(number, handler)


def test_an_order_that_is_filled_already_is_printed_and_done(run: Run) -> None:
    order_id = past("filled")
    ended = run(order_id, "--until", "filled")
    assert ended.code == Exit.DONE
    [event] = ended.events
    assert (event["order_id"], event["status"]) == (order_id, "filled")
    assert_valid_line(ended.out.strip().encode(), TYPES["order"])


def test_an_order_that_fills_is_followed_with_its_fills(run: Run) -> None:
    order_id = fills(least=2.5)
    ended = run(order_id, "--until", "filled", "--raw")
    assert ended.code == Exit.DONE
    assert {event["order_id"] for event in ended.events} == {order_id}
    assert {event["type"] for event in ended.events} == {"order", "trade"}
    assert all("raw" in event for event in ended.events)
    orders = [event for event in ended.events if event["type"] == "order"]
    assert orders[-1]["status"] == "filled"


def test_an_order_that_ended_otherwise_is_exit_6_and_a_sentence(run: Run) -> None:
    order_id = past("canceled")
    ended = run(order_id)
    assert ended.code == Exit.WRONG_END
    assert f"order {order_id} is canceled" in ended.err.splitlines()[-1]
    assert "wanted: filled" in ended.err


def test_quiet_prints_nothing_but_the_error(run: Run) -> None:
    ended = run(past("canceled"), "-q", "--json")
    assert (ended.code, ended.out) == (Exit.WRONG_END, "")
    assert json.loads(ended.err)["error"] == "wrong_end"
    assert run(past("filled"), "-q") == Ended(Exit.DONE, "", "")


def test_an_order_that_does_not_get_there_in_time_is_exit_124(run: Run, still: Simulation) -> None:
    ended = run(that_stands(), "--timeout", "3s", at=still)
    assert ended.code == Exit.TIMED_OUT
    assert "time ran out after 3 s" in ended.err
    assert "filled; wanted: filled" in ended.err.splitlines()[-1]


def test_an_open_order_is_open_at_once(run: Run, still: Simulation) -> None:
    ended = run(that_stands(), "--until", "open", "-f", "pretty", at=still)
    assert ended.code == Exit.DONE
    assert ended.out.count("\n") >= 1
    assert '{"type"' not in ended.out


def test_an_order_that_kraken_does_not_know_is_exit_4(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_order, "UNKNOWN_LIMIT", 0.0)
    ended = run(NOBODYS)
    assert (ended.code, ended.out) == (Exit.REFUSED, "")
    assert f"Kraken knows no order {NOBODYS}" in ended.err


def test_a_wrong_secret_is_exit_4(run: Run) -> None:
    ended = run(NOBODYS, api_secret="d3Jvbmc=")
    assert ended.code == Exit.REFUSED
    assert "wrong API secret" in ended.err


def test_a_host_that_is_down_is_exit_5_or_124(simulation: Simulation, run: Run) -> None:
    address = dead(simulation, Path(os.environ["HOME"])).environ["PRIVSTREAM_CONFIG"]
    rest_url = next(
        line.split('"')[1] for line in Path(address).read_text().splitlines() if "rest_url" in line
    )
    assert run(NOBODYS, "--max-retries", "0", rest_url=rest_url).code == Exit.UNREACHABLE
    ended = run(NOBODYS, "--timeout", "200ms", rest_url=rest_url)
    assert ended.code == Exit.TIMED_OUT
    assert "the connection was down at the end" in ended.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["abc"], Exit.USAGE, "'abc' is no order id of Kraken"),
        ([NOBODYS, "--until", "done"], Exit.USAGE, "never 'done'"),
        ([NOBODYS, "--timeout", "0"], Exit.USAGE, "no duration"),
        ([NOBODYS, "--format", "raw"], Exit.USAGE, "--raw"),
        ([NOBODYS, "--protocol", "v3"], Exit.USAGE, "v2 or v1"),
        ([NOBODYS, "--account", "desk"], Exit.CONFIG, "desk"),
        ([], Exit.USAGE, "ORDER_ID"),
    ],
)
def test_what_cannot_be_is_one_sentence(run: Run, words: list[str], code: Exit, said: str) -> None:
    ended = run(*words)
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err
    assert ended.err.count("\n") == 1


def test_ctrl_c_is_exit_130(program: Program) -> None:
    process = program.start("wait", "kraken", NOBODYS)
    wait_for(process, "Ready")
    ended = end(process, signal.SIGINT)
    assert (ended.code, ended.out) == (Exit.INTERRUPTED, "")
    assert "Traceback" not in ended.err


def test_who_stops_it_is_told_that_the_order_is_not_there(program: Program) -> None:
    process = program.start("wait", "kraken", NOBODYS)
    wait_for(process, "Ready")
    ended = end(process, signal.SIGTERM)
    assert ended.code == Exit.TIMED_OUT  # with 0 a script would take the order for filled
    assert f"told to stop; order {NOBODYS} has not been heard of; wanted: filled" in ended.err


def test_a_reader_that_leaves_before_the_answer_has_none(program: Program) -> None:
    with program.start("wait", "kraken", NOBODYS) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait() == Exit.TIMED_OUT
        assert process.stderr is not None
        said = process.stderr.read()
    assert f"nobody reads any more; order {NOBODYS} has not been heard of" in said
    assert "Traceback" not in said


def test_without_a_stdout_it_waits_all_the_same(program: Program) -> None:
    with program.start("wait", "kraken", NOBODYS, "-q", "--timeout", "1s", stdout=CLOSED) as one:
        assert one.wait() == Exit.TIMED_OUT
