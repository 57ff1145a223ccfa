"""Lets simulated accounts that begin alike share the past that was made up for the first.

The one rule: only what a life is a function of decides who shares. That it is one, the
tests of the life show without this, with the fixture `own_past`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeAlias
from unittest import mock

from privstream.simulator.market import Books, Market
from privstream.simulator.market.life import Life

MOST_KINDS, MOST_MOMENTS = 24, 3  # a past takes about 2 MB
Kind: TypeAlias = tuple[object, ...]
make_up = Market._live


@dataclass(frozen=True)
class Past:
    """A life up to a moment."""

    until_ns: int
    chapter: int | None
    life: Life
    books: dict[str, Any]


pasts: dict[Kind, list[Past]] = {}
one_at_a_time = Lock()  # a simulation on loopback has a thread of its own


@contextmanager
def shared() -> Iterator[None]:
    """Share pasts in the meantime."""
    with mock.patch.object(Market, "_live", _live):
        yield


@contextmanager
def not_shared() -> Iterator[None]:
    """Share none in the meantime."""
    with mock.patch.object(Market, "_live", make_up):
        yield


def _live(market: Market, until_ns: int) -> None:
    if market.position or market._life is None or market._life._slot:
        make_up(market, until_ns)
        return
    with one_at_a_time:
        _share(market, until_ns)


def _share(market: Market, until_ns: int) -> None:
    told = pasts.pop(kind := _kind(market), [])
    pasts[kind] = told  # the last one is the one used last
    past = max(
        (past for past in told if past.until_ns <= until_ns),
        key=lambda past: past.until_ns,
        default=None,
    )
    if past is not None:
        _take(market, past)
    make_up(market, until_ns)
    if past is None or past.until_ns < until_ns:
        told.append(_past(market, until_ns))
    del told[:-MOST_MOMENTS]
    while len(pasts) > MOST_KINDS:
        del pasts[next(iter(pasts))]


def _kind(market: Market) -> Kind:
    """All that the life depends on."""
    names = [market.books._identify(kind, 1) for kind in ("order", "trade", "entry")]
    return (
        *(market._seed, market._slot_ns, market._chapter, market.books._step_ns),
        *(market.symbols, tuple(market._opening.items()), market.books.fees),
        *names,
    )


def _past(market: Market, until_ns: int) -> Past:
    assert market._life is not None
    return Past(until_ns, market._chapter, _copy_of(market._life), _kept(market.books))


def _take(market: Market, past: Past) -> None:
    market._chapter, market._life = past.chapter, _copy_of(past.life)
    market._life._books = books = market.books
    for name, value in past.books.items():
        kept = getattr(books, name)  # in its place: the books of the user's orders hold it too
        if isinstance(kept, dict):
            kept.clear()
            kept.update(value)
        elif isinstance(kept, list):
            kept[:] = value
        else:
            setattr(books, name, value)


def _copy_of(life: Life) -> Life:
    life = copy(life)
    life._random, life._ticks = copy(life._random), dict(life._ticks)
    return life


def _kept(books: Books) -> dict[str, Any]:
    """What the books hold; the rows themselves never change."""
    return {name: copy(v) for name, v in vars(books).items() if isinstance(v, dict | list | int)}
