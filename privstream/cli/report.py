"""`privstream report [ACCOUNT|all]`: the command line of it."""

from typing import Annotated

import typer

from privstream.cli import options as o
from privstream.cli.options import readable
from privstream.cli.outside import environment_of


def report(
    context: typer.Context,
    account: Annotated[
        str, typer.Argument(metavar="[ACCOUNT]", help="A configured account, or all.")
    ] = "all",
    *,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="7d", help="From when: 7d, today, 2026-11-01.  [default: today]"
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            "--until", metavar="TIME", help="Until when, of a day its beginning.  [default: now]"
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="Read a recording, or a `--to file:` or `--to sqlite:` output, instead.",
        ),
    ] = None,
    symbol: o.Symbols = None,
    json: o.Json = False,
    csv: Annotated[bool, typer.Option("--csv", help="Comma-separated values.")] = False,
    plot: Annotated[
        str | None,
        typer.Option("--plot", metavar="FILE.png|svg", help="Also draw it (extra `plot`)."),
    ] = None,
    simulate: o.Simulate = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    debug: o.Debug = False,
    no_color: o.NoColor = False,
    utc: o.Utc = False,
) -> int:
    """Sum up fills: volume, average prices, fees and net change, by symbol and day.

    Read over REST, or with --from out of a file. Sums are exact; averages have 16 digits.
    Exit 0: that is everything, as far as can be known. 5: something could not be read, and it
    is said what. A terminal gets a table, anything else JSON lines.
    """
    from privstream.app.report import ReportRequest  # noqa: PLC0415 - start-up time
    from privstream.app.report import report as carry_out  # noqa: PLC0415

    environment = environment_of(
        context,
        quiet=quiet,
        verbose=verbose,
        debug=debug,
        as_json=json,
        no_color=no_color,
        utc=utc,
    )
    request = ReportRequest(
        account=readable([account])[0],
        since=since,
        until=until,
        source=source,
        symbols=tuple(symbol or ()),
        json=json,
        csv=csv,
        plot=plot,
        simulate=simulate,
    )
    return carry_out(environment, request)
