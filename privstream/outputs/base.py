"""What every output is: something that takes whole batches and writes them at once.

An output either has written all of a batch or raises: `ReaderGone` where nobody
reads any more, `OutputFailed` where somebody would but cannot be given it.
"""

from collections.abc import Sequence
from typing import Protocol

from privstream.events import AnyEvent


class ReaderGone(Exception):
    """Nobody reads our output any more: a quiet end, no fault."""


class Output(Protocol):
    """Takes events."""

    def write(self, events: Sequence[AnyEvent], /) -> None:
        """Write all of them now. Raises ReaderGone or OutputFailed."""

    def close(self) -> None:
        """Let go of what is held open."""


class FrameOutput(Protocol):
    """Takes the exchange's own frames, for `--format raw`."""

    def write(self, frames: Sequence[bytes], /) -> None:
        """Write all of them now. Raises ReaderGone or OutputFailed."""

    def close(self) -> None:
        """Let go of what is held open."""
