"""A row leaves the outbox only when every sink of the run has acknowledged it."""

import sqlite3
from pathlib import Path

import pytest

from privstream.delivery.resume_file import State
from privstream.model.errors import OutputFailed
from tests.delivery.sink_world import NS, WHOSE, keep, line_of, outbox_of, owed, state_for


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kraken.sqlite"


def rows(path: Path) -> list[str]:
    with sqlite3.connect(path) as database:
        return [event for (event,) in database.execute("SELECT event FROM outbox ORDER BY number")]


def acknowledge(path: Path, sink: str, count: int) -> None:
    with outbox_of(path, sink) as outbox:
        outbox.acknowledge(outbox.owed()[count - 1].number)


def test_each_sink_has_its_own_place(path: Path) -> None:
    with state_for(path, "fast", "slow") as state:
        keep(state, "a", "b", "c")
        acknowledge(path, "fast", 3)
        acknowledge(path, "slow", 1)
        assert owed(path, "fast") == []
        assert owed(path, "slow") == rows(path) == ["b", "c"]


def test_numbers_are_never_used_twice(path: Path) -> None:
    with state_for(path, "one") as state:
        keep(state, "a")
        with outbox_of(path, "one") as outbox:
            [first] = outbox.owed()
            outbox.acknowledge(first.number)
        assert rows(path) == []
        keep(state, "b")
        with outbox_of(path, "one") as outbox:
            [second] = outbox.owed()
        assert second.number > first.number
        assert second.spool == first.spool


def test_a_new_sink_begins_behind_what_is_there(path: Path) -> None:
    with state_for(path, "old") as state:
        keep(state, "a")
    with state_for(path, "old", "new") as state:
        keep(state, "b")
        assert owed(path, "old") == ["a", "b"]
        assert owed(path, "new") == ["b"]


def test_what_is_owed_to_a_sink_is_kept_while_it_is_left_out(path: Path) -> None:
    with state_for(path, "here", "away") as state:
        keep(state, "a", "b")
        acknowledge(path, "here", 2)
    with state_for(path, "here") as state:
        keep(state, "c")
        acknowledge(path, "here", 1)
        assert rows(path) == ["a", "b"], "nothing new is kept for who is away"
    with state_for(path, "here", "away") as state:
        keep(state, "d")
        assert owed(path, "away") == ["a", "b", "d"]


def test_a_run_without_sinks_keeps_nothing_new(path: Path) -> None:
    with State(path, WHOSE, NS) as state:
        state.commit((), NS, whole_ns=NS + 1)
    assert rows(path) == []


def test_a_skipped_row_is_kept_for_the_others_only(path: Path) -> None:
    with state_for(path, "full", "other") as state:
        keep(state, "a")
        keep(state, "b", "c", skipped=("full",))
        assert owed(path, "full") == ["a"]
        assert owed(path, "other") == ["a", "b", "c"]
        acknowledge(path, "other", 3)
        assert rows(path) == ["a"], "or a dead sink would cost disk without a bound"
        with sqlite3.connect(path) as database:
            assert database.execute("SELECT count(*) FROM skipped").fetchone() == (0,)


def test_what_waits_is_counted(path: Path) -> None:
    with state_for(path, "one") as state:
        keep(state, "ab", "cde")
        with outbox_of(path, "one") as outbox:
            assert outbox.owed_size() == (2, len(line_of("ab") + line_of("cde")))


def test_a_file_that_was_made_anew_is_another_spool(path: Path) -> None:
    spools: list[str] = []
    for _ in range(2):
        with state_for(path, "one") as state:
            keep(state, "a")
            with sqlite3.connect(path) as database:
                database.execute(
                    "UPDATE whose SET value = value || ? WHERE name = 'spool'", (len(spools),)
                )
            with outbox_of(path, "one") as outbox:
                [row] = outbox.owed()
            spools.append(row.spool)
        path.unlink()
    assert spools[0] != spools[1]


def test_an_outbox_that_is_gone_is_a_sentence(path: Path) -> None:
    with pytest.raises(OutputFailed, match="what waits for the sinks"):
        outbox_of(path, "one")


def test_a_run_that_only_fills_the_outbox_moves_no_cursor(path: Path) -> None:
    with state_for(path, "one") as state:
        state.commit((), NS, whole_ns=NS + 5)
    with State(path, WHOSE, NS) as state:
        assert state.resume_from_ns is None
