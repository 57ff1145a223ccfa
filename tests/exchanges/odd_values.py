"""One odd value in a known element: what must be left of what the element tells."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from random import Random
from typing import Any, NamedTuple

from privstream.model.reports import NoticeReport, OrderReport

ODD: tuple[Any, ...] = (
    None,
    "",
    "x",
    "0",
    0,
    -1,
    "-1",
    True,
    [],
    {},
    ["a"],
    {"a": 1},
    "NaN",
    2**70,
    "9" * 500,
    "A_B",
    "\u202e",
    " ",
    "\u3000",
    "\u0663.5",
    "1E+999999",
)
Path = tuple[Any, ...]


class Spoiled(NamedTuple):
    """An element with one of its values replaced, or left out."""

    path: Path
    element: Any
    value: object


def spoiled(element: Any, seed: int, share: float = 1.0) -> Iterator[Spoiled]:
    """The element with each of its values replaced by each odd one; by some where that is much."""
    chance = Random(seed)
    for path in paths(element):
        for value in ODD:
            if chance.random() < share:
                yield Spoiled(path, replaced(element, path, value), value)
        if chance.random() < share:
            yield Spoiled(path, replaced(element, path, ...), ...)


def paths(element: Any) -> Iterator[Path]:
    """The way to every value, however deep."""
    keys: Iterable[Any] = ()
    if isinstance(element, dict):
        keys = element
    elif isinstance(element, list):
        keys = range(len(element))
    for key in keys:
        yield (key,)
        yield from ((key, *rest) for rest in paths(element[key]))


def replaced(element: Any, path: Path, value: object) -> Any:
    """The element with another value in that place, or, with `...`, without one."""
    copy = json.loads(json.dumps(element))
    place = copy
    for key in path[:-1]:
        place = place[key]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return copy


def facts(reports: Iterable[Any], name: Callable[[Any], object]) -> dict[object, dict[str, Any]]:
    """What is told, by what it is told of: its fields without what it was read from."""
    return {
        name(report): _fields(report) for report in reports if not isinstance(report, NoticeReport)
    }


def _fields(report: Any) -> dict[str, Any]:
    fields = {key: getattr(report, key) for key in report.__struct_fields__ if key != "element"}
    if isinstance(report, OrderReport):
        fields |= fields.pop("fields")
    return fields


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    """The fields in which a fact is told otherwise."""
    keys = before.keys() | after.keys()
    return {key for key in keys if before.get(key) != after.get(key)}
