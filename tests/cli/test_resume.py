"""`watch --resume`: one stream over many runs, however they end."""

import fcntl
import json
import os
import select
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from privstream.exchanges import find
from privstream.model.events import TYPES
from privstream.model.times import to_nanos
from privstream.simulator.market import Books
from privstream.simulator.server import Simulation
from tests.benchmarks import measure
from tests.benchmarks.kill import configured, kill
from tests.cli.conftest import LIMIT, QUIET, Ended, InProcess, Inside, Program, end, wait_for
from tests.forked import Forked
from tests.valid import assert_valid_line

WORDS = ("watch", "kraken", "--resume")
LATEST_NS = 300_000_000
NO_LAG = 0.3
PROMPT = (
    "-c",
    f"""
from msgspec import structs
from privstream.__main__ import main
from privstream.exchanges import find
for name in ("kraken", "poloniex"):
    find(name).limits = structs.replace(find(name).limits, rest_lag={NO_LAG})
main()
""",
)
"""The program, where REST does not lag: else a gap is told a minute later."""


@pytest.fixture(autouse=True)
def prompt_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for what runs in this process."""
    for name in ("kraken", "poloniex"):
        limits = structs.replace(find(name).limits, rest_lag=NO_LAG)
        monkeypatch.setattr(find(name), "limits", limits)


@pytest.fixture(scope="module")
def lively() -> Iterator[Simulation]:
    """Two accounts in which something happens every moment."""
    with Simulation(["kraken", "poloniex"], seed=9, rate=8, limits=False) as running:
        yield running


@pytest.fixture(scope="module")
def quiet() -> Iterator[Simulation]:
    """An account in which nothing happens."""
    with Simulation(["kraken"], seed=9, rate=QUIET, limits=False) as running:
        yield running


@pytest.fixture
def program(lively: Simulation, tmp_path: Path, inside: Inside) -> InProcess:
    return inside(Program(tmp_path, configured(lively, tmp_path, "kraken", "poloniex"), PROMPT))


@pytest.fixture
def still(quiet: Simulation, tmp_path: Path, inside: Inside) -> InProcess:
    return inside(Program(tmp_path, configured(quiet, tmp_path, "kraken"), PROMPT))


def state_file(program: Program, account: str = "kraken") -> Path:
    return program.home / f".local/state/privstream/resume/{account}.sqlite"


def until_gap(process: Forked) -> list[dict[str, Any]]:
    """Read events up to the first gap."""
    assert process.stdout is not None
    events = []
    for line in process.stdout:
        events.append(json.loads(line))
        if events[-1]["type"] == "gap":
            return events
    raise AssertionError("no gap came")


def until_ready(program: InProcess, *words: str) -> Ended:
    """Run until everything that is there has come; in a span of time it may not have."""
    process = program.start(*words)
    said = wait_for(process, "Ready")
    ended = end(process)
    return Ended(ended.code, ended.out, said + ended.err)


def assert_no_id_twice(events: list[dict[str, Any]]) -> None:
    times = Counter(event["id"] for event in events if event["id"] is not None)
    assert {name: count for name, count in times.items() if count > 1} == {}


def books_of(simulation: Simulation, exchange: str) -> Books:
    # Only read, and only what has settled.
    books: Books = simulation.exchanges[exchange].market.books  # type: ignore[attr-defined]  # each has one
    return books


@pytest.mark.parametrize("exchange", ["kraken"])
def test_two_runs_tell_the_account_whole_and_each_fact_once(
    exchange: str, program: InProcess, lively: Simulation
) -> None:
    words = ("watch", exchange, "--resume")
    process = program.start(*words)
    wait_for(process, "Ready")
    begun = time.time_ns()
    threading.Event().wait(0.6)
    first = end(process)
    threading.Event().wait(1.0)
    process = program.start(*words)
    begins = until_gap(process)
    threading.Event().wait(0.6)
    until = time.time_ns() - LATEST_NS
    second = end(process)
    assert (first.code, second.code) == (0, 0)
    events = first.events + begins + second.events
    assert not [event for event in first.events if event["type"] == "gap"]
    assert {event["source"] for event in begins[:-1]} <= {"rest", "stream"}
    gap = begins[-1]
    assert (gap["cause"], gap["complete"]) == ("restart", True), gap["detail"]
    recovered = Counter(event["type"] for event in begins if event["source"] == "rest")
    assert gap["recovered"] == {
        f"{kind}s": recovered[kind] for kind in ("order", "trade", "balance")
    }
    assert_no_id_twice(events)
    books = books_of(lively, exchange)
    trades = {t.trade_id for t in list(books.trades.values()) if begun <= t.time_ns <= until}
    assert trades <= {event["trade_id"] for event in events if event["type"] == "trade"}
    last = {event["order_id"]: event for event in events if event["type"] == "order"}
    for order in list(books.orders.values()):
        if begun <= order.updated_ns <= until and order.status in {"filled", "canceled"}:
            assert last[order.order_id]["status"] == order.status
    for line in first.out.splitlines() + second.out.splitlines():
        assert_valid_line(line.encode(), TYPES[json.loads(line)["type"]])


def test_where_nothing_happened_the_next_run_says_just_that(still: InProcess) -> None:
    first = until_ready(still, *WORDS)
    assert {event["source"] for event in first.events} == {"snapshot"}
    [gap] = still(*WORDS, "--count", "1").events
    assert (gap["type"], gap["cause"], gap["complete"]) == ("gap", "restart", True)
    assert gap["recovered"] == {"orders": 0, "trades": 0, "balances": 0}
    assert to_nanos(gap["from"]) < to_nanos(first.events[-1]["received"]) + 10**9


def test_what_a_count_cut_off_is_told_by_the_next_run(still: InProcess) -> None:
    stands = len(until_ready(still, "watch", "kraken").events)
    first = still(*WORDS, "--count", "2").events
    second = still(*WORDS, "--count", str(stands - 2)).events
    third = still(*WORDS, "--count", "1").events
    assert len(first) == 2
    assert {event["source"] for event in second} == {"rest"}
    assert_no_id_twice(first + second)
    assert [event["type"] for event in third] == ["gap"]


def test_a_second_run_is_told_and_one_without_resume_is_not_affected(still: InProcess) -> None:
    process = still.start(*WORDS)
    wait_for(process, "Ready")
    other = still(*WORDS, "--json", "-q")
    without = still("watch", "kraken", "--count", "1")
    assert end(process).code == 0
    assert (other.code, other.out) == (3, "")
    assert "another run with --resume" in json.loads(other.err)["message"]
    assert without.code == 0


def test_every_account_has_a_state_of_its_own_for_its_owner_alone(program: InProcess) -> None:
    words = ("watch", "all", "trades", "--resume")
    until_ready(program, *words)
    process = program.start(*words)
    gaps = [until_gap(process)[-1], until_gap(process)[-1]]
    end(process)
    assert {gap["account"] for gap in gaps} == {"kraken", "poloniex"}
    for account in ("kraken", "poloniex"):
        assert state_file(program, account).stat().st_mode & 0o777 == 0o600
    assert state_file(program).parent.stat().st_mode & 0o777 == 0o700


def test_a_run_that_watched_something_else_hides_nothing(program: InProcess) -> None:
    words = ("watch", "poloniex", "trades", "--resume")
    process = program.start(*words)
    wait_for(process, "Ready")
    begun = time.time_ns()
    first = end(process)
    other = until_ready(program, "watch", "poloniex", "balances", "--resume")
    assert {event["source"] for event in other.events} <= {"snapshot", "stream", "rest"}
    assert "gap" not in {event["type"] for event in other.events}
    begins = until_gap(process := program.start(*words))
    end(process)
    assert to_nanos(begins[-1]["from"]) < begun
    assert [event for event in begins if event["type"] == "trade"]
    assert_no_id_twice(first.events + begins)


def test_the_simulator_has_a_past_of_its_own(tmp_path: Path, inside: Inside) -> None:
    program = inside(Program(tmp_path, launcher=PROMPT))
    words = ("watch", "kraken", "--simulate", "--resume")
    first = program(*words, "--count", "12").events
    second = until_gap(process := program.start(*words))
    end(process)
    assert second[-1]["cause"] == "restart"
    assert_no_id_twice(first + second)
    assert not state_file(program).exists()


def test_frames_cannot_be_resumed(still: InProcess) -> None:
    ended = still(*WORDS, "--format", "raw")
    assert (ended.code, ended.out) == (2, "")
    assert "--resume" in ended.err


# --- ends that are not clean ---------------------------------------------------------------


def test_kill_9_loses_no_trade() -> None:
    figures = kill(3, seed=3, launcher=PROMPT)
    assert figures.truth > 0
    assert (figures.lost, figures.invented, figures.incomplete) == ([], [], 0)
    assert dict(figures.codes) == {-9: 3, 0: 1}


def narrow_pipe() -> tuple[int, int]:
    """A pipe that is full after a few lines."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    return reader, writer


