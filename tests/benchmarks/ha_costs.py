"""What publishing fenced batches costs, beside a bare client; a part of `tests.benchmarks.ha`."""

import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from importlib import import_module

from privstream.delivery.ha.engine import Engine
from privstream.delivery.ha.ports import Message
from tests.benchmarks.nats_cluster import Cluster

BODY = b"x" * 561
COUNT = 20_000


async def costs(cluster: Cluster) -> dict[str, tuple[float, float]]:
    """Messages a second and CPU microseconds of a message, by way."""
    engine = cluster.engine()
    await engine.prepare()
    found = {}
    ways: dict[str, tuple[Callable[[Cluster, Engine, int], Awaitable[None]], int]] = {
        "fenced batches of 480": (partial(_fenced, size=480), COUNT),
        "fenced, one by one": (partial(_fenced, size=1), COUNT // 20),
        "bare, one by one": (_bare, COUNT // 20),
    }
    for name, (work, count) in ways.items():
        begun, cpu = time.perf_counter(), time.process_time()
        await work(cluster, engine, count)
        seconds = time.perf_counter() - begun
        found[name] = count / seconds, (time.process_time() - cpu) / count * 1e6
    await engine.close()
    return found


async def _fenced(_cluster: Cluster, engine: Engine, count: int, *, size: int) -> None:
    """Each batch with its word: 350 bytes of notes an event."""
    subject, last = f"privstream.kraken.cost-{size}", 0
    batch = [Message(f"{subject}.trade", BODY)] * size
    batch.append(Message(f"{subject}.word", b"x" * 350 * size))
    for _ in range(count // size):
        last = await engine.publish(batch, f"{subject}.>", last)


async def _bare(cluster: Cluster, _engine: Engine, count: int) -> None:
    client = await import_module("nats").connect(cluster.servers)
    try:
        stream = client.jetstream()
        for _ in range(count):
            await stream.publish("privstream.kraken.bare.trade", BODY)
    finally:
        await client.close()


def print_costs(found: Mapping[str, tuple[float, float]]) -> None:
    for name, (rate, cpu) in found.items():
        print(f"{name}: {rate:,.0f} events/s, {cpu:.0f} us of CPU each")
