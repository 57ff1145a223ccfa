"""A file that is rotated, torn, full or no file at all."""

import fcntl
import json
import os
import resource
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from privstream.model.errors import OutputFailed, UsageError
from privstream.outputs import destination
from privstream.outputs.file import CHECK_EVERY, FileSink
from tests.outputs.output_events import NOTICE, TRADE, trade


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def ids(path: Path) -> list[str]:
    """The trades in a file; fails where a line is not whole."""
    text = path.read_text()
    assert text == "" or text.endswith("\n")
    return [json.loads(line)["trade_id"] for line in text.splitlines()]


@contextmanager
def sink(path: Path, clock: Clock | None = None) -> Iterator[FileSink]:
    output = FileSink(path, clock or Clock())
    yield output
    output.close()


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@contextmanager
def files_end_at(size: int) -> Iterator[None]:
    """A full disk, as far as this process can tell."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_new_file_is_for_its_owner_only(path: Path) -> None:
    old = os.umask(0)
    try:
        with sink(path):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
    finally:
        os.umask(old)


def test_a_batch_is_in_the_file_when_write_returns(path: Path) -> None:
    with sink(path) as output:
        output.write([TRADE, trade(trade_id="2")])
        assert ids(path) == [TRADE.trade_id, "2"]


def test_a_second_run_appends(path: Path) -> None:
    for name in ("1", "2"):
        with sink(path) as output:
            output.write([trade(trade_id=name)])
    assert ids(path) == ["1", "2"]


def test_two_runs_share_a_file_line_by_line(path: Path) -> None:
    def run(name: str) -> None:
        with sink(path) as output:
            for _ in range(100):
                output.write([trade(trade_id=name)] * 7)

    threads = [threading.Thread(target=run, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ids(path)) == ["a"] * 700 + ["b"] * 700


def test_no_other_run_may_write_while_one_does(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, refused = os.write, []

    def watched(fd: int, text: bytes) -> int:
        with path.open() as other:
            try:
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                refused.append(True)
        return write(fd, text)

    monkeypatch.setattr(os, "write", watched)
    with sink(path) as output:
        output.write([TRADE])
        with path.open() as other:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)  # and it may again
    assert refused == [True]


@pytest.mark.parametrize(
    "torn", ['{"type":"trade","exch', '{"', '{"type":"notice","text":"' + "x" * 200_000]
)
def test_half_a_line_of_a_killed_run_goes(path: Path, torn: str) -> None:
    with sink(path) as output:
        output.write([trade(trade_id="1")])
    with path.open("a") as file:
        file.write(torn)
    with sink(path) as output:
        output.write([trade(trade_id="2")])
    assert ids(path) == ["1", "2"]


def test_half_a_line_goes_also_where_it_is_all_there_is(path: Path) -> None:
    path.write_text('{"type":"trade","exch')
    with sink(path) as output:
        output.write([trade(trade_id="1")])
    assert ids(path) == ["1"]


def test_zeros_after_a_power_cut_go(path: Path) -> None:
    with sink(path) as output:
        output.write([trade(trade_id="1")])
    with path.open("ab") as file:
        file.write(b'{"type"' + b"\0" * 4096)
    with sink(path) as output:
        output.write([trade(trade_id="2")])
    assert ids(path) == ["1", "2"]


def test_a_whole_event_that_lacks_only_its_newline_is_kept(path: Path) -> None:
    with sink(path) as output:
        output.write([trade(trade_id="1"), trade(trade_id="2")])
    os.truncate(path, path.stat().st_size - 1)
    with sink(path) as output:
        output.write([trade(trade_id="3")])
    assert ids(path) == ["1", "2", "3"]


def test_a_file_of_somebody_else_is_not_cut(path: Path) -> None:
    path.write_text("[accounts.kraken]\nexchange = 'kraken'")
    with pytest.raises(OutputFailed, match="not from privstream"):
        FileSink(path, Clock())
    assert path.read_text() == "[accounts.kraken]\nexchange = 'kraken'"


def test_a_full_disk_leaves_whole_lines_and_the_next_write_works(path: Path) -> None:
    with sink(path) as output:
        output.write([trade(trade_id="1")])
        before = path.stat().st_size
        with files_end_at(before + 100), pytest.raises(OutputFailed) as caught:
            output.write([trade(trade_id="2")])
        assert "File too large" in caught.value.message
        assert str(path) in caught.value.message
        assert "room" in (caught.value.hint or "")
        assert path.stat().st_size == before
        output.write([trade(trade_id="3")])
    assert ids(path) == ["1", "3"]


def test_where_even_cutting_fails_the_next_write_mends_first(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: int) -> None:
        raise OSError(5, "Input/output error")

    with sink(path) as output:
        output.write([trade(trade_id="1")])
        with files_end_at(path.stat().st_size + 100), monkeypatch.context() as patch:
            patch.setattr(os, "ftruncate", broken)
            with pytest.raises(OutputFailed):
                output.write([trade(trade_id="2")])
        assert not path.read_text().endswith("\n")
        output.write([trade(trade_id="3")])
    assert ids(path) == ["1", "3"]


def test_a_device_that_is_full_is_a_fault() -> None:
    with sink(Path("/dev/full")) as output, pytest.raises(OutputFailed, match="No space left"):
        output.write([TRADE])


def test_a_renamed_file_is_followed_by_a_new_one_within_a_second(path: Path) -> None:
    clock = Clock()
    rotated = path.with_suffix(".1")
    with sink(path, clock) as output:
        output.write([trade(trade_id="1")])
        path.rename(rotated)
        clock.now = CHECK_EVERY / 2
        output.write([trade(trade_id="2")])
        clock.now = CHECK_EVERY
        output.write([trade(trade_id="3")])
    assert (ids(rotated), ids(path)) == (["1", "2"], ["3"])


def test_a_file_put_in_its_place_is_taken(path: Path) -> None:
    clock = Clock()
    with sink(path, clock) as output:
        path.rename(path.with_suffix(".1"))
        path.touch()
        clock.now = CHECK_EVERY
        output.write([trade(trade_id="1")])
    assert ids(path) == ["1"]


def test_copytruncate_leaves_no_hole(path: Path) -> None:
    with sink(path) as output:
        output.write([trade(trade_id="1")])
        os.truncate(path, 0)
        output.write([trade(trade_id="2")])
    assert ids(path) == ["2"]


def test_reopen_follows_at_once(path: Path) -> None:
    with sink(path) as output:
        path.rename(path.with_suffix(".1"))
        output.reopen()
        output.write([trade(trade_id="1")])
    assert ids(path) == ["1"]


def test_reopening_opens_no_more_than_one_file(path: Path) -> None:
    with sink(path) as output:
        before = open_files()
        for _ in range(3):
            output.reopen()
        assert open_files() == before


def test_a_path_that_cannot_be_is_a_sentence_with_a_hint(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for name in ("none/events.jsonl", ".", "fifo"):
        before = open_files()
        with pytest.raises(OutputFailed) as caught:
            FileSink(tmp_path / name, Clock())
        assert str(tmp_path) in caught.value.message
        assert caught.value.hint
        assert open_files() == before


def test_to_file_opens_a_file(path: Path) -> None:
    output = destination.file_at(str(path), Clock())()
    output.write([NOTICE])
    output.close()
    assert json.loads(path.read_text())["type"] == "notice"


def test_a_tilde_is_the_home(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(path.parent))
    destination.file_at(f"~/{path.name}", Clock())().close()
    assert path.exists()


@pytest.mark.parametrize("rest", ["", "a\0b"])
def test_no_file_is_a_usage_error(rest: str) -> None:
    with pytest.raises(UsageError, match="names no file"):
        destination.file_at(rest, Clock())
