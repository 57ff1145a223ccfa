"""Runs a program and measures it from outside: CPU time, wall time, peak memory."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory


@dataclass(frozen=True)
class Measured:
    """One run: seconds of CPU (user and system), seconds on the wall, peak kilobytes."""

    cpu: float
    wall: float
    kilobytes: int


def run(command: Sequence[str], environ: dict[str, str]) -> Measured:
    """Run to the end, its output thrown away. Raises where it fails."""
    begin = time.monotonic()
    with Path(os.devnull).open("w") as nowhere:
        process = subprocess.Popen(command, env=environ, stdout=nowhere, stderr=nowhere)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[:4]} ended with {process.returncode}")
    wall = time.monotonic() - begin
    return Measured(used.ru_utime + used.ru_stime, wall, used.ru_maxrss)


def medians(command: Sequence[str], environ: dict[str, str], times: int) -> Measured:
    """The median of several runs, each figure by itself."""
    runs = [run(command, environ) for _ in range(times)]
    return Measured(
        median(one.cpu for one in runs),
        median(one.wall for one in runs),
        int(median(one.kilobytes for one in runs)),
    )


@contextmanager
def blaster(count: int, rate: float = 0.0) -> Iterator[int]:
    """The sending server in a process of its own; yields its port."""
    command = [sys.executable, "-m", "tests.benchmarks.blaster", str(count), str(rate)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.kill()


ROOT = Path(__file__).parents[2]


@contextmanager
def environment(port: int) -> Iterator[dict[str, str]]:
    """An environment in which privstream's Kraken is at that port."""
    with TemporaryDirectory() as home:
        config = Path(home) / "config.toml"
        config.touch(0o600)
        config.write_text(
            '[accounts.kraken]\napi_key = "k"\napi_secret = "c2VjcmV0"\n[exchanges.kraken]\n'
            f'rest_url = "http://127.0.0.1:{port}"\nws_url = "ws://127.0.0.1:{port}/v2"\n'
        )
        yield {
            "HOME": home,
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PRIVSTREAM_CONFIG": str(config),
        }
