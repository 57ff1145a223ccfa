"""Random faults against `watch all` on simulated exchanges, and one check of the whole output.

The one rule: the figures are of the program as a user starts it, in a process of its own.

    python -m tests.benchmarks.soak [--minutes 5] [--chaos 3] [--rate 5] [--seed 1]
                                    [--audit 30] [--kills N] [--terms N] [--stall SECONDS]
                                    [--accounts N] [--since SECONDS] [--keep FOLDER] [EXCHANGE]...

With --kills and --terms it runs with --resume and is ended so many times on its way, with -9
or with SIGTERM. With --stall the reader of its output stops now and then, for up to so long.
With --accounts there are so many of each exchange, all with one key. With --since the history
of so long before is asked for, and owed. At the end no new faults are drawn for a while, so that
what was lost without a trace is found.
"""

import argparse
import math
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from privstream import exchanges
from privstream.simulator.server import Simulation, system_clock
from tests.benchmarks.claims import Span
from tests.benchmarks.ends import ends_of
from tests.benchmarks.invariants import Evidence, Report, Sample, check, truth_of
from tests.benchmarks.kill import configured
from tests.cli.conftest import Program

SAMPLE_EVERY = 1.0
WARM = 15.0
"""Seconds until all modules are loaded and every account was live once."""
STOP_LIMIT = 20.0
DOUBT = 30.0
"""Seconds before the end whose trades may not have been told yet."""
LAG = 70.0
"""Seconds after an audit in which REST may still lag behind, with a margin."""
STALL_EVERY = 20.0
FILES = "/proc/{}/fd"


@dataclass(frozen=True)
class Plan:
    """What to do."""

    names: Sequence[str]
    minutes: float = 5.0
    chaos: float = 3.0
    rate: float = 5.0
    seed: int = 1
    audit: float = 30.0
    kills: int = 0
    terms: int = 0
    stall: float = 0.0
    accounts: int = 1
    since: float = 0.0

    @property
    def words(self) -> list[str]:
        resume = ["--resume"] if self.kills or self.terms else []
        since = ["--since", f"{self.since:g}s"] if self.since else []
        audit = f"{self.audit:g}s"
        usual = ["watch", "all", "--status", "--format", "jsonl", "--audit", audit]
        return [*usual, *resume, *since]

    def names_of(self, exchange: str) -> list[str]:
        """The accounts there."""
        more = [f"{exchange}-{number}" for number in range(2, self.accounts + 1)]
        return [exchange, *more]


class Reader(threading.Thread):
    """Reads a process's output into a file, and stalls now and then."""

    def __init__(
        self,
        process: "subprocess.Popen[str]",
        path: Path,
        plan: Plan,
        random: Random,
        calm: threading.Event,
    ) -> None:
        super().__init__(daemon=True)
        assert process.stdout is not None
        self._fd = process.stdout.fileno()
        self._path = path
        self._longest = plan.stall
        self._random = random
        self._calm = calm
        self._hurry = threading.Event()
        self.stalls: list[Span] = []

    def run(self) -> None:
        """Until the other end is closed."""
        with self._path.open("wb") as file:
            next_stall = self._next(time.monotonic())
            while data := os.read(self._fd, 65536):
                file.write(data)
                if time.monotonic() >= next_stall and not self._calm.is_set():
                    self._stall()
                    next_stall = self._next(time.monotonic())

    def finish(self) -> None:
        """The process has ended: what is in the pipe is read."""
        self._hurry.set()
        self.join(STOP_LIMIT)

    def _next(self, now: float) -> float:
        return now + self._random.uniform(0.5, 1.5) * STALL_EVERY if self._longest else math.inf

    def _stall(self) -> None:
        since = time.time_ns()
        self._hurry.wait(self._longest * self._random.random() ** 2)
        self.stalls.append((since, time.time_ns()))


