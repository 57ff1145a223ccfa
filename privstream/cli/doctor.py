"""`privstream doctor [ACCOUNT]...`: what is wrong here, and how to mend it.

On a terminal it prints marked lines, by account; otherwise, or with --json, one JSON object per
check, with the keys

    account, exchange   whom it concerns; null for what concerns all
    check               version libraries config override state_folder cache_folder environment
                        account credentials resume rest_host socket_host history_host clock key
                        right token login channel connects read_only deadline
    ok                  false for an error, null where it could not be found out, else true
    level               ok, warning, error or skipped
    message, hint       what was found, and what mends it (null where nothing needs to be)

The exit code is that of the worst error: 3 configuration, 4 refused, 5 unreachable; warnings
and what was skipped do not fail.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from privstream.cli import completion
from privstream.cli import options as o
from privstream.cli.outside import environment_of
from privstream.model.errors import Exit
from privstream.outputs.base import NotTaken, ReaderGone
from privstream.outputs.console import Format
from privstream.outputs.descriptor import discard_stdout

if TYPE_CHECKING:  # start-up time
    from privstream.app.environment import Environment
    from privstream.doctor.account import Equip
    from privstream.doctor.findings import Finding

Accounts = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ACCOUNT]...",
        help="Only these accounts.  [default: all]",
        autocompletion=completion.account_names,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only what is not well.")]
Json = Annotated[bool, typer.Option("--json", help="JSON lines, as in a pipe.")]


def doctor(
    context: typer.Context,
    *,
    accounts: Accounts = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: o.Verbose = False,
    debug: o.Debug = False,
    no_color: o.NoColor = False,
) -> int:
    """Check configuration, files, network, clock, logins and rights; say how to mend each."""
    from privstream.cli.findings import LinePrinter, PagePrinter  # noqa: PLC0415 - start-up time
    from privstream.connection.clock import SystemClock  # noqa: PLC0415
    from privstream.doctor.examination import examine  # noqa: PLC0415
    from privstream.doctor.findings import SEVERITY, worst  # noqa: PLC0415

    environment = environment_of(
        context, quiet=quiet, verbose=verbose, debug=debug, as_json=json, no_color=no_color
    )
    readable = environment.format(None, json=json) is Format.PRETTY
    printer = PagePrinter(environment) if readable else LinePrinter(environment)
    found: list[Finding] = []
    unread = Exit.DONE
    examination = examine(
        environment.variables,
        o.readable(accounts),
        _equip(environment),
        SystemClock(),
        stop=environment.stop,
    )
    for finding in examination:
        found.append(finding)
        if unread is Exit.DONE and not (quiet and finding.level == "ok"):
            try:
                printer.show(finding)
            except (ReaderGone, NotTaken):
                # It goes on for its exit code, which cannot be 0 for who was not told.
                discard_stdout()
                unread = Exit.UNREACHABLE
    if readable and not quiet:
        environment.console.ask(_summary(found))
    return max(worst(found), unread, key=SEVERITY.index)


def _equip(environment: "Environment") -> "Equip":
    """The way out of an account, as a stream has it."""
    from privstream.app.assembly import client_for, tokens_for  # noqa: PLC0415 - start-up time
    from privstream.doctor.account import Equipment  # noqa: PLC0415
    from privstream.model.account import Account  # noqa: PLC0415

    def equip(account: Account) -> Equipment:
        client = client_for(environment, account)
        tokens = tokens_for(
            environment, client.exchange, client.rest, client.clock, client.stop, note=client.note
        )
        return Equipment(client, tokens)

    return equip


def _summary(found: "list[Finding]") -> str:
    counts = {level: sum(f.level == level for f in found) for level in ("error", "warning")}
    told = [f"{n} {level}{'' if n == 1 else 's'}" for level, n in counts.items() if n]
    return f"\n{' and '.join(told) or 'All is well'}.\n"
