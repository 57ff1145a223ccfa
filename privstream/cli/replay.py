"""`privstream replay FILE`: the command line of it."""

from typing import Annotated

import typer

from privstream.cli import completion
from privstream.cli import options as o
from privstream.cli.outside import environment_of
from privstream.outputs.console import Format


def replay(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A recording; - is standard input.")],
    *,
    exchange: Annotated[
        str | None,
        typer.Option(
            "--exchange",
            metavar="NAME",
            help="Bare frames, one per line.",
            autocompletion=completion.exchange_names,
        ),
    ] = None,
    protocol: Annotated[
        str | None, typer.Option("--protocol", metavar="WORD", help="With --exchange: v1 or v2.")
    ] = None,
    format: o.FormatOption = None,  # noqa: A002 - the option's name
    json: o.Json = False,
    raw: o.Raw = False,
    symbol: o.Symbols = None,
    no_snapshot: o.NoSnapshot = False,
    fields: o.Fields = None,
    count: o.Count = None,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    debug: o.Debug = False,
    no_color: o.NoColor = False,
    utc: o.Utc = False,
) -> int:
    """Print the events of a recording, or of bare frames with --exchange."""
    from privstream.app.replay import ReplayRequest  # noqa: PLC0415 - start-up time
    from privstream.app.replay import replay as carry_out  # noqa: PLC0415

    environment = environment_of(
        context,
        quiet=quiet,
        verbose=verbose,
        debug=debug,
        as_json=json or format is Format.JSONL,
        no_color=no_color,
        utc=utc,
    )
    request = ReplayRequest(
        file=file,
        exchange=exchange,
        protocol=protocol,
        raw=raw,
        symbols=tuple(symbol or ()),
        snapshot=not no_snapshot,
        fields=fields,
        count=count,
    )
    return carry_out(environment, request, environment.format(format, json=json))
