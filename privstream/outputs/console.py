"""What is said to the person who started the command: states, errors, details."""

import sys
from enum import StrEnum

from privstream.model.errors import PrivstreamError
from privstream.model.session import Tap
from privstream.outputs.safe_text import safe_text
from privstream.outputs.status_line import StatusLine
from privstream.outputs.terminal import is_lively

STDOUT, STDERR = 1, 2


class Format(StrEnum):
    """How events are printed."""

    PRETTY = "pretty"
    JSONL = "jsonl"
    RAW = "raw"


class Voice:
    """What is said to the person who started the command."""

    def __init__(
        self,
        *,
        quiet: bool = False,
        verbose: bool = False,
        debug: bool = False,
        as_json: bool = False,
        no_color: bool = False,
    ) -> None:
        self.as_json = as_json
        self._verbose = verbose and not quiet
        self._debug = debug and not quiet
        animated = all(is_lively(fd, no_color=no_color) for fd in (STDOUT, STDERR))
        # Other threads' notes and a line that is redrawn would overwrite each other.
        self.line = StatusLine(sys.stderr, animated=animated and not verbose, quiet=quiet)

    def fail(self, error: PrivstreamError) -> None:
        """What went wrong, in one line."""
        self.line.fail(error, as_json=self.as_json)

    def note(self, text: str) -> None:
        """A detail for those who asked for more; from any thread."""
        if self._verbose:
            sys.stderr.write(f"privstream: {safe_text(text)}\n")

    def tap(self, other: Tap | None) -> Tap | None:
        """`other`, and with --debug every frame on stderr."""
        if not self._debug:
            return other

        def show(direction: str, text: str) -> None:
            self.note(f"{direction} {text}")
            if other is not None:
                other(direction, text)

        return show
