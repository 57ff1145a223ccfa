"""Writing to pipes whose readers are slow, gone or full."""

import os
import pty
import select
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from privstream.model.errors import OutputFailed
from privstream.outputs.base import NotTaken, ReaderGone
from privstream.outputs.descriptor import can_write, reader_gone, write_all
from tests.cli.conftest import Program
from tests.forked import CLOSED
from tests.outputs.output_events import pipe, read_all

BIG = bytes(range(256)) * 2048  # 512 kB, eight times what a pipe holds


def test_a_reader_that_goes_away_is_noticed_before_anything_is_written() -> None:
    with pipe() as (reading, writing):
        assert not reader_gone(writing)
        os.close(reading)
        assert reader_gone(writing)


def test_a_full_pipe_still_has_its_reader() -> None:
    with pipe() as (_, writing):
        os.set_blocking(writing, False)
        os.write(writing, BIG)  # as much of it as there is room for
        with pytest.raises(BlockingIOError):
            os.write(writing, BIG)
        assert not reader_gone(writing)


def test_a_terminal_is_a_reader_until_it_hangs_up() -> None:
    terminal, ours = pty.openpty()
    assert not reader_gone(ours)
    os.close(terminal)
    assert reader_gone(ours)
    os.close(ours)


def test_files_and_dev_null_never_go_away(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file, Path(os.devnull).open("wb") as null:
        assert not reader_gone(file.fileno())
        assert not reader_gone(null.fileno())


def test_a_socket_goes_when_its_peer_closes() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        assert not reader_gone(ours.fileno())
        theirs.close()
        assert reader_gone(ours.fileno())


def test_a_closed_descriptor_has_no_reader() -> None:
    with pipe() as (_, writing):
        os.close(writing)
        assert reader_gone(writing)
        with pytest.raises(ReaderGone):
            write_all(writing, b"line\n")


def test_writing_to_nobody_is_no_fault() -> None:
    with pipe() as (reading, writing):
        os.close(reading)
        with pytest.raises(ReaderGone):
            write_all(writing, b"line\n")


def test_a_terminal_that_hung_up_is_no_fault_either() -> None:
    terminal, ours = pty.openpty()
    os.close(terminal)
    with pytest.raises(ReaderGone):
        write_all(ours, b"line\n")
    os.close(ours)


def test_a_full_device_is_a_fault_with_a_hint() -> None:
    with Path("/dev/full").open("wb", buffering=0) as full, pytest.raises(OutputFailed) as caught:
        write_all(full.fileno(), b"line\n")
    assert "No space left on device" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("blocking", [True, False])
def test_a_slow_reader_gets_every_byte_once(blocking: bool) -> None:  # noqa: FBT001 - a parameter
    with pipe() as (reading, writing):
        os.set_blocking(writing, blocking)
        read: list[bytes] = []
        reader = threading.Thread(target=lambda: read.append(read_all(reading)))
        reader.start()
        write_all(writing, bytearray(BIG))
        os.close(writing)
        reader.join()
    assert read == [BIG]


def test_a_reader_that_leaves_half_way_ends_the_write() -> None:
    with pipe() as (reading, writing):
        os.set_blocking(writing, False)

        def leave() -> None:
            os.read(reading, 100_000)
            os.close(reading)

        reader = threading.Thread(target=leave)
        reader.start()
        with pytest.raises(ReaderGone):
            write_all(writing, BIG)
        reader.join()


LINES = b"".join(b"%05d %s\n" % (number, b"x" * 500) for number in range(400))  # 200 kB


def test_a_reader_who_does_not_read_gets_whole_lines_and_the_rest_is_counted() -> None:
    with pipe() as (reading, writing):
        with pytest.raises(NotTaken) as caught:
            write_all(writing, bytearray(LINES), can_write)
        os.close(writing)
        taken = read_all(reading)
    assert caught.value.whole == taken.count(b"\n") > 100
    assert not caught.value.is_torn
    assert LINES.startswith(taken)
    assert taken.endswith(b"\n")


def test_a_line_longer_than_a_pipe_takes_at_once_may_be_torn_and_says_so() -> None:
    with pipe() as (reading, writing):
        with pytest.raises(NotTaken) as caught:
            write_all(writing, b"short\n" + b"x" * 200_000 + b"\n", can_write)
        os.close(writing)
        assert read_all(reading).startswith(b"short\nxxx")
    assert (caught.value.whole, caught.value.is_torn) == (1, True)


def test_a_patient_writer_gives_a_slow_reader_every_byte_once() -> None:
    with pipe() as (reading, writing):
        read: list[bytes] = []
        reader = threading.Thread(target=lambda: read.append(read_all(reading)))
        reader.start()
        write_all(writing, LINES + b"x" * 10_000 + b"\nno end", lambda fd: bool(room(fd)))
        os.close(writing)
        reader.join()
    assert read == [LINES + b"x" * 10_000 + b"\nno end"]


def room(fd: int) -> list[tuple[int, int]]:
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return poll.poll()


def run(code: str, redirections: str = "") -> subprocess.CompletedProcess[str]:
    script = f"from privstream.outputs.descriptor import *\nfrom privstream.outputs.standard_streams import *\nimport os, sys\n{code}"
    return subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" -c "$1" {redirections}', sys.executable, script],
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_is_flushed_at_exit_does_not_complain_that_nobody_reads() -> None:
    code = "r, w = os.pipe(); os.dup2(w, 1); os.close(r); print('unread')\n"
    assert run(code).returncode == 120
    silent = run(code + "discard_stdout()")
    assert (silent.returncode, silent.stderr) == (0, "")


def test_discarding_a_closed_stdout_leaves_it_open_to_nowhere() -> None:
    code = "discard_stdout(); sys.exit(os.fstat(1).st_rdev != os.stat(os.devnull).st_rdev)"
    assert run(code, ">&-").returncode == 0


def test_no_file_gets_the_number_of_a_closed_stdout() -> None:
    code = (
        "assert occupy_closed_streams() == {1}\n"
        "assert os.get_inheritable(1)\n"
        "assert os.open('/', os.O_RDONLY) > 2\n"
    )
    assert run(code, ">&-").returncode == 0


def test_a_closed_stdin_is_read_as_an_empty_one() -> None:
    code = (
        "assert sys.stdin is None\n"
        "assert occupy_closed_streams() == {0}\n"
        "assert sys.stdin.fileno() == 0\n"
        "assert sys.stdin.read() == '' and sys.stdin.buffer.read() == b''\n"
    )
    ended = run(code, "<&-")
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["replay", "-", "--exchange", "kraken"], 0),
        (["replay", "-"], 2),
        (["accounts", "add", "kraken", "--from-stdin", "--keep", "config"], 2),
    ],
)
def test_a_command_that_reads_stdin_takes_a_closed_one_as_empty(
    command: list[str], code: int, tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    ended = Program(tmp_path, config)(*command, stdin=CLOSED)
    assert (ended.code, "internal error" in ended.err) == (code, False)
