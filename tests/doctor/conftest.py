"""A machine of its own for each test, and one simulation of all exchanges for the file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from privstream.simulator import find, names
from privstream.simulator.server import Simulation
from tests.doctor.machine import KRAKEN, Machine


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def simulation() -> Iterator[Simulation]:
    """All exchanges, with keys that may only read."""
    kraken: Any = find("kraken")
    others = [name for name in names() if name != "kraken"]
    with Simulation(
        others,
        limits=False,
        exchanges={"kraken": kraken(seed=1, rate=2.0, limits=False, rights=KRAKEN)},
    ) as running:
        yield running
