"""The token cache: who asks, who finds, whose word counts, and what is planted in its folder."""

import json
import os
import stat
import threading
from collections.abc import Callable
from dataclasses import replace
from errno import ENOSPC
from pathlib import Path
from typing import Any, TypeVar

import pytest

from privstream.connection.clock import Clock, Uptime, uptime
from privstream.connection.ports import Life
from privstream.connection.tokens.cache import Tokens
from privstream.connection.tokens.file import TokenFile
from privstream.exchanges import find
from privstream.model.account import Account, Endpoints, Secret, Token
from privstream.model.errors import (
    ConfigError,
    Interrupted,
    LoginRefused,
    OutputFailed,
    Unreachable,
)
from privstream.model.rest import Now, RestFlow
from privstream.model.times import from_nanos
from tests.fake_clock import START_NS, FakeClock

T = TypeVar("T")
ACCOUNT = Account(
    name="kraken",
    exchange="kraken",
    credentials={"api_key": Secret("PSCANARYkey"), "api_secret": Secret("PSCANARYsecret")},
    endpoints=Endpoints("https://kraken.test", "wss://kraken.test/v2"),
)


class Exchange:
    """Gives out PSCANARY1, PSCANARY2, … over REST, each for as long as it says."""

    skew_ns = 0

    def __init__(self, clock: Clock, life: float | None = 900.0) -> None:
        self._clock = clock
        self.life = life
        self.asked = 0
        self.takes = 0.0
        self.problem: Exception | None = None
        self.asking: Callable[[], object] = lambda: None

    def run(
        self,
        flow: RestFlow[T],
        *,
        idle: Callable[[], None] | None = None,
        deadline: float = 60.0,
    ) -> T:
        flow.close()
        assert idle is None
        assert deadline > 0
        self.asked += 1
        self.asking()
        if isinstance(self._clock, FakeClock):
            self._clock.advance(self.takes)
        if self.problem is not None:
            raise self.problem
        token: Any = Token(Secret(f"PSCANARY{self.asked}"), self.life, "channel")
        return token  # type: ignore[no-any-return]  # what any flow brings, a token here


class Process:
    """One process that looks for a token; several share folder, exchange and clocks."""

    def __init__(self, folder: Path, account: Account = ACCOUNT) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.exchange = Exchange(self.clock)
        self.account = account
        self.boot = "first boot"
        self.slept = 0.0
        self.notes: list[str] | None = None

    def tokens(self, account: Account | None = None) -> Tokens:
        file = TokenFile(self.folder, account or self.account, self.clock)
        note = None if self.notes is None else self.notes.append
        return Tokens(
            find("kraken")(ACCOUNT), self.exchange, self.clock, file, note=note, up=self.up
        )

    def up(self) -> Uptime:
        return Uptime(self.boot, self.clock.now().monotonic + self.slept)

    def get(self, min_ttl: float = 120.0, **others: Any) -> str:
        token, _ = self.tokens().get(min_ttl, **others)
        return token.secret.reveal()

    def life(self, min_ttl: float = 120.0) -> Life:
        return self.tokens().get(min_ttl)[1]

    @property
    def path(self) -> Path:
        (path,) = (p for p in self.folder.glob("token-*") if p.suffix != ".lock")
        return path


@pytest.fixture
def process(tmp_path: Path) -> Process:
    return Process(tmp_path / "cache")


def test_the_first_asks_and_all_who_come_later_find(process: Process) -> None:
    token, life = process.tokens().get(120.0)
    assert (token.secret.reveal(), token.channel, life.renewed) == ("PSCANARY1", "channel", True)
    process.clock.advance(60.0)
    token, life = process.tokens().get(120.0)
    assert (token.secret.reveal(), token.channel) == ("PSCANARY1", "channel")
    assert life == Life(START_NS + 900 * 10**9, 840.0, renewed=False)
    assert process.exchange.asked == 1


