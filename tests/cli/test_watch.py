"""`watch`, started as a user starts it: what it prints, and how it ends in every state."""

import json
import os
import pty
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from privstream.model.events import TYPES
from privstream.simulator.server import Simulation
from tests.cli.conftest import InProcess, Inside, Program, config_of, end, shown_on, wait_for
from tests.forked import CLOSED
from tests.valid import assert_valid_line


def test_twenty_lines_are_twenty_valid_events(program: InProcess) -> None:
    ended = program.from_nothing("watch", "kraken", "--count", "20")
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert len(lines) == 20
    for line in lines:
        assert_valid_line(line.encode(), TYPES[json.loads(line)["type"]])
    ids = [event["id"] for event in ended.events]
    assert len(set(ids)) == 20


def test_ready_is_said_once_all_is_acknowledged(program: InProcess) -> None:
    process = program.start("watch", "kraken", "balances")
    said = wait_for(process, "Ready")
    assert said.splitlines()[-1] == "privstream: kraken: Ready: balances"
    end(process)


@pytest.mark.parametrize("protocol", ["v1", "v2"])
def test_the_embedded_simulator_needs_no_configuration(
    protocol: str, tmp_path: Path, inside: Inside
) -> None:
    words = ("watch", "kraken", "orders", "--simulate", "--protocol", protocol, "--count", "5")
    ended = inside(Program(tmp_path))(*words)
    assert (ended.code, len(ended.events)) == (0, 5)
    assert {event["type"] for event in ended.events} == {"order"}


def test_only_the_chosen_channels_symbols_and_no_snapshot_are_printed(program: InProcess) -> None:
    words = ("watch", "kraken", "orders", "trades", "--symbol", "btc/usd", "-s", "ETH/EUR")
    ended = program(*words, "--no-snapshot", "--count", "12")
    assert {event["symbol"] for event in ended.events} <= {"BTC/USD", "ETH/EUR"}
    assert {event["type"] for event in ended.events} == {"order", "trade"}
    assert {event["source"] for event in ended.events} == {"stream"}


def test_raw_elements_and_states_come_when_asked_for(program: InProcess) -> None:
    process = program.start("watch", "kraken", "trades", "--raw", "--status")
    assert process.stdout is not None
    events: list[dict[str, Any]] = []
    while not {("status", "live"), ("trade", None)} <= {
        (e["type"], e.get("state")) for e in events
    }:
        events.append(json.loads(process.stdout.readline()))
    end(process)
    states = [event["state"] for event in events if event["type"] == "status"]
    assert states == ["connecting", "live"]
    trade = next(event for event in events if event["type"] == "trade")
    assert trade["raw"]["exec_id"] == trade["trade_id"]
    assert list(trade)[-1] == "raw"


def test_raw_frames_are_printed_verbatim(program: InProcess) -> None:
    ended = program("watch", "kraken", "--format", "raw", "--count", "4")
    frames = [json.loads(line) for line in ended.out.splitlines()]
    assert len(frames) == 4
    assert frames[0]["channel"] == "status"


def test_since_tells_history_oldest_first(tmp_path: Path, inside: Inside) -> None:
    """A live event of an order does not wait: what that order had before is told with it."""
    since = ("--simulate", "--since", "60s", "--count", "60")
    ended = inside(Program(tmp_path))("watch", "kraken", "orders", "trades", *since)
    trades = [event for event in ended.events if event["type"] == "trade"]
    assert len({trade["id"] for trade in trades}) == len(trades)
    live = {event.get("order_id") for event in ended.events if event["source"] == "stream"}
    times = [trade["time"] for trade in trades if trade["order_id"] not in live]
    assert len(times) > 10
    assert times == sorted(times)


def test_a_duration_ends_it_by_itself(program: InProcess) -> None:
    assert program("watch", "kraken", "--duration", "200ms").code == 0


def test_a_file_gets_the_same_lines(program: InProcess, tmp_path: Path) -> None:
    copy = tmp_path / "events.jsonl"
    ended = program("watch", "kraken", "--count", "10", "--to", f"file:{copy}")
    assert copy.read_text() == ended.out
    assert copy.stat().st_mode & 0o777 == 0o600


