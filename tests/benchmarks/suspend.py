"""How soon `watch` is back that was stopped for a minute, as by a lid that is closed.

The one rule: the figures are of the program as a user starts it, in a process of its own,
stopped with SIGSTOP; the simulated exchanges live on meanwhile.

    python -m tests.benchmarks.suspend [--seconds 60] [EXCHANGE]...

t_recover is from SIGCONT to the first new event. While a process is stopped the monotonic
clock runs on, which it does not in a real suspend: that difference has a test with fake clocks.
"""

import argparse
import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from privstream import exchanges
from privstream.model.times import to_nanos
from privstream.simulator.server import Simulation, system_clock
from tests.benchmarks.invariants import truth_of
from tests.benchmarks.kill import configured
from tests.cli.conftest import Program

WARM, AFTER = 12.0, 25.0
RATE = 3.0
LATEST_NS = 5 * 10**9


@dataclass
class Stopped:
    """One program, and what it printed."""

    name: str
    process: "subprocess.Popen[str]"
    lines: list[dict[str, Any]] = field(default_factory=list)

    def read(self) -> None:
        """Take its lines until it ends."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(json.loads(line))

    def report(self, continued_ns: int, truth: dict[str, int]) -> tuple[str, bool]:
        """A line of figures, and whether it kept its promises."""
        after = [e for e in self.lines if to_nanos(e["received"]) > continued_ns]
        news = [e for e in after if e["type"] not in {"status", "gap"}]
        recovered = (to_nanos(news[0]["received"]) - continued_ns) / 1e9 if news else None
        live = next(to_nanos(e["received"]) for e in self.lines if e.get("state") == "live")
        until = to_nanos(self.lines[-1]["received"]) - LATEST_NS
        told = Counter(e["trade_id"] for e in self.lines if e["type"] == "trade")
        wanted = {name for name, at in truth.items() if live <= at <= until}
        lost, doubled = wanted - told.keys(), [name for name, n in told.items() if n > 1]
        gaps = [
            f"{e['cause']} complete={e['complete']} told after "
            f"{(to_nanos(e['received']) - continued_ns) / 1e9:.2f} s: {e['detail']}"
            for e in after
            if e["type"] == "gap"
        ]
        text = (
            f"{self.name:<9} t_recover {recovered if recovered is None else round(recovered, 2)} s, "
            f"{len(wanted)} trades, lost {len(lost)}, doubled {len(doubled)}, gaps {gaps}, "
            f"exit {self.process.returncode}"
        )
        return text, not lost and not doubled and self.process.returncode == 0


def suspend(seconds: float, names: Sequence[str], folder: Path) -> list[tuple[str, bool]]:
    """Stop all of them for so long at once; returns a line of figures of each."""
    pause = threading.Event()
    with Simulation(names, seed=1, rate=RATE) as simulation:
        program = Program(folder, configured(simulation, folder, *names))
        quiet = subprocess.DEVNULL
        watched = [
            Stopped(name, program.launch("watch", name, "--status", stderr=quiet)) for name in names
        ]
        readers = [threading.Thread(target=one.read) for one in watched]
        for reader in readers:
            reader.start()
        pause.wait(WARM)
        for number, wait in ((signal.SIGSTOP, seconds), (signal.SIGCONT, AFTER)):
            for one in watched:
                one.process.send_signal(number)
            continued_ns = time.time_ns()
            pause.wait(wait)
        for one, reader in zip(watched, readers, strict=True):
            one.process.send_signal(signal.SIGTERM)
            reader.join()
            one.process.wait()
        now = system_clock()
        return [
            one.report(continued_ns, dict(truth_of(simulation.exchanges[one.name], now)))
            for one in watched
        ]


def main() -> int:
    """Print the figures; 1 where something was lost."""
    parser = argparse.ArgumentParser(prog="suspend")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("names", nargs="*", metavar="EXCHANGE")
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        found = suspend(asked.seconds, asked.names or exchanges.names(), Path(folder))
    for text, _ in found:
        print(text)
    return 0 if all(good for _, good in found) else 1


if __name__ == "__main__":
    sys.exit(main())
