"""Command lines full of junk, thousands of them: none ends in a traceback or an exit code of a bug.

Run by hand: `python -m tests.benchmarks.fuzz [CALLS=20000] [SEED=1]`.
"""

import sys
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.cli.command_fuzz import Home, command_lines


def fuzz(calls: int, first: int, folder: Path) -> Home:
    """Run so many; what went wrong is noted in what is returned."""
    home = Home(folder)

    @seed(first)
    @settings(
        max_examples=calls,
        derandomize=False,  # the seed says it
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(command_lines())
    def one(words: list[str]) -> None:
        home.call(words)

    one()
    return home


def main(calls: int = 20_000, first: int = 1) -> None:
    """Print how they ended."""
    with tempfile.TemporaryDirectory(prefix="privstream-fuzz-") as folder:
        home = fuzz(calls, first, Path(folder))
    print(f"{sum(home.codes.values())} calls")
    for code, count in sorted(home.codes.items()):
        print(f"  exit {code}: {count}")
    for fault in home.faults:
        print(f"FAULT {fault}")
    sys.exit(bool(home.faults))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
