"""`privstream accounts add / list / remove`: which accounts there are, and where their keys are.

The one rule: no option and no argument takes a secret; whoever looks over a shoulder, into the
shell's history or at the list of processes learns nothing.
"""

import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from privstream import exchanges
from privstream.cli import completion
from privstream.cli import options as o
from privstream.cli.commands import CommandSource
from privstream.cli.lazy import LazyGroup, as_command
from privstream.cli.outside import environment_of, taken_out
from privstream.model.errors import UsageError
from privstream.outputs.console import Format

if TYPE_CHECKING:  # start-up time
    from privstream.app.environment import Environment

SUMMARY = "Add, list and remove accounts and their credentials."
Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="What --account takes.", autocompletion=completion.account_names
    ),
]
NewName = Annotated[
    str | None,
    typer.Argument(
        metavar="[NAME]",
        help="What --account takes; mostly the exchange's own name. Asked for on a terminal.",
        autocompletion=completion.exchange_names,
        show_default=False,
    ),
]
ExchangeName = Annotated[
    str | None,
    typer.Option("--exchange", metavar="NAME", help="Where it is.  [default: like the account]"),
]
KeepWhere = Annotated[
    str | None,
    typer.Option(
        "--keep",
        metavar="WHERE",
        help="keyring; config: in the config file, mode 0600; or env, file, command: only note "
        "where it is. Asked for on a terminal.",
    ),
]
Env = Annotated[
    list[str] | None,
    typer.Option("--env", metavar="CRED=NAME", help="This credential is in that variable."),
]
File = Annotated[
    list[str] | None,
    typer.Option("--file", metavar="CRED=PATH", help="It is in that file, of mode 0600."),
]
Command = Annotated[
    list[str] | None,
    typer.Option(
        "--command", metavar="CRED=LINE", help="That command prints it: 'api_key=pass show key'."
    ),
]
FromStdin = Annotated[
    bool,
    typer.Option(
        "--from-stdin",
        help="Read the credentials from standard input, one per line: api_key, api_secret, then "
        "what is optional (Kraken: otp). Those of --env, --file, --command are left out.",
    ),
]
ReadOnly = Annotated[
    bool | None,
    typer.Option(
        "--read-only/--no-read-only",
        help="Whether privstream refuses to place orders with it. Recommended.",
        show_default=False,
    ),
]
Replace = Annotated[
    bool, typer.Option("--replace", help="New credentials for an account that exists already.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def group() -> Any:
    """The group of the subcommands."""
    lazy: dict[str, tuple[str, CommandSource]] = {
        "add": ("Add an account; asks for its credentials.", lambda: as_command(_add(), "add")),
        "list": ("Which accounts there are, and where their keys are.", f"{__name__}:list_"),
        "remove": ("Remove an account.", f"{__name__}:remove"),
    }
    return LazyGroup(name="accounts", lazy=lazy, help=SUMMARY)


# --- add -----------------------------------------------------------------------------------


def _add() -> Callable[..., int]:
    """The command, with the options of all exchanges, for Typer to read."""
    own = dict(_exchange_options())

    def add(**settings: Any) -> int:
        given = {name: settings.pop(name) for name in own}
        return _run_add({k: v for k, v in given.items() if v is not None}, **settings)

    common = inspect.signature(_common, eval_str=True).parameters.values()
    parameters = [*common, *own.values()]
    add.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # Typer reads it
    add.__annotations__ = {p.name: p.annotation for p in parameters}
    add.__doc__ = (
        "Add an account: says which rights its key should have, asks for its credentials without "
        "showing them, and keeps them where you like."
    )
    return add


def _exchange_options() -> Iterator[tuple[str, inspect.Parameter]]:
    described: dict[str, list[str]] = {}
    for name in exchanges.names():
        kind = exchanges.find(name)
        for option in kind.options:
            words = f"{kind.title}: {' or '.join(option.choices)}"
            described.setdefault(option.name, []).append(words)
    for name, exchange_words in described.items():
        option = typer.Option(
            f"--{name.replace('_', '-')}", metavar="WORD", help="; ".join(exchange_words)
        )
        yield (
            name,
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=None,
                annotation=Annotated[str | None, option],
            ),
        )


def _common(
    *,
    context: typer.Context,
    name: NewName = None,
    exchange: ExchangeName = None,
    keep: KeepWhere = None,
    env: Env = None,
    file: File = None,
    command: Command = None,
    from_stdin: FromStdin = False,
    read_only: ReadOnly = None,
    replace: Replace = False,
    json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    debug: o.Debug = False,
    no_color: o.NoColor = False,
) -> None:
    """The options that every exchange has; only its signature is used."""


def _run_add(
    options: dict[str, str],
    *,
    keep: str | None,
    env: list[str] | None,
    file: list[str] | None,
    command: list[str] | None,
    **settings: Any,
) -> int:
    from privstream.app.add_account import Adding, Request  # noqa: PLC0415 - start-up time
    from privstream.app.credential_input import Keep  # noqa: PLC0415
    from privstream.app.list_accounts import print_lines, row_of  # noqa: PLC0415

    environment = taken_out(settings)
    json = settings.pop("json")
    if keep is not None and keep not in tuple(Keep):
        raise UsageError(f"--keep takes one of: {', '.join(Keep)}")
    name = settings.pop("name") or _asked_name(environment)
    request = Request(
        name=name,
        options=options,
        keep=None if keep is None else Keep(keep),
        places={
            Keep.ENV: env or [],
            Keep.FILE: file or [],
            Keep.COMMAND: command or [],
        },
        **settings,
    )
    config = Adding(environment, request).run()
    if json:
        print_lines([row_of(config.accounts[request.name], config)])
    return 0


def _asked_name(environment: "Environment") -> str:
    names = exchanges.names()
    if not environment.person.is_there():
        hint = f"mostly that of its exchange: privstream accounts add {names[0]}"
        raise UsageError("which name shall the account have?", hint)
    return environment.person.choice("Exchange", names, "")


# --- list ----------------------------------------------------------------------------------


def list_(
    context: typer.Context,
    *,
    json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    debug: o.Debug = False,
    no_color: o.NoColor = False,
) -> int:
    """List the accounts: where each credential comes from. Fetches nothing, shows no secret."""
    from privstream.app.list_accounts import print_lines, print_table, rows  # noqa: PLC0415 - start-up time
    from privstream.settings.config import load  # noqa: PLC0415

    environment = environment_of(
        context, quiet=quiet, verbose=verbose, debug=debug, as_json=json, no_color=no_color
    )
    found = rows(load(environment.variables))
    if not found:
        environment.console.say("no account is configured; privstream accounts add NAME")
    elif environment.format(None, json=json) is Format.JSONL:
        print_lines(found)
    else:
        print_table(found, colour=environment.colour)
    return 0


# --- remove --------------------------------------------------------------------------------


def remove(
    context: typer.Context,
    name: Name,
    *,
    yes: Yes = False,
    json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    debug: o.Debug = False,
    no_color: o.NoColor = False,
) -> int:
    """Remove an account from the config file, and its entries from the keyring."""
    from privstream.app.list_accounts import print_lines, row_of  # noqa: PLC0415 - start-up time
    from privstream.app.remove_account import remove_account  # noqa: PLC0415

    environment = environment_of(
        context, quiet=quiet, verbose=verbose, debug=debug, as_json=json, no_color=no_color
    )
    before = remove_account(environment, name, yes=yes)
    if before is not None and json:
        print_lines([row_of(before.accounts[name], before)])
    return 0
