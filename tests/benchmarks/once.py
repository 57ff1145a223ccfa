"""What is done now and then, and must not take long: a large list, a long history, a replay.

The one rule: seconds of CPU of the program's own part; who waits for whom is not measured.
"""

import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qs

import msgspec

from privstream.memory.event_maker import View
from privstream.memory.ledger import Ledger
from privstream.model.reports import Known
from privstream.model.rest import Call, HttpResponse, Stamp
from privstream.outputs.jsonl import JsonLines
from tests.benchmarks.measure import ROOT, medians
from tests.benchmarks.path import ReceivePath
from tests.benchmarks.wires import KRAKEN_SNAPSHOT, NOW, START_MS, WIRES

KRAKEN = WIRES["kraken v2"]
PAGE = 50


def snapshot(orders: int) -> float:
    """Seconds of CPU until so many open orders that came in one frame are written."""
    head, _, rest = KRAKEN_SNAPSHOT.partition("[")
    row, _, tail = rest.rpartition("]")
    rows = (row.replace("OAAAAA", f"O{number:05d}") for number in range(orders))
    path = ReceivePath(KRAKEN, ("orders", "trades"))
    frame = f"{head}[{','.join(rows)}]{tail}".encode()
    begin = time.process_time()
    path.run([frame])
    spent = time.process_time() - begin
    assert path.events == orders
    return spent


def read_back(fills: int) -> float:
    """Seconds of CPU until so many fills of Kraken's history over REST are written."""
    exchange = KRAKEN.client()
    ledger = Ledger(View("kraken", "kraken", frozenset({"trades"})))
    output = JsonLines(os.open(os.devnull, os.O_WRONLY))
    pages = [_page(start, fills) for start in range(0, fills, PAGE)]
    since = START_MS * 10**6
    flow = exchange.backfill(Known(since, since + 10**12, ("trades",)))
    begin = time.process_time()
    response: HttpResponse | None = None
    told = 0
    while True:
        try:
            call = next(flow) if response is None else flow.send(response)
        except StopIteration:
            break
        events = [event for report in call.found for event in ledger.take(report, RECEIVED)]
        response = HttpResponse(200, {"content-type": "application/json"}, _answer(call, pages))
        output.write(events)
        told += len(events)
    spent = time.process_time() - begin
    assert told >= fills - PAGE, told  # the last page comes with the result
    return spent


RECEIVED = "2026-11-29T11:32:01.000000Z"


def _answer(call: Call, pages: list[bytes]) -> bytes:
    if call.name != "TradesHistory":
        return b'{"error":[],"result":{}}'
    asked = parse_qs(call.build(Stamp(NOW, 1)).body.decode())
    return pages[int(asked["ofs"][0]) // PAGE]


def _page(start: int, fills: int) -> bytes:
    rows: dict[str, Any] = {}
    for number in range(start, min(start + PAGE, fills)):
        [text] = WIRES["kraken v1"].step(number + 1)[:1]
        [[trades], *_] = msgspec.json.decode(text)
        rows |= trades
    return msgspec.json.encode({"error": [], "result": {"count": fills, "trades": rows}})


def replay(frames: int, times: int) -> float:
    """Microseconds of CPU a frame of a recording, start-up and all."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "frames"
        file.write_bytes(b"\n".join(KRAKEN.frames(frames)))
        command = [sys.executable, "-m", "privstream", "replay", str(file), "--exchange", "kraken"]
        environ = {"HOME": folder, "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
        return medians(command, environ, times).cpu / frames * 1e6
