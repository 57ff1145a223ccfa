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

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from privstream.cli import options as o

if TYPE_CHECKING:  # start-up time
    from privstream.doctor.account import Equip
    from privstream.doctor.findings import Finding
    from privstream.outputs.console import Voice

STDOUT = 1
Accounts = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ACCOUNT]...", help="Only these accounts.  [default: all]"),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only what is not well.")]
Json = Annotated[bool, typer.Option("--json", help="JSON lines, as in a pipe.")]


def doctor(
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
    from privstream.doctor.findings import worst  # noqa: PLC0415
    from privstream.outputs.console import Voice  # noqa: PLC0415

    as_json = json or not os.isatty(STDOUT)
    voice = Voice(quiet=quiet, verbose=verbose or debug, debug=debug, as_json=as_json)
    printer = LinePrinter() if as_json else PagePrinter(no_color=no_color)
    found: list[Finding] = []
    for finding in examine(os.environ, accounts or (), _equip(voice), SystemClock()):
        if not quiet or finding.level != "ok":
            printer.show(finding)
        found.append(finding)
    if not (as_json or quiet):
        sys.stderr.write(_summary(found))
    return worst(found)


def _equip(voice: "Voice") -> "Equip":
    """The way out of an account, as a stream has it."""
    from privstream.app.assembly import errand_for, tokens_for  # noqa: PLC0415 - start-up time
    from privstream.doctor.account import Equipment  # noqa: PLC0415
    from privstream.model.account import Account  # noqa: PLC0415

    def equip(account: Account) -> Equipment:
        def note(text: str) -> None:
            voice.note(f"{account.name}: {text}")

        errand = errand_for(account, note=note, tap=voice.tap(None))
        tokens = tokens_for(errand.exchange, errand.rest, errand.clock, errand.stop, note=note)
        return Equipment(errand, tokens)

    return equip


def _summary(found: "list[Finding]") -> str:
    counts = {level: sum(f.level == level for f in found) for level in ("error", "warning")}
    told = [f"{n} {level}{'' if n == 1 else 's'}" for level, n in counts.items() if n]
    return f"\n{' and '.join(told) or 'All is well'}.\n"
