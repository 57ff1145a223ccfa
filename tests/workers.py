"""How the processes that share the suite spare each other work; alone, pytest is as ever.

The one rule: which tests run, in which order, and what is said of them stays the same.
"""

from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

WHOLE = Path(__file__).parent


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Begin with another file than the other workers.

    Side by side, each of them would compile every file of a fresh clone; so each compiles a part,
    and finds the rest compiled.
    """
    config = session.config
    if _is_worker(config) and [Path(name).resolve() for name in config.args] == [WHOLE]:
        worker = config.workerinput  # type: ignore[attr-defined]  # of pytest-xdist
        number, count = int(worker["workerid"].removeprefix("gw")), worker["workercount"]
        files = [str(path) for path in sorted(WHOLE.rglob("test_*.py"))]
        first = len(files) * number // count
        config.args[:] = files[first:] + files[:first]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let the order be the same in all of them."""
    if _is_worker(config):
        items.sort(key=lambda item: item.path)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Say one thing of a test, its outcome.

    Five would come over the wire, and take longer than most tests: its start and its end, and
    that what it needs was made, and unmade, without a fault.
    """
    if not _is_worker(item.config) or item.config.getoption("durations"):
        return None
    for report in runtestprotocol(item, log=False, nextitem=nextitem):
        if report.when == "call" or not report.passed:
            item.ihook.pytest_runtest_logreport(report=report)
    return True
