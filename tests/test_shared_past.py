"""A past that is shared is the one that would have been made up, and so is what follows."""

from random import Random
from typing import Any

import pytest

from privstream.model.rest import Now
from privstream.simulator import find
from privstream.simulator.market import Market
from tests import shared_past

T0 = 1_780_000_000_000_000_000


def at(seconds: int) -> Now:
    return Now(T0 + seconds * 10**9, float(seconds))


def plain(value: object) -> object:
    return value.getstate() if isinstance(value, Random) else value


def told(market: Market) -> dict[str, Any]:
    """Everything that the market, its life and its books know."""
    aside = {"_books", "beside", "cover", "_identify", "lives"}
    parts = (market._life, market.books, market.own)
    known = {
        (number, name): plain(value)
        for number, part in enumerate(parts)
        for name, value in vars(part).items()
        if name not in aside
    }
    return {str(name): value for name, value in known.items()} | {"chapter": market._chapter}


def market_of(exchange: str, **options: Any) -> Market:
    market: Market = find(exchange)(**{"seed": 6, "rate": 2.0, **options}).market  # type: ignore[attr-defined]  # each has one
    return market


@pytest.fixture(autouse=True)
def _no_past_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_past, "pasts", {})


@pytest.mark.parametrize(("exchange", "later"), [("bitfinex", 7), ("kraken", 0), ("kraken", 600)])
def test_a_past_that_is_shared_is_the_one_that_would_be_made_up(exchange: str, later: int) -> None:
    first, second, alone = (market_of(exchange) for _ in range(3))
    first.advance(at(0))
    first.advance(at(30))  # what it goes through next is its own
    second.advance(at(later))
    with shared_past.not_shared():
        alone.advance(at(later))
    assert second.position == alone.position > 1000
    assert told(second) == told(alone)
    second.advance(at(later + 60))
    alone.advance(at(later + 60))
    assert told(second) == told(alone)


@pytest.mark.parametrize("options", [{"seed": 5}, {"rate": 5.0}])
def test_another_seed_and_another_rate_share_nothing(options: dict[str, Any]) -> None:
    market_of("kraken").advance(at(0))
    other, alone = market_of("kraken", **options), market_of("kraken", **options)
    other.advance(at(0))
    with shared_past.not_shared():
        alone.advance(at(0))
    assert told(other) == told(alone)


def test_a_past_is_made_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    market_of("kraken").advance(at(0))
    happened = []
    monkeypatch.setattr(
        "privstream.simulator.market.life.Life.happen", lambda _: happened.append(1)
    )
    market_of("kraken").advance(at(0))
    assert not happened


def test_only_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_past, "MOST_KINDS", 2)
    for seed in range(3):
        market_of("kraken", seed=seed).advance(at(0))
    assert len(shared_past.pasts) == 2
    monkeypatch.setattr(shared_past, "MOST_MOMENTS", 2)
    for second in range(3):
        market_of("kraken", seed=2).advance(at(second))
    assert list(map(len, shared_past.pasts.values())) == [1, 2]
