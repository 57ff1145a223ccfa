"""`privstream order place / cancel / get / list EXCHANGE`: the commands and their options.

Each exchange's options are made from what its order entry declares; none is listed here.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
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
from privstream.model.account import Account
from privstream.model.errors import UsageError
from privstream.model.order_entry import ListOption, OrderEntry, OrderOption

if TYPE_CHECKING:  # start-up time
    from privstream.app.environment import Environment
    from privstream.app.order_account import OrderRequest

ACTIONS = {
    "place": "Place an order.",
    "cancel": "Cancel orders.",
    "get": "Look at one order.",
    "list": "List open orders.",
}
HELP = """Place, cancel and look at orders.

On exchanges whose private stream has order entry: Kraken, and Zerocap without cancel."""
SUMMARIES = {
    "place": """Place an order on {title}.

It is shown first and asked about, unless --yes. It is sent once: where the answer is lost the
order is looked for. Prints the order.

Exit 0: placed, or found after its answer was lost. 4: refused, or it ended without a fill.
5: not to be reached and nothing sent, or sent and its fate is unknown: the message says which.
With --wait as `privstream wait`.""",
    "cancel": """Cancel orders on {title}, by its ids or the client's, or all that are open.

Prints the orders that it ended. Exit 0: all of them. 4: at least one was not to be canceled.
5: not to be reached, or it is unknown whether one was canceled: the message says which.""",
    "get": """Look at one order on {title} over REST, by its id or the client's.

Exit 4: there is no such order.""",
    "list": "List the open orders on {title} over REST.",
}

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def group() -> Any:
    """The group of the four commands."""
    lazy = {action: (short, partial(_group, action)) for action, short in ACTIONS.items()}
    return LazyGroup(name="order", lazy=lazy, help=HELP)


def _group(action: str) -> Any:
    lazy = {
        name: (f"On {name.capitalize()}.", partial(_load, action, name))
        for name in exchanges.names()
    }
    return _Group(name=action, lazy=lazy, help=ACTIONS[action])


class _Group(LazyGroup):
    """Lists only exchanges that have the call; the others say that they have none."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        self._lazy = {
            name: row for name, row in self._lazy.items() if _lack(self.name or "", name) is None
        }
        super().format_commands(ctx, formatter)


def _lack(action: str, name: str) -> str | None:
    """Why an exchange has no such command, or `None` where it has."""
    kind = exchanges.find(name)
    entry = _entry_of(kind)
    if entry is None:
        return f"{kind.title} has no order entry on its private stream"
    if action == "cancel" and not entry.can_cancel:
        return f"there is no such call: {kind.title} cannot cancel an order"
    return None


def _load(action: str, name: str) -> Any:
    kind = exchanges.find(name)
    entry, lack = _entry_of(kind), _lack(action, name)
    if entry is None or lack is not None:
        return _refusal(name, lack or "")
    return as_command(_MAKERS[action](kind, entry), name)


def _entry_of(kind: type[Exchange]) -> OrderEntry | None:
    """Its order entry, as an account has it that is not there yet."""
    defaults = {option.name: option.default for option in kind.options}
    return kind(Account(kind.name, kind.name, {}, kind.endpoints(defaults), defaults)).order_entry


def _refusal(name: str, sentence: str) -> Any:
    """A command that takes whatever is typed, and says why there is none."""
    app = typer.Typer(
        add_completion=False, rich_markup_mode=None, pretty_exceptions_show_locals=False
    )
    anything = {"ignore_unknown_options": True, "allow_extra_args": True}

    def refuse(_context: typer.Context) -> None:
        raise UsageError(sentence, "privstream order --help says which exchange has what")

    refuse.__doc__ = f"Not here: {sentence}."
    app.command(name, context_settings=anything)(refuse)
    return typer.main.get_command(app)


# --- the four commands ---------------------------------------------------------------------


def _place(kind: type[Exchange], entry: OrderEntry) -> Callable[..., int]:
    def run(
        environment: "Environment",
        request: "OrderRequest",
        settings: dict[str, Any],
        own: dict[str, Any],
    ) -> int:
        from privstream.app.order_actions import Terms, place  # noqa: PLC0415 - start-up time

        return place(environment, request, Terms(own=own, **settings))

    return _command("place", kind, run, _place_options, entry.options, entry=entry)


def _cancel(kind: type[Exchange], _entry: OrderEntry) -> Callable[..., int]:
    def run(
        environment: "Environment",
        request: "OrderRequest",
        settings: dict[str, Any],
        _own: dict[str, Any],
    ) -> int:
        from privstream.app.order_actions import cancel  # noqa: PLC0415 - start-up time

        return cancel(environment, request, **settings)

    return _command("cancel", kind, run, _cancel_options)


def _get(kind: type[Exchange], _entry: OrderEntry) -> Callable[..., int]:
    def run(
        environment: "Environment",
        request: "OrderRequest",
        settings: dict[str, Any],
        _own: dict[str, Any],
    ) -> int:
        from privstream.app.order_actions import get  # noqa: PLC0415 - start-up time

        return get(environment, request, **settings)

    return _command("get", kind, run, _get_options)


def _list(kind: type[Exchange], entry: OrderEntry) -> Callable[..., int]:
    def run(
        environment: "Environment",
        request: "OrderRequest",
        _settings: dict[str, Any],
        own: dict[str, Any],
    ) -> int:
        from privstream.app.order_actions import list_orders  # noqa: PLC0415 - start-up time

        kinds = {option.name: option.kind for option in entry.list_options}
        return list_orders(environment, request, own, kinds)

    return _command("list", kind, run, _no_options, entry.list_options)