def read_all(fd: int) -> str:
    with os.fdopen(fd) as file:
        return file.read()


def test_a_signal_while_the_reader_does_not_read_parts_nothing(still: InProcess) -> None:
    reader, writer = narrow_pipe()
    process = still.start(*WORDS, stdout=writer)
    os.close(writer)
    assert select.select([reader], [], [], LIMIT)[0]
    threading.Event().wait(0.5)  # the snapshot is more than the pipe takes
    assert end(process).code == 0
    first = Ended(0, read_all(reader), "").events
    second = until_gap(process := still.start(*WORDS))
    assert end(process).out == ""
    assert first
    assert {event["source"] for event in second[:-1]} == {"rest"}
    assert_no_id_twice(first + second)
    third = still(*WORDS, "--count", "1").events
    assert [event["type"] for event in third] == ["gap"]


def test_a_state_that_cannot_grow_ends_it_with_a_sentence(program: InProcess) -> None:
    command = f"ulimit -f 200; exec {sys.executable} -m privstream watch poloniex --resume"
    run = subprocess.run(
        ["bash", "-c", command],
        env={**program.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert run.returncode == 1
    assert "cannot keep what was delivered" in run.stderr
    assert "Traceback" not in run.stderr
    events = Ended(0, run.stdout, "").events
    process = program.start("watch", "poloniex", "--resume")
    until_gap(process)
    assert end(process).code == 0
    assert events


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"no database" * 1000, "file is not a database"), (b"SQLite format 3\0" + b"\7" * 4080, "")],
)
def test_a_damaged_state_is_named_and_left_alone(
    still: InProcess, content: bytes, said: str
) -> None:
    path = state_file(still)
    path.parent.mkdir(mode=0o700, parents=True)
    path.touch(0o600)
    path.write_bytes(content)
    ended = still(*WORDS, "-q")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.count("\n") == 1
    assert str(path) in ended.err
    assert said in ended.err
    assert path.read_bytes() == content


