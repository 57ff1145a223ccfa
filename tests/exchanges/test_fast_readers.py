"""Fast readers read to the letter what the general readers would, and are taken for what comes most."""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from random import Random

import pytest

from tests.benchmarks.mutate import DAMAGES, life
from tests.corpus import frames, needs_corpus
from tests.fast_and_general import PROTOCOLS, Pair
from tests.odd_frames import OddFrames

PAYLOADS = Path(__file__).parents[1] / "payloads"
SECONDS = 12.0
"""Of a simulated life."""
DAMAGED = 0.4
"""The share of frames that are damaged here; a million in `tests.benchmarks.fast_readers`."""
SHAPES = 16
"""Kinds of frames that have odd values here; all, with all values, in that benchmark."""
every_protocol = pytest.mark.parametrize(("name", "options"), PROTOCOLS)


@lru_cache(maxsize=len(PROTOCOLS))
def _told(name: str, protocol: str | None) -> list[bytes]:
    options = {} if protocol is None else {"protocol": protocol}
    return [frame for frame in life(name, options, 3, SECONDS) if frame]


def lived(name: str, options: Mapping[str, str]) -> list[bytes]:
    return _told(name, options.get("protocol"))


@every_protocol
def test_a_life_is_read_alike_and_nearly_all_of_it_fast(
    name: str, options: Mapping[str, str]
) -> None:
    pair = Pair(name, options)
    for frame in lived(name, options):
        pair.receive(frame)
    pair.compare_states()
    assert pair.reports > 20
    assert pair.taken > 0.7 * pair.read, f"{pair.taken} of {pair.read}"


def test_orders_of_poloniex_without_a_fill_are_read_fast_too() -> None:
    pair = Pair("poloniex", {})
    told = lived("poloniex", {})
    new = [one for one in told if b'"place"' in one and one.count(b'"orderId"') == 1]
    for frame in new:
        pair.receive(frame)
    assert pair.taken == len(new)


@every_protocol
def test_one_odd_value_is_read_alike(name: str, options: Mapping[str, str]) -> None:
    pair = Pair(name, options, tells=False)
    for frame in OddFrames(lived(name, options), Random(7), shapes=SHAPES, values=1):
        pair.receive(frame)
    pair.compare_states()
    assert pair.read > 200
    assert pair.taken > 0.05 * pair.read


@every_protocol
def test_damaged_frames_are_read_alike(name: str, options: Mapping[str, str]) -> None:
    random, pair = Random(7), Pair(name, options)
    for text in lived(name, options):
        pair.receive(random.choice(DAMAGES)(random, text) if random.random() < DAMAGED else text)
    pair.compare_states()
    assert pair.taken > 0


@needs_corpus
@every_protocol
def test_real_frames_are_read_alike(name: str, options: Mapping[str, str]) -> None:
    pair, read = Pair(name, options), 0
    for kind, frame in frames(name):
        if not kind.startswith("rest_"):
            pair.receive(frame)
            read += 1
    pair.compare_states()
    assert read > 5


@every_protocol
def test_own_payloads_are_read_alike(name: str, options: Mapping[str, str]) -> None:
    pair = Pair(name, options)
    for path in sorted((PAYLOADS / name).glob("*.json*")):
        text = path.read_bytes()
        held = [json.loads(text)] if path.suffix == ".json" else []
        texts = [json.dumps(one).encode() for one in held] or text.splitlines()
        for frame in filter(None, texts):
            pair.receive(frame)
    pair.compare_states()
