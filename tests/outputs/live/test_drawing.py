"""Frames as a terminal gets them: with colours, without, in ASCII, and never a foreign command."""

import re

from privstream.outputs.layout import Span
from privstream.outputs.live.drawing import LEAVE, Drawing
from privstream.outputs.live.table import Line
from tests.outputs.live.shown import drawn, like, picture_of
from tests.outputs.output_events import ALL, GAP

COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-7]|4[0-7]|9[0-7]|10[0-7])(?:;\d+)*m")
SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def frame(*, colour: bool = True, ascii_only: bool = False) -> str:
    drawing = Drawing(colour=colour, ascii_only=ascii_only)
    drawing.begin()
    picture = picture_of(*ALL, like(GAP, complete=False))
    shown = drawn(picture, cells=132, lines=40)
    return drawing.frame(shown.lines, 132, 40)


def test_a_frame_begins_at_the_top_and_fills_the_screen() -> None:
    text = frame()
    assert text.startswith("\x1b[H")
    lines = SEQUENCE.sub("", text).split("\n")
    assert [len(line) for line in lines] == [132] * 40


def test_it_has_colours_and_without_them_what_matters_stands_out_all_the_same() -> None:
    assert COLOUR.search(frame())
    plain = frame(colour=False)
    assert not COLOUR.search(plain)
    assert re.search(r"\x1b\[1;7m 2 gaps 1 INCOMPLETE ", plain)


def test_a_terminal_of_ascii_gets_nothing_else() -> None:
    text = frame(ascii_only=True)
    assert text.isascii()
    lines = SEQUENCE.sub("", text).split("\n")
    assert [len(line) for line in lines] == [132] * 40
    assert "* kraken" in text.replace("\x1b[1m", "").replace("\x1b[32m", "").replace("\x1b[0m", "")


def test_text_that_looks_like_markup_or_a_smiley_is_drawn_as_it_is() -> None:
    drawing = Drawing(colour=True)
    drawing.begin()
    text = drawing.frame([Line((Span("[red]x[/red] :smiley: https://x.test"),))], 60, 2)
    assert "[red]x[/red] :smiley: https://x.test" in text


def test_what_it_begins_it_ends() -> None:
    drawing = Drawing(colour=True)
    begun = drawing.begin()
    assert "\x1b[?1049h" in begun
    assert "\x1b[?25l" in begun
    drawing.end()
    assert drawing.frame([], 80, 24) == ""
    assert {"\x1b[?1049l", "\x1b[?25h"} <= set(SEQUENCE.findall(LEAVE))
