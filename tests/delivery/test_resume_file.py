"""The state file: what is committed is there again, for its owner alone, and damage is named."""

import os
import sqlite3
from pathlib import Path

import msgspec
import pytest

from privstream.delivery import resume_file as state_module
from privstream.delivery.resume_file import KEPT_NS, LEFT_NS, VERSION, State, StateOwner, state_path
from privstream.memory.journal import Note
from privstream.model.errors import ConfigError, OutputFailed

NOW = 1_790_000_000_000_000_000
SECOND = 10**9


def owner(*channels: str, symbols: tuple[str, ...] = ()) -> StateOwner:
    who = {"exchange": "kraken", "account": "desk", "host": "api.kraken.com"}
    return StateOwner(**who, channels=channels or ("orders", "trades"), symbols=frozenset(symbols))


def note(
    key: str, value: bytes | None = b"", kind: str = "trade", *, lasting: bool = False
) -> Note:
    return Note(kind, key, value, None, lasting)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return state_path(tmp_path, "desk")


def kept(path: Path) -> list[tuple[str, str, bytes]]:
    with State(path, owner(), NOW) as state:
        return list(state.notes())


def test_what_was_committed_is_there_in_the_next_run_oldest_first(path: Path) -> None:
    with State(path, owner(), NOW) as state:
        state.commit([note("T1"), note("O1", b"{}", "order"), note("T2")], NOW)
        state.commit([note("O1", b"[]", "order"), note("T1", None)], NOW)
    assert kept(path) == [("trade", "T2", b""), ("order", "O1", b"[]")]


def test_the_first_run_has_no_past_and_the_next_begins_where_it_began(path: Path) -> None:
    with State(path, owner(), NOW) as state:
        assert state.resume_from_ns is None
    with State(path, owner(), NOW + SECOND) as state:
        assert state.resume_from_ns == NOW


def test_a_file_that_was_emptied_is_no_first_run(path: Path) -> None:
    with State(path, owner(), NOW) as state:
        assert not state.was_emptied
    path.write_bytes(b"")
    with State(path, owner(), NOW) as state:
        assert state.was_emptied
        assert state.is_new
    with State(path, owner(), NOW) as state:
        assert not state.was_emptied


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_file_that_was_cut_off_is_damaged(path: Path, part: float) -> None:
    with State(path, owner(), NOW) as state:
        state.commit([note(f"T{number}", b"x" * 90) for number in range(500)], NOW)
    os.truncate(path, round(path.stat().st_size * part))
    with pytest.raises(ConfigError, match="state file") as caught:
        State(path, owner(), NOW)
    assert "to start anew, move it away" in (caught.value.hint or "")


def test_what_is_watched_for_the_first_time_has_no_past_though_the_account_has(path: Path) -> None:
    with State(path, owner("trades"), NOW) as state:
        assert state.is_new
        state.commit([note("T1")], NOW)
    with State(path, owner("balances"), NOW + SECOND) as state:
        assert (state.is_new, state.resume_from_ns) == (False, None)
        assert len(list(state.notes())) == 1
    with State(path, owner("trades", "balances"), NOW + SECOND) as state:
        assert state.resume_from_ns == NOW


def test_the_cursor_moves_with_the_last_moment_known_whole(path: Path) -> None:
    with State(path, owner(), NOW) as state:
        state.commit([], NOW, whole_ns=NOW + 5)
    with State(path, owner(), NOW) as state:
        assert state.resume_from_ns == NOW + 5


@pytest.mark.parametrize(
    ("now_watched", "since"),
    [
        (owner("trades"), 20),
        (owner("orders"), 10),
        (owner("orders", "trades"), 10),
        (owner("trades", symbols=("BTC/EUR",)), 30),
        (owner("trades", symbols=("ETH/EUR",)), 20),
        (owner("trades", symbols=("BTC/EUR", "ETH/EUR")), 20),
        (owner("balances"), None),
        (owner("orders", "balances"), 10),
    ],
)
def test_a_run_that_watches_other_things_begins_where_those_were_left(
    path: Path, now_watched: StateOwner, since: int | None
) -> None:
    runs = [
        (owner("orders", "trades"), 10),
        (owner("trades"), 20),
        (owner("trades", symbols=("BTC/EUR",)), 30),
    ]
    for watched, whole in runs:
        with State(path, watched, NOW) as state:
            state.commit([], NOW, whole_ns=NOW + whole)
    with State(path, now_watched, NOW) as state:
        assert state.resume_from_ns == (None if since is None else NOW + since)


def test_a_symbol_watched_alone_is_the_past_of_all(path: Path) -> None:
    for symbol, whole in (("BTC/EUR", 30), ("ETH/EUR", 40)):
        with State(path, owner("trades", symbols=(symbol,)), NOW) as state:
            state.commit([], NOW, whole_ns=NOW + whole)
    with State(path, owner("trades"), NOW) as state:
        assert state.resume_from_ns == NOW + 30


# --- for its owner alone, and once ---------------------------------------------------------


def test_file_and_folder_are_the_owners_alone(path: Path) -> None:
    with State(path, owner(), NOW) as state:
        state.commit([note("T1")], NOW)
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
        assert modes == {"desk.sqlite": 0o600, "desk.sqlite-wal": 0o600, "desk.sqlite-shm": 0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["desk.sqlite"]


def test_it_outlives_a_power_cut(path: Path) -> None:
    with State(path, owner(), NOW) as state:
        assert state._database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert state._database.execute("PRAGMA synchronous").fetchone() == (2,)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o606])
def test_a_file_that_others_can_read_or_write_is_refused(path: Path, mode: int) -> None:
    with State(path, owner(), NOW):
        pass
    path.chmod(mode)
    with pytest.raises(ConfigError, match="by others"):
        State(path, owner(), NOW)


