"""The program in a process of its own, without the wait for an interpreter.

The one rule: what a test sees is a real process, with its own streams, signals and exit code; only
what is the same each time, starting Python and loading modules, was done before. A process without
threads has done so once, and forks for each start. Tests of the start itself begin from nothing.
"""

import atexit
import functools
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NoReturn, Self

LONGEST = 1 << 20
"""Bytes of a request: a command line with its environment."""
CLOSED = -4
"""As a stream: none, as `>&-` leaves it in a shell."""
LOADED = (
    "privstream.cli.watch",
    "privstream.cli.wait",
    "privstream.cli.token",
    "privstream.cli.record",
    "privstream.cli.run",
    "privstream.app.watch",
    "privstream.app.wait_for_order",
    "privstream.app.check_logins",
    "privstream.app.recording",
    "privstream.app.run",
    "privstream.simulator.server",
)


# --- in the test ---------------------------------------------------------------------------


class Forked:
    """A started program, to be used like a `subprocess.Popen` of text."""

    def __init__(
        self,
        words: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        launcher: Sequence[str] = (),
        umask: int | None = None,
        **streams: Any,
    ) -> None:
        self.returncode: int | None = None
        with _ends(streams) as (ours, theirs):
            request = {
                "launcher": list(launcher),
                "words": list(words),
                "env": dict(env),
                "cwd": str(cwd),
                "umask": umask,
                "open": [number for number in range(3) if theirs[number] is not None],
            }
            self._report = _server().ask(request, [fd for fd in theirs if fd is not None])
            self.pid = int(self._report.readline())
        self.stdin = None if ours[0] is None else os.fdopen(ours[0], "w")
        self.stdout = None if ours[1] is None else os.fdopen(ours[1])
        self.stderr = None if ours[2] is None else os.fdopen(ours[2])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for pipe in (self.stdin, self.stdout, self.stderr):
            if pipe is not None:
                pipe.close()
        self.wait()

    def poll(self) -> int | None:
        """The exit code, as soon as there is one."""
        if self.returncode is None and select.select([self._report], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the exit code."""
        if self.returncode is None:
            if not select.select([self._report], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("privstream", timeout or 0)
            self.returncode = int(self._report.readline())
            self._report.close()
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """All that it says until its end, which is waited for."""
        said = {"out": "", "err": ""}
        readers = [
            threading.Thread(target=lambda n=name, p=pipe: said.update({n: p.read()}))
            for name, pipe in (("out", self.stdout), ("err", self.stderr))
            if pipe is not None
        ]
        for reader in readers:
            reader.start()
        try:
            self.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        finally:
            for reader in readers:
                reader.join()
        return said["out"], said["err"]

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


@contextmanager
def _ends(
    streams: Mapping[str, Any],
) -> Iterator[tuple[list[int | None], list[int | None]]]:
    """Our ends of its three streams, and its own, which are ours only for the block."""
    ours: list[int | None] = [None] * 3
    theirs: list[int | None] = [None] * 3
    made = []
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream = streams.get(name)
        if stream == subprocess.PIPE:
            reader, writer = os.pipe()
            ours[number], theirs[number] = (writer, reader) if number == 0 else (reader, writer)
            made.append(theirs[number])
        elif stream == subprocess.DEVNULL:
            theirs[number] = os.open(os.devnull, os.O_RDWR)
            made.append(theirs[number])
        elif stream != CLOSED:
            theirs[number] = number if stream is None else stream
    try:
        yield ours, theirs
    finally:
        for fd in made:
            os.close(fd or 0)


class _Server:
    """The process that forks, as the tests' process sees it."""

    def __init__(self) -> None:
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.forked", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            cwd=Path(__file__).parents[1],
            start_new_session=True,  # Ctrl-C is for whoever runs the tests
            stdin=subprocess.DEVNULL,
        )
        theirs.close()
        atexit.register(self.close)

    def ask(self, request: Mapping[str, Any], fds: list[int]) -> IO[str]:
        """Start a program; its process id and its exit code can be read in turn."""
        reader, writer = os.pipe()
        try:
            socket.send_fds(self._requests, [json.dumps(request).encode()], [writer, *fds])
        finally:
            os.close(writer)
        return os.fdopen(reader)

    def close(self) -> None:
        self._requests.close()
        self._process.wait()


@functools.cache
def _server() -> _Server:
    return _Server()


# --- in the process that forks -------------------------------------------------------------


@dataclass
class _Child:
    """What the program is to be started with, in the child."""

    request: dict[str, Any]
    fds: list[int]

    def become(self) -> NoReturn:
        """Be that program; its end is the end of this process."""
        os.chdir(self.request["cwd"])
        os.environ.clear()
        os.environ.update(self.request["env"])
        if self.request["umask"] is not None:
            os.umask(self.request["umask"])
        self._take_streams()
        launcher, words = self.request["launcher"], self.request["words"]
        if launcher[:1] == ["-c"]:
            sys.argv = ["-c", *words]
            exec(launcher[1], {"__name__": "__main__"})  # noqa: S102 - as `python -c` does it
            raise SystemExit
        from privstream.__main__ import main  # noqa: PLC0415 - tests load no program

        sys.argv = ["privstream", *words]
        main()
        raise SystemExit

    def _take_streams(self) -> None:
        """Standard streams as the interpreter makes them."""
        for number in range(3):
            os.close(number)
        for number, fd in zip(self.request["open"], self.fds, strict=True):
            os.dup2(fd, number)
        for fd in self.fds:
            os.close(fd)
        sys.stdin, sys.stdout, sys.stderr = sys.__stdin__, sys.__stdout__, sys.__stderr__ = (  # type: ignore[misc]  # as at the start
            self._opened(0, "r", errors="surrogateescape"),
            self._opened(1, "w", errors="surrogateescape"),
            self._opened(2, "w", errors="backslashreplace", buffering=1),
        )

    def _opened(self, number: int, mode: str, **how: Any) -> Any:
        if number not in self.request["open"]:
            return None
        return open(number, mode, encoding="utf-8", closefd=False, **how)


def _serve(requests: socket.socket) -> None:
    """Fork for each request, and report how each child ended, until nobody is there to ask."""
    children: dict[int, int] = {}
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    os.set_blocking(reader, False)
    signal.set_wakeup_fd(writer)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready, _, _ = select.select([requests.fileno(), reader], [], [])
        if reader in ready:
            os.read(reader, 512)
            _report_ended(children)
        if requests.fileno() in ready:
            content, fds, _, _ = socket.recv_fds(requests, LONGEST, 4)
            if not content:
                return
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for fd in (reader, writer, requests.detach(), fds[0], *children.values()):
                    os.close(fd)
                _Child(json.loads(content), fds[1:]).become()
            for fd in fds[1:]:
                os.close(fd)
            children[pid] = fds[0]
            os.write(fds[0], f"{pid}\n".encode())


def _report_ended(children: dict[int, int]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        report = children.pop(pid)
        try:
            os.write(report, f"{os.waitstatus_to_exitcode(status)}\n".encode())
        except BrokenPipeError:  # the test has failed before
            pass
        finally:
            os.close(report)


def _load() -> None:
    for name in LOADED:
        __import__(name)
    from privstream import exchanges  # noqa: PLC0415 - tests load no program

    for name in exchanges.names():
        exchanges.find(name)
    gc.freeze()


if __name__ == "__main__":
    _load()
    _serve(socket.socket(fileno=int(sys.argv[1])))
