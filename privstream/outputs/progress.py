"""How far long work is, on stderr: one line that is redrawn, or a sentence every ten seconds.

The one rule: it never stands between the lines of what was asked for, and -q leaves it out.
"""

import os
import re
from datetime import datetime
from typing import TextIO

from privstream.outputs.safe_text import safe_text, shorten, width
from privstream.outputs.stderr import Stderr

EVERY = 10.0
"""Seconds from one sentence to the next, where no line is redrawn."""
REDRAWN = 0.1
BAR_CELLS = 20
FULL, EMPTY, HERE = "━", "╌", "●"
_READING = re.compile(r"from (\d{4}-\d\d-\d\d \d\d:\d\d): .* at (\d{4}-\d\d-\d\d \d\d:\d\d) UTC")


class Progress:
    """One piece of work; `animated` where stderr is a terminal that can redraw a line."""

    def __init__(self, stream: TextIO | None, *, animated: bool, quiet: bool) -> None:
        self._stream = stream
        self._stderr = Stderr(stream)
        self._animated = animated
        self._quiet = quiet
        self._drawn = ""
        self._due: float | None = None

    def show(self, text: str, now: float, done: float | None = None) -> None:
        """It is so far, at a moment of the monotonic clock; `done` is a share of the whole."""
        if self._due is None:
            self._due = now + (REDRAWN if self._animated else EVERY)  # what is quick says nothing
        if self._quiet or now < self._due:
            return
        self._due = now + (REDRAWN if self._animated else EVERY)
        if self._animated:
            self._draw(shorten(f"{_bar(done)}{safe_text(text)}", self._columns() - 1))
        else:
            share = "" if done is None else f" ({done:.0%})"
            self._stderr.write(f"privstream: {safe_text(text)}{share}\n")

    def clear(self) -> None:
        """Take the line away, to make room for others."""
        if self._drawn:
            self._stderr.write(f"\r{' ' * width(self._drawn)}\r")
            self._drawn = ""

    def _draw(self, line: str) -> None:
        blanks = " " * max(0, width(self._drawn) - width(line))
        self._stderr.write(f"\r{line}{blanks}")
        self._drawn = line

    def _columns(self) -> int:
        try:
            columns = os.get_terminal_size(self._stream.fileno()).columns if self._stream else 0
        except (OSError, ValueError):
            columns = 0
        return columns or 80


def timeline(detail: str, now: str) -> str:
    """Where in time reading back is, between its beginning and now, of which `detail` tells."""
    match = _READING.search(detail)
    if match is None:
        return ""
    try:
        since, at, until = (datetime.fromisoformat(text) for text in (*match.groups(), now[:16]))
    except ValueError:
        return ""
    whole = max(1.0, (until - since).total_seconds())
    place = int(min(1.0, max(0.0, (at - since).total_seconds() / whole)) * (BAR_CELLS - 1))
    return f"{EMPTY * place}{HERE}{EMPTY * (BAR_CELLS - 1 - place)}"


def _bar(done: float | None) -> str:
    if done is None:
        return ""
    full = int(BAR_CELLS * min(1.0, max(0.0, done)))
    return f"{FULL * full}{EMPTY * (BAR_CELLS - full)} {done:4.0%}  "
