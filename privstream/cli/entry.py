"""The root of the command line: its commands, and what becomes of every error.

The one rule: an error is one line that says who refused what and what to do, with
the exit code that the contract gives it.
"""

import errno
import signal
import sys
from collections.abc import Sequence
from functools import partial
from io import TextIOWrapper
from itertools import dropwhile
from types import TracebackType
from typing import Any

import typer

from privstream.cli import completion
from privstream.cli.commands import COMMANDS, EPILOG, HELP
from privstream.cli.lazy import LazyGroup
from privstream.cli.outside import Process
from privstream.cli.stopping import (
    code_of_stop,
    may_be_left,
    say_undone,
    unanswered,
    wants_json,
)
from privstream.delivery.signals import Signals, Stop, Stopped
from privstream.model.errors import Exit, Interrupted, OutputFailed, PrivstreamError, UsageError
from privstream.model.nearest import suggestion
from privstream.outputs.base import NotTaken, ReaderGone
from privstream.outputs.descriptor import discard_stdout

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})

# Typer brings its own Click since 0.24; the ancestors of BadParameter are UsageError and
# ClickException in both.
CLICK_FAULT: type[Exception] = typer.BadParameter.__mro__[2]


def run(
    arguments: Sequence[str], stop: Stop | None = None, closed: frozenset[int] = frozenset()
) -> int:
    """Run a command line; returns the exit code. Without `stop` the process's signals are taken.

    `closed` are the standard streams that were closed at the start.
    """
    if stop is None:
        with Signals() as signals:
            return run(arguments, signals, closed)
    process, arguments = Process(stop, closed), _spelt_out(arguments)
    stop.code = lambda: code_of_stop(arguments, stop.by)
    stop.last_words = lambda: say_undone(arguments, stop.by)
    sys.excepthook = partial(_tell_bug, arguments)
    _spell_out_what_stdout_cannot_show()
    try:
        code = _run(arguments, process)
    except Stopped:
        return _stopped(arguments, stop)
    except (ReaderGone, NotTaken):
        discard_stdout()
        return _unread(arguments, stop)
    except PrivstreamError as error:
        if isinstance(error, Interrupted) and error.cause == "stopped" and stop.is_told():
            return _stopped(arguments, stop)
        _fail(error, arguments)
        return error.exit
    return Exit.INTERRUPTED if code == Exit.DONE and stop.by is signal.SIGINT else code


def _spelt_out(arguments: Sequence[str]) -> Sequence[str]:
    """`help COMMAND` is `COMMAND --help`."""
    rest = list(dropwhile("help".__eq__, arguments))
    return [*rest, "--help"] if len(rest) < len(arguments) else arguments


def _stopped(arguments: Sequence[str], stop: Stop) -> int:
    say_undone(arguments, stop.by)
    return code_of_stop(arguments, stop.by)


def _unread(arguments: Sequence[str], stop: Stop) -> int:
    """Nobody reads stdout any more, or not in the time that was left."""
    if stop.is_told():
        return _stopped(arguments, stop)
    if may_be_left(arguments):
        return Exit.DONE
    _fail(Interrupted("nobody read what it had to say"), arguments)
    return unanswered(arguments)


def _run(arguments: Sequence[str], process: Process) -> int:
    group = LazyGroup(name="privstream", lazy=COMMANDS, help=HELP, epilog=EPILOG)
    try:
        if completion.VARIABLE in process.variables:
            return completion.answer(group, process)
        if arguments[:1] and arguments[0] in completion.OPTIONS:
            return completion.script(arguments, process.variables)
        code = group.main(
            args=list(arguments),
            prog_name="privstream",
            standalone_mode=False,
            obj=process,
            help_option_names=["--help", "-h"],
        )
        _flush_stdout()
    except CLICK_FAULT as fault:
        raise _usage_error(fault, arguments) from None
    except (BrokenPipeError, SystemExit):  # the latter is what Click makes of the former
        raise ReaderGone from None
    except OSError as problem:
        if problem.errno not in FULL:
            raise
        discard_stdout()
        hint = "make room there, and start again"
        raise OutputFailed(f"cannot write: {problem.strerror}", hint) from None
    except typer.Abort:
        return Exit.INTERRUPTED
    return int(code or Exit.DONE)


def _flush_stdout() -> None:
    """What help was printed is out, or said not to be."""
    if sys.stdout is not None:  # it was closed
        sys.stdout.flush()


def _spell_out_what_stdout_cannot_show() -> None:
    """Help has signs that an old terminal's encoding may lack."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


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


def _usage_error(fault: BaseException, arguments: Sequence[str]) -> PrivstreamError:
    context = getattr(fault, "ctx", None)
    message = fault.format_message() if hasattr(fault, "format_message") else str(fault)
    if context is not None and type(fault).__name__ == "NoArgsIsHelpError":
        return _lost(context, arguments)
    if possible := getattr(fault, "possibilities", None):
        return UsageError(message.partition(" (")[0], suggestion(fault.option_name, possible))  # type: ignore[attr-defined]  # it is NoSuchOption
    path = context.command_path if context is not None else _begun(arguments)
    if hasattr(fault, "option_name") and isinstance(context and context.command, LazyGroup):
        return UsageError(
            message, f"options stand at the end; {path} --help lists what comes first"
        )
    return UsageError(message.rstrip("."), f"see {path} --help")


def _begun(arguments: Sequence[str]) -> str:
    """The command that a line begins with, where its parser does not say."""
    return " ".join(["privstream", *(one for one in arguments[:1] if one in COMMANDS)])


def _lost(context: Any, arguments: Sequence[str]) -> PrivstreamError:
    """Nothing was asked for: all that can be, on stderr, and what may come first."""
    from privstream.app.next_step import next_step  # noqa: PLC0415 - start-up time
    from privstream.outputs.stderr import Stderr  # noqa: PLC0415

    if not wants_json(arguments):
        Stderr(sys.stderr).write(f"{context.get_help()}\n\n")
    variables = context.find_root().obj.variables
    return UsageError("what shall I do?", next_step(variables, context.info_name))


def _fail(error: PrivstreamError, arguments: Sequence[str]) -> None:
    from privstream.outputs.status_line import StatusLine  # noqa: PLC0415 - start-up time

    line = StatusLine(sys.stderr, animated=False, quiet=False)
    line.fail(error, as_json=wants_json(arguments))
