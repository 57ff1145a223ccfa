"""What is said to the person who started the command: states, errors, details."""

import sys
from collections.abc import Callable
from datetime import tzinfo
from enum import StrEnum
from typing import TextIO

from privstream.model.errors import PrivstreamError
from privstream.model.session import Tap
from privstream.outputs.base import Line, Screen
from privstream.outputs.calendar import Calendar
from privstream.outputs.progress import Progress
from privstream.outputs.safe_text import safe_text
from privstream.outputs.status_line import StatusLine
from privstream.outputs.stderr import Stderr

STDOUT, STDERR = 1, 2


class Format(StrEnum):
    """How events are printed."""

    PRETTY = "pretty"
    JSONL = "jsonl"
    RAW = "raw"


class Console:
    """Standard error, with as much on it as the person wants to know.

    `animated` where a line at the bottom may be redrawn; `as_json`: errors are JSON lines.
    `shares_terminal` where events are printed on the same one. `zone`: of times, else local ones.
    `stamp`: what the lines of a log begin with.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        quiet: bool = False,
        verbose: bool = False,
        debug: bool = False,
        as_json: bool = False,
        animated: bool = False,
        colour: bool = False,
        shares_terminal: bool = True,
        zone: tzinfo | None = None,
        stamp: Callable[[], str] | None = None,
    ) -> None:
        stream = stream or sys.stderr
        self.is_terminal = stream is not None and stream.isatty()
        """Somebody may sit there; it is none where stderr is closed."""
        self.shares_terminal = shares_terminal
        self.as_json = as_json
        self.quiet = quiet
        self._verbose = (verbose or debug) and not quiet
        self._debug = debug and not quiet
        self._stderr = Stderr(stream, stamp)
        self._stream, self._animated = stream, animated and not self._verbose
        # Other threads' notes and a line that is redrawn would overwrite each other.
        self.status_line = StatusLine(
            stream,
            animated=animated and not self._verbose,
            quiet=quiet,
            colour=colour,
            calendar=Calendar(zone),
            stamp=stamp,
        )
        self.line: Line = self.status_line
        self._screen: Screen | None = None

    @property
    def tells_details(self) -> bool:
        """Details are said, frames perhaps."""
        return self._verbose

    @property
    def is_on_terminal(self) -> bool:
        """What is said shows where events may be shown too."""
        return self._stderr.is_terminal

    def show_on(self, screen: Screen) -> None:
        """From now on everything is said there, since it has the whole terminal."""
        self.line = self._screen = screen

    def ring(self) -> None:
        """The terminal's bell."""
        self._stderr.write("\a")

    def progress(self) -> Progress:
        """For long work, before anything of it is printed."""
        return Progress(self._stream, animated=self._animated, quiet=self.quiet)

    def say(self, text: str, *, also_when_quiet: bool = False) -> None:
        """One sentence to a person."""
        self.line.say(text, also_when_quiet=also_when_quiet)

    def tell(self, text: str) -> None:
        """Lines for a person that do not begin with our name."""
        if not self.quiet:
            self._stderr.write(f"{text}\n")

    def ask(self, text: str) -> None:
        """The beginning of a line that the person ends."""
        self._stderr.write(text)

    def fail(self, error: PrivstreamError) -> None:
        """What went wrong, in one line."""
        self.line.fail(error, as_json=self.as_json)

    def note(self, text: str) -> None:
        """A detail for those who asked for more; from any thread."""
        if not self._verbose:
            return
        if self._screen is not None:
            self._screen.note(text)
        else:
            self._stderr.write(f"privstream: {safe_text(text)}\n")

    def tap(self, other: Tap | None) -> Tap | None:
        """`other`, and with --debug every frame on stderr."""
        if not self._debug:
            return other

        def show(direction: str, text: str) -> None:
            self.note(f"{direction} {text}")
            if other is not None:
                other(direction, text)

        return show
