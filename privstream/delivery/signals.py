"""What a signal does, in every state of every command.

Ctrl-C is a KeyboardInterrupt (exit 130), SIGTERM ends as cleanly with exit 0.
A second signal does not wait for the clean-up of the first.
"""

import os
import signal
from collections.abc import Sequence
from types import FrameType

from privstream.model.errors import Exit

ANSWERS = frozenset({"token", "doctor", "order", "wait"})
"""Commands that, told to stop before they have their answer, must not look like a good one."""


class Terminated(BaseException):
    """SIGTERM came; like KeyboardInterrupt it may come at any line."""


class _Pending:
    """What came and has not ended anything yet."""

    signal: type[BaseException] | None = None


def take_over() -> None:
    """From the first line of a run on, SIGTERM is Terminated."""
    _Pending.signal = None
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _terminate)


def raise_again() -> None:
    """Raise what came and got lost; whoever goes on for long calls it now and then.

    Python drops an exception that is raised in some of its own callbacks, such as those
    of an import, with a word on stderr at most.
    """
    if _Pending.signal is not None:
        raise _Pending.signal


def code_of_stop(arguments: Sequence[str]) -> Exit:
    """What a command exits with that was told to stop by SIGTERM."""
    return Exit.DONE if ANSWERS.isdisjoint(arguments[:1]) else Exit.UNREACHABLE


def leave(code: Exit) -> Exit:
    """The clean-up begins: the next signal ends everything at once."""

    def at_once(_signal: int, _frame: FrameType | None) -> None:
        os._exit(code)

    signal.signal(signal.SIGINT, at_once)
    signal.signal(signal.SIGTERM, at_once)
    return code


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    _Pending.signal = KeyboardInterrupt
    raise KeyboardInterrupt


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    _Pending.signal = Terminated
    raise Terminated