@pytest.mark.parametrize(("passed", "found"), [(780.0, "PSCANARY1"), (780.5, "PSCANARY2")])
def test_a_token_with_less_life_than_wanted_is_renewed(
    process: Process, passed: float, found: str
) -> None:
    process.get()
    process.clock.advance(passed)
    assert process.get(min_ttl=120.0) == found


def test_life_counts_from_before_the_exchange_was_asked(process: Process) -> None:
    process.exchange.takes = 5.0
    assert process.life() == Life(START_NS + 900 * 10**9, 895.0, renewed=True)


# --- clocks --------------------------------------------------------------------------------


def test_a_clock_set_back_does_not_revive_a_token(process: Process) -> None:
    process.get()
    process.clock.advance(1000.0)
    process.clock.step_wall(-999.0)
    assert process.tokens().kept() is None
    assert process.get() == "PSCANARY2"


def test_a_token_from_the_future_is_none(process: Process) -> None:
    process.get()
    process.clock.step_wall(-3600.0)
    assert process.tokens().kept() is None


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
def test_a_clock_that_was_set_costs_one_request_and_no_loop(process: Process, step: float) -> None:
    process.get()
    process.clock.step_wall(step)
    assert [process.get() for _ in range(3)] == ["PSCANARY2"] * 3


def test_the_life_that_is_left_is_told_by_the_clock_that_leaves_less(process: Process) -> None:
    process.get()
    process.clock.step_wall(100.0)
    assert process.life() == Life(START_NS + 900 * 10**9, 800.0, renewed=False)
    process.slept += 200.0
    assert process.life() == Life(START_NS + 800 * 10**9, 700.0, renewed=False)


def test_clocks_that_drift_a_little_do_not_change_when_it_ends(process: Process) -> None:
    process.get()
    process.slept += 0.004
    assert process.life().expires_at == START_NS + 900 * 10**9


def test_a_computer_that_slept_did_not_stop_the_exchanges_clock(process: Process) -> None:
    process.get()
    process.slept += 3600.0
    assert process.get() == "PSCANARY2"


def test_after_a_boot_nobody_knows_how_old_a_token_is(process: Process) -> None:
    process.get()
    process.boot = "second boot"
    assert process.get() == "PSCANARY2"


def test_the_computers_uptime_goes_on_and_knows_its_boot() -> None:
    first, second = uptime(), uptime()
    assert first.boot == second.boot
    assert 0 < first.seconds <= second.seconds


@pytest.mark.parametrize("life", [None, 0.0, -5.0, float("nan"), float("inf"), 1e12])
def test_a_token_of_unknown_life_is_used_and_not_kept(process: Process, life: float | None) -> None:
    process.exchange.life = life
    assert process.life() == Life(None, None, renewed=True)
    assert process.get() == "PSCANARY2"


# --- refusals ------------------------------------------------------------------------------


def test_who_has_used_a_token_gets_another_one(process: Process) -> None:
    token, _ = process.tokens().get(120.0)
    assert process.get(other_than=token) == "PSCANARY2"
    assert process.get(other_than=token) == "PSCANARY2"


def test_what_the_exchange_refuses_is_gone_whatever_the_clock_says(process: Process) -> None:
    token, _ = process.tokens().get(120.0)
    process.tokens().refused(token)
    assert process.tokens().kept() is None
    process.tokens().refused(token)
    assert process.get() == "PSCANARY2"


def test_a_late_refusal_does_not_drop_somebody_elses_newer_token(process: Process) -> None:
    token, _ = process.tokens().get(120.0)
    process.tokens().refresh()
    process.tokens().refused(token)
    assert process.get() == "PSCANARY2"


def test_refresh_asks_whatever_is_left(process: Process) -> None:
    process.get()
    token, life = process.tokens().refresh()
    assert (token.secret.reveal(), life.renewed) == ("PSCANARY2", True)
    assert process.get() == "PSCANARY2"


def test_a_refused_request_keeps_nothing_and_gives_the_lock_back(process: Process) -> None:
    process.exchange.problem = LoginRefused("no")
    with pytest.raises(LoginRefused):
        process.get()
    process.exchange.problem = None
    assert process.get() == "PSCANARY2"


