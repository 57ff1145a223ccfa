"""What may come next on a command line: completion for bash, zsh and fish, by Typer's own scripts.

The one rule: only files are looked at. Nothing is fetched or waited for, and what cannot be read
offers nothing: nobody who presses the tabulator wants to hear of it.
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from privstream.model.errors import OutputFailed, PrivstreamError, UsageError
from privstream.outputs.descriptor import STDOUT, write_all
from privstream.outputs.stderr import Stderr

if TYPE_CHECKING:  # start-up time
    from privstream.settings.config import Config

VARIABLE = "_PRIVSTREAM_COMPLETE"
"""With it the shell asks, as Typer's scripts have it."""
SHELLS = ("bash", "zsh", "fish")
UNASKED = 2
PLAIN = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
OPTIONS = ("--show-completion", "--install-completion")


def answer(group: Any, process: Any) -> int:
    """Print what may come next; returns the exit code."""
    from typer import completion as typers  # noqa: PLC0415 - only here

    from privstream.cli.described import keep_description  # noqa: PLC0415 - only here

    typers.completion_init()  # type: ignore[attr-defined]  # it exports it without a word
    settings = {"obj": process, "help_option_names": ["--help", "-h"]}
    instruction = process.variables[VARIABLE]
    keep_description(group, settings, instruction, process.variables)
    try:
        return typers.shell_complete(group, settings, "privstream", VARIABLE, instruction)
    except PrivstreamError:
        return 0
    except (KeyError, ValueError):  # no shell asks like that
        return UNASKED
    except SystemExit as end:  # fish asks whether there is anything
        return int(end.code or 0)


def script(arguments: Sequence[str], variables: Mapping[str, str]) -> int:
    """`--show-completion [SHELL]` and `--install-completion [SHELL]`. Raises UsageError."""
    from typer.completion import (  # type: ignore[attr-defined]  # noqa: PLC0415 - as above
        get_completion_script,
        install,
    )

    option, *named = arguments
    shell = named[0] if named else Path(variables.get("SHELL", "")).name
    if shell not in SHELLS or len(named) > 1:
        raise UsageError(
            "completion for which shell?", f"{option} with one of: {', '.join(SHELLS)}"
        )
    if option == "--show-completion":
        names = {"prog_name": "privstream", "complete_var": VARIABLE}
        write_all(STDOUT, f"{get_completion_script(shell=shell, **names)}\n".encode())
    else:
        try:
            _, path = install(shell=shell, prog_name="privstream", complete_var=VARIABLE)
        except OSError as problem:
            where = f" {problem.filename}" if problem.filename else ""
            raise OutputFailed(f"cannot write{where}: {problem.strerror}") from problem
        said = f"privstream: completion for {shell} is in {path}; start a new shell\n"
        Stderr(sys.stderr).write(said)
    return 0


# --- what is offered -------------------------------------------------------------------------


def account_names(context: typer.Context) -> list[str]:
    """The configured accounts, under an exchange's command only those on it."""
    config = _config(context)
    if config is None:
        return []
    exchange = context.info_name if context.info_name in config.known else None
    settings = [config.settings(name) for name in config.names()]
    return [one.name for one in settings if exchange in {None, one.exchange}]


def exchange_names() -> list[str]:
    """The exchanges there are."""
    from privstream.exchanges import names  # noqa: PLC0415 - start-up time

    return list(names())


def words(*known: str) -> Callable[[], list[str]]:
    """One of a few words."""
    return lambda: list(known)


def order_ids(context: typer.Context) -> list[str]:
    """Ids of open orders, as runs with --resume have left them; of the account named, if one is."""
    named = context.params.get("account")
    accounts = [named] if named else account_names(context)
    return [order_id for name in accounts for order_id in _open_orders(context, name)]


def _open_orders(context: typer.Context, account: str) -> Iterator[str]:
    from privstream.delivery.open_orders import open_order_ids  # noqa: PLC0415 - only here
    from privstream.settings.private_files import base_folder  # noqa: PLC0415

    variables = context.find_root().obj.variables
    folder = base_folder(variables, "XDG_STATE_HOME", ".local/state") / "privstream" / "resume"
    # The exchange made them, and a shell may read more than letters in what it is offered.
    yield from filter(PLAIN.fullmatch, open_order_ids(folder / f"{account}.sqlite"))


def _config(context: typer.Context) -> "Config | None":
    from privstream.settings.config import load  # noqa: PLC0415 - only here

    with suppress(PrivstreamError):
        return load(context.find_root().obj.variables)
    return None
