"""`privstream run` as a service manager starts it: signals, exit codes, a log of whole lines."""

import os
import re
import signal

import pytest

from privstream.cli.outside import _is_in_journal
from tests.cli.conftest import InProcess, end, wait_for

STAMPED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d privstream: ")


@pytest.fixture
def service(program: InProcess) -> InProcess:
    """Configured with a sink."""
    with (program.home / "config.toml").open("a") as config:
        config.write('[sinks.archive]\nurl = "sqlite:events.db"\n')
    return program


def test_sighup_reads_the_config_again_and_sigterm_ends_it_well(service: InProcess) -> None:
    process = service.start("run")
    said = wait_for(process, "kraken: Ready")
    process.send_signal(signal.SIGHUP)
    said += wait_for(process, "again: nothing has changed")
    ended = end(process)
    assert (ended.code, ended.out) == (0, "")
    assert all(STAMPED.match(line) for line in (said + ended.err).splitlines())


def test_ctrl_c_ends_it_as_any_command(service: InProcess) -> None:
    process = service.start("run")
    wait_for(process, "kraken: Ready")
    assert end(process, signal.SIGINT).code == 130


def test_it_is_of_no_use_without_a_sink(program: InProcess) -> None:
    ended = program("run")
    assert (ended.code, ended.out) == (3, "")
    assert STAMPED.match(ended.err)
    assert "no sink is configured, so nobody would get the events (write [sinks." in ended.err


def test_an_account_that_is_not_there_is_named(service: InProcess) -> None:
    ended = service("run", "-a", "nobody", "--json")
    assert ended.code == 3
    assert ended.err.startswith('{"error":"config"')


def test_a_key_that_is_refused_is_exit_4(service: InProcess) -> None:
    path = service.home / "config.toml"
    path.write_text(re.sub(r'api_key = ".*"', 'api_key = "wrong"', path.read_text()))
    ended = service("run")
    assert ended.code == 4
    assert "kraken: Kraken does not know this API key" in ended.err


def test_the_journal_keeps_the_time_itself() -> None:
    there = os.fstat(2)
    assert _is_in_journal({"JOURNAL_STREAM": f"{there.st_dev}:{there.st_ino}"})
    assert not _is_in_journal({"JOURNAL_STREAM": f"{there.st_dev}:1"})
    assert not _is_in_journal({})
