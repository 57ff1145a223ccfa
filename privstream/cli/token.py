"""`privstream token check / show / refresh`: the session tokens of the accounts.

The one rule: made for cron. Every wait ends, one line per account goes to stdout, and the
exit code is the worst account's.
"""

from typing import Annotated, Any

import typer

from privstream.cli import completion
from privstream.cli import options as o
from privstream.cli.lazy import LazyGroup, as_command
from privstream.cli.outside import environment_of

HELP = "Check, show and renew the session tokens of your accounts."
Accounts = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ACCOUNT]...",
        help="Default: all that are configured.",
        autocompletion=completion.account_names,
    ),
]
OneAccount = Annotated[
    str,
    typer.Argument(
        metavar="ACCOUNT", help="A configured account.", autocompletion=completion.account_names
    ),
]
MinTtl = Annotated[
    str,
    typer.Option("--min-ttl", metavar="2m", help="Renew a token that has less than this left."),
]
Reveal = Annotated[bool, typer.Option("--reveal", help="Print the token itself.")]
Silent = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print nothing; what failed is said on stderr.")
]


def group() -> Any:
    """The group of the subcommands."""
    lazy = {
        "check": (
            "For cron: is a usable token or login there? Renews what runs out.",
            lambda: as_command(check, "check"),
        ),
        "show": ("Look at the token in the cache.", lambda: as_command(show, "show")),
        "refresh": ("Fetch a new token now.", lambda: as_command(refresh, "refresh")),
    }
    return LazyGroup(name="token", lazy=lazy, help=HELP)


def check(
    context: typer.Context,
    accounts: Accounts = None,
    *,
    min_ttl: MinTtl = "2m",
    json: o.Json = False,
    quiet: Silent = False,
    verbose: o.Verbose = False,
    debug: o.Debug = False,
    no_color: o.NoColor = False,
    utc: o.Utc = False,
) -> int:
    """Say of each account whether it can log in; the exit code is the worst.

    A token with less than --min-ttl left is renewed. Where an exchange has no tokens it is
    logged in and out. Ends within 30 seconds.
    """
    from privstream.app import check_logins  # noqa: PLC0415 - start-up time
    from privstream.app.durations import seconds  # noqa: PLC0415
    from privstream.app.token_lines import TokenLines  # noqa: PLC0415

    environment = environment_of(
        context,
        quiet=quiet,
        verbose=verbose,
        debug=debug,
        as_json=json,
        no_color=no_color,
        utc=utc,
    )
    least = seconds(min_ttl)
    config, names = check_logins.configured(environment, o.readable(accounts))
    lines = TokenLines(environment, names, json=json, silent=quiet)
    return lines.print(check_logins.check_accounts(environment, config, names, least))


def show(
    context: typer.Context,
    account: OneAccount,
    *,
    reveal: Reveal = False,
    json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    debug: o.Debug = False,
    no_color: o.NoColor = False,
    utc: o.Utc = False,
) -> int:
    """Show the token in the cache, masked unless --reveal is given. Asks the exchange nothing."""
    from privstream.app import check_logins  # noqa: PLC0415 - start-up time
    from privstream.app.token_lines import TokenLines  # noqa: PLC0415

    environment = environment_of(
        context,
        quiet=quiet,
        verbose=verbose,
        debug=debug,
        as_json=json,
        no_color=no_color,
        utc=utc,
    )
    lines = TokenLines(environment, (account,), json=json)
    return lines.print([check_logins.kept(environment, account, reveal=reveal)])


def refresh(
    context: typer.Context,
    account: OneAccount,
    *,
    json: o.Json = False,
    quiet: Silent = False,
    verbose: o.Verbose = False,
    debug: o.Debug = False,
    no_color: o.NoColor = False,
    utc: o.Utc = False,
) -> int:
    """Fetch a new token, whatever is left of the one in the cache, and keep it there."""
    from privstream.app import check_logins  # noqa: PLC0415 - start-up time
    from privstream.app.token_lines import TokenLines  # noqa: PLC0415

    environment = environment_of(
        context,
        quiet=quiet,
        verbose=verbose,
        debug=debug,
        as_json=json,
        no_color=no_color,
        utc=utc,
    )
    lines = TokenLines(environment, (account,), json=json, silent=quiet)
    return lines.print([check_logins.refreshed(environment, account)])
