"""python -m tests.benchmarks.harsh [FIRST] [LAST] [EXCHANGE]...: stalls and a slow REST side, in memory.

Prints a line a seed and an exchange, and what was broken; ends with 1 where anything was.
"""

import sys
from dataclasses import replace

from privstream import exchanges
from tests.benchmarks.invariants import check
from tests.harsh_world import harsh
from tests.test_soak import evidence_of

SECONDS, CALM = 300.0, 180.0


def main() -> int:
    first, last = (int(text) for text in (*sys.argv[1:3], "1", "5")[:2])
    broken = 0
    for seed in range(first, last + 1):
        for name in sys.argv[3:] or exchanges.names():
            run = harsh(name, seed, SECONDS)
            run.watch(SECONDS + CALM)
            report = check(replace(evidence_of(run), stalls=run.stalls))
            print(seed, name, dict(report.trades), dict(report.gaps))
            for violation in report.violations:
                print("  BROKEN", violation)
            broken += bool(report.violations)
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
