"""python -m tests.benchmarks.orders [RUNS]: answers lost after acceptance, by seed.

It ends with 1 where an order was placed twice, or was not told truthfully.
"""

import sys
import time

from tests.lost_answers import lose_an_answer


def main() -> int:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    began = time.monotonic()
    fates = [lose_an_answer(seed) for seed in range(runs)]
    bad = [fate for fate in fates if fate.orders != 1 or fate.problem]
    unknown = sum(fate.is_unknown for fate in fates)
    for fate in bad:
        print(fate)
    print(
        f"{runs - len(bad)} of {runs} runs: one order, and a truthful report "
        f"({unknown} times: fate unknown); "
        f"{time.monotonic() - began:.1f} s"
    )
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
