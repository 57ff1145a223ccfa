"""The first and the last line of the screen, and the help. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from privstream.outputs.layout import Span
from privstream.outputs.live.choices import Choices
from privstream.outputs.live.looks import Look
from privstream.outputs.live.picture import Picture, Said
from privstream.outputs.live.table import Line, cell_width
from privstream.outputs.safe_text import safe_text, shorten


class Head(NamedTuple):
    """What the first and the last line say."""

    title: str
    paused: str = ""
    news: Said | None = None
    """What was said a moment ago."""


def header(picture: Picture, choices: Choices, look: Look, head: Head) -> Line:
    spans = [Span(safe_text(head.title), "strong")]
    if head.paused:
        spans += [Span("  "), Span(f" {head.paused} ", "attention")]
    if choices.filter and not choices.is_typing:
        spans += [Span("  filter ", "dim"), Span(safe_text(choices.filter), "attention")]
    if look.masks:
        spans += [Span("  masked", "dim")]
    right = f"{picture.events} events  {look.now.astimezone(look.zone):%H:%M:%S}"
    room = look.cells - cell_width(tuple(spans)) - len(right)
    if room > 0:
        spans += [Span(" " * room), Span(right, "dim")]
    return Line(tuple(spans), "bar")


SHORTEST = 10
"""Cells in which names of panes are worth being named."""
KEYS = (
    ("q", "quit"),
    ("?", "help"),
    ("p", "pause"),
    ("/", "filter"),
    ("tab", "pane"),
    ("↑↓ PgUp PgDn", "scroll"),
)


def footer(choices: Choices, look: Look, head: Head, unseen: Sequence[str] = ()) -> Line:
    """The keys, or what is typed, or what was said a moment ago; `unseen` panes are named."""
    if choices.is_typing:
        typed = Span(safe_text(choices.filter), "strong")
        return Line((Span("/", "attention"), typed, Span("▏  Enter: done  Esc: clear", "dim")))
    if head.news is not None:
        style = "bad" if head.news.level == "error" else "warning"
        return Line((Span(shorten(safe_text(head.news.text), look.cells), style),))
    spans: list[Span] = []
    for key, usual in KEYS:
        begun = [*spans, Span("  " if spans else ""), Span(key, "strong"), Span(" ")]
        room = look.cells - cell_width(tuple(begun))
        does = ", ".join(unseen) if key == "tab" and unseen and room >= SHORTEST else usual
        if len(usual) <= room:
            spans = [*begun, Span(shorten(does, room), "dim")]
    return Line(tuple(spans))


HELP = (
    ("q, Ctrl-C", "quit; Ctrl-Z: aside, fg: back again"),
    ("p, space", "hold the panes still; the events go on"),
    ("tab, 1 to 6", "choose a pane, which gets more room"),
    ("↑ ↓ PgUp PgDn", "scroll in it; Home and End too"),
    ("/", "only what contains a text; Esc: all"),
    ("~1.2%", "distance from one's own last fill"),
    ("1.2%", "distance from the other side of the book"),
    (">3 min", "older than that: its age is not told"),
    ("≈", "the exchange does not state it exactly"),
    ("gap 1 open", "what was missed is still read or proven"),
    ("lag", "▁ to 50 ms, 0.1 0.25 0.5 1 2 5 s, █ more"),
)


def help_lines() -> list[Line]:
    return [Line((Span(f"  {key:<15}", "strong"), Span(text))) for key, text in HELP]