_MAKERS = {"place": _place, "cancel": _cancel, "get": _get, "list": _list}
Run = Callable[["Environment", "OrderRequest", dict[str, Any], dict[str, Any]], int]
_OWN = "own_"  # `from` and `type` are names of options, and none of parameters


def _command(
    action: str,
    kind: type[Exchange],
    run: Run,
    options: Callable[..., None],
    own: tuple[OrderOption, ...] | tuple[ListOption, ...] = (),
    *,
    entry: OrderEntry | None = None,
) -> Callable[..., int]:
    """A command function with the options of its kind and of the exchange, for Typer to read."""

    def order(**settings: Any) -> int:
        from privstream.app.order_account import OrderRequest  # noqa: PLC0415 - start-up time

        environment = taken_out(settings)
        chosen = _taken(settings, {option.name: option.name for option in kind.options})
        named = _taken(settings, {_OWN + option.name: option.name for option in own})
        common = {name: settings.pop(name) for name in ("account", "format", "json", "raw")}
        return run(
            environment, OrderRequest(exchange=kind.name, options=chosen, **common), settings, named
        )

    usual = inspect.signature(options, eval_str=True).parameters.values()
    parameters = [
        *(usual if entry is None else _offered(usual, entry)),
        *map(_own_parameter, own),
        *map(option_parameter, kind.options),
        *inspect.signature(_common, eval_str=True).parameters.values(),
    ]
    order.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # Typer reads it
    order.__annotations__ = {p.name: p.annotation for p in parameters}
    order.__doc__ = SUMMARIES[action].format(title=kind.title)
    return order


def _taken(settings: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """These settings under their own names, as far as they were given; they are taken out."""
    found = {names[name]: settings.pop(name) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def _offered(usual: Iterable[inspect.Parameter], entry: OrderEntry) -> Iterator[inspect.Parameter]:
    """The options of `place`; what the exchange does not take says so when used, and is not shown."""
    lacking = {"stop_price": not entry.has_stops, "validate": not entry.can_validate}
    for parameter in usual:
        if parameter.name == "order_type":
            yield _type_parameter(entry.types)
        elif parameter.name == "tif":
            option = typer.Option(
                "--tif",
                metavar="WORD",
                help=", ".join(entry.forces),
                autocompletion=completion.words(*entry.forces),
            )
            yield parameter.replace(annotation=Annotated[str | None, option])
        elif lacking.get(parameter.name):
            hidden = copy(parameter.annotation.__metadata__[0])
            hidden.hidden = True
            kind = parameter.annotation.__origin__
            yield parameter.replace(annotation=Annotated[kind, hidden])
        else:
            yield parameter


def _type_parameter(types: tuple[str, ...]) -> inspect.Parameter:
    known = ", ".join(name.replace("_", "-") for name in types)
    complete = completion.words(*known.split(", "))
    option = typer.Option("--type", metavar="TYPE", help=f"{known}.", autocompletion=complete)
    return inspect.Parameter(
        "order_type", inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[str, option]
    )


def _own_parameter(option: OrderOption | ListOption) -> inspect.Parameter:
    shown = f"--{option.name.replace('_', '-')}"
    return inspect.Parameter(
        _OWN + option.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[
            str | None, typer.Option(shown, metavar=option.metavar, help=option.help)
        ],
    )


def _place_options(
    *,
    symbol: Annotated[str, typer.Option("--symbol", "-s", metavar="SYMBOL", help="Like BTC/EUR.")],
    side: Annotated[
        str,
        typer.Option(
            "--side",
            metavar="SIDE",
            help="buy or sell.",
            autocompletion=completion.words("buy", "sell"),
        ),
    ],
    order_type: str,
    quantity: Annotated[
        str, typer.Option("--quantity", metavar="N", help="In the base currency, like 0.25.")
    ],
    price: Annotated[
        str | None, typer.Option("--price", metavar="PRICE", help="The limit.")
    ] = None,
    stop_price: Annotated[
        str | None, typer.Option("--stop-price", metavar="PRICE", help="What triggers the order.")
    ] = None,
    tif: str | None = None,
    client_id: Annotated[
        str | None,
        typer.Option("--client-id", metavar="ID", help="Your own id.  [default: a UUID]"),
    ] = None,
    validate: Annotated[
        bool, typer.Option("--validate", help="Only ask whether it would be taken.")
    ] = False,
    yes: Yes = False,
    wait: Annotated[
        str | None,
        typer.Option("--wait", metavar="STATUS", help="Then wait for it: filled, closed, …"),
    ] = None,
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="5m", help="How long to wait at most.")
    ] = "5m",
) -> None:
    """Only its signature is used."""


def _cancel_options(
    *,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID]...",
            help="Ids of the exchange, or client ids.",
            autocompletion=completion.order_ids,
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every open order; asks first.")] = False,
    yes: Yes = False,
) -> None:
    """Only its signature is used."""


def _get_options(
    *,
    name: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="The exchange's id, or the client's.",
            autocompletion=completion.order_ids,
        ),
    ],
) -> None:
    """Only its signature is used."""


def _no_options() -> None:
    """Only its signature is used."""


def _common(
    *,
    context: typer.Context,
    account: o.AccountName = None,
    format: o.FormatOption = None,  # noqa: A002 - the option's name
    json: o.Json = False,
    raw: o.Raw = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    debug: o.Debug = False,
    no_color: o.NoColor = False,
    utc: o.Utc = False,
) -> None:
    """The options that every one has; only its signature is used."""
