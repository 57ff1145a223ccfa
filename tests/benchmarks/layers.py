"""What each layer of the receive path costs, in instructions, which other load does not disturb.

The one rule: no socket; the same frames go through one layer after the other. Instructions are
counted by callgrind, which writes its counts where a function of the C library is called that
nothing else calls; without valgrind the CPU's time is told instead.

    python -m tests.benchmarks.layers [--steps 1000] [--time] [WIRE]...
"""

import argparse
import ctypes
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from privstream.connection.socket.frames import Frames
from privstream.memory.event_maker import View
from privstream.memory.ledger import Ledger
from privstream.model.events import AnyEvent
from privstream.model.exact import decode
from privstream.model.reports import AnyReport, Report
from privstream.outputs.jsonl import encode_lines
from tests.benchmarks.blaster import frame as framed
from tests.benchmarks.measure import ROOT
from tests.benchmarks.wires import NOW, WIRES, Wire

RECEIVED = "2026-11-29T11:32:01.000000Z"
READ_SIZE = 64 * 1024
"""Bytes that the transport reads at once."""
WARM = 50
"""Steps before the count begins: caches are filled, types are made."""
BATCH = 100
"""Frames of one read."""
LAYERS = ("split", "decode", "session", "ledger", "lines", "write")
CHANNELS = {"trades": ("trades",), "orders and trades": ("orders", "trades")}
MARK = "hdestroy"
"""A function of the C library that nothing else calls here; it ends in `hdestroy_r`."""


def run_layers(wire: Wire, channels: tuple[str, ...], steps: int, mark: Callable[[], None]) -> int:
    """Send the frames through each layer; `mark` is called before the first and after each.

    Returns how many events these steps made.
    """
    frames = list(wire.frames(WARM + steps))
    warm = len(wire.first) + WARM * len(wire.step(1))
    path = ReceivePath(wire, channels)
    path.run(frames[:warm], lambda: None)
    return path.run(frames[warm:], mark)


class ReceivePath:
    """The receive path of one account, without what waits."""

    def __init__(self, wire: Wire, channels: tuple[str, ...]) -> None:
        name = wire.exchange
        self._frames = Frames()
        self._session = wire.session(channels)
        self._ledger = Ledger(View(name, name, frozenset(channels)))
        self._nowhere = os.open(os.devnull, os.O_WRONLY)

    def run(self, frames: Sequence[bytes], mark: Callable[[], None]) -> int:
        """The frames through each layer; returns how many events they made."""
        chunks = _chunks(b"".join(framed(one.decode()) for one in frames))
        mark()
        split = [message for chunk in chunks for message in self._frames.feed(chunk)]
        mark()
        for message in split:
            decode(message)
        mark()
        reports = [report for message in split for report in self._session.receive(message, NOW)]
        mark()
        batches = self._told([one for one in reports if isinstance(one, Report)], len(split))
        mark()
        lines = [encode_lines(batch) for batch in batches]
        mark()
        for batch in lines:
            os.write(self._nowhere, batch)
        mark()
        return sum(map(len, batches))

    def _told(self, reports: list[AnyReport], frames: int) -> list[list[AnyEvent]]:
        size = BATCH * max(1, len(reports) // frames)
        batches: list[list[AnyEvent]] = []
        for start in range(0, len(reports), size):
            batch: list[AnyEvent] = []
            for report in reports[start : start + size]:
                batch += self._ledger.take(report, RECEIVED)
            batches.append(batch)
        return batches


def _chunks(stream: bytes) -> list[bytes]:
    return [stream[at : at + READ_SIZE] for at in range(0, len(stream), READ_SIZE)]


# --- the counting ----------------------------------------------------------------------


def by_time(names: Sequence[str], steps: int) -> Iterator[list[float]]:
    """Nanoseconds of CPU a step of each layer: the least of five."""
    for name in names:
        for channels in CHANNELS.values():
            runs = []
            for _ in range(5):
                marks: list[int] = []
                mark = partial(_note, marks)
                run_layers(WIRES[name], channels, steps, mark)
                runs.append([after - before for before, after in pairwise(marks)])
            yield [min(layer) / steps for layer in zip(*runs, strict=True)]


def _note(marks: list[int]) -> None:
    marks.append(time.process_time_ns())


def by_instructions(names: Sequence[str], steps: int) -> Iterator[list[float]]:
    """Instructions a step of each layer, for each wire and each choice of channels."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        command = [
            *("valgrind", "-q", "--tool=callgrind", "--instr-atstart=no"),
            f"--dump-before={MARK}_r",
            *(f"--callgrind-out-file={out}", sys.executable, "-m", __spec__.name),
            *("--child", "--steps", str(steps), *names),
        ]
        subprocess.run(command, check=True, cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": "0"})
        number = 1
        for _ in range(len(names) * len(CHANNELS)):
            dumps = range(number + 1, number + 1 + len(LAYERS))
            yield [_total(Path(f"{out}.{dump}")) / steps for dump in dumps]
            number += 1 + len(LAYERS)


def _total(dump: Path) -> int:
    found = re.search(r"^totals: (\d+)", dump.read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


def _child(names: Sequence[str], steps: int) -> None:
    library = ctypes.CDLL(None)
    # The imports are over: until here nothing was counted, which is five times as quick.
    count = ("callgrind_control", "--instr=on", str(os.getpid()))
    subprocess.run(count, check=True, capture_output=True)
    for name in names:
        for channels in CHANNELS.values():
            run_layers(WIRES[name], channels, steps, library[MARK])


def main(names: Sequence[str], steps: int, *, by_the_clock: bool = False) -> None:
    """Print a table."""
    if shutil.which("valgrind") is not None and not by_the_clock:
        unit, costs = "instructions", by_instructions(names, steps)
    else:
        unit, costs = "ns of CPU", by_time(names, steps)
    print(f"{unit} a fill with all its frames, {steps} of them\n")
    print(f"{'wire, channels':32}" + "".join(f"{layer:>9}" for layer in LAYERS) + f"{'all':>9}")
    for name in names:
        for label in CHANNELS:
            layers = next(costs)
            total = sum(layers) - layers[1]  # the session decodes by itself
            row = "".join(f"{cost:9.0f}" for cost in (*layers, total))
            print(f"{name + ', ' + label:32}{row}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="layers")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--time", action="store_true", help="CPU time, though valgrind is there")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("wires", nargs="*", metavar="WIRE")
    asked = parser.parse_args()
    if asked.child:
        _child(asked.wires, asked.steps)
    else:
        main(asked.wires or list(WIRES), asked.steps, by_the_clock=asked.time)
