"""Holds a report against its own type: what an exchange sends may be of any shape.

The one rule: what names a fact decides whether it can be told; anything else of it that
is of a wrong type or sign becomes null, and a notice says so. Struct constructors do not
look at what they are given: checked here once for all exchanges, in under a microsecond,
a number where a text belongs never gets printed. Pure.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from operator import itemgetter
from types import UnionType
from typing import (
    Annotated,
    Any,
    NamedTuple,
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
    told_instead,
)

Text = Annotated[str, msgspec.Meta(min_length=1)]
"""What is unknown is `None`, never an empty text."""

Values = tuple[Any, ...]
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
TIMES = frozenset({"time", "created"})
FIRST_YEAR = "2009"
"""No exchange is older: seconds where milliseconds belong are of 1970, and would be history."""
LAST_YEAR = "2099"
"""What comes after a time beyond it would be old for ever."""
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
            f"cannot read {key} of this {kind}, {_instead(kind, key)}: it {why}",
            once=f"{kind}:{key}",
        )
        for key, why in wrong
    ]


# --- the usual case ------------------------------------------------------------------------


class Row(NamedTuple):
    """How values that stand in a row are checked: key by key it takes three times as long."""

    shape: type[msgspec.Struct]
    """An array with these types."""
    texts: Callable[[Values], Values]
    """Those of which none may be a number, though a `Number` is a text."""
    amounts: Callable[[Values], Values]
    """Those without a sign of their own: the side says buy or sell, long or short."""

    def takes(self, values: Values) -> bool:
        """All of them can be told."""
        try:
            msgspec.convert(values, self.shape)
        except msgspec.ValidationError:
            return False
        if Number in map(type, self.texts(values)):
            return False
        amounts = self.amounts(values)
        return not amounts or "-" not in "".join(filter(None, amounts))


def is_sound(report: AnyReport) -> bool:
    """All of it can be told."""
    values = msgspec.structs.astuple(report)
    if not _row_of(type(report)).takes(values):
        return False
    if not _is_of_these_years(report.time):
        return False
    if type(report) is not OrderReport:
        return True
    fields = report.fields
    if not _row_of_fields(tuple(fields)).takes(tuple(fields.values())):
        return False
    return _is_of_these_years(fields.get("created"))


def _is_of_these_years(time: str | None) -> bool:
    return time is None or FIRST_YEAR <= time[:4] <= LAST_YEAR


@lru_cache(maxsize=32)
def _row_of(kind: type[Report]) -> Row:
    """Made of the annotations of a report; what it was read from may be anything."""
    known = {name: of for name, of in _types(kind).items() if name != "fields"}
    types = {name: known.get(name, Any) for name in kind.__struct_fields__}
    return _row(types, known, AMOUNTS.get(kind, ()))


@lru_cache(maxsize=256)
def _row_of_fields(keys: tuple[str, ...]) -> Row:
    """Of the fields of an order, which come in a few orders only."""
    types = {key: _field_types()[key] for key in keys}
    return _row(types, keys, ORDER_AMOUNTS)


def _row(types: Mapping[str, Any], texts: Collection[str], amounts: Collection[str]) -> Row:
    shape = msgspec.defstruct("Row", list(types.items()), array_like=True, gc=False)
    return Row(shape, _picked(types, texts), _picked(types, amounts))


def _picked(names: Iterable[str], wanted: Collection[str]) -> Callable[[Values], Values]:
    """Picks the wanted ones out of a row of all."""
    places = [place for place, name in enumerate(names) if name in wanted]
    if len(places) < 2:  # noqa: PLR2004 - of one place itemgetter makes no tuple
        return lambda values: tuple(values[place] for place in places)
    return itemgetter(*places)


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
        elif key in TIMES and not _is_of_these_years(value):
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
    """The report without these values; of an order what is known of them stays."""
    if not isinstance(report, OrderReport):
        return msgspec.structs.replace(report, **{key: INSTEAD.get(key) for key in wrong})
    fields: Any = {key: value for key, value in report.fields.items() if key not in wrong}
    around = {key: None for key in wrong if key not in report.fields}
    return msgspec.structs.replace(report, fields=fields, **around)


def _instead(kind: str, key: str) -> str:
    """What is told in place of a value."""
    return f"told as {INSTEAD[key]}" if key in INSTEAD and kind != "order" else told_instead(kind)


def _unrecognised(report: AnyReport, text: str, once: str | None = None) -> NoticeReport:
    return NoticeReport(
        level="warning",
        code="unrecognised",
        text=text,
        once=once,
        time=time if isinstance(time := report.time, str) and _is_of_these_years(time) else None,
        sequence=report.sequence if type(report.sequence) is int else None,
        element=report.element,
    )
