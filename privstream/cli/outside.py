"""How the process was started, and the environment that a command makes of it.

The one rule: this is the only place that looks at the process itself.
"""

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import typer

from privstream.delivery.signals import Stop

if TYPE_CHECKING:  # start-up time
    from datetime import tzinfo

    from privstream.app.environment import Environment

STDIN, STDOUT, STDERR = 0, 1, 2
NO_SCREEN = frozenset({"", "dumb", "unknown"})
LEVELS = ("quiet", "verbose", "debug", "no_color", "utc")


@dataclass(frozen=True)
class Process:
    """What is known before the command is."""

    stop: Stop
    closed: frozenset[int] = frozenset()
    """Standard streams that were closed at the start."""
    variables: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)


def taken_out(settings: dict[str, Any]) -> "Environment":
    """The environment of a command: what makes it up is taken out of the command's settings."""
    from privstream.outputs.console import Format  # noqa: PLC0415 - start-up time

    as_json = bool(settings.get("json")) or settings.get("format") is Format.JSONL
    levels = {name: bool(settings.pop(name, False)) for name in LEVELS}
    return environment_of(settings.pop("context"), as_json=as_json, **levels)


def environment_of(
    context: typer.Context,
    *,
    quiet: bool = False,
    verbose: bool = False,
    debug: bool = False,
    as_json: bool = False,
    no_color: bool = False,
    plain: bool = False,
    utc: bool = False,
) -> "Environment":
    """The environment of a command, by its options and its process.

    `plain`: its stderr is a log, whoever looks at it.
    """
    from datetime import UTC  # noqa: PLC0415 - start-up time

    from privstream.app.asking import Person  # noqa: PLC0415
    from privstream.app.environment import Environment  # noqa: PLC0415
    from privstream.outputs.console import Console  # noqa: PLC0415
    from privstream.outputs.terminal import can_redraw, is_lively  # noqa: PLC0415

    process: Process = context.find_root().obj
    variables = process.variables
    no_color = no_color or plain
    lively = [not no_color and is_lively(fd, variables) for fd in (STDOUT, STDERR)]
    zone = UTC if utc else None
    console = Console(
        sys.stderr,
        quiet=quiet,
        verbose=verbose,
        debug=debug,
        as_json=as_json,
        animated=not plain and can_redraw(STDERR, variables),
        colour=lively[1],
        shares_terminal=os.isatty(STDOUT),
        zone=zone,
        stamp=None if as_json or not plain or _is_in_journal(variables) else partial(_stamp, zone),
    )
    return Environment(
        variables=variables,
        stop=process.stop,
        stdin=sys.stdin,
        console=console,
        person=Person(console, process.stop, sys.stdin),
        stdout_is_open=STDOUT not in process.closed,
        stdout_is_terminal=os.isatty(STDOUT),
        colour=lively[0],
        zone=zone,
        why_no_screen=_why_no_screen(process),
        ascii_only=not _shows_every_sign(),
    )


def _stamp(zone: "tzinfo | None") -> str:
    """The beginning of a line of a log."""
    from datetime import UTC, datetime  # noqa: PLC0415 - start-up time

    return f"{datetime.now(UTC).astimezone(zone).isoformat(timespec='seconds')} "


def _is_in_journal(variables: Mapping[str, str]) -> bool:
    """Whether stderr goes to systemd's journal, which keeps the time of each line itself."""
    device, _, number = variables.get("JOURNAL_STREAM", "").partition(":")
    with suppress(OSError):
        there = os.fstat(STDERR)
        return (device, number) == (str(there.st_dev), str(there.st_ino))
    return False


def _why_no_screen(process: Process) -> str | None:
    for fd, what in ((STDIN, "standard input"), (STDOUT, "standard output")):
        if fd in process.closed or not os.isatty(fd):
            return f"{what} is no terminal"
    term = process.variables.get("TERM", "")
    return f"TERM={term} can show lines only" if term in NO_SCREEN else None


def _shows_every_sign() -> bool:
    return "utf" in (getattr(sys.stdout, "encoding", None) or "").lower()
