"""Start-up times, as multiples of `python -c pass` measured in the same run.

python -m tests.benchmarks.startup [TIMES]
"""

import sys
from collections.abc import Iterator
from statistics import median
from tempfile import TemporaryDirectory

from tests.benchmarks.measure import blaster, environment, medians, run

PYTHON = sys.executable


def measure(times: int) -> Iterator[tuple[str, float]]:
    """Milliseconds of each command; the first is the bare interpreter."""
    with blaster(1) as port, environment(port) as environ:
        program = [PYTHON, "-m", "privstream"]
        first = [*program, "watch", "kraken", "trades", "--count", "1"]
        commands = {
            "python -c pass": [PYTHON, "-c", "pass"],
            "--version": [*program, "--version"],
            "--help": [*program, "--help"],
            "watch kraken --help": [*program, "watch", "kraken", "--help"],
            "first event, cached token": first,
        }
        run(first, environ)  # which fetches the token
        for name, command in commands.items():
            yield name, medians(command, environ, times).wall * 1000
        walls = [run(first, environ | {"XDG_CACHE_HOME": cache}).wall for cache in _empty(times)]
        yield "first event, fetched token", median(walls) * 1000


def _empty(times: int) -> Iterator[str]:
    """Folders without a token."""
    for _ in range(times):
        with TemporaryDirectory() as folder:
            yield folder


def main(times: int) -> None:
    """Print a table."""
    base = 0.0
    print(f"{'command':30}{'ms':>8}{'times':>8}")
    for name, wall in measure(times):
        base = base or wall
        print(f"{name:30}{wall:8.0f}{wall / base:8.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
