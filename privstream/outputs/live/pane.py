"""What a pane is, and what its rows have in common. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from privstream.model.events import Event, Order, Position, Price, Trade
from privstream.outputs.layout import Span
from privstream.outputs.live.choices import Name
from privstream.outputs.live.looks import Look, name
from privstream.outputs.live.picture import LINGER, Kept, Picture
from privstream.outputs.live.table import NOTHING, Cell, Column

_SIDES = {"buy": "buy", "long": "buy", "sell": "sell", "short": "sell"}
T = TypeVar("T")
ACCOUNT = Column("account")


class Row(NamedTuple):
    """One entry of a pane."""

    cells: tuple[Cell, ...]
    style: str = ""


@dataclass(frozen=True)
class Pane(Generic[T]):
    """A table of one kind of things."""

    name: Name
    title: str
    channel: str
    columns: tuple[Column, ...]
    entries: Callable[[Picture], Sequence[T]]
    row: Callable[[T, Picture, Look], Row]
    words: Callable[[T], tuple[str | None, ...]]
    """What a filter looks at."""


def names_of(event: Order | Trade | Position | Price) -> tuple[str | None, ...]:
    return event.account, event.symbol, event.exchange_symbol


def account_of(event: Event, look: Look) -> Cell:
    return name(event.account, "account") if look.many else NOTHING


def side_of(side: str | None) -> Cell:
    return (Span("-", "dim"),) if side is None else (Span(side, _SIDES.get(side, "dim")),)


def symbol_of(event: Order | Trade | Position | Price) -> Cell:
    return name(event.symbol or event.exchange_symbol or "-", "subject")


def style_of(kept: Kept[Any], picture: Picture, look: Look) -> str:
    """Set off for a moment where it changed; faded where it may not stand like that any more."""
    if kept.changed is not None and look.monotonic - kept.changed < LINGER:
        return "changed"
    health = picture.health.get(kept.event.account)
    return "" if health is None or health.is_up else "faded"


def matches(entry: T, pane: Pane[T], wanted: str) -> bool:
    """Whether a filter lets it through."""
    return any(wanted in text.lower() for text in pane.words(entry) if text)


def is_younger(moment: str, seconds: float, look: Look) -> bool:
    since = look.seconds_since(moment)
    return since is not None and since <= seconds
