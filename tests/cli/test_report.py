"""`privstream report`, as it is called: its exit code says whether something is missing."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from privstream.simulator.server import Simulation
from tests.app.test_report import BUY, kept
from tests.cli.conftest import Inside, Program, config_of
from tests.outputs.output_events import GAP

changed = msgspec.structs.replace


def written(folder: Path, *told: bytes) -> str:
    path = folder / "events.jsonl"
    path.write_bytes(b"\n".join(told) + b"\n")
    return str(path)


def test_the_exit_code_says_whether_something_is_missing(tmp_path: Path, inside: Inside) -> None:
    program = inside(Program(tmp_path))
    ended = program("report", "--from", written(tmp_path, *kept(BUY)), "--utc")
    assert (ended.code, ended.events[-1]["complete"]) == (0, None)
    assert "a file holds what was streamed into it" in ended.err
    lost = changed(GAP, complete=False, detail="history did not answer")
    ended = program("report", "--from", written(tmp_path, *kept(BUY, lost)), "--utc", "-q")
    assert (ended.code, ended.events[-1]["complete"]) == (5, False)
    assert "INCOMPLETE: kraken: history did not answer" in ended.err


def test_of_a_file_without_events_that_is_said(tmp_path: Path, inside: Inside) -> None:
    ended = inside(Program(tmp_path))("report", "--from", written(tmp_path))
    assert (ended.code, ended.events[-2]["fills"]) == (0, 0)
    assert ended.events[-1]["from"] == ended.events[-1]["to"] > "2026"
    assert "holds no event" in ended.err


def test_over_rest_it_reads_the_simulated_account(tmp_path: Path, inside: Inside) -> None:
    ended = inside(Program(tmp_path))("report", "kraken", "--simulate", "--since", "90s")
    assert ended.code == 0
    assert ended.events[-1]["complete"] is True
    assert ended.events[-2]["fills"] > 10
    assert "whole until" in ended.err


def test_a_refused_key_is_said_and_costs_no_other_account(tmp_path: Path, inside: Inside) -> None:
    with Simulation(["kraken"], seed=5, rate=0.1, limits=False) as calm:
        good, _, _ = config_of(calm, tmp_path).read_text().partition("[exchanges")
        config = config_of(calm, tmp_path, api_key="x" * 56)
        config.write_text(
            config.read_text() + good.replace(".kraken]", '.good]\nexchange = "kraken"')
        )
        ended = inside(Program(tmp_path, config))("report", "--since", "1s")
    assert ended.code == 4
    assert "Kraken does not know this API key" in ended.err
    assert [missing["account"] for missing in ended.events[-1]["missing"]] == ["kraken"]


@pytest.mark.parametrize("left", ["| true", ">&-"])
def test_an_answer_that_nobody_got_is_no_success(tmp_path: Path, left: str) -> None:
    program = Program(tmp_path)
    source = written(tmp_path, *kept(BUY))
    command = (
        f"{sys.executable} -m privstream report --from {source} {left}; exit ${{PIPESTATUS[0]}}"
    )
    run = subprocess.run(
        ["bash", "-c", command], env=program.environ, capture_output=True, timeout=30, check=False
    )
    assert run.returncode == 5
    assert b"Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("report --since tomorrow", 2, "no moment"),
        ("report --since 1h --until 2h", 2, "--until is not after --since"),
        ("report --json --csv", 2, "two different forms"),
        ("report --from sqlite:x", 2, "cannot read x: No such file"),
        ("report --from nowhere.jsonl", 2, "nowhere.jsonl"),
        ("report --plot x.pdf --simulate", 2, "--plot draws"),
        ("report nobody", 3, "nobody"),
        ("report", 3, "no account is configured"),
        ("report --since ''", 2, "--since is empty"),
        ("report --from", 2, "see privstream report --help"),
    ],
)
def test_what_cannot_be_reported_is_one_sentence(
    words: str, code: int, said: str, tmp_path: Path, inside: Inside
) -> None:
    ended = inside(Program(tmp_path))(*(word.replace("''", "") for word in words.split()))
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err
