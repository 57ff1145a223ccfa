"""`privstream wait EXCHANGE ORDER_ID`: the subcommands, one per exchange.

The one rule: what cannot be is refused before anything is sent.
"""

import inspect
import re
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from privstream import exchanges
from privstream.cli import completion
from privstream.cli import options as o
from privstream.cli.lazy import LazyGroup, as_command
from privstream.cli.outside import taken_out
from privstream.cli.watch import option_parameter
from privstream.exchanges.base import Exchange
from privstream.model.errors import UsageError
from privstream.model.nearest import suggestion
from privstream.model.order_entry import STATUSES
from privstream.outputs.console import Format

if TYPE_CHECKING:  # start-up time
    from privstream.app.environment import Environment
    from privstream.model.account import Account

UntilOption = Annotated[
    str,
    typer.Option(
        "--until",
        metavar="STATUS",
        help=f"{', '.join(STATUSES)}; closed is any end of it.",
        autocompletion=completion.words(*STATUSES),
    ),
]
Timeout = Annotated[
    str,
    typer.Option("--timeout", metavar="5m", help="How long to wait, from the start. More than 0."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing, say only errors.")]
SUMMARY = """Wait until an order on {title} gets somewhere, and print its events on the way.

It subscribes first, looks at the order over REST then, and follows the stream, across
reconnects. ORDER_ID is the exchange's own id{example}, no client id.

Exit 0: it is there, or was when we came. `open` counts as reached when anything was filled,
`partially_filled` when some or all was. 6: it ended otherwise. 124: time ran out. 4: refused,
or no such order (said after about {patience:.0f} s, since REST may lag behind). 5: not to be
reached, with --max-retries. 130: Ctrl-C."""


def group() -> Any:
    """The group of the subcommands."""
    lazy = {
        name: (f"An order on {name.capitalize()}.", partial(_load, name))
        for name in exchanges.names()
    }
    return LazyGroup(
        name="wait", lazy=lazy, help="Wait until an order is filled, or gets where you want it."
    )


def _load(name: str) -> Any:
    return as_command(_command(exchanges.find(name)), name)


def _command(exchange: type[Exchange]) -> Callable[..., int]:
    """A command function with the common options and the exchange's own, for Typer to read."""
    from privstream.connection.account.one_order import UNKNOWN_LIMIT  # noqa: PLC0415 - start-up time

    def wait_for_order(order_id: str, **settings: Any) -> int:
        chosen = {option.name: settings.pop(option.name) for option in exchange.options}
        options = {name: value for name, value in chosen.items() if value is not None}
        return _wait(taken_out(settings), exchange, order_id, options, **settings)

    own = inspect.signature(_common, eval_str=True).parameters.values()
    context, first, *common = own
    parameters = [context, first, *map(option_parameter, exchange.options), *common]
    wait_for_order.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # Typer reads it
    wait_for_order.__annotations__ = {p.name: p.annotation for p in parameters}
    wait_for_order.__doc__ = SUMMARY.format(
        title=exchange.title,
        example=f", like {example}" if (example := exchange.order_id_form[1]) else "",
        patience=min(exchange.limits.rest_lag, UNKNOWN_LIMIT),
    )
    return wait_for_order


def _common(
    *,
    context: typer.Context,
    order_id: Annotated[
        str,
        typer.Argument(
            metavar="ORDER_ID", help="The exchange's own id.", autocompletion=completion.order_ids
        ),
    ],
    until: UntilOption = "filled",
    timeout: Timeout = "5m",
    account: o.AccountName = None,
    format: o.FormatOption = None,  # noqa: A002 - the option's name
    json: o.Json = False,
    raw: o.Raw = False,
    max_retries: o.MaxRetries = None,
    quiet: Quiet = False,
    verbose: o.Verbose = False,
    debug: o.Debug = False,
    no_color: o.NoColor = False,
    utc: o.Utc = False,
) -> None:
    """The options that every exchange has; only its signature is used."""


def _wait(
    environment: "Environment",
    exchange: type[Exchange],
    order_id: str,
    options: dict[str, str],
    *,
    until: str,
    timeout: str,
    account: str | None,
    format: Format | None,  # noqa: A002 - the option's name
    json: bool,
    raw: bool,
    max_retries: int | None,
) -> int:
    from privstream.app.durations import seconds  # noqa: PLC0415 - start-up time
    from privstream.app.wait_for_order import Until, follow  # noqa: PLC0415

    started = time.monotonic()
    _check(exchange, order_id, until, format)
    limit = seconds(timeout)
    found = _account(environment, exchange.name, account, options)
    kind = environment.format(format, json=json)
    return follow(
        environment,
        found,
        order_id,
        Until(until),
        timeout=limit,
        output=None if environment.console.quiet else environment.output(kind, [found.name]),
        started=started,
        max_retries=max_retries,
        raw=raw,
    )


def _check(
    exchange: type[Exchange],
    order_id: str,
    until: str,
    format: Format | None,  # noqa: A002 - the option's name
) -> None:
    if until not in STATUSES:
        known = f"--until takes {', '.join(STATUSES)}"
        raise UsageError(f"an order is never {until!r}", suggestion(until, STATUSES, known))
    if format is Format.RAW:
        raise UsageError(
            "`wait` prints events of one order, --format raw frames of all",
            "use --raw to have the exchange's own element in each event",
        )
    form, example = exchange.order_id_form
    if not re.fullmatch(form, order_id, re.ASCII):
        hint = f"they look like {example}; a client id will not do" if example else None
        raise UsageError(f"{order_id!r} is no order id of {exchange.title}", hint)


def _account(
    environment: "Environment", exchange: str, name: str | None, options: dict[str, str]
) -> "Account":
    from privstream.app.assembly import name_overrides  # noqa: PLC0415 - start-up time
    from privstream.settings.config import load  # noqa: PLC0415

    config = load(environment.variables)
    account = config.account(config.chosen(name, exchange), exchange=exchange, options=options)
    name_overrides(environment.console, config, account)
    return account
