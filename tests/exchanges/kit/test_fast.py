"""What fast readers take for an amount, and what they leave to the general reader."""

from typing import Any

import pytest
from msgspec import Struct

from privstream.exchanges.kit.fast import (
    LEFT_TO_GENERAL,
    NO_NUMBER,
    Number,
    amounts,
    decoder,
    may_be_blank,
    nonzero,
    plain,
    unsigned,
)
from privstream.model.exact import Part, encode_element


class Row(Struct, forbid_unknown_fields=True):
    a: Number = NO_NUMBER


decode = decoder(Row)


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (b'{"a":25.00}', "25.00"),
        (b'{"a":0.12345678901234567890}', "0.12345678901234567890"),
        (b'{"a":7}', "7"),
        (b'{"a":-1.5}', "-1.5"),
        (b'{"a":-2.50e-06}', "-0.00000250"),
        (b'{"a":1.5E3}', "1500"),
        (b"{}", ""),
    ],
)
def test_an_amount_is_the_text_that_stood_in_the_frame(frame: bytes, text: str) -> None:
    assert amounts(decode(frame).a, NO_NUMBER) == [text, ""]


@pytest.mark.parametrize(
    "value", ["1e-999", '"1.5"', '""', "null", "true", "[1.5]", '{"b":1.5}', "NaN", "01"]
)
def test_anything_else_is_left_to_the_general_reader(value: str) -> None:
    with pytest.raises(LEFT_TO_GENERAL):
        amounts(decode(b'{"a":%s}' % value.encode()).a)


@pytest.mark.parametrize("frame", [b'{"a":1.5,"b":"\xff"}', b'{"b":1}', b'{"a":"\\ud800"}'])
def test_a_key_that_nobody_knows_is_left_too(frame: bytes) -> None:
    with pytest.raises(LEFT_TO_GENERAL):
        decode(frame)


def test_what_has_no_sign_is_left_with_one() -> None:
    assert unsigned(b"1.50", 2, b"1e-8") == ["1.50", "2", "0.00000001"]
    with pytest.raises(LEFT_TO_GENERAL):
        unsigned(b"-1.50")


@pytest.mark.parametrize(
    ("text", "amount"),
    [("0.00", None), ("0", None), ("-0.0", None), ("0.010", "0.010"), ("26599.90", "26599.90")],
)
def test_a_zero_has_one_spelling_or_means_that_there_is_none(text: str, amount: Any) -> None:
    assert (plain(text), nonzero(text)) == (amount or "0", amount)


def test_a_part_of_a_frame_is_what_was_decoded_from_it() -> None:
    part = Part(b'{"data":[{"qty":1.50}]}', ("data", 0))
    assert part.value() == {"qty": "1.50"}
    assert part == {"qty": "1.50"}
    assert encode_element(part) == b'{"qty":1.50}'
    assert encode_element({"a": 1}) == b'{"a":1}'


@pytest.mark.parametrize("text", [" ", r"\t", r"\u0020", "\u3000", "\u00a0 x"])
def test_a_frame_with_a_text_that_may_be_blank_is_none_for_fast_readers(text: str) -> None:
    assert may_be_blank(f'{{"key":"{text}"}}'.encode())
    assert not may_be_blank(b'{"key": "two words", "other": ""}')
