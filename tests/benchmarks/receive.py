"""CPU microseconds from the socket to a JSON line, and memory, beside peers in the same run.

python -m tests.benchmarks.receive [COUNT] [TIMES]
"""

import os
import shlex
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec

from tests.benchmarks.measure import Measured, blaster, environment, medians

WEBSOCKET_CLIENT = """
import json, sys, websocket
socket = websocket.create_connection(sys.argv[1], suppress_origin=True)
socket.send('{"method":"subscribe"}')
left = int(sys.argv[2]) + 2
while left:
    print(json.dumps(json.loads(socket.recv())), flush=True)
    left -= 1
"""
CCXT = """
import asyncio, json, sys
import ccxt.pro
async def main():
    url, left = sys.argv[1], int(sys.argv[2])
    kraken = ccxt.pro.kraken({"apiKey": "k", "secret": "c2VjcmV0", "newUpdates": True})
    kraken.urls["api"]["ws"]["privateV2"] = url
    kraken.urls["api"]["private"] = url.replace("ws://", "http://").replace("/v2", "")
    kraken.urls["api"]["public"] = kraken.urls["api"]["private"]
    kraken.set_markets([{"id": "XXBTZUSD", "symbol": "BTC/USD", "base": "BTC", "quote": "USD",
                         "baseId": "XXBT", "quoteId": "ZUSD", "type": "spot", "spot": True,
                         "wsId": "BTC/USD", "precision": {}, "limits": {}, "info": {}}])
    kraken.options["tradesLimit"] = 1000000
    while left > 0:
        for trade in await kraken.watch_my_trades():
            print(json.dumps(trade), flush=True)
            left -= 1
    await kraken.close()
asyncio.run(main())
"""


SDK = """
import asyncio, json, sys, warnings
warnings.simplefilter("ignore")
from kraken.spot import SpotWSClient
async def main():
    url, left, enough = sys.argv[1], int(sys.argv[2]), asyncio.Event()
    async def keep(message):
        nonlocal left
        if message.get("channel") == "executions":
            print(json.dumps(message), flush=True)
            left -= 1
            if left < 0:
                enough.set()
    client = SpotWSClient(key="k", secret="c2VjcmV0", callback=keep, no_public=True,
                          rest_url=url.replace("ws://", "http://").removesuffix("/v2"),
                          auth_ws_url=url.removesuffix("/v2"))
    await client.start()
    await client.subscribe(params={"channel": "executions"})
    await enough.wait()
    import os; os._exit(0)
asyncio.run(main())
"""
FLOOR = """
import socket, sys
host, port = sys.argv[1].removeprefix("ws://").removesuffix("/v2").split(":")
left = int(sys.argv[2])
with socket.create_connection((host, int(port))) as connection:
    connection.sendall(b"GET / HTTP/1.1\\r\\nSec-WebSocket-Key: x\\r\\n\\r\\n")
    connection.recv(4096)
    connection.sendall(b"{}")
    seen, rest, mark = 0, b"", b'"sequence":'
    while seen <= left:
        read = rest + connection.recv(1 << 16)
        seen += read.count(mark)
        rest = read[1 - len(mark):]
"""
PEERS = {"ccxt": ("ccxt (Python), watch_my_trades", CCXT), "kraken": ("python-kraken-sdk", SDK)}
"""By their packages."""
CLI = "KRAKEN_CLI"
"""Names the command line of another program, with {url} and {count} where they belong."""


def clients(url: str, count: int) -> Iterator[tuple[str, list[str]]]:
    """Every client that is here, and its command; the first is ours."""
    python, amount = sys.executable, str(count)
    watch = [python, "-m", "privstream", "watch", "kraken", "trades"]
    yield "privstream, trades", [*watch, "--count", amount]
    yield "privstream, orders and trades", [*watch, "orders", "--count", str(2 * count)]
    yield "read and forget (the floor)", [python, "-c", FLOOR, url, amount]
    yield "websocket-client, json, print", [python, "-c", WEBSOCKET_CLIENT, url, amount]
    for package, (name, script) in PEERS.items():
        if find_spec(package):
            yield name, [python, "-c", script, url, amount]
    if CLI in os.environ:
        yield "kraken-cli", shlex.split(os.environ[CLI].format(url=url, count=count))


def left_out() -> Iterator[str]:
    """Why a peer is not in the table."""
    for package, (name, _) in PEERS.items():
        if not find_spec(package):
            yield f"{name} is left out: the extra `peers` is not installed"
    if CLI not in os.environ:
        yield f"kraken-cli is left out: {CLI} names no program"


def measure(count: int, times: int) -> Iterator[tuple[str, Measured]]:
    """Every client with what it used for so many frames, without what its start takes."""
    with blaster(count) as port, environment(port) as environ:
        url, few = f"ws://127.0.0.1:{port}/v2", count // 20
        starts = dict(clients(url, few))
        for name, command in clients(url, count):
            start, all_of_it = (medians(one, environ, times) for one in (starts[name], command))
            cpu = (all_of_it.cpu - start.cpu) * count / (count - few)
            yield name, replace(all_of_it, cpu=cpu)


def main(count: int, times: int) -> None:
    """Print a table; the ratio is to privstream."""
    ours = 0.0
    print(*left_out(), f"{count} frames, medians of {times}\n", sep="\n")
    print(f"{'client':34}{'CPU us/frame':>13}{'ratio':>8}{'peak MB':>9}")
    for name, measured in measure(count, times):
        each = measured.cpu / count * 1e6
        ours = ours or each
        print(f"{name:34}{each:13.1f}{each / ours:8.2f}{measured.kilobytes / 1024:9.0f}")


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    main(numbers[0] if numbers else 100_000, numbers[1] if len(numbers) > 1 else 3)
