"""Start the program; `--version` is answered before anything else is loaded."""

import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line and leave with its exit code."""
    if sys.argv[1:] == ["--version"]:
        from privstream import __version__  # noqa: PLC0415 - start-up time

        sys.stdout.write(f"privstream {__version__}\n")
        return
    from privstream.delivery import signals  # noqa: PLC0415 - start-up time

    signals.take_over()
    try:
        from privstream.cli.entry import run  # noqa: PLC0415 - as above
        from privstream.settings.core_dumps import limit_core_dumps  # noqa: PLC0415 - as above

        signals.raise_again()
    except KeyboardInterrupt:  # while it loads; from then on `run` sees to it
        sys.exit(INTERRUPTED)
    except signals.Terminated:
        sys.exit(signals.code_of_stop(sys.argv[1:]))
    limit_core_dumps()
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
