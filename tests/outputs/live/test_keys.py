"""What a terminal sends becomes keys, however it is cut."""

import pytest

from privstream.outputs.live.choices import FILTER_CELLS, Choices, Name
from privstream.outputs.live.keys import Keys


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        (b"q", ["q"]),
        (b"\t\x1b[Z", ["tab", "back_tab"]),
        (b"\x1b[A\x1bOB\x1b[1;5C", ["up", "down", "right"]),
        (b"\x1b[5~\x1b[6~\x1b[H\x1b[4~", ["page_up", "page_down", "home", "end"]),
        (b"\r\x7f\x15", ["enter", "backspace", "erase"]),
        ("ä".encode(), ["ä"]),
        (b"\x1b[200~x", ["x"]),
        (b"\x00\x01", []),
        (b"\xff?", ["?"]),
    ],
)
def test_keys_are_read_also_where_they_come_byte_by_byte(typed: bytes, keys: list[str]) -> None:
    assert Keys().take(typed) == keys
    slow = Keys()
    assert [key for byte in typed for key in slow.take(bytes([byte]))] == keys


def test_an_escape_is_a_key_once_nothing_follows() -> None:
    keys = Keys()
    assert keys.take(b"\x1b") == []
    assert keys.take(b"") == ["escape"]
    assert keys.take(b"\x1bq") == ["escape", "q"]


PANES = (Name.ORDERS, Name.FILLS, Name.MESSAGES)


def pressed(*keys: str) -> Choices:
    choices = Choices()
    choices.offer(PANES)
    for key in keys:
        choices.press(key)
    return choices


def test_tab_goes_round_and_a_number_chooses() -> None:
    assert pressed("tab").focus is Name.FILLS
    assert pressed("tab", "tab", "tab").focus is Name.ORDERS
    assert pressed("back_tab").focus is Name.MESSAGES
    assert pressed("2").focus is Name.FILLS
    assert pressed("9").focus is Name.ORDERS


@pytest.mark.parametrize("key", ["²", "①", "٣", "0", "é", "😀", "½"])
def test_a_key_of_other_keyboards_ends_nothing(key: str) -> None:
    assert pressed(key).offsets == {}
    assert pressed("/", key).filter == key


def test_each_pane_is_scrolled_by_itself() -> None:
    choices = pressed("down", "down", "tab", "page_down", "up", "up")
    assert choices.offsets == {Name.ORDERS: 2, Name.FILLS: 0}


def test_a_filter_is_typed_kept_and_taken_away() -> None:
    choices = pressed("/", "b", "x", "backspace", "q", "p", "?")
    assert (choices.filter, choices.is_typing) == ("bqp?", True)
    choices.press("enter")
    assert (choices.filter, choices.is_typing) == ("bqp?", False)
    choices.press("escape")
    assert choices.filter == ""
    assert len(pressed("/", *["x"] * 99).filter) == FILTER_CELLS


def test_what_is_more_than_choosing_is_wished() -> None:
    choices = Choices()
    wishes = [choices.press(key) for key in ("q", "p", "redraw", "end_of_input", "x")]
    assert wishes == ["quit", "pause", "redraw", "quit", None]


def test_any_key_ends_the_help_and_does_what_it_does() -> None:
    choices = pressed("?")
    assert choices.is_helping
    assert choices.press("q") == "quit"
    assert not choices.is_helping


def test_a_pane_that_is_there_no_more_is_not_chosen() -> None:
    choices = pressed("tab")
    choices.offer((Name.BALANCES, Name.MESSAGES))
    assert choices.focus is Name.BALANCES
