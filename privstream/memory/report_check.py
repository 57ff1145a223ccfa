"""Holds a report against its own type: what an exchange sends may be of any shape.

Struct constructors do not look at what they are given. Checked here once for all
exchanges, in under a microsecond, a number where a text belongs never gets printed. Pure.
"""

from collections.abc import Iterable
from functools import lru_cache
from types import UnionType
from typing import Annotated, Any, TypedDict, Union, get_args, get_origin, get_type_hints

import msgspec

from privstream.model.exact import Number
from privstream.model.reports import (
    AnyReport,
    Fill,
    OrderFields,
    OrderReport,
    PositionReport,
    Report,
)

Text = Annotated[str, msgspec.Meta(min_length=1)]
"""What is unknown is `None`, never an empty text."""

POSITION_AMOUNTS = ("quantity", "entry_price", "leverage")
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
    fields: Any = [
        (name, _texts_filled(hints[name])) for name in kind.__struct_fields__ if name != "element"
    ]
    return msgspec.defstruct(f"{kind.__name__}Shape", fields, gc=False)


def _texts_filled(hint: Any) -> Any:
    """The same type, whose texts hold something."""
    if hint is str:
        return Text
    if hint is OrderFields:
        fields = {key: _texts_filled(of) for key, of in get_type_hints(OrderFields).items()}
        return TypedDict("OrderFieldsShape", fields, total=False)  # type: ignore[operator]  # made here
    if get_origin(hint) in {Union, UnionType}:
        return Union[tuple(map(_texts_filled, get_args(hint)))]  # noqa: UP007 - of a tuple
    return hint


def without_blanks(report: AnyReport) -> AnyReport:
    """The same report with its empty texts unknown, as an exchange may mean by them."""
    blank: dict[str, Any] = {
        name: None for name in report.__struct_fields__ if getattr(report, name) == ""
    }
    if isinstance(report, OrderReport):
        blank["fields"] = {k: None if v == "" else v for k, v in report.fields.items()}
    return msgspec.structs.replace(report, **blank)


def misshapen(report: Report) -> str | None:
    """What is wrong with the report's types, or `None`."""
    try:
        msgspec.convert(report, _shape(type(report)), from_attributes=True)
    except msgspec.ValidationError as problem:
        return str(problem)
    if Number in map(type, _values(report)):  # which is a text by its type
        return "a number where a text belongs"
    return _negative(report)


def _values(report: Report) -> Iterable[Any]:
    """What is printed of it and may be what the exchange wrote; fills are many, so few of theirs."""
    match report:
        case OrderReport():
            return (report.order_id, *report.fields.values())
        case Fill():
            ids = report.trade_id, report.order_id, report.client_order_id, report.key
            return (*ids, report.exchange_symbol, report.fee_currency, report.order_type)
        case _:
            return msgspec.structs.astuple(report)[:-1]


def _negative(report: Report) -> str | None:
    """The side says buy or sell, long or short: these amounts have no sign of their own."""
    match report:
        case Fill():
            amounts: Iterable[Any] = (report.price, report.quantity, report.cost)
        case OrderReport():
            amounts = (report.fields.get(key) for key in ORDER_AMOUNTS)
        case PositionReport():
            amounts = (getattr(report, key) for key in POSITION_AMOUNTS)
        case _:
            return None
    if any(text is not None and text.startswith("-") for text in amounts):
        return "a negative amount"
    return None
