"""CPU microseconds from the socket to a JSON line, and memory, beside peers in the same run.

python -m tests.benchmarks.receive [COUNT] [TIMES]
"""

import sys
from importlib.util import find_spec

from tests.benchmarks.measure import blaster, environment, medians

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


def main(count: int, times: int) -> None:
    """Print a table; the ratio is to privstream."""
    with blaster(count) as port, environment(port) as environ:
        url = f"ws://127.0.0.1:{port}/v2"
        watch = [sys.executable, "-m", "privstream", "watch", "kraken", "trades"]
        clients = {
            "privstream, trades": [*watch, "--count", str(count)],
            "privstream, orders and trades": [*watch, "orders", "--count", str(2 * count)],
            "websocket-client, json, print": [
                sys.executable,
                "-c",
                WEBSOCKET_CLIENT,
                url,
                str(count),
            ],
        }
        if find_spec("ccxt"):
            clients["ccxt (Python), watch_my_trades"] = [
                sys.executable,
                "-c",
                CCXT,
                url,
                str(count),
            ]
        else:
            print("ccxt is left out: the extra `peers` is not installed")
        ours = 0.0
        print(f"{count} frames, medians of {times}\n")
        print(f"{'client':34}{'CPU us/frame':>13}{'ratio':>8}{'peak MB':>9}")
        for name, command in clients.items():
            measured = medians(command, environ, times)
            each = measured.cpu / count * 1e6
            ours = ours or each
            print(f"{name:34}{each:13.1f}{each / ours:8.2f}{measured.kilobytes / 1024:9.0f}")


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    main(numbers[0] if numbers else 100_000, numbers[1] if len(numbers) > 1 else 3)
