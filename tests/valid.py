"""Holds an event against the published JSON Schema and the promises that it cannot express."""

import json
import re
from functools import lru_cache

import jsonschema

from privstream.cli.schema import schema_of
from privstream.events import AnyEvent
from privstream.exact import ascii_line, encode

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


def assert_valid(event: AnyEvent) -> None:
    """Fail where a line of this event would break the contract."""
    line = ascii_line(encode(event))
    assert_valid_line(line, type(event))


def assert_valid_line(line: bytes, kind: type[AnyEvent]) -> None:
    told = json.loads(line)
    _validator(kind).validate(told)
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
