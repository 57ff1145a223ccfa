"""Start-up times, as multiples of `python -c pass` measured in the same run.

python -m tests.benchmarks.startup [TIMES]
"""

import sys

from tests.benchmarks.measure import blaster, environment, medians

PYTHON = sys.executable


def main(times: int) -> None:
    """Print a table."""
    with blaster(1) as port, environment(port) as environ:
        program = [PYTHON, "-m", "privstream"]
        commands = {
            "python -c pass": [PYTHON, "-c", "pass"],
            "--version": [*program, "--version"],
            "--help": [*program, "--help"],
            "watch kraken --help": [*program, "watch", "kraken", "--help"],
            "first event, token included": [*program, "watch", "kraken", "trades", "--count", "1"],
        }
        base = 0.0
        print(f"{'command':30}{'ms':>8}{'times':>8}")
        for name, command in commands.items():
            wall = medians(command, environ, times).wall * 1000
            base = base or wall
            print(f"{name:30}{wall:8.0f}{wall / base:8.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
