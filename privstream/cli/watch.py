"""`privstream watch EXCHANGE [CHANNEL]...`: the subcommands, one per exchange and `all`.

Each is made from what the exchange's class declares; none is listed here.
"""

import inspect
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from privstream import exchanges
from privstream.cli import completion
from privstream.cli import options as o
from privstream.cli.commands import CommandSource
from privstream.cli.lazy import LazyGroup, as_command
from privstream.cli.outside import taken_out
from privstream.exchanges.base import Exchange, Option

if TYPE_CHECKING:  # start-up time
    from privstream.app.environment import Environment
    from privstream.app.watch import Request

Run: TypeAlias = "Callable[[Environment, Request], int]"
ALL = "all"
USUAL = ("orders", "trades", "balances")
"""Channels that every exchange has."""
SUMMARY_ALL = "Every configured account, merged in the order of arrival."


def group() -> Any:
    """The group of the subcommands."""
    lazy = {**one_each(_watch), ALL: (SUMMARY_ALL, lambda: as_command(_all(), ALL))}
    return LazyGroup(name="watch", lazy=lazy, help="Stream an account's own events.")


def _watch(environment: "Environment", request: "Request") -> int:
    from privstream.app.watch import watch  # noqa: PLC0415 - start-up time

    return watch(environment, request)


def one_each(run: Run) -> dict[str, tuple[str, CommandSource]]:
    """A lazy command for every exchange there is."""
    return {
        name: (f"One account on {name.capitalize()}.", partial(_load, name, run))
        for name in exchanges.names()
    }


def _load(name: str, run: Run) -> Any:
    return as_command(_one(exchanges.find(name), run), name)


def _one(exchange: type[Exchange], run: Run) -> Callable[..., int]:
    extra = exchange.extra_channels
    default = f"all but {', '.join(extra)}" if extra else "all"
    return _command(
        run,
        f"Stream one account's own events on {exchange.title}.",
        exchange=exchange.name,
        channels=exchange.channels,
        channels_help=f"{', '.join(exchange.channels)}  [default: {default}]",
        own=exchange.options,
    )


def _all() -> Callable[..., int]:
    return _command(
        _watch,
        SUMMARY_ALL,
        exchange=ALL,
        channels=USUAL,
        channels_help="Only these channels, of the accounts that have them.",
        own=(),
    )


def _command(
    run: Run,
    summary: str,
    *,
    exchange: str,
    channels: tuple[str, ...],
    channels_help: str,
    own: tuple[Option, ...],
) -> Callable[..., int]:
    """A command function with the common options and the exchange's own, for Typer to read."""

    def watch_exchange(**settings: Any) -> int:
        from privstream.app.watch import Request  # noqa: PLC0415 - start-up time

        environment = taken_out(settings)
        chosen = {option.name: settings.pop(option.name) for option in own}
        options = {name: value for name, value in chosen.items() if value is not None}
        return run(environment, Request(exchange=exchange, options=options, **settings))

    named = inspect.Parameter(
        "channels",
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[
            list[str] | None,
            typer.Argument(
                metavar="[CHANNEL]...",
                help=channels_help,
                autocompletion=completion.words(*channels),
            ),
        ],
    )
    common = list(inspect.signature(_common, eval_str=True).parameters.values())
    if exchange == ALL:
        several = inspect.Parameter(
            "accounts", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=o.AccountNames
        )
        common = [several if one.name == "account" else one for one in common]
    parameters = [named, *map(option_parameter, own), *common]
    watch_exchange.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # Typer reads it
    watch_exchange.__annotations__ = {p.name: p.annotation for p in parameters}
    watch_exchange.__doc__ = summary
    return watch_exchange


def option_parameter(option: Option) -> inspect.Parameter:
    """An exchange's own setting as an option of a command."""
    described = f"{option.help}; {' or '.join(option.choices)}  [default: {option.default}]"
    return inspect.Parameter(
        option.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[
            str | None,
            typer.Option(
                f"--{option.name.replace('_', '-')}",
                metavar="WORD",
                help=described,
                autocompletion=completion.words(*option.choices),
            ),
        ],
    )


def _common(
    *,
    context: typer.Context,
    account: o.AccountName = None,
    format: o.FormatOption = None,  # noqa: A002 - the option's name
    json: o.Json = False,
    raw: o.Raw = False,
    symbol: o.Symbols = None,
    no_snapshot: o.NoSnapshot = False,
    notify: o.Notify = None,
    only: o.Only = None,
    min_value: o.MinValue = None,
    fields: o.Fields = None,
    since: o.Since = None,
    count: o.Count = None,
    duration: o.Duration = None,
    to: o.To = None,
    live: o.Live = False,
    privacy: o.Privacy = False,
    status: o.ShowStatus = False,
    resume: o.Resume = False,
    max_retries: o.MaxRetries = None,
    audit: o.Audit = "5m",
    simulate: o.Simulate = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    debug: o.Debug = False,
    no_color: o.NoColor = False,
    utc: o.Utc = False,
) -> None:
    """The options that every exchange has; only its signature is used."""
