"""The benchmarks run and print their tables; no test looks at a time."""

from pathlib import Path

import pytest

from tests.benchmarks import __main__ as benchmarks
from tests.benchmarks import layers, mutate, once, reconnect
from tests.benchmarks.wires import WIRES


@pytest.mark.parametrize("name", WIRES)
@pytest.mark.parametrize("channels", layers.CHANNELS.values(), ids="+".join)
def test_each_step_of_a_wire_is_news(name: str, channels: tuple[str, ...]) -> None:
    marks: list[int] = []
    events = layers.run_layers(WIRES[name], channels, 3, lambda: marks.append(0))
    assert events == 3 * len(channels)
    assert len(marks) == len(layers.LAYERS) + 1


def test_every_wire_has_its_row() -> None:
    rows = dict(benchmarks.wire_rows(benchmarks.QUICK))
    assert len(rows) == len(WIRES)
    assert all(value.endswith(" us") for value in rows.values())


def test_a_list_and_a_history_are_told_whole_by_the_benchmarks_of_them() -> None:
    assert once.snapshot(30) > 0
    assert once.read_back(120) > 0


def test_damaged_frames_let_nothing_escape() -> None:
    figures = mutate.mutate(800, 1, ["zerocap"])
    assert figures.damaged == 800
    assert figures.events > 200
    assert figures.failures == {}


def test_reconnects_leave_no_thread_and_no_descriptor_behind(tmp_path: Path) -> None:
    samples = reconnect.reconnect(25, "bitfinex", tmp_path)
    assert len(samples) == reconnect.SAMPLES
    assert reconnect.grown(samples) == []
    leak = [one._replace(descriptors=14 + n, threads=3 + n) for n, one in enumerate(samples)]
    assert len(reconnect.grown(leak)) == 2
