"""What every process of the suite does once.

The one rule: it saves work that was done before, and changes no outcome.
"""

import gc
import sys
from collections.abc import Iterator
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

from privstream.delivery.signals import Signals
from tests import shared_past

pytest_plugins = ["tests.workers"]

# Compiling the tests, with their assertions rewritten, takes longer than collecting them.
sys.dont_write_bytecode = False
# What is collected stays to the end: the garbage collector need not look at it, now or later.
gc.disable()

# The same few examples in every run; `--hypothesis-profile=long` tries many that are new.
_steady = settings(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("suite", _steady, derandomize=True, max_examples=40)
settings.register_profile("long", _steady, max_examples=1000)
settings.load_profile("suite")
# Else constants of all modules that happen to be loaded are tried too, and all of them parsed.
providers._get_local_constants = lambda: providers._local_constants


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _late_commands_end_no_worker() -> Iterator[None]:
    """A command that is late with its end leaves by `os._exit`, which here would end all tests."""

    def stay(self: Signals) -> None:
        self._deadline = float("inf")

    with mock.patch.object(Signals, "_leave", stay):
        yield


@pytest.fixture(scope="session", autouse=True)
def _shared_pasts() -> Iterator[None]:
    with shared_past.shared():
        yield


@pytest.fixture
def own_past() -> Iterator[None]:
    """Every simulated life makes up its own past: for tests of how that is done."""
    with shared_past.not_shared():
        yield
