"""Pictures to be drawn, and what a person would read of them; every value is invented."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from privstream.model.events import AnyEvent
from privstream.outputs.live.choices import Choices
from privstream.outputs.live.heads import Head
from privstream.outputs.live.looks import Look
from privstream.outputs.live.picture import Picture
from privstream.outputs.live.screen import Screen, panes_of, screen
from privstream.outputs.live.table import Line, cell_width
from tests.outputs.output_events import NOW, status

CHANNELS = ("orders", "trades", "balances")
CLOCK = 100.0
"""The monotonic clock at NOW."""


def like(event: AnyEvent, **changes: Any) -> Any:
    return msgspec.structs.replace(event, **changes)


def picture_of(*events: AnyEvent, channels: Sequence[str] = CHANNELS, live: bool = True) -> Picture:
    """A picture long after these events."""
    picture = Picture({"kraken": channels})
    if live:
        picture.update(status("live", detail=", ".join(channels)), 0.0)
    picture.take(events, 0.0)
    return picture


def look(cells: int = 132, lines: int = 40, **changes: Any) -> Look:
    usual: dict[str, Any] = {"now": datetime.fromisoformat(NOW), "monotonic": CLOCK, "zone": UTC}
    return Look(cells=cells, lines=lines, **(usual | changes))


def drawn(
    picture: Picture, choices: Choices | None = None, head: Head | None = None, **changes: Any
) -> Screen:
    choices = choices or Choices()
    choices.offer(panes_of(picture))
    return screen(picture, choices, look(**changes), head or Head("privstream kraken"))


def text_of(line: Line) -> str:
    return "".join(span.text for span in line.spans)


def texts(lines: Iterable[Line]) -> list[str]:
    return [text_of(line).rstrip() for line in lines]


def read(picture: Picture, choices: Choices | None = None, **changes: Any) -> str:
    """The screen as a person reads it, with one blank between words."""
    shown = drawn(picture, choices, **changes)
    assert all(cell_width(line.spans) <= changes.get("cells", 132) for line in shown.lines)
    return "\n".join(" ".join(text.split()) for text in texts(shown.lines))


def styles(line: Line, word: str) -> str:
    """The style of the span that holds a word, with its line's."""
    return next(f"{span.style}+{line.style}" for span in line.spans if word in span.text)
