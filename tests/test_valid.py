"""What other tests take for valid: every key is looked at, also in the second line of a shape."""

import json
from typing import Any

import jsonschema
import pytest

from privstream.cli.schema import schema_of
from privstream.model.events import TYPES, Balance, Order
from tests.valid import assert_valid_line

USUAL = {"string": "x", "null": None, "integer": 3, "number": 0.5, "boolean": True}
FORMS = {"time": "2026-11-20T00:00:00.000000Z"}
WRONG: list[Any] = [7, 1.5, "another word", None, True, ["x"], {"x": 1}]


def properties(kind: type[Any]) -> dict[str, dict[str, Any]]:
    schema: Any = schema_of(kind)
    found: dict[str, dict[str, Any]] = schema["$defs"][kind.__name__]["properties"]
    return found


def of(schema: dict[str, Any]) -> Any:
    """A value that this schema allows."""
    if "anyOf" in schema:
        return of(schema["anyOf"][-1])
    if "enum" in schema:
        return schema["enum"][0]
    if "$ref" in schema:
        return {"orders": 0, "trades": 0, "balances": 0}
    return [] if schema.get("type") == "array" else USUAL.get(schema.get("type", ""))


def line_of(kind: type[Any], **changes: Any) -> dict[str, Any]:
    line = {name: of(schema) for name, schema in properties(kind).items()}
    times = {"time", "received", "created", "from", "to"} & line.keys()
    amounts = {"total", "quantity", "price"} & line.keys()
    given = dict.fromkeys(times, FORMS["time"]) | dict.fromkeys(amounts, "1.5")
    return line | {name: v for name, v in given.items() if line[name] is not None} | changes


def is_valid(kind: type[Any], line: dict[str, Any]) -> bool:
    try:
        assert_valid_line(json.dumps(line).encode(), kind)
    except (jsonschema.ValidationError, AssertionError, TypeError):
        return False
    return True


@pytest.mark.parametrize("kind", TYPES.values(), ids=list(TYPES))
def test_what_the_schema_forbids_is_found_in_every_key_after_a_valid_line_too(
    kind: type[Any],
) -> None:
    found, schema = 0, jsonschema.Draft202012Validator(schema_of(kind))
    for key in properties(kind):
        assert is_valid(kind, line_of(kind))
        for value in WRONG:
            line = line_of(kind, **{key: value})
            if not schema.is_valid(line):
                assert not is_valid(kind, line), f"{key}: {value!r} passed"
                found += 1
    assert found > 2 * len(properties(kind))


@pytest.mark.parametrize("kind", TYPES.values(), ids=list(TYPES))
def test_a_key_that_is_missing_or_unknown_is_found_after_a_valid_line_too(kind: type[Any]) -> None:
    whole = line_of(kind)
    assert is_valid(kind, whole)
    assert not is_valid(kind, {**whole, "unknown": None})
    for key in whole.keys() - {"raw"}:
        assert not is_valid(kind, {name: v for name, v in whole.items() if name != key})


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        (Balance, "total", "1e5"),
        (Balance, "total", ""),
        (Balance, "time", "2026-11-20"),
        (Order, "filled", "-1"),
    ],
)
def test_what_the_schema_cannot_express_is_looked_at_in_every_line(
    kind: type[Any], key: str, value: str
) -> None:
    good = FORMS["time"] if key == "time" else "1.5"
    assert is_valid(kind, line_of(kind, **{key: good}))
    assert not is_valid(kind, line_of(kind, **{key: value}))


def test_a_whole_number_with_a_point_lets_no_other_through() -> None:
    assert is_valid(Order, line_of(Order, sequence=2.0))
    assert not is_valid(Order, line_of(Order, sequence=2.5))
