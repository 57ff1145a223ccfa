"""The options that commands share, each defined once."""

import math
from typing import Annotated

import typer

from privstream.cli.completion import account_names
from privstream.model.errors import UsageError
from privstream.outputs.console import Format


def readable(names: list[str] | None) -> list[str]:
    """Names of accounts, which no JSON line could hold as they are where they are no UTF-8."""
    return [name.encode(errors="backslashreplace").decode() for name in names or ()]


FASTEST = 50_000
"""Happenings a second in a simulated account."""


def finite(option: str, number: float) -> float:
    """The number, unless it is none: Click's limits let `nan` and `inf` through."""
    if not math.isfinite(number):
        raise UsageError(f"{option} takes a number, not {number}")
    return number


Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing on stderr but errors.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say more on stderr.")]
Debug = Annotated[bool, typer.Option("--debug", help="Say everything on stderr, frames included.")]
Json = Annotated[bool, typer.Option("--json", help="JSON lines; errors on stderr as JSON too.")]
NoColor = Annotated[bool, typer.Option("--no-color", help="No colour and no animation.")]
Utc = Annotated[bool, typer.Option("--utc", help="Times in UTC instead of local ones.")]
AccountName = Annotated[
    str | None,
    typer.Option(
        "--account",
        "-a",
        metavar="NAME",
        help="Which configured account.",
        autocompletion=account_names,
    ),
]
AccountNames = Annotated[
    list[str] | None,
    typer.Option(
        "--account",
        "-a",
        metavar="NAME",
        help="Only this account (repeatable).",
        autocompletion=account_names,
    ),
]
FormatOption = Annotated[
    Format | None,
    typer.Option("--format", "-f", help="Default: pretty on a terminal, else jsonl."),
]
Raw = Annotated[bool, typer.Option("--raw", help="Put the exchange's own element into each event.")]
Symbols = Annotated[
    list[str] | None,
    typer.Option("--symbol", "-s", metavar="SYMBOL", help="Only these symbols (repeatable)."),
]
Fields = Annotated[
    str | None,
    typer.Option("--fields", metavar="A,B,…", help="Only these columns, named like JSON keys."),
]
Notify = Annotated[
    str | None,
    typer.Option("--notify", metavar="desktop|bell", help="Tell me when I am not looking."),
]
Only = Annotated[
    str | None,
    typer.Option(
        "--only",
        metavar="KINDS",
        help="Of what to tell, and what the sinks of --to get: fills, orders, balances, positions,"
        " prices, notices, gaps, silence (not connected for 30 s; of sinks: states, with --status)."
        "  [default: fills,gaps,silence; of sinks: all]",
    ),
]
MinValue = Annotated[
    list[str] | None,
    typer.Option(
        "--min-value",
        metavar="1000EUR",
        help="No smaller fills: by cost in that currency, or by quantity where it is the"
        " base; fills in other currencies count whatever they are worth (repeatable).",
    ),
]
NoSnapshot = Annotated[
    bool, typer.Option("--no-snapshot", help="Leave out what stood when we connected.")
]
Count = Annotated[
    int | None, typer.Option("--count", min=1, metavar="N", help="Stop after N printed lines.")
]
Duration = Annotated[
    str | None, typer.Option("--duration", metavar="30s", help="Stop so long after the start.")
]
To = Annotated[
    list[str] | None,
    typer.Option(
        "--to",
        metavar="URL",
        help="Also deliver there: file:PATH, sqlite:PATH, https://…, or a [sinks.NAME] (repeatable).",
    ),
]
ShowStatus = Annotated[
    bool, typer.Option("--status", help="Put connection states into the stream.")
]
MaxRetries = Annotated[
    int | None,
    typer.Option(
        "--max-retries", min=0, metavar="N", help="Give up after N failed connects in a row."
    ),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on where the last run with --resume stopped.")
]
Live = Annotated[
    bool, typer.Option("--live", help="A full-screen view instead of lines; ? shows its keys.")
]
Privacy = Annotated[
    bool, typer.Option("--privacy", help="Mask amounts and ids on the screen, nowhere else.")
]
Simulate = Annotated[
    bool, typer.Option("--simulate", help="Against an embedded simulator; needs no key.")
]
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="2h", help="First read back from then: 2h, today, a time."),
]
Audit = Annotated[
    str,
    typer.Option(
        "--audit",
        metavar="5m",
        help="How often the stream is compared with REST; 0: never.  [default: 5m]",
        show_default=False,
    ),
]
