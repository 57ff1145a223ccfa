"""Holds a report against its own type: what an exchange sends may be of any shape.

Struct constructors do not look at what they are given. Checked here once for all
exchanges, in under a microsecond, a number where a text belongs never gets printed. Pure.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, get_type_hints

import msgspec

from privstream.wire import Fill, OrderReport, Report

ORDER_AMOUNTS = (
    "price",
    "stop_price",
    "quantity",
    "quote_quantity",
    "filled",
    "average_price",
    "cost",
)


@lru_cache(maxsize=32)
def _shape(kind: type[Report]) -> type[msgspec.Struct]:
    """A type with the same fields: a struct is only looked into when it is of another type."""
    hints = get_type_hints(kind)
    fields: Any = [(name, hints[name]) for name in kind.__struct_fields__ if name != "element"]
    return msgspec.defstruct(f"{kind.__name__}Shape", fields, gc=False)


def misshapen(report: Report) -> str | None:
    """What is wrong with the report's types, or `None`."""
    try:
        msgspec.convert(report, _shape(type(report)), from_attributes=True)
    except msgspec.ValidationError as problem:
        return str(problem)
    return _negative(report)


def _negative(report: Report) -> str | None:
    """The side says buy or sell: no amount of an order or a fill has a sign of its own."""
    match report:
        case Fill():
            amounts: Iterable[Any] = (report.price, report.quantity, report.cost)
        case OrderReport():
            amounts = (report.fields.get(key) for key in ORDER_AMOUNTS)
        case _:
            return None
    if any(text is not None and text.startswith("-") for text in amounts):
        return "a negative amount"
    return None
