"""Pages of a list: which rows one holds, and in which direction the next one lies."""

from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

from msgspec import Struct

from privstream.simulator.poloniex.arguments import Fields, first_id, one_of, page_limit

Row = TypeVar("Row")


class Paging(Struct, frozen=True):
    """What the documents leave open: which direction is back in time, and whose id a trade has."""

    older: Literal["NEXT", "PRE"] = "NEXT"
    inclusive: bool = True
    trade_ids: Literal["socket", "page"] = "socket"


def page_of(
    paging: Paging,
    fields: Fields,
    rows: Sequence[Row],
    name: Callable[[Row], int],
    largest: int,
) -> Sequence[Row]:
    """Of rows that are newest first, those that begin at `from`."""
    limit, start = page_limit(fields, largest), first_id(fields)
    one_of(fields, "direction", {"PRE", "NEXT"})
    if not start:
        return rows[:limit]
    begins = [row for row in rows if paging.inclusive or name(row) != start]
    if fields.get("direction", paging.older) == paging.older:
        return [row for row in begins if name(row) <= start][:limit]
    return [row for row in begins if name(row) >= start][-limit:]
