"""All that is promised of speed and size, in one table, beside the peers that are installed.

The one rule: what stands beside each other was measured in the same run; only ratios say
anything, since a machine is never as quick twice. `--quick` runs all of it once, with little.

    python -m tests.benchmarks [--quick | --frames N --events N]
"""

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version

from tests.benchmarks import accounts, latency, once, receive, startup
from tests.benchmarks.layers import CHANNELS
from tests.benchmarks.measure import ROOT
from tests.benchmarks.path import cpu_of_a_step
from tests.benchmarks.wires import WIRES

PACKAGES = ("msgspec", "typer", "websocket-client", "ccxt", "python-kraken-sdk")


@dataclass(frozen=True)
class Size:
    """How much of everything."""

    frames: int
    """From a socket."""
    messages: int
    rates: tuple[float, ...]
    """A second, to see how late they come."""
    times: int
    steps: int
    events: int
    accounts: int
    seconds: float
    orders: int
    fills: int


FULL = Size(
    frames=50_000,
    messages=2_000,
    rates=(100.0, 5000.0),
    times=5,
    steps=3000,
    events=1_000_000,
    accounts=500,
    seconds=20.0,
    orders=10_000,
    fills=5_000,
)
QUICK = Size(
    frames=40,
    messages=40,
    rates=(5000.0,),
    times=1,
    steps=5,
    events=400,
    accounts=3,
    seconds=1.1,
    orders=20,
    fills=100,
)
Rows = Iterator[tuple[str, str]]


def socket_rows(size: Size) -> Rows:
    """From a socket to lines, whole processes."""
    ours = 0.0
    for name, used in receive.measure(size.frames, size.times):
        each = used.cpu / size.frames * 1e6
        ours = ours or each
        ratio = each / ours if ours else 1.0
        yield name, f"{each:.1f} us ({ratio:.2f}), {used.kilobytes // 1024} MB"
    yield from ((why, "") for why in receive.left_out())


def wire_rows(size: Size) -> Rows:
    """Every protocol of every exchange."""
    for name, wire in WIRES.items():
        each = [cpu_of_a_step(wire, chosen, size.steps, size.times) for chosen in CHANNELS.values()]
        frames = len(wire.step(1))
        yield f"{name} ({frames} frames a fill)", " / ".join(f"{cpu:.0f} us" for cpu in each)


def latency_rows(size: Size) -> Rows:
    """From the server's send to a reader of the client's lines."""
    for rate in size.rates:
        for name, half, most in latency.measure(size.messages, rate):
            yield f"{name}, {rate:.0f} a second", f"{half:.0f} / {most:.0f} us"


def startup_rows(size: Size) -> Rows:
    """Beside the bare interpreter."""
    base = 0.0
    for name, wall in startup.measure(2 * size.times - 1):
        base = base or wall
        yield name, f"{wall:.0f} ms ({wall / base:.1f})"


def memory_rows(size: Size) -> Rows:
    """In a process of its own, since a peak is never taken back."""
    command = [sys.executable, "-m", "tests.benchmarks.path", str(size.events)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    early, late = done.stdout.split()
    yield f"after {size.events // 10:,} events", f"{early} MB"
    yield f"after {size.events:,} events", f"{late} MB"


def account_rows(size: Size) -> Rows:
    """Many accounts in one process."""
    quiet, busy = (accounts.measure(size.accounts, size.seconds, rate) for rate in (0.0, 1.0))
    yield f"{size.accounts} accounts, heartbeats only", f"{quiet.cpu:.1f} % of a core"
    more = f"+{busy.cpu - quiet.cpu:.1f} %, {busy.kilobytes:.0f} kB each"
    yield "and a fill with its order a second each", f"{more}, latest ping {busy.late} ms late"
    one, five = (accounts.rate_of(count, size.frames) for count in (1, 5))
    yield "five at full speed, of one's rate", f"{five / one:.2f}"


def once_rows(size: Size) -> Rows:
    """What comes now and then."""
    yield f"{size.orders:,} open orders in one list", f"{once.snapshot(size.orders):.2f} s of CPU"
    yield f"{size.fills:,} fills read back over REST", f"{once.read_back(size.fills):.2f} s of CPU"
    replayed = once.replay(size.frames, size.times)
    yield f"replay of {size.frames:,} frames, orders and trades", f"{replayed:.1f} us a frame"


TABLE: dict[str, Callable[[Size], Rows]] = {
    "Kraken v2 trade, socket to line: CPU a frame (of ours), peak": socket_rows,
    "Fill with all its frames, in process: trades / orders and trades": wire_rows,
    "Latency, half / 99 of 100": latency_rows,
    "Start-up (times `python -c pass`)": startup_rows,
    "Memory": memory_rows,
    "Many accounts in one process": account_rows,
    "Now and then": once_rows,
}


def machine() -> str:
    """Where, and with which versions."""
    found = [f"{name} {number}" for name in PACKAGES if (number := _version(name))]
    cores, load = os.cpu_count(), os.getloadavg()[0]
    where = f"{platform.machine()}, {cores} cores, load {load:.1f}"
    return f"{where}; Python {platform.python_version()}, {', '.join(found)}"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def main(size: Size) -> None:
    """Print the table, as Markdown, row by row."""
    print(f"{machine()}\n\n| what | privstream, or who is named |\n|---|---|", flush=True)
    for title, rows in TABLE.items():
        print(f"| **{title}** | |", flush=True)
        for name, value in rows(size):
            print(f"| {name} | {value} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--quick", action="store_true", help="all of it once, with little")
    parser.add_argument("--frames", type=int, default=FULL.frames, help="from a socket")
    parser.add_argument("--events", type=int, default=FULL.events, help="until memory is read")
    asked = parser.parse_args()
    main(QUICK if asked.quick else replace(FULL, frames=asked.frames, events=asked.events))
