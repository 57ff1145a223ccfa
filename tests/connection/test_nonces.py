"""Nonces, over threads and processes."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from privstream.connection.clock import SystemClock
from privstream.connection.rest.nonces import Nonces
from privstream.model.account import Secret
from privstream.model.errors import ConfigError, Interrupted, Unreachable
from tests.fake_clock import START_NS, FakeClock

KEY = Secret("PSCANARY0123456789abcdef0123456789")

TAKE_200 = """
import sys
from pathlib import Path
from privstream.connection.clock import SystemClock
from privstream.connection.rest.nonces import Nonces
from privstream.model.account import Secret
from privstream.model.rest import Now
nonces = Nonces(Path(sys.argv[1]), Secret("key"), 1, SystemClock())
taken = []
for _ in range(200):
    with nonces.next(Now(1000, 0.0)) as nonce:
        with open(sys.argv[2], "a") as log:
            log.write(f"{nonce}\\n")
"""


def nonces(folder: Path, clock: FakeClock | None = None, unit_ns: int = 1) -> Nonces:
    return Nonces(folder, KEY, unit_ns, clock or FakeClock())


def take(counter: Nonces, clock: FakeClock) -> int:
    with counter.next(clock.now()) as nonce:
        return nonce


def only_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def test_four_processes_with_one_key_never_use_a_nonce_twice_nor_out_of_order(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    command = [sys.executable, "-c", TAKE_200, str(tmp_path / "state"), str(log)]
    running = [subprocess.Popen(command) for _ in range(4)]
    assert [process.wait(30) for process in running] == [0] * 4
    # Written inside the lock: the order in the file is the order of use.
    used = [int(line) for line in log.read_text().splitlines()]
    assert used == list(range(1000, 1800))


def test_a_nonce_is_the_clock_in_the_exchanges_unit(tmp_path: Path) -> None:
    clock = FakeClock()
    assert take(nonces(tmp_path, clock, unit_ns=1000), clock) == START_NS // 1000


def test_a_clock_that_is_set_back_does_not_set_the_nonce_back(tmp_path: Path) -> None:
    clock = FakeClock()
    first = take(nonces(tmp_path, clock), clock)
    clock.step_wall(-900.0)
    assert take(nonces(tmp_path, clock), clock) == first + 1


@pytest.mark.parametrize("content", [b"", b"17", b"\x00" * 21, b"hello\n", b"9" * 64])
def test_after_a_torn_or_foreign_content_the_clock_is_the_start(
    tmp_path: Path, content: bytes
) -> None:
    clock = FakeClock()
    counter = nonces(tmp_path, clock)
    take(counter, clock)
    only_file(tmp_path).write_bytes(content)
    assert take(counter, clock) == START_NS
    assert take(counter, clock) == START_NS + 1


def test_the_file_is_private_and_does_not_name_the_key(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "privstream"
    before = os.umask(0)
    try:
        clock = FakeClock()
        take(nonces(folder, clock), clock)
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(only_file(folder).stat().st_mode) == 0o600
    assert "PSCANARY" not in only_file(folder).name
    assert b"PSCANARY" not in only_file(folder).read_bytes()


def test_the_lock_is_held_until_the_exchange_has_answered(tmp_path: Path) -> None:
    clock = FakeClock()
    with (
        nonces(tmp_path, clock).next(clock.now()),
        pytest.raises(Unreachable, match="another privstream holds the key's nonce lock"),
    ):
        take(nonces(tmp_path, clock), clock)
    assert 30.0 <= sum(clock.waits) < 30.1
    assert take(nonces(tmp_path, clock), clock) > START_NS


def test_a_shorter_time_limit_is_kept(tmp_path: Path) -> None:
    clock = FakeClock()
    counter = nonces(tmp_path, clock)
    with counter.next(clock.now()), pytest.raises(Unreachable), counter.next(clock.now(), 2.0):
        pass
    assert sum(clock.waits) < 2.1


def test_threads_of_one_process_wait_for_each_other(tmp_path: Path) -> None:
    clock, counter = SystemClock(), Nonces(tmp_path, KEY, 1, SystemClock())
    used: list[int] = []

    def work() -> None:
        for _ in range(50):
            with counter.next(clock.now()) as nonce:
                used.append(nonce)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert used == sorted(set(used))
    assert len(used) == 200


def test_stopping_ends_the_wait_for_the_lock(tmp_path: Path) -> None:
    clock, stop = FakeClock(), threading.Event()
    stop.set()
    with (
        nonces(tmp_path, clock).next(clock.now()),
        pytest.raises(Interrupted) as caught,
        Nonces(tmp_path, KEY, 1, clock, stop).next(clock.now()),
    ):
        pass
    assert caught.value.cause == "stopped"


def test_a_failed_request_gives_the_lock_back(tmp_path: Path) -> None:
    clock = FakeClock()
    counter = nonces(tmp_path, clock)
    with pytest.raises(ZeroDivisionError), counter.next(clock.now()):
        raise ZeroDivisionError
    assert take(counter, clock) == START_NS + 1


def test_a_planted_symlink_is_not_followed(tmp_path: Path) -> None:
    clock = FakeClock()
    counter = nonces(tmp_path / "state", clock)
    take(counter, clock)
    path = only_file(tmp_path / "state")
    path.unlink()
    path.symlink_to(tmp_path / "victim")
    with pytest.raises(ConfigError, match="cannot keep nonces"):
        take(counter, clock)
    assert not (tmp_path / "victim").exists()


def test_a_planted_hard_link_is_not_written_to(tmp_path: Path) -> None:
    clock = FakeClock()
    counter = nonces(tmp_path / "state", clock)
    take(counter, clock)
    path, victim = only_file(tmp_path / "state"), tmp_path / "victim"
    victim.write_text("precious")
    path.unlink()
    path.hardlink_to(victim)
    with pytest.raises(ConfigError, match="hard link"):
        take(counter, clock)
    assert victim.read_text() == "precious"


def test_a_planted_pipe_is_refused_at_once(tmp_path: Path) -> None:
    clock = FakeClock()
    counter = nonces(tmp_path, clock)
    take(counter, clock)
    path = only_file(tmp_path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ConfigError, match="not a regular file"):
        take(counter, clock)


def test_a_folder_that_cannot_be_used_is_a_configuration_error_with_a_hint(
    tmp_path: Path,
) -> None:
    (tmp_path / "state").write_text("a file, not a folder")
    clock = FakeClock()
    with pytest.raises(ConfigError) as caught:
        take(nonces(tmp_path / "state", clock), clock)
    assert caught.value.hint
