"""`privstream run`: every account and sink of the config, as a service."""

from typing import Annotated

import typer

from privstream.cli import options as o
from privstream.cli.demo import Rate, Seed
from privstream.cli.outside import environment_of
from privstream.model.errors import Interrupted, PrivstreamError


def run(
    context: typer.Context,
    *,
    accounts: o.AccountNames = None,
    ha: Annotated[
        bool,
        typer.Option(
            "--ha",
            help="Share the accounts with other hosts, over the NATS JetStream of [ha].",
        ),
    ] = False,
    raw: o.Raw = False,
    audit: o.Audit = "5m",
    duration: o.Duration = None,
    simulate: o.Simulate = False,
    rate: Rate = 2.0,
    seed: Seed = 1,
    json: Annotated[bool, typer.Option("--json", help="Errors on stderr as JSON lines.")] = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    debug: o.Debug = False,
    utc: o.Utc = False,
) -> int:
    """Stream every account of the config into its sinks, as a service; nothing on stdout.

    It goes on where it stopped, tells systemd how it does, and reads its config again on SIGHUP.
    """
    from privstream.app.run import Request  # noqa: PLC0415 - start-up time
    from privstream.app.run import run as serve  # noqa: PLC0415

    environment = environment_of(
        context,
        quiet=quiet,
        verbose=verbose,
        debug=debug,
        as_json=json,
        plain=True,
        utc=utc,
    )
    try:
        return serve(
            environment,
            Request(
                accounts=o.readable(accounts) or None,
                raw=raw,
                audit=audit,
                duration=duration,
                simulate=simulate,
                rate=o.finite("--rate", rate),
                seed=seed,
                ha=ha,
            ),
        )
    except Interrupted:
        raise
    except PrivstreamError as problem:  # a line of the log like the others
        environment.console.fail(problem)
        return problem.exit
