"""Latency from a server's send to a reader of our stdout, beside a bare client.

python -m tests.benchmarks.latency [COUNT] [RATE]
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from statistics import quantiles

from tests.benchmarks.measure import blaster, environment

BARE = """
import sys, websocket
socket = websocket.create_connection(sys.argv[1], suppress_origin=True)
socket.send('{"method":"subscribe"}')
left = int(sys.argv[2]) + 2
while left:
    print(socket.recv(), flush=True)
    left -= 1
"""


def sent_at(line: str) -> int | None:
    """The monotonic nanoseconds that the server wrote into a trade's time."""
    told = json.loads(line)
    element = told.get("raw") or (told.get("data") or [{}])[0]
    stamp = element.get("timestamp", "")
    return int(stamp) if stamp.isdigit() else None


def latencies(command: list[str], environ: dict[str, str]) -> Iterator[float]:
    """Microseconds of each line."""
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            now = time.monotonic_ns()
            sent = sent_at(line)
            if sent is not None:
                yield (now - sent) / 1000


def measure(count: int, rate: float) -> Iterator[tuple[str, float, float]]:
    """Every client with the microseconds of half and of 99 of 100 messages."""
    with blaster(count, rate) as port, environment(port) as environ:
        url = f"ws://127.0.0.1:{port}/v2"
        program = [sys.executable, "-m", "privstream", "watch", "kraken", "trades", "--raw"]
        for name, command in {
            "bare websocket-client": [sys.executable, "-c", BARE, url, str(count)],
            "privstream --raw": [*program, "--count", str(count)],
        }.items():
            cuts = quantiles(latencies(command, environ), n=100)
            yield name, cuts[49], cuts[98]


def main(count: int, rate: float) -> None:
    """Print a table."""
    print(f"{count} messages, {rate:.0f} a second, microseconds\n{'client':24}{'p50':>8}{'p99':>8}")
    for name, half, nearly_all in measure(count, rate):
        print(f"{name:24}{half:8.0f}{nearly_all:8.0f}")


if __name__ == "__main__":
    words = sys.argv[1:]
    main(int(words[0]) if words else 1000, float(words[1]) if len(words) > 1 else 100.0)
