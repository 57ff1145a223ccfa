"""What a command that is told to stop ends with, known before anything else is loaded.

The one rule: a stream did its work until then; a command that owes an answer did not.
"""

import os
import signal
from collections.abc import Sequence
from contextlib import suppress

from privstream.outputs.standard_streams import STDERR

STREAMS = frozenset({"watch", "run", "record", "replay", "demo", "simulate"})
"""Commands that may be told to stop: what they did was right till then."""
MAY_BE_LEFT = STREAMS | {"schema"}
"""Commands whose reader may leave: he has seen as much as he wanted."""
HELP = frozenset({"--help", "-h"})
DONE, UNREACHABLE, TIMED_OUT, INTERRUPTED = 0, 5, 124, 130  # as in `Exit`
UNDONE = "told to stop before it was done"
_PLAIN = f"privstream: {UNDONE}\n"
_JSON = (
    '{"error":"interrupted","exchange":null,"account":null,'
    f'"message":"{UNDONE}","hint":null,"retryable":true}}\n'
)


def may_be_left(arguments: Sequence[str]) -> bool:
    """The reader of the command takes what he wants, and nothing is wrong when he leaves."""
    return MAY_BE_LEFT.issuperset(arguments[:1]) or _asks_for_help(arguments)


def _may_be_ended(arguments: Sequence[str]) -> bool:
    """The command goes on for as long as somebody wants it, and owes no answer."""
    return STREAMS.issuperset(arguments[:1]) and not _asks_for_help(arguments)


def _asks_for_help(arguments: Sequence[str]) -> bool:
    return not HELP.isdisjoint(arguments)


def unanswered(arguments: Sequence[str]) -> int:
    """The exit code of a command that has no answer."""
    return TIMED_OUT if "wait" in arguments[:1] else UNREACHABLE


def code_of_stop(arguments: Sequence[str], by: signal.Signals | None) -> int:
    """The exit code of a command that was told to stop before it had its answer, if it has one."""
    if by is signal.SIGINT:
        return INTERRUPTED
    return DONE if _may_be_ended(arguments) else unanswered(arguments)


def wants_json(arguments: Sequence[str]) -> bool:
    """Errors are JSON lines."""
    return "--json" in arguments or "jsonl" in arguments or "--format=jsonl" in arguments


def say_undone(arguments: Sequence[str], by: signal.Signals | None) -> None:
    """The last words of who does not get any further."""
    if by is not signal.SIGINT and not _may_be_ended(arguments):
        with suppress(OSError):  # closed, full or gone
            os.write(STDERR, (_JSON if wants_json(arguments) else _PLAIN).encode())
