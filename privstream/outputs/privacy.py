"""`--privacy`: events with amounts and ids masked, for a screen that others see too.

The one rule: what is not known to be harmless is masked. Signs, sides, symbols, states and times
stay, so that one sees what happens, not how much of it.
"""

import re
from collections.abc import Sequence

import msgspec

from privstream.model.events import (
    AnyEvent,
    Balance,
    Gap,
    Notice,
    Order,
    Position,
    Price,
    Status,
    Trade,
)
from privstream.outputs.base import Output

MASK = "•••"
_AMOUNTS_AND_IDS: dict[type[AnyEvent], tuple[str, ...]] = {
    Order: (
        *("order_id", "client_order_id", "price", "stop_price", "quantity", "quote_quantity"),
        *("filled", "remaining", "average_price", "cost", "fee"),
    ),
    Trade: ("trade_id", "order_id", "client_order_id", "price", "quantity", "cost", "fee"),
    Balance: ("total", "available", "hold", "change"),
    Position: (
        *("position_id", "quantity", "entry_price", "liquidation_price", "leverage"),
        "unrealized_pnl",
    ),
}
_AMOUNT_OR_ID = re.compile(r"\S*\d\S*|\b[A-Z0-9]{4,}(?:-[A-Z0-9]{4,})+\b")


class Masking:
    """An output that is given masked events only."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def write(self, events: Sequence[AnyEvent], /) -> None:
        self._output.write([masked(event) for event in events])

    def close(self) -> None:
        self._output.close()


def masked(event: AnyEvent) -> AnyEvent:
    """The same event as others may see it."""
    match event:
        case Order() | Trade() | Balance() | Position():
            return _without(event)
        case Price():
            hidden = ((MASK, MASK),)
            bids, asks = (hidden if side else () for side in (event.bids, event.asks))
            return msgspec.structs.replace(event, bids=bids, asks=asks)
        case Notice():
            return msgspec.structs.replace(event, text=masked_words(event.text))
        case Gap():
            return msgspec.structs.replace(event, detail=_words(event.detail))
        case Status():
            return event


def masked_amount(text: str) -> str:
    """Its sign alone stays."""
    return f"-{MASK}" if text.startswith("-") else MASK


def masked_words(text: str) -> str:
    """Free text without the words that hold a digit or look like an id."""
    return _AMOUNT_OR_ID.sub(MASK, text)


def _words(text: str | None) -> str | None:
    return None if text is None else masked_words(text)


def _without(event: Order | Trade | Balance | Position) -> AnyEvent:
    values = {name: getattr(event, name) for name in _AMOUNTS_AND_IDS[type(event)]}
    hidden: dict[str, str | None]
    hidden = {name: masked_amount(text) for name, text in values.items() if text is not None}
    if isinstance(event, Order | Balance):
        hidden["reason"] = _words(event.reason)
    return msgspec.structs.replace(event, **hidden)
