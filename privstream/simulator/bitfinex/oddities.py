"""What a frame may hold that no document speaks of, on request: such was seen, or is feared.

The one rule: what names a fact stays readable. A short position's leverage below zero (issue
497 of bitfinexcom/bitfinex-api-node); a `te` without its order; an amount, a flag or a time
that is none. Which rows are odd follows from their ids.
"""

from collections.abc import Callable
from typing import Any

from privstream.model.exact import Number
from privstream.simulator.bitfinex.words import lot

Row = list[Any]
OFTEN = 4  # one row in so many
LISTS = frozenset({"os", "ws", "ps"})
AMOUNT, LEVERAGE, FLAGS, CREATED, ORDER = 2, 9, 12, 4, 3


def odd_frame(frame: list[Any]) -> list[Any]:
    """The frame with some rows odd."""
    kind = frame[1]
    if kind in LISTS:
        return [0, kind, [_odd(kind, row) for row in frame[2]], *frame[3:]]
    return [0, kind, _odd(kind, frame[2]), *frame[3:]] if kind in _ODD else frame


def _odd(kind: str, row: Row) -> Row:
    make = _ODD.get(kind)
    return row if make is None else make(list(row))


def _position(row: Row) -> Row:
    if row[LEVERAGE] is not None and str(row[AMOUNT]).startswith("-"):
        row[LEVERAGE] = Number(f"-{row[LEVERAGE]}")
    return row


def _order(row: Row) -> Row:
    match lot(f"odd/{row[0]}", 2 * OFTEN):
        case 0:
            row[FLAGS] = "hidden"
        case 1:
            row[CREATED] = {}
    return row


def _announcement(row: Row) -> Row:
    if lot(f"odd/{row[0]}", OFTEN) == 0:
        row[ORDER] = None
    return row


_ODD: dict[str, Callable[[Row], Row]] = {
    **dict.fromkeys(("ps", "pn", "pu"), _position),
    **dict.fromkeys(("os", "on", "ou", "oc"), _order),
    "te": _announcement,
}