def test_a_reader_that_leaves_ends_it_quietly(program: InProcess) -> None:
    with program.start("watch", "kraken") as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())
        process.stdout.close()
        assert process.wait() == 0
        assert process.stderr is not None
        said = process.stderr.read()
    assert "Traceback" not in said
    assert "Broken" not in said


def test_a_closed_stdout_is_a_reader_that_left(program: InProcess) -> None:
    assert program.in_a_process("watch", "kraken", stdout=CLOSED).code == 0


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("watch kraken --to file:events --count 3", "events"),
        ("watch kraken --to file:events --count 3 --format raw", "events"),
        ("record recording kraken --count 3", "recording"),
    ],
)
def test_what_else_is_written_goes_on_without_a_stdout(
    program: InProcess, words: str, name: str
) -> None:
    assert program.in_a_process(*words.split(), stdout=CLOSED).code == 0
    assert len((program.home / name).read_text().splitlines()) >= 3


@pytest.mark.parametrize("closed", ["stdout", "stderr", "stdin", "stdin stdout stderr"])
@pytest.mark.parametrize(
    ("words", "code"), [("watch kraken --frobnicate", 2), ("token check nobody", 3)]
)
def test_a_closed_stream_changes_no_exit_code(
    program: InProcess, words: str, code: int, closed: str
) -> None:
    ended = program.in_a_process(*words.split(), **dict.fromkeys(closed.split(), CLOSED))
    assert ended.code == code
    assert "Traceback" not in ended.err


def test_a_full_stderr_changes_no_exit_code(program: InProcess) -> None:
    with Path("/dev/full").open("w") as full:
        assert program.in_a_process("token", "check", "nobody", stderr=full.fileno()).code == 3


# --- signals, in every state ---------------------------------------------------------------


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_a_signal_while_streaming(program: InProcess, number: int, code: int) -> None:
    process = program.start("watch", "kraken")
    wait_for(process, "Ready")
    ended = end(process, number)
    assert ended.code == code
    counts, *lines = ended.err.splitlines()
    assert re.fullmatch(r"privstream: \d+ s: .*\d+ (orders|trades|balances).*", counts)
    assert all(line.startswith("  ") for line in lines)
    assert json.loads(ended.out.splitlines()[-1])


@pytest.fixture
def mute(simulation: Simulation, tmp_path: Path) -> Iterator[Program]:
    """A host that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        yield Program(
            tmp_path, config_of(simulation, tmp_path, rest_url=f"http://127.0.0.1:{port}")
        )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_a_signal_while_connecting(mute: Program, number: int, code: int) -> None:
    process = mute.start("watch", "kraken")
    wait_for(process, "kraken: connecting")
    assert end(process, number).code == code


def dead(simulation: Simulation, folder: Path) -> Program:
    """A host where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return Program(folder, config_of(simulation, folder, rest_url=f"http://127.0.0.1:{port}"))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_a_signal_while_waiting_to_try_again(
    simulation: Simulation, tmp_path: Path, number: int, code: int
) -> None:
    process = dead(simulation, tmp_path).start("watch", "kraken")
    wait_for(process, "trying again")
    assert end(process, number).code == code


def test_a_signal_while_the_reader_does_not_read(program: InProcess) -> None:
    reader, writer = os.pipe()
    process = program.start("watch", "kraken", "--raw", stdout=writer)
    os.close(writer)
    try:
        wait_for(process, "Ready")
        os.set_blocking(reader, True)
        while len(os.read(reader, 65536)) < 1:
            pass
        assert end(process, signal.SIGINT).code == 130
    finally:
        os.close(reader)


# --- refusals ------------------------------------------------------------------------------


def test_a_wrong_secret_is_exit_4_and_a_sentence(simulation: Simulation, tmp_path: Path) -> None:
    program = Program(tmp_path, config_of(simulation, tmp_path, api_secret="d3Jvbmc="))
    ended = program.from_nothing("watch", "kraken")
    assert (ended.code, ended.out) == (4, "")
    assert "wrong API secret" in ended.err
    assert "d3Jvbmc" not in ended.err


