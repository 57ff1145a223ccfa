"""`record`, `replay`, `schema`, `demo`, `--version`, `--help`."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from privstream import __version__, exchanges
from privstream.model.events import TYPES
from privstream.simulator.server import Simulation
from tests.cli.conftest import InProcess, Inside, Program, end


def test_a_recording_replays_into_the_same_events_and_holds_no_secret(
    program: InProcess, simulation: Simulation, tmp_path: Path
) -> None:
    file = tmp_path / "recording.jsonl"
    watched = program.in_a_process("record", str(file), "kraken", "--count", "30", "--raw")
    assert watched.code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    account = simulation.account("kraken", {})
    for secret in (account.api_key, account.api_secret):
        assert secret.reveal() not in file.read_text()
    assert '"token\\":\\"<token>\\"' in file.read_text()
    replayed = program("replay", str(file), "--raw")
    again, once = (list(map(without_time, run)) for run in (replayed.events, watched.events))
    assert [event for event in again if event in once] == once


def without_time(event: dict[str, Any]) -> dict[str, Any]:
    return {**event, "received": None}


def test_a_recording_is_never_overwritten(program: InProcess, tmp_path: Path) -> None:
    file = tmp_path / "precious"
    file.write_text("data")
    ended = program("record", str(file), "kraken")
    assert ended.code == 2
    assert file.read_text() == "data"


def test_record_wants_a_file_and_an_exchange(program: InProcess) -> None:
    assert program("record").code == 2
    assert program("record", "file.jsonl").code == 2


BARE = (
    '{"channel":"heartbeat"}\n'
    '{"channel":"executions","type":"update","data":[{"order_id":"O1","exec_type":"canceled",'
    '"order_status":"canceled","cum_qty":0.50,"reason":"User requested",'
    '"timestamp":"2026-05-18T12:58:40.165132Z"}],"sequence":143}\n'
    "no json\n"
)


def test_bare_frames_become_events_also_where_the_order_is_unknown(
    program: InProcess, tmp_path: Path
) -> None:
    file = tmp_path / "frames.jsonl"
    file.write_text(BARE)
    ended = program("replay", str(file), "--exchange", "kraken")
    order, notice = ended.events
    assert (order["status"], order["filled"], order["symbol"]) == ("canceled", "0.50", None)
    assert (notice["code"], notice["raw"]) == ("unrecognised", "no json")


def test_a_file_that_is_no_recording_says_what_to_do(program: InProcess, tmp_path: Path) -> None:
    file = tmp_path / "frames.jsonl"
    file.write_text(BARE)
    ended = program("replay", str(file))
    assert ended.code == 2
    assert "--exchange" in ended.err
    assert program("replay", str(tmp_path / "absent")).code == 2


def test_the_schema_of_every_type_is_valid_and_closed(program: InProcess) -> None:
    whole = json.loads(program("schema").out)
    jsonschema.Draft202012Validator.check_schema(whole)
    for kind in TYPES:
        one = json.loads(program("schema", kind).out) if kind == "order" else whole
        definition = one["$defs"][kind.capitalize()]
        assert definition["additionalProperties"] is False
    assert program("schema", "nothing").code == 2


def test_the_demo_shows_every_simulated_exchange(tmp_path: Path) -> None:
    process = Program(tmp_path).start("demo", "--rate", "20")
    assert process.stdout is not None
    seen: set[str] = set()
    while seen != set(exchanges.names()):
        seen.add(json.loads(process.stdout.readline())["exchange"])
    assert end(process).code == 0


@pytest.mark.parametrize("words", [("demo", "--rate", "20"), ("watch", "kraken", "--simulate")])
def test_what_is_simulated_needs_no_home_that_can_be_written(
    words: tuple[str, ...], tmp_path: Path, inside: Inside
) -> None:
    nothing_can_be_made_in = tmp_path / "file"
    nothing_can_be_made_in.touch()
    program = Program(tmp_path)
    program.environ["HOME"] = str(nothing_can_be_made_in)
    ended = inside(program)(*words, "--count", "5")
    assert (ended.code, len(ended.events)) == (0, 5)
    assert list(tmp_path.iterdir()) == [nothing_can_be_made_in]


@pytest.mark.parametrize("fault", ["drop", "explode@1s", "close@1s"])
def test_a_fault_that_cannot_be_read_is_a_usage_error(program: InProcess, fault: str) -> None:
    ended = program("simulate", "kraken", "--fault", fault)
    assert (ended.code, ended.out) == (2, "")
    assert "cannot be read" in ended.err


def test_the_version_is_printed(program: InProcess) -> None:
    assert program.in_a_process("--version").out == f"privstream {__version__}\n"


@pytest.mark.parametrize(
    ("where", "code", "said"),
    [
        (">&-", 0, ""),
        ("| true", 0, ""),
        (">/dev/full", 1, "privstream: cannot write: No space left"),
    ],
)
def test_a_version_that_cannot_be_printed_shows_no_traceback(
    where: str, code: int, said: str
) -> None:
    line = f"set -o pipefail; '{sys.executable}' -m privstream --version {where}"
    run = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert run.returncode == code
    assert run.stderr.startswith(said)
    assert run.stderr.count("\n") == bool(said)


@pytest.mark.parametrize("words", [[], ["watch"], ["watch", "all"], ["replay"], ["record"]])
def test_help_is_printed_on_stdout(program: InProcess, words: list[str]) -> None:
    ended = program(*words, "--help")
    assert ended.code == 0
    assert ended.out.startswith("Usage: privstream")


@pytest.mark.parametrize("name", exchanges.names())
def test_each_exchange_lists_its_channels_and_options(program: InProcess, name: str) -> None:
    ended = program("watch", name, "--help")
    kind = exchanges.find(name)
    for channel in kind.channels:
        assert channel in ended.out
    for option in kind.options:
        assert f"--{option.name}" in ended.out


def test_start_up_loads_neither_rich_nor_requests() -> None:
    code = (
        "import os, sys; sys.argv = ['privstream', '--help']; os._exit = sys.exit\n"
        "from privstream.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([m for m in ('rich', 'requests', 'websocket', 'aiohttp') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"
