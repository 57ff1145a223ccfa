"""What every process of the suite does once.

The one rule: it saves work that was done before, and changes no outcome.
"""

import gc
import sys
from collections.abc import Iterator

import pytest

from tests import shared_past

# Compiling the tests, with their assertions rewritten, takes longer than collecting them.
sys.dont_write_bytecode = False
# What is collected stays to the end: the garbage collector need not look at it, now or later.
gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _shared_pasts() -> Iterator[None]:
    with shared_past.shared():
        yield


@pytest.fixture
def own_past() -> Iterator[None]:
    """Every simulated life makes up its own past: for tests of how that is done."""
    with shared_past.not_shared():
        yield