@dataclass
class Runs:
    """One process after the other, and what each left."""

    plan: Plan
    folder: Path
    program: Program
    random: Random
    exits: list[tuple[int, int]] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    """Of the run that lasted longest."""
    stalls: list[Span] = field(default_factory=list)
    calm: threading.Event = field(default_factory=threading.Event)
    """Nothing goes wrong any more, and the reader takes what comes."""
    started_ns: int | None = None
    """When the first of them was started."""

    def run(self, seconds: float, number: signal.Signals) -> None:
        """Start the next one, watch it for so long, and end it with a signal."""
        with self._start() as process:
            path = self._path(len(self.exits), "jsonl")
            reader = Reader(process, path, self.plan, self.random, self.calm)
            reader.start()
            samples = watched(process, seconds)
            process.send_signal(number)
            process.wait(STOP_LIMIT)
            reader.finish()
        due = 0 if number is signal.SIGTERM else -number
        self.exits.append((due, process.returncode))
        self.stalls += reader.stalls
        self.samples = max(self.samples, samples, key=len)

    def _start(self) -> "subprocess.Popen[str]":
        errors = self._path(len(self.exits), "stderr")
        self.started_ns = self.started_ns or time.time_ns()
        with errors.open("w") as stderr:
            return self.program.launch(*self.plan.words, stderr=stderr)

    def _path(self, number: int, ending: str) -> Path:
        return self.folder / f"{number}.{ending}"

    @property
    def lines(self) -> list[list[bytes]]:
        ended = range(len(self.exits))
        return [self._path(n, "jsonl").read_bytes().splitlines() for n in ended]

    @property
    def texts(self) -> dict[str, bytes]:
        """All that was written but the output, the config and what keeps the tokens."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        own = {".jsonl", ".toml"}
        return {
            str(path): path.read_bytes()
            for path in files
            if path.suffix not in own and not keeps_tokens(path)
        }


def soak(plan: Plan, folder: Path) -> Report:
    """Run it all; returns what came of it."""
    secrets: list[str] = []
    simulation = Simulation(plan.names, seed=plan.seed, rate=plan.rate, chaos=plan.chaos)
    for exchange in simulation.exchanges.values():
        note_tokens(exchange, secrets)
    with simulation:
        for name in plan.names:
            credentials = simulation.account(name, {}).credentials
            secrets += [secret.reveal() for secret in credentials.values()]
        config = configured(simulation, folder, *plan.names, accounts=plan.accounts)
        random = Random(plan.seed)
        runs = Runs(plan, folder, Program(folder, config), random)
        for seconds, number in spans(plan, random):
            runs.run(seconds, number)
        calm = threading.Timer(runs_last(plan), be_calm, [simulation, runs.calm])
        calm.start()
        runs.run(runs_last(plan) + plan.audit + LAG, signal.SIGTERM)
        now = system_clock()
        calm.join()
    until_ns = now.wall_ns - round(DOUBT * 1e9)
    return check(
        Evidence(
            runs=runs.lines,
            truth={
                account: truth_of(one, now)
                for name, one in simulation.exchanges.items()
                for account in plan.names_of(name)
            },
            happened=simulation.happened,
            until_ns=until_ns,
            started_ns=runs.started_ns,
            since=plan.since or None,
            ends={
                account: ends_of(one, now, until_ns)
                for name, one in simulation.exchanges.items()
                for account in plan.names_of(name)
            },
            secrets=secrets,
            texts=runs.texts,
            samples=runs.samples,
            exits=runs.exits,
            stalls=runs.stalls,
        )
    )


def keeps_tokens(path: Path) -> bool:
    """It is of the token cache, and for its owner alone: only there a token may be."""
    mode = stat.S_IMODE(path.stat().st_mode)
    return path.parent.parent.name == ".cache" and path.stem.startswith("token-") and mode == 0o600


def spans(plan: Plan, random: Random) -> list[tuple[float, signal.Signals]]:
    """How long each of the runs lasts that are ended on the way, and how it is ended."""
    usual = runs_last(plan)
    ways = [signal.SIGKILL] * plan.kills + [signal.SIGTERM] * plan.terms
    random.shuffle(ways)
    return [(usual * random.uniform(0.5, 1.5), number) for number in ways]


def runs_last(plan: Plan) -> float:
    """Seconds of a run, as a rule."""
    return plan.minutes * 60 / (plan.kills + plan.terms + 1)


def note_tokens(exchange: Any, secrets: list[str]) -> None:
    """Remember each token that an exchange gives out; not every one has them."""
    tokens = getattr(exchange, "tokens", None)
    if tokens is None:
        return
    issue = tokens.issue

    def noted(now: Any) -> str:
        token: str = issue(now)
        secrets.append(token)
        return token

    tokens.issue = noted


def be_calm(simulation: Simulation, calm: threading.Event) -> None:
    """Draw no more faults."""
    calm.set()
    for faults in simulation.faults.values():
        faults._drawn = iter(())


def watched(process: "subprocess.Popen[str]", seconds: float) -> list[Sample]:
    """Look at the process now and then until the time is over; it must not end before."""
    begin, samples, pause = time.monotonic(), [], threading.Event()
    while (passed := time.monotonic() - begin) < seconds:
        if process.poll() is not None:
            break
        if passed > WARM:
            samples.append(sample(process.pid, passed))
        pause.wait(min(SAMPLE_EVERY, seconds - passed))
    return samples


def sample(pid: int, seconds: float) -> Sample:
    """What the process holds now, by /proc."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    status = dict(line.split(":", 1) for line in lines)
    kilobytes, threads = (int(status[key].split()[0]) for key in ("VmRSS", "Threads"))
    return Sample(seconds, kilobytes, threads, len(list(Path(FILES.format(pid)).iterdir())))


def main() -> int:
    """Print the figures; 1 where a promise was broken."""
    parser = argparse.ArgumentParser(prog="soak")
    for name, default in (
        ("minutes", 5.0),
        ("chaos", 3.0),
        ("rate", 5.0),
        ("audit", 30.0),
        ("stall", 0.0),
        ("since", 0.0),
    ):
        parser.add_argument(f"--{name}", type=float, default=default)
    for name, count in (("seed", 1), ("kills", 0), ("terms", 0), ("accounts", 1)):
        parser.add_argument(f"--{name}", type=int, default=count)
    parser.add_argument("--keep", type=Path, help="an empty folder for all that is written")
    parser.add_argument("names", nargs="*", metavar="EXCHANGE")
    settings = vars(parser.parse_args())
    keep = settings.pop("keep")
    settings["names"] = settings["names"] or exchanges.names()
    with TemporaryDirectory() as folder:
        report = soak(Plan(**settings), keep or Path(folder))
    print(report)
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