def test_a_damaged_note_is_named_too(still: InProcess) -> None:
    until_ready(still, *WORDS)
    database = sqlite3.connect(state_file(still))
    database.execute("UPDATE notes SET value = x'ff' WHERE kind = 'balance'")
    database.commit()
    database.close()
    ended = still(*WORDS, "-q")
    assert (ended.code, ended.err.count("\n")) == (3, 1), ended.err
    assert "is damaged" in ended.err


def test_a_state_of_a_newer_version_is_left_alone(still: InProcess) -> None:
    still(*WORDS, "--count", "1")
    database = sqlite3.connect(state_file(still))
    database.execute("PRAGMA user_version = 99")
    database.close()
    ended = still(*WORDS)
    assert ended.code == 3
    assert "newer privstream" in ended.err


# --- a reader who stops for a while --------------------------------------------------------

FRAMES = 25_000
MOST_KILOBYTES = 80_000


def peak_kilobytes(pid: int) -> int:
    # ru_maxrss would count what the test's own process had when it forked.
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def test_a_reader_that_stops_for_a_while_loses_nothing_and_costs_little(tmp_path: Path) -> None:
    with measure.blaster(FRAMES) as port, measure.environment(port) as environ:
        command = [sys.executable, "-m", "privstream", "watch", "kraken", "trades", "-q"]
        with subprocess.Popen(
            command, env=environ, cwd=tmp_path, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            ids = [json.loads(process.stdout.readline())["trade_id"]]
            threading.Event().wait(0.5)
            ids += [json.loads(process.stdout.readline())["trade_id"] for _ in range(FRAMES - 1)]
            peak = peak_kilobytes(process.pid)
            process.send_signal(signal.SIGTERM)
            assert process.stdout.read() == ""
    assert process.returncode == 0
    assert ids == [f"T{number:012d}" for number in range(FRAMES)]
    assert peak < MOST_KILOBYTES
