"""Random faults, about so often; the same seed gives the same faults at the same times."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random

from privstream.simulator.faults.grammar import FOREVER, Fault, Kind, When

CODES = (1000, 1001, 1011, 1012, 1013)  # after none of these a client may give up
STATUSES = (429, 500, 502, 503, 504)
REFUSALS_APART = 60.0  # seconds
DRAWS: Mapping[Kind, Callable[[Random], Mapping[str, object]]] = {
    "drop": lambda random: {"word": random.choice(("", "half"))},
    "reset": lambda random: {"word": random.choice(("", "half"))},
    "stall": lambda random: {"seconds": random.choice((_tenths(random, 1, 8), FOREVER))},
    "mute": lambda random: {
        "word": random.choice(("", "all")),
        "seconds": _tenths(random, 1, 8),
    },
    "duplicate": lambda random: {
        "count": random.randint(2, 3),
        "seconds": random.choice((0.0, _tenths(random, 1, 5))),
    },
    "reorder": lambda random: {"count": random.randint(2, 5)},
    "lose": lambda random: {"count": random.choice((1, 1, 1, 2, 5))},
    "expire": lambda _random: {},
    "refuse": lambda _random: {"word": "nonce", "seconds": FOREVER},
    "maintenance": lambda random: {"seconds": _tenths(random, 2, 8)},
    "close": lambda random: {"count": random.choice(CODES)},
    "http": lambda random: {"count": random.choice(STATUSES), "seconds": _tenths(random, 1, 6)},
    "drip": lambda random: {"seconds": _tenths(random, 0, 3)},
    "huge": lambda random: {"count": random.choice((0, 0, 5_000_000, 100_000))},
    "junk": lambda random: {"count": random.randint(1, 5)},
}
CHAOS_KINDS: tuple[Kind, ...] = tuple(DRAWS)
"""Each only in forms after which a client should come back.

All but `swallow`: who only watches gets no answer that could be swallowed.
"""


def chaos(seconds: float, seed: str, kinds: Sequence[Kind] = CHAOS_KINDS) -> Iterator[Fault]:
    """Faults without an end, mostly between half and one and a half times `seconds` apart."""
    random, due, refused = Random(seed), 0.0, -REFUSALS_APART
    while True:
        due += seconds * random.uniform(0.5, 1.5)
        kind = random.choice(kinds)
        if kind == "refuse" and due - refused < REFUSALS_APART:
            continue  # whoever is refused twice in a row is right to give up
        refused = due if kind == "refuse" else refused
        drawn = DRAWS[kind](random)
        yield Fault(kind, When("after", round(due, 3)), **drawn)  # type: ignore[arg-type]  # as drawn for it


def _tenths(random: Random, least: int, most: int) -> float:
    return random.randint(10 * least + 1, 10 * most) / 10
