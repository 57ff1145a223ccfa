"""Start-up: what each command loads, which everybody who types it waits for."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from privstream.cli.commands import help_text
from tests.cli.conftest import InProcess

WATCHED = frozenset(
    {
        *("typer", "rich", "msgspec", "websocket", "requests", "urllib3", "keyring", "websockets"),
        *("asyncio", "ssl", "http.client", "email.message", "sqlite3", "multiprocessing"),
        *("privstream.app", "privstream.connection", "privstream.doctor", "privstream.exchanges"),
        *("privstream.memory", "privstream.settings", "privstream.simulator"),
        *("privstream.app.live", "privstream.outputs.live"),
    }
)
"""What takes long to load, or much of the program with it."""
LOADED = """
import os, sys
leave = os._exit
def tell(code):
    sys.stderr.write("loaded: " + " ".join(sys.modules))
    sys.stderr.flush()
    leave(code)
os._exit = tell
from privstream.__main__ import main
main()
tell(0)
"""
CONFIG = """
[accounts.bitfinex]
api_key = "k"
api_secret = "s"
[exchanges.bitfinex]
ws_url = "ws://127.0.0.1:9/"
"""
FRONT = {"typer", "msgspec"}
PURE = {*FRONT, "privstream.app", "privstream.exchanges", "privstream.memory"}
PURE.add("privstream.settings")
MAY_LOAD: dict[tuple[str, ...], set[str]] = {
    ("--version",): set(),
    ("--help",): set(),
    ("schema",): FRONT | {"privstream.settings"},
    ("watch", "kraken", "--help"): FRONT | {"privstream.exchanges", "privstream.settings"},
    ("accounts", "list"): PURE - {"privstream.memory"},
    ("replay", "-", "--exchange", "kraken"): PURE,
    # No token over REST: so `requests`, the largest of all, is not needed.
    ("watch", "bitfinex", "--max-retries", "0"): PURE
    | {"websocket", "ssl", "privstream.connection"},
}


@pytest.mark.parametrize("words", MAY_LOAD, ids=" ".join)
def test_a_command_loads_only_what_it_uses(words: tuple[str, ...], tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.touch(0o600)
    config.write_text(CONFIG)
    ended = subprocess.run(
        [sys.executable, "-c", LOADED, *words],
        env={"HOME": str(tmp_path), "PRIVSTREAM_CONFIG": str(config)},
        capture_output=True,
        input="",
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    loaded = ended.stderr.partition("loaded: ")[2].split()
    assert WATCHED.intersection(loaded) <= MAY_LOAD[words]
    assert loaded


@pytest.mark.parametrize("columns", [20, 51, 66, 79, 80, 200])
def test_the_quick_help_reads_as_typer_has_it(program: InProcess, columns: int) -> None:
    program.environ["COLUMNS"] = str(columns)
    # Typer's own may break a word at its hyphen.
    typers = re.sub(r"(?<=\w-)\n +", "", program("--help").out)
    assert typers.split() == help_text(columns).split()


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_a_closed_stdout_is_no_fault_of_an_answer(option: str) -> None:
    command = f'exec "$0" -m privstream {option} >&-'
    ended = subprocess.run(
        ["sh", "-c", command, sys.executable], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
