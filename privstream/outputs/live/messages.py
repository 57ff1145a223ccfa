"""What was said in words: notices, gaps and sentences of our own, newest first. Pure."""

from collections.abc import Sequence

from privstream.model.events import Gap, Notice
from privstream.outputs.describe import describe
from privstream.outputs.layout import Part, Span
from privstream.outputs.live.looks import Look, clock, name
from privstream.outputs.live.picture import Picture, Said
from privstream.outputs.live.table import Line, cell_width
from privstream.outputs.safe_text import safe_text

Message = Notice | Gap | Said


def messages(picture: Picture, wanted: str) -> list[Message]:
    """Those that contain a text."""
    every = list(reversed(picture.messages))
    return [one for one in every if wanted in _text_of(one).lower()] if wanted else every


def message_lines(shown: Sequence[Message], look: Look, room: int) -> tuple[list[Line], int]:
    """The lines of as many as have room, and how many that are; the last as far as it goes."""
    lines: list[Line] = []
    count = 0
    for message in shown:
        more = _wrapped(message, look)
        is_whole = len(lines) + len(more) <= room
        lines += more[: room - len(lines)]
        count += is_whole or not count
        if not is_whole:
            break
    return lines, count


def _text_of(message: Message) -> str:
    if isinstance(message, Said):
        return message.text
    return " ".join(span.text for part in describe(message).parts for span in part.spans)


def _wrapped(message: Message, look: Look) -> list[Line]:
    """A message over as many lines as it takes, word by word."""
    first, parts = _said(message, look) if isinstance(message, Said) else _told(message, look)
    lines: list[list[Span]] = [first]
    for part in parts:
        if cell_width((*lines[-1], *part.spans)) + part.gap > look.cells:
            lines.append([Span("  "), *part.spans])
        else:
            lines[-1] += [Span(" " * part.gap), *part.spans]
    return [Line(tuple(spans)) for spans in lines]


def _said(said: Said, look: Look) -> tuple[list[Span], list[Part]]:
    style = "bad" if said.level == "error" else ""
    words = [Part((Span(word, style),), 1) for word in safe_text(said.text).split()]
    return [clock(said.time, look)], words


def _told(event: Notice | Gap, look: Look) -> tuple[list[Span], list[Part]]:
    row = describe(look.seen(event))
    account = name(event.account, "account") if look.many else ()
    first = [clock(event.received, look), *(Part((Span(" "), *account)).spans if account else ())]
    return first, [Part((row.kind,), 1), *row.parts]
