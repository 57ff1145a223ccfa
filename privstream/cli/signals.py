"""What a signal does, in every state of every command.

Ctrl-C is Python's KeyboardInterrupt (exit 130), SIGTERM ends as cleanly with exit 0.
A second signal does not wait for the clean-up of the first.
"""

import os
import signal
from types import FrameType

from privstream.errors import Exit


class Terminated(BaseException):
    """SIGTERM came; like KeyboardInterrupt it may come at any line."""


def take_over() -> None:
    """From the first line of a run on, SIGTERM is Terminated."""
    signal.signal(signal.SIGTERM, _terminate)


def leave(code: Exit) -> Exit:
    """The clean-up begins: the next signal ends everything at once."""

    def at_once(_signal: int, _frame: FrameType | None) -> None:
        os._exit(code)

    signal.signal(signal.SIGINT, at_once)
    signal.signal(signal.SIGTERM, at_once)
    return code


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise Terminated