# --- many at once --------------------------------------------------------------------------


class Crowd:
    """A real clock that tells when somebody waits."""

    def __init__(self) -> None:
        self.waiting = threading.Semaphore(0)
        self._known = threading.local()

    def now(self) -> Now:
        return Now(START_NS, 1000.0)

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        if not hasattr(self._known, "waits"):
            self._known.waits = True
            self.waiting.release()
        return stop.wait(min(seconds, 0.001))


@pytest.mark.parametrize("min_ttl", [120.0, 99999.0, None])
def test_sixteen_at_once_make_one_request(tmp_path: Path, min_ttl: float | None) -> None:
    clock = Crowd()
    exchange = Exchange(clock)
    exchange.asking = lambda: [clock.waiting.acquire(timeout=10) for _ in range(15)]
    found: list[tuple[str, bool]] = []

    def look() -> None:
        tokens = Tokens(
            find("kraken")(ACCOUNT), exchange, clock, TokenFile(tmp_path, ACCOUNT, clock)
        )
        token, life = tokens.refresh() if min_ttl is None else tokens.get(min_ttl)
        found.append((token.secret.reveal(), life.renewed))

    threads = [threading.Thread(target=look) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [("PSCANARY1", False)] * 15 + [("PSCANARY1", True)]
    assert exchange.asked == 1


def test_the_wait_for_another_process_ends(process: Process) -> None:
    file = TokenFile(process.folder, ACCOUNT, process.clock)
    with file.locked(1.0), pytest.raises(Unreachable, match="another privstream"):
        process.get()
    assert sum(process.clock.waits) < 30.1
    assert process.exchange.asked == 0


def test_stopping_ends_that_wait_at_once(process: Process) -> None:
    stop = threading.Event()
    stop.set()
    file = TokenFile(process.folder, ACCOUNT, process.clock, stop)
    tokens = Tokens(find("kraken")(ACCOUNT), process.exchange, process.clock, file)
    with file.locked(1.0), pytest.raises(Interrupted) as caught:
        tokens.get(120.0)
    assert caught.value.cause == "stopped"
    assert process.clock.waits == []


def test_a_token_that_is_good_needs_no_lock(process: Process) -> None:
    process.get()
    with TokenFile(process.folder, ACCOUNT, process.clock).locked(1.0):
        assert process.get() == "PSCANARY1"


# --- whose it is ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [
        replace(ACCOUNT, credentials={**ACCOUNT.credentials, "api_key": Secret("k")}),
        replace(ACCOUNT, credentials={**ACCOUNT.credentials, "api_secret": Secret("s")}),
        replace(ACCOUNT, endpoints=Endpoints("https://elsewhere.test", "wss://kraken.test/v2")),
        replace(ACCOUNT, exchange="indodax"),
    ],
    ids=["key", "secret", "host", "exchange"],
)
def test_another_key_secret_or_host_never_sees_the_token(process: Process, other: Account) -> None:
    process.get()
    assert process.tokens(other).kept() is None
    assert process.tokens(replace(ACCOUNT, name="alias")).kept() is not None


def test_names_tell_nothing_and_modes_let_nobody_in_under_any_umask(process: Process) -> None:
    before = os.umask(0)
    try:
        process.get()
    finally:
        os.umask(before)
    assert stat.S_IMODE(process.folder.stat().st_mode) == 0o700
    for path in process.folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert "PSCANARY" not in path.name
        assert "kraken" not in path.name
    assert len(list(process.folder.iterdir())) == 2
    assert "PSCANARYkey" not in process.path.read_text()
    assert "PSCANARYsecret" not in process.path.read_text()


def test_nothing_that_shows_a_token_is_shown(process: Process) -> None:
    assert "PSCANARY" not in repr(process.tokens().get(120.0))
    kept = TokenFile(process.folder, ACCOUNT, process.clock).read()
    assert kept is not None
    assert "PSCANARY" not in repr(kept)


# --- what is planted -----------------------------------------------------------------------


def symlink(path: Path) -> None:
    path.rename(path.parent / "victim")
    path.symlink_to(path.parent / "victim")


