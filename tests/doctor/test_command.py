"""`privstream doctor` as it is called: what it prints, and how it ends."""

import json
import os
import pty
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from privstream.cli.entry import run
from privstream.cli.findings import PagePrinter
from privstream.doctor.findings import Finding, warned, worst, wrong
from privstream.model.errors import Exit
from privstream.outputs.terminal import is_lively
from privstream.simulator.server import Simulation
from tests.doctor.machine import Machine
from tests.outside import environment

KEYS = ["account", "exchange", "check", "ok", "level", "message", "hint"]


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """A command takes over the hook for bugs."""
    hook = sys.excepthook
    yield
    sys.excepthook = hook


def lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def test_a_pipe_gets_one_json_object_per_check_and_the_exit_is_0_where_all_is_well(
    machine: Machine, simulation: Simulation, capfd: pytest.CaptureFixture[str]
) -> None:
    machine.configure(simulation, "kraken", "indodax")
    assert run(["doctor"]) == 0
    found = lines(capfd)
    assert {tuple(line) for line in found} == {tuple(KEYS)}
    assert {line["account"] for line in found} == {None, "kraken", "indodax"}
    logins = {line["account"]: line["ok"] for line in found if line["check"] == "login"}
    assert logins == {"kraken": True, "indodax": True}


def test_the_exit_is_that_of_the_worst_and_no_secret_is_printed(
    machine: Machine, simulation: Simulation, capfd: pytest.CaptureFixture[str]
) -> None:
    machine.configure(simulation, "kraken", api_secret="V1JPTkc=")
    assert run(["doctor", "--json", "--debug"]) == Exit.REFUSED
    machine.config.chmod(0o644)
    assert run(["doctor", "kraken", "--quiet"]) == Exit.CONFIG
    told = "".join(capfd.readouterr())
    account = simulation.account("kraken", {})
    for secret in (account.api_key, account.api_secret):
        assert secret.reveal() not in told
    assert "V1JPTkc=" not in told


def test_quiet_prints_only_what_is_not_well(
    machine: Machine, simulation: Simulation, capfd: pytest.CaptureFixture[str]
) -> None:
    machine.configure(simulation, "poloniex")
    assert run(["doctor", "-q"]) == 0
    assert {line["level"] for line in lines(capfd)} == {"warning", "skipped"}


def test_the_worst_is_configuration_then_refusals_then_what_is_not_reached() -> None:
    codes = (Exit.UNREACHABLE, Exit.REFUSED, Exit.CONFIG)
    found = [wrong("x", "y", "z", code) for code in codes]
    assert [worst(found[:count]) for count in range(4)] == [Exit.DONE, *codes]
    assert worst([warned("x", "y", "z")]) is Exit.DONE


# --- for a person ----------------------------------------------------------------------------


def printed(monkeypatch: pytest.MonkeyPatch, term: str, findings: list[Finding]) -> str:
    """What a terminal of this kind gets."""
    ours, theirs = pty.openpty()
    monkeypatch.setattr("privstream.cli.findings.STDOUT", theirs)
    colour = is_lively(theirs, {"TERM": term})
    printer = PagePrinter(replace(environment({"TERM": term}), colour=colour))
    for finding in findings:
        printer.show(finding)
    read = os.read(ours, 4096)
    os.close(theirs)
    os.close(ours)
    return read.decode().replace("\r\n", "\n")


BAD = [wrong("key", "no \x1b]0;good\x07 key", "make one").about("kraken", "desk")]


def test_a_person_sees_the_mend_below_its_line_and_foreign_text_commands_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("privstream.cli.findings._shows_marks", lambda: True)
    told = printed(monkeypatch, "xterm", BAD)
    assert told == (
        "\x1b[1mdesk (kraken)\x1b[0m\n  \x1b[31m✗\x1b[0m no \\x1b]0;good\\x07 key\n    → make one\n"
    )


def test_a_dumb_terminal_gets_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed(monkeypatch, "dumb", BAD) == (
        "desk (kraken)\n  X  no \\x1b]0;good\\x07 key\n     -> make one\n"
    )


def test_no_word_is_broken_at_the_end_of_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "the key may do more than what is read: it may trade, and it may withdraw"
    monkeypatch.setattr("privstream.cli.findings.line_width", lambda _: 30)
    _, *told = printed(monkeypatch, "dumb", [wrong("key", said, said).about("kraken")]).splitlines()
    assert max(map(len, told)) <= 30
    assert " ".join(told).split() == ["X", *said.split(), "->", *said.split()]
    assert {line[:5] for line in told[1:]} == {" " * 5}


def test_help_costs_no_library(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    assert machine.home
    assert run(["doctor", "--help"]) == 0
    assert "say how to mend each" in " ".join(capfd.readouterr().out.split())


def test_a_reader_who_left_does_not_make_it_a_success(
    machine: Machine, simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    monkeypatch.setattr("privstream.cli.findings.STDOUT", writer)
    monkeypatch.setattr("privstream.cli.doctor.discard_stdout", lambda: None)
    assert run(["doctor", "--json"]) == Exit.CONFIG  # what it found
    machine.configure(simulation, "poloniex")
    assert run(["doctor", "--json"]) == Exit.UNREACHABLE
    os.close(writer)