def test_a_link_and_a_fifo_are_refused(path: Path) -> None:
    path.symlink_to(path.parent / "elsewhere")
    with pytest.raises(ConfigError, match="symbolic links"):
        State(path, owner(), NOW)
    path.unlink()
    os.mkfifo(path, 0o600)
    with pytest.raises(ConfigError, match="not a regular file"):
        State(path, owner(), NOW)


def test_a_second_run_is_refused_until_the_first_has_ended(path: Path) -> None:
    with State(path, owner(), NOW) as state:
        state.commit([note("T1")], NOW)
        with pytest.raises(ConfigError, match="another run with --resume"):
            State(path, owner(), NOW)
        state.commit([note("T2")], NOW)
    assert [key for _, key, _ in kept(path)] == ["T1", "T2"]


@pytest.mark.parametrize(
    "other", [{"exchange": "bitfinex"}, {"host": "127.0.0.1"}, {"account": "DESK"}]
)
def test_another_accounts_past_is_refused(path: Path, other: dict[str, str]) -> None:
    with State(path, owner(), NOW) as state:
        state.commit([note("T1")], NOW)
    with pytest.raises(ConfigError, match="belongs to"):
        State(path, msgspec.structs.replace(owner(), **other), NOW)
    assert len(kept(path)) == 1


def test_the_simulators_past_is_a_file_that_no_account_can_have(tmp_path: Path) -> None:
    assert state_path(tmp_path, "kraken", simulated="simulated-1-2").name == (
        "kraken.simulated-1-2.sqlite"
    )


# --- damage --------------------------------------------------------------------------------


def test_a_newer_schema_is_a_sentence(path: Path) -> None:
    with State(path, owner(), NOW) as state:
        state._database.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(ConfigError, match="newer privstream") as refused:
        State(path, owner(), NOW)
    assert refused.value.hint == "upgrade privstream"


def test_somebody_elses_database_is_not_touched(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE theirs (x)")
    database.close()
    path.chmod(0o600)
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="is not ours"):
        State(path, owner(), NOW)
    assert path.read_bytes() == before


def test_a_torn_file_is_named_and_neither_used_nor_removed(path: Path) -> None:
    with State(path, owner(), NOW) as state:
        state.commit([note(f"T{number}") for number in range(2000)], NOW)
    whole = path.read_bytes()
    torn = whole[: len(whole) // 2]
    path.write_bytes(torn)
    with pytest.raises(ConfigError, match=r"cannot be used|is damaged") as refused:
        State(path, owner(), NOW)
    assert "mv " in (refused.value.hint or "")
    assert path.read_bytes() == torn


def test_what_was_not_committed_wholly_is_not_there(path: Path) -> None:
    with State(path, owner(), NOW) as state:
        state.commit([note("T1")], NOW)
        bad = Note("trade", "T3", b"", None, None)  # type: ignore[arg-type]  # refused by the schema
        with pytest.raises(OutputFailed, match="cannot keep what was delivered"):
            state.commit([note("T2"), bad], NOW)
        state.commit([note("T4")], NOW)
    assert [key for _, key, _ in kept(path)] == ["T1", "T4"]


# --- what is old ---------------------------------------------------------------------------


def test_what_no_read_back_can_bring_again_is_forgotten_and_what_lasts_is_not(path: Path) -> None:
    open_order, ended = note("open", kind="order", lasting=True), note("ended", kind="order")
    with State(path, owner(), NOW) as state:
        state.commit([open_order, note("T1"), ended], NOW)
        state.commit([note("T2")], NOW + SECOND, whole_ns=NOW + SECOND + KEPT_NS)
    assert [key for _, key, _ in kept(path)] == ["open", "T2"]


def test_however_long_an_interruption_lasts_what_was_before_it_is_known(path: Path) -> None:
    with State(path, owner(), NOW) as state:
        state.commit([note("T1")], NOW, whole_ns=NOW)
    with State(path, owner(), NOW + 100 * KEPT_NS) as state:
        assert [key for _, key, _ in state.notes()] == ["T1"]


def test_however_many_there_were_all_of_the_last_days_are_known(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_module, "PRUNE_EVERY", 10)
    with State(path, owner(), NOW) as state:
        for number in range(40):
            state.commit([note(f"T{number}")], NOW, whole_ns=NOW)
        assert len(list(state.notes())) == 40


def test_a_long_run_forgets_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_module, "PRUNE_EVERY", 10)
    with State(path, owner(), NOW) as state:
        for number in range(40):
            now = NOW + number * KEPT_NS // 4
            state.commit([note(f"T{number}")], now, whole_ns=now)
        assert len(list(state.notes())) < 20


def test_what_another_run_watches_keeps_its_past_for_a_week(path: Path) -> None:
    with State(path, owner("balances"), NOW) as state:
        state.commit([note("C1", kind="change")], NOW, whole_ns=NOW)
    with State(path, owner("trades"), NOW) as state:
        state.commit([], NOW, whole_ns=NOW + 3 * KEPT_NS)
        state.commit([], NOW, whole_ns=NOW + 3 * KEPT_NS)
    with State(path, owner("trades"), NOW) as state:
        assert [key for _, key, _ in state.notes()] == ["C1"]
        state.commit([], NOW, whole_ns=NOW + LEFT_NS + KEPT_NS + SECOND)
    assert kept(path) == []


def test_a_file_of_the_first_version_is_taken_over(path: Path) -> None:
    with State(path, owner(), NOW) as state:
        state.commit([note("T1")], NOW)
        state._database.execute("PRAGMA user_version = 1")
    assert kept(path) == [("trade", "T1", b"")]
    with State(path, owner(), NOW) as state:
        assert state._database.execute("PRAGMA user_version").fetchone() == (VERSION,)
