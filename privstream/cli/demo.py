"""`privstream demo`: the main job against an embedded simulator, without a key or a network."""

from typing import Annotated

import typer

from privstream.cli import options as o
from privstream.cli.outside import environment_of
from privstream.outputs.console import Format

Rate = Annotated[
    float, typer.Option("--rate", min=0.01, max=o.FASTEST, help="Happenings a second.")
]
Seed = Annotated[int, typer.Option("--seed", help="Another seed, another life.")]


def demo(
    context: typer.Context,
    *,
    rate: Rate = 3.0,
    seed: Seed = 1,
    format: o.FormatOption = None,  # noqa: A002 - the option's name
    json: o.Json = False,
    notify: o.Notify = None,
    only: o.Only = None,
    min_value: o.MinValue = None,
    fields: o.Fields = None,
    count: o.Count = None,
    duration: o.Duration = None,
    live: o.Live = False,
    privacy: o.Privacy = False,
    status: o.ShowStatus = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    debug: o.Debug = False,
    no_color: o.NoColor = False,
    utc: o.Utc = False,
) -> int:
    """Watch simulated accounts: no key, no network. Ctrl-C ends it."""
    from privstream.app.watch import ALL, Request, watch  # noqa: PLC0415 - start-up time

    environment = environment_of(
        context,
        quiet=quiet,
        verbose=verbose,
        debug=debug,
        as_json=json or format is Format.JSONL,
        no_color=no_color,
        utc=utc,
    )
    return watch(
        environment,
        Request(
            exchange=ALL,
            simulate=True,
            rate=o.finite("--rate", rate),
            seed=seed,
            format=format,
            json=json,
            notify=notify,
            only=only,
            min_value=min_value,
            fields=fields,
            count=count,
            duration=duration,
            live=live,
            privacy=privacy,
            status=status,
        ),
    )
