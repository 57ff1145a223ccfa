"""The numbers of a service, as Prometheus reads them.

The one rule: nothing is counted for it alone. What the service counts anyway is read when somebody
asks, and no label holds anything that the exchange or an order is known by.

https://prometheus.io/docs/practices/naming/ (2026-12-01)
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import TypeAlias

from msgspec import Struct
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from privstream import __version__
from privstream.app.service_health import DELAYS, AccountHealth, Health
from privstream.app.service_sinks import Served
from privstream.model.times import to_nanos

KIND = "text/plain; version=0.0.4; charset=utf-8"
Family: TypeAlias = CounterMetricFamily | GaugeMetricFamily


class Lease(Struct, frozen=True):
    """How this host stands to an account that several could stream."""

    account: str
    held: bool
    epoch: int
    takeovers: int


class Metrics(Collector):
    """Reads a service's numbers."""

    def __init__(
        self,
        health: Health,
        served: Callable[[], Sequence[Served]],
        last_heard: Callable[[str], float | None],
        leases: Callable[[], Sequence[Lease]] | None = None,
        files: Callable[[], Mapping[str, int]] = dict,
    ) -> None:
        """`files`: how many events are in each."""
        self._files = files
        self._health = health
        self._served = served
        self._last_heard = last_heard
        self._leases = leases
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def text(self) -> bytes:
        """All of it, in the exposition format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("privstream_build", "What runs.", value={"version": __version__})
        accounts = sorted(self._health.accounts.copy().items())
        yield from self._of_accounts(accounts)
        yield _delays([health for _, health in accounts])
        yield from _of_sinks(self._served(), self._files())
        if self._leases is not None:
            yield from _of_leases(self._leases())

    def _of_accounts(self, accounts: Sequence[tuple[str, AccountHealth]]) -> Iterator[Metric]:
        live = _gauge("account_live", "Whether the connection stands.", "account")
        heard = _gauge("last_frame_timestamp_seconds", "When anything came last.", "account")
        events = _counter("events", "What was told.", "account", "type")
        reconnects = _counter("reconnects", "Connections that were lost.", "account", "cause")
        gaps = _counter("gaps", "Interruptions, read back or not.", "account", "complete")
        drift = _counter("drift", "Comparisons with REST that found something.", "account")
        behind = time.time() - self._health.monotonic()
        for name, health in accounts:
            live.add_metric([name], health.is_live)
            if (moment := self._last_heard(name)) is not None:
                heard.add_metric([name], behind + moment)
            _add(events, name, health.events.items())
            _add(reconnects, name, health.reconnects.copy().items())
            _add(gaps, name, zip(("false", "true"), health.gaps, strict=True))
            drift.add_metric([name], health.drifts)
        yield from (live, heard, events, reconnects, gaps, drift)


def _gauge(name: str, what: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"privstream_{name}", what, labels=labels)


def _counter(name: str, what: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"privstream_{name}", what, labels=labels)


def _add(family: Family, name: str, values: Iterable[tuple[str, int]]) -> None:
    for label, value in values:
        family.add_metric([name, label], value)


def _delays(accounts: Sequence[AccountHealth]) -> Metric:
    what = "From the exchange's time of an event to when it was received."
    found = HistogramMetricFamily("privstream_event_delay_seconds", what)
    counts = [sum(of_class) for of_class in zip(*(one.delays for one in accounts), strict=True)]
    bounds = [*map(str, DELAYS), "+Inf"]
    sums = accumulate(counts or [0] * len(bounds))
    found.add_metric(
        [], list(zip(bounds, sums, strict=True)), sum(one.delay_sum for one in accounts)
    )
    return found


def _of_sinks(served: Sequence[Served], files: Mapping[str, int]) -> Iterator[Metric]:
    up = _gauge("sink_up", "Whether it takes events.", "sink")
    sent = _counter("sink_sent_events", "Events that it took.", "sink")
    errors = _counter("sink_errors", "Deliveries that failed.", "sink", "kind")
    dead = _counter("sink_dead_letters", "Events that it refused for good.", "sink")
    left_out = _counter("sink_discarded_events", "Events left out: its buffer was full.", "sink")
    events = _gauge("buffer_events", "Events that wait for it.", "sink")
    size = _gauge("buffer_bytes", "Bytes that wait for it.", "sink")
    oldest = _gauge("buffer_oldest_timestamp_seconds", "When the first of them came.", "sink")
    for one in served:
        name, health, buffer = one.courier.name, one.courier.health, one.buffer
        up.add_metric([name], health.is_up)
        sent.add_metric([name], health.sent)
        _add(
            errors, name, (("passing", health.errors - health.settled), ("settled", health.settled))
        )
        dead.add_metric([name], health.dead)
        left_out.add_metric([name], buffer.dropped)
        events.add_metric([name], max(0, buffer.events))
        size.add_metric([name], max(0, buffer.size))
        if health.oldest is not None:
            oldest.add_metric([name], to_nanos(health.oldest) / 1e9)
    for name, written in files.items():
        up.add_metric([name], 1)
        sent.add_metric([name], written)
    yield from (up, sent, errors, dead, left_out, events, size, oldest)


def _of_leases(leases: Sequence[Lease]) -> Iterator[Metric]:
    held = _gauge("lease_held", "Whether this host streams it.", "account")
    epoch = _gauge("lease_epoch", "How often it has changed hands.", "account")
    takeovers = _counter("takeovers", "How often this host took it over.", "account")
    for one in leases:
        held.add_metric([one.account], one.held)
        epoch.add_metric([one.account], one.epoch)
        takeovers.add_metric([one.account], one.takeovers)
    yield from (held, epoch, takeovers)
