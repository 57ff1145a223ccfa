"""What every output is: something that takes whole batches and writes them at once.

An output either has written all of a batch or raises: `ReaderGone` where nobody
reads any more, `NotTaken` where the reader does not take it in the time that is left,
`OutputFailed` where somebody would but cannot be given it.
"""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from privstream.model.errors import PrivstreamError
from privstream.model.events import AnyEvent, Status


class ReaderGone(Exception):
    """Nobody reads our output any more: a quiet end, no fault."""


class NotTaken(Exception):
    """The reader took so many whole lines, and no more in the time that was left."""

    def __init__(self, whole: int, *, is_torn: bool = False) -> None:
        super().__init__(whole)
        self.whole = whole
        self.is_torn = is_torn
        """He has a part of the next line too: it is longer than what a pipe takes at once."""


class Output(Protocol):
    """Takes events."""

    def write(self, events: Sequence[AnyEvent], /) -> None:
        """Write all of them now. Raises ReaderGone, NotTaken or OutputFailed."""

    def close(self) -> None:
        """Let go of what is held open."""


@runtime_checkable
class Reopened(Protocol):
    """An output into a file that another program may have moved away."""

    def reopen(self) -> None:
        """Go on in a new file of the old name."""


class Line(Protocol):
    """Where a person is told what the connections do and what went wrong: a line, or a screen."""

    @property
    def pause(self) -> float:
        """Seconds: how often it wants to be drawn when nothing comes."""

    def update(self, status: Status) -> None:
        """A connection does something else now."""

    def told(self, count: int) -> None:
        """So many events were printed."""

    def draw(self, now: str) -> None:
        """Show it as it is `now`, a time in our spelling."""

    def clear(self) -> None:
        """Make room for other lines."""

    def say(self, text: str, *, also_when_quiet: bool = False) -> None:
        """One sentence to a person."""

    def fail(self, error: PrivstreamError, *, as_json: bool) -> None:
        """What went wrong, also said when quiet."""


class Screen(Line, Protocol):
    """A line that has the whole terminal, so that nothing else may be written there."""

    def note(self, text: str) -> None:
        """A detail for those who asked for more; from any thread."""


class FrameOutput(Protocol):
    """Takes the exchange's own frames, for `--format raw`."""

    def write(self, frames: Sequence[bytes], /) -> None:
        """Write all of them now. Raises ReaderGone, NotTaken or OutputFailed."""

    def close(self) -> None:
        """Let go of what is held open."""