def test_the_same_as_json(simulation: Simulation, tmp_path: Path, inside: Inside) -> None:
    program = inside(Program(tmp_path, config_of(simulation, tmp_path, api_key="unknown")))
    ended = program("watch", "kraken", "--json", "-q")
    error = json.loads(ended.err)
    assert ended.code == 4
    assert list(error) == ["error", "exchange", "account", "message", "hint", "retryable"]
    assert error["error"] == "login"
    assert (error["exchange"], error["account"], error["retryable"]) == ("kraken", "kraken", False)


def test_a_dead_host_with_max_retries_is_exit_5(
    simulation: Simulation, tmp_path: Path, inside: Inside
) -> None:
    ended = inside(dead(simulation, tmp_path))("watch", "kraken", "--max-retries", "0")
    assert ended.code == 5
    assert "connection refused" in ended.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["watch", "kraken", "positions"], 2, "no channel 'positions'"),
        (["watch", "kraken", "balances", "--protocol", "v1", "--simulate"], 2, "no balances"),
        (["watch", "kraken", "--protocol", "v3"], 2, "v2 or v1"),
        (["watch", "kraken", "--duration", "soon"], 2, "no duration"),
        (["watch", "kraken", "--since", "yesterday-ish"], 2, "no moment"),
        (["watch", "kraken", "--since", "2999-01-01T00:00:00Z"], 2, "still to come"),
        (["watch", "kraken", "--since", "2h", "--resume"], 2, "two different beginnings"),
        (["watch", "kraken", "--audit", "often"], 2, "no duration"),
        (["watch", "kraken", "--to", "ftp://127.0.0.1/x"], 2, "no destination"),
        (["watch", "kraken", "--frobnicate"], 2, "--frobnicate"),
        (["watch", "nowhere"], 2, "nowhere"),
        (["watch", "kraken", "--account", "desk"], 3, "desk"),
        (["watch", "kraken", "--account", "../x"], 3, "account name"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    program: InProcess, words: list[str], code: int, said: str
) -> None:
    ended = program(*words)
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err
    assert ended.err.count("\n") == 1
    assert ended.err.startswith("privstream: ")


def test_no_account_at_all_says_how_to_make_one(tmp_path: Path, inside: Inside) -> None:
    ended = inside(Program(tmp_path))("watch", "kraken")
    assert ended.code == 3
    assert "KRAKEN_API_KEY" in ended.err


def test_v1_against_a_v2_address_is_refused_before_anything_is_sent(program: InProcess) -> None:
    ended = program("watch", "kraken", "--protocol", "v1")
    assert ended.code == 3
    assert "protocol v1" in ended.err


# --- for people ----------------------------------------------------------------------------


def test_a_terminal_gets_readable_lines_and_a_status_line(program: InProcess) -> None:
    ours, theirs = pty.openpty()
    environ = {"TERM": "xterm-256color"}
    process = program.start("watch", "kraken", stdout=theirs, stderr=theirs, environ=environ)
    os.close(theirs)
    text = shown_on(ours, "Ready: orders, trades, balances", "\x1b[", "BTC/")
    process.send_signal(signal.SIGTERM)
    text += shown_on(ours)
    os.close(ours)
    assert process.wait() == 0
    assert '{"type"' not in text


@pytest.mark.parametrize("setting", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_plain_terminal_gets_no_escape_sequence(
    program: InProcess, setting: dict[str, str]
) -> None:
    ours, theirs = pty.openpty()
    environ = {"TERM": "xterm", **setting}
    process = program.start(
        "watch", "kraken", "--count", "20", stdout=theirs, stderr=theirs, environ=environ
    )
    os.close(theirs)
    assert "\x1b" not in shown_on(ours)
    os.close(ours)
    assert process.wait() == 0


def test_debug_shows_frames_and_no_secret(program: InProcess, simulation: Simulation) -> None:
    ended = program("watch", "kraken", "--count", "3", "--debug")
    account = simulation.account("kraken", {})
    assert '"<token>"' in ended.err
    assert "in {" in ended.err
    assert account.api_secret.reveal() not in ended.err
    assert account.api_key.reveal() not in ended.err
