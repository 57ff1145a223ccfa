"""Start the program; `--version`, `--help` and a shell's completion are answered before the rest is loaded."""

import errno
import os
import sys

STDOUT = 1


def main() -> None:
    """Run the command line and leave with its exit code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from privstream import __version__  # noqa: PLC0415 - start-up time

        _print(f"privstream {__version__}\n")
        return
    if sys.argv[1:] in (["--help"], ["-h"], ["help"]):
        from privstream.cli.commands import help_text  # noqa: PLC0415 - start-up time

        _print(help_text(_columns()))
        return
    if asked := os.environ.get("_PRIVSTREAM_COMPLETE"):
        from privstream.cli.quick_completion import answer  # noqa: PLC0415 - start-up time

        if known := answer(os.environ, asked):
            text, code = known
            _print(text)
            _leave(code)
    import signal  # noqa: PLC0415 - start-up time

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Until ours is there, which says more, Ctrl-C ends without a traceback.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from privstream.outputs.standard_streams import occupy_closed_streams  # noqa: PLC0415 - start-up time

    closed = occupy_closed_streams()
    from privstream.cli.stopping import code_of_stop, say_undone  # noqa: PLC0415 - as above
    from privstream.delivery.signals import Signals  # noqa: PLC0415 - as above

    arguments, stop = sys.argv[1:], Signals()
    stop.code = lambda: code_of_stop(arguments, stop.by)
    stop.last_words = lambda: say_undone(arguments, stop.by)
    stop.__enter__()  # and never given back
    from privstream.cli.entry import run  # noqa: PLC0415 - as above
    from privstream.settings.core_dumps import limit_core_dumps  # noqa: PLC0415 - as above

    limit_core_dumps()
    code = run(arguments, stop, closed)
    stop.over()
    _leave(code)


def _print(text: str) -> None:
    """Say it on stdout, where that is open and somebody reads."""
    try:
        os.write(STDOUT, text.encode())
    except OSError as problem:
        if problem.errno not in {errno.EPIPE, errno.EBADF}:
            sys.exit(f"privstream: cannot write: {problem.strerror}")


def _columns() -> int:
    """As `shutil.get_terminal_size`, which loads five archive formats."""
    stated = os.environ.get("COLUMNS", "")
    if stated.isdecimal() and int(stated):
        return int(stated)
    try:
        return os.get_terminal_size(STDOUT).columns or 80
    except OSError:
        return 80


def _leave(code: int) -> None:
    """End at once: what the interpreter takes apart at its end, the system frees in no time.

    It is a fifth of all that `--help` costs, and nothing of ours is done there.
    """
    from contextlib import suppress  # noqa: PLC0415 - start-up time

    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # it was closed
            with suppress(OSError):  # what was to be told of that was told
                stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
