"""No command prints a secret or leaves one behind, whatever level it speaks at.

Every command that the command line has is run in this process against the simulators, and all
of stdout, stderr and the files it left are searched.
"""

import io
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from privstream import exchanges
from privstream.cli import simulate
from privstream.cli.entry import run
from privstream.delivery.signals import Stop
from privstream.simulator.server import Simulation
from tests.security import command_lines
from tests.security.command_lines import (
    FORGED_KEY,
    FORGED_SECRET,
    HOOK_SECRET,
    ROWS,
    SPARE_KEY,
    SPARE_SECRET,
    Row,
)
from tests.security.treasure import KEPT, Treasure, bury, trust_nobody

LEAVES = dict(command_lines.leaves())
OTHER: tuple[list[str], ...] = ([], ["--json"])
LOUDEST = ["--debug"]
KEYS = {*KEPT, FORGED_KEY, FORGED_SECRET, SPARE_KEY, SPARE_SECRET, HOOK_SECRET}
"""What a cache of tokens has no business with."""


@pytest.fixture(scope="module")
def buried() -> Iterator[Treasure]:
    with pytest.MonkeyPatch.context() as patch:
        yield bury(patch)


@pytest.fixture(scope="module")
def simulation(buried: Treasure) -> Iterator[Simulation]:
    assert buried.texts
    with Simulation(exchanges.names(), seed=5, rate=60, limits=False) as running:
        yield running


@pytest.fixture
def home(
    simulation: Simulation,
    buried: Treasure,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A home folder whose config file holds the canaries; nothing else of this machine counts."""
    for name in list(os.environ):
        if name.startswith(("XDG_", "PRIVSTREAM_")) or name.endswith(("_KEY", "_SECRET")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    trust_nobody(monkeypatch, tmp_path)
    accounts = [simulation.account(name, {}) for name in simulation.exchanges]
    config = "\n".join(map(simulate._config_lines, accounts))
    config += f'[accounts.forged]\nexchange = "kraken"\napi_key = "{FORGED_KEY}"\n'
    config += f'api_secret = "{FORGED_SECRET}"\n'
    # Nobody is there: what waits for it is kept.
    config += f'[sinks.hook]\nurl = "http://127.0.0.1:9/in"\nsecret = "{HOOK_SECRET}"\n'
    for text in KEYS:
        buried.add(text)
    path = tmp_path / ".config/privstream/config.toml"
    path.parent.mkdir(parents=True, mode=0o700)
    path.touch(0o600)
    path.write_text(config)
    return tmp_path


@pytest.fixture
def own_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a run changes of its process is put back after it; no mask helps it to be careful."""
    mask = os.umask(0)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    yield
    os.umask(mask)


@pytest.fixture
def ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    """`simulate` serves until Ctrl-C, which comes at once."""
    wait = Stop.wait_while_read

    def interrupted(stop: Stop, fd: int) -> None:
        signal.raise_signal(signal.SIGINT)
        wait(stop, fd)

    monkeypatch.setattr(Stop, "wait_while_read", interrupted)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a placed order waits for on the stream is not what is looked at here."""
    monkeypatch.setattr("privstream.connection.orders.broker.STREAM_LIMIT", 0.05)


def levels(path: tuple[str, ...], row: Row) -> list[list[str]]:
    """The levels at which a row is called: those that the command has."""
    options = {option for parameter in LEAVES[path].params for option in parameter.opts}
    wanted = [LOUDEST, *OTHER] if row.levels else [LOUDEST]
    return [level for level in wanted if options.issuperset(level)] or [[]]


CALLS = [
    pytest.param(row, level, id=" ".join([row.name, *level]))
    for path, some in ROWS.items()
    if path in LEAVES
    for row in some
    for level in levels(path, row)
]


@pytest.mark.usefixtures("home", "own_process", "ctrl_c", "hasty")
@pytest.mark.parametrize(("row", "level"), CALLS)
def test_a_command_says_and_leaves_no_secret(
    row: Row,
    level: list[str],
    *,
    home: Path,
    buried: Treasure,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = home / "folder"
    folder.mkdir(0o700)
    *before, line = row.lines(folder)
    for first in before:
        assert run(first) == 0
    stdin = io.TextIOWrapper(io.BytesIO(row.stdin.encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    before_said = capfd.readouterr()
    code = run([*line, *level])
    said = capfd.readouterr()
    assert row.code in {code, None}, said.err
    shown = "" if row.gives_out else before_said.out + said.out
    assert buried.leaks(before_said.err + said.err + shown + left_in(home)) == []
    assert buried.leaks(left_in(home / ".cache"), only=KEYS) == []


def left_in(home: Path) -> str:
    """What all files hold that the run left, and what they are called.

    But for those that are there to keep secrets: the config file and the cache of tokens.
    """
    everything = [path for path in home.rglob("*") if path != home / ".config"]
    for path in everything:
        assert path.stat().st_mode & 0o077 == 0, f"{path} is not private"
    files = [path for path in everything if path.is_file()]
    kept = (home / ".config/privstream/config.toml", home / ".cache/privstream")
    open_ = [f for f in files if not any(f.is_relative_to(place) for place in kept)]
    return "\n".join(f"{file} {file.read_bytes().decode('latin-1')}" for file in open_)


def test_every_command_has_a_row() -> None:
    missing = [" ".join(path) for path in LEAVES.keys() - ROWS.keys()]
    assert not missing, f"nobody looks what these leak; put them into command_lines.py: {missing}"


def test_every_row_is_of_a_command() -> None:
    assert ROWS.keys() <= LEAVES.keys()


def test_what_is_looked_for_is_found(home: Path, buried: Treasure) -> None:
    """The search itself: the config file holds the secrets, and a file left open to others fails."""
    config = home / ".config/privstream/config.toml"
    assert len(buried.leaks(config.read_text())) >= 2 * len(exchanges.names())
    copy = home / "copy"
    copy.write_bytes(config.read_bytes())
    with pytest.raises(AssertionError, match="not private"):
        left_in(home)
    copy.chmod(0o600)
    assert buried.leaks(left_in(home))
