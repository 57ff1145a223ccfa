"""Holds an event against the published JSON Schema and the promises that it cannot express."""

import json
import re
from collections.abc import Hashable
from functools import lru_cache
from typing import Any

import jsonschema

from privstream.cli.schema import schema_of
from privstream.model.events import AnyEvent
from privstream.model.exact import ascii_line, encode

AMOUNT = re.compile(r"-?[0-9]+(\.[0-9]+)?")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
AMOUNTS = frozenset(
    [
        "price",
        "stop_price",
        "quantity",
        "quote_quantity",
        "filled",
        "remaining",
        "average_price",
        "cost",
        "fee",
        "total",
        "available",
        "hold",
        "change",
        "entry_price",
        "liquidation_price",
        "leverage",
        "unrealized_pnl",
    ]
)
UNSIGNED = AMOUNTS - {"fee", "change", "total", "available", "hold", "unrealized_pnl"}


@lru_cache(maxsize=16)
def _validator(kind: type[AnyEvent]) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema_of(kind))


@lru_cache(maxsize=16)
def _free(kind: type[AnyEvent]) -> frozenset[str]:
    """The keys of which the schema asks only whether the value has one of some types."""
    schema: Any = schema_of(kind)
    keys = schema["$defs"][schema["$ref"].removeprefix("#/$defs/")]["properties"]
    return frozenset(name for name, of in keys.items() if _asks_for_types(of))


def _asks_for_types(schema: dict[str, Any]) -> bool:
    if not schema:
        return True
    if schema.keys() == {"type"}:
        return schema["type"] in {"string", "integer", "boolean", "null"}
    return schema.keys() == {"anyOf"} and all(map(_asks_for_types, schema["anyOf"]))


_valid_shapes: set[Hashable] = set()


def _validate(told: dict[str, Any], kind: type[AnyEvent]) -> None:
    """Hold it against the schema, which takes a while, unless one of its shape was valid."""
    free = _free(kind)
    shape = (
        kind,
        *(
            (key, type(value) if key in free and type(value) is not float else json.dumps(value))
            for key, value in told.items()
        ),
    )
    if shape not in _valid_shapes:
        _validator(kind).validate(told)
        _valid_shapes.add(shape)


def assert_valid(event: AnyEvent) -> None:
    """Fail where a line of this event would break the contract."""
    line = ascii_line(encode(event))
    assert_valid_line(line, type(event))


def assert_valid_line(line: bytes, kind: type[AnyEvent]) -> None:
    told = json.loads(line)
    _validate(told, kind)
    assert b"\n" not in line
    for key, value in told.items():
        if value is None or key == "raw":  # raw is the exchange's own
            continue
        assert value != "", f"{key} is an empty text"
        if key in {"time", "received", "created", "from", "to"}:
            assert TIME.fullmatch(value), f"{key}: {value}"
        if key in AMOUNTS:
            assert AMOUNT.fullmatch(value), f"{key}: {value}"
        if key in UNSIGNED:
            assert not value.startswith("-"), f"{key}: {value}"