def hard_link(path: Path) -> None:
    os.link(path, path.parent / "victim")


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    "plant",
    [symlink, hard_link, pipe, lambda path: path.chmod(0o644), lambda path: path.chmod(0o400)],
    ids=["symlink", "hard link", "pipe", "others read", "other mode"],
)
def test_a_planted_file_is_no_token_and_is_replaced_not_written_to(
    process: Process, plant: Callable[[Path], None]
) -> None:
    process.get()
    plant(process.path)
    victim = process.folder / "victim"
    before = victim.read_bytes() if victim.exists() else b""
    assert process.get() == "PSCANARY2"
    assert process.get() == "PSCANARY2"
    assert (victim.read_bytes() if victim.exists() else b"") == before
    assert stat.S_IMODE(process.path.lstat().st_mode) == 0o600
    assert stat.S_ISREG(process.path.lstat().st_mode)
    assert process.path.lstat().st_nlink == 1


def test_another_users_file_is_no_token(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    process.get()
    monkeypatch.setattr("os.geteuid", lambda: 4711)
    assert process.tokens().kept() is None
    with pytest.raises(ConfigError, match="belongs to another user"):
        process.get()


def test_a_folder_in_its_place_is_refused_in_a_sentence(process: Process) -> None:
    process.get()
    path = process.path
    path.unlink()
    path.mkdir()
    with pytest.raises(ConfigError, match=r"cannot keep tokens in .*: Is a directory") as caught:
        process.get()
    assert caught.value.hint


@pytest.mark.parametrize("plant", [symlink, hard_link, pipe])
def test_a_planted_lock_is_refused(process: Process, plant: Callable[[Path], None]) -> None:
    process.get()
    (lock,) = process.folder.glob("*.lock")
    plant(lock)
    with pytest.raises(ConfigError, match="cannot keep tokens"):
        process.tokens().refresh()
    assert process.exchange.asked == 1


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"life": -1},
        {"life": 1e300},
        {"wall_ns": -1},
        {"wall_ns": 10**30},
        {"uptime": "soon"},
        {"token": ""},
        {"token": 5},
        {"boot": None},
    ],
    ids=str,
)
def test_a_content_that_cannot_be_ours_is_no_token(
    process: Process, change: dict[str, Any]
) -> None:
    process.get()
    process.path.write_text(json.dumps({**json.loads(process.path.read_text()), **change}))
    assert process.get() == "PSCANARY2"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"null", b"{}" * 50_000]
)
def test_torn_or_foreign_bytes_are_no_token(process: Process, content: bytes) -> None:
    process.get()
    process.path.write_bytes(content)
    assert process.get() == "PSCANARY2"


# --- a folder that does not take it --------------------------------------------------------


def full(_file: int) -> None:
    raise OSError(ENOSPC, os.strerror(ENOSPC))


def test_a_full_disk_leaves_the_old_file_whole_and_no_other(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    process.get()
    before = process.path.read_bytes()
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputFailed, match="No space left on device") as caught:
        process.tokens().refresh()
    assert "PSCANARY" not in str(caught.value)
    assert process.path.read_bytes() == before
    assert len(list(process.folder.iterdir())) == 2


def test_a_stream_goes_on_with_a_token_that_cannot_be_kept(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    process.notes = []
    monkeypatch.setattr("os.fsync", full)
    assert process.get() == "PSCANARY1"
    assert process.notes == [f"cannot keep tokens in {process.folder}: No space left on device"]


def test_what_a_killed_process_left_half_written_is_cleared_away(process: Process) -> None:
    process.get()
    torn = process.folder / f".{process.path.name}.abc"
    torn.write_text("half a token")
    process.tokens().refresh()
    assert not torn.exists()


def test_a_cache_that_was_wiped_is_made_again(process: Process) -> None:
    process.get()
    for path in process.folder.iterdir():
        path.unlink()
    process.folder.rmdir()
    assert process.get() == "PSCANARY2"
    assert from_nanos(process.life().expires_at or 0).endswith("Z")
