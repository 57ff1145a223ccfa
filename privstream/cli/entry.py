"""The root of the command line: its commands, and what becomes of every error.

The one rule: an error is one line that says who refused what and what to do, with
the exit code that the contract gives it.
"""

import errno
import sys
from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import Any

import typer

from privstream.cli.lazy import CommandSource, LazyGroup
from privstream.delivery import signals
from privstream.model.errors import Exit, Interrupted, PrivstreamError, UsageError
from privstream.outputs.base import ReaderGone
from privstream.outputs.descriptor import STDOUT, discard_stdout, occupy_closed_streams


def _watch() -> Any:
    from privstream.cli.watch import group  # noqa: PLC0415 - start-up time

    return group()


def _record() -> Any:
    from privstream.cli.record import group  # noqa: PLC0415 - start-up time

    return group()


def _wait() -> Any:
    from privstream.cli.wait import group  # noqa: PLC0415 - start-up time

    return group()


def _order() -> Any:
    from privstream.cli.order import group  # noqa: PLC0415 - start-up time

    return group()


def _accounts() -> Any:
    from privstream.cli.accounts import group  # noqa: PLC0415 - start-up time

    return group()


def _token() -> Any:
    from privstream.cli.token import group  # noqa: PLC0415 - start-up time

    return group()


COMMANDS: dict[str, tuple[str, CommandSource]] = {
    "watch": ("Stream an account's own events.", _watch),
    "wait": ("Wait until an order is filled, or gets where you want it.", _wait),
    "token": ("For cron: check, show and renew session tokens.", _token),
    "order": ("Place, cancel and look at orders.", _order),
    "record": ("Watch, and keep every frame in a file.", _record),
    "replay": ("Turn a recording, or bare frames, into events.", "privstream.cli.replay:replay"),
    "demo": ("Watch a simulated account: no key, no network.", "privstream.cli.demo:demo"),
    "doctor": ("Say what is wrong here, and how to mend it.", "privstream.cli.doctor:doctor"),
    "simulate": ("Serve simulated exchanges on loopback.", "privstream.cli.simulate:simulate"),
    "accounts": ("Add, list and remove accounts.", _accounts),
    "schema": ("Print the JSON Schema of the events.", "privstream.cli.schema:schema"),
}
READ = frozenset({"watch", "record", "replay", "demo", "schema"})
"""Commands that are for nothing where nobody reads stdout; of others the exit code tells."""
EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
HELP = """Stream your own exchange account events: orders, fills, balances, positions.

Readable in a terminal, one JSON object per line in a pipe."""

# Typer brings its own Click since 0.24; the ancestors of BadParameter are UsageError and
# ClickException in both.
CLICK_FAULT: type[Exception] = typer.BadParameter.__mro__[2]


def run(arguments: Sequence[str]) -> int:
    """Run a command line; returns the exit code."""
    if STDOUT in occupy_closed_streams() and not READ.isdisjoint(arguments[:1]):
        return Exit.DONE
    signals.take_over()
    sys.excepthook = partial(_tell_bug, arguments)
    try:
        return _run(arguments)
    except PrivstreamError as error:
        _fail(error, arguments)
        return error.exit
    except ReaderGone:
        discard_stdout()
        return Exit.DONE
    except KeyboardInterrupt:
        return signals.leave(Exit.INTERRUPTED)
    except signals.Terminated:
        return signals.leave(_stopped(arguments))


def _stopped(arguments: Sequence[str]) -> Exit:
    """The exit code of a command that was told to stop."""
    code = signals.code_of_stop(arguments)
    if code:
        _fail(Interrupted("told to stop before it was done"), arguments)
    return code


def _run(arguments: Sequence[str]) -> int:
    group = LazyGroup(name="privstream", lazy=COMMANDS, help=HELP, epilog=EPILOG)
    try:
        code = group.main(args=list(arguments), prog_name="privstream", standalone_mode=False)
    except CLICK_FAULT as fault:
        raise _usage_error(fault) from None
    except typer.Abort:
        return Exit.INTERRUPTED
    return int(code or Exit.DONE)


EPILOG = "privstream COMMAND --help says more; privstream --version says which one this is."


def _tell_bug(
    arguments: Sequence[str],
    kind: type[BaseException],
    bug: BaseException,
    trace: TracebackType | None,
) -> None:
    """A bug of ours is one sentence too; the traceback comes with --debug."""
    if isinstance(bug, MemoryError) or (isinstance(bug, OSError) and bug.errno in EXHAUSTED):
        problem = "this computer gives privstream no more memory or open files"
        _fail(PrivstreamError(problem, "raise its limits (ulimit -n, ulimit -v)"), arguments)
    else:
        hint = "this is a bug: run it again with --debug and report what it prints"
        _fail(PrivstreamError(f"internal error: {kind.__name__}: {bug}", hint), arguments)
    if "--debug" in arguments:
        sys.__excepthook__(kind, bug, trace)


def _usage_error(fault: BaseException) -> PrivstreamError:
    context = getattr(fault, "ctx", None)
    message = fault.format_message() if hasattr(fault, "format_message") else str(fault)
    if context is not None and type(fault).__name__ == "NoArgsIsHelpError":
        return UsageError("what shall I do?", f"{context.command_path} --help lists it")
    path = context.command_path if context is not None else "privstream"
    return UsageError(message.rstrip("."), f"see {path} --help")


def _fail(error: PrivstreamError, arguments: Sequence[str]) -> None:
    from privstream.outputs.status_line import StatusLine  # noqa: PLC0415 - start-up time

    as_json = "--json" in arguments or "jsonl" in arguments or "--format=jsonl" in arguments
    StatusLine(sys.stderr, animated=False, quiet=False).fail(error, as_json=as_json)
