"""Holds a report against its own type: what an exchange sends may be of any shape.

The one rule: what names a fact decides whether it can be told; anything else of it that
is of a wrong type or sign becomes null, and a notice says so. Struct constructors do not
look at what they are given: checked here once for all exchanges, in under a microsecond,
a number where a text belongs never gets printed. Pure.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import UnionType
from typing import (
    Annotated,
    Any,
    NamedTuple,
    TypedDict,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec

from privstream.model.exact import Number
from privstream.model.reports import (
    AnyReport,
    BalanceReport,
    Fill,
    NoticeReport,
    OrderFields,
    OrderReport,
    PositionReport,
    PriceReport,
    Report,
)

Text = Annotated[str, msgspec.Meta(min_length=1)]
"""What is unknown is `None`, never an empty text."""

AMOUNTS: Mapping[type[Report], tuple[str, ...]] = {
    Fill: ("price", "quantity", "cost"),
    PositionReport: ("quantity", "entry_price", "leverage"),
}
ORDER_AMOUNTS = frozenset(
    {
        "price",
        "stop_price",
        "quantity",
        "quote_quantity",
        "filled",
        "remaining",
        "average_price",
        "cost",
    }
)
IDENTITY: Mapping[type[Report], frozenset[str]] = {
    OrderReport: frozenset({"order_id"}),
    Fill: frozenset({"trade_id", "key", "side"}),
    BalanceReport: frozenset({"currency", "wallet", "key"}),
    PositionReport: frozenset(),
    PriceReport: frozenset({"bids", "asks"}),
    NoticeReport: frozenset({"text"}),
}
"""What names a fact: without it there is none."""
NAMES: Mapping[type[Report], str] = {
    OrderReport: "order",
    Fill: "trade",
    BalanceReport: "balance",
    PositionReport: "position",
    PriceReport: "price",
    NoticeReport: "notice",
}
FIRST_YEAR = "2009"
"""No exchange is older: seconds where milliseconds belong are of 1970, and would be history."""
INSTEAD: Mapping[str, Any] = {"status": "unknown", "level": "warning", "estimated": ()}
"""What stands for an unreadable value that is never null."""


class Wrong(NamedTuple):
    """A value that cannot be told."""

    key: str
    why: str


def mended(report: AnyReport) -> tuple[AnyReport, list[NoticeReport]]:
    """The report as it can be told, and notices of what of it cannot be."""
    report = _without_blanks(report)
    wrong = list(_wrong(report))
    for key, why in wrong:
        if key in IDENTITY[type(report)]:
            return _unrecognised(report, f"cannot read this element: {key} {why}"), []
    kind = NAMES[type(report)]
    return _without(report, {one.key for one in wrong}), [
        _unrecognised(
            report,
            f"cannot read {key} of this {kind}, told as {INSTEAD.get(key) or 'null'}: it {why}",
            once=f"{kind}:{key}",
        )
        for key, why in wrong
    ]


# --- the usual case ------------------------------------------------------------------------


def is_sound(report: AnyReport) -> bool:
    """All of it can be told."""
    kind = type(report)
    try:
        msgspec.convert(report, _shape(kind), from_attributes=True)
    except msgspec.ValidationError:
        return False
    if report.time is not None and report.time < FIRST_YEAR:
        return False
    if isinstance(report, OrderReport):
        return _is_sound_order(report)
    # Fills are many: of theirs only the texts that the exchange may have written itself.
    texts: tuple[Any, ...] = (
        _texts_of_fill(report) if isinstance(report, Fill) else msgspec.structs.astuple(report)[:-1]
    )
    if Number in map(type, texts):
        return False
    return not any(amount is not None and amount[0] == "-" for amount in _unsigned(report))


def _is_sound_order(report: OrderReport) -> bool:
    if type(report.order_id) is Number:
        return False
    for key, value in report.fields.items():
        if type(value) is Number or (value and value[0] == "-" and key in ORDER_AMOUNTS):  # type: ignore[index]  # its type was checked
            return False
    return True


def _texts_of_fill(report: Fill) -> tuple[str | None, ...]:
    return (
        report.trade_id,
        report.order_id,
        report.client_order_id,
        report.key,
        report.exchange_symbol,
        report.fee_currency,
        report.order_type,
    )


@lru_cache(maxsize=32)
def _shape(kind: type[Report]) -> type[msgspec.Struct]:
    """A type with the same fields: a struct is only looked into when it is of another type."""
    fields: Any = [(name, of) for name, of in _types(kind).items() if name != "fields"]
    if kind is OrderReport:
        shape = TypedDict("OrderFieldsShape", _field_types(), total=False)  # type: ignore[misc]  # made here
        fields.append(("fields", shape))
    return msgspec.defstruct(f"{kind.__name__}Shape", fields, gc=False)


@lru_cache(maxsize=32)
def _types(kind: type[Report]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {
        name: _texts_filled(hints[name]) for name in kind.__struct_fields__ if name != "element"
    }


@lru_cache(maxsize=1)
def _field_types() -> dict[str, Any]:
    return {key: _texts_filled(of) for key, of in get_type_hints(OrderFields).items()}


def _texts_filled(hint: Any) -> Any:
    """The same type, whose texts hold something."""
    if hint is str:
        return Text
    if get_origin(hint) in {Union, UnionType}:
        return Union[tuple(map(_texts_filled, get_args(hint)))]  # noqa: UP007 - of a tuple
    return hint


def _unsigned(report: Report) -> tuple[Any, ...]:
    """The side says buy or sell, long or short: these amounts have no sign of their own."""
    if isinstance(report, Fill):
        return report.price, report.quantity, report.cost
    if isinstance(report, PositionReport):
        return report.quantity, report.entry_price, report.leverage
    return ()


# --- what is wrong, and without it ---------------------------------------------------------


def _without_blanks(report: AnyReport) -> AnyReport:
    """The same report with its empty texts unknown, as an exchange may mean by them."""
    blank: dict[str, Any] = {name: None for name, value, _ in _values(report) if _is_blank(value)}
    if isinstance(report, OrderReport):
        fields = {k: None if _is_blank(v) else v for k, v in report.fields.items()}
        return msgspec.structs.replace(report, fields=fields)
    return msgspec.structs.replace(report, **blank)


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and not value


def _values(report: Report) -> Iterator[tuple[str, Any, Any]]:
    """Every value with its name and type; of an order those of its fields."""
    for name, of in _types(type(report)).items():
        if name != "fields":
            yield name, getattr(report, name), of
    if isinstance(report, OrderReport):
        types = _field_types()
        for key, value in report.fields.items():
            yield key, value, types[key]


def _wrong(report: Report) -> Iterator[Wrong]:
    unsigned = AMOUNTS.get(type(report), ORDER_AMOUNTS)
    for key, value, of in _values(report):
        if (why := _problem(value, of)) is not None:
            yield Wrong(key, why)
        elif key in unsigned and isinstance(value, str) and value.startswith("-"):
            yield Wrong(key, "is below zero")
        elif key == "time" and value is not None and value < FIRST_YEAR:
            yield Wrong(key, "is no time of these years")


def _problem(value: object, of: Any) -> str | None:
    if isinstance(value, Number):
        return "is a number, not text"
    try:
        msgspec.convert(value, of)
    except msgspec.ValidationError:
        if value is None or value == "":
            return "is missing"
        if isinstance(value, str):
            return "is a word that is not known"
        return f"is {JSON_NAMES.get(type(value), 'of a wrong type')}, not text"
    return None


JSON_NAMES = {int: "a number", bool: "true or false", list: "a list", dict: "an object"}


def _without(report: AnyReport, wrong: set[str]) -> AnyReport:
    """The report without these values."""
    if not isinstance(report, OrderReport):
        return msgspec.structs.replace(report, **{key: INSTEAD.get(key) for key in wrong})
    fields: Any = {
        key: INSTEAD.get(key) if key in wrong else value for key, value in report.fields.items()
    }
    around = {key: None for key in wrong if key not in fields}
    return msgspec.structs.replace(report, fields=fields, **around)


def _unrecognised(report: AnyReport, text: str, once: str | None = None) -> NoticeReport:
    return NoticeReport(
        level="warning",
        code="unrecognised",
        text=text,
        once=once,
        time=report.time if isinstance(report.time, str) else None,
        sequence=report.sequence if type(report.sequence) is int else None,
        element=report.element,
    )
