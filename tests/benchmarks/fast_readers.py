"""Many damaged frames through each fast reader and the general one beside it: both must do the same.

python -m tests.benchmarks.fast_readers [COUNT] [SEED]
"""

import sys
import time
from collections.abc import Sequence
from random import Random

from tests.benchmarks.mutate import DAMAGED, DAMAGES, life
from tests.corpus import FOLDER, frames
from tests.fast_and_general import PROTOCOLS, Pair
from tests.odd_frames import OddFrames


def compare(pair: Pair, texts: Sequence[bytes], random: Random, count: int) -> int:
    """Tell the frames with odd values, then damaged, again and again. Raises Differs."""
    for frame in OddFrames(texts, random):
        pair.receive(frame)
    damaged = pair.read
    while damaged < count:
        for text in texts:
            frame = text
            if random.random() < DAMAGED:
                damaged += 1
                frame = random.choice(DAMAGES)(random, text)
            pair.receive(frame)
        pair.compare_states()
        pair.reconnect()
    return damaged


def main(count: int, seed: int) -> None:
    """Print what was read of each protocol; the first difference ends it."""
    print(f"{'protocol':14}{'frames':>9}{'damaged':>9}{'fast':>9}{'reports':>9}{'seconds':>9}")
    for name, options in PROTOCOLS:
        begin, random = time.monotonic(), Random(seed)
        texts = [text for text in life(name, options, seed) if text]
        if FOLDER.is_dir():
            texts += [text for kind, text in frames(name) if not kind.startswith("rest_")]
        pair = Pair(name, options, tells=False)
        damaged = compare(pair, texts, random, count // len(PROTOCOLS))
        seconds = time.monotonic() - begin
        row = f"{pair.read:9}{damaged:9}{pair.taken:9}{pair.reports:9}{seconds:9.0f}"
        print(f"{pair.name:14}{row}", flush=True)


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    main(numbers[0] if numbers else 1_000_000, numbers[1] if len(numbers) > 1 else 1)
