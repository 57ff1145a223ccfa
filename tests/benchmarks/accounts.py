"""Many accounts in one process: CPU, memory and late heartbeats.

python -m tests.benchmarks.accounts [ACCOUNTS] [SECONDS]
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from privstream.connection.account.backoff import Backoff
from privstream.connection.account.supervisor import Outside, Supervisor
from privstream.connection.clock import SystemClock
from privstream.connection.ports import Life
from privstream.connection.socket.websocket import Socket
from privstream.delivery.stream import Stream
from privstream.exchanges import find
from privstream.memory.event_maker import View
from privstream.memory.ledger import Ledger
from privstream.model.account import Account, Endpoints, Secret, Token
from privstream.model.events import Trade
from privstream.outputs.jsonl import JsonLines
from tests.benchmarks.measure import ROOT, blaster

CHANNELS = ("orders", "trades")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Crowded:
    """What so many accounts cost."""

    cpu: float
    """Of one core, in per cent."""
    kilobytes: float
    """An account."""
    fills: int
    late: int
    """Milliseconds by which the latest ping came behind its time."""


class Tokens:
    """Gives out the same token without asking anybody."""

    def get(self, min_ttl: float, *, other_than: Token | None = None) -> tuple[Token, Life]:  # noqa: ARG002 - it never ends
        return Token(Secret("token-of-this-benchmark"), None), Life(None, None, renewed=False)

    def refused(self, token: Token) -> None:
        """None is."""


class NoRest:
    """Nothing is asked for over REST here."""

    skew_ns = 0

    def run(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("a benchmark without REST asked over it")

    start = run


def stream_of(port: int, count: int) -> Stream:
    """So many accounts of the server at that port."""
    stream, url = Stream(), f"ws://127.0.0.1:{port}/v2"
    for number in range(count):
        name = f"account{number}"
        secrets = {"api_key": Secret("k"), "api_secret": Secret("c2VjcmV0")}
        exchange = find("kraken")(Account(name, "kraken", secrets, Endpoints(url, url)))
        outlet = stream.outlet(raw=False)
        outside = Outside(
            clock=SystemClock(),
            socket=Socket,
            nonce=lambda: nullcontext(1),
            rest=NoRest(),
            backoff=Backoff(exchange.limits.connects, Random(number)),
            outlet=outlet,
            tokens=Tokens(),
        )
        ledger = Ledger(View("kraken", name, frozenset(CHANNELS)))
        stream.add(Supervisor(exchange, CHANNELS, ledger, outside, stop=threading.Event()), outlet)
    return stream


def resident() -> int:
    """Bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


@contextmanager
def crowd(rate: float) -> Iterator[subprocess.Popen[str]]:
    """The server."""
    command = [sys.executable, "-m", "tests.benchmarks.crowd", str(rate)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as server:
        try:
            yield server
        finally:
            server.kill()


def measure(count: int, seconds: float, rate: float) -> Crowded:
    """Watch so many accounts for so long once all are live; in this process."""
    output = JsonLines(os.open(os.devnull, os.O_WRONLY))
    with crowd(rate) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        stream = stream_of(int(server.stdout.readline()), count)
        before, live, fills = resident(), 0, 0
        begun = cpu = 0.0
        with stream:
            for item in stream.items(0.5):
                if isinstance(item, list):
                    output.write(item)
                    live += sum(getattr(event, "state", None) == "live" for event in item)
                    fills += bool(begun) * sum(isinstance(event, Trade) for event in item)
                if live == count and not begun:
                    begun, cpu = time.monotonic(), time.process_time()
                if begun and time.monotonic() - begun >= seconds:
                    break
            spent, lasted = time.process_time() - cpu, time.monotonic() - begun
            grown = resident() - before
            server.stdin.close()
            late = int(server.stdout.readline())
    return Crowded(100 * spent / lasted, grown / count / 1024, fills, late)


def rate_of(count: int, frames: int) -> float:
    """Frames a second of so many accounts together, each as fast as it can."""
    output, left = JsonLines(os.open(os.devnull, os.O_WRONLY)), count * frames
    with blaster(frames) as port:
        stream = stream_of(port, count)
        begin = time.monotonic()
        with stream:
            for item in stream.items(0.5):
                if isinstance(item, list):
                    output.write(item)
                    left -= sum(isinstance(event, Trade) for event in item)
                if left <= 0:
                    break
            lasted = time.monotonic() - begin
    return count * frames / lasted


def main(count: int, seconds: float) -> None:
    """Print what the events cost over the heartbeats."""
    quiet, busy = (measure(count, seconds, rate) for rate in (0.0, 1.0))
    print(f"{count} accounts for {seconds:.0f} s, a heartbeat a second each")
    print(f"heartbeats only: {quiet.cpu:.1f} % of a core, latest ping {quiet.late} ms late")
    print(
        f"and a fill with its order each: {busy.cpu:.1f} % ({busy.cpu - quiet.cpu:+.1f}), "
        f"{busy.fills / seconds:.0f} fills a second, latest ping {busy.late} ms late, "
        f"{busy.kilobytes:.0f} kB an account"
    )


if __name__ == "__main__":
    words = sys.argv[1:]
    main(int(words[0]) if words else 500, float(words[1]) if len(words) > 1 else 20.0)
