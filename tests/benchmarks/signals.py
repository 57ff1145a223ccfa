"""Two signals in a row at a random moment of every command: all end in time, none with a traceback.

Run by hand: `python -m tests.benchmarks.signals [TIMES=1000] [SEED=1]`. Each run is a process of
its own against simulated exchanges; it gets SIGINT, SIGTERM or SIGHUP, and 50 µs later another.
What counts is the time in which it could do something: on a busy machine a process that is ready
waits for a processor for longer than everything else takes.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from privstream.simulator.server import Simulation
from tests.cli.conftest import Program, config_of

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
APART = 50e-6
IN_TIME = 2.0
HUNG = 10.0
LATEST = 1.2
"""Seconds after it has taken over at which the first one comes at the latest."""
EXPECTED = frozenset({0, 3, 4, 5, 124, 130})
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("watch", "kraken", "--json"),
    ("watch", "kraken", "--resume", "--json", "-v"),
    ("watch", "kraken", "--format", "raw", "--to", "file:{home}/events"),
    ("watch", "all", "--since", "1m"),
    ("record", "{home}/recording-{n}", "kraken"),
    ("replay", "{home}/frames", "--exchange", "kraken"),
    ("demo", "--rate", "50"),
    ("simulate", "kraken", "--port", "0"),
    ("wait", "kraken", "OAAAAA-BBBBB-CCCCCC"),
    ("wait", "kraken", "OAAAAA-BBBBB-CCCCCC", "--until", "closed", "--json"),
    ("token", "check", "kraken", "--json"),
    ("token", "refresh", "kraken"),
    ("token", "show", "kraken"),
    ("doctor", "kraken"),
    ("order", "list", "kraken"),
    ("order", "get", "kraken", "OAAAAA-BBBBB-CCCCCC"),
    ("order", "cancel", "kraken", "OAAAAA-BBBBB-CCCCCC"),
    (
        *("order", "place", "kraken", "--symbol", "BTC/EUR", "--side", "buy", "--type", "limit"),
        *("--quantity", "0.01", "--price", "20000", "--yes"),
    ),
    ("accounts", "list"),
    ("accounts", "add", "spare", "--exchange", "kraken", "--keep", "config", "--from-stdin"),
    ("schema",),
)


@dataclass
class Figures:
    """What became of the runs."""

    runs: int = 0
    slowest: float = 0.0
    """Seconds, those without a processor left out."""
    slowest_on_the_wall: float = 0.0
    codes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def strike(
    times: int,
    seed: int,
    commands: Sequence[tuple[str, ...]] = COMMANDS,
    *,
    in_time: float = IN_TIME,
) -> Figures:
    """Run so many of the commands, and signal each twice."""
    chance, figures = random.Random(seed), Figures()
    with _world(seed) as program:
        for number in range(times):
            words = commands[number % len(commands)]
            filled = [_filled(word, program, number) for word in words]
            _strike_once(program, filled, chance, figures, in_time)
    return figures


@contextmanager
def _world(seed: int) -> Iterator[Program]:
    with (
        tempfile.TemporaryDirectory(prefix="privstream-signals-") as folder,
        Simulation(["kraken"], seed=seed, rate=200, limits=False) as simulation,
    ):
        home = Path(folder)
        frame = '{"channel":"heartbeat"}\n{"channel":"unheard of"}\n'
        (home / "frames").write_text(frame * 200_000)
        yield Program(home, config_of(simulation, home))


def _filled(word: str, program: Program, number: int) -> str:
    return word.format(home=program.home, n=number)


def _strike_once(
    program: Program, words: list[str], chance: random.Random, figures: Figures, in_time: float
) -> None:
    first, second = chance.choice(SIGNALS), chance.choice(SIGNALS)
    if "--to" in words:
        second = signal.SIGTERM  # SIGHUP only reopens the file
    stdin = subprocess.PIPE if "--from-stdin" in words else subprocess.DEVNULL
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = program.launch(*words, stdin=stdin, stdout=out, stderr=err)
        try:
            _await_take_over(process)
            time.sleep(chance.uniform(0.0, LATEST))
            is_over = process.poll() is not None
            process.send_signal(first)
            _spin(APART)
            process.send_signal(second)
            begun, queued = time.monotonic(), _queued(process)
            _await_end(process)
            on_the_wall = time.monotonic() - begun
            took = on_the_wall - (_queued(process) - queued)
            code = _code(process)
        finally:
            if process.stdin is not None:
                process.stdin.close()
        err.seek(0)
        said = err.read().decode(errors="replace")
    figures.runs += 1
    figures.codes["over before" if is_over else str(code)] += 1
    if code not in EXPECTED and not is_over:
        figures.faults.append(f"{' '.join(words)}: exit {code}: {said}")
    figures.slowest = max(figures.slowest, took)
    figures.slowest_on_the_wall = max(figures.slowest_on_the_wall, on_the_wall)
    if code is None or took > in_time or "Traceback" in said or "internal error" in said:
        what = f"{' '.join(words)}: {first.name} {second.name}, {took:.1f} s, exit {code}: {said}"
        figures.faults.append(what)


def _await_take_over(process: "subprocess.Popen[str]") -> None:
    """Until then the interpreter is still starting, and obeys signals in its own way."""
    while process.poll() is None:
        status = Path(f"/proc/{process.pid}/status").read_text()
        caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
        if int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1:
            return
        time.sleep(0.001)


def _spin(seconds: float) -> None:
    """Sleeping would take longer than that."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


def _queued(process: "subprocess.Popen[str]") -> float:
    """Seconds that its main thread was ready and had no processor, until now or its end.

    The second number of https://docs.kernel.org/scheduler/sched-stats.html (2026-11-30).
    """
    if process.returncode is not None:  # it was over before
        return 0.0
    return int(Path(f"/proc/{process.pid}/schedstat").read_text().split()[1]) / 1e9


def _await_end(process: "subprocess.Popen[str]") -> None:
    """Until it has ended, without taking its place in /proc away."""
    if process.returncode is not None:
        return
    until = time.monotonic() + HUNG
    ended = os.WEXITED | os.WNOWAIT | os.WNOHANG
    while os.waitid(os.P_PID, process.pid, ended) is None and time.monotonic() < until:
        time.sleep(0.002)


def _code(process: "subprocess.Popen[str]") -> int | None:
    try:
        return process.wait(0.1)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return None


def main(times: int = 1000, seed: int = 1) -> None:
    """Print what became of them."""
    # A shell that starts us in the background has it ignored, and so it would stay.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    figures = strike(times, seed)
    print(
        f"{figures.runs} runs, the slowest ended after {figures.slowest:.2f} s "
        f"({figures.slowest_on_the_wall:.2f} s with the waiting for a processor)"
    )
    for code, count in sorted(figures.codes.items()):
        print(f"  exit {code}: {count}")
    for fault in figures.faults:
        print(f"FAULT {fault}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
