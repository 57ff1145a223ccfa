"""Long lives without a single fault, audited often: an audit that finds something there is wrong.

The one rule: time is fake and nothing goes wrong, so every `drift` is a false one.

    python -m tests.benchmarks.quiet [--seeds 10] [--minutes 10] [--rates 0.5 2 8]
                                     [--audit 30] [EXCHANGE]...
"""

import argparse
import sys
from collections import Counter

from privstream import exchanges
from privstream.model.events import Gap, Notice
from tests.joined import World


def quiet(name: str, *, seed: int, minutes: float, rate: float, audit: float) -> Counter[str]:
    """One life; returns how often each gap and notice was told in it, and the events."""
    run = World(name, seed=seed, rate=rate, audit_every=audit, limits=False)
    run.watch(minutes * 60)
    told = Counter(f"gap {gap.cause}" for gap in run.told(Gap))
    told.update(f"notice {one.code}" for one in run.told(Notice) if one.level == "warning")
    told["events"] = len(run.events)
    return told


def main() -> int:
    """Print what was told of each exchange; 1 where anything was but events."""
    parser = argparse.ArgumentParser(prog="quiet")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rates", type=float, nargs="+", default=[0.5, 2.0, 8.0])
    parser.add_argument("--audit", type=float, default=30.0)
    parser.add_argument("names", nargs="*", metavar="EXCHANGE")
    asked = parser.parse_args()
    drifts = 0
    for name in asked.names or exchanges.names():
        for rate in asked.rates:
            told: Counter[str] = Counter()
            for seed in range(1, asked.seeds + 1):
                told += quiet(name, seed=seed, minutes=asked.minutes, rate=rate, audit=asked.audit)
            drifts += told["gap drift"]
            print(f"{name} at {rate:g}/s, {asked.seeds} seeds: {dict(told)}", flush=True)
    print(f"false drifts: {drifts}")
    return 1 if drifts else 0


if __name__ == "__main__":
    sys.exit(main())
