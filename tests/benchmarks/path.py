"""The whole receive path in one process: from the bytes of a socket to written lines.

The one rule: everything of a running account is there but the socket itself and its thread, so
what a step costs depends on nothing else on the machine.
"""

import os
import resource
import sys
import time
from collections.abc import Iterable, Sequence
from itertools import chain, islice

from privstream.connection.account.conversation import Conversation
from privstream.connection.account.merging import Merging
from privstream.connection.clock import SystemClock
from privstream.connection.socket.frames import Frames
from privstream.delivery.stream import Stream
from privstream.memory.event_maker import View
from privstream.memory.ledger import Ledger
from privstream.model.events import AnyEvent
from privstream.outputs.jsonl import JsonLines
from tests.benchmarks.blaster import frame as framed
from tests.benchmarks.wires import WIRES, Wire

READ_SIZE = 64 * 1024
"""Bytes that the transport reads at once."""
WARM = 200
"""Steps before anything is measured."""
SLICE = 2000
"""Steps whose frames are made at once, so that they take no memory of their own."""


class Pipe:
    """What the conversation takes for its socket."""

    def __init__(self) -> None:
        self._frames = Frames()
        self.chunks: list[bytes] = []

    def receive(self, timeout: float) -> list[bytes]:  # noqa: ARG002 - nothing is waited for
        return self._frames.feed(self.chunks.pop(0))

    def controls(self) -> Sequence[bytes | None]:
        return ()

    def send(self, text: str) -> None:
        """Nobody hears it."""

    def ping(self, payload: bytes) -> None:
        """As above."""


class ReceivePath:
    """One account, from its socket to standard output, which is nowhere."""

    def __init__(self, wire: Wire, channels: tuple[str, ...]) -> None:
        name, clock = wire.exchange, SystemClock()
        outlet = Stream().outlet(raw=False)
        outlet.put = self._keep  # type: ignore[method-assign]  # the queue's other end is us
        ledger = Ledger(View(name, name, frozenset(channels)))
        merging = Merging(ledger, outlet, clock)
        self._pipe = Pipe()
        self._talk = Conversation(
            self._pipe,
            wire.session(channels),
            ledger,
            clock=clock,
            outlet=merging,
            movements=merging.movements,
        )
        self._output = JsonLines(os.open(os.devnull, os.O_WRONLY))
        self._batches: list[list[AnyEvent]] = []
        self.events = 0

    def _keep(self, item: object) -> None:
        if isinstance(item, list):
            self._batches.append(item)

    def run(self, frames: Iterable[bytes]) -> None:
        """Take these frames, read by read, and write what they tell."""
        stream = b"".join(framed(one.decode()) for one in frames)
        self._pipe.chunks = [stream[at : at + READ_SIZE] for at in range(0, len(stream), READ_SIZE)]
        while self._pipe.chunks:
            self._talk.step()
            for batch in self._batches:
                self._output.write(batch)
                self.events += len(batch)
            self._batches.clear()


def cpu_of_a_step(wire: Wire, channels: tuple[str, ...], steps: int, times: int = 5) -> float:
    """Microseconds of CPU that a fill with all its frames costs: the least of some runs."""
    least = float("inf")
    warm = min(WARM, 10 * steps)
    for _ in range(times):
        path = ReceivePath(wire, channels)
        path.run(wire.frames(warm))
        rest = list(
            islice(wire.frames(warm + steps), len(wire.first) + warm * len(wire.step(1)), None)
        )
        begin = time.process_time()
        path.run(rest)
        least = min(least, time.process_time() - begin)
    return least / steps * 1e6


def peak_after(events: int, name: str = "kraken v2") -> tuple[int, int]:
    """Megabytes at the peak after a tenth of so many events, and after all of them."""
    wire, channels = WIRES[name], ("orders", "trades")
    path, peaks, number = ReceivePath(wire, channels), [], 1
    path.run(text.encode() for text in wire.first)
    for limit in (events // 10, events):
        while path.events < limit:
            texts = chain.from_iterable(map(wire.step, range(number, number + SLICE)))
            path.run(text.encode() for text in texts)
            number += SLICE
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
    return peaks[0], peaks[1]


if __name__ == "__main__":
    print(*peak_after(int(sys.argv[1])))
