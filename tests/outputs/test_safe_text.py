"""What a terminal would obey or hide is shown as its code."""

import tracemalloc
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from privstream.outputs.safe_text import safe_text, shorten, shorten_id, width

HIDDEN = [
    *map(chr, [*range(0x20), *range(0x7F, 0xA0)]),
    *map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C]),
    *map(chr, [0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x00AD, 0x034F, 0x0301, 0xFE0F]),
    *map(chr, [0x2028, 0x2029, 0x00A0, 0x3164, 0x2800, 0xD800, 0xDFFF, 0xE0001, 0xE0041, 0xFFFF]),
]


@pytest.mark.parametrize("character", HIDDEN, ids=lambda c: f"{ord(c):x}")
def test_nothing_hidden_or_obeyed_gets_through(character: str) -> None:
    shown = safe_text(f"a{character}b")
    assert shown.isascii()
    assert shown.isprintable()
    assert f"{ord(character):02x}" in shown


@pytest.mark.parametrize("text", ["OQCLML-BW3P3", "[red]x[/red]", ":smile:", "zł 漢字 é 🦑", ""])
def test_what_is_visible_stays_as_it_is(text: str) -> None:
    assert safe_text(text) == text


@given(st.text(st.characters(exclude_categories=())), st.integers(1, 40))
def test_a_capped_text_is_visible_and_no_wider_than_its_cap(text: str, cells: int) -> None:
    shown = safe_text(text, cells)
    assert width(shown) <= cells
    assert shown.isprintable()
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Mn", "Zl", "Zp"}


@pytest.mark.parametrize("text", ["abc", "漢字", "🦑 a", "…", "≈12"])
def test_a_width_is_what_terminals_make_of_it(text: str) -> None:
    assert width(text) == cell_len(text)


def test_a_long_text_is_cut_with_a_sign_of_it() -> None:
    assert shorten("abcdef", 6) == "abcdef"
    assert shorten("abcdefg", 6) == "abcde…"
    assert shorten("漢字漢字", 6) == "漢字…"
    assert shorten_id("62830482394823", 9) == "62830482…"
    assert shorten_id("628304823", 9) == "628304823"


@pytest.mark.parametrize("character", ["[", "\x1b", "漢"])
def test_a_megabyte_costs_no_more_than_what_is_shown_of_it(character: str) -> None:
    text = character * 1_000_000
    tracemalloc.start()
    try:
        assert width(safe_text(text, 300)) <= 300
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()
