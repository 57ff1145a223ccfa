"""A thousand reconnects of one account on loopback: what grows with them.

The one rule: the connection, the token and REST are the real ones; only the waits between the
attempts and for the request budget are left out, and the server closes every socket as soon as it has let somebody in.

    python -m tests.benchmarks.reconnect [--count 1000] [EXCHANGE]
"""

import argparse
import dataclasses
import gc
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from privstream import exchanges
from privstream.app.assembly import Wanted, add_account
from privstream.connection.account.backoff import Backoff
from privstream.connection.rest.pacing import Pacing
from privstream.delivery.stream import Ended, Stream
from privstream.exchanges import find
from privstream.model.events import Status
from privstream.model.rest import Now
from privstream.simulator.base import Close, Connection, Out
from privstream.simulator.server import Simulation
from tests.benchmarks.invariants import Sample
from tests.benchmarks.soak import sample
from tests.outside import environment

SAMPLES = 10
WARM = 0.2
"""The share of reconnects before the first sample: modules are loaded, REST is kept open."""
SPARE = {"threads": 1, "descriptors": 4}
"""What is between two states at the moment of a sample, of client and server together."""


class Impatient(Backoff):
    """Waits for nothing."""

    def failed(self, now: Now, floor: float = 0.0) -> float:
        super().failed(now, floor)
        return 0.0


class Doorkeeper(Connection):
    """Lets in, and shows the door at once."""

    def __init__(self, inner: Connection, words: int) -> None:
        self._inner = inner
        self._words = words

    def opened(self, now: Now) -> Iterable[Out]:
        return self._inner.opened(now) if self._words else self._parting(self._inner.opened(now))

    def received(self, text: str, now: Now) -> Iterable[Out]:
        outs = self._inner.received(text, now)
        self._words -= 1
        return outs if self._words > 0 else self._parting(outs)

    def tick(self, now: Now) -> Iterable[Out]:
        return self._inner.tick(now)

    def closed(self, now: Now) -> None:
        self._inner.closed(now)

    def _parting(self, outs: Iterable[Out]) -> list[Out]:
        return [*outs, Close(1001, "going away")]


WORDS = {"kraken": 2, "bitfinex": 2}
"""What the client says until the server parts: its subscriptions, or its login."""


def reconnect(count: int, name: str, folder: Path) -> list[Sample]:
    """So many connections one after the other; what this process held on its way."""
    simulation = Simulation([name], seed=1, rate=0.01, limits=False)
    exchange = simulation.exchanges[name]
    connect = exchange.connect

    def parting(*arguments: Any) -> Any:
        answer = connect(*arguments)
        return Doorkeeper(answer, WORDS[name]) if isinstance(answer, Connection) else answer

    exchange.connect = parting  # type: ignore[method-assign,assignment]  # for this life only
    with simulation:
        stream = _stream(simulation, name, folder)
        with stream:
            return _followed(stream, count)


def _stream(simulation: Simulation, name: str, folder: Path) -> Stream:
    stream, account = Stream(), simulation.account(name, {})
    channels = find(name)(account).select(())
    outside = environment({"HOME": str(folder)})
    add_account(outside, stream, account, channels, Wanted(), is_simulated=True)
    supervisor = stream._members[0].supervisor
    backoff = Impatient(supervisor.exchange.limits.connects, Random(1))
    supervisor._outside = dataclasses.replace(supervisor._outside, backoff=backoff, turns=None)
    rest: Any = supervisor._outside.rest
    rest._pacing = Pacing((1e9, 1e9))
    return stream


def _followed(stream: Stream, count: int) -> list[Sample]:
    begin, tried, samples = time.monotonic(), 0, []
    due = [round(count * (WARM + (1 - WARM) * n / (SAMPLES - 1))) for n in range(SAMPLES)]
    for item in stream.items(0.1):
        if isinstance(item, Ended) and item.error is not None:
            raise item.error
        if not isinstance(item, list):
            continue
        tried += sum(isinstance(e, Status) and e.state == "connecting" for e in item)
        while due and tried >= due[0]:
            gc.collect()
            samples.append(sample(_own_id(), time.monotonic() - begin))
            due.pop(0)
        if not due:
            break
    return samples


def _own_id() -> int:
    return int(Path("/proc/self").resolve().name)


def grown(samples: list[Sample]) -> list[str]:
    """What was more at the end than at the beginning."""
    third = max(1, len(samples) // 3)
    found = []
    for key, spare in SPARE.items():
        first, last = (
            min(getattr(s, key) for s in part) for part in (samples[:third], samples[-third:])
        )
        if last > first + spare:
            found.append(f"{first} {key} became {last}")
    return found


def main() -> int:
    """Print what was held; 1 where it grew."""
    parser = argparse.ArgumentParser(prog="reconnect")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("name", nargs="?", default="kraken", choices=sorted(WORDS))
    asked = parser.parse_args()
    assert asked.name in exchanges.names()
    with TemporaryDirectory() as folder:
        samples = reconnect(asked.count, asked.name, Path(folder))
    for one in samples:
        print(
            f"{one.seconds:6.1f} s  {one.threads} threads  {one.descriptors} descriptors  "
            f"{one.kilobytes} kB"
        )
    problems = grown(samples)
    print(f"{asked.count} reconnects, left {threading.active_count()} threads; grown: {problems}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
